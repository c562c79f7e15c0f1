//! A post: who showed what where, and what it says its pictures are.

use serde::{Deserialize, Serialize};

use super::id::{BlobId, Place};

/// One post of one place, as its source told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Post {
    pub place: Place,
    pub title: String,
    pub author: Option<String>,
    /// An address a person can open, or the path of a file.
    pub permalink: String,
    /// Seconds since 1970-01-01 UTC, if the source tells.
    pub created_utc: Option<i64>,
    pub score: i64,
    pub over_18: bool,
    pub media: Media,
}

/// What a post says it shows, before any rule decides what can be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// An address: a picture, a page, a video, anything.
    Link {
        url: String,
    },
    Gallery {
        items: Vec<GalleryItem>,
    },
    Crosspost {
        of: String,
        media: Box<Media>,
    },
    Video,
    Text,
    Removed {
        by: String,
    },
    /// A picture on this machine; the digest makes a changed file a changed post.
    File {
        path: String,
        digest: BlobId,
    },
}

/// One picture of a gallery, in the gallery's order; no address if the site never made one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GalleryItem {
    pub url: Option<String>,
    pub status: String,
}
