//! A subreddit for tests as large as one likes, shown as Reddit shows one: through listings and
//! searches that each end at a thousand posts.

use std::{cmp::Reverse, collections::BTreeSet};

use serde_json::{Value, json};

use super::{Asked, Said};

const SHOWN_MAX: usize = 1_000;

/// A post of the board.
#[derive(Clone, Debug)]
pub(crate) struct Pin {
    pub(crate) name: String,
    pub(crate) created_utc: i64,
    pub(crate) title: String,
    pub(crate) flair: Option<String>,
    pub(crate) score: i64,
    pub(crate) upvote_percent: i64,
    pub(crate) comments: i64,
}

/// All posts of one subreddit, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(pub(crate) Vec<Pin>);

impl Board {
    /// Makes posts `from..to`, one every ten minutes, alike each time they are made.
    pub(crate) fn posts(from: u64, to: u64) -> Self {
        Self((from..to).map(pin).collect())
    }

    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.0.iter().map(|pin| format!("reddit:{}", pin.name)).collect()
    }

    /// Answers for one page of a listing or a search.
    pub(crate) fn page(&self, asked: &Asked) -> Said {
        Said::new(200, self.listing(asked).to_string())
    }

    fn listing(&self, asked: &Asked) -> Value {
        let shown = self.shown(asked);
        let limit = asked.parameter("limit").and_then(|it| it.parse().ok()).unwrap_or(25);
        let start = match asked.parameter("after") {
            None => 0,
            // A bookmark that names nothing leads nowhere.
            Some(after) => shown
                .iter()
                .position(|pin| pin.name == after)
                .map_or(shown.len(), |position| position + 1),
        };
        let page: Vec<&Pin> = shown[start..].iter().take(limit.min(100)).copied().collect();
        let is_last = start + page.len() == shown.len();
        let after = page.last().filter(|_| !is_last).map(|pin| pin.name.clone());
        listing(&page.into_iter().map(post).collect::<Vec<_>>(), after.as_deref())
    }

    /// Returns everything an angle shows, in its order.
    pub(crate) fn shown(&self, asked: &Asked) -> Vec<&Pin> {
        let now = self.0.last().map_or(0, |pin| pin.created_utc);
        let day = 86_400;
        let span = match asked.parameter("t").unwrap_or("all") {
            "hour" => 3_600,
            "day" => day,
            "week" => 7 * day,
            "month" => 30 * day,
            "year" => 365 * day,
            _ => i64::MAX,
        };
        let mut shown: Vec<&Pin> =
            self.0.iter().rev().filter(|pin| now - pin.created_utc < span).collect();
        let query = asked.parameter("q").unwrap_or_default();
        shown.retain(|pin| matches(pin, query));
        let sort = asked.path.rsplit('/').next().unwrap_or_default();
        match asked.parameter("sort").unwrap_or(sort) {
            "top" => shown.sort_by_key(|pin| Reverse(pin.score)),
            "controversial" => shown.sort_by_key(|pin| (pin.upvote_percent - 50).abs()),
            "comments" => shown.sort_by_key(|pin| Reverse(pin.comments)),
            "hot" | "relevance" => {
                shown.sort_by_key(|pin| Reverse(pin.created_utc / 45_000 + pin.score / 100));
            }
            "rising" => shown.truncate(25),
            _ => (),
        }
        shown.truncate(SHOWN_MAX);
        shown
    }
}

/// Wraps posts as a listing.
pub(crate) fn listing(posts: &[Value], after: Option<&str>) -> Value {
    let children: Vec<Value> =
        posts.iter().map(|data| json!({ "kind": "t3", "data": data })).collect();
    json!({ "kind": "Listing", "data": { "after": after, "children": children } })
}

/// Writes a post as Reddit does.
pub(crate) fn post(pin: &Pin) -> Value {
    json!({
        "id": &pin.name[3..], "name": pin.name, "title": pin.title, "author": "somebody",
        "permalink": format!("/r/board/comments/{}/", &pin.name[3..]),
        "created_utc": pin.created_utc, "score": pin.score, "link_flair_text": pin.flair,
        "upvote_ratio": 0.9, "over_18": false,
        "url": format!("https://i.redd.it/{}.jpg", &pin.name[3..]),
    })
}

fn pin(number: u64) -> Pin {
    let dice = |salt: u64, sides: u64| {
        let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt << 40);
        let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed >> 33) % sides
    };
    let signed = |n: u64| i64::try_from(n).unwrap();
    // One in ten says nothing that could be searched for.
    let is_mute = dice(7, 10) == 0;
    let flairs = ["Own photo", "Own photo", "Archive", "Archive", "Question", "Model"];
    let flair = flairs[usize::try_from(dice(1, 6)).unwrap()];
    let words = |salt| format!("word{}", dice(salt, 14) + salt * 100);
    let title = format!("{} {} {}", words(2), words(3), words(4));
    Pin {
        name: format!("t3_{number:05}"),
        created_utc: 1_700_000_000 + signed(number) * 600,
        title: if is_mute { "!".to_owned() } else { title },
        flair: (!is_mute).then(|| flair.to_owned()),
        score: signed(dice(5, 10_000)),
        upvote_percent: signed(dice(6, 101)),
        comments: signed(dice(8, 500)),
    }
}

/// Tells whether a post has everything a search asks for.
fn matches(pin: &Pin, query: &str) -> bool {
    let (flair, words) = match query.strip_prefix("flair:\"").and_then(|it| it.split_once('"')) {
        Some((flair, words)) => (Some(flair), words),
        None => (None, query),
    };
    let title = pin.title.to_lowercase();
    let has = |word: &str| title.split(|c: char| !c.is_alphanumeric()).any(|it| it == word);
    flair.is_none_or(|flair| pin.flair.as_deref() == Some(flair))
        && words.split(' ').all(|word| word.is_empty() || has(word))
}
