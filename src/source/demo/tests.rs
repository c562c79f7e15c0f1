use std::{path::Path, time::Duration};

use reqwest::{Client, Response, StatusCode, redirect};
use serde_json::Value;

use super::*;

mod archived;
mod faults;
mod gone;
mod large;
mod logins;

const STALL_MS: u64 = 300;

/// A site and a client that reaches it under the hosts' own names.
struct Visit {
    site: Site,
    client: Client,
    token: String,
    folder: tempfile::TempDir,
}

impl Visit {
    async fn begin() -> Self {
        Self::to(BTreeMap::new()).await
    }

    async fn to(posts: BTreeMap<String, usize>) -> Self {
        Self::of(SiteOptions { posts, ..SiteOptions::default() }).await
    }

    async fn of(options: SiteOptions) -> Self {
        // Another test of this process may have been first.
        _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let log = Some(folder.path().join("requests.log"));
        let options = SiteOptions { log, stall_ms: STALL_MS, ..options };
        let site = Site::start(options).await.unwrap();
        let root = reqwest::Certificate::from_pem(site.root_pem.as_bytes()).unwrap();
        let mut builder =
            Client::builder().no_proxy().redirect(redirect::Policy::none()).tls_certs_only([root]);
        for host in HOSTS {
            builder = builder.resolve(host, site.addr);
        }
        let client = builder.build().unwrap();
        let token = token(&client, &[("grant_type", "client_credentials")]).await;
        let token = token["access_token"].as_str().unwrap_or_default().to_owned();
        Self { site, client, token, folder }
    }

    async fn api(&self, path: &str) -> Response {
        let url = format!("https://oauth.reddit.com{path}");
        self.client.get(url).bearer_auth(&self.token).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let reply = self.api(path).await;
        assert_eq!(reply.status(), StatusCode::OK, "{path}");
        serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap()
    }

    async fn get(&self, url: &str) -> Response {
        self.client.get(url).send().await.unwrap()
    }

    fn log(&self) -> Vec<String> {
        let path: &Path = &self.folder.path().join("requests.log");
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }
}

async fn token(client: &Client, form: &[(&str, &str)]) -> Value {
    let request = client.post("https://www.reddit.com/api/v1/access_token").form(form);
    let reply = request.basic_auth("id", Some("secret")).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    reply.json().await.unwrap()
}

/// Returns width and height of a picture that can be decoded.
fn size_px(bytes: &[u8]) -> Option<(u32, u32)> {
    let picture = image::load_from_memory(bytes).ok()?;
    Some((picture.width(), picture.height()))
}

/// Returns the plain address of the first plant of a kind among the beetles.
fn planted_url(kind: PlantKind) -> String {
    let plants = planted("beetles", 300).plants;
    let plant = plants.into_iter().find(|plant| plant.kind == kind).unwrap();
    plant.url.unwrap().0.strip_prefix("demo+").unwrap().to_owned()
}

#[tokio::test]
async fn a_listing_is_paged_to_its_end_over_tls() {
    let visit = Visit::to(BTreeMap::from([("fish".to_owned(), 230)])).await;
    let mut names = Vec::new();
    let mut sizes = Vec::new();
    let mut after = String::new();

    loop {
        let path = format!("/r/fish/new.json?raw_json=1&limit=500{after}");
        let page = visit.json(&path).await;
        let children = page["data"]["children"].as_array().unwrap();
        sizes.push(children.len());
        names.extend(children.iter().map(|c| c["data"]["name"].as_str().unwrap().to_owned()));
        let Some(last) = page["data"]["after"].as_str() else { break };
        after = format!("&after={last}");
    }

    let entries = catalogue::of_class(Class::Fish, 230);
    assert_eq!(sizes, [100, 100, 30]);
    assert_eq!(names, entries.iter().rev().map(Entry::name).collect::<Vec<_>>());
    assert_eq!(visit.site.requests(), 4);
}

#[tokio::test]
async fn a_listing_ends_after_a_thousand_posts() {
    let visit = Visit::to(BTreeMap::from([("fish".to_owned(), 1_050)])).await;
    let deepest = catalogue::of_class(Class::Fish, 1_050)[51].name();

    let page = visit.json(&format!("/r/fish/new?limit=100&after={deepest}")).await;

    assert_eq!(page["data"]["dist"], 1);
    assert_eq!(page["data"]["after"], Value::Null);
}

#[tokio::test]
async fn an_unknown_token_gets_a_page_and_a_hint() {
    let mut visit = Visit::begin().await;
    visit.token = "stale".to_owned();

    let reply = visit.api("/r/fish/new").await;

    let hint = reply.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert_eq!((reply.status(), hint.contains("invalid_token")), (StatusCode::UNAUTHORIZED, true));
    assert!(reply.text().await.unwrap().starts_with("<!doctype html>"));
}

#[tokio::test]
async fn ampersands_come_escaped_unless_raw_json_is_asked_for() {
    let visit = Visit::begin().await;
    let text = |page: Value| page.pointer("/data/children").unwrap().to_string();

    let escaped = text(visit.json("/r/fish/new?limit=100").await);
    let raw = text(visit.json("/r/fish/new?limit=100&raw_json=1").await);

    assert!(escaped.contains("Stripes &amp; fins") && !escaped.contains("Stripes & fins"));
    assert!(raw.contains("Stripes & fins") && !raw.contains("&amp;"));
}

#[tokio::test]
async fn subreddits_in_trouble_answer_as_the_real_ones() {
    let visit = Visit::begin().await;
    let mut statuses = Vec::new();
    let doors = ["private", "banned", "nowhere", "html"];
    let passing = ["limited", "limited", "limited", "flaky", "flaky", "flaky", "sparse", "expired"];

    for name in doors.into_iter().chain(passing) {
        let reply = visit.api(&format!("/r/{name}/new")).await;
        statuses.push(reply.status().as_u16());
    }

    assert_eq!(statuses, [403, 404, 302, 200, 429, 429, 200, 500, 500, 200, 200, 401]);
    let reply = visit.api("/r/expired/new").await;
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED, "the old token came back to life");
}

#[tokio::test]
async fn a_sparse_listing_has_eight_good_posts_among_odd_ones() {
    let visit = Visit::begin().await;

    let page = visit.json("/r/sparse/new").await;

    let children = page["data"]["children"].as_array().unwrap();
    let good = children.iter().filter(|child| child["data"]["url"].is_string());
    assert_eq!((children.len(), good.count()), (10, 8));
    assert!(children.iter().any(|child| child["kind"] == "t5"));
    assert!(children.iter().any(|child| child["data"]["thumbnail"].is_null()));
}

#[tokio::test]
async fn single_posts_are_found_by_name_in_the_order_asked() {
    let visit = Visit::begin().await;
    let beetle = catalogue::of_class(Class::Beetles, 300)[7].name();
    let fish = catalogue::of_class(Class::Fish, 300)[299].name();

    let page = visit.json(&format!("/api/info?id={fish},t3_nobody,{beetle}")).await;

    let children = page["data"]["children"].as_array().unwrap();
    let names: Vec<_> = children.iter().map(|c| c["data"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, [fish, beetle]);
}

#[tokio::test]
async fn the_limits_are_told_with_every_listing() {
    let visit = Visit::begin().await;

    let reply = visit.api("/r/fish/new?limit=1").await;

    let header = |name: &str| reply.headers()[name].to_str().unwrap().to_owned();
    let told = ["used", "remaining", "reset"].map(|part| header(&format!("x-ratelimit-{part}")));
    assert_eq!(told, ["1", "999.0", "300"]);
}

#[tokio::test]
async fn a_picture_is_known_again_by_its_tag() {
    let visit = Visit::begin().await;
    let url = planted_url(PlantKind::ExactRepost);
    let first = visit.get(&url).await;
    let tag = first.headers()["etag"].clone();
    let announced = first.content_length();
    let bytes = first.bytes().await.unwrap();

    let again = visit.client.get(&url).header("if-none-match", tag).send().await.unwrap();

    assert_eq!(announced, u64::try_from(bytes.len()).ok());
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert!(image::load_from_memory(&bytes).is_ok());
}

#[tokio::test]
async fn an_exact_repost_has_the_bytes_of_its_original() {
    let visit = Visit::begin().await;
    let plants = planted("beetles", 300).plants;
    let plant = plants.iter().find(|plant| plant.kind == PlantKind::ExactRepost).unwrap();
    let plain = |url: &Option<MediaUrl>| url.as_ref().unwrap().0["demo+".len()..].to_owned();

    let copy = visit.get(&plain(&plant.url)).await.bytes().await.unwrap();
    let original = visit.get(&plain(&plant.original)).await.bytes().await.unwrap();

    assert_ne!(plant.url, plant.original);
    assert_eq!(copy, original);
}

#[tokio::test]
async fn a_cut_body_is_whole_the_second_time() {
    let visit = Visit::begin().await;
    let url = planted_url(PlantKind::CutBody);

    let first = visit.get(&url).await;
    let announced = first.content_length().unwrap();
    let first = first.bytes().await;
    let second = visit.get(&url).await.bytes().await.unwrap();

    assert!(first.is_err());
    assert_eq!(u64::try_from(second.len()).unwrap(), announced);
    let sent: Vec<String> =
        visit.log()[1..].iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(sent, [(announced / 2).to_string(), announced.to_string()]);
}

#[tokio::test]
async fn the_slow_host_stalls_once() {
    let visit = Visit::begin().await;
    let url = planted_url(PlantKind::SlowHost);
    let first = visit.get(&url).await;
    let status = first.status();

    let impatient = tokio::time::timeout(Duration::from_millis(STALL_MS / 3), first.bytes()).await;
    let second = visit.get(&url).await.bytes().await.unwrap();

    assert_eq!((status, impatient.is_err()), (StatusCode::OK, true));
    assert!(image::load_from_memory(&second).is_ok());
}

#[tokio::test]
async fn a_throttled_picture_comes_after_a_pause() {
    let visit = Visit::begin().await;
    let url = planted_url(PlantKind::Throttled);

    let first = visit.get(&url).await;
    let second = visit.get(&url).await;

    assert_eq!(first.headers()["retry-after"], "1");
    assert_eq!([first.status().as_u16(), second.status().as_u16()], [429, 200]);
}

#[tokio::test]
async fn lost_pictures_are_lost_in_four_ways() {
    let visit = Visit::begin().await;

    let missing = visit.get(&planted_url(PlantKind::NotFound)).await;
    let moved = visit.get(&planted_url(PlantKind::Placeholder)).await;
    let page = visit.get(&planted_url(PlantKind::HtmlAsJpeg)).await;
    let broken = visit.get(&planted_url(PlantKind::BrokenFile)).await;

    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(moved.headers()["location"], "https://i.imgur.com/removed.png");
    assert_eq!(page.headers()["content-type"], "image/jpeg");
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
    let address = broken.url().clone();
    let broken = broken.bytes().await.unwrap();
    let entries = catalogue::of_class(Class::Beetles, 300);
    let shot = entries
        .iter()
        .flat_map(Entry::shots)
        .find(|shot| address.as_str() == shot.address.to_string());
    assert_eq!(broken.len(), shot.unwrap().subject.draw().len() * 3 / 5);
}

#[tokio::test]
async fn a_browser_gets_a_page_around_the_picture() {
    let visit = Visit::begin().await;
    let url = planted_url(PlantKind::Cropped);
    let plants = planted("beetles", 300).plants;
    assert!(url.starts_with("https://i.redd.it/"), "choose another plant of {}", plants.len());

    let reply = visit.client.get(&url).header("accept", "text/html,*/*").send().await.unwrap();

    assert!(reply.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
}

#[tokio::test]
async fn a_signed_preview_is_a_smaller_copy() {
    let visit = Visit::begin().await;
    let page = visit.json("/r/beetles/new?limit=100&raw_json=1").await;
    let children = page["data"]["children"].as_array().unwrap();
    let post = children.iter().find(|child| child["data"]["preview"].is_object()).unwrap();
    let smallest = post.pointer("/data/preview/images/0/resolutions/0/url").unwrap();
    let url = smallest.as_str().unwrap();

    let signed = visit.get(url).await.bytes().await.unwrap();
    let unsigned = visit.get(url.split('?').next().unwrap()).await;

    assert_eq!(image::load_from_memory(&signed).unwrap().width(), 108);
    assert_eq!(unsigned.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_gallery_lists_its_pictures_and_the_one_that_failed() {
    let visit = Visit::begin().await;
    let entries = catalogue::of_class(Class::Beetles, 300);
    let with_failed =
        |entry: &&Entry| matches!(entry.shows, Shows::Gallery { failed: Some(_), .. });
    let entry = entries.iter().find(with_failed).unwrap();

    let page = visit.json(&format!("/api/info?raw_json=1&id={}", entry.name())).await;

    let post = page.pointer("/data/children/0/data").unwrap();
    let items = post["gallery_data"]["items"].as_array().unwrap();
    let statuses = items.iter().map(|item| {
        let id = item["media_id"].as_str().unwrap();
        post["media_metadata"][id]["status"].as_str().unwrap()
    });
    let expected = std::iter::repeat_n("valid", entry.shots().len()).chain(["failed"]);
    assert_eq!(statuses.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_dropped_site_answers_nobody() {
    let visit = Visit::begin().await;
    let Visit { site, client, .. } = visit;
    drop(site);

    let reply = client.get("https://i.redd.it/x.jpg").send().await;

    assert!(reply.is_err());
}

#[test]
fn the_plants_of_a_shorter_site_come_first() {
    let (short, long) = (planted("fish", 300).plants, planted("fish", 330).plants);
    assert_eq!(short[..], long[..short.len()]);
    assert_eq!(short.len(), 105);
}

#[test]
fn classes_names_every_class() {
    assert_eq!(classes(), Class::ALL.map(Class::name));
}
