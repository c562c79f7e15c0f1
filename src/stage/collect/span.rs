//! What a source of all posts of a subreddit covers, and the gaps of the live one that it fills.

use super::{Collect, CollectError, replay::known_posts};
use crate::{
    domain::{
        id::{Place, PostId},
        post::Post,
        progress::{Asked, Coverage, Gap, Mark, Start},
    },
    source::reddit::Subreddit,
    store::schema::{GapId, Listing},
};

/// The oldest and the newest post of a source.
#[derive(Clone, Default)]
pub(super) struct Span {
    oldest: Option<Mark>,
    newest: Option<Mark>,
}

impl Span {
    pub(super) fn reach(&mut self, id: &PostId, post: &Post) {
        let Some(created_utc) = post.created_utc else { return };
        let mark = || Mark { post: id.clone(), created_utc };
        if self.oldest.as_ref().is_none_or(|it| created_utc < it.created_utc) {
            self.oldest = Some(mark());
        }
        if self.newest.as_ref().is_none_or(|it| it.created_utc < created_utc) {
            self.newest = Some(mark());
        }
    }

    pub(super) fn oldest(&self) -> Option<&Mark> {
        self.oldest.as_ref()
    }

    pub(super) fn newest(&self) -> Option<&Mark> {
        self.newest.as_ref()
    }

    /// Returns what is covered by a source that has all posts between these two.
    pub(super) fn covers(self, start: Start) -> Option<Coverage> {
        Some(Coverage { from: self.oldest?, to: self.newest?, start })
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

    /// Takes from the gaps of a live subreddit what a source of all its posts has shown.
    pub(super) fn close_gaps(
        &self,
        subreddit: &Subreddit,
        shown: &Coverage,
    ) -> Result<(), CollectError> {
        let place = Place(format!("r/{}", subreddit.name().to_lowercase()));
        let (mut filled, mut left) = (Vec::new(), Vec::new());
        for entry in self.store.walk_notes::<Gap>()? {
            let (id, gap): (GapId, Gap) = entry?;
            if gap.place != place {
                continue;
            }
            let rest = gap.clone().without(shown);
            if rest.as_ref() != Some(&gap) {
                filled.push(id);
                left.extend(rest.map(|it| (GapId::of(&it), it)));
            }
        }
        self.store.put_notes(&left)?;
        // What ends at the same post as before was written over.
        filled.retain(|id| left.iter().all(|(new, _)| new != id));
        Ok(self.store.remove_notes::<Gap>(&filled)?)
    }
}
