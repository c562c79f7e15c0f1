//! One picture from the net: redirects followed with care, refusals told from troubles.

use reqwest::{StatusCode, header};
use url::Url;

use super::{Client, NetError, address, retry_after};
use crate::domain::outcome::Reject;

const REDIRECTS_MAX: usize = 5;

/// A whole body and where it finally came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    pub bytes: Vec<u8>,
    pub final_url: Url,
}

pub(super) async fn fetch(client: &Client, url: &Url) -> Result<Result<Body, Reject>, NetError> {
    let mut at = url.clone();
    for _ in 0..=REDIRECTS_MAX {
        if !address::is_allowed(&at) {
            return Ok(Err(if at == *url {
                Reject::BadAddress { url: at.into() }
            } else {
                Reject::Redirected { to: at.into() }
            }));
        }
        let host = at.host_str().unwrap_or_default().to_owned();
        let place = client.hosts.enter(&host).await;
        let step = client.in_time(&host, step(client, &at, &host)).await;
        drop(place);
        if let Err(NetError::Throttled { wait: Some(wait), .. }) = &step {
            client.hosts.quiet(&host, *wait);
        }
        match step? {
            Step::Body(bytes) => return Ok(Ok(Body { bytes, final_url: at })),
            Step::Rejected(reject) => return Ok(Err(reject)),
            Step::Elsewhere(next) => at = next,
        }
    }
    Ok(Err(Reject::Redirected { to: at.into() }))
}

/// What one request brought.
enum Step {
    Body(Vec<u8>),
    Rejected(Reject),
    Elsewhere(Url),
}

async fn step(client: &Client, url: &Url, host: &str) -> Result<Step, NetError> {
    // Reddit's picture host answers with a web page to whoever prefers one.
    let request = client.http.get(url.clone()).header(header::ACCEPT, "image/*,*/*;q=0.5");
    let response = request
        .send()
        .await
        .map_err(|source| NetError::Connect { host: host.to_owned(), source })?;
    let status = response.status();
    if status.is_redirection() {
        let target = response.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
        let next = target.and_then(|target| url.join(target).ok());
        return Ok(next
            .map_or(Step::Rejected(Reject::Refused { status: status.as_u16() }), Step::Elsewhere));
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            Err(NetError::Throttled { host: host.to_owned(), wait: retry_after(&response) })
        }
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            Ok(Step::Rejected(Reject::Gone { status: status.as_u16() }))
        }
        StatusCode::REQUEST_TIMEOUT => {
            Err(NetError::Server { host: host.to_owned(), status: status.as_u16() })
        }
        _ if status.is_server_error() => {
            Err(NetError::Server { host: host.to_owned(), status: status.as_u16() })
        }
        _ if !status.is_success() => {
            Ok(Step::Rejected(Reject::Refused { status: status.as_u16() }))
        }
        _ if opts_out(&response) => Ok(Step::Rejected(Reject::OptedOut)),
        _ => {
            let limit_bytes = client.options.bytes_max;
            let body = client.body(response, host, limit_bytes).await?;
            Ok(body.map_or(Step::Rejected(Reject::TooLarge { limit_bytes }), Step::Body))
        }
    }
}

/// Reads the `X-Robots-Tag` headers for the directives that forbid use by AI.
fn opts_out(response: &reqwest::Response) -> bool {
    let tags = response.headers().get_all("x-robots-tag");
    tags.iter().filter_map(|tag| tag.to_str().ok()).any(forbids_ai)
}

fn forbids_ai(tag: &str) -> bool {
    // A directive may be preceded by the name of the one robot it speaks to.
    tag.split([',', ':'])
        .map(|directive| directive.trim().to_ascii_lowercase())
        .any(|directive| ["noai", "noimageai"].contains(&directive.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directives_against_ai_forbid() {
        let tags = ["noindex, NoAI", "otherbot: noimageai", "noindex", "noairplane"];
        assert_eq!(tags.map(forbids_ai), [true, true, false, false]);
    }
}
