//! `arctic:r/NAME`: a subreddit as the Arctic Shift archive keeps it, asked for page by page from
//! the oldest post on. Nobody logs in, and no listing ends at 1,000 posts.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{Page, archived, reddit::Subreddit};
use crate::{
    domain::id::Place,
    net::{Answer, Client, NetError, Request},
};

const SEARCH: &str = "https://arctic-shift.photon-reddit.com/api/posts/search";

/// The least time between two requests, whatever the archive would allow.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest its wish to wait is followed without a word to the caller.
const WAIT_S_MAX: f64 = 60.0;

/// How many posts a page has once the archive took too long over as many as it likes; halved
/// each time it takes too long again.
const LIMIT: u32 = 100;

#[derive(Debug, thiserror::Error)]
pub enum ArcticError {
    #[error("the Arctic Shift archive asks us to wait")]
    Throttled { wait: Option<Duration> },
    #[error("the Arctic Shift archive takes too long even over a single post of r/{subreddit}")]
    TooSlow { subreddit: String },
    #[error("the Arctic Shift archive refuses to search r/{subreddit}: {why}")]
    Refused { subreddit: String, why: String },
    #[error("the Arctic Shift archive answered {status}")]
    Status { status: u16 },
    #[error("the Arctic Shift archive's answer is no list of posts")]
    NotAList { source: serde_json::Error },
    #[error("`{bookmark}` is no bookmark of the Arctic Shift archive")]
    Bookmark { bookmark: String },
    #[error("could not ask the Arctic Shift archive")]
    Net(#[source] NetError),
}

impl ArcticError {
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Net(error) => error.is_transient(),
            Self::Status { status } => *status >= 500 || *status == 408,
            Self::Throttled { .. } | Self::TooSlow { .. } | Self::NotAList { .. } => true,
            Self::Refused { .. } | Self::Bookmark { .. } => false,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { wait } => *wait,
            Self::Net(error) => error.retry_after(),
            Self::TooSlow { .. }
            | Self::Refused { .. }
            | Self::Status { .. }
            | Self::NotAList { .. }
            | Self::Bookmark { .. } => None,
        }
    }
}

/// A conversation with the archive: one request at a time for all subreddits.
pub struct Session<'a> {
    client: &'a Client,
    // Shared by all places being listed: they wait in one line.
    line: Mutex<Line>,
}

struct Line {
    next_request: Instant,
    /// Of subreddits for which the archive may not choose.
    limits: BTreeMap<String, u32>,
}

/// Up to which second posts have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bookmark {
    second: i64,
    reach: Reach,
}

/// Which second is named to the archive. Whether its "after" means "later" or "not earlier", with
/// the second before nothing is lost; the very second is named only where that led nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Before,
    At,
}

impl Bookmark {
    fn read(text: &str) -> Result<Self, ArcticError> {
        let (second, reach) = match text.strip_suffix('+') {
            Some(second) => (second, Reach::At),
            None => (text, Reach::Before),
        };
        let no_bookmark = |_| ArcticError::Bookmark { bookmark: text.to_owned() };
        Ok(Self { second: second.parse().map_err(no_bookmark)?, reach })
    }
}

/// Returns the bookmark behind a post of this second.
pub fn bookmark_of(created_utc: i64) -> String {
    created_utc.to_string()
}

#[derive(Deserialize)]
struct Found<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    error: Option<String>,
}

impl<'a> Session<'a> {
    pub fn new(client: &'a Client) -> Self {
        Self {
            client,
            line: Mutex::new(Line { next_request: Instant::now(), limits: BTreeMap::new() }),
        }
    }

    /// Reads the posts that follow a bookmark, oldest first.
    ///
    /// Posts of the bookmark's very second come again, as more of them may follow. `next` is
    /// `None` once nothing newer is there; [`bookmark_of`] the newest post is where a later run
    /// goes on.
    pub async fn page(
        &self,
        place: &Place,
        subreddit: &Subreddit,
        after: Option<&str>,
    ) -> Result<Page, ArcticError> {
        let bookmark = after.map(Bookmark::read).transpose()?;
        let (answer, limit) = self.search(subreddit, bookmark).await?;
        let found = read(&answer)?;
        let is_full = usize::try_from(limit).is_ok_and(|limit| limit <= found.len());
        let since = bookmark.map(|it| it.second);
        let mut page = Page::default();
        let (mut newest, mut n_earlier) = (since, 0);
        for json in found {
            match archived::read(json.get(), place) {
                Ok((_, post)) if post.created_utc.is_some() && post.created_utc < since => {
                    n_earlier += 1;
                }
                Ok((id, post)) => {
                    newest = newest.max(post.created_utc);
                    page.posts.push((id, post));
                }
                Err(error) => page.unreadable.push(error.to_string()),
            }
        }
        if since < newest {
            page.next = newest.map(bookmark_of);
        } else if let (Some(Bookmark { second, reach }), true) = (bookmark, is_full) {
            // One second fills a page. What the archive shows of it is all that can be had.
            if n_earlier == 0 {
                page.unreadable.push(format!("perhaps more posts at {second} than a page shows"));
            }
            page.next = Some(match reach {
                Reach::Before => format!("{second}+"),
                Reach::At => bookmark_of(second + 1),
            });
        }
        Ok(page)
    }

    /// Asks for posts of `since` and later, for fewer at once when it takes too long. Also
    /// returns how many were asked for.
    async fn search(
        &self,
        subreddit: &Subreddit,
        bookmark: Option<Bookmark>,
    ) -> Result<(Answer, u32), ArcticError> {
        let name = || subreddit.name().to_owned();
        let mut line = self.line.lock().await;
        loop {
            let limit = line.limits.get(subreddit.name()).copied();
            tokio::time::sleep_until(line.next_request).await;
            let url = address(subreddit, bookmark, limit);
            let answer = self.client.send(Request::Open { url: &url }).await;
            let answer = answer.map_err(ArcticError::Net)?;
            line.next_request = Instant::now() + pause(&answer);
            match answer.status {
                200 => return Ok((answer, limit.unwrap_or(LIMIT))),
                // It gave up searching; what it was asked is right, only too much at once.
                422 if limit == Some(1) => {
                    return Err(ArcticError::TooSlow { subreddit: name() });
                }
                422 => {
                    line.limits.insert(name(), limit.map_or(LIMIT, |limit| limit / 2));
                }
                429 => {
                    return Err(ArcticError::Throttled {
                        wait: answer.retry_after.or(wait(&answer)),
                    });
                }
                400..=407 => {
                    let error = serde_json::from_slice::<Found<'_>>(&answer.body).ok();
                    let error = error.and_then(|it| it.error);
                    let why = error.unwrap_or_else(|| format!("HTTP {}", answer.status));
                    return Err(ArcticError::Refused { subreddit: name(), why });
                }
                status => return Err(ArcticError::Status { status }),
            }
        }
    }
}

fn read(answer: &Answer) -> Result<Vec<&RawValue>, ArcticError> {
    let found = serde_json::from_slice::<Found<'_>>(&answer.body);
    Ok(found.map_err(|source| ArcticError::NotAList { source })?.data.unwrap_or_default())
}

fn address(subreddit: &Subreddit, bookmark: Option<Bookmark>, limit: Option<u32>) -> Url {
    let mut url = Url::parse(SEARCH).expect("a constant address is valid");
    let mut query = url.query_pairs_mut();
    query.append_pair("subreddit", subreddit.name()).append_pair("sort", "asc");
    match limit {
        Some(limit) => query.append_pair("limit", &limit.to_string()),
        None => query.append_pair("limit", "auto"),
    };
    if let Some(Bookmark { second, reach }) = bookmark {
        let after = match reach {
            Reach::Before => second - 1,
            Reach::At => second,
        };
        query.append_pair("after", &after.to_string());
    }
    drop(query);
    url
}

/// Waits when the archive has nothing left for us.
fn pause(answer: &Answer) -> Duration {
    let is_used_up = answer.rate_remaining.is_some_and(|it| it < 1.0);
    let wished = if is_used_up { wait(answer) } else { answer.retry_after };
    wished.unwrap_or_default().max(PAUSE)
}

fn wait(answer: &Answer) -> Option<Duration> {
    let reset = answer.rate_reset.filter(|it| *it > 0.0)?;
    Some(Duration::from_secs_f64(reset.min(WAIT_S_MAX)))
}

#[cfg(test)]
mod tests;
