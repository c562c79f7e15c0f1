//! One request to an API and its whole answer, whatever its status.

use std::{future::pending, pin::pin, time::Duration};

use url::Url;

use super::{Client, NetError, exchange::Exchange, host_of, hosts::Ending};

const ANSWER_BYTES_MAX: u64 = 32 << 20;

/// A request to an API.
pub enum Request<'a> {
    Get {
        url: &'a Url,
        bearer: &'a str,
    },
    /// Asked without a login.
    Open {
        url: &'a Url,
    },
    /// A form, sent with a name and a password.
    Post {
        url: &'a Url,
        basic: (&'a str, &'a str),
        form: &'a [(&'a str, &'a str)],
    },
}

/// An answer: its status, its body, and the headers that are about manners.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub location: Option<String>,
    pub retry_after: Option<Duration>,
    pub rate_used: Option<f64>,
    pub rate_remaining: Option<f64>,
    /// Seconds until the window of the rate limit begins anew.
    pub rate_reset: Option<f64>,
}

pub(super) async fn send(client: &Client, request: Request<'_>) -> Result<Answer, NetError> {
    let (url, builder) = match request {
        Request::Get { url, bearer } => (url, client.http.get(url.clone()).bearer_auth(bearer)),
        Request::Open { url } => (url, client.http.get(url.clone())),
        Request::Post { url, basic: (name, password), form } => {
            let post = client.http.post(url.clone());
            (url, post.basic_auth(name, Some(password)).form(form))
        }
    };
    let host = host_of(url);
    // Whoever speaks to an API waits for it himself; only its door is kept here.
    let exchange = Exchange::begin(client, &host, pin!(pending())).await?;
    let answer = exchange.over(answer(client, builder, &exchange)).await;
    exchange.end(answer.as_ref().map_or_else(NetError::ending, ending));
    answer
}

fn ending(answer: &Answer) -> Ending {
    if answer.status < 500 { Ending::Answered } else { Ending::Unwell }
}

async fn answer(
    client: &Client,
    request: reqwest::RequestBuilder,
    exchange: &Exchange<'_>,
) -> Result<Answer, NetError> {
    let host = || exchange.host.to_owned();
    let sent = request.send().await;
    let response = sent.map_err(|source| NetError::Connect { host: host(), source })?;
    exchange.heard();
    let status = response.status().as_u16();
    let text = |name: &str| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let number = |name: &str| text(name)?.parse::<f64>().ok().filter(|it| it.is_finite());
    let mut answer = Answer {
        status,
        body: Vec::new(),
        location: text("location"),
        retry_after: client.wait(&response),
        rate_used: number("x-ratelimit-used"),
        rate_remaining: number("x-ratelimit-remaining"),
        rate_reset: number("x-ratelimit-reset"),
    };
    let limit_bytes = ANSWER_BYTES_MAX;
    let body = exchange.body(response, limit_bytes).await?;
    let body = body.ok_or_else(|| NetError::AnswerTooLarge { host: host(), limit_bytes })?;
    answer.body = body.into_vec();
    Ok(answer)
}
