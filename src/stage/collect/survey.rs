//! One subreddit, from every angle that is wanted or worth its requests: which is next, what
//! each leaves behind, and what it all came to.

use std::time::Duration;

use super::{Collect, CollectError, replay::known_posts};
use crate::{
    domain::{
        census::{Census, Estimate, Method},
        id::Place,
        listing::{Angle, Listings, Sort},
        planner::{self, Vocabulary},
        progress::{Asked, Descent, Done, Ended, Gap, Mark, Progress, Watermark},
    },
    source::reddit::{Meter, RedditError, Session, Subreddit},
    store::schema::{GapId, Listing},
};

/// How long a bookmark into a listing that is always changing is worth going on from.
const CURSOR_S: i64 = 3600;

/// After so many angles in a row of which no page could be had, the site is left alone for now.
const BROKEN_MAX: u32 = 3;

/// What is kept of reasons why posts could not be read.
const REASONS_MAX: usize = 50;

pub(super) struct Survey<'a, 's> {
    pub(super) collect: &'s Collect<'a>,
    pub(super) session: &'s Session<'a>,
    pub(super) place: &'s Place,
    pub(super) subreddit: &'s Subreddit,
    pub(super) progress: Progress,
    /// Angles that are over in this try of the round, and those that failed, in order.
    pub(super) tried: Vec<Done>,
    pub(super) meter: Meter,
    pub(super) vocabulary: Vocabulary,
    pub(super) census: Census,
    /// Posts known of the place.
    pub(super) known: u64,
    /// What earlier tries of the same round had cost.
    before: Asked,
    is_resumed: bool,
}

impl<'a, 's> Survey<'a, 's> {
    pub(super) fn begin(
        collect: &'s Collect<'a>,
        session: &'s Session<'a>,
        place: &'s Place,
        subreddit: &'s Subreddit,
    ) -> Result<Self, CollectError> {
        let mut progress: Progress = collect.store.note(place)?.unwrap_or_default();
        let is_resumed = !progress.done.is_empty();
        let now = collect.access.now();
        // A bookmark into `new` is a post and stays good; other orders have moved on.
        progress.open.retain(|it| {
            it.angle == Angle::Sort(Sort::New) || (0..CURSOR_S).contains(&(now - it.begun_at))
        });
        // Since an earlier try more may have been posted; asking again costs one request.
        progress.done.retain(|it| it.angle != Angle::Sort(Sort::New));
        let mut vocabulary = Vocabulary::default();
        let known = known_posts(collect.store, place, |post| vocabulary.count(post))?;
        let before = progress.asked.clone();
        let tried = progress.done.clone();
        Ok(Self {
            collect,
            session,
            place,
            subreddit,
            progress,
            tried,
            meter: Meter::default(),
            vocabulary,
            census: Census::default(),
            known,
            before,
            is_resumed,
        })
    }

    /// Reads angle after angle. A page that cannot be had ends its angle, not the others, unless
    /// one after the other fails; it is told at the end.
    pub(super) async fn run(mut self) -> Result<Listing, CollectError> {
        let mut first_error = None;
        let mut n_in_a_row = 0;
        while n_in_a_row < BROKEN_MAX
            && let Some(angle) = self.next()
        {
            match self.descend(&angle).await {
                Ok(()) => n_in_a_row = 0,
                Err(CollectError::Reddit { source, .. }) if is_of_one_listing(&source) => {
                    let taken = self.open(&angle).taken;
                    self.tried.push(Done { angle, taken, ended: Ended::Broken });
                    n_in_a_row += 1;
                    first_error.get_or_insert(source);
                    self.save()?;
                }
                Err(error) => {
                    self.save()?;
                    return Err(error);
                }
            }
        }
        match first_error {
            // Where nothing at all could be read, the reason is the place's.
            Some(source) if self.progress.done.is_empty() => {
                Err(CollectError::Reddit { place: self.place.clone(), source })
            }
            Some(source) => {
                let place = self.place.clone();
                let n_open = self.tried.iter().filter(|it| it.ended == Ended::Broken).count();
                Err(CollectError::Unfinished { place, n_open, source })
            }
            None => self.conclude(),
        }
    }

    /// Returns the angle to read next.
    fn next(&self) -> Option<Angle> {
        let new = Angle::Sort(Sort::New);
        let is_over = |angle: &Angle| self.tried.iter().any(|it| it.angle == *angle);
        match &self.collect.recipe.listings {
            Listings::These(sorts) => {
                sorts.iter().map(|sort| Angle::Sort(*sort)).find(|angle| !is_over(angle))
            }
            Listings::Everything if !is_over(&new) => Some(new),
            Listings::Everything if self.keeps_up() => None,
            Listings::Everything => {
                planner::next(&self.vocabulary, &self.tried, self.collect.floor())
            }
        }
    }

    /// Tells whether `new` alone has brought all there can be since all angles were tried.
    fn keeps_up(&self) -> bool {
        let wish = self.collect.round();
        let is_recent = self.progress.round.is_some_and(|it| it.serves(&wish));
        is_recent && self.has_caught_up()
    }

    /// Tells whether `new` was read down to where it was, or to its own end.
    fn has_caught_up(&self) -> bool {
        let is_met = |it: &Done| {
            it.angle == Angle::Sort(Sort::New) && matches!(it.ended, Ended::Met | Ended::Whole)
        };
        self.progress.done.iter().any(is_met)
    }

    /// Takes up an angle where it was left, or begins it.
    pub(super) fn open(&self, angle: &Angle) -> Descent {
        let open = self.progress.open.iter().find(|it| it.angle == *angle);
        open.cloned().unwrap_or_else(|| Descent::new(angle.clone(), self.collect.access.now()))
    }

    /// Returns the mark `new` has to come down to; none if more is wanted than when it was set.
    pub(super) fn watermark(&self) -> Option<&Watermark> {
        let limit = self.collect.recipe.limit;
        self.progress.watermark.as_ref().filter(|it| it.cut_at.is_none_or(|cut| limit <= cut))
    }

    /// Writes down how far it has come.
    pub(super) fn save(&mut self) -> Result<(), CollectError> {
        let asked = &mut self.progress.asked;
        asked.requests = self.before.requests + self.meter.requests();
        let waited_ms = u64::try_from(self.meter.waited().as_millis());
        asked.waited_ms = self.before.waited_ms + waited_ms.unwrap_or(u64::MAX / 2);
        let store = self.collect.store;
        let pace = self.session.pace(self.collect.access.now());
        store.put_notes(&[(self.session.site().name().to_owned(), pace)])?;
        Ok(store.put_notes(&[(self.place.clone(), self.progress.clone())])?)
    }

    /// Notes why posts could not be read.
    pub(super) fn note_unreadable(&mut self, reasons: Vec<String>) {
        let number = u64::try_from(reasons.len()).expect("a length fits 64 bits");
        self.progress.asked.unreadable += number;
        for reason in reasons {
            let known = &mut self.progress.unreadable;
            if known.len() < REASONS_MAX && !known.contains(&reason) {
                known.push(reason);
            }
        }
    }

    /// Ends one angle: what it leaves behind, and that it need not be read again in this round.
    pub(super) fn finish(&mut self, descent: Descent, ended: Ended) -> Result<(), CollectError> {
        if descent.angle == Angle::Sort(Sort::New) {
            self.move_watermark(&descent, ended)?;
        }
        self.progress.open.retain(|it| it.angle != descent.angle);
        let done = Done { angle: descent.angle, taken: descent.taken, ended };
        self.tried.push(done.clone());
        self.progress.done.push(done);
        self.save()
    }

    /// Has an angle read once more in this round.
    pub(super) fn reopen(&mut self, angle: &Angle) {
        self.tried.retain(|it| it.angle != *angle);
        self.progress.done.retain(|it| it.angle != *angle);
    }

    /// Moves the watermark up, and writes down what lies unseen between the old one and the
    /// deepest post that was reached.
    fn move_watermark(&mut self, descent: &Descent, ended: Ended) -> Result<(), CollectError> {
        let Some(oldest) = &descent.oldest else { return Ok(()) };
        let old = self.watermark().and_then(Watermark::newest).cloned();
        let is_cut = match ended {
            Ended::Met | Ended::Whole => false,
            // Whoever wants no more than a first few leaves the rest on purpose.
            Ended::Enough => old.is_some(),
            Ended::Capped | Ended::Dry | Ended::Looped | Ended::Lost | Ended::Broken => true,
        };
        if is_cut {
            let gap = Gap {
                place: self.place.clone(),
                posts: old.as_ref().and_then(|old| missing(old, descent, oldest)),
                older: old,
                newer: oldest.clone(),
                why: ended,
                noticed_at: self.collect.access.now(),
            };
            self.collect.store.put_notes(&[(GapId::of(&gap), gap)])?;
        }
        let cut_at = (ended == Ended::Enough).then_some(self.collect.recipe.limit);
        // A first reading that was cut stays one until it has gone deeper.
        let kept = self.watermark().and_then(|it| it.cut_at);
        let anchors = descent.top.clone();
        self.progress.watermark = Some(Watermark { anchors, cut_at: cut_at.or(kept) });
        Ok(())
    }

    fn conclude(mut self) -> Result<Listing, CollectError> {
        let now = self.collect.access.now();
        let before = self.progress.estimate.take().map(|it| Estimate { seen: self.known, ..it });
        // All that was there is no longer all there is once some of what came was missed.
        let before = before.filter(|it| it.method != Method::Counted || self.has_caught_up());
        self.progress.estimate = self.estimate().or(before);
        if self.collect.recipe.listings == Listings::Everything && !self.keeps_up() {
            self.progress.round = Some(self.collect.round());
            self.progress.last.clone_from(&self.progress.done);
        }
        self.save()?;
        let listing = Listing {
            posts: self.known,
            unreadable: std::mem::take(&mut self.progress.unreadable),
            listed_at: now,
            asked: std::mem::take(&mut self.progress.asked),
            angles: std::mem::take(&mut self.progress.done),
            unseen: self.progress.estimate.clone(),
        };
        self.progress.open.clear();
        self.collect.store.put_notes(&[(self.place.clone(), self.progress)])?;
        Ok(listing)
    }

    /// Estimates what was not seen; what was cut off has too few witnesses for it.
    fn estimate(&self) -> Option<Estimate> {
        let shows_all = |it: &Done| it.angle == Angle::Sort(Sort::New) && it.ended == Ended::Whole;
        if self.progress.done.iter().any(shows_all) {
            return Some(Estimate { seen: self.known, unseen: 0, method: Method::Counted });
        }
        let estimate = self.census.estimate().filter(|_| !self.is_resumed)?;
        // Posts known from other sources and earlier rounds are not unseen.
        let known_besides = self.known.saturating_sub(estimate.seen);
        let unseen = estimate.unseen.saturating_sub(known_besides);
        Some(Estimate { seen: self.known, unseen, ..estimate })
    }
}

/// Tells a trouble of one listing from one of the place, the net or the login.
fn is_of_one_listing(error: &RedditError) -> bool {
    match error {
        RedditError::Status { .. } | RedditError::NotAListing { .. } => true,
        RedditError::Credentials { .. }
        | RedditError::Closed { .. }
        | RedditError::NoSuchSubreddit { .. }
        | RedditError::Throttled { .. }
        | RedditError::Login { .. }
        | RedditError::Net(_) => false,
    }
}

/// Guesses how many posts lie between two, from how often they came in what was read.
fn missing(old: &Mark, descent: &Descent, oldest: &Mark) -> Option<u64> {
    let newest = descent.top.iter().map(|it| it.created_utc).max()?;
    let read_s = u64::try_from(newest - oldest.created_utc).ok().filter(|it| 0 < *it)?;
    let unread_s = u64::try_from(oldest.created_utc - old.created_utc).ok()?;
    Some(descent.taken.seen.saturating_mul(unread_s) / read_s)
}

/// Half a second, doubled with each try, and a little more for each place, so that places that
/// were turned away together do not come back together.
pub(super) fn back_off(tries: u32, place: &Place) -> Duration {
    let spread_ms = place.0.bytes().map(u64::from).sum::<u64>() % 200;
    Duration::from_millis(250) * 2_u32.saturating_pow(tries) + Duration::from_millis(spread_ms)
}
