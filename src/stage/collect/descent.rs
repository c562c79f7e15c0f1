//! One angle, page by page, down to its end: the site's, the watermark's, or ours. A page is
//! kept before the next is asked for, and every way in which a site can lead in circles ends.

use std::{collections::BTreeSet, time::Duration};

use super::{
    CollectError,
    survey::{Survey, back_off},
};
use crate::{
    domain::{
        id::PostId,
        listing::{Angle, Sort},
        post::Post,
        progress::{CUT_AT, Descent, Ended, Mark},
    },
    source::{Page, reddit::Told},
    store::answers::Question,
};

/// Tries for one page of a listing that has brought pages before.
pub(super) const TRIES: u32 = 3;

/// As many empty pages in a row may still lead on.
const EMPTY_MAX: u32 = 5;

/// As many pages in a row may repeat posts.
const REPEATS_MAX: u32 = 2;

/// How many pages a listing's yield is taken from.
const YIELD_PAGES: usize = 3;

/// What is remembered of one descent while it lasts.
#[derive(Default)]
struct Trail {
    bookmarks: BTreeSet<String>,
    seen: BTreeSet<PostId>,
    repeats: u32,
}

impl Survey<'_, '_> {
    /// Reads one angle to its end, from where it was left.
    pub(super) async fn descend(&mut self, angle: &Angle) -> Result<(), CollectError> {
        let mut descent = self.open(angle);
        let is_taken_up = descent.taken.pages > 0;
        let mut trail = Trail::default();
        let ended = loop {
            if self.collect.recipe.limit <= descent.taken.seen {
                break Ended::Enough;
            }
            let told = self.ask(&descent, &trail).await?;
            self.keep(&descent, &told)?;
            let ended = self.take_in(&mut descent, &mut trail, told.page)?;
            self.progress.open.retain(|it| it.angle != *angle);
            self.progress.open.push(descent.clone());
            self.save()?;
            self.collect.tell(self.place, angle, self.known);
            if let Some(ended) = ended {
                break ended;
            }
        };
        self.finish(descent, ended)?;
        if is_taken_up && *angle == Angle::Sort(Sort::New) {
            // What was posted since it was cut off lies above where it went on.
            self.reopen(angle);
            return Box::pin(self.descend(angle)).await;
        }
        Ok(())
    }

    /// Asks for one page. A trouble that may pass is waited out here as long as the listing has
    /// come on at all; otherwise it is the engine's to try again.
    async fn ask(&mut self, descent: &Descent, trail: &Trail) -> Result<Told, CollectError> {
        let stopped = || CollectError::Stopped { place: self.place.clone() };
        let has_come_on = !trail.bookmarks.is_empty();
        let mut tries = 0;
        loop {
            let place = (self.place, self.subreddit);
            let page =
                self.session.page(place, &descent.angle, descent.after.as_deref(), &self.meter);
            let error = tokio::select! {
                biased;
                () = self.collect.stop.asked() => return Err(stopped()),
                told = page => match told {
                    Ok(told) => return Ok(told),
                    Err(error) => error,
                },
            };
            self.progress.asked.failed += 1;
            tries += 1;
            if !has_come_on || !error.is_transient() || TRIES <= tries {
                return Err(CollectError::Reddit { place: self.place.clone(), source: error });
            }
            let pause: Duration =
                error.retry_after().unwrap_or_else(|| back_off(tries, self.place));
            tokio::select! {
                () = tokio::time::sleep(pause) => (),
                () = self.collect.stop.asked() => return Err(stopped()),
            }
        }
    }

    /// Keeps an answer as it came.
    fn keep(&self, descent: &Descent, told: &Told) -> Result<(), CollectError> {
        let question = Question {
            place: self.place.clone(),
            angle: descent.angle.to_string(),
            after: descent.after.clone(),
            asked_at: self.collect.access.now(),
        };
        Ok(self.collect.answers.keep(&question, &told.body)?)
    }

    /// Takes in one page; returns why there is no next one, if there is none.
    fn take_in(
        &mut self,
        descent: &mut Descent,
        trail: &mut Trail,
        page: Page,
    ) -> Result<Option<Ended>, CollectError> {
        let Page { mut posts, unreadable, next } = page;
        self.note_unreadable(unreadable);
        let is_empty = posts.is_empty();
        let n_listed = posts.len();
        posts.retain(|(id, _)| trail.seen.insert(id.clone()));
        let is_repetition = posts.is_empty() && 0 < n_listed;
        let left = self.collect.recipe.limit - descent.taken.seen;
        posts.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let marks = marks(&posts);
        let new = self.store_posts(&descent.angle, &posts)?;

        let n_posts = u64::try_from(posts.len()).expect("a length fits 64 bits");
        for taken in [&mut descent.taken, &mut self.progress.asked.taken] {
            taken.pages += 1;
            taken.seen += n_posts;
            taken.new += new;
        }
        descent.recent.push(new);
        if YIELD_PAGES < descent.recent.len() {
            descent.recent.remove(0);
        }
        let is_new = descent.angle == Angle::Sort(Sort::New);
        if is_new && descent.top.is_empty() {
            descent.top.clone_from(&marks);
            descent.top.sort_by_key(|it| std::cmp::Reverse(it.created_utc));
        }
        let oldest = marks.iter().chain(&descent.oldest).min_by_key(|it| it.created_utc);
        descent.oldest = oldest.cloned();
        if is_new && self.watermark().is_some_and(|it| it.is_met_by(&marks)) {
            return Ok(Some(Ended::Met));
        }
        if let Some(ended) = step(descent, trail, (is_empty, is_repetition, next), &posts) {
            // An end above what an earlier run has seen is not the end of what there is.
            let is_early = is_new && ended == Ended::Whole && self.watermark().is_some();
            return Ok(Some(if is_early { Ended::Capped } else { ended }));
        }
        let n_recent = u64::try_from(descent.recent.len()).expect("a length fits 64 bits");
        let is_dry = descent.recent.len() == YIELD_PAGES
            && self.collect.floor().is_above(descent.recent.iter().sum(), n_recent);
        // `new` is read without holes or not at all.
        Ok((is_dry && !is_new).then_some(Ended::Dry))
    }

    /// Stores the posts of one page; returns how many the place did not have.
    fn store_posts(
        &mut self,
        angle: &Angle,
        posts: &[(PostId, Post)],
    ) -> Result<u64, CollectError> {
        let mut n_new = 0;
        for (id, post) in posts {
            let known: Option<Post> = self.collect.store.note(id)?;
            if known.is_none_or(|it| !it.places.contains(self.place)) {
                n_new += 1;
                self.vocabulary.count(post);
            }
            self.census.count(angle, id);
        }
        self.collect.store.merge_posts(posts)?;
        self.known += n_new;
        Ok(n_new)
    }
}

/// Moves the bookmark on; returns why there is nowhere to go, if there is not.
fn step(
    descent: &mut Descent,
    trail: &mut Trail,
    (is_empty, is_repetition, next): (bool, bool, Option<String>),
    posts: &[(PostId, Post)],
) -> Option<Ended> {
    trail.repeats = if is_repetition { trail.repeats + 1 } else { 0 };
    descent.empty_pages = if is_empty { descent.empty_pages + 1 } else { 0 };
    let Some(next) = next else {
        if !is_empty || descent.after.is_none() {
            let is_cut = CUT_AT <= descent.taken.seen;
            return Some(if is_cut { Ended::Capped } else { Ended::Whole });
        }
        // An empty end where the page before promised more: the post the bookmark names may be
        // gone, so the ones before it are tried.
        descent.empty_pages = 0;
        descent.after = descent.fallbacks.pop();
        return descent.after.is_none().then_some(Ended::Lost);
    };
    if !trail.bookmarks.insert(next.clone())
        || REPEATS_MAX <= trail.repeats
        || EMPTY_MAX <= descent.empty_pages
    {
        return Some(Ended::Looped);
    }
    if !posts.is_empty() {
        descent.fallbacks = fallbacks(posts, &next);
    }
    descent.after = Some(next);
    None
}

/// Returns bookmarks before `next`, the furthest first.
fn fallbacks(posts: &[(PostId, Post)], next: &str) -> Vec<String> {
    let name = |(id, _): &(PostId, Post)| {
        id.0.split_once(':').map_or_else(|| id.0.clone(), |(_, name)| name.to_owned())
    };
    let mut names: Vec<String> = posts.iter().map(name).filter(|name| name != next).collect();
    let last = names.len();
    let steps = [1, 2, 10, 50];
    let wanted: BTreeSet<usize> = steps.iter().filter_map(|step| last.checked_sub(*step)).collect();
    let mut at = 0;
    names.retain(|_| {
        at += 1;
        wanted.contains(&(at - 1))
    });
    names
}

fn marks(posts: &[(PostId, Post)]) -> Vec<Mark> {
    let mark = |(id, post): &(PostId, Post)| {
        Some(Mark { post: id.clone(), created_utc: post.created_utc? })
    };
    posts.iter().filter_map(mark).collect()
}
