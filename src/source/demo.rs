//! The demo site: a stand-in for Reddit and its image hosts on this machine. It answers the same
//! requests over the same encrypted protocol, with drawn pictures and planted trouble whose truth
//! is known. It reaches nothing outside, and nothing of it but its posts depends on a choice.

use std::{
    collections::{BTreeMap, BTreeSet},
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
use deletion::Deletion;
use draw::{Class, Edit};
use reply::Log;
use site::Shared;
pub(crate) use tls::Door;

pub use limits::{Allowance, Refusal};
pub use tls::CertificateError;
pub use tokens::{Announced, LoginTrouble, TokenRules};
pub use visible::Visible;

mod address;
mod archive;
mod big;
mod catalogue;
mod deletion;
mod dice;
mod draw;
mod elsewhere;
mod limits;
mod listing;
mod pictures;
mod placeholder;
mod post_json;
mod reddit;
mod reply;
mod schedule;
mod search;
mod site;
#[cfg(test)]
pub(crate) mod stand;
pub(super) mod tls;
mod tokens;
mod troubles;
mod visible;
mod words;
mod world;

/// Every host the site stands in for.
pub const HOSTS: &[&str] = &[
    "www.reddit.com",
    "oauth.reddit.com",
    "i.redd.it",
    "preview.redd.it",
    "v.redd.it",
    "i.imgur.com",
    "i.ibb.co",
    "imgur.com",
    "api.imgur.com",
    "external-preview.redd.it",
    "upload.wikimedia.org",
    "live.staticflickr.com",
    "arctic-shift.photon-reddit.com",
];

/// What a site is asked to be.
#[derive(Clone, Debug, Default)]
pub struct SiteOptions {
    /// Where to append one line for each request: method, host, path, status, bytes of the body.
    pub log: Option<PathBuf>,
    /// How long the slow host says nothing before it hangs up on a first request.
    pub stall_ms: u64,
    /// How many posts of a subreddit exist so far; 300 where nothing is said. The large one, `big`,
    /// exists only where something is said.
    pub posts: BTreeMap<String, usize>,
    /// How many posts of a subreddit have been deleted by their authors since its usual number of
    /// posts had come; those that come later show some of the deleted pictures again.
    pub deleted: BTreeMap<String, usize>,
    /// The only client name and secret that get a token; any do where nothing is said.
    pub credentials: Option<(String, String)>,
    pub tokens: TokenRules,
    pub allowance: Allowance,
}

/// A running site; it stops when dropped.
#[derive(Debug)]
pub struct Site {
    pub addr: SocketAddr,
    /// The certificate to trust, and only for this site.
    pub root_pem: String,
    shared: Arc<Shared>,
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
        let shared = Arc::new(Shared::new(&options, Log::new(file)));
        let app = Router::new().fallback(site::answer).with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(tls::serve(listener, door.acceptor, app));
        Ok(Self { addr, root_pem: door.root_pem, shared, _server: server })
    }

    /// Counts the requests the site has received so far.
    pub fn requests(&self) -> u64 {
        self.shared.log.requests()
    }

    /// Deletes a post and its pictures, as its author would; tells whether the site has it.
    pub fn delete(&self, full_name: &str) -> bool {
        let id = full_name.strip_prefix("t3_").unwrap_or(full_name);
        let entry = self.shared.world.entry(id);
        if let Some(entry) = entry {
            self.shared.world.delete(entry);
        }
        entry.is_some()
    }
}

/// What has been deleted on a site, and who shows it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    pub deleted: BTreeSet<PostId>,
    pub reposts: Vec<Repost>,
}

/// A living post that shows the picture of a deleted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repost {
    pub post: PostId,
    pub url: MediaUrl,
    /// The deleted post.
    pub shows: PostId,
    /// What kind of copy it is.
    pub kind: PlantKind,
}

/// Names the subreddits of two classes.
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
        | Shows::Removed { .. }
        | Shows::Elsewhere { .. } => (None, None),
    };
    Plant { kind, post: post_id(entry), url: url.map(canonical), original: original.map(canonical) }
}

fn post_id(entry: &Entry) -> PostId {
    PostId(format!("demo:{}", entry.name()))
}

fn canonical(address: &Address) -> MediaUrl {
    MediaUrl(format!("demo+{address}"))
}

/// Names the subreddits with pictures to collect.
pub fn shown() -> impl Iterator<Item = &'static str> {
    classes().iter().copied().chain([big::NAME, elsewhere::NAME])
}

/// Names every subreddit a place may name: those with pictures to collect, and those that show
/// one trouble of the real interface each.
pub fn subreddits() -> impl Iterator<Item = &'static str> {
    shown().chain(troubles::names())
}

/// Tells whether a subreddit is larger than any listing shows.
pub fn is_large(subreddit: &str) -> bool {
    subreddit == big::NAME
}

/// Returns how many posts a subreddit has where nothing else is said.
pub fn usual_posts(subreddit: &str) -> usize {
    world::usual(subreddit)
}

/// Tells which of the first `posts` posts of the large subreddit any listing or search can show.
pub fn visible(posts: usize) -> Visible {
    visible::of(&big::write(posts, 0))
}

/// Tells which posts of a subreddit are deleted and which others show their pictures, when it has
/// `posts` posts of which `deleted` are gone.
pub fn deletions(subreddit: &str, posts: usize, deleted: usize) -> Deletions {
    let class = Class::ALL.into_iter().position(|class| class.name() == subreddit);
    let row = match class {
        Some(class) => {
            let counts = BTreeMap::from([(subreddit.to_owned(), deleted)]);
            let [beetles, fish] = catalogue::write_after(&counts, posts);
            if class == 0 { beetles } else { fish }
        }
        None if subreddit == big::NAME => big::write(posts, deleted),
        None => Vec::new(),
    };
    let deletion = Deletion { count: deleted, usual: usual_posts(subreddit) };
    let gone: Vec<&Entry> = deletion.chosen(&row).collect();
    let pictures = gone.iter().flat_map(|entry| entry.shots().iter().map(|shot| (shot, *entry)));
    let lost: BTreeMap<&str, &Entry> =
        pictures.map(|(shot, entry)| (shot.subject.key.as_str(), entry)).collect();
    let reposts = row.iter().filter_map(|entry| {
        let Shows::Copy { copy, .. } = &entry.shows else { return None };
        let shows = lost.get(copy.subject.key.as_str())?;
        let kind = match copy.subject.edit {
            Edit::None => PlantKind::ExactRepost,
            Edit::Reencoded => PlantKind::Reencoded,
            Edit::Resized => PlantKind::Resized,
            Edit::Cropped => PlantKind::Cropped,
            Edit::Watermarked => PlantKind::Watermarked,
        };
        let (post, url) = (post_id(entry), canonical(&copy.address));
        Some(Repost { post, url, shows: post_id(shows), kind })
    });
    let reposts = reposts.collect();
    Deletions { deleted: gone.into_iter().map(post_id).collect(), reposts }
}

#[cfg(test)]
mod tests;
