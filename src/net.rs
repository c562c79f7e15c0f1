//! One polite HTTP client: limits per host, `Retry-After`, deadlines, byte caps, address rules.
//!
//! The only room that knows reqwest. It hands out whole bodies, findings about the picture
//! ([`Reject`]) and troubles ([`NetError`]); it never retries, the engine does.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use url::Url;

use crate::domain::{link::Trouble, outcome::Reject};

mod address;
mod api;
mod hosts;
mod picture;
mod resolver;

pub use api::{Answer, Request};
pub use picture::Body;

/// The longest a host's wish to wait is followed at once.
const WAIT_MAX: Duration = Duration::from_mins(10);

/// Who we are and how patient.
#[derive(Clone, Debug)]
pub struct NetOptions {
    pub user_agent: String,
    /// From the first byte sent to the last byte received.
    pub deadline: Duration,
    /// The longest silence within a body.
    pub stall: Duration,
    pub bytes_max: u64,
    /// Requests to one host at a time.
    pub per_host: usize,
}

/// Where host names lead.
#[derive(Clone, Debug)]
pub enum Route {
    /// The net, or the proxy of the environment; never a private address.
    Public,
    /// Every name leads to one address on this machine, trusted by its own certificate.
    Loopback { address: SocketAddr, root_pem: String },
}

#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("could not set up the HTTP client")]
    Setup { source: reqwest::Error },
    #[error("could not reach {host}")]
    Connect { host: String, source: reqwest::Error },
    #[error("{host} asks us to wait")]
    Throttled { host: String, wait: Option<Duration> },
    #[error("{host} answered {status}")]
    Server { host: String, status: u16 },
    #[error("the answer of {host} ended early")]
    Truncated { host: String, source: reqwest::Error },
    #[error("the answer of {host} was shorter than announced ({got} of {announced} bytes)")]
    Short { host: String, got: u64, announced: u64 },
    #[error("{host} went silent for {} s", silence.as_secs_f32())]
    Stalled { host: String, silence: Duration },
    #[error("{host} took longer than {} s", deadline.as_secs_f32())]
    Deadline { host: String, deadline: Duration },
    #[error("the answer of {host} has more than {limit_bytes} bytes")]
    AnswerTooLarge { host: String, limit_bytes: u64 },
}

impl NetError {
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::Throttled { .. }
            | Self::Server { .. }
            | Self::Truncated { .. }
            | Self::Short { .. }
            | Self::Stalled { .. }
            | Self::Deadline { .. } => true,
            Self::Setup { .. } | Self::AnswerTooLarge { .. } => false,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { wait, .. } => *wait,
            Self::Setup { .. }
            | Self::Connect { .. }
            | Self::Server { .. }
            | Self::Truncated { .. }
            | Self::Short { .. }
            | Self::Stalled { .. }
            | Self::Deadline { .. }
            | Self::AnswerTooLarge { .. } => None,
        }
    }

    /// Names the trouble for the record of the picture it befell.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Throttled { .. } => Trouble::Throttled,
            Self::Server { .. } => Trouble::ServerError,
            Self::Truncated { .. } | Self::Short { .. } => Trouble::Truncated,
            Self::Stalled { .. } | Self::Deadline { .. } => Trouble::Stalled,
            Self::Setup { .. } | Self::Connect { .. } | Self::AnswerTooLarge { .. } => {
                Trouble::Connection
            }
        }
    }
}

/// The client; cheap to share by reference.
pub struct Client {
    http: reqwest::Client,
    hosts: hosts::Hosts,
    options: NetOptions,
}

impl Client {
    pub fn new(route: &Route, options: NetOptions) -> Result<Self, NetError> {
        // A second call finds the provider installed, which is all that is wanted.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder()
            .user_agent(&options.user_agent)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(20).min(options.deadline))
            .pool_idle_timeout(Duration::from_secs(30));
        builder = match route {
            Route::Public => builder.dns_resolver(Arc::new(resolver::PublicOnly::of_environment())),
            Route::Loopback { address, root_pem } => {
                let root = reqwest::Certificate::from_pem(root_pem.as_bytes());
                builder
                    .no_proxy()
                    .dns_resolver(Arc::new(resolver::AllTo(*address)))
                    .tls_certs_only([root.map_err(|source| NetError::Setup { source })?])
            }
        };
        let http = builder.build().map_err(|source| NetError::Setup { source })?;
        Ok(Self { http, hosts: hosts::Hosts::new(options.per_host), options })
    }

    /// Fetches a picture's bytes, following at most five redirects.
    pub async fn picture(&self, url: &Url) -> Result<Result<Body, Reject>, NetError> {
        picture::fetch(self, url).await
    }

    /// Sends one request to an API and reads its whole answer, whatever its status.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, NetError> {
        api::send(self, request).await
    }

    /// Bounds a whole exchange in time.
    async fn in_time<T>(
        &self,
        host: &str,
        exchange: impl Future<Output = Result<T, NetError>>,
    ) -> Result<T, NetError> {
        let deadline = self.options.deadline;
        tokio::time::timeout(deadline, exchange)
            .await
            .unwrap_or_else(|_| Err(NetError::Deadline { host: host.to_owned(), deadline }))
    }

    /// Reads a body to its end: `None` if it has more than `limit_bytes`.
    async fn body(
        &self,
        mut response: reqwest::Response,
        host: &str,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, NetError> {
        let announced = response.content_length();
        if announced.is_some_and(|announced| limit_bytes < announced) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        let silence = self.options.stall;
        loop {
            let chunk = tokio::time::timeout(silence, response.chunk())
                .await
                .map_err(|_| NetError::Stalled { host: host.to_owned(), silence })?
                .map_err(|source| NetError::Truncated { host: host.to_owned(), source })?;
            let Some(chunk) = chunk else { break };
            bytes.extend_from_slice(&chunk);
            if limit_bytes < length(&bytes) {
                return Ok(None);
            }
        }
        match announced {
            Some(announced) if length(&bytes) != announced => {
                Err(NetError::Short { host: host.to_owned(), got: length(&bytes), announced })
            }
            Some(_) | None => Ok(Some(bytes)),
        }
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits 64 bits")
}

/// Reads `Retry-After` in seconds; dates are rare enough to count as "soon".
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let text = response.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.trim().parse::<u64>().unwrap_or(30);
    Some(Duration::from_secs(seconds).min(WAIT_MAX))
}
