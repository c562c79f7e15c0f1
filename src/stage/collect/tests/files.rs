//! Files and archives of all posts: what they fill of the live listing's gaps, and what cannot be
//! read of them.

use std::{fs::File, io::Write, ops::ControlFlow, path::PathBuf};

use serde_json::json;

use super::*;
use crate::{
    domain::progress::Mark,
    source::{dump, local::Local},
    store::schema::{GapId, Reached},
};

const LIVE: &str = "r/board";

fn written(bench: &Bench, name: &str, bytes: &[u8]) -> PathBuf {
    let path = bench.dir.path().join(name);
    File::create(&path).unwrap().write_all(bytes).unwrap();
    path
}

/// Writes posts as a dump does; returns the place that lists them.
fn dump(bench: &Bench, name: &str, lines: &[String]) -> String {
    let path = written(bench, name, lines.join("\n").as_bytes());
    format!("dump:{}#{LIVE}", path.display())
}

fn lines(board: &Board) -> Vec<String> {
    let line = |pin| {
        let mut post = board::post(pin);
        post["subreddit"] = "board".into();
        post.to_string()
    };
    board.0.iter().map(line).collect()
}

/// Puts down that nothing older than this post of the board was seen, and nothing else.
fn gap_before(bench: &Bench, number: u64, older: Option<u64>) {
    let mark = |number: u64| {
        let pin = &Board::posts(number, number + 1).0[0];
        Mark { post: PostId(format!("reddit:{}", pin.name)), created_utc: pin.created_utc }
    };
    let gap = Gap {
        place: Place(LIVE.to_owned()),
        older: older.map(mark),
        newer: mark(number),
        posts: None,
        why: Ended::Capped,
        noticed_at: 0,
    };
    bench.store.put_notes(&[(GapId::of(&gap), gap)]).unwrap();
}

/// Returns the numbers of the posts between which nothing was seen.
fn bounds(bench: &Bench) -> Vec<(Option<String>, String)> {
    let number = |mark: &Mark| mark.post.0.trim_start_matches("reddit:t3_").to_owned();
    let gaps = bench.gaps();
    gaps.iter().map(|gap| (gap.older.as_ref().map(number), number(&gap.newer))).collect()
}

#[tokio::test]
async fn a_dump_of_a_month_takes_its_month_from_a_gap_and_leaves_the_rest() {
    let bench = Bench::with(|_| None).await;
    gap_before(&bench, 150, None);
    gap_before(&bench, 950, Some(900));
    let place = dump(&bench, "month.ndjson", &lines(&Board::posts(100, 200)));

    bench.run(&[&place], Wish::new()).await.unwrap();

    let (a, b) = ((None, "00100".to_owned()), (Some("00900".to_owned()), "00950".to_owned()));
    assert_eq!(bounds(&bench), [a, b]);
}

#[tokio::test]
async fn a_dump_of_which_a_frame_is_lost_fills_nothing() {
    let bench = Bench::with(|_| None).await;
    gap_before(&bench, 1_500, Some(1_200));
    let pack = |from, to| {
        let text = lines(&Board::posts(from, to)).join("\n") + "\n";
        zstd::encode_all(text.as_bytes(), 3).unwrap()
    };
    // Between two good frames one that wants a window of 2^41 bytes.
    let mut broken = pack(1_000, 1_300);
    broken.extend([0x28, 0xb5, 0x2f, 0xfd, 0x00, 31 << 3, 1, 0, 0]);
    broken.extend(pack(1_600, 1_700));
    let path = written(&bench, "broken.zst", &broken);
    let place = format!("dump:{}#{LIVE}", path.display());

    bench.run(&[&place], Wish::new()).await.unwrap();

    let listing = bench.listing(&place);
    assert_eq!((listing.posts, listing.asked.unreadable), (400, 1));
    assert_eq!(bounds(&bench), [(Some("01200".to_owned()), "01500".to_owned())]);
}

#[tokio::test]
async fn what_cannot_be_read_of_a_file_is_told_once_for_all_its_places() {
    let bench = Bench::with(|_| None).await;
    let rows = "url,label\nhttps://a.org/1.jpg,cats\nnonsense,cats\nhttps://a.org/2.jpg,dogs\n";
    let path = written(&bench, "list.csv", rows.as_bytes());
    let places = ["cats", "dogs"].map(|it| format!("urls:{}#{it}", path.display()));

    bench.run(&[&places[0], &places[1]], Wish::new()).await.unwrap();

    let unreadable = places.map(|it| bench.listing(&it).asked.unreadable);
    assert_eq!(unreadable.iter().sum::<u64>(), 1, "{unreadable:?}");
}

/// Applies the stage to one of its places.
async fn apply(stage: &Collect<'_>, place: &str) -> Result<Outcome<Listing>, CollectError> {
    let place = Place(place.to_owned());
    stage.apply(&place, &Input { glances: None, posts: None }, &[]).await
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_read_once_for_all_its_places() {
    let bench = Bench::with(|_| None).await;
    let path = written(&bench, "list.csv", b"name,label\nx,cats\n");
    let places = ["cats", "dogs"].map(|it| format!("urls:{}#{it}", path.display()));
    let (events, _listener) = Events::channel();
    let stage = bench.stage(&[&places[0], &places[1]], Wish::new(), &events);

    let cats = apply(&stage, &places[0]).await.unwrap_err();
    // Whoever reads it again finds it in order.
    written(&bench, "list.csv", b"url,label\nhttps://a.org/1.jpg,dogs\n");
    let dogs = apply(&stage, &places[1]).await.unwrap_err();

    for (place, error) in places.iter().zip([cats, dogs]) {
        assert_eq!(error.to_string(), format!("could not list {place}"));
        let CollectError::Local { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains("has no column of picture addresses"), "{source}");
    }
    assert_eq!(bench.posts().len(), 0);
}

#[tokio::test]
async fn a_place_that_waited_for_a_reading_does_not_begin_one_after_a_stop() {
    let bench = Bench::with(|_| None).await;
    let place = dump(&bench, "all.ndjson", &lines(&Board::posts(0, 100)));
    let (events, _listener) = Events::channel();
    let (brake, stop) = Stop::channel();
    let stage = bench.stage(&[&place], Wish { stop, ..Wish::new() }, &events);
    brake.pull();

    let ended = apply(&stage, &place).await;

    assert!(matches!(ended, Err(CollectError::Stopped { .. })), "{ended:?}");
    assert_eq!(bench.posts().len(), 0);
}

#[tokio::test]
async fn what_could_not_be_read_before_a_cut_is_told_after_it() {
    let bench = Bench::with(|_| None).await;
    let mut all = lines(&Board::posts(0, 1_500));
    all.insert(10, "no post".to_owned());
    let place = dump(&bench, "all.ndjson", &all);
    // As if a run had been cut off behind the first batch.
    let id = Place(place.clone());
    let local = Local::of(&id, &SourceSpec::parse(&id).unwrap()).unwrap();
    let mut halt = None;
    let mut keep = |batch: crate::source::batch::Batch, resume: Option<&dump::Resume>| {
        bench.store.merge_posts(&batch.posts).unwrap();
        halt = Some(json!({ "resume": resume.unwrap(), "unreadable": batch.unreadable }));
        ControlFlow::Break(())
    };
    local.list(None, &mut keep).unwrap();
    bench.store.put_notes(&[(id, Reached(halt.unwrap()))]).unwrap();

    bench.run(&[&place], Wish::new()).await.unwrap();

    let listing = bench.listing(&place);
    assert_eq!((listing.posts, listing.asked.unreadable), (1_500, 1));
    assert!(listing.unreadable[0].contains("no JSON object"), "{:?}", listing.unreadable);
}

/// Answers as the archive of all posts does, a hundred at a time.
fn archived(board: &Board, asked: &Asked) -> Said {
    let after = asked.parameter("after").map_or(i64::MIN, |it| it.parse().unwrap());
    let later = board.0.iter().filter(|pin| after < pin.created_utc);
    let posts: Vec<_> = later.take(100).map(board::post).collect();
    Said::new(200, json!({ "data": posts }).to_string())
}

#[tokio::test]
async fn every_page_of_the_archive_may_fail_and_what_it_shows_from_the_start_fills_all_gaps() {
    let board = Board::posts(0, 450);
    let bench = Bench::with(move |asked| {
        // Every other request fails.
        let is_well = asked.before % 2 == 1;
        Some(if is_well { archived(&board, asked) } else { Said::new(503, "") })
    })
    .await;
    gap_before(&bench, 300, None);
    gap_before(&bench, 900, None);

    let tally = bench.run(&["arctic:r/board"], Wish::new()).await.unwrap();

    assert_eq!((tally.made, tally.failed), (1, 0));
    let listing = bench.listing("arctic:r/board");
    assert_eq!(listing.posts, 450);
    assert_eq!((listing.asked.requests, listing.asked.failed), (12, 6));
    assert_eq!(bounds(&bench), [(None, "00900".to_owned())], "it does not reach beyond its end");
}
