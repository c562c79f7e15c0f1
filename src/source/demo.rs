//! The demo site: a stand-in for Reddit and its image hosts on this machine. It answers the same
//! requests over the same encrypted protocol, with drawn pictures and planted trouble whose truth
//! is known. It reaches nothing outside, and nothing of it but its posts depends on a choice.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use axum::Router;
use tokio::{net::TcpListener, task::JoinSet};

use crate::domain::{
    id::PostId,
    link::MediaUrl,
    planted::{Plant, PlantKind, Planted},
};
use address::Address;
use catalogue::{Entry, Shows};
use draw::Class;
use reply::Log;
use site::Shared;
use tls::Door;

pub use tls::CertificateError;

mod address;
mod catalogue;
mod dice;
mod draw;
mod listing;
mod pictures;
mod placeholder;
mod post_json;
mod reddit;
mod reply;
mod schedule;
mod site;
mod tls;
mod words;

/// Every host the site stands in for.
pub const HOSTS: &[&str] = &[
    "www.reddit.com",
    "oauth.reddit.com",
    "i.redd.it",
    "preview.redd.it",
    "v.redd.it",
    "i.imgur.com",
    "i.ibb.co",
];

/// What a site is asked to be.
#[derive(Clone, Debug, Default)]
pub struct SiteOptions {
    /// Where to append one line for each request: method, host, path, status, bytes of the body.
    pub log: Option<PathBuf>,
    /// How long the slow host says nothing before it hangs up on a first request.
    pub stall_ms: u64,
    /// How many posts of a subreddit exist so far; 300 where nothing is said.
    pub posts: BTreeMap<String, usize>,
    /// The only client name and secret that get a token; any do where nothing is said.
    pub credentials: Option<(String, String)>,
}

/// A running site; it stops when dropped.
#[derive(Debug)]
pub struct Site {
    pub addr: SocketAddr,
    /// The certificate to trust, and only for this site.
    pub root_pem: String,
    log: Arc<Log>,
    _server: JoinSet<()>,
}

/// Why the site could not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("could not make the demo site's certificate")]
    Certificate { source: CertificateError },
    #[error("could not open a port on this machine for the demo site")]
    Listen { source: io::Error },
    #[error("could not open the request log {}", path.display())]
    OpenLog { path: PathBuf, source: io::Error },
}

impl Site {
    /// Starts a site on a free port of this machine.
    pub async fn start(options: SiteOptions) -> Result<Self, DemoError> {
        let file = match &options.log {
            None => None,
            Some(path) => {
                let opened = OpenOptions::new().create(true).append(true).open(path);
                Some(opened.map_err(|source| DemoError::OpenLog { path: path.clone(), source })?)
            }
        };
        let door = Door::new(HOSTS).map_err(|source| DemoError::Certificate { source })?;
        let listen = |source| DemoError::Listen { source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let log = Log::new(file);
        let shared = Arc::new(Shared::new(&options, Arc::clone(&log)));
        let app = Router::new().fallback(site::answer).with_state(shared);
        let mut server = JoinSet::new();
        server.spawn(tls::serve(listener, door.acceptor, app));
        Ok(Self { addr, root_pem: door.root_pem, log, _server: server })
    }

    /// Counts the requests the site has received so far.
    pub fn requests(&self) -> u64 {
        self.log.requests()
    }
}

/// Names the subreddits the site knows.
pub fn classes() -> &'static [&'static str] {
    &["beetles", "fish"]
}

/// Tells what is planted among the first `posts` posts of a subreddit, oldest first.
pub fn planted(subreddit: &str, posts: usize) -> Planted {
    let class = Class::ALL.into_iter().find(|class| class.name() == subreddit);
    let entries = class.map(|class| catalogue::of_class(class, posts)).unwrap_or_default();
    let plants = entries.iter().filter_map(|entry| Some(plant(entry, entry.plant?)));
    Planted { plants: plants.collect() }
}

fn plant(entry: &Entry, kind: PlantKind) -> Plant {
    let (url, original) = match &entry.shows {
        Shows::Picture(shot) | Shows::Crosspost { shot, .. } => (Some(&shot.address), None),
        Shows::Copy { copy, original } => (Some(&copy.address), Some(original)),
        Shows::Gallery { .. }
        | Shows::Video { .. }
        | Shows::Gifv { .. }
        | Shows::Removed { .. } => (None, None),
    };
    let canonical = |address: &Address| MediaUrl(format!("demo+{address}"));
    let post = PostId(format!("demo:{}", entry.name()));
    Plant { kind, post, url: url.map(canonical), original: original.map(canonical) }
}

#[cfg(test)]
mod tests;
