use super::*;
use crate::domain::{
    listing::{Order, Period, Subject},
    post::{GalleryItem, Media},
};

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

    let of_link = |url: &str| Media::link(url.to_owned());
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
        sha256: None,
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
    let long = "0123456789012345678901";
    for bad in ["../x", "a?b", "a", "u_name", "U_name", "t\u{e4}nks", "a b", "_a", "a+b", long] {
        assert_eq!(Subreddit::new(bad), None, "{bad}");
    }
    assert_eq!(Subreddit::new("TankPorn").unwrap().name(), "TankPorn");
}

#[test]
fn what_a_post_tells_besides_its_pictures_is_kept() {
    let (_, post) = read(&serde_json::json!({
        "id": "a", "title": "T &amp; U", "author": "[deleted]", "created_utc": "1420070400",
        "score": 12, "upvote_ratio": 0.876, "link_flair_text": "Own &lt;3", "over_18": true,
        "url": "https://elsewhere.example/x",
        "preview": {"images": [{
            "source": {"url": "https://external-preview.redd.it/x.jpg?a=1&amp;s=2"},
            "variants": {"nsfw": {"source": {"url": "https://preview.redd.it/blurred"}}}
        }]}
    }));

    assert_eq!(post.title, "T & U");
    assert_eq!(post.author, None);
    assert_eq!(post.created_utc, Some(1_420_070_400));
    assert_eq!((post.score, post.upvote_percent), (Some(12), Some(88)));
    assert_eq!(post.flair.as_deref(), Some("Own <3"));
    assert!(post.over_18);
    let preview = "https://external-preview.redd.it/x.jpg?a=1&s=2";
    assert_eq!(post.preview.as_deref(), Some(preview));
}

#[test]
fn a_gallery_that_lost_one_of_its_tables_keeps_what_the_other_tells() {
    let no_order = media(&serde_json::json!({
        "id": "a", "is_gallery": true, "gallery_data": null,
        "media_metadata": {"b": {"status": "valid", "e": "Image", "m": "image/png"},
            "z": {"status": "valid", "s": {"u": "https://preview.redd.it/z.jpg"}}}
    }));
    let odd_entries = media(&serde_json::json!({
        "id": "a", "is_gallery": true,
        "gallery_data": {"items": [{"media_id": 7}, {"media_id": "z", "caption": "first"}, "?"]},
        "media_metadata": {"z": {"status": "valid", "e": "RedditVideo", "hlsUrl": "x"}}
    }));

    let item = |url: Option<&str>, status: &str, caption: Option<&str>| GalleryItem {
        url: url.map(str::to_owned),
        status: status.to_owned(),
        caption: caption.map(str::to_owned),
        sha256: None,
    };
    let z = item(Some("https://preview.redd.it/z.jpg"), "valid", None);
    let b = item(Some("https://i.redd.it/b.png"), "valid", None);
    assert_eq!(no_order, Media::Gallery { items: vec![b, z] });
    let missing = item(None, "missing", None);
    let video = item(None, "video", Some("first"));
    assert_eq!(odd_entries, Media::Gallery { items: vec![missing.clone(), video, missing] });
}

#[test]
fn a_page_loses_only_the_children_that_are_no_posts() {
    let page = |children: &str| {
        let body = format!("{{\"data\":{{\"after\":\"t3_b\",\"children\":[{children}]}}}}");
        read_page(body.as_bytes(), &Place("r/x".to_owned()), Site::Reddit).unwrap()
    };
    let good = r#"{"kind":"t3","data":{"id":"a","brand_new_field":{"x":[1]}}}"#;
    let odd = [
        r#"{"kind":"t5","data":{"id":"s"}}"#,
        r#"{"kind":"t1","data":{"id":"c"}}"#,
        r#"{"kind":"t3","data":{"id":"p","promoted":true}}"#,
        r#"{"kind":"t3","data":{"id":17}}"#,
        r#"{"kind":"t3"}"#,
        r#"{"kind":null,"data":{}}"#,
        "null",
    ];

    let read = page(&format!("{good},{},{good}", odd.join(",")));

    let names: Vec<&str> = read.posts.iter().map(|(id, _)| id.0.as_str()).collect();
    assert_eq!(names, ["reddit:t3_a", "reddit:t3_a"]);
    assert_eq!(read.unreadable.len(), odd.len());
    assert_eq!(read.next.as_deref(), Some("t3_b"));
}

#[test]
fn an_answer_that_is_no_listing_is_told_from_one_that_is_empty() {
    let read = |body: &[u8]| read_page(body, &Place("r/x".to_owned()), Site::Reddit);

    let whole = br#"{"kind":"Listing","data":{"after":null,"children":[]}}"#;
    assert_eq!(read(whole).unwrap(), Page::default());
    let cut = &whole[..30];
    for bad in [b"<html>".as_slice(), b"", cut, b"{\"error\":500}", b"[]", b"{\"data\":{}}"] {
        assert!(read(bad).is_err(), "{:?}", String::from_utf8_lossy(bad));
    }
    let odd_letter =
        b"{\"data\":{\"children\":[{\"kind\":\"t3\",\"data\":{\"id\":\"a\",\"title\":\"\xff\"}}]}}";
    assert_eq!(read(odd_letter).unwrap().posts[0].1.title, "\u{fffd}");
}

#[test]
fn a_bookmark_or_a_search_cannot_reach_beyond_its_parameter() {
    let subreddit = Subreddit::new("tanks").unwrap();
    let subject = Subject { flair: Some("a&b=c#d".to_owned()), words: Vec::new() };
    let query = Query { subject, order: Order::Top, period: Period::Week };

    let url = address(&subreddit, &Angle::Search(query), Some("t3_a&limit=1/../x"));

    assert_eq!((url.host_str(), url.path()), (Some("oauth.reddit.com"), "/r/tanks/search"));
    let pairs: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let told = |name: &str| pairs[name].as_str();
    assert_eq!(told("q"), "flair:\"a&b=c#d\"");
    assert_eq!((told("sort"), told("t"), told("restrict_sr")), ("top", "week", "1"));
    assert_eq!((told("limit"), told("after")), ("100", "t3_a&limit=1/../x"));
    assert_eq!(url.fragment(), None);
}

#[test]
fn a_kept_page_can_be_freed_of_posts_that_were_deleted() {
    let body = br#"{"kind":"Listing","data":{"after":"t3_c","children":[
        {"kind":"t3","data":{"name":"t3_a","id":"a"}},
        {"kind":"t3","data":{"name":"t3_b","id":"b","crosspost_parent":"t3_a"}},
        {"kind":"t3","data":{"name":"t3_c","id":"c"}}]}}"#;

    let without = page_without(body, |name| name == "t3_a").unwrap().unwrap();

    let page = read_page(&without, &Place("r/x".to_owned()), Site::Reddit).unwrap();
    assert_eq!(page.posts.len(), 1);
    assert_eq!(page.next.as_deref(), Some("t3_c"));
    assert!(!String::from_utf8(without).unwrap().contains("t3_a"));
    assert_eq!(page_without(body, |name| name == "t3_x").unwrap(), None);
}

mod recorded;
