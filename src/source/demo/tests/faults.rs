//! Every trouble of the interface, as a client meets it.

use super::{large::names, *};

/// What a client sees when it follows bookmarks through a subreddit in trouble.
#[derive(Debug, Default, PartialEq, Eq)]
struct Walk {
    /// Status of each answer, 0 where none came whole.
    statuses: Vec<u16>,
    /// How many posts each good page had.
    sizes: Vec<usize>,
    bookmarks: Vec<String>,
}

/// Asks for page after page, again where no page came, `requests` times at most.
async fn walk(visit: &Visit, name: &str, requests: usize) -> Walk {
    let mut walk = Walk::default();
    let mut after = String::new();
    for _ in 0..requests {
        let reply = visit.api(&format!("/r/{name}/new?limit=100{after}")).await;
        let status = reply.status().as_u16();
        let body = tokio::time::timeout(Duration::from_millis(STALL_MS / 3), reply.bytes()).await;
        let body = body.map_err(|_| ()).and_then(|body| body.map_err(|_| ()));
        walk.statuses.push(if body.is_ok() { status } else { 0 });
        let page: Value = body
            .ok()
            .filter(|_| status == 200)
            .and_then(|body| serde_json::from_slice(&body).ok())
            .unwrap_or_default();
        let Some(children) = page.pointer("/data/children") else { continue };
        walk.sizes.push(children.as_array().unwrap().len());
        let Some(next) = page["data"]["after"].as_str() else { break };
        walk.bookmarks.push(next.to_owned());
        after = format!("&after={next}");
    }
    walk
}

#[tokio::test]
async fn closed_subreddits_say_why() {
    let visit = Visit::begin().await;
    let mut told = Vec::new();

    for name in ["private", "quarantined", "gated", "goldonly", "banned"] {
        let reply = visit.api(&format!("/r/{name}/new")).await;
        let status = reply.status().as_u16();
        let body: Value = serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap();
        told.push((status, body["reason"].as_str().unwrap().to_owned()));
    }

    let reasons = ["private", "quarantined", "gated", "gold_only"].map(|reason| (403, reason));
    let reasons = reasons.into_iter().chain([(404, "banned")]);
    assert_eq!(told, reasons.map(|(s, reason)| (s, reason.to_owned())).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failed_second_page_comes_when_it_is_asked_for_again() {
    let visit = Visit::begin().await;
    let passing = [
        ("fails500", 500),
        ("fails502", 502),
        ("fails503", 503),
        ("fails504", 504),
        ("fails520", 520),
        ("fails522", 522),
        ("throttles", 429),
        ("hushes", 429),
        ("spends", 429),
        ("pages", 200),
        ("halves", 200),
        ("errs", 200),
        ("stalls", 0),
        ("breaks", 0),
    ];

    for (name, status) in passing {
        let walk = walk(&visit, name, 9).await;
        assert_eq!(
            (walk.statuses, walk.sizes),
            (vec![200, status, 200, 200], vec![3, 3, 2]),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_token_can_end_between_two_pages() {
    let visit = Visit::begin().await;

    let walk = walk(&visit, "expires", 3).await;
    let refused = visit.api("/r/fish/new").await;

    assert_eq!((walk.statuses, walk.sizes), (vec![200, 401, 401], vec![3]));
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn one_subreddit_refuses_every_token() {
    let visit = Visit::begin().await;

    let statuses = walk(&visit, "unauthorized", 2).await.statuses;

    assert_eq!(statuses, [401, 401]);
    assert_eq!(visit.api("/r/fish/new").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn bookmarks_lead_astray_in_four_ways() {
    let visit = Visit::begin().await;

    let same = walk(&visit, "loops", 5).await;
    let alternating = walk(&visit, "alternates", 5).await;
    let repeating = walk(&visit, "repeats", 5).await;
    let empty = walk(&visit, "empties", 5).await;

    let distinct = |walk: &Walk| walk.bookmarks.iter().collect::<BTreeSet<_>>().len();
    assert_eq!([&same, &alternating, &repeating, &empty].map(distinct), [1, 2, 5, 5]);
    assert_eq!(alternating.bookmarks[0], alternating.bookmarks[2]);
    assert_eq!((same.sizes, alternating.sizes), (vec![3; 5], vec![3, 3, 2, 3, 2]));
    assert_eq!((repeating.sizes, empty.sizes), (vec![3; 5], vec![3, 0, 0, 0, 0]));
}

#[tokio::test]
async fn repeated_pages_show_the_same_posts() {
    let visit = Visit::begin().await;
    let first = visit.json("/r/repeats/new?limit=100").await;
    let after = first["data"]["after"].as_str().unwrap();

    let second = visit.json(&format!("/r/repeats/new?limit=100&after={after}")).await;

    assert_eq!(names(&first), names(&second));
}

#[tokio::test]
async fn an_empty_page_can_have_posts_behind_it() {
    let visit = Visit::begin().await;

    let walk = walk(&visit, "pauses", 9).await;

    assert_eq!(walk.sizes, [3, 0, 2]);
}

#[tokio::test]
async fn nothing_comes_after_a_post_that_was_deleted() {
    let visit = Visit::begin().await;
    let first = names(&visit.json("/r/vanishes/new?limit=100").await);
    let after = async |name: &str| {
        names(&visit.json(&format!("/r/vanishes/new?limit=100&after={name}")).await)
    };

    let beyond_last = after(&first[2]).await;
    let beyond_earlier = after(&first[1]).await;

    let info = visit.json(&format!("/api/info?id={}", first[2])).await;
    assert_eq!((beyond_last.len(), beyond_earlier.len()), (0, 3));
    assert!(beyond_earlier.iter().all(|name| !first.contains(name)));
    assert_eq!(info.pointer("/data/children/0/data/author").unwrap(), "[deleted]");
}

#[tokio::test]
async fn an_odd_listing_has_eight_posts_among_seven_strangers() {
    let visit = Visit::begin().await;

    let page = visit.json("/r/odd/new?limit=100").await;

    let children = page["data"]["children"].as_array().unwrap();
    let kinds: Vec<&str> =
        children.iter().map(|child| child["kind"].as_str().unwrap_or("none")).collect();
    let count = |kind: &str| kinds.iter().filter(|known| **known == kind).count();
    assert_eq!(["t3", "t5", "t1", "none"].map(count), [12, 1, 1, 1]);
    let is_promoted = |child: &&Value| child["data"]["promoted"] == true;
    let with_url = children.iter().filter(|child| child["data"]["url"].is_string());
    assert_eq!(with_url.filter(|child| !is_promoted(child)).count(), 8);
    assert!(children.iter().any(|child| child["data"]["created_utc"].is_string()));
}

#[tokio::test]
async fn the_allowance_can_be_told_badly() {
    let visit = Visit::begin().await;
    let mut told = Vec::new();

    for name in ["unlimited", "garbled", "nan", "negative"] {
        let reply = visit.api(&format!("/r/{name}/new")).await;
        let header = reply.headers().get("x-ratelimit-remaining");
        told.push(header.map(|value| value.to_str().unwrap().to_owned()));
    }

    let expected = [None, Some("a few"), Some("NaN"), Some("-17.0")];
    assert_eq!(told, expected.map(|text| text.map(str::to_owned)));
}

#[tokio::test]
async fn every_subreddit_in_trouble_can_be_named_in_a_place() {
    let visit = Visit::begin().await;

    for name in subreddits() {
        let reply = visit.api(&format!("/r/{name}/about")).await;
        let is_open = troubles::open().any(|open| open == name)
            || classes().contains(&name)
            || name == elsewhere::NAME;
        assert_eq!(reply.status() == StatusCode::OK, is_open, "{name}");
        assert!(crate::source::demo_place::DemoPlace::parse(name).is_some(), "{name}");
    }
}
