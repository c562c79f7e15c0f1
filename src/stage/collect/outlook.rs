//! What listing the places that are due will probably cost, for people who ask beforehand.

use std::collections::BTreeMap;

use super::Collect;
use crate::{
    domain::{
        id::Place,
        listing::Listings,
        outcome::Outcome,
        planner::{self, Angles, Forecast, Outlook},
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
    /// How many posts there are of each day, counted from 1970-01-01 UTC.
    days: BTreeMap<i64, u32>,
}

/// How far back from the newest post it is counted how many come.
const DAYS: i64 = 30;

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
        if let Some(at) = post.created_utc {
            *self.days.entry(at.div_euclid(86_400)).or_default() += 1;
        }
    }

    fn posts_a_day(&self) -> Option<f64> {
        let (newest, _) = self.days.last_key_value()?;
        let (oldest, _) = self.days.first_key_value()?;
        let since = (newest - DAYS + 1).max(*oldest);
        let posts: u32 = self.days.range(since..).map(|(_, n)| n).sum();
        let n_days = u32::try_from(newest - since + 1).ok()?;
        Some(f64::from(posts) / f64::from(n_days))
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
            let is_served = progress.round.is_some_and(|it| it.serves(&self.round()));
            let angles = match &self.recipe.listings {
                Listings::These(sorts) => Angles::These(sorts),
                Listings::Everything if is_served => Angles::NewAlone,
                Listings::Everything => Angles::Everything,
            };
            let outlook = Outlook {
                progress: &progress,
                angles,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::post::Teller;

    #[test]
    fn how_many_posts_come_is_told_by_the_last_days_not_by_the_first_years() {
        let post = |day: i64| Post {
            places: BTreeSet::new(),
            title: String::new(),
            author: None,
            permalink: String::new(),
            created_utc: Some(day * 86_400),
            score: None,
            upvote_percent: None,
            flair: None,
            over_18: false,
            media: Media::Text,
            preview: None,
            told_by: Teller::Live,
        };
        let mut history = History::default();
        for day in 0..3_000 {
            history.count(&post(day));
        }
        for day in 3_000..3_030 {
            (0..20).for_each(|_| history.count(&post(day)));
        }

        let posts_a_day = history.posts_a_day().unwrap();

        assert!((posts_a_day - 20.0).abs() < 1e-9, "{posts_a_day}");
    }
}
