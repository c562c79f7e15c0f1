//! The demo site's large subreddit: 5,000 posts, of which no listing shows more than 1,000.

use std::time::Duration;

use super::*;
use crate::{
    net::{NetOptions, Route},
    source::{
        demo::{self, Allowance, SiteOptions, Visible},
        reddit::Session,
    },
};

const PLACE: &str = "demo:big";

/// The demo site with so many posts in its large subreddit, and no allowance to wait for.
async fn site(posts: usize) -> (demo::Site, Client) {
    let allowance = Allowance {
        requests: 1_000_000_000,
        window: Duration::from_mins(10),
        elapsed: Duration::from_mins(5),
        ..Allowance::default()
    };
    let options = SiteOptions {
        posts: BTreeMap::from([("big".to_owned(), posts)]),
        allowance,
        ..SiteOptions::default()
    };
    let site = demo::Site::start(options).await.unwrap();
    let route = Route::Loopback { address: site.addr, root_pem: site.root_pem.clone() };
    // The site searches thousands of posts for an answer, on a machine that may be busy.
    let patient = NetOptions { stall: Duration::from_secs(20), ..net_options() };
    let client = Client::new(&route, patient).unwrap();
    (site, client)
}

/// Lists the place on a site of so many posts; returns how many requests that cost.
async fn run(bench: &Bench, posts: usize, stop: Stop) -> (Tally, u64) {
    let (site, client) = site(posts).await;
    let grant = Grant::Application;
    let secret = || "demo".to_owned();
    let credentials = Credentials { client_id: secret(), client_secret: secret(), grant };
    let session = Session::new(&client, Site::Demo, credentials);
    let place = Place(PLACE.to_owned());
    let (events, _listener) = Events::channel();
    let collect = Collect {
        recipe: Recipe { listings: Listings::Everything, limit: 1_000, least_new: 0 },
        places: vec![(place.clone(), SourceSpec::parse(&place).unwrap())],
        max_age_s: Some(0),
        store: &bench.store,
        access: &bench.access,
        answers: Answers::new(bench.dir.path().join("answers"), 1 << 30),
        ask: Ask::TheSite,
        events: &events,
        stop: stop.clone(),
        readings: Readings::default(),
        live: OnceCell::new(),
        demo: OnceCell::new_with(Some(session)),
        arctic: OnceCell::new(),
    };
    let insistence = Insistence { force: Redo::Everything, ..Insistence::default() };
    let limits = Limits { network_width: 4, hosts_width: 4, cpu_width: 1, attempts_max: 3 };
    let work =
        Work { store: &bench.store, limits, insistence: &insistence, events: &events, stop: &stop };
    let tally = engine::run(&collect, work).await.unwrap();
    (tally, site.requests())
}

fn names(Visible { names, .. }: Visible) -> BTreeSet<String> {
    names.into_iter().map(|name| format!("demo:{name}")).collect()
}

#[tokio::test]
async fn the_demo_sites_large_subreddit_is_read_as_far_as_anybody_can_see() {
    let bench = Bench::with(|_| None).await;

    let (_, first) = run(&bench, 5_000, never()).await;

    let missed: Vec<String> =
        names(demo::visible(5_000)).difference(&bench.posts()).cloned().collect();
    assert_eq!(missed, Vec::<String>::new());
    let listing = bench.listing(PLACE);
    let unseen = 5_000 - listing.posts;
    let estimate = listing.unseen.unwrap();
    assert!(0 < unseen && estimate.unseen.abs_diff(unseen) < 250, "{unseen}: {estimate:?}");

    let (_, second) = run(&bench, 5_100, never()).await;

    assert!(second <= 3 && 100 < first, "a week later: {second} requests after {first}");
    let newest = names(demo::visible(5_100));
    let new: BTreeSet<&String> = newest.iter().filter(|it| !bench.posts().contains(*it)).collect();
    assert_eq!(bench.listing(PLACE).posts, listing.posts + 100, "{new:?}");
}

#[tokio::test]
async fn being_cut_off_in_the_middle_of_the_large_subreddit_leaves_no_silent_gap() {
    let bench = Bench::with(|_| None).await;
    let (brake, stop) = Stop::channel();
    let cut = async {
        // Once some pages are kept, and long before the end.
        while bench.posts().len() < 700 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        brake.pull();
    };
    let ((tally, _), ()) = tokio::join!(run(&bench, 5_000, stop), cut);
    assert_eq!((tally.made, tally.failed), (0, 0), "it is neither done nor failed");
    let before = bench.posts().len();
    assert!(before < 4_000, "{before}");

    run(&bench, 5_000, never()).await;

    assert_eq!(names(demo::visible(5_000)).difference(&bench.posts()).count(), 0);
}
