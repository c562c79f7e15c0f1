//! One polite HTTP client: limits per host, `Retry-After`, deadlines, byte caps, address rules.
//!
//! The only room that knows reqwest. It hands out whole bodies, findings about the picture
//! ([`Reject`]) and troubles ([`NetError`]); it never retries, the engine does.

use std::{future::pending, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use url::Url;

use crate::domain::{link::Trouble, outcome::Reject, traffic::Traffic};

mod address;
mod api;
mod breaker;
mod buffer;
mod download;
mod exchange;
mod gauge;
mod hosts;
mod patience;
mod picture;
mod private;
mod resolver;
mod robots;
mod watch;

pub use api::{Answer, Request};
pub use buffer::Buffer;
pub use download::Piece;
pub use hosts::Held;
pub use picture::{Ask, Body, Copy, Fetched};
pub use private::{NotAHost, PrivateHost, PrivateHosts};

/// How long a host that is down is left alone at first.
pub const FIRST_REST: Duration = Duration::from_secs(2);

/// Who we are and how patient.
#[derive(Clone, Debug)]
pub struct NetOptions {
    pub user_agent: String,
    /// From the first byte sent to the last byte received.
    pub deadline: Duration,
    /// The longest silence within a body.
    pub stall: Duration,
    pub bytes_max: u64,
    /// Requests to one host at a time, at most; how many it gets is found out.
    pub per_host: usize,
    /// Requests to all hosts at a time, at most.
    pub concurrency: usize,
    /// Hosts of the user's own network that may be asked.
    pub private_hosts: PrivateHosts,
    /// How long a host that is down is left alone at first; see [`FIRST_REST`].
    pub first_rest: Duration,
    /// Seconds since 1970-01-01 UTC.
    pub clock: fn() -> i64,
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
    #[error("{host} answered {status}, and will not say otherwise if it is asked again")]
    Refused { host: String, status: u16 },
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
    #[error("{host} is down")]
    HostDown { host: String },
    #[error("a stop was asked for before {host} was")]
    Stopped { host: String },
    #[error("{url} is on no public host, or led from one place to the next too often")]
    Astray { url: String },
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
            | Self::Deadline { .. }
            | Self::HostDown { .. }
            | Self::Stopped { .. } => true,
            Self::Setup { .. }
            | Self::Refused { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Astray { .. } => false,
        }
    }

    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { wait, .. } => *wait,
            Self::Setup { .. }
            | Self::Connect { .. }
            | Self::Server { .. }
            | Self::Refused { .. }
            | Self::Truncated { .. }
            | Self::Short { .. }
            | Self::Stalled { .. }
            | Self::Deadline { .. }
            | Self::AnswerTooLarge { .. }
            | Self::HostDown { .. }
            | Self::Stopped { .. }
            | Self::Astray { .. } => None,
        }
    }

    /// Names the trouble for the record of the picture it befell.
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Throttled { .. } => Trouble::Throttled,
            Self::Server { .. } => Trouble::ServerError,
            Self::Truncated { .. } | Self::Short { .. } => Trouble::Truncated,
            Self::Stalled { .. } | Self::Deadline { .. } => Trouble::Stalled,
            Self::HostDown { .. } => Trouble::HostDown,
            Self::Setup { .. }
            | Self::Connect { .. }
            | Self::Refused { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Stopped { .. }
            | Self::Astray { .. } => Trouble::Connection,
        }
    }

    /// Tells what this means for the host's door.
    fn ending(&self) -> hosts::Ending {
        match self {
            Self::Throttled { wait, .. } => hosts::Ending::Throttled { wait: *wait },
            Self::Server { .. } | Self::Truncated { .. } | Self::Short { .. } => {
                hosts::Ending::Unwell
            }
            Self::Connect { .. }
            | Self::Stalled { .. }
            | Self::Deadline { .. }
            | Self::HostDown { .. } => hosts::Ending::Unreachable,
            Self::Setup { .. }
            | Self::Refused { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Stopped { .. }
            | Self::Astray { .. } => hosts::Ending::Answered,
        }
    }
}

/// The client; cheap to share by reference.
pub struct Client {
    http: reqwest::Client,
    hosts: hosts::Hosts,
    buffers: buffer::Buffers,
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
            Route::Public => {
                let private = options.private_hosts.clone();
                builder.dns_resolver(Arc::new(resolver::PublicOnly::of_environment(private)))
            }
            Route::Loopback { address, root_pem } => {
                let root = reqwest::Certificate::from_pem(root_pem.as_bytes());
                builder
                    .no_proxy()
                    .dns_resolver(Arc::new(resolver::AllTo(*address)))
                    .tls_certs_only([root.map_err(|source| NetError::Setup { source })?])
            }
        };
        let http = builder.build().map_err(|source| NetError::Setup { source })?;
        let hosts = hosts::Hosts::new(hosts::Widths {
            per_host: options.per_host,
            all: options.concurrency,
            first_rest: options.first_rest,
        });
        Ok(Self { http, hosts, buffers: buffer::Buffers::default(), options })
    }

    /// Fetches a large file from byte `from` on, or from its first if the host gives no less,
    /// following at most five redirects. `take` hears where the pieces begin, then each of them.
    pub async fn download<E: From<NetError>>(
        &self,
        url: &Url,
        from: u64,
        take: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        download::fetch(self, url, from, take).await
    }

    /// Fetches a picture's bytes, following at most five redirects.
    pub async fn picture(&self, url: &Url) -> Result<Result<Body, Reject>, NetError> {
        let ask = Ask { url, copy: None };
        let fetched = self.fetch(ask, pending()).await?;
        Ok(fetched.map(|fetched| match fetched {
            Fetched::Whole(body) => body,
            Fetched::Unchanged => unreachable!("no copy was told of"),
        }))
    }

    /// Fetches a picture's bytes unless the copy we have is still the same, following at most
    /// five redirects. Waiting for a host ends when `stop` does; what is under way is finished.
    pub async fn fetch(
        &self,
        ask: Ask<'_>,
        stop: impl Future<Output = ()>,
    ) -> Result<Result<Fetched, Reject>, NetError> {
        picture::fetch(self, ask, pin!(stop)).await
    }

    /// Sends one request to an API and reads its whole answer, whatever its status.
    pub async fn send(&self, request: Request<'_>) -> Result<Answer, NetError> {
        api::send(self, request).await
    }

    /// Returns what was said with every host so far, and what it cost.
    pub fn statistics(&self) -> Traffic {
        self.hosts.traffic()
    }

    /// Reads how long a host asks us to wait.
    fn wait(&self, response: &reqwest::Response) -> Option<Duration> {
        let header = response.headers().get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
        patience::wait(header, (self.options.clock)())
    }
}

/// Names the host of an address with its port, if that is not its scheme's own: two ports are two
/// servers.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
