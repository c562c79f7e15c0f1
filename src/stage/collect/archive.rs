//! The Arctic Shift archive: all posts of a subreddit, oldest first, page by page. What was cut
//! off goes on there.

use super::{Collect, CollectError, descent::TRIES, span::Span, survey::back_off};
use crate::{
    domain::{
        id::Place,
        listing::{Angle, Sort},
        progress::{Asked, Descent, Mark, Progress, Start},
    },
    engine::StageName,
    source::{
        Page,
        arctic::{self, bookmark_of},
        reddit::Subreddit,
    },
    store::schema::Listing,
};

/// What is kept of reasons why posts could not be read.
const REASONS_MAX: usize = 50;

impl Collect<'_> {
    /// Reads what the Arctic Shift archive has of a subreddit, from where it was read to.
    pub(super) async fn ascend(
        &self,
        place: &Place,
        subreddit: &Subreddit,
    ) -> Result<Listing, CollectError> {
        let mut progress: Progress = self.store.note(place)?.unwrap_or_default();
        let fresh = || Descent::new(Angle::Sort(Sort::New), self.access.now());
        let mut descent = progress.open.pop().unwrap_or_else(fresh);
        let mut span = Span::default();
        loop {
            let page = self.next_of_all((place, subreddit), &descent, &mut progress.asked).await;
            let is_over = match page {
                Ok(page) => self.take_up(page, (&mut descent, &mut progress), &mut span)?,
                Err(error) => {
                    progress.open = vec![descent];
                    self.store.put_notes(&[(place.clone(), progress)])?;
                    return Err(error);
                }
            };
            let text = format!("{place}: {} posts", progress.asked.taken.seen);
            self.events.word(StageName::Collect, text);
            progress.open = vec![descent.clone()];
            self.store.put_notes(&[(place.clone(), progress.clone())])?;
            if is_over {
                break;
            }
        }
        // Reading that began at the beginning has left nothing out since, however often it was
        // cut off or taken up again.
        let start = if descent.oldest.is_some() { Start::OfAll } else { Start::Within };
        if let Some(shown) = span.covers(start) {
            self.close_gaps(subreddit, &shown)?;
        }
        let asked = std::mem::take(&mut progress.asked);
        let reasons = std::mem::take(&mut progress.unreadable);
        let listing = self.listing(place, asked, reasons)?;
        self.store.put_notes(&[(place.clone(), progress)])?;
        Ok(listing)
    }

    /// Asks for the page behind what was read. A trouble that may pass is waited out here.
    async fn next_of_all(
        &self,
        (place, subreddit): (&Place, &Subreddit),
        descent: &Descent,
        asked: &mut Asked,
    ) -> Result<Page, CollectError> {
        let stopped = || CollectError::Stopped { place: place.clone() };
        let open =
            || async { Ok::<_, CollectError>(arctic::Session::new(self.access.live().await?)) };
        let session = self.arctic.get_or_try_init(open).await?;
        let mut tries = 0;
        loop {
            asked.requests += 1;
            let error = tokio::select! {
                biased;
                () = self.stop.asked() => return Err(stopped()),
                page = session.page(place, subreddit, descent.after.as_deref()) => match page {
                    Ok(page) => return Ok(page),
                    Err(error) => error,
                },
            };
            asked.failed += 1;
            tries += 1;
            if !error.is_transient() || TRIES <= tries {
                return Err(CollectError::Arctic { place: place.clone(), source: error });
            }
            let pause = error.retry_after().unwrap_or_else(|| back_off(tries, place));
            tokio::select! {
                () = tokio::time::sleep(pause) => (),
                () = self.stop.asked() => return Err(stopped()),
            }
        }
    }

    /// Keeps a page and moves the bookmark behind it; tells whether it was the last.
    fn take_up(
        &self,
        Page { posts, unreadable, next }: Page,
        (descent, progress): (&mut Descent, &mut Progress),
        span: &mut Span,
    ) -> Result<bool, CollectError> {
        self.store.merge_posts(&posts)?;
        for (id, post) in &posts {
            span.reach(id, post);
        }
        let number = |n: usize| u64::try_from(n).expect("a length fits 64 bits");
        progress.asked.taken.pages += 1;
        progress.asked.taken.seen += number(posts.len());
        progress.asked.unreadable += number(unreadable.len());
        for reason in unreadable {
            let known = &mut progress.unreadable;
            if known.len() < REASONS_MAX && !known.contains(&reason) {
                known.push(reason);
            }
        }
        if descent.after.is_none() {
            descent.oldest = span.oldest().cloned();
        }
        let is_over = next.is_none();
        let newest = span.newest().map(|Mark { created_utc, .. }| bookmark_of(*created_utc));
        descent.after = next.or(newest).or_else(|| descent.after.take());
        Ok(is_over)
    }
}
