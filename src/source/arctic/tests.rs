use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex as Shared,
};

use axum::{
    Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;

use super::*;
use crate::{
    net::{FIRST_REST, NetOptions, PrivateHosts, Route},
    source::demo::tls::Door,
};

/// An archive of posts by second, as the real one answers.
struct Archive {
    seconds: Vec<i64>,
    /// More than this at once takes it too long.
    limit_max: usize,
    after_is: AfterIs,
    asked: Shared<Vec<String>>,
}

#[derive(Clone, Copy)]
enum AfterIs {
    Later,
    NotEarlier,
}

async fn search(
    State(archive): State<std::sync::Arc<Archive>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    archive.asked.lock().unwrap().push(query["limit"].clone());
    if query["subreddit"] == "private" {
        let error = json!({"data": null, "error": "not archived"});
        return (StatusCode::BAD_REQUEST, error.to_string()).into_response();
    }
    if query["subreddit"] == "busy" {
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "7")];
        return (StatusCode::TOO_MANY_REQUESTS, headers, "").into_response();
    }
    let limit = if query["limit"] == "auto" { 1000 } else { query["limit"].parse().unwrap() };
    if archive.limit_max < limit {
        let error = json!({"data": null, "error": "Timeout. Maybe slow down a bit"});
        return (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response();
    }
    let after = query.get("after").map_or(i64::MIN, |it| it.parse().unwrap());
    let fits = |second: i64| match archive.after_is {
        AfterIs::Later => after < second,
        AfterIs::NotEarlier => after <= second,
    };
    let posts = archive.seconds.iter().enumerate().filter(|(_, second)| fits(**second));
    let posts: Vec<_> = posts
        .take(limit)
        .map(|(n, second)| {
            json!({"id": format!("p{n}"), "subreddit": "cats", "created_utc": second,
                   "url": format!("https://i.redd.it/p{n}.jpg"), "title": "t"})
        })
        .collect();
    json!({"data": posts}).to_string().into_response()
}

/// Asks an archive page by page, from a bookmark on, and returns what it told.
async fn told(archive: Archive, subreddit: &str, from: Option<&str>) -> Told {
    let door = Door::new(&["arctic-shift.photon-reddit.com"]).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let archive = std::sync::Arc::new(archive);
    let app = Router::new().route("/api/posts/search", get(search)).with_state(archive.clone());
    let route = Route::Loopback { address, root_pem: door.root_pem };
    let second = Duration::from_secs(5);
    let options = NetOptions {
        user_agent: "test".to_owned(),
        deadline: second,
        stall: second,
        bytes_max: 1 << 20,
        per_host: 2,
        concurrency: 8,
        private_hosts: PrivateHosts::default(),
        first_rest: FIRST_REST,
        clock: || 0,
    };
    let client = Client::new(&route, options).unwrap();
    let asking = async {
        let session = Session::new(&client);
        let (place, subreddit) =
            (Place("arctic:r/cats".to_owned()), Subreddit::new(subreddit).unwrap());
        let mut told = Told::default();
        let mut after = from.map(str::to_owned);
        loop {
            match session.page(&place, &subreddit, after.as_deref()).await {
                Ok(page) => {
                    told.ids.extend(page.posts.into_iter().map(|(id, _)| id.0));
                    told.unreadable.extend(page.unreadable);
                    after = page.next;
                }
                Err(error) => {
                    told.refusal = Some(error);
                    after = None;
                }
            }
            if after.is_none() {
                break told;
            }
        }
    };
    let mut told = tokio::select! {
        told = asking => told,
        () = crate::source::demo::tls::serve(listener, door.acceptor, app) => panic!("no server"),
    };
    told.limits = archive.asked.lock().unwrap().clone();
    told
}

#[derive(Debug, Default)]
struct Told {
    ids: BTreeSet<String>,
    unreadable: Vec<String>,
    refusal: Option<ArcticError>,
    limits: Vec<String>,
}

fn archive(seconds: Vec<i64>, limit_max: usize, after_is: AfterIs) -> Archive {
    Archive { seconds, limit_max, after_is, asked: Shared::default() }
}

#[tokio::test]
async fn every_post_is_seen_whatever_the_archive_means_by_after() {
    // Posts of one second lie across the ends of pages.
    let seconds: Vec<i64> = (0..45).map(|n| 1_700_000_000 + n / 4).collect();
    for after_is in [AfterIs::Later, AfterIs::NotEarlier] {
        let told = told(archive(seconds.clone(), 12, after_is), "cats", None).await;

        assert_eq!(told.ids.len(), 45, "{told:?}");
        assert_eq!((told.unreadable, told.refusal.is_none()), (Vec::<String>::new(), true));
        assert_eq!(told.limits[..5], ["auto", "100", "50", "25", "12"]);
    }
}

#[tokio::test]
async fn a_second_fuller_than_a_page_is_told_and_passed() {
    let mut seconds = vec![1_700_000_000; 9];
    seconds.push(1_700_000_007);

    let told = told(archive(seconds, 3, AfterIs::Later), "cats", None).await;

    assert!(told.ids.contains("reddit:t3_p9"), "{told:?}");
    assert_eq!(told.unreadable, ["perhaps more posts at 1700000000 than a page shows"]);
}

#[tokio::test]
async fn a_later_run_goes_on_at_the_bookmark() {
    let seconds: Vec<i64> = (0..9).map(|n| 1_700_000_000 + n).collect();

    let told =
        told(archive(seconds, 1000, AfterIs::Later), "cats", Some(&bookmark_of(1_700_000_006)))
            .await;

    let expected = ["p6", "p7", "p8"].map(|id| format!("reddit:t3_{id}"));
    assert_eq!(told.ids, BTreeSet::from(expected));
}

#[tokio::test]
async fn what_the_archive_refuses_is_told_in_its_words() {
    let empty = || archive(Vec::new(), 0, AfterIs::Later);
    let [private, busy, slow] = [
        told(empty(), "private", None).await,
        told(empty(), "busy", None).await,
        told(empty(), "cats", None).await,
    ]
    .map(|told| told.refusal.unwrap());

    assert_eq!(
        private.to_string(),
        "the Arctic Shift archive refuses to search r/private: not archived"
    );
    assert_eq!(busy.retry_after(), Some(Duration::from_secs(7)));
    assert!(busy.is_transient() && slow.is_transient() && !private.is_transient());
    assert!(matches!(slow, ArcticError::TooSlow { .. }), "{slow:?}");
}
