//! Every fault a host can have, produced by a server that has it, and what is recorded of it.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        id::{BlobId, Label, Place, PostId},
        link::{Origin, Resolution, Resolved},
        outcome::Failure,
        post::{Media, Post, Teller},
    },
    engine::{self, Insistence, Limits, Redo, Retry, Tally, Work, events::Events},
    net::{PrivateHosts, Route},
    pixels::{Picture, Pixel, encode},
    source::access::{AccessOptions, NetOptions},
    store::{Settled, Stamp},
};
use server::{Act, Server};

mod digests;
mod faults;
mod manners;
mod pixels;
mod server;

const BYTES_MAX: u64 = 100_000;

/// How many requests may be under way together.
const CONCURRENCY: usize = 16;

/// 2026-11-21 00:00:00 UTC.
const NOW: i64 = 1_795_219_200;

/// A store in a folder of its own, a server, and all the stage needs.
struct Bench {
    server: Server,
    store: Store,
    layout: Layout,
    classes: Classes,
    access: Access,
    stop: Stop,
    _dir: TempDir,
}

impl Bench {
    async fn new(plan: impl IntoIterator<Item = (&str, Vec<Act>)>) -> Self {
        let plan = plan.into_iter().map(|(address, acts)| (address.to_owned(), acts));
        let server = Server::start(plan.collect()).await;
        let dir = TempDir::new().unwrap();
        let layout = Layout::new(dir.path(), "bench");
        let class = (Label::new("cats").unwrap(), vec![Place("r/cats".to_owned())]);
        let access = access(&server, dir.path().join("site.log"));
        Self {
            server,
            store: Store::open(&layout.store()).unwrap(),
            layout,
            classes: Classes::plain(&BTreeMap::from([class])).unwrap(),
            access,
            stop: Stop::never(),
            _dir: dir,
        }
    }

    /// Shows each address in a post of its own.
    fn show(&self, addresses: &[&str]) {
        let links = addresses.iter().map(|address| (*address, None));
        self.show_links(links.collect());
    }

    fn show_links(&self, links: Vec<(&str, Option<&str>)>) {
        let n_shown = self.store.notes::<Post>().unwrap().len();
        for (n, (address, fallback)) in (n_shown..).zip(links) {
            let link = MediaLink { fallback: fallback.map(url), ..MediaLink::to(url(address)) };
            self.show_link(n, link);
        }
    }

    /// Shows an address in the first post, with the digest a list tells of it.
    fn list(&self, address: &str, sha256: Option<Sha256>) {
        self.show_link(0, MediaLink { sha256, ..MediaLink::to(url(address)) });
    }

    fn show_link(&self, n: usize, link: MediaLink) {
        let id = PostId(format!("reddit:t3_{n:04}"));
        let resolution = Resolution {
            label: Label::new("cats").unwrap(),
            place: Place("r/cats".to_owned()),
            origin: Origin::Single,
            items: vec![Resolved::Link(link)],
        };
        let stamp = Stamp { revision: 1, recipe: Digest::of(&0), input: Digest::of(&0) };
        let settled = Settled { stamp, outcome: Outcome::Made(resolution) };
        self.store.put_notes(&[(id.clone(), post())]).unwrap();
        self.store.put_all(&[(id, settled)]).unwrap();
    }

    fn stage(&self) -> Fetch<'_> {
        Fetch {
            recipe: Recipe {},
            bytes_max: BYTES_MAX,
            classes: &self.classes,
            layout: &self.layout,
            access: &self.access,
            store: &self.store,
            finder: Finder::new(self.layout.root().join("unpacked")),
            memory: Memory::of(1 << 20),
            stop: self.stop.clone(),
            written: Written::default(),
            keepers: Hands::of(2),
        }
    }

    async fn run(&self) -> Tally {
        self.insist(&Insistence::default()).await
    }

    async fn insist(&self, insistence: &Insistence) -> Tally {
        let limits = Limits { network_width: 4, hosts_width: 64, cpu_width: 2, attempts_max: 2 };
        let (events, _) = Events::channel();
        let (store, stop) = (&self.store, &self.stop);
        let work = Work { store, limits, insistence, events: &events, stop };
        engine::run(&self.stage(), work).await.unwrap()
    }

    /// Fetches one address and returns what is recorded of it.
    async fn outcome_of(address: &str, acts: Vec<Act>) -> Outcome<Download> {
        let bench = Self::new([(address, acts)]).await;
        bench.show(&[address]);
        bench.run().await;
        let outcome = bench.outcome(address);
        if !matches!(outcome, Outcome::Made(_)) {
            assert_eq!(bench.files(), Vec::<PathBuf>::new(), "what is not whole leaves no file");
        }
        outcome
    }

    async fn reject_of(address: &str, acts: Vec<Act>) -> Reject {
        let outcome = Self::outcome_of(address, acts).await;
        let Outcome::Rejected(reject) = outcome else { panic!("{outcome:?}") };
        reject
    }

    async fn download_of(address: &str, acts: Vec<Act>) -> Download {
        let outcome = Self::outcome_of(address, acts).await;
        let Outcome::Made(download) = outcome else { panic!("{outcome:?}") };
        download
    }

    async fn failure_of(address: &str, acts: Vec<Act>) -> Failure {
        let outcome = Self::outcome_of(address, acts).await;
        let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
        failure
    }

    fn outcome(&self, address: &str) -> Outcome<Download> {
        self.store.get(&url(address)).unwrap().unwrap().outcome
    }

    fn download(&self, address: &str) -> Download {
        let outcome = self.outcome(address);
        let Outcome::Made(download) = outcome else { panic!("{outcome:?}") };
        download
    }

    /// Returns every file below the folder of blobs, finished or not.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.layout.blobs()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for path in entries.map(|entry| entry.unwrap().path()) {
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        files
    }
}

fn access(server: &Server, demo_log: PathBuf) -> Access {
    let private = format!("127.0.0.1:{}", server.address.port());
    // Nobody listens at the other one.
    let private = [private, "127.0.0.1:1".to_owned()].map(|host| host.parse().unwrap());
    let net = NetOptions {
        user_agent: String::new(),
        deadline: Duration::from_millis(1500),
        stall: Duration::from_millis(500),
        bytes_max: BYTES_MAX,
        per_host: 8,
        concurrency: CONCURRENCY,
        private_hosts: PrivateHosts(private.into()),
        first_rest: Duration::from_millis(20),
        clock: || NOW,
    };
    let options =
        AccessOptions { net, contact: None, demo_places: Vec::new(), demo_log, clock: || NOW };
    let (address, root_pem) = (server.address, server.root_pem.clone());
    Access::new(options).through(Route::Loopback { address, root_pem })
}

fn post() -> Post {
    Post {
        places: BTreeSet::from([Place("r/cats".to_owned())]),
        title: String::new(),
        author: None,
        permalink: String::new(),
        created_utc: None,
        score: None,
        upvote_percent: None,
        flair: None,
        over_18: false,
        media: Media::Text,
        preview: None,
        told_by: Teller::Live,
    }
}

fn url(address: &str) -> MediaUrl {
    MediaUrl(format!("https://{address}"))
}

/// A picture unlike that of any other seed.
fn drawn(seed: u8) -> Picture {
    Picture::from_fn(60, 40, |x, y| {
        let level = |value: u32| u8::try_from(value % 256).unwrap();
        Pixel::from([seed.wrapping_mul(37), level(x * 4 + u32::from(seed)), level(y * 6)])
    })
}

fn jpeg(seed: u8) -> Vec<u8> {
    encode::jpeg(&drawn(seed), 90)
}

fn png(seed: u8) -> Vec<u8> {
    encode::png(&drawn(seed))
}
