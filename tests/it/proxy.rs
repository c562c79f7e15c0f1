//! The unmodified binary, told nothing but a proxy and a certificate, collects and fetches from
//! a stand-in for the real hosts.

use super::{
    stand_in::{ID_AND_SECRET, StandIn},
    support::Bench,
};

const LIVE: &str = r#"
title = "As if live"
[classes]
beetles = ["r/beetles"]
fish = ["r/fish"]
[collect]
listings = ["new"]
contact = "somebody"
[fetch]
stall = 5
attempts = 3
[prepare]
size = 64
"#;

fn right() -> (String, String) {
    ("id".to_owned(), "open-sesame-4711".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_and_a_certificate_are_all_it_takes() {
    let bench = Bench::with(LIVE);
    let stand_in = StandIn::start(bench.path("log"), Some(right())).await;

    let ended = stand_in.run(&bench, &["run", "pipelines/small.toml"], ID_AND_SECRET).await;

    ended.expect_code(0);
    assert!(40 < bench.sides().len(), "{}", ended.out());
    let log = bench.read("log");
    for host in ["POST www.reddit.com ", "GET oauth.reddit.com ", "GET i.redd.it "] {
        assert!(log.contains(host), "{host} was not asked");
    }
    let everything = [ended.out(), ended.err()].concat();
    assert!(!everything.contains("open-sesame-4711"), "a secret was shown");
    let kept = bench.files("data").into_values().collect::<Vec<_>>().concat();
    assert!(!kept.windows(16).any(|it| it == b"open-sesame-4711"), "a secret was kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_ends_the_run_with_reddits_word() {
    let bench = Bench::with(LIVE);
    let stand_in = StandIn::start(bench.path("log"), Some(right())).await;
    let wrong = [("REDDIT_CLIENT_ID", "id"), ("REDDIT_CLIENT_SECRET", "wrong")];

    let ended = stand_in.run(&bench, &["run", "pipelines/small.toml"], &wrong).await;

    ended.expect_code(1);
    assert!(ended.err().contains("Reddit does not accept the credentials"), "{}", ended.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn subreddits_in_trouble_are_told_apart_and_the_others_go_on() {
    let bench = Bench::with(
        "[classes]\ngood = [\"r/beetles\", \"r/limited\", \"r/flaky\", \"r/expired\", \"r/sparse\"]\n\
         bad = [\"r/private\", \"r/banned\", \"r/nobody_has_this\"]\n\
         [collect]\nlistings = [\"new\"]\ncontact = \"somebody\"\n[fetch]\nattempts = 5\n",
    );
    let stand_in = StandIn::start(bench.path("log"), None).await;
    let run = ["run", "pipelines/small.toml", "--to", "collect", "--json"];

    let ended = stand_in.run(&bench, &run, ID_AND_SECRET).await;

    ended.expect_code(11);
    let tally = ended.json()["run"]["tallies"]["collect"].clone();
    assert_eq!((tally["made"].as_u64(), tally["failed"].as_u64()), (Some(5), Some(3)), "{tally}");
    let failures = tally["failures"].as_object().unwrap();
    for word in ["private", "banned", "there is no subreddit r/nobody_has_this"] {
        assert!(failures.keys().any(|it| it.contains(word)), "{word} in {failures:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_login_is_used_where_there_is_one() {
    let bench = Bench::with(LIVE);
    let stand_in = StandIn::start(bench.path("log"), Some(right())).await;
    let with_password = |password| {
        let user = [("REDDIT_USERNAME", "somebody"), ("REDDIT_PASSWORD", password)];
        [ID_AND_SECRET, &user].concat()
    };
    let collect = ["run", "pipelines/small.toml", "--only", "collect"];

    // The stand-in takes any password but this one, and says so with status 200 as Reddit does.
    let wrong = stand_in.run(&bench, &collect, &with_password("wrong")).await;
    let right = stand_in.run(&bench, &collect, &with_password("right")).await;

    wrong.expect_code(1);
    assert!(wrong.err().contains("invalid_grant"), "{}", wrong.err());
    right.expect_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_once_fetched_are_kept_when_everything_is_asked_for_again_in_vain() {
    let bench = Bench::with(LIVE);
    let log = bench.path("log");
    let stand_in = StandIn::start(log, None).await;
    stand_in.run(&bench, &["run", "pipelines/small.toml"], ID_AND_SECRET).await.expect_code(0);
    let sides = bench.sides();
    drop(stand_in);

    // Nobody answers behind this proxy any more.
    let again = bench
        .command(&["run", "pipelines/small.toml", "--only", "fetch", "--force"])
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .output()
        .unwrap();
    bench.snapset(&["run", "pipelines/small.toml", "--from", "fingerprint"]).expect_code(0);

    assert!(again.status.code().is_some(), "{again:?}");
    assert_eq!(bench.sides(), sides);
}
