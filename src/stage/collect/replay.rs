//! Kept answers → posts, again, without asking anybody.

use super::{Collect, CollectError};
use crate::{
    domain::{id::Place, post::Post},
    source::reddit::{self, Site},
    store::{Store, StoreError, answers::Answers, schema::Listing},
};

impl Collect<'_> {
    /// Reads all kept answers of a place in the order they came.
    pub(super) fn replay(&self, place: &Place, site: Site) -> Result<Listing, CollectError> {
        let mut listing = Listing { listed_at: self.access.now(), ..Listing::default() };
        for path in self.answers.of(place)? {
            let (question, body) = Answers::read(&path)?;
            let page = reddit::read_page(&body, place, site)
                .map_err(|source| CollectError::Kept { place: place.clone(), source })?;
            self.store.merge_posts(&page.posts)?;
            listing.unreadable.extend(page.unreadable);
            listing.listed_at = question.asked_at;
        }
        listing.unreadable.sort();
        listing.unreadable.dedup();
        listing.posts = known_posts(self.store, place, |_| ())?;
        Ok(listing)
    }
}

/// Walks over the posts known of a place; returns how many there are.
pub(super) fn known_posts(
    store: &Store,
    place: &Place,
    mut visit: impl FnMut(&Post),
) -> Result<u64, StoreError> {
    let mut known = 0;
    for entry in store.walk_notes::<Post>()? {
        let (_, post) = entry?;
        if post.places.contains(place) {
            known += 1;
            visit(&post);
        }
    }
    Ok(known)
}
