//! The Arctic Shift archive: all posts of a subreddit, oldest first, page by page. What was cut
//! off goes on there.

use std::collections::BTreeSet;

use super::{Collect, CollectError, span::Span};
use crate::{
    domain::{
        id::Place,
        listing::{Angle, Sort},
        progress::{Asked, Descent, Progress},
    },
    engine::StageName,
    source::{
        Page,
        arctic::{self, bookmark_of},
        reddit::Subreddit,
    },
    store::schema::Listing,
};

impl Collect<'_> {
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
            for (_, post) in &posts {
                span.reach(post);
            }
            asked.requests += 1;
            asked.taken.pages += 1;
            asked.taken.seen += u64::try_from(posts.len()).expect("a length fits 64 bits");
            asked.unreadable += u64::try_from(unreadable.len()).expect("a length fits 64 bits");
            reasons.extend(unreadable);
            self.events.word(StageName::Collect, format!("{place}: {} posts", asked.taken.seen));
            let is_over = next.is_none();
            let newest = span.newest().map(bookmark_of);
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
}
