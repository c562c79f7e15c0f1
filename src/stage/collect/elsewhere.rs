//! Places that are no subreddit of the live site: files and folders of this machine, and the
//! Arctic Shift archive. Both are kept batch by batch; what can go on where it was cut off does.

use std::collections::BTreeSet;

use super::{Collect, CollectError, replay::known_posts};
use crate::{
    domain::{
        id::{Place, PostId},
        listing::{Angle, Sort},
        post::Post,
        progress::{Asked, Descent, Gap, Progress},
    },
    engine::StageName,
    source::{
        Page, SourceSpec,
        arctic::{self, bookmark_of},
        batch::Unreadable,
        dump::Resume,
        local::{Local, Reading},
        reddit::Subreddit,
    },
    store::schema::{GapId, Listing, Reached},
};

/// The first and the last second a source has posts of.
#[derive(Clone, Copy, Default)]
struct Span(Option<(i64, i64)>);

impl Span {
    fn reach(&mut self, posts: &[(PostId, Post)]) {
        for at in posts.iter().filter_map(|(_, post)| post.created_utc) {
            let (from, to) = self.0.unwrap_or((at, at));
            self.0 = Some((from.min(at), to.max(at)));
        }
    }
}

impl Collect<'_> {
    /// Lists a place on this machine as it is now; posts that are gone from it are forgotten. A
    /// dump that was cut off goes on there.
    pub(super) async fn read(
        &self,
        place: &Place,
        spec: &SourceSpec,
    ) -> Result<Listing, CollectError> {
        let local = Local::of(place, spec).expect("only places on this machine are read");
        let reached: Option<Reached> = self.store.note(place)?;
        // What another version wrote, or a whole reading, is begun anew.
        let from = reached.and_then(|it| serde_json::from_value::<Resume>(it.0).ok());
        let from = from.filter(|it| !it.is_whole());
        let is_taken_up = from.is_some();
        let mut listed: BTreeSet<PostId> = BTreeSet::new();
        let mut unreadable = Unreadable::default();
        let mut span = Span::default();
        let mut reading = Reading::begin(local, from);
        while let Some((batch, resume)) = reading.next().await {
            self.store.merge_posts(&batch.posts)?;
            if let Some(resume) = resume {
                let reached = serde_json::to_value(resume).expect("it has string keys");
                self.store.put_notes(&[(place.clone(), Reached(reached))])?;
            }
            span.reach(&batch.posts);
            listed.extend(batch.posts.into_iter().map(|(id, _)| id));
            unreadable.absorb(batch.unreadable);
            self.events.word(StageName::Collect, format!("{place}: {} posts", listed.len()));
            if self.stop.is_asked() {
                return Err(CollectError::Stopped { place: place.clone() });
            }
        }
        let failed = |source| CollectError::Local { place: place.clone(), source };
        reading.finish().await.map_err(failed)?;
        // Half a look is no reason to forget what the other half showed.
        if !is_taken_up {
            self.forget_all_but(place, &listed)?;
        }
        if let SourceSpec::Dump(dump) = spec {
            self.close_gaps(dump.subreddit(), span)?;
        }
        let asked = Asked { unreadable: unreadable.count, ..Asked::default() };
        self.listing(place, asked, unreadable.samples)
    }

    fn forget_all_but(&self, place: &Place, listed: &BTreeSet<PostId>) -> Result<(), CollectError> {
        let mut gone = Vec::new();
        for entry in self.store.walk_notes::<Post>()? {
            let (id, mut post) = entry?;
            if listed.contains(&id) || !post.places.remove(place) {
                continue;
            }
            // Other places may still show it.
            if post.places.is_empty() {
                gone.push(id);
            } else {
                self.store.put_notes(&[(id, post)])?;
            }
        }
        Ok(self.store.remove_notes::<Post>(&gone)?)
    }

    /// Reads what the Arctic Shift archive has of a subreddit, from where it was read to.
    pub(super) async fn ascend(
        &self,
        place: &Place,
        subreddit: &Subreddit,
    ) -> Result<Listing, CollectError> {
        let session = arctic::Session::new(self.access.live().await?);
        let mut progress: Progress = self.store.note(place)?.unwrap_or_default();
        let fresh = || Descent::new(Angle::Sort(Sort::New), self.access.now());
        let mut descent = progress.open.pop().unwrap_or_else(fresh);
        let mut asked = Asked::default();
        let mut reasons = BTreeSet::new();
        let mut span = Span::default();
        loop {
            let page = tokio::select! {
                page = session.page(place, subreddit, descent.after.as_deref()) => page,
                () = self.stop.asked() => {
                    return Err(CollectError::Stopped { place: place.clone() });
                }
            };
            let Page { posts, unreadable, next } =
                page.map_err(|source| CollectError::Arctic { place: place.clone(), source })?;
            self.store.merge_posts(&posts)?;
            span.reach(&posts);
            asked.requests += 1;
            asked.taken.pages += 1;
            asked.taken.seen += u64::try_from(posts.len()).expect("a length fits 64 bits");
            asked.unreadable += u64::try_from(unreadable.len()).expect("a length fits 64 bits");
            reasons.extend(unreadable);
            self.events.word(StageName::Collect, format!("{place}: {} posts", asked.taken.seen));
            let is_over = next.is_none();
            let newest = span.0.map(|(_, to)| bookmark_of(to));
            descent.after = next.or(newest).or(descent.after);
            progress.open = vec![descent.clone()];
            self.store.put_notes(&[(place.clone(), progress.clone())])?;
            if is_over {
                break;
            }
        }
        self.close_gaps(subreddit, span)?;
        self.listing(place, asked, reasons.into_iter().collect())
    }

    fn listing(
        &self,
        place: &Place,
        asked: Asked,
        unreadable: Vec<String>,
    ) -> Result<Listing, CollectError> {
        let posts = known_posts(self.store, place, |_| ())?;
        let listed_at = self.access.now();
        Ok(Listing { posts, unreadable, listed_at, asked, ..Listing::default() })
    }

    /// Forgets the gaps of a live subreddit that a source of all its posts has filled.
    fn close_gaps(&self, subreddit: &Subreddit, Span(span): Span) -> Result<(), CollectError> {
        let Some((from, to)) = span else { return Ok(()) };
        let place = Place(format!("r/{}", subreddit.name().to_lowercase()));
        let mut filled = Vec::new();
        for entry in self.store.walk_notes::<Gap>()? {
            let (id, gap): (GapId, Gap) = entry?;
            if gap.place == place && gap.is_covered_by(from, to) {
                filled.push(id);
            }
        }
        Ok(self.store.remove_notes::<Gap>(&filled)?)
    }
}
