use super::*;
use crate::domain::post::{GalleryItem, Media};

fn read(json: &serde_json::Value) -> (String, crate::domain::post::Post) {
    post::read(&json.to_string(), &Place("r/tanks".to_owned())).unwrap()
}

fn media(json: &serde_json::Value) -> Media {
    read(json).1.media
}

#[test]
fn a_post_with_nothing_but_an_id_is_read() {
    let (name, post) = read(&serde_json::json!({"id": "abc", "thumbnail": null, "score": "x"}));

    assert_eq!((name.as_str(), post.media), ("t3_abc", Media::Text));
    assert_eq!(post.permalink, "https://www.reddit.com/comments/abc");
}

#[test]
fn what_a_post_shows_is_decided_in_reddits_own_order() {
    let link = media(&serde_json::json!({"id": "a", "url": "https://i.redd.it/a.jpg?x=1&amp;y=2"}));
    let video =
        media(&serde_json::json!({"id": "a", "is_video": true, "url": "https://v.redd.it/a"}));
    let removed = media(&serde_json::json!({
        "id": "a", "removed_by_category": "moderator", "url": "https://i.redd.it/a.jpg"
    }));
    let crosspost = media(&serde_json::json!({
        "id": "a", "crosspost_parent": "t3_p", "crosspost_parent_list": [
            {"id": "p", "name": "t3_p", "url": "https://i.redd.it/p.jpg"}
        ]
    }));

    let of_link = |url: &str| Media::Link { url: url.to_owned() };
    assert_eq!(link, of_link("https://i.redd.it/a.jpg?x=1&y=2"));
    assert_eq!(video, Media::Video);
    assert_eq!(removed, Media::Removed { by: "moderator".to_owned() });
    let parent = Box::new(of_link("https://i.redd.it/p.jpg"));
    assert_eq!(crosspost, Media::Crosspost { of: "t3_p".to_owned(), media: parent });
}

#[test]
fn a_gallery_keeps_its_order_and_its_failures() {
    let gallery = media(&serde_json::json!({
        "id": "a", "is_gallery": true,
        "gallery_data": {"items": [{"media_id": "z"}, {"media_id": "b"}, {"media_id": "gone"}]},
        "media_metadata": {
            "b": {"status": "failed"},
            "z": {"status": "valid", "s": {"u": "https://preview.redd.it/z.jpg?s=1&amp;w=2"}}
        }
    }));

    let item = |url: Option<&str>, status: &str| GalleryItem {
        url: url.map(str::to_owned),
        status: status.to_owned(),
        caption: None,
    };
    assert_eq!(
        gallery,
        Media::Gallery {
            items: vec![
                item(Some("https://preview.redd.it/z.jpg?s=1&w=2"), "valid"),
                item(None, "failed"),
                item(None, "missing"),
            ]
        }
    );
}

#[test]
fn a_gallery_without_its_tables_is_an_empty_gallery() {
    let gallery = media(&serde_json::json!({
        "id": "a", "is_gallery": true, "gallery_data": null, "media_metadata": null
    }));
    assert_eq!(gallery, Media::Gallery { items: Vec::new() });
}

#[test]
fn a_name_that_could_leave_its_place_in_the_address_is_refused() {
    for bad in ["../x", "a?b", "a", "u_", "t\u{e4}nks", "a b", "0123456789012345678901"] {
        let refused = Subreddit::new(bad).is_none();
        assert!(refused || bad == "u_", "{bad}");
    }
    assert_eq!(Subreddit::new("TankPorn").unwrap().name(), "TankPorn");
}

fn answer(used: f64, remaining: f64, reset: f64) -> Answer {
    Answer {
        status: 200,
        body: Vec::new(),
        location: None,
        retry_after: None,
        rate_used: Some(used),
        rate_remaining: Some(remaining),
        rate_reset: Some(reset),
    }
}

#[test]
fn requests_are_spread_over_the_window() {
    assert_eq!(pause(&answer(10.0, 990.0, 500.0)), Duration::ZERO, "slower than allowed");
    assert_eq!(pause(&answer(500.0, 500.0, 305.0)), Duration::from_secs(5), "ahead of the window");
    assert_eq!(pause(&answer(990.0, 10.0, 590.0)), Duration::from_secs(10), "far ahead");
    assert_eq!(pause(&answer(1000.0, 0.0, 185.0)), Duration::from_secs(185), "used up");
    let silent = Answer { rate_remaining: None, ..answer(0.0, 0.0, 0.0) };
    assert_eq!(pause(&silent), Duration::from_secs(1), "no word about a limit");
}

#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn recorded_answers_of_the_real_site_are_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/reddit");
    if !folder.exists() {
        eprintln!("skipped: the recorded answers are not beside this checkout");
        return;
    }
    let mut kinds = std::collections::BTreeMap::new();
    for (file, wanted) in
        [("gallery", "gallery"), ("crosspost", "crosspost"), ("video", "video"), ("gifv", "link")]
    {
        let text = std::fs::read_to_string(folder.join(format!("{file}.ndjson"))).unwrap();
        for line in text.lines() {
            let (_, post) = post::read(line, &Place("r/x".to_owned())).unwrap();
            let kind = match post.media {
                Media::Gallery { items } if !items.is_empty() => "gallery",
                Media::Crosspost { .. } => "crosspost",
                Media::Video => "video",
                Media::Link { .. } => "link",
                Media::Gallery { .. }
                | Media::Text
                | Media::Removed { .. }
                | Media::File { .. }
                | Media::Packed { .. } => "other",
            };
            *kinds.entry((file, kind == wanted)).or_insert(0) += 1;
        }
    }
    assert!(kinds.keys().all(|(_, as_wanted)| *as_wanted), "{kinds:?}");
    assert_eq!(kinds.len(), 4);
}
