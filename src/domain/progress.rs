//! How far the listing of one place has come: what it goes on from, what it has seen to the end,
//! and where it knows it has seen nothing.

use serde::{Deserialize, Serialize};

use super::{
    census::Estimate,
    id::{Place, PostId},
    listing::Angle,
};

/// A listing that showed at least this many posts was probably cut at the site's thousand:
/// deleted posts make it shorter, never longer.
pub const CUT_AT: u64 = 800;

/// A post that marks a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub post: PostId,
    /// Seconds since 1970-01-01 UTC.
    pub created_utc: i64,
}

/// The moment up to which `new` has been read: everything older has been seen, or lies in a gap
/// that is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// The newest posts there were, newest first; several, because any of them may be deleted.
    pub anchors: Vec<Mark>,
    /// How many posts were wanted, if that ended the reading.
    pub cut_at: Option<u64>,
}

impl Watermark {
    pub fn newest(&self) -> Option<&Mark> {
        self.anchors.iter().max_by_key(|mark| mark.created_utc)
    }

    /// Tells whether a page of `new` has come down to what was there when the mark was set. One
    /// old post among new ones proves nothing, an anchor or an old end of the page does.
    pub fn is_met_by(&self, page: &[Mark]) -> bool {
        let Some(newest) = self.newest() else { return false };
        let last = &page[page.len().saturating_sub(3)..];
        let is_old = !last.is_empty() && last.iter().all(|it| it.created_utc < newest.created_utc);
        is_old || page.iter().any(|it| self.anchors.iter().any(|anchor| anchor.post == it.post))
    }
}

/// One angle being read, page by page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descent {
    pub angle: Angle,
    /// Seconds since 1970-01-01 UTC.
    pub begun_at: i64,
    pub after: Option<String>,
    /// Bookmarks to fall back to if the post `after` names is gone; the last is tried first.
    pub fallbacks: Vec<String>,
    /// The first page's posts, newest first.
    pub top: Vec<Mark>,
    pub oldest: Option<Mark>,
    pub taken: Taken,
    /// New posts of the latest pages.
    pub recent: Vec<u64>,
    pub empty_pages: u32,
}

impl Descent {
    pub fn new(angle: Angle, begun_at: i64) -> Self {
        Self {
            angle,
            begun_at,
            after: None,
            fallbacks: Vec::new(),
            top: Vec::new(),
            oldest: None,
            taken: Taken::default(),
            recent: Vec::new(),
            empty_pages: 0,
        }
    }
}

/// What reading has brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub pages: u64,
    /// Different posts.
    pub seen: u64,
    /// Posts that were not known before.
    pub new: u64,
}

/// Why the reading of one angle was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It has shown all it has.
    Whole,
    /// It came down to posts of an earlier run.
    Met,
    /// The site shows no more: no listing is longer than a thousand, and some end above what an
    /// earlier run has seen.
    Capped,
    /// As many as were wanted.
    Enough,
    /// It brought too few new posts.
    Dry,
    /// The site repeated itself, or gave empty pages without end.
    Looped,
    /// The bookmark and all before it were gone.
    Lost,
    /// A page of it could not be had; it will be tried again.
    Broken,
}

/// An angle that was read, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub angle: Angle,
    pub taken: Taken,
    pub ended: Ended,
}

/// A stretch of time whose posts were not seen, or not all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub place: Place,
    /// The newest post known before it; `None` if it reaches back to the beginning.
    pub older: Option<Mark>,
    /// The oldest post known after it.
    pub newer: Mark,
    /// How many posts it may hold, if posts came as often as just after it.
    pub posts: Option<u64>,
    pub why: Ended,
    /// Seconds since 1970-01-01 UTC.
    pub noticed_at: i64,
}

/// What a source of all posts has shown: everything from its oldest post to its newest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    pub from: Mark,
    pub to: Mark,
    pub start: Start,
}

/// What lies before the oldest post of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing: the source has the subreddit from its beginning.
    OfAll,
    /// Perhaps posts the source does not have.
    Within,
}

impl Gap {
    /// Returns what is left of the gap beside what a source has shown. Of what it covers in the
    /// middle, or at the older end alone, nothing is taken.
    pub fn without(self, shown: &Coverage) -> Option<Self> {
        let newer = self.newer.created_utc;
        if shown.to.created_utc < newer || newer < shown.from.created_utc {
            return Some(self);
        }
        let reaches_back = match &self.older {
            None => shown.start == Start::OfAll,
            Some(older) => {
                shown.start == Start::OfAll || shown.from.created_utc <= older.created_utc
            }
        };
        if reaches_back {
            return None;
        }
        let left = |posts: u64| {
            let older = self.older.as_ref()?.created_utc;
            let length = |to: i64| u64::try_from(to - older).ok();
            let all_s = length(newer).filter(|it| 0 < *it)?;
            Some(posts.saturating_mul(length(shown.from.created_utc)?) / all_s)
        };
        Some(Self { posts: self.posts.and_then(left), newer: shown.from.clone(), ..self })
    }
}

/// Numbers of one listing of a place, over all its tries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub requests: u64,
    /// Requests that brought no page.
    pub failed: u64,
    pub taken: Taken,
    pub unreadable: u64,
    /// Waited because of the rate limit.
    pub waited_ms: u64,
}

/// How often all angles are tried again where `new` alone keeps up.
const ROUND_S: i64 = 30 * 24 * 3600;

/// A round of all angles that came to its end, and how thorough it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Seconds since 1970-01-01 UTC.
    pub ended_at: i64,
    /// The most posts taken from one listing.
    pub limit: u64,
    /// New posts a request had to bring for its listing to go on.
    pub least_new: u64,
}

impl Round {
    /// Tells whether another at `wish.ended_at` would find no more than what came since.
    pub fn serves(&self, wish: &Self) -> bool {
        (0..ROUND_S).contains(&wish.ended_at.saturating_sub(self.ended_at))
            && wish.limit <= self.limit
            && self.least_new <= wish.least_new
    }
}

/// How far the listing of one place has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub watermark: Option<Watermark>,
    /// Angles being read; more than one where a page of one could not be had.
    pub open: Vec<Descent>,
    /// Angles read since the round began, in order.
    pub done: Vec<Done>,
    /// What the last whole round brought, for telling what the next will cost.
    pub last: Vec<Done>,
    /// The last round that asked from all angles.
    pub round: Option<Round>,
    pub asked: Asked,
    /// Why single posts could not be read, without repetition.
    pub unreadable: Vec<String>,
    pub estimate: Option<Estimate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(post: &str, created_utc: i64) -> Mark {
        Mark { post: PostId(post.to_owned()), created_utc }
    }

    fn watermark() -> Watermark {
        Watermark { anchors: vec![mark("b", 200), mark("a", 100)], cut_at: None }
    }

    #[test]
    fn a_watermark_is_met_by_any_of_its_posts() {
        assert!(watermark().is_met_by(&[mark("d", 400), mark("a", 100)]));
        assert!(!watermark().is_met_by(&[mark("d", 400), mark("c", 300)]));
    }

    #[test]
    fn a_watermark_whose_posts_are_gone_is_met_by_older_ones() {
        assert!(watermark().is_met_by(&[mark("z", 199), mark("y", 90), mark("x", 80)]));
        assert!(watermark().is_met_by(&[
            mark("d", 400),
            mark("z", 50),
            mark("y", 40),
            mark("x", 30)
        ]));
        assert!(!watermark().is_met_by(&[mark("pinned", 1), mark("d", 400), mark("c", 300)]));
        assert!(!watermark().is_met_by(&[]));
    }

    #[test]
    fn a_round_serves_a_wish_that_asks_for_no_more_soon_after() {
        let round = |ended_at, limit, least_new| Round { ended_at, limit, least_new };
        let last = round(1_000, 500, 2);

        assert!(last.serves(&round(2_000, 500, 2)) && last.serves(&round(2_000, 100, 9)));
        assert!(!last.serves(&round(2_000, 501, 2)), "more is wanted");
        assert!(!last.serves(&round(2_000, 500, 1)), "poorer listings are wanted");
        assert!(!last.serves(&round(1_000 + ROUND_S, 500, 2)) && !last.serves(&round(0, 500, 2)));
    }

    #[test]
    fn a_source_takes_from_a_gap_what_it_has_shown_and_no_more() {
        let gap = |older: Option<Mark>| Gap {
            place: Place("r/x".to_owned()),
            older,
            newer: mark("n", 500),
            posts: Some(80),
            why: Ended::Capped,
            noticed_at: 0,
        };

        let shown = |from: i64, to: i64, start: Start| Coverage {
            from: mark("first", from),
            to: mark("last", to),
            start,
        };
        let left = |older: Option<Mark>, shown: Coverage| {
            gap(older).without(&shown).map(|it| (it.newer.created_utc, it.posts))
        };
        let old = || Some(mark("o", 100));

        assert_eq!(left(old(), shown(100, 500, Start::Within)), None);
        assert_eq!(left(old(), shown(200, 500, Start::Within)), Some((200, Some(20))));
        assert_eq!(left(old(), shown(0, 499, Start::Within)), Some((500, Some(80))));
        assert_eq!(left(old(), shown(501, 900, Start::Within)), Some((500, Some(80))));
        assert_eq!(left(None, shown(300, 900, Start::OfAll)), None);
        // A dump of one month says nothing of the months before.
        assert_eq!(left(None, shown(300, 900, Start::Within)), Some((300, None)));
        let shrunk = gap(None).without(&shown(300, 900, Start::Within)).unwrap();
        assert_eq!(shrunk.newer, mark("first", 300));
    }
}
