//! One large file from the net, piece by piece: it may take as long as it likes, but never fall
//! silent, and it can be gone on with.

use reqwest::{Response, StatusCode, header};
use tokio::time::timeout;
use url::Url;

use super::{Client, NetError, address, host_of};

const REDIRECTS_MAX: usize = 5;

/// Part of a file on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The pieces that follow begin at this byte: where it was asked for, or at the very first.
    Begins {
        at: u64,
        total: Option<u64>,
    },
    Bytes(&'a [u8]),
}

pub(super) async fn fetch<E: From<NetError>>(
    client: &Client,
    url: &Url,
    from: u64,
    mut take: impl FnMut(Piece<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let (mut response, host) = open(client, url, from).await?;
    let is_rest = response.status() == StatusCode::PARTIAL_CONTENT;
    let at = if is_rest { from } else { 0 };
    let announced = response.content_length();
    take(Piece::Begins { at, total: announced.map(|length| at + length) })?;
    let mut got = 0;
    while let Some(chunk) = next(client, &host, &mut response).await? {
        got += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        take(Piece::Bytes(&chunk))?;
    }
    match announced {
        Some(announced) if got != announced => Err(NetError::Short { host, got, announced }.into()),
        Some(_) | None => Ok(()),
    }
}

/// Follows redirects to where the file is.
async fn open(client: &Client, url: &Url, from: u64) -> Result<(Response, String), NetError> {
    let mut at = url.clone();
    for _ in 0..=REDIRECTS_MAX {
        let host = host_of(&at);
        if !address::is_allowed(&at, &client.options.private_hosts) {
            return Err(NetError::Astray { url: at.to_string() });
        }
        let mut request = client.http.get(at.clone());
        if from != 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let sent = timeout(client.options.stall.max(super::FIRST_REST), request.send()).await;
        let response = sent
            .map_err(|_| NetError::Stalled { host: host.clone(), silence: client.options.stall })?
            .map_err(|source| NetError::Connect { host: host.clone(), source })?;
        let status = response.status();
        if status == StatusCode::OK || (from != 0 && status == StatusCode::PARTIAL_CONTENT) {
            return Ok((response, host));
        }
        if from != 0 && status == StatusCode::RANGE_NOT_SATISFIABLE {
            // What is there is no beginning of that file.
            return Box::pin(open(client, url, 0)).await;
        }
        let target = response.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
        match target.and_then(|target| at.join(target).ok()) {
            Some(next) if status.is_redirection() => at = next,
            Some(_) | None => return Err(NetError::Server { host, status: status.as_u16() }),
        }
    }
    Err(NetError::Astray { url: at.to_string() })
}

async fn next(
    client: &Client,
    host: &str,
    response: &mut Response,
) -> Result<Option<Vec<u8>>, NetError> {
    let silence = client.options.stall;
    let host = || host.to_owned();
    let chunk = timeout(silence, response.chunk()).await;
    let chunk = chunk
        .map_err(|_| NetError::Stalled { host: host(), silence })?
        .map_err(|source| NetError::Truncated { host: host(), source })?;
    Ok(chunk.map(|bytes| bytes.to_vec()))
}
