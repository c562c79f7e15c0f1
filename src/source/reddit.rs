//! Reddit's API: a login, and listings page by page.
//!
//! roux gives the addresses, the options and the shape of a listing; the request is ours,
//! because roux hides status codes, rate-limit headers and galleries.

use std::time::Duration;

use roux::{
    response::BasicListing,
    util::{FeedOption, url::build_oauth},
};
use serde_json::value::RawValue;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{Page, Sort};
use crate::{
    domain::id::{Place, PostId},
    net::{Answer, Client, NetError, Request},
};

pub(super) mod post;
mod token;

pub use token::{Credentials, User};

/// The most posts one request may ask for.
const PAGE_MAX: u32 = 100;

/// The name of a subreddit that can stand in an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subreddit(String);

impl Subreddit {
    pub(super) fn new(name: &str) -> Option<Self> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let good = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (starts_well && good && (2..=21).contains(&name.len())).then(|| Self(name.to_owned()))
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
    #[error("Reddit answered {status} to {what}")]
    Status { what: String, status: u16 },
    #[error("Reddit's answer to {what} is not a listing")]
    NotAListing { what: String, source: serde_json::Error },
    #[error("Reddit repeats itself: the bookmark `{after}` came twice")]
    Loop { after: String },
    #[error("could not ask Reddit")]
    Net(#[source] NetError),
}

impl RedditError {
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Net(error) => error.is_transient(),
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            Self::Throttled { .. } | Self::NotAListing { .. } => true,
            Self::Credentials { .. }
            | Self::Closed { .. }
            | Self::NoSuchSubreddit { .. }
            | Self::Loop { .. } => false,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { wait } => *wait,
            Self::Net(error) => error.retry_after(),
            Self::Credentials { .. }
            | Self::Closed { .. }
            | Self::NoSuchSubreddit { .. }
            | Self::Status { .. }
            | Self::NotAListing { .. }
            | Self::Loop { .. } => None,
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
    // Shared likewise: the rate limit is per login, so all places wait in one line.
    next_request: Mutex<Instant>,
}

impl<'a> Session<'a> {
    pub fn new(client: &'a Client, site: Site, credentials: Credentials) -> Self {
        let tokens = token::Tokens::new(credentials);
        Self { client, site, tokens, next_request: Mutex::new(Instant::now()) }
    }

    /// Reads one page of a listing; `after` is the bookmark of the page before.
    pub async fn page(
        &self,
        place: &Place,
        subreddit: &Subreddit,
        sort: Sort,
        after: Option<&str>,
    ) -> Result<Page, RedditError> {
        let url = address(subreddit, sort, after);
        let answer = self.ask(&url).await?;
        let what = format!("r/{}/{sort}", subreddit.name());
        check(&answer, subreddit, &what)?;
        let listing: BasicListing<Box<RawValue>> = serde_json::from_slice(&answer.body)
            .map_err(|source| RedditError::NotAListing { what, source })?;
        let mut page = Page { next: listing.data.after, ..Page::default() };
        if page.next.is_some() && page.next.as_deref() == after {
            return Err(RedditError::Loop { after: page.next.unwrap_or_default() });
        }
        for child in listing.data.children {
            if child.kind.as_deref() != Some("t3") {
                continue;
            }
            match post::read(child.data.get(), place) {
                Ok((fullname, post)) => page.posts.push((self.site.post_id(&fullname), post)),
                Err(error) => page.unreadable.push(error.to_string()),
            }
        }
        Ok(page)
    }

    /// Asks with a token, and once more with a new one if the token is refused.
    async fn ask(&self, url: &Url) -> Result<Answer, RedditError> {
        let bearer = self.tokens.current(self.client).await?;
        let answer = self.ask_in_line(url, &bearer).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let fresh = self.tokens.replace(self.client, &bearer).await?;
        let answer = self.ask_in_line(url, &fresh).await?;
        if answer.status == 401 {
            let why = "a fresh token was refused".to_owned();
            return Err(RedditError::Credentials { why });
        }
        Ok(answer)
    }

    /// Waits for its turn, asks, and sets the time of the next turn.
    async fn ask_in_line(&self, url: &Url, bearer: &str) -> Result<Answer, RedditError> {
        let mut next = self.next_request.lock().await;
        tokio::time::sleep_until(*next).await;
        let answer = self.client.send(Request::Get { url, bearer }).await;
        let answer = answer.map_err(RedditError::Net)?;
        *next = Instant::now() + pause(&answer).max(answer.retry_after.unwrap_or_default());
        Ok(answer)
    }
}

fn address(subreddit: &Subreddit, sort: Sort, after: Option<&str>) -> Url {
    let mut text = build_oauth(&format!("r/{}/{sort}?raw_json=1", subreddit.name()));
    let mut options = FeedOption::new().limit(PAGE_MAX);
    if matches!(sort, Sort::Top | Sort::Controversial) {
        options = options.period(roux::util::TimePeriod::AllTime);
    }
    if let Some(after) = after {
        // The bookmark is the site's word; nothing of it may reach beyond its parameter.
        let safe: String =
            after.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        options = options.after(&safe);
    }
    options.build_url(&mut text);
    Url::parse(text.trim_end_matches('&')).expect("a validated name makes a valid address")
}

/// Tells the answers that are no listing apart.
fn check(answer: &Answer, subreddit: &Subreddit, what: &str) -> Result<(), RedditError> {
    let name = || subreddit.name().to_owned();
    match answer.status {
        200 => Ok(()),
        // A name nobody has leads to the search page.
        300..=399 => Err(RedditError::NoSuchSubreddit { subreddit: name() }),
        429 => {
            let is_used_up = answer.rate_remaining.is_some_and(|it| it < 1.0);
            let reset = answer.rate_reset.filter(|it| is_used_up && (0.0..3600.0).contains(it));
            let wait = answer.retry_after.or(reset.map(Duration::from_secs_f64));
            Err(RedditError::Throttled { wait })
        }
        403 | 404 => {
            let body: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
            let reason = body.as_ref().and_then(|body| body.get("reason")?.as_str());
            let reason = reason.map_or_else(|| format!("HTTP {}", answer.status), str::to_owned);
            Err(RedditError::Closed { subreddit: name(), reason })
        }
        status => Err(RedditError::Status { what: what.to_owned(), status }),
    }
}

/// Spreads the requests the window still allows over the time it still lasts. Waits at most ten
/// seconds at once, unless the window is used up.
fn pause(answer: &Answer) -> Duration {
    let (Some(remaining), Some(reset)) = (answer.rate_remaining, answer.rate_reset) else {
        return Duration::from_secs(1);
    };
    let reset = reset.clamp(0.0, 600.0);
    if remaining < 1.0 {
        return Duration::from_secs_f64(reset.max(1.0));
    }
    let used = answer.rate_used.unwrap_or(1.0).max(0.0);
    let elapsed_fair = 600.0 / (remaining + used) * used;
    let ahead = (reset - (600.0 - elapsed_fair)).clamp(0.0, 10.0);
    Duration::from_secs_f64(ahead.min(reset))
}

#[cfg(test)]
mod tests;
