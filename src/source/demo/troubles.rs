//! The subreddits that only tests visit, each with one trouble of the real interface. They hold
//! eight posts, and most show three of them on a page, so that trouble can come in the middle.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    catalogue::Entry,
    limits::Told,
    listing::{self, Cut, Page},
    reddit,
    reply::{Ending, Reply},
    site::{Asked, Shared},
};

/// What is wrong with a subreddit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It never opens.
    Closed {
        status: u16,
        reason: &'static str,
    },
    /// Nobody has this name.
    Nowhere,
    /// Every answer is replaced.
    Always(Instead),
    /// The first so many answers are replaced.
    First {
        times: u32,
        instead: Instead,
    },
    /// The first answer after the first page is replaced, once.
    Deeper(Instead),
    Pages(Pages),
    /// Something else among eight good posts.
    Sparse,
    /// Eight posts, two of them without what nobody may count on, among all kinds of strangers.
    Odd,
    Limits(Told),
}

/// What comes instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    Status(u16),
    /// 429 and the seconds to wait.
    RetryAfter,
    /// 429 and an allowance that is used up for a second.
    Spent,
    /// 429 and nothing else.
    Silence,
    /// A page, with status 200.
    Html,
    /// An error in JSON, with status 200.
    ErrorInGood,
    /// The first half of the answer, as if it were all.
    HalfJson,
    /// The connection breaks in the middle.
    Broken,
    /// Nothing comes after the first bytes for a while, and then the connection breaks.
    Stalled,
    /// The token has come to its end.
    Expired,
    /// Any token is refused.
    Unauthorized,
}

/// How a listing leads its reader astray.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// The bookmark of the second page is the one it was asked with.
    Same,
    /// The bookmarks lead from A to B and from B to A.
    Alternating,
    /// New bookmarks for ever, and always the same posts.
    Repeating,
    /// The second page is empty and has a bookmark; after it come more posts.
    EmptyOnce,
    /// After the first page come empty ones for ever, each with a new bookmark.
    EmptyForever,
    /// The last post of the first page is deleted once it was shown: nothing comes after it.
    Vanishing,
}

const PAGE_POSTS: usize = 3;

const fn closed(status: u16, reason: &'static str) -> Trouble {
    Trouble::Closed { status, reason }
}

const TROUBLES: [(&str, Trouble); 38] = [
    ("private", closed(403, "private")),
    ("quarantined", closed(403, "quarantined")),
    ("gated", closed(403, "gated")),
    ("goldonly", closed(403, "gold_only")),
    ("banned", closed(404, "banned")),
    ("nowhere", Trouble::Nowhere),
    ("html", Trouble::Always(Instead::Html)),
    ("unauthorized", Trouble::Always(Instead::Unauthorized)),
    ("limited", Trouble::First { times: 2, instead: Instead::RetryAfter }),
    ("flaky", Trouble::First { times: 2, instead: Instead::Status(500) }),
    ("expired", Trouble::First { times: 1, instead: Instead::Expired }),
    ("expires", Trouble::Deeper(Instead::Expired)),
    ("throttles", Trouble::Deeper(Instead::RetryAfter)),
    ("hushes", Trouble::Deeper(Instead::Silence)),
    ("spends", Trouble::Deeper(Instead::Spent)),
    ("pages", Trouble::Deeper(Instead::Html)),
    ("halves", Trouble::Deeper(Instead::HalfJson)),
    ("errs", Trouble::Deeper(Instead::ErrorInGood)),
    ("breaks", Trouble::Deeper(Instead::Broken)),
    ("stalls", Trouble::Deeper(Instead::Stalled)),
    ("fails500", Trouble::Deeper(Instead::Status(500))),
    ("fails502", Trouble::Deeper(Instead::Status(502))),
    ("fails503", Trouble::Deeper(Instead::Status(503))),
    ("fails504", Trouble::Deeper(Instead::Status(504))),
    ("fails520", Trouble::Deeper(Instead::Status(520))),
    ("fails522", Trouble::Deeper(Instead::Status(522))),
    ("sparse", Trouble::Sparse),
    ("odd", Trouble::Odd),
    ("loops", Trouble::Pages(Pages::Same)),
    ("alternates", Trouble::Pages(Pages::Alternating)),
    ("repeats", Trouble::Pages(Pages::Repeating)),
    ("pauses", Trouble::Pages(Pages::EmptyOnce)),
    ("empties", Trouble::Pages(Pages::EmptyForever)),
    ("vanishes", Trouble::Pages(Pages::Vanishing)),
    ("unlimited", Trouble::Limits(Told::NotAtAll)),
    ("garbled", Trouble::Limits(Told::Garbled)),
    ("nan", Trouble::Limits(Told::NotANumber)),
    ("negative", Trouble::Limits(Told::Negative)),
];

/// Finds the trouble of a subreddit.
pub(super) fn of(subreddit: &str) -> Option<Trouble> {
    TROUBLES.iter().find(|(name, _)| *name == subreddit).map(|(_, trouble)| *trouble)
}

/// Names all subreddits in trouble.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TROUBLES.iter().map(|(name, _)| *name)
}

/// Names the subreddits in trouble that have posts.
pub(super) fn open() -> impl Iterator<Item = &'static str> {
    let is_open = |trouble: &Trouble| match trouble {
        Trouble::Closed { .. } | Trouble::Nowhere => false,
        Trouble::Always(_)
        | Trouble::First { .. }
        | Trouble::Deeper(_)
        | Trouble::Pages(_)
        | Trouble::Sparse
        | Trouble::Odd
        | Trouble::Limits(_) => true,
    };
    TROUBLES.iter().filter(move |(_, trouble)| is_open(trouble)).map(|(name, _)| *name)
}

impl Trouble {
    /// Returns how the allowance is told.
    pub(super) fn told(self) -> Told {
        match self {
            Self::Limits(told) => told,
            Self::Deeper(Instead::Silence) => Told::NotAtAll,
            Self::Closed { .. }
            | Self::Nowhere
            | Self::Always(_)
            | Self::First { .. }
            | Self::Deeper(_)
            | Self::Pages(_)
            | Self::Sparse
            | Self::Odd => Told::Plainly,
        }
    }

    /// Returns how many posts a page shows at most.
    pub(super) fn page_posts(self) -> Option<usize> {
        match self {
            Self::Deeper(_) | Self::Pages(_) => Some(PAGE_POSTS),
            Self::Closed { .. }
            | Self::Nowhere
            | Self::Always(_)
            | Self::First { .. }
            | Self::Sparse
            | Self::Odd
            | Self::Limits(_) => None,
        }
    }

    /// Returns what comes instead of the answer to this request.
    pub(super) fn instead(self, shared: &Shared, asked: &Asked, name: &str) -> Option<Instead> {
        let visits = || shared.visit(&format!("r/{name}"));
        match self {
            Self::Always(instead) => Some(instead),
            Self::First { times, instead } => (visits() < times).then_some(instead),
            Self::Deeper(instead) => {
                (asked.parameter("after").is_some() && visits() == 0).then_some(instead)
            }
            Self::Closed { .. }
            | Self::Nowhere
            | Self::Pages(_)
            | Self::Sparse
            | Self::Odd
            | Self::Limits(_) => None,
        }
    }

    /// Puts what does not belong there among good posts.
    pub(super) fn spoil(self, children: &mut Vec<Value>) {
        match self {
            Self::Sparse => sparse(children),
            Self::Odd => odd(children),
            Self::Closed { .. }
            | Self::Nowhere
            | Self::Always(_)
            | Self::First { .. }
            | Self::Deeper(_)
            | Self::Pages(_)
            | Self::Limits(_) => (),
        }
    }
}

impl Instead {
    /// Replaces a good answer.
    pub(super) fn of(self, good: Reply, shared: &Shared, asked: &Asked) -> Reply {
        let throttled = || reddit::error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
        let half = good.body.len() / 2;
        match self {
            Self::Status(status) => {
                let status = StatusCode::from_u16(status).expect("the table has real ones");
                reddit::error(status, status.canonical_reason().unwrap_or("Unknown Error"))
            }
            Self::RetryAfter => throttled().with("retry-after", "1"),
            Self::Spent => throttled()
                .with("x-ratelimit-used", "1000")
                .with("x-ratelimit-remaining", "0.0")
                .with("x-ratelimit-reset", "1"),
            Self::Silence => throttled(),
            Self::Html => reddit::page(StatusCode::OK, "whoa there, pardner!"),
            Self::ErrorInGood => Reply { status: StatusCode::OK, ..reddit::busy() },
            Self::HalfJson => Reply { body: good.body.slice(..half), ..good },
            Self::Broken => Reply { ending: Ending::Cut { after_bytes: half }, ..good },
            Self::Stalled => {
                let ending = Ending::Stall { after_bytes: half, pause: shared.stall };
                Reply { ending, ..good }
            }
            Self::Expired => {
                shared.tokens.revoke(asked.bearer());
                reddit::unauthorized()
            }
            Self::Unauthorized => reddit::unauthorized(),
        }
    }
}

impl Pages {
    /// Cuts a page out of `sorted` and leads astray.
    pub(super) fn page<'a>(self, shared: &Shared, sorted: &[&'a Entry], cut: Cut) -> Page<'a> {
        let good = || listing::page(sorted, cut);
        let fresh = || Some(format!("t3_zz{}", shared.visit("made-up bookmarks")));
        let empty = |after| Page { entries: Vec::new(), after, before: None };
        let name = |at: usize| sorted.get(at).map(|entry| entry.name());
        let after = cut.after.map(str::to_owned);
        match self {
            Self::Same if after.is_some() => Page { after, ..good() },
            Self::Alternating if after == name(2 * PAGE_POSTS - 1) => {
                Page { after: name(PAGE_POSTS - 1), ..good() }
            }
            Self::Repeating => {
                Page { after: fresh(), ..listing::page(sorted, Cut { after: None, ..cut }) }
            }
            Self::EmptyOnce if after == name(PAGE_POSTS - 1) => empty(name(2 * PAGE_POSTS - 1)),
            Self::EmptyForever if after.is_some() => empty(fresh()),
            Self::Same | Self::Alternating | Self::EmptyOnce | Self::EmptyForever => good(),
            Self::Vanishing => {
                let page = good();
                if shared.visit("r/vanishes") == 0 {
                    page.entries
                        .last()
                        .iter()
                        .for_each(|last| shared.world.delete_post_alone(last));
                }
                page
            }
        }
    }
}

/// Puts a post of another shape, a stranger and a missing thumbnail among good posts.
fn sparse(children: &mut Vec<Value>) {
    if let Some(thumbnail) = children.get_mut(1).and_then(|c| c.pointer_mut("/data/thumbnail")) {
        *thumbnail = Value::Null;
    }
    let odd = json!({ "kind": "t3", "data": { "id": 17, "title": null, "created_utc": "soon" } });
    children.insert(children.len().min(2), odd);
    children.insert(children.len().min(5), reddit::stranger());
}

/// Takes from good posts what is not always there, and puts a subreddit, a comment, an
/// advertisement and things without shape among them.
fn odd(children: &mut Vec<Value>) {
    let changes = [
        ("thumbnail", Value::Null),
        ("media_metadata", Value::Null),
        ("gallery_data", Value::Null),
        ("created_utc", json!("1756900000")),
        ("invented_next_year", json!({ "deep": [1, { "deeper": null }] })),
        ("preview", Value::Null),
        ("author", Value::Null),
        ("score", json!("many")),
    ];
    for (child, (field, value)) in children.iter_mut().zip(changes) {
        child["data"][field] = value;
    }
    let comment = json!({ "kind": "t1", "data": { "id": "c0mment", "name": "t1_c0mment",
        "body": "lovely", "link_id": "t3_somewhere" } });
    let mut advertisement = children.first().cloned().unwrap_or_default();
    advertisement["data"]["promoted"] = json!(true);
    advertisement["data"]["id"] = json!("advert");
    advertisement["data"]["name"] = json!("t3_advert");
    let shapeless = [
        json!({ "kind": "t3", "data": [] }),
        json!({ "kind": "t3", "data": { "title": "a post without a name" } }),
        json!({ "kind": "t3" }),
        Value::Null,
    ];
    let others = [reddit::stranger(), comment, advertisement].into_iter().chain(shapeless);
    for (n, other) in others.enumerate() {
        children.insert(children.len().min(2 * n + 1), other);
    }
}
