//! What can go wrong while asking, each done by a server that does it, and what is on record
//! afterwards. `r/good` is always listed beside the place in trouble, and always whole.

use super::*;

const GOOD: u64 = 130;
const BAD: u64 = 230;

/// A site with a subreddit in trouble and one that is not: `trouble` speaks for the former
/// where it has something to say.
pub(super) fn site(
    trouble: impl Fn(&Asked, &Board) -> Option<Said> + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Option<Said> + Send + Sync + 'static {
    let (good, bad) = (Board::posts(10_000, 10_000 + GOOD), Board::posts(0, BAD));
    move |asked| match asked.path.split('/').nth(2) {
        Some("good") => Some(good.page(asked)),
        Some("bad") => Some(trouble(asked, &bad).unwrap_or_else(|| bad.page(asked))),
        Some(_) | None => None,
    }
}

/// Lists both places; the good one must be whole.
pub(super) async fn list(bench: &Bench, wish: Wish) -> Tally {
    let tally = bench.run(&["r/bad", "r/good"], wish).await.unwrap();
    assert_eq!(bench.listing("r/good").posts, GOOD);
    tally
}

pub(super) fn all_of_both() -> BTreeSet<String> {
    let good = Board::posts(10_000, 10_000 + GOOD).names();
    good.union(&Board::posts(0, BAD).names()).cloned().collect()
}

fn is_second_page(asked: &Asked) -> bool {
    asked.parameter("after").is_some() && asked.before == 1
}

#[tokio::test]
async fn a_site_that_asks_to_wait_is_waited_for_as_long_as_it_says() {
    for (headers, least_ms) in [
        (vec![("retry-after", "1")], 900),
        (vec![("x-ratelimit-remaining", "0.0"), ("x-ratelimit-reset", "1")], 900),
        (
            vec![("retry-after", "0"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")],
            900,
        ),
        (vec![], 0),
    ] {
        let told = headers.clone();
        let bench = Bench::with(site(move |asked, _| {
            is_second_page(asked).then(|| {
                let throttled = Said::new(429, "{\"message\":\"Too Many Requests\",\"error\":429}");
                told.iter().fold(throttled, |said, (name, value)| said.with(name, *value))
            })
        }))
        .await;

        list(&bench, Wish::new()).await;

        assert_eq!(bench.posts(), all_of_both(), "{headers:?}");
        let asked = bench.listing("r/bad").asked;
        assert_eq!((asked.requests, asked.failed), (4, 1), "{headers:?}");
        let waited_ms = asked.waited_ms + bench.listing("r/good").asked.waited_ms;
        assert!(least_ms <= waited_ms, "{headers:?}: {waited_ms}");
    }
}

#[tokio::test]
async fn a_site_that_keeps_asking_to_wait_leaves_a_place_to_go_on_from() {
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = Arc::clone(&is_over);
    let bench = Bench::with(site(move |asked, _| {
        let is_shut = asked.parameter("after").is_some() && !seen.load(Ordering::Relaxed);
        is_shut.then(|| Said::new(429, "").with("retry-after", "0"))
    }))
    .await;

    bench.run(&["r/bad"], Wish::new()).await.unwrap();
    let failure = bench.failure("r/bad");
    is_over.store(true, Ordering::Relaxed);
    list(&bench, Wish::new()).await;

    assert!(failure.contains("Reddit asks us to wait"), "{failure}");
    assert_eq!(bench.posts(), all_of_both());
    let firsts = bench.stand.heard();
    let firsts = firsts.iter().filter(|it| it.path == "/r/bad/new");
    // One when it began, one after it went on, for what may have been posted since.
    assert_eq!(firsts.filter(|it| it.parameter("after").is_none()).count(), 2);
    assert_eq!(bench.gaps(), []);
}

#[tokio::test]
async fn an_answer_that_is_no_listing_is_asked_for_again() {
    for odd in
        ["<html>whoa there, pardner!</html>", "{\"kind\":\"Listing\",\"da", "{\"error\":500}"]
    {
        let bench =
            Bench::with(site(move |asked, _| is_second_page(asked).then(|| Said::new(200, odd))))
                .await;

        list(&bench, Wish::new()).await;

        assert_eq!(bench.posts(), all_of_both(), "{odd}");
        assert_eq!(bench.listing("r/bad").asked.failed, 1);
    }
}

#[tokio::test]
async fn a_listing_that_stays_broken_is_told_and_the_others_of_its_place_are_read() {
    let bench = Bench::with(site(|asked, _| {
        (asked.path == "/r/bad/hot").then(|| Said::new(200, "<html>oops</html>"))
    }))
    .await;

    let tally = list(&bench, Wish::these(&[Sort::Hot, Sort::New])).await;

    assert_eq!((tally.made, tally.failed), (1, 1));
    let failure = bench.failure("r/bad");
    let told =
        "1 of the listings of r/bad could not be read to their ends: Reddit's answer to r/bad/hot";
    assert!(failure.starts_with(told), "{failure}");
    assert_eq!(bench.posts(), all_of_both());
}

#[tokio::test]
async fn a_subreddit_that_is_closed_says_why_and_costs_one_request() {
    let closed = |reason: &str| format!("{{\"reason\":\"{reason}\",\"message\":\"Forbidden\"}}");
    for (status, body, word) in [
        (403, closed("private"), "private"),
        (403, closed("quarantined"), "quarantined"),
        (403, closed("gated"), "gated"),
        (403, closed("gold_only"), "gold_only"),
        (404, closed("banned"), "banned"),
        (403, "<html>blocked by network security</html>".to_owned(), "a page for people"),
        (404, "{\"error\":404}".to_owned(), "no reason given, HTTP 404"),
        (302, String::new(), "there is no subreddit r/bad"),
    ] {
        let bench = Bench::with(site(move |_, _| {
            let to = "https://oauth.reddit.com/subreddits/search?q=bad";
            Some(Said::new(status, body.clone()).with("location", to))
        }))
        .await;
        // The login is granted, the place is shut.
        let tally = bench.run(&["r/bad", "r/good"], Wish::new()).await;

        let Ok(tally) = tally else { panic!("{word}") };
        assert_eq!((tally.made, tally.failed), (1, 1), "{word}");
        assert!(bench.failure("r/bad").contains(word), "{}", bench.failure("r/bad"));
        assert_eq!(bench.stand.heard().iter().filter(|it| it.path == "/r/bad/new").count(), 1);
        assert_eq!(bench.listing("r/good").posts, GOOD);
    }
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_later() {
    for status in [500, 502, 503, 504, 520, 522, 408] {
        let bench =
            Bench::with(site(move |asked, _| is_second_page(asked).then(|| Said::new(status, ""))))
                .await;

        list(&bench, Wish::new()).await;

        assert_eq!(bench.posts(), all_of_both(), "{status}");
        assert_eq!(bench.listing("r/bad").asked.failed, 1, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_never_ends_is_asked_for_again() {
    for manner in [Manner::Cut, Manner::Silent] {
        let bench = Bench::with(site(move |asked, bad| {
            is_second_page(asked).then(|| bad.page(asked).sent(manner))
        }))
        .await;

        list(&bench, Wish::new()).await;

        assert_eq!(bench.posts(), all_of_both(), "{manner:?}");
        assert_eq!(bench.listing("r/bad").asked.failed, 1, "{manner:?}");
    }
}

#[tokio::test]
async fn a_child_that_is_no_post_costs_itself_and_nothing_else() {
    let bench = Bench::with(site(|asked, bad| {
        let mut page: serde_json::Value = serde_json::from_str(&bad.page(asked).body).unwrap();
        let children = page.pointer_mut("/data/children").unwrap().as_array_mut().unwrap();
        for (field, value) in [
            ("thumbnail", serde_json::Value::Null),
            ("media_metadata", serde_json::Value::Null),
            ("gallery_data", serde_json::Value::Null),
            ("created_utc", "1700000000".into()),
            ("never_seen_before", serde_json::json!({ "x": [1, null] })),
        ] {
            children[3]["data"][field] = value;
        }
        for odd in [
            serde_json::json!({ "kind": "t5", "data": { "id": "abc" } }),
            serde_json::json!({ "kind": "t1", "data": { "id": "abc" } }),
            serde_json::json!({ "kind": "t3", "data": { "id": "ad", "promoted": true } }),
            serde_json::json!({ "kind": "t3", "data": { "id": 17, "title": null } }),
            serde_json::Value::Null,
        ] {
            children.insert(1, odd);
        }
        Some(Said::new(200, page.to_string()))
    }))
    .await;

    list(&bench, Wish::new()).await;

    assert_eq!(bench.posts(), all_of_both());
    let listing = bench.listing("r/bad");
    assert_eq!(listing.asked.unreadable, 15, "five on each of three pages");
    assert_eq!(listing.unreadable.len(), 5, "{:?}", listing.unreadable);
}

#[tokio::test]
async fn a_site_that_leads_in_circles_is_left_and_what_lies_beyond_is_written_down() {
    // The same page for ever; two that name each other; a bookmark that is new every time.
    for circle in ["same", "two", "fresh"] {
        let bench = Bench::with(site(move |asked, bad| {
            asked.parameter("after")?;
            let posts: Vec<_> = bad.0.iter().rev().skip(100).take(50).map(board::post).collect();
            let after = match circle {
                "two" if asked.parameter("after") == Some("t3_x") => "t3_y".to_owned(),
                "same" | "two" => "t3_x".to_owned(),
                _ => format!("t3_x{}", asked.before),
            };
            Some(Said::new(200, board::listing(&posts, Some(&after)).to_string()))
        }))
        .await;

        list(&bench, Wish::new()).await;

        let listing = bench.listing("r/bad");
        assert_eq!(listing.posts, 150, "{circle}");
        assert_eq!(listing.angles[0].ended, Ended::Looped, "{circle}");
        assert!(listing.asked.requests < 8, "{circle}: {}", listing.asked.requests);
        let gaps: Vec<(String, Ended)> =
            bench.gaps().into_iter().map(|it| (it.newer.post.0, it.why)).collect();
        assert_eq!(gaps, [("reddit:t3_00080".to_owned(), Ended::Looped)], "{circle}");
    }
}

#[tokio::test]
async fn an_empty_page_that_leads_on_is_followed_and_empty_pages_without_end_are_not() {
    let empty = |after: &str| Some(Said::new(200, board::listing(&[], Some(after)).to_string()));
    let once = Bench::with(site(move |asked, bad| match asked.parameter("after") {
        None => {
            let posts: Vec<_> = bad.0.iter().rev().take(100).map(board::post).collect();
            Some(Said::new(200, board::listing(&posts, Some("t3_void")).to_string()))
        }
        Some("t3_void") => empty("t3_00130"),
        Some(_) => None,
    }))
    .await;
    let endless = Bench::with(site(move |asked, _| match asked.parameter("after") {
        None => None,
        Some(_) => empty(&format!("t3_void{}", asked.before)),
    }))
    .await;

    list(&once, Wish::new()).await;
    list(&endless, Wish::new()).await;

    assert_eq!(once.posts(), all_of_both());
    let listing = endless.listing("r/bad");
    assert_eq!((listing.posts, listing.angles[0].ended), (100, Ended::Looped));
    assert_eq!(endless.gaps().len(), 1);
}

#[tokio::test]
async fn a_bookmark_whose_post_was_deleted_is_replaced_by_one_before_it() {
    // Between two pages the last two posts of the first are deleted.
    let bench = Bench::with(site(|asked, bad| {
        asked.parameter("after")?;
        let mut left = bad.clone();
        left.0.retain(|pin| pin.name != "t3_00130" && pin.name != "t3_00131");
        Some(left.page(asked))
    }))
    .await;

    list(&bench, Wish::new()).await;

    assert_eq!(bench.posts(), all_of_both());
    assert_eq!(bench.listing("r/bad").angles[0].ended, Ended::Whole);
    assert_eq!(bench.gaps(), []);
}

#[tokio::test]
async fn bookmarks_that_are_all_gone_end_the_listing_with_a_gap() {
    let bench = Bench::with(site(|asked, _| {
        asked.parameter("after")?;
        Some(Said::new(200, board::listing(&[], None).to_string()))
    }))
    .await;

    list(&bench, Wish::new()).await;

    assert_eq!(bench.listing("r/bad").angles[0].ended, Ended::Lost);
    assert_eq!(bench.gaps().len(), 1);
}

#[tokio::test]
async fn limits_that_make_no_sense_neither_stop_nor_hurry_the_listing() {
    for odd in ["NaN", "-5", "inf", "soon", "1e999", ""] {
        let bench = Bench::with(site(move |asked, bad| {
            let said = bad.page(asked).without_limits();
            let names = ["x-ratelimit-used", "x-ratelimit-remaining", "x-ratelimit-reset"];
            Some(names.into_iter().fold(said, |said, name| said.with(name, odd)))
        }))
        .await;

        list(&bench, Wish { limit: 150, ..Wish::new() }).await;

        assert_eq!(bench.listing("r/bad").posts, 150, "{odd}");
        let waited_ms = bench.listing("r/bad").asked.waited_ms;
        assert!(waited_ms < 5_000, "{odd}: {waited_ms}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_and_forth_changes_nothing() {
    let bench = Bench::clocked(site(|_, _| None), jumping).await;

    for _ in 0..3 {
        let tally = bench.run(&["r/bad"], Wish::these(&[Sort::New, Sort::Hot])).await.unwrap();
        assert_eq!(tally.made, 1);
    }

    assert_eq!(bench.posts(), Board::posts(0, BAD).names());
    assert_eq!(bench.gaps(), []);
}

#[tokio::test]
async fn a_listing_is_fresh_for_a_day_and_aged_if_the_clock_was_set_back() {
    static NOW: AtomicI64 = AtomicI64::new(0);
    let years = 10 * 365 * 86_400;
    let bench = Bench::clocked(site(|_, _| None), || NOW.load(Ordering::Relaxed)).await;
    let (events, _listener) = Events::channel();
    let mut collect = bench.stage(&["r/bad"], Wish::new(), &events);
    collect.max_age_s = Some(86_400);
    let due_at = |now: i64| {
        NOW.store(now, Ordering::Relaxed);
        plan::plan(&collect, &bench.store, &Insistence::default()).unwrap().due
    };
    NOW.store(noon() + years, Ordering::Relaxed);
    bench.run(&["r/bad"], Wish::new()).await.unwrap();

    assert_eq!([due_at(noon() + years + 60), due_at(noon() + years + 86_400)], [0, 1]);
    assert_eq!(due_at(noon()), 1, "the clock was ten years ahead when it was listed");
}

#[tokio::test]
async fn a_name_that_is_none_is_refused_before_anybody_is_asked() {
    for odd in ["r/../x", "r/a?b", "r/t\u{e4}nks", "r/u_somebody", "r/0123456789012345678901"] {
        assert!(SourceSpec::parse(&Place(odd.to_owned())).is_err(), "{odd}");
    }
}

#[tokio::test]
async fn searches_that_all_fail_end_the_try_and_cost_a_few_requests() {
    let board = Board::posts(0, 1_500);
    let bench = Bench::with(move |asked| match asked.path.as_str() {
        "/r/bad/search" => Some(Said::new(503, "")),
        path => path.starts_with("/r/bad/").then(|| board.page(asked)),
    })
    .await;
    let wish = Wish { listings: Listings::Everything, ..Wish::new() };

    let tally = bench.run(&["r/bad"], wish).await.unwrap();

    assert_eq!((tally.made, tally.failed), (0, 1));
    let failure = bench.failure("r/bad");
    assert!(failure.starts_with("3 of the listings of r/bad could not be read"), "{failure}");
    let heard = bench.stand.heard();
    // Three in a row in each of three tries.
    assert_eq!(heard.iter().filter(|it| it.path == "/r/bad/search").count(), 9);
    assert!(1_000 < bench.posts().len());
    let done = bench.progress("r/bad").done;
    assert_eq!(done.len(), 15, "the next run need not read the listings again: {done:?}");
}
