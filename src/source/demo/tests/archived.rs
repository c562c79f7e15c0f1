//! The archive's stand-in, and the hosts that posts of `elsewhere` lead to.

use super::*;

const ARCHIVE: &str = "https://arctic-shift.photon-reddit.com/api/posts";

impl Visit {
    /// Asks any host and returns the status and the JSON of the answer.
    async fn ask(&self, url: &str) -> (u16, Value) {
        let reply = self.get(url).await;
        let status = reply.status().as_u16();
        (status, serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap_or_default())
    }
}

#[tokio::test]
async fn the_archive_is_read_to_its_end_by_time() {
    let visit = Visit::begin().await;
    let mut ids = Vec::new();
    let mut after = 0;

    loop {
        let path = format!("{ARCHIVE}/search?subreddit=fish&sort=asc&limit=50&after={after}");
        let (_, page) = visit.ask(&path).await;
        let posts = page["data"].as_array().unwrap();
        let Some(last) = posts.last() else { break };
        after = last["created_utc"].as_u64().unwrap();
        ids.extend(posts.iter().map(|post| post["id"].as_str().unwrap().to_owned()));
    }

    let entries = catalogue::of_class(Class::Fish, 300);
    assert_eq!(ids, entries.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_archive_takes_too_long_over_much_at_first() {
    let visit = Visit::begin().await;
    let path = |limit| format!("{ARCHIVE}/search?subreddit=fish&limit={limit}");

    let (first, refusal) = visit.ask(&path("auto")).await;
    let (second, page) = visit.ask(&path("auto")).await;
    let (wrong, _) = visit.ask(&path("101")).await;

    let error = serde_json::json!({ "data": null, "error": "Timeout. Maybe slow down a bit" });
    assert_eq!((first, refusal, second, wrong), (422, error, 200, 400));
    let times: Vec<u64> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["created_utc"].as_u64().unwrap())
        .collect();
    assert_eq!((times.len(), times.is_sorted_by(|a, b| a > b)), (300, true));
}

#[tokio::test]
async fn the_archive_remembers_what_was_deleted() {
    let visit = Visit::begin().await;
    let entries = catalogue::of_class(Class::Fish, 300);
    let entry = entries.iter().find(|entry| matches!(entry.shows, Shows::Picture(_))).unwrap();
    visit.site.delete(&entry.name());

    let (_, found) = visit.ask(&format!("{ARCHIVE}/ids?ids={},t3_nobody", entry.name())).await;

    let posts = found["data"].as_array().unwrap();
    let meta = &posts[0]["_meta"];
    assert_eq!((posts.len(), &posts[0]["url"]), (1, &entry.shots()[0].address.to_string().into()));
    assert_eq!(
        (&meta["was_deleted_later"], &meta["removal_type"]),
        (&true.into(), &"deleted".into())
    );
}

#[tokio::test]
async fn pages_of_another_host_lead_to_its_pictures_under_any_extension() {
    let visit = Visit::begin().await;
    let row = elsewhere::write();
    let shot = &row[0].shots()[0].address;

    let page = visit.get(&format!("https://imgur.com/{}", shot.stem())).await.text().await.unwrap();
    let other = visit.get(&shot.to_string().replace(".jpg", ".png")).await;
    let wrong_case = visit.get(&shot.to_string().replace("/E", "/e")).await;

    assert!(page.contains(&shot.to_string()));
    assert_eq!([other.status(), wrong_case.status()], [StatusCode::OK, StatusCode::NOT_FOUND]);
}

#[tokio::test]
async fn an_album_is_told_to_those_who_say_who_they_are() {
    let visit = Visit::begin().await;
    let url = "https://api.imgur.com/3/album/dEm0A1b";
    let (refused, _) = visit.ask(url).await;

    let reply = visit.client.get(url).header("authorization", "Client-ID demo").send().await;
    let album: Value = reply.unwrap().json().await.unwrap();

    let images = album.pointer("/data/images").unwrap().as_array().unwrap();
    assert_eq!((refused, images.len()), (401, 3));
    for image in images {
        let bytes = visit.get(image["link"].as_str().unwrap()).await.bytes().await.unwrap();
        assert!(size_px(&bytes).is_some());
    }
}

#[tokio::test]
async fn a_lost_picture_is_still_in_a_signed_preview() {
    let visit = Visit::begin().await;
    let page = visit.json("/r/elsewhere/new?raw_json=1").await;
    let post = page.pointer("/data/children/0/data").unwrap();
    let preview = post.pointer("/preview/images/0/source/url").unwrap().as_str().unwrap();

    let lost = visit.get(post["url"].as_str().unwrap()).await.status();
    let unsigned = visit.get(preview.split('?').next().unwrap()).await.status();
    let signed = visit.get(preview).await.bytes().await.unwrap();

    assert_eq!([lost, unsigned], [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN]);
    assert!(size_px(&signed).is_some());
}
