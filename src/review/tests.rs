use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        classes::Classes,
        fingerprint::{Distance, Similarity},
        flaws::Limits,
        id::{BlobId, Label, Place, PostId},
        link::{Download, MediaLink, MediaUrl, Origin, Quality, Resolution, Resolved, Validators},
        outcome::Outcome,
        post::{Media, Post, Teller},
        review::{Decision, Queue, Review},
        verdict::{DropReason, Ruling, TwinPair, Verdict},
    },
    engine::stop::Brake,
    store::{Digest, Settled, Stamp, Store, files, layout::Layout, reviews, schema::PairId},
};

mod doors;

static CLOCK: AtomicU64 = AtomicU64::new(1000);

/// A dataset of some pictures, each kept; `both` was posted under two classes.
struct Bench {
    dir: TempDir,
    /// Open until the page is served.
    store: Option<Store>,
    classes: Classes,
}

/// A server at work.
struct Running {
    bench: Bench,
    port: u16,
    path: String,
    _brake: Brake,
}

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

fn place(class: &str) -> Place {
    Place(format!("folder:{class}"))
}

impl Bench {
    fn new(names: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(&dir.path().join("data/pets/store")).unwrap();
        let classes = ["cat", "dog"].map(|class| (label(class), vec![place(class)]));
        let classes = Classes::plain(&BTreeMap::from(classes)).unwrap();
        let bench = Self { dir, store: Some(store), classes };
        for name in names {
            bench.post(name, "cat");
        }
        bench
    }

    fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    fn settle<R: crate::store::Record>(&self, key: R::Key, made: R) {
        let stamp = Stamp { revision: 1, recipe: Digest([0; 16]), input: Digest([0; 16]) };
        self.store().put_all(&[(key, Settled { stamp, outcome: Outcome::Made(made) })]).unwrap();
    }

    fn post(&self, name: &str, class: &str) {
        let id = PostId(format!("x:{class}-{name}"));
        let url = MediaUrl(format!("https://x/{name}"));
        let post = Post {
            places: [place(class)].into(),
            title: format!("Title of {name}"),
            author: None,
            permalink: format!("https://x/posts/{name}"),
            created_utc: None,
            score: None,
            upvote_percent: None,
            flair: None,
            over_18: false,
            media: Media::Text,
            preview: None,
            told_by: Teller::Live,
        };
        self.store().put_notes(&[(id.clone(), post)]).unwrap();
        let items = vec![Resolved::Link(MediaLink::to(url.clone()))];
        let origin = Origin::Single;
        self.settle(id, Resolution { label: label(class), place: place(class), origin, items });
        let blob = blob(name);
        let download = Download {
            blob,
            size_bytes: 1,
            final_url: String::new(),
            retrieved_at: 0,
            troubles: [].into(),
            quality: Quality::Original,
            validators: Validators::default(),
        };
        self.settle(url, download);
        let ruling = Ruling::Keep { label: label("cat") };
        self.store().put_notes(&[(blob, Verdict { ruling, leak_group: blob })]).unwrap();
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.dir.path().join("data"), "pets")
    }

    fn reviews(&self) -> std::path::PathBuf {
        self.dir.path().join("pets.reviews.jsonl")
    }

    fn lines(&self) -> Vec<Review> {
        reviews::read(&self.reviews()).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "the page is served beside the test")]
    async fn serve(mut self) -> Running {
        self.store = None;
        let desk = Desk::read(&DeskInput {
            layout: &self.layout(),
            classes: &self.classes,
            title: "Pets",
            reviews: self.reviews(),
            seed: 1,
            similarity: Similarity(900),
            limits: &Limits::default(),
        })
        .unwrap();
        let clock = || CLOCK.fetch_add(1, Ordering::Relaxed);
        let reviewer = Reviewer { name: Some("ada".to_owned()), clock };
        let server = Server::bind(0, desk, reviewer).await.unwrap();
        let address = server.address().unwrap();
        let rest = address.strip_prefix("http://127.0.0.1:").unwrap();
        let (port, path) = rest.split_once('/').unwrap();
        let (port, path) = (port.parse().unwrap(), format!("/{path}"));
        let (brake, stop) = Stop::channel();
        tokio::task::spawn(async move { server.run(&stop).await });
        Running { bench: self, port, path, _brake: brake }
    }
}

fn blob(name: &str) -> BlobId {
    BlobId::of(name.as_bytes())
}

impl Running {
    /// Asks, and returns the status, the head in lower case, and the body.
    async fn ask(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let head = format!(
            "{line} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nconnection: close\r\n{headers}\
             content-length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        let (port, request) = (self.port, [head.as_bytes(), body].concat());
        let asked = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(&request).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            answer
        });
        let answer = asked.await.unwrap();
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head, answer[end + 4..].to_vec())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.ask(&format!("GET {}{path}", self.path), "", b"").await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let line = format!("POST {}{path}?edition=0&lines=0", self.path);
        let headers = "content-type: application/json\r\n";
        let (status, _, body) = self.ask(&line, headers, body.to_string().as_bytes()).await;
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn decide(&self, name: &str, said: Value) -> Value {
        let wish = json!({ "name": name, "said": said });
        let (status, answer) = self.post("api/decide/audit", &wish).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

#[tokio::test]
async fn a_decision_is_a_line_of_the_file_and_leaves_its_queue() {
    let page = Bench::new(&["a", "b", "c"]).serve().await;
    let all = page.get("api/queue/audit?n=10").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 3);
    let first: BlobId =
        serde_json::from_value(all["items"][0]["pictures"][0]["id"].clone()).unwrap();

    let answer = page.decide("1", json!([{ "picture": first, "decision": "keep" }])).await;

    let [line] = page.bench.lines().try_into().unwrap();
    let expected = Review {
        at_ms: line.at_ms,
        picture: first,
        decision: Decision::Keep,
        queue: Queue::Audit,
        shown_as: Some(label("cat")),
        by: Some("ada".to_owned()),
    };
    assert_eq!(line, expected);
    assert_eq!(answer["items"][0]["decided"], true);
    assert_eq!(answer["progress"][5], json!({ "name": "audit", "total": 3, "decided": 1 }));
    assert_eq!(
        (&answer["purity"][0]["seen"], &answer["purity"][0]["right"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(answer["purity"][0]["more"], 2, "no more than there are");
    let left = page.get("api/queue/audit?n=10").await;
    assert_eq!(left["items"].as_array().unwrap().len(), 2);
    let all = page.get("api/queue/audit?n=10&decided=all").await;
    assert_eq!(all["items"][0]["pictures"][0]["said"]["decision"], "keep");
}

#[tokio::test]
async fn the_parts_of_a_queue_follow_each_other_and_can_be_filtered() {
    let names: Vec<String> = (0..25).map(|n| format!("picture-{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let page = Bench::new(&names).serve().await;
    let mut seen = Vec::new();
    let mut from = json!(0);
    while let Some(place) = from.as_u64() {
        let part = page.get(&format!("api/queue/audit?n=10&from={place}")).await;
        let items = part["items"].as_array().unwrap();
        assert!(items.len() <= 10);
        seen.extend(items.iter().map(|item| item["at"].as_u64().unwrap()));
        from = part["next"].clone();
    }
    assert_eq!(seen, (0..25).collect::<Vec<u64>>());

    let back = page.get("api/queue/audit?n=10&before=20").await;
    let filtered = page.get("api/queue/audit?n=10&filter=TITLE%20picture-07").await;
    let classes = page.get("api/queue/audit?n=10&filter=class:dog").await;

    let places = |part: &Value| -> Vec<u64> {
        part["items"].as_array().unwrap().iter().map(|it| it["at"].as_u64().unwrap()).collect()
    };
    assert_eq!((places(&back), &back["previous"]), ((10..20).collect(), &json!(9)));
    assert_eq!(places(&filtered).len(), 1);
    assert_eq!(filtered["items"][0]["pictures"][0]["posts"][0]["title"], "Title of picture-07");
    assert_eq!(places(&classes).len(), 0);
}

#[tokio::test]
async fn the_same_request_sent_again_is_written_once() {
    let page = Bench::new(&["a"]).serve().await;
    let said = json!([{ "picture": blob("a"), "decision": "reject", "reason": "blurred" }]);
    let first = page.decide("same", said.clone()).await;
    let again = page.decide("same", said).await;
    assert_eq!(first["made"], again["made"]);
    assert_eq!(page.bench.lines().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_whole() {
    let bench = Bench::new(&["a"]);
    bench.post("both", "cat");
    bench.post("both", "dog");
    let blob_of_both = blob("both");
    bench.store().remove_notes::<Verdict>(&[blob_of_both]).unwrap();
    let page = bench.serve().await;
    let good = json!({ "picture": blob("a"), "decision": "keep" });
    for bad in [
        json!({ "picture": blob("elsewhere"), "decision": "keep" }),
        json!({ "picture": blob("a"), "decision": "relabel", "label": "bird" }),
        json!({ "picture": blob("a"), "decision": "reject", "reason": " " }),
        json!({ "picture": blob("a"), "decision": "not-twins", "other": blob("a") }),
        json!({ "picture": blob("a"), "decision": "not-twins", "other": blob("elsewhere") }),
        json!({ "picture": blob_of_both, "decision": "keep" }),
        json!({ "picture": blob("a"), "decision": "burn" }),
    ] {
        let wish = json!({ "name": "1", "said": [good, bad] });
        let (status, answer) = page.post("api/decide/audit", &wish).await;
        assert_eq!(status, 422, "{bad} {answer}");
    }
    assert_eq!(page.bench.lines(), []);
}

#[tokio::test]
async fn what_others_add_to_the_file_is_heard_and_not_undone() {
    let page = Bench::new(&["a", "b"]).serve().await;
    let mine = page.decide("1", json!([{ "picture": blob("a"), "decision": "keep" }])).await;
    let theirs = Review {
        at_ms: u64::MAX / 2,
        picture: blob("a"),
        decision: Decision::Reject { reason: "dark".to_owned() },
        queue: Queue::Elsewhere,
        shown_as: None,
        by: None,
    };
    reviews::append(&page.bench.reviews(), std::slice::from_ref(&theirs)).unwrap();

    let news = page.get("api/news/audit?edition=0&lines=1").await;
    let regret = json!({ "name": "2", "made": mine["made"] });
    let (status, undone) = page.post("api/undo/audit", &regret).await;
    let last = page.decide("3", json!([{ "picture": blob("a"), "decision": "keep" }])).await;

    assert_eq!(news["items"][0]["pictures"][0]["said"]["reason"], "dark");
    assert_eq!((status, &undone["passed_over"]), (200, &json!(1)));
    assert_eq!(page.bench.lines().len(), 3);
    let at_ms = last["made"][0]["line"]["at_ms"].as_u64().unwrap();
    assert!(theirs.at_ms < at_ms, "what is said last holds, whatever the clocks say");
}

#[tokio::test]
async fn undo_brings_back_what_held_before() {
    let page = Bench::new(&["a"]).serve().await;
    page.decide("1", json!([{ "picture": blob("a"), "decision": "keep" }])).await;
    let said = json!([{ "picture": blob("a"), "decision": "relabel", "label": "dog" }]);
    let made = page.decide("2", said).await["made"].clone();

    let regret = json!({ "name": "3", "made": made });
    let (status, answer) = page.post("api/undo/audit", &regret).await;

    assert_eq!((status, &answer["passed_over"]), (200, &json!(0)));
    assert_eq!(answer["items"][0]["pictures"][0]["said"]["decision"], "keep");
    assert_eq!(
        (&answer["purity"][0]["seen"], &answer["purity"][0]["right"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_file_nobody_can_read_is_named_and_not_written_to() {
    let page = Bench::new(&["a"]).serve().await;
    let path = page.bench.reviews();
    files::write_atomic(&path, b"<<<<<<< mine\n").unwrap();

    let wish = json!({ "name": "1", "said": [{ "picture": blob("a"), "decision": "keep" }] });
    let (status, answer) = page.post("api/decide/audit", &wish).await;

    assert_eq!(status, 500);
    let message = answer["error"].as_str().unwrap();
    assert!(message.contains("pets.reviews.jsonl`, line 1"), "{message}");
    assert_eq!(files::read(&path).unwrap(), b"<<<<<<< mine\n");
}

#[tokio::test]
async fn a_pair_is_decided_once_they_are_said_to_be_strangers_or_one_is_picked() {
    let bench = Bench::new(&["a", "b", "c"]);
    let pair = |a: &str, b: &str| {
        let (a, b) = (blob(a).min(blob(b)), blob(a).max(blob(b)));
        let (distance, similarity) = (Distance(9), Similarity(920));
        (PairId(a, b), TwinPair { a, b, distance, similarity })
    };
    let store = bench.store();
    store.put_notes(&[pair("a", "b"), pair("b", "c")]).unwrap();
    let (distance, similarity) = (Distance(9), Similarity(920));
    let twin = DropReason::Twin { of: blob("c"), distance, similarity };
    let verdict = Verdict { ruling: Ruling::Drop(twin), leak_group: blob("b") };
    store.put_notes(&[(blob("b"), verdict)]).unwrap();
    let page = bench.serve().await;
    let n_decided = |answer: &Value| answer["progress"][1]["decided"].as_u64().unwrap();

    let not_twins = json!([{ "picture": blob("b"), "decision": "not-twins", "other": blob("a") }]);
    let first = page.decide("1", not_twins).await;
    let second = page.decide("2", json!([{ "picture": blob("c"), "decision": "keeper" }])).await;

    assert_eq!((n_decided(&first), n_decided(&second)), (1, 2));
    let twins = page.get("api/queue/twins?n=9&decided=all").await;
    assert_eq!(twins["items"].as_array().unwrap().len(), 2);
    assert!(twins["items"][0]["why"].as_str().unwrap().contains("92.0 % alike"));
}

#[tokio::test]
async fn keeping_a_picture_under_another_class_than_it_was_posted_under_says_which() {
    let bench = Bench::new(&["a"]);
    let ruling = Ruling::Keep { label: label("dog") };
    let verdict = Verdict { ruling, leak_group: blob("a") };
    bench.store().put_notes(&[(blob("a"), verdict)]).unwrap();
    let page = bench.serve().await;

    let shown = page.get("api/queue/audit?n=9").await;
    let keep = json!({ "name": "1", "said": [{ "picture": blob("a"), "decision": "keep" }] });
    let (status, _) = page.post("api/decide/audit", &keep).await;

    let proposal = &shown["items"][0]["keep"];
    assert_eq!((&proposal["decision"], &proposal["label"]), (&json!("relabel"), &json!("dog")));
    assert_eq!(status, 422, "to keep would say cat");
}
