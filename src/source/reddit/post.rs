//! One post as Reddit's JSON tells it, read leniently: of a decade's worth of shapes, only what
//! we need, and nothing but the id is required. What is not needed is passed over unparsed, for
//! dumps hold millions of posts.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, de::Error};
use serde_json::value::RawValue;

use super::{gallery, scalar::Scalar};
use crate::domain::{
    id::Place,
    post::{Media, Post, Teller},
};

#[derive(Deserialize)]
struct RawPost<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    title: Scalar<'a>,
    #[serde(borrow, default)]
    author: Scalar<'a>,
    #[serde(borrow, default)]
    permalink: Scalar<'a>,
    #[serde(borrow, default)]
    created_utc: Scalar<'a>,
    #[serde(borrow, default)]
    score: Scalar<'a>,
    #[serde(borrow, default)]
    upvote_ratio: Scalar<'a>,
    #[serde(borrow, default)]
    link_flair_text: Scalar<'a>,
    #[serde(borrow, default)]
    over_18: Scalar<'a>,
    #[serde(borrow, default)]
    promoted: Scalar<'a>,
    #[serde(borrow, default)]
    removed_by_category: Scalar<'a>,
    #[serde(borrow, default)]
    preview: Option<&'a RawValue>,
    #[serde(borrow, default)]
    url: Scalar<'a>,
    #[serde(borrow, default)]
    url_overridden_by_dest: Scalar<'a>,
    #[serde(borrow, default)]
    domain: Scalar<'a>,
    #[serde(borrow, default)]
    is_self: Scalar<'a>,
    #[serde(borrow, default)]
    is_video: Scalar<'a>,
    #[serde(borrow, default)]
    is_gallery: Scalar<'a>,
    #[serde(borrow, default)]
    gallery_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    media_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    crosspost_parent: Scalar<'a>,
    #[serde(borrow, default)]
    crosspost_parent_list: Option<&'a RawValue>,
}

/// How a post that is known stands with Reddit now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    There,
    /// By its author.
    Deleted,
    /// By somebody else.
    Removed {
        by: String,
    },
    /// Reddit does not know it any more, or never did.
    Unknown,
}

/// What the site leaves of a title when its author takes a post away.
const DELETED_TITLE: &str = "[deleted by user]";

/// Reads one post; returns its full name, `t3_…`, and what we keep of it.
pub(in crate::source) fn read(
    json: &str,
    place: &Place,
) -> Result<(String, Post), serde_json::Error> {
    let raw: RawPost<'_> = serde_json::from_str(json)?;
    if raw.promoted.is_true() {
        return Err(Error::custom("an advertisement is no post"));
    }
    let media = match standing_of(&raw) {
        Standing::There | Standing::Unknown => shown(&raw, Depth::Post),
        Standing::Deleted => Media::Removed { by: "deleted".to_owned() },
        Standing::Removed { by } => Media::Removed { by },
    };
    let post = Post {
        places: BTreeSet::from([place.clone()]),
        title: raw.title.text().map(unescape).unwrap_or_default(),
        author: raw.author.text().filter(|it| *it != "[deleted]").map(str::to_owned),
        permalink: raw.permalink.text().map_or_else(
            || format!("https://www.reddit.com/comments/{}", raw.id),
            |path| format!("https://www.reddit.com{path}"),
        ),
        created_utc: raw.created_utc.number().map(whole),
        score: raw.score.number().map(whole),
        upvote_percent: raw.upvote_ratio.number().map(percent),
        flair: raw.link_flair_text.text().map(unescape).filter(|it| !it.trim().is_empty()),
        over_18: raw.over_18.is_true(),
        media,
        preview: preview(&raw),
        told_by: Teller::Live,
    };
    Ok((fullname(raw.id), post))
}

/// Reads how one post stands; returns its full name as well.
pub(super) fn standing(json: &str) -> Result<(String, Standing), serde_json::Error> {
    let raw: RawPost<'_> = serde_json::from_str(json)?;
    let standing = standing_of(&raw);
    Ok((fullname(raw.id), standing))
}

fn standing_of(raw: &RawPost<'_>) -> Standing {
    match raw.removed_by_category.text() {
        Some("deleted" | "author") => Standing::Deleted,
        Some(by) => Standing::Removed { by: by.to_owned() },
        None if raw.title.text() == Some(DELETED_TITLE) => Standing::Deleted,
        // Without a name but with its content, it is the account that is gone.
        None => Standing::There,
    }
}

fn fullname(id: Cow<'_, str>) -> String {
    if id.starts_with("t3_") { id.into_owned() } else { format!("t3_{id}") }
}

/// Where we are: a crosspost of a crosspost does not occur, and one level keeps hostile answers
/// shallow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Post,
    Parent,
}

/// Decides what a post shows, in the order Reddit itself decides.
fn shown(raw: &RawPost<'_>, depth: Depth) -> Media {
    if depth == Depth::Post
        && let Some(parent) = parent(raw)
    {
        return parent;
    }
    if raw.is_gallery.is_true() || raw.gallery_data.is_some() {
        return Media::Gallery { items: gallery::items(raw.gallery_data, raw.media_metadata) };
    }
    if raw.is_video.is_true() || raw.domain.text() == Some("v.redd.it") {
        return Media::Video;
    }
    if raw.is_self.is_true() {
        return Media::Text;
    }
    match raw.url_overridden_by_dest.text().or(raw.url.text()) {
        Some(url) => Media::link(unescape(url)),
        None => Media::Text,
    }
}

fn parent(raw: &RawPost<'_>) -> Option<Media> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow, default)]
        name: Scalar<'a>,
    }

    let list: Vec<&RawValue> = serde_json::from_str(raw.crosspost_parent_list?.get()).ok()?;
    let json = list.first()?.get();
    let name = || {
        let named: Named<'_> = serde_json::from_str(json).ok()?;
        named.name.text().map(str::to_owned)
    };
    let of = raw.crosspost_parent.text().map(str::to_owned).or_else(name).unwrap_or_default();
    let parent: Option<RawPost<'_>> = serde_json::from_str(json).ok();
    let media = match parent {
        Some(parent) => match standing_of(&parent) {
            Standing::There | Standing::Unknown => shown(&parent, Depth::Parent),
            Standing::Deleted => Media::Removed { by: "deleted".to_owned() },
            Standing::Removed { by } => Media::Removed { by },
        },
        // A parent that cannot be read shows nothing; the crosspost's own address is its page.
        None => Media::Text,
    };
    Some(Media::Crosspost { of, media: Box::new(media) })
}

/// Returns Reddit's own copy of what a post shows, never one that was blurred.
fn preview(raw: &RawPost<'_>) -> Option<String> {
    #[derive(Deserialize)]
    struct Preview<'a> {
        #[serde(borrow)]
        images: Vec<Image<'a>>,
    }

    #[derive(Deserialize)]
    struct Image<'a> {
        #[serde(borrow)]
        source: Source<'a>,
    }

    #[derive(Deserialize)]
    struct Source<'a> {
        #[serde(borrow)]
        url: Cow<'a, str>,
    }

    let preview: Preview<'_> = serde_json::from_str(raw.preview?.get()).ok()?;
    preview.images.first().map(|image| unescape(&image.source.url))
}

/// Undoes the escaping Reddit applies unless asked not to.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what both types can hold")]
fn whole(number: f64) -> i64 {
    number.clamp(-9e15, 9e15) as i64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what both types can hold"
)]
fn percent(ratio: f64) -> u8 {
    (ratio * 100.0).round().clamp(0.0, 100.0) as u8
}
