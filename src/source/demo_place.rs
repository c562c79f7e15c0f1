//! `demo:NAME`, `demo:NAME@N` for the site as it was when the subreddit had N posts, and
//! `demo:NAME@N-D` where D of them have been deleted by their authors since.

use super::{
    demo::{self, Deletions, SiteOptions, Visible},
    reddit::Subreddit,
};
use crate::domain::planted::Planted;

/// The largest subreddits the site can be asked for.
const CLASS_POSTS_MAX: usize = 1_000;
const BIG_POSTS_MAX: usize = 20_000;

/// At most one post of so many can have been deleted.
const DELETED_SHARE: usize = 3;

/// A subreddit of the demo site at one moment of its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPlace {
    subreddit: &'static str,
    posts: usize,
    deleted: usize,
}

impl DemoPlace {
    pub(in crate::source) fn parse(text: &str) -> Option<Self> {
        let (name, moment) = match text.split_once('@') {
            Some((name, moment)) => (name, Some(moment)),
            None => (text, None),
        };
        let subreddit = demo::subreddits().find(|known| *known == name)?;
        let usual = demo::usual_posts(subreddit);
        let Some(moment) = moment else {
            return Some(Self { subreddit, posts: usual, deleted: 0 });
        };
        let (posts, deleted) = moment.split_once('-').unwrap_or((moment, "0"));
        let (posts, deleted): (usize, usize) = (posts.parse().ok()?, deleted.parse().ok()?);
        let most = match () {
            () if demo::classes().contains(&subreddit) => CLASS_POSTS_MAX,
            () if demo::is_large(subreddit) => BIG_POSTS_MAX,
            // The others are always as they are.
            () => 0,
        };
        let is_possible = (1..=most).contains(&posts) && deleted <= posts / DELETED_SHARE;
        is_possible.then_some(Self { subreddit, posts, deleted })
    }

    pub fn subreddit(&self) -> &'static str {
        self.subreddit
    }

    /// Returns the name as listings are asked for.
    pub fn as_subreddit(&self) -> Subreddit {
        Subreddit::new(self.subreddit).expect("the demo site uses valid names")
    }

    pub fn posts(&self) -> usize {
        self.posts
    }

    /// Tells what is planted in this place.
    pub fn planted(&self) -> Planted {
        demo::planted(self.subreddit, self.posts)
    }

    /// Tells what has been deleted in this place, and who shows it again.
    pub fn deletions(&self) -> Deletions {
        demo::deletions(self.subreddit, self.posts, self.deleted)
    }

    /// Tells what anybody can see of this place, if it is larger than any listing.
    pub fn visible(&self) -> Option<Visible> {
        (demo::is_large(self.subreddit)).then(|| demo::visible(self.posts))
    }

    /// Asks for a site on which all of `places` are as they say.
    pub fn site(places: &[Self]) -> SiteOptions {
        let mut options = SiteOptions::default();
        for place in places {
            let posts = options.posts.entry(place.subreddit.to_owned()).or_default();
            *posts = place.posts.max(*posts);
            let deleted = options.deleted.entry(place.subreddit.to_owned()).or_default();
            *deleted = place.deleted.max(*deleted);
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_a_moment_of_its_life() {
        let parsed = ["fish", "fish@30", "fish@310-100", "big", "big@5100-7", "private"]
            .map(|text| DemoPlace::parse(text).map(|place| (place.posts, place.deleted)));

        let expected = [(300, 0), (30, 0), (310, 100), (5_000, 0), (5_100, 7), (300, 0)];
        assert_eq!(parsed, expected.map(Some));
    }

    #[test]
    fn moments_that_never_were_are_refused() {
        let wrong = [
            "birds",
            "fish@",
            "fish@0",
            "fish@1001",
            "fish@30-11",
            "fish@30-",
            "fish@-3",
            "big@20001",
            "private@8",
            "fish@300-x",
        ];

        assert_eq!(wrong.map(DemoPlace::parse), wrong.map(|_| None));
    }

    #[test]
    fn a_site_is_asked_for_what_all_places_need() {
        let places = ["fish@40", "fish@300-100", "big"].map(|text| DemoPlace::parse(text).unwrap());

        let options = DemoPlace::site(&places);

        let counts = |of: [(&str, usize); 2]| of.map(|(name, n)| (name.to_owned(), n)).into();
        assert_eq!(options.posts, counts([("big", 5_000), ("fish", 300)]));
        assert_eq!(options.deleted, counts([("big", 0), ("fish", 100)]));
    }
}
