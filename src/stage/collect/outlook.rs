//! What listing the places that are due will probably cost, for people who ask beforehand.

use super::Collect;
use crate::{
    domain::{
        id::Place,
        listing::Listings,
        outcome::Outcome,
        planner::{self, Forecast, Outlook},
        post::{Media, Post},
        progress::Progress,
    },
    source::SourceSpec,
    store::{StoreError, schema::Listing},
};

/// What Reddit allows a login that has not been told otherwise.
const REQUESTS_A_MINUTE: f64 = 100.0;

/// What the posts of one place have in common.
#[derive(Default)]
struct History {
    posts: u32,
    pictures: u32,
    oldest: Option<i64>,
    newest: Option<i64>,
}

impl History {
    fn count(&mut self, post: &Post) {
        self.posts += 1;
        self.pictures += match &post.media {
            Media::Link { .. } | Media::File { .. } | Media::Packed { .. } => 1,
            Media::Gallery { .. } | Media::Crosspost { .. } => {
                post.media.gallery().map_or(1, |it| u32::try_from(it.len()).unwrap_or(u32::MAX))
            }
            Media::Video | Media::Text | Media::Removed { .. } => 0,
        };
        self.oldest = self.oldest.into_iter().chain(post.created_utc).min();
        self.newest = self.newest.max(post.created_utc);
    }

    #[expect(clippy::cast_precision_loss, reason = "a span of time is far below 2^52 seconds")]
    fn posts_a_day(&self) -> Option<f64> {
        let span_s = self.newest?.checked_sub(self.oldest?).filter(|it| 0 < *it)?;
        Some(f64::from(self.posts) * 86_400.0 / span_s as f64)
    }

    fn pictures_a_post(&self) -> Option<f64> {
        (self.posts > 0).then(|| f64::from(self.pictures) / f64::from(self.posts))
    }
}

impl Collect<'_> {
    /// Tells for every subreddit what listing it now would probably cost and bring.
    pub fn forecast(&self) -> Result<Vec<(Place, Forecast)>, StoreError> {
        let mut forecasts = Vec::new();
        for (place, spec) in &self.places {
            match spec {
                SourceSpec::Reddit(_) | SourceSpec::Demo(_) => (),
                SourceSpec::Folder(_)
                | SourceSpec::Urls(_)
                | SourceSpec::Archive(_)
                | SourceSpec::Dump(_)
                | SourceSpec::Arctic(_) => continue,
            }
            let progress: Progress = self.store.note(place)?.unwrap_or_default();
            let mut history = History::default();
            super::replay::known_posts(self.store, place, |post| history.count(post))?;
            let listed = self.store.get::<Listing>(place)?.map(|it| it.outcome);
            let age_s = listed.and_then(|outcome| match outcome {
                Outcome::Made(listing) => Some(self.access.now() - listing.listed_at),
                Outcome::Rejected(_) | Outcome::Failed(_) => None,
            });
            let listings = match &self.recipe.listings {
                Listings::These(sorts) => Some(&**sorts),
                Listings::Everything => None,
            };
            let outlook = Outlook {
                progress: &progress,
                listings,
                age_s,
                posts_a_day: history.posts_a_day(),
                pictures_a_post: history.pictures_a_post(),
                requests_a_minute: REQUESTS_A_MINUTE,
            };
            forecasts.push((place.clone(), planner::forecast(outlook)));
        }
        Ok(forecasts)
    }
}
