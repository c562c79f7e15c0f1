//! One post as Reddit's JSON tells it, read leniently: of a decade's worth of shapes, only what
//! we need, and nothing but the id is required.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

use crate::domain::{
    id::Place,
    post::{GalleryItem, Media, Post, Teller},
};

/// Any field that is missing, null or of another type than ever seen reads as absent.
fn lenient<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

#[derive(Debug, Deserialize)]
struct RawPost {
    id: String,
    #[serde(default, deserialize_with = "lenient")]
    title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    author: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    permalink: Option<String>,
    #[serde(default)]
    created_utc: Value,
    #[serde(default, deserialize_with = "lenient")]
    score: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    over_18: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    removed_by_category: Option<String>,
    #[serde(flatten)]
    shown: Shown,
}

/// The part that says what a post shows; a crosspost holds its parent's.
#[derive(Debug, Default, Deserialize)]
struct Shown {
    #[serde(default, deserialize_with = "lenient")]
    url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    url_overridden_by_dest: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    domain: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    is_self: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    is_video: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    is_gallery: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    gallery_data: Option<GalleryData>,
    #[serde(default, deserialize_with = "lenient")]
    media_metadata: Option<serde_json::Map<String, Value>>,
    #[serde(default, deserialize_with = "lenient")]
    crosspost_parent: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    crosspost_parent_list: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct GalleryData {
    items: Vec<GalleryEntry>,
}

#[derive(Debug, Deserialize)]
struct GalleryEntry {
    media_id: String,
}

/// Reads one post; returns its full name, `t3_…`, and what we keep of it.
pub(in crate::source) fn read(
    json: &str,
    place: &Place,
) -> Result<(String, Post), serde_json::Error> {
    let raw: RawPost = serde_json::from_str(json)?;
    let author = raw.author.filter(|author| author != "[deleted]");
    let removed = raw.removed_by_category.map(|by| Media::Removed { by });
    let post = Post {
        places: BTreeSet::from([place.clone()]),
        title: raw.title.map(|title| unescape(&title)).unwrap_or_default(),
        permalink: raw.permalink.map_or_else(
            || format!("https://www.reddit.com/comments/{}", raw.id),
            |path| format!("https://www.reddit.com{path}"),
        ),
        created_utc: seconds(&raw.created_utc),
        score: raw.score.map(whole),
        upvote_percent: None,
        flair: None,
        preview: None,
        told_by: Teller::Live,
        over_18: raw.over_18.unwrap_or(false),
        media: removed.unwrap_or_else(|| shown(raw.shown)),
        author,
    };
    let fullname = if raw.id.starts_with("t3_") { raw.id } else { format!("t3_{}", raw.id) };
    Ok((fullname, post))
}

/// Decides what a post shows, in the order Reddit itself decides.
fn shown(raw: Shown) -> Media {
    if let Some(parent) = raw.crosspost_parent_list.and_then(|list| list.into_iter().next()) {
        let id = |parent: &Value| Some(parent.get("name")?.as_str()?.to_owned());
        let of = raw.crosspost_parent.or_else(|| id(&parent)).unwrap_or_default();
        // A crosspost of a crosspost does not occur; one level keeps hostile answers shallow.
        let parent: Shown = serde_json::from_value(parent).unwrap_or_default();
        let media = Box::new(shown(Shown { crosspost_parent_list: None, ..parent }));
        return Media::Crosspost { of, media };
    }
    if raw.is_gallery == Some(true) || raw.gallery_data.is_some() {
        return Media::Gallery { items: gallery(raw.gallery_data, raw.media_metadata.as_ref()) };
    }
    if raw.is_video == Some(true) || raw.domain.as_deref() == Some("v.redd.it") {
        return Media::Video;
    }
    if raw.is_self == Some(true) {
        return Media::Text;
    }
    match raw.url_overridden_by_dest.or(raw.url) {
        Some(url) => Media::Link { url: unescape(&url) },
        None => Media::Text,
    }
}

/// Lists a gallery in its own order; the map beside it has none.
fn gallery(
    data: Option<GalleryData>,
    metadata: Option<&serde_json::Map<String, Value>>,
) -> Vec<GalleryItem> {
    let entries = data.map(|data| data.items).unwrap_or_default();
    let item = |entry: GalleryEntry| {
        let found = metadata.and_then(|metadata| metadata.get(&entry.media_id));
        let text = |name: &str| found.and_then(|it| it.get(name)?.as_str());
        let source = |name: &str| found.and_then(|it| it.get("s")?.get(name)?.as_str());
        let status = text("status").unwrap_or("missing").to_owned();
        let url = source("u").or_else(|| source("gif")).filter(|_| status == "valid");
        GalleryItem { url: url.map(unescape), status, caption: None }
    };
    entries.into_iter().map(item).collect()
}

/// Undoes the escaping Reddit applies unless asked not to.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Old dumps write the time as a string, the API as a float.
fn seconds(value: &Value) -> Option<i64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).map(whole)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what both types can hold")]
fn whole(number: f64) -> i64 {
    number.clamp(-9e15, 9e15) as i64
}
