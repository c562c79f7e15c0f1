//! One picture from the net: redirects followed with care, refusals told from troubles.

use std::{error::Error, iter, pin::Pin};

use reqwest::{Response, StatusCode, header};
use url::Url;

use super::{
    Client, NetError, address,
    buffer::Buffer,
    exchange::Exchange,
    hosts::{Ending, Held},
    resolver::LeadsInside,
    robots,
};
use crate::domain::{link::Validators, outcome::Reject};

const REDIRECTS_MAX: usize = 5;

/// A picture that is wanted, and what is known of the copy we have.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub url: &'a Url,
    /// By what the host that gave the copy can tell whether it still is the same.
    pub copy: Option<Copy<'a>>,
}

/// A copy we have: where its bytes came from in the end, and how its host named them.
#[derive(Clone, Copy, Debug)]
pub struct Copy<'a> {
    pub final_url: &'a str,
    pub validators: &'a Validators,
}

/// A whole body and where it finally came from.
#[derive(Debug)]
pub struct Body {
    pub bytes: Buffer,
    pub final_url: Url,
    pub validators: Validators,
    /// The body counts towards the width of all hosts until it is dropped: pictures that come
    /// faster than they are dealt with would fill the memory.
    pub held: Option<Held>,
}

/// What a picture's address brought.
#[derive(Debug)]
pub enum Fetched {
    Whole(Body),
    /// The copy we have is still the same.
    Unchanged,
}

pub(super) async fn fetch<S: Future<Output = ()>>(
    client: &Client,
    ask: Ask<'_>,
    mut stop: Pin<&mut S>,
) -> Result<Result<Fetched, Reject>, NetError> {
    let mut next = None;
    for _ in 0..=REDIRECTS_MAX {
        let at = next.as_ref().unwrap_or(ask.url);
        if !address::is_allowed(at, &client.options.private_hosts) {
            return Ok(Err(forbidden(at, ask.url)));
        }
        let host = super::host_of(at);
        let hop = Ask { url: at, copy: ask.copy.filter(|copy| copy.final_url == at.as_str()) };
        let mut exchange = Exchange::begin(client, &host, stop.as_mut()).await?;
        // Those who wait for their turn are many, and need no room for what comes after it.
        let end = exchange.over(Box::pin(step(client, hop, &exchange))).await;
        let held = exchange.held().filter(|_| matches!(end, Ok(Step::Body(..))));
        exchange.end(match &end {
            Ok(Step::Unchanged) => Ending::Unchanged,
            Ok(Step::Body(..) | Step::Rejected(_) | Step::Elsewhere(_)) => Ending::Answered,
            // We would not go there: that says nothing of the host.
            Err(error) if leads_inside(error) => Ending::Answered,
            Err(error) => error.ending(),
        });
        match end {
            Ok(Step::Body(bytes, validators)) => {
                let final_url = next.unwrap_or_else(|| ask.url.clone());
                return Ok(Ok(Fetched::Whole(Body { bytes, final_url, validators, held })));
            }
            Ok(Step::Unchanged) => return Ok(Ok(Fetched::Unchanged)),
            Ok(Step::Rejected(reject)) => return Ok(Err(reject)),
            Ok(Step::Elsewhere(to)) => next = Some(to),
            // A post's own address may lead inside because of where we stand today: behind a door
            // that wants a login, or a filter of names. Another day it may not.
            Err(error) if leads_inside(&error) && next.is_some() => {
                return Ok(Err(forbidden(at, ask.url)));
            }
            Err(error) => return Err(error),
        }
    }
    let to = next.as_ref().unwrap_or(ask.url).to_string();
    Ok(Err(Reject::Redirected { to }))
}

fn forbidden(at: &Url, asked: &Url) -> Reject {
    let text = at.to_string();
    if at == asked { Reject::BadAddress { url: text } } else { Reject::Redirected { to: text } }
}

/// Tells whether a connection was not made because its name leads into a private network.
fn leads_inside(error: &NetError) -> bool {
    iter::successors(Some(error as &dyn Error), |&error| error.source())
        .any(<dyn Error>::is::<LeadsInside>)
}

/// What one request brought.
enum Step {
    Body(Buffer, Validators),
    Unchanged,
    Rejected(Reject),
    Elsewhere(Url),
}

async fn step(client: &Client, ask: Ask<'_>, exchange: &Exchange<'_>) -> Result<Step, NetError> {
    let host = exchange.host;
    // Reddit's picture host answers with a web page to whoever prefers one.
    let mut request = client.http.get(ask.url.clone()).header(header::ACCEPT, "image/*,*/*;q=0.5");
    if let Some(copy) = ask.copy {
        if let Some(etag) = &copy.validators.etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = &copy.validators.last_modified {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
    }
    let sent = request.send().await;
    let response = sent.map_err(|source| NetError::Connect { host: host.to_owned(), source })?;
    exchange.heard();
    let status = response.status();
    let code = status.as_u16();
    match status {
        StatusCode::OK if opts_out(&response) => Ok(Step::Rejected(Reject::OptedOut)),
        StatusCode::OK => {
            let limit_bytes = client.options.bytes_max;
            let validators = validators(&response);
            let body = exchange.body(response, limit_bytes).await?;
            let whole = |bytes| Step::Body(bytes, validators);
            Ok(body.map_or(Step::Rejected(Reject::TooLarge { limit_bytes }), whole))
        }
        StatusCode::NOT_MODIFIED if ask.copy.is_some() => Ok(Step::Unchanged),
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            Ok(Step::Rejected(Reject::Gone { status: code }))
        }
        StatusCode::TOO_MANY_REQUESTS => {
            Err(NetError::Throttled { host: host.to_owned(), wait: client.wait(&response) })
        }
        StatusCode::SERVICE_UNAVAILABLE if client.wait(&response).is_some() => {
            Err(NetError::Throttled { host: host.to_owned(), wait: client.wait(&response) })
        }
        _ if status == StatusCode::REQUEST_TIMEOUT || status.is_server_error() => {
            Err(NetError::Server { host: host.to_owned(), status: code })
        }
        _ if status.is_redirection() => {
            let target = response.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
            let next = target.and_then(|target| ask.url.join(target).ok());
            Ok(next.map_or(Step::Rejected(Reject::Refused { status: code }), Step::Elsewhere))
        }
        // A part of a picture nobody asked a part of is as good as none.
        _ => Ok(Step::Rejected(Reject::Refused { status: code })),
    }
}

fn validators(response: &Response) -> Validators {
    let text = |name| {
        let value = response.headers().get(name)?.to_str().ok()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    Validators { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) }
}

/// Reads the `X-Robots-Tag` headers for the directives that forbid use by AI.
fn opts_out(response: &Response) -> bool {
    let tags = response.headers().get_all("x-robots-tag");
    tags.iter().filter_map(|tag| tag.to_str().ok()).any(robots::forbids_ai)
}
