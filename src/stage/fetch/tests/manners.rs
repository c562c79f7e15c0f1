//! What concerns more than one answer: many hosts, many posts, many runs.

use std::pin::pin;

use tokio::time::timeout;
use url::Url;

use super::{
    server::{announced, bare, chunked, picture, status, with},
    *,
};

fn good(n: u8) -> String {
    format!("good.test/{n}.jpg")
}

/// Good pictures, each unlike the others.
fn goods(names: &[String]) -> Vec<(&str, Vec<Act>)> {
    let say = |seed| vec![Act::Say(picture(&jpeg(seed)))];
    names.iter().zip(0..).map(|(name, seed)| (name.as_str(), say(seed))).collect()
}

#[tokio::test]
async fn an_address_reaches_its_host_letter_by_letter() {
    let [small, large] = ["i.imgur.com/abc.jpg?a=1&b=2", "i.imgur.com/aBc.jpg?a=1&b=2"];
    let plan =
        [(small, vec![Act::Say(picture(&jpeg(1)))]), (large, vec![Act::Say(picture(&jpeg(2)))])];
    let bench = Bench::new(plan).await;
    bench.show(&[small, large]);

    bench.run().await;

    let blobs = [small, large].map(|address| bench.download(address).blob);
    assert_eq!(blobs, [1, 2].map(|seed| BlobId::of(&jpeg(seed))));
}

#[tokio::test]
async fn an_address_in_many_posts_is_fetched_once_and_equal_bytes_are_one_file() {
    let plan = [
        ("i.redd.it/a.jpg", vec![Act::Say(picture(&jpeg(1)))]),
        ("good.test/b.jpg", vec![Act::Say(picture(&jpeg(1)))]),
    ];
    let bench = Bench::new(plan).await;
    bench.show(&["i.redd.it/a.jpg", "i.redd.it/a.jpg", "good.test/b.jpg", "i.redd.it/a.jpg"]);

    let tally = bench.run().await;

    assert_eq!((tally.made, bench.server.seen().len(), bench.files().len()), (2, 2, 1));
}

#[tokio::test]
async fn a_picture_counts_among_all_until_it_is_dealt_with() {
    let bench = Bench::new(goods(&[good(0)])).await;
    let client = bench.access.live().await.unwrap();
    let url = Url::parse("https://good.test/0.jpg").unwrap();
    let picture = async || client.picture(&url).await.unwrap().unwrap();
    let mut held = Vec::new();
    for _ in 0..CONCURRENCY {
        held.push(picture().await);
    }

    let mut next = pin!(picture());
    assert!(timeout(Duration::from_millis(200), &mut next).await.is_err());
    held.truncate(CONCURRENCY - 1);

    assert_eq!(*timeout(Duration::from_secs(20), next).await.unwrap().bytes, *jpeg(0));
}

#[tokio::test]
async fn a_host_that_is_down_fails_fast_and_holds_nobody_else() {
    let names: Vec<String> = (0..40).map(good).collect();
    let bench = Bench::new(goods(&names)).await;
    let down: Vec<String> = (0..40).map(|n| format!("127.0.0.1:1/{n}.jpg")).collect();
    let mixed: Vec<&str> =
        down.iter().zip(&names).flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
    bench.show(&mixed);
    let start = Instant::now();

    let tally = bench.run().await;

    assert_eq!((tally.made, tally.failed), (40, 40));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let failures: Vec<Failure> = down
        .iter()
        .map(|name| {
            let outcome = bench.outcome(name);
            let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
            failure
        })
        .collect();
    assert!(failures.iter().all(|failure| failure.transient));
    let is_spared = |it: &&Failure| it.trouble == Some(Trouble::HostDown);
    let n_spared = failures.iter().filter(is_spared).count();
    assert!(20 <= n_spared, "{n_spared} of 40 did not have to find out for themselves");
    assert!(failures.iter().filter(is_spared).all(|failure| failure.attempts <= 1));
    assert!(0 < bench.access.statistics().hosts["127.0.0.1:1"].breaker_openings);
}

#[tokio::test]
async fn a_host_whose_certificate_is_not_its_own_is_not_believed() {
    let bench = Bench::new([]).await;
    bench.show(&["elsewhere.test/a.jpg"]);

    bench.run().await;

    let Outcome::Failed(failure) = bench.outcome("elsewhere.test/a.jpg") else { panic!() };
    assert_eq!(failure.trouble, Some(Trouble::Connection));
    assert_eq!(bench.server.seen(), []);
}

#[tokio::test]
async fn a_busy_host_is_left_alone_as_long_as_it_asks_and_others_go_on() {
    let names: Vec<String> = (0..30).map(good).collect();
    let busy = ["busy.test/seconds.jpg", "busy.test/date.jpg"];
    // The clock of the test stands still, so the date is a second away whenever it is read.
    let seconds = Act::Say(bare("429 Too Many Requests", "retry-after: 1"));
    let date = "retry-after: Sat, 21 Nov 2026 00:00:01 GMT";
    let date = Act::Say(bare("503 Service Unavailable", date));
    let mut plan = goods(&names);
    plan.push((busy[0], vec![seconds, Act::Say(picture(&jpeg(101)))]));
    plan.push((busy[1], vec![date, Act::Say(picture(&jpeg(102)))]));
    let bench = Bench::new(plan).await;
    let all: Vec<&str> = busy.into_iter().chain(names.iter().map(String::as_str)).collect();
    bench.show(&all);
    let start = Instant::now();

    let tally = bench.run().await;

    assert_eq!(tally.made, 32);
    assert!(Duration::from_secs(1) <= start.elapsed());
    for address in busy {
        assert_eq!(bench.download(address).troubles, BTreeSet::from([Trouble::Throttled]));
    }
    let order: Vec<String> = bench.server.seen().into_iter().map(|seen| seen.address).collect();
    let last_good = order.iter().rposition(|address| address.starts_with("good")).unwrap();
    assert_eq!(order.len() - 1 - last_good, 2, "only the two retries came after the others");
    let busy = &bench.access.statistics().hosts["busy.test"];
    assert_eq!((busy.requests, busy.throttled), (4, 2));
    assert!(1.0 <= busy.waited_s);
}

#[tokio::test]
async fn a_stop_leaves_what_waits_for_a_host_due() {
    let acts = vec![Act::Say(bare("429 Too Many Requests", "retry-after: 600"))];
    let mut bench =
        Bench::new([("busy.test/a.jpg", acts.clone()), ("busy.test/b.jpg", acts)]).await;
    let (brake, stop) = Stop::channel();
    bench.stop = stop;
    bench.show(&["busy.test/a.jpg", "busy.test/b.jpg"]);
    let pull = async {
        while bench.server.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        brake.pull();
    };

    let (tally, ()) = tokio::join!(bench.run(), pull);

    assert_eq!(tally, Tally::default());
    assert_eq!(bench.store.settled::<Download>().unwrap(), []);
}

#[tokio::test]
async fn the_sites_own_copy_is_taken_when_the_picture_is_gone_elsewhere_and_only_then() {
    let copy = |n: u8| format!("preview.redd.it/{n}.jpg?s=1");
    let copies = [copy(1), copy(2), copy(3), copy(4)];
    let [gone, whole, deleted, expired] =
        ["i.imgur.com/a.jpg", "i.imgur.com/b.jpg", "i.redd.it/c.jpg", "i.redd.it/d.jpg"];
    let mut plan: Vec<(&str, Vec<Act>)> =
        copies.iter().map(|name| (name.as_str(), vec![Act::Say(picture(&jpeg(9)))])).collect();
    plan.push((whole, vec![Act::Say(picture(&jpeg(1)))]));
    plan.push((expired, vec![Act::Say(status("403 Forbidden"))]));
    let bench = Bench::new(plan).await;
    let addresses = [gone, whole, deleted, expired];
    let links = addresses.into_iter().zip(&copies).map(|(a, copy)| (a, Some(copy.as_str())));
    bench.show_links(links.collect());

    bench.run().await;

    let qualities = [gone, whole, expired].map(|address| bench.download(address).quality);
    assert_eq!(qualities, [Quality::Preview, Quality::Original, Quality::Preview]);
    assert_eq!(bench.download(gone).final_url, format!("https://{}", copies[0]));
    assert_eq!(bench.outcome(deleted), Outcome::Rejected(Reject::Gone { status: 404 }));
}

#[tokio::test]
async fn a_host_that_is_down_is_given_a_second_run_before_its_copy_is_taken() {
    let down = "127.0.0.1:1/a.jpg";
    let bench = Bench::new([("preview.redd.it/a.jpg", vec![Act::Say(picture(&jpeg(1)))])]).await;
    bench.show_links(vec![(down, Some("preview.redd.it/a.jpg"))]);

    let first = bench.run().await;
    let second = bench.run().await;

    assert_eq!((first.failed, second.made), (1, 1));
    assert_eq!(bench.download(down).quality, Quality::Preview);
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let [tagged, dated, changed] = ["good.test/t.jpg", "good.test/d.jpg", "good.test/c.jpg"];
    let (tag, date) = ("etag: \"v1\"\r\n", "last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    let same = Act::Say(status("304 Not Modified"));
    let plan = [
        (tagged, vec![Act::Say(with(tag, &jpeg(1))), same.clone()]),
        (dated, vec![Act::Say(with(date, &jpeg(2))), same]),
        (changed, vec![Act::Say(with(tag, &jpeg(3))), Act::Say(with(tag, &jpeg(4)))]),
    ];
    let bench = Bench::new(plan).await;
    bench.show(&[tagged, dated, changed]);
    bench.run().await;
    let before = [tagged, dated].map(|address| bench.download(address));

    let force = Insistence { force: Redo::Everything, ..Insistence::default() };
    let tally = bench.insist(&force).await;

    assert_eq!(tally.made, 3);
    assert_eq!([tagged, dated].map(|address| bench.download(address)), before);
    assert_eq!(bench.download(changed).blob, BlobId::of(&jpeg(4)));
    let heads: Vec<String> =
        bench.server.seen().split_off(3).into_iter().map(|it| it.head).collect();
    let has = |text: &str| heads.iter().filter(|head| head.contains(text)).count();
    assert_eq!(has("if-none-match: \"v1\""), 2);
    assert_eq!(has("if-modified-since: Sun, 06 Nov 1994 08:49:37 GMT"), 1);
    assert_eq!(bench.access.statistics().total().unchanged, 2);
}

#[tokio::test]
async fn a_file_that_is_missing_or_cut_is_fetched_whole() {
    let [missing, cut] = ["good.test/a.jpg", "good.test/b.jpg"];
    let tagged = |seed| vec![Act::Say(with("etag: \"v1\"\r\n", &jpeg(seed)))];
    let bench = Bench::new([(missing, tagged(1)), (cut, tagged(2))]).await;
    bench.show(&[missing, cut]);
    bench.run().await;
    let [missing_file, cut_file] =
        [missing, cut].map(|address| bench.layout.blob(&bench.download(address).blob));
    std::fs::remove_file(&missing_file).unwrap();
    std::fs::File::options().write(true).open(&cut_file).unwrap().set_len(7).unwrap();

    let tally = bench.run().await;

    assert_eq!(tally.made, 2);
    assert_eq!(files::read(&missing_file).unwrap(), jpeg(1));
    assert_eq!(files::read(&cut_file).unwrap(), jpeg(2));
    assert!(bench.server.seen().iter().all(|seen| !seen.head.contains("if-none-match")));
}

#[tokio::test]
async fn a_retry_can_be_narrowed_to_a_trouble() {
    let plan = [
        ("good.test/unwell.jpg", vec![Act::Say(status("500 Oops"))]),
        ("good.test/cut.jpg", vec![Act::Cut(announced(999, b"\xFF\xD8\xFF"))]),
    ];
    let bench = Bench::new(plan).await;
    bench.show(&["good.test/unwell.jpg", "good.test/cut.jpg"]);
    bench.run().await;

    let only = Retry::Only(BTreeSet::from(["5xx".parse().unwrap()]));
    let tally = bench.insist(&Insistence { retry: only, ..Insistence::default() }).await;

    assert_eq!((tally.failed, tally.unchanged), (1, 1));
    assert_eq!(bench.server.times("good.test/unwell.jpg"), 4);
    assert_eq!(bench.server.times("good.test/cut.jpg"), 2);
}

#[tokio::test]
async fn all_faults_together_keep_no_good_picture_away() {
    let names: Vec<String> = (0..60).map(good).collect();
    let mut plan = goods(&names);
    let page = b"<html>removed</html>";
    let circle = Act::Say(bare("302 Found", "location: /circle.jpg"));
    let inside = Act::Say(bare("302 Found", "location: http://169.254.169.254/"));
    let faults: Vec<(&str, Act)> = vec![
        ("i.imgur.com/page.jpg", Act::Say(picture(page))),
        ("i.imgur.com/empty.jpg", Act::Say(picture(b""))),
        ("i.imgur.com/cut.jpg", Act::Cut(announced(9999, b"\xFF\xD8\xFF"))),
        ("i.imgur.com/cut2.jpg", Act::Cut(chunked(b"\xFF\xD8\xFF"))),
        ("good.test/drip.jpg", Act::Drip(announced(9999, b""))),
        ("good.test/silence.jpg", Act::Silence),
        ("good.test/pour.jpg", Act::Pour(chunked(b"\xFF\xD8\xFF"))),
        ("good.test/huge.jpg", Act::Say(announced(10_000_000_000, b""))),
        ("good.test/circle.jpg", circle),
        ("good.test/inside.jpg", inside),
        ("i.redd.it/expired.jpg", Act::Say(status("403 Forbidden"))),
        ("i.redd.it/gone.jpg", Act::Say(status("410 Gone"))),
        ("i.redd.it/law.jpg", Act::Say(status("451 Unavailable For Legal Reasons"))),
        ("i.redd.it/noai.jpg", Act::Say(with("x-robots-tag: noai\r\n", &jpeg(200)))),
        ("busy.test/wait.jpg", Act::Say(bare("429 Too Many Requests", "retry-after: 1"))),
        ("i.redd.it/unwell.jpg", Act::Say(status("502 Bad Gateway"))),
        ("127.0.0.1:1/down.jpg", Act::Silence),
        ("elsewhere.test/stranger.jpg", Act::Silence),
    ];
    for (address, act) in &faults {
        plan.push((address, vec![act.clone()]));
    }
    let bench = Bench::new(plan).await;
    let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
    for (n, (address, _)) in faults.iter().enumerate() {
        all.insert(n * 3, address);
    }
    bench.show(&all);

    let tally = bench.run().await;

    for (name, seed) in names.iter().zip(0..) {
        let bytes = files::read(&bench.layout.blob(&bench.download(name).blob)).unwrap();
        assert_eq!(bytes, jpeg(seed), "{name}");
    }
    let troubles = [
        Trouble::Truncated,
        Trouble::Stalled,
        Trouble::Throttled,
        Trouble::ServerError,
        Trouble::Connection,
    ];
    let met: BTreeSet<Trouble> = faults
        .iter()
        .filter_map(|(address, _)| match bench.outcome(address) {
            Outcome::Failed(failure) => failure.trouble,
            Outcome::Made(_) | Outcome::Rejected(_) => None,
        })
        .collect();
    assert_eq!((tally.made, tally.rejected, tally.failed), (60, 10, 8));
    assert_eq!(met, BTreeSet::from(troubles));
    assert_eq!(bench.files().len(), 60);
}
