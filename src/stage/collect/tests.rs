use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use super::*;
use crate::{
    domain::{
        id::PostId,
        listing::Sort,
        post::Post,
        progress::{Ended, Gap, Progress},
    },
    engine::{self, Insistence, Limits, Redo, RunError, Tally, Work, plan},
    net::Client,
    source::{
        access::AccessOptions,
        demo::stand::{
            Asked, Manner, Said, Stand,
            board::{self, Board},
            net_options,
        },
        reddit::{Credentials, Grant},
    },
};

mod faults;
mod files;
mod increments;
mod large;
mod logins;

/// The time it always is.
fn noon() -> i64 {
    1_800_000_000
}

/// A clock that is set back and forth by thirty years with every look.
fn jumping() -> i64 {
    static LOOKS: AtomicI64 = AtomicI64::new(0);
    let is_odd = LOOKS.fetch_add(1, Ordering::Relaxed) % 2 == 1;
    if is_odd { noon() + 1_000_000_000 } else { noon() - 1_000_000_000 }
}

/// A store of its own and the stage over it, with a stand-in for all of Reddit.
struct Bench {
    dir: tempfile::TempDir,
    store: Store,
    access: Access,
    client: Client,
    stand: Stand,
    grant: Grant,
}

/// Everything a run can be asked to do differently.
struct Wish {
    listings: Listings,
    limit: u64,
    least_new: u64,
    ask: Ask,
    stop: Stop,
}

impl Wish {
    fn these(listings: &[Sort]) -> Self {
        let listings = Listings::These(listings.to_vec());
        Self { listings, limit: 1_000, least_new: 1, ask: Ask::TheSite, stop: never() }
    }

    fn new() -> Self {
        Self::these(&[Sort::New])
    }
}

fn never() -> Stop {
    Stop::channel().1
}

impl Bench {
    async fn with(script: impl Fn(&Asked) -> Option<Said> + Send + Sync + 'static) -> Self {
        Self::clocked(script, noon).await
    }

    async fn clocked(
        script: impl Fn(&Asked) -> Option<Said> + Send + Sync + 'static,
        clock: fn() -> i64,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let stand = Stand::start(script).await;
        let client = stand.client();
        let access = Access::new(AccessOptions {
            net: net_options(),
            contact: None,
            demo_places: Vec::new(),
            demo_log: dir.path().join("log"),
            clock,
        });
        Self { dir, store, access, client, stand, grant: Grant::Application }
    }

    /// Makes the stage anew, as a program that is started does.
    fn stage<'b>(&'b self, places: &[&str], wish: Wish, events: &'b Events) -> Collect<'b> {
        let credentials = Credentials {
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned(),
            grant: self.grant.clone(),
        };
        let session = Session::new(&self.client, Site::Reddit, credentials);
        if let Some(pace) = self.store.note(&"reddit".to_owned()).unwrap() {
            session.resume(&pace, self.access.now());
        }
        let places = places.iter().map(|it| Place((*it).to_owned()));
        let places = places.map(|place| (place.clone(), SourceSpec::parse(&place).unwrap()));
        Collect {
            recipe: Recipe {
                listings: wish.listings,
                limit: wish.limit,
                least_new: wish.least_new,
            },
            places: places.collect(),
            max_age_s: Some(0),
            store: &self.store,
            access: &self.access,
            answers: Answers::new(self.dir.path().join("answers"), 1 << 30),
            ask: wish.ask,
            events,
            stop: wish.stop,
            readings: Readings::default(),
            live: OnceCell::new_with(Some(session)),
            demo: OnceCell::new(),
            arctic: OnceCell::new_with(Some(arctic::Session::new(&self.client))),
        }
    }

    /// Runs the stage.
    async fn run(&self, places: &[&str], wish: Wish) -> Result<Tally, RunError> {
        let (events, _listener) = Events::channel();
        let collect = self.stage(places, wish, &events);
        let limits = Limits { network_width: 4, hosts_width: 4, cpu_width: 1, attempts_max: 3 };
        let insistence = Insistence { force: Redo::Everything, ..Insistence::default() };
        let work = Work {
            store: &self.store,
            limits,
            insistence: &insistence,
            events: &events,
            stop: &collect.stop,
        };
        engine::run(&collect, work).await
    }

    fn outcome(&self, place: &str) -> Outcome<Listing> {
        self.store.get::<Listing>(&Place(place.to_owned())).unwrap().unwrap().outcome
    }

    fn listing(&self, place: &str) -> Listing {
        match self.outcome(place) {
            Outcome::Made(listing) => listing,
            other @ (Outcome::Rejected(_) | Outcome::Failed(_)) => panic!("{place}: {other:?}"),
        }
    }

    /// Returns why a place could not be listed.
    fn failure(&self, place: &str) -> String {
        match self.outcome(place) {
            Outcome::Failed(failure) => failure.message,
            other @ (Outcome::Made(_) | Outcome::Rejected(_)) => panic!("{place}: {other:?}"),
        }
    }

    fn posts(&self) -> BTreeSet<String> {
        self.store.notes::<Post>().unwrap().into_iter().map(|(id, _)| id.0).collect()
    }

    fn gaps(&self) -> Vec<Gap> {
        self.store.notes::<Gap>().unwrap().into_iter().map(|(_, gap)| gap).collect()
    }

    fn progress(&self, place: &str) -> Progress {
        self.store.note(&Place(place.to_owned())).unwrap().unwrap()
    }
}
