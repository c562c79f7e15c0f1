//! Reddit's API: a login, listings and searches page by page, and how known posts stand.
//!
//! The requests are ours, because roux hides status codes, rate-limit headers and galleries; it
//! gives the addresses.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use roux::util::url::build_oauth;
use url::Url;

use super::Page;
use crate::{
    domain::{
        id::{Place, PostId},
        listing::{Angle, Query},
        pacing::Pace,
    },
    net::{Answer, Client, NetError, Request},
};

mod envelope;
mod gallery;
mod line;
pub(in crate::source) mod post;
mod scalar;
mod token;

pub use post::Standing;
pub use token::{Credentials, Grant, NO_DEVICE};

/// The most posts one request may ask for, in a listing and by name.
const PAGE_MAX: usize = 100;

/// The name of a subreddit that can stand in an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subreddit(String);

impl Subreddit {
    pub(super) fn new(name: &str) -> Option<Self> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let good = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        // `u_name` is a person's own page, not a subreddit.
        let is_person = name.get(..2).is_some_and(|it| it.eq_ignore_ascii_case("u_"));
        let is_good = starts_well && good && !is_person && (2..=21).contains(&name.len());
        is_good.then(|| Self(name.to_owned()))
    }

    pub fn name(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, thiserror::Error)]
pub enum RedditError {
    #[error("Reddit does not accept the credentials: {why}")]
    Credentials { why: String },
    #[error("r/{subreddit} cannot be read: {reason}")]
    Closed { subreddit: String, reason: String },
    #[error("there is no subreddit r/{subreddit}")]
    NoSuchSubreddit { subreddit: String },
    #[error("Reddit asks us to wait")]
    Throttled { wait: Option<Duration> },
    #[error("Reddit's login is in trouble: {why}")]
    Login { why: String },
    #[error("Reddit answered {status} to {what}")]
    Status { what: String, status: u16 },
    #[error("Reddit's answer to {what} is not a listing")]
    NotAListing { what: String, source: serde_json::Error },
    #[error("could not ask Reddit")]
    Net(#[source] NetError),
}

impl RedditError {
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Net(error) => error.is_transient(),
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            Self::Throttled { .. } | Self::Login { .. } | Self::NotAListing { .. } => true,
            Self::Credentials { .. } | Self::Closed { .. } | Self::NoSuchSubreddit { .. } => false,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { wait } => *wait,
            Self::Net(error) => error.retry_after(),
            Self::Credentials { .. }
            | Self::Closed { .. }
            | Self::NoSuchSubreddit { .. }
            | Self::Login { .. }
            | Self::Status { .. }
            | Self::NotAListing { .. } => None,
        }
    }
}

/// Which site's posts these are: the real one's, or the demo site's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Site {
    Reddit,
    Demo,
}

impl Site {
    /// Names the site where something is kept for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reddit => "reddit",
            Self::Demo => "demo",
        }
    }

    /// Returns the id of a post of this site by its full name, `t3_1abcde`.
    pub fn post_id(self, fullname: &str) -> PostId {
        PostId(match self {
            Self::Reddit => format!("reddit:{fullname}"),
            Self::Demo => format!("demo:{fullname}"),
        })
    }
}

/// A conversation with Reddit: one login, one pace, for all subreddits.
pub struct Session<'a> {
    client: &'a Client,
    site: Site,
    // Shared by all places being listed: one token serves them all, fetched once.
    tokens: token::Tokens,
    line: line::Line,
}

/// A page of posts, and the answer it was read from.
#[derive(Clone, Debug)]
pub struct Told {
    pub page: Page,
    pub body: Vec<u8>,
}

/// What asking has cost so far; one for each place, so that each can say its own.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    waited_ms: AtomicU64,
}

impl Meter {
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns how long the rate limit, and nothing else, made it wait.
    pub fn waited(&self) -> Duration {
        Duration::from_millis(self.waited_ms.load(Ordering::Relaxed))
    }

    fn count(&self, waited: Duration) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let ms = u64::try_from(waited.as_millis()).expect("nobody waits for millions of years");
        self.waited_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl<'a> Session<'a> {
    pub fn new(client: &'a Client, site: Site, credentials: Credentials) -> Self {
        let tokens = token::Tokens::new(credentials);
        Self { client, site, tokens, line: line::Line::new() }
    }

    pub fn site(&self) -> Site {
        self.site
    }

    /// Goes on as fast as an earlier run of the same login was allowed to.
    pub fn resume(&self, pace: &Pace, now: i64) {
        self.line.resume(pace, now);
    }

    /// Returns what the next run with the same login has to know.
    pub fn pace(&self, now: i64) -> Pace {
        self.line.pace(now)
    }

    /// Reads one page of a subreddit from one angle; `after` is the bookmark of the page before.
    pub async fn page(
        &self,
        (place, subreddit): (&Place, &Subreddit),
        angle: &Angle,
        after: Option<&str>,
        meter: &Meter,
    ) -> Result<Told, RedditError> {
        let url = address(subreddit, angle, after);
        let answer = self.ask(&url, meter).await?;
        let what = format!("r/{}/{angle}", subreddit.name());
        check(&answer, subreddit, &what)?;
        let page = read_page(&answer.body, place, self.site)
            .map_err(|source| RedditError::NotAListing { what, source })?;
        Ok(Told { page, body: answer.body })
    }

    /// Asks how posts stand now, by full name; a hundred to a request.
    pub async fn standing(
        &self,
        names: &[String],
        meter: &Meter,
    ) -> Result<BTreeMap<String, Standing>, RedditError> {
        let mut standings: BTreeMap<String, Standing> =
            names.iter().map(|name| (name.clone(), Standing::Unknown)).collect();
        for names in names.chunks(PAGE_MAX) {
            let mut url = Url::parse(&build_oauth("api/info")).expect("roux's address is valid");
            url.query_pairs_mut().append_pair("id", &names.join(",")).append_pair("raw_json", "1");
            let answer = self.ask(&url, meter).await?;
            let what = "a question about known posts".to_owned();
            if answer.status == 429 {
                return Err(RedditError::Throttled { wait: line::wish(&answer) });
            }
            if answer.status != 200 {
                return Err(RedditError::Status { what, status: answer.status });
            }
            let told = envelope::standings(&answer.body)
                .map_err(|source| RedditError::NotAListing { what, source })?;
            for (name, standing) in told {
                if let Some(asked) = standings.get_mut(&name) {
                    *asked = standing;
                }
            }
        }
        Ok(standings)
    }

    /// Asks with a token, and once more with a new one if the token is refused.
    async fn ask(&self, url: &Url, meter: &Meter) -> Result<Answer, RedditError> {
        let bearer = self.tokens.current(self.client).await?;
        let answer = self.ask_in_line(url, &bearer, meter).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let fresh = self.tokens.replace(self.client, &bearer).await?;
        let answer = self.ask_in_line(url, &fresh, meter).await?;
        if answer.status == 401 {
            let why = "a fresh token was refused".to_owned();
            return Err(RedditError::Credentials { why });
        }
        Ok(answer)
    }

    /// Waits for its turn, asks, and sets the time of the next turn.
    async fn ask_in_line(
        &self,
        url: &Url,
        bearer: &str,
        meter: &Meter,
    ) -> Result<Answer, RedditError> {
        let (_turn, waited) = self.line.wait().await;
        meter.count(waited);
        let answer = self.client.send(Request::Get { url, bearer }).await;
        let answer = answer.map_err(RedditError::Net)?;
        // The answer to a bad token says nothing about the limit of a good one.
        if answer.status != 401 {
            self.line.heed(&answer);
        }
        Ok(answer)
    }
}

/// Reads the posts of one page, fresh or kept.
pub fn read_page(body: &[u8], place: &Place, site: Site) -> Result<Page, serde_json::Error> {
    envelope::page(body, place, site)
}

/// Returns a kept page without the posts `is_gone` names, and without crossposts of them; `None`
/// if it has none of them.
pub fn page_without(
    body: &[u8],
    is_gone: impl Fn(&str) -> bool,
) -> Result<Option<Vec<u8>>, serde_json::Error> {
    envelope::without(body, is_gone)
}

fn address(subreddit: &Subreddit, angle: &Angle, after: Option<&str>) -> Url {
    let name = subreddit.name();
    let path = match angle {
        Angle::Sort(sort) => format!("r/{name}/{}", sort.path()),
        Angle::Search(_) => format!("r/{name}/search"),
    };
    let mut url = Url::parse(&build_oauth(&path)).expect("a validated name makes a valid address");
    let mut pairs = url.query_pairs_mut();
    pairs.append_pair("raw_json", "1").append_pair("limit", &PAGE_MAX.to_string());
    match angle {
        Angle::Sort(sort) => {
            if let Some(period) = sort.period() {
                pairs.append_pair("t", period.name());
            }
        }
        Angle::Search(Query { subject, order, period }) => {
            pairs.append_pair("restrict_sr", "1").append_pair("include_over_18", "on");
            pairs.append_pair("type", "link").append_pair("q", &subject.text());
            pairs.append_pair("sort", order.name()).append_pair("t", period.name());
        }
    }
    if let Some(after) = after {
        pairs.append_pair("after", after);
    }
    drop(pairs);
    url
}

/// Tells the answers that are no listing apart.
fn check(answer: &Answer, subreddit: &Subreddit, what: &str) -> Result<(), RedditError> {
    let name = || subreddit.name().to_owned();
    match answer.status {
        200 => Ok(()),
        // A name nobody has leads to the search page.
        300..=399 => Err(RedditError::NoSuchSubreddit { subreddit: name() }),
        429 => Err(RedditError::Throttled { wait: line::wish(answer) }),
        403 | 404 => {
            let body: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
            let reason = body.as_ref().and_then(|body| body.get("reason")?.as_str());
            let is_page = answer.body.trim_ascii_start().starts_with(b"<");
            let word = if is_page { "a page for people, not an answer" } else { "no reason given" };
            let reason =
                reason.map_or_else(|| format!("{word}, HTTP {}", answer.status), str::to_owned);
            Err(RedditError::Closed { subreddit: name(), reason })
        }
        status => Err(RedditError::Status { what: what.to_owned(), status }),
    }
}

#[cfg(test)]
mod tests;
