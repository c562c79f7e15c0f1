//! What a source of all posts of a subreddit covers, and the gaps of the live one that it fills.

use super::{Collect, CollectError, replay::known_posts};
use crate::{
    domain::{
        id::Place,
        post::Post,
        progress::{Asked, Gap},
    },
    source::reddit::Subreddit,
    store::schema::{GapId, Listing},
};

/// The first and the last second a source has posts of.
#[derive(Clone, Copy, Default)]
pub(super) struct Span(Option<(i64, i64)>);

impl Span {
    pub(super) fn reach(&mut self, post: &Post) {
        if let Some(at) = post.created_utc {
            let (from, to) = self.0.unwrap_or((at, at));
            self.0 = Some((from.min(at), to.max(at)));
        }
    }

    pub(super) fn newest(self) -> Option<i64> {
        self.0.map(|(_, to)| to)
    }
}

impl Collect<'_> {
    /// Says what is known of a place after it was read.
    pub(super) fn listing(
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
    pub(super) fn close_gaps(
        &self,
        subreddit: &Subreddit,
        Span(span): Span,
    ) -> Result<(), CollectError> {
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
