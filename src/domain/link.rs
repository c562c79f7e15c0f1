//! Where a post's pictures are, and what fetching one brought.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    id::{BlobId, Label, Place, PostId},
    outcome::Reject,
    sha256::Sha256,
};

/// Names one picture of one post: the post and the picture's place in it, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkId {
    pub post: PostId,
    pub index: u16,
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.post, self.index)
    }
}

/// The address of one picture in canonical form; equal addresses are fetched once.
///
/// `https:` for pictures on the net, `file:` for pictures on this machine. Pictures of a demo
/// site carry the site's name in front (`demo+https:`), so they never mix with the real hosts'.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaUrl(pub String);

impl fmt::Display for MediaUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One picture a post points at, not yet fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaLink {
    pub url: MediaUrl,
    /// For a file of this machine: the digest it had when it was listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<BlobId>,
    /// Of the file that is meant, where a list tells: other bytes are not that picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The site's own copy, smaller and re-encoded, for when the address leads nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<MediaUrl>,
    #[serde(default)]
    pub quality: Quality,
}

impl MediaLink {
    /// Points at the picture as it was posted.
    pub fn to(url: MediaUrl) -> Self {
        Self { url, digest: None, sha256: None, fallback: None, quality: Quality::Original }
    }
}

/// Whether a picture is as it was posted, or the smaller copy the site shows beside the post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    #[default]
    Original,
    Preview,
}

/// The class a post belongs to and all its pictures, in order: each a link, or the reason it
/// cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    pub label: Label,
    /// The listed place whose rules the post satisfied.
    pub place: Place,
    pub origin: Origin,
    pub items: Vec<Resolved>,
}

/// How the pictures came to the post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Single,
    Gallery,
    Crosspost,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolved {
    Link(MediaLink),
    Rejected(Reject),
}

/// A fetched picture: where its bytes went and what it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    pub blob: BlobId,
    pub size_bytes: u64,
    /// Where the bytes came from after redirects.
    pub final_url: String,
    /// Seconds since 1970-01-01 UTC.
    pub retrieved_at: i64,
    /// What went wrong before it went right.
    pub troubles: BTreeSet<Trouble>,
    #[serde(default)]
    pub quality: Quality,
    #[serde(default, skip_serializing_if = "Validators::is_empty")]
    pub validators: Validators,
}

/// By what a host can tell later whether a file is still the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Validators {
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

/// A passing trouble of the net, healed by trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// 429: the host asked us to wait.
    Throttled,
    /// The body ended before its announced length.
    Truncated,
    /// No byte for longer than the stall limit.
    Stalled,
    /// 5xx.
    ServerError,
    /// The connection failed or broke.
    Connection,
    /// The host had not answered others for a long time, so it was not asked.
    HostDown,
}

/// A word that names no trouble.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no trouble of the net: there are {}", Trouble::ALL.map(Trouble::word).join(", "))]
pub struct NotATrouble {
    word: String,
}

impl Trouble {
    pub const ALL: [Self; 6] = [
        Self::Throttled,
        Self::Truncated,
        Self::Stalled,
        Self::ServerError,
        Self::Connection,
        Self::HostDown,
    ];

    /// Returns the word people type to mean this trouble.
    pub fn word(self) -> &'static str {
        match self {
            Self::Throttled => "429",
            Self::Truncated => "cut",
            Self::Stalled => "timeout",
            Self::ServerError => "5xx",
            Self::Connection => "connection",
            Self::HostDown => "host-down",
        }
    }
}

impl FromStr for Trouble {
    type Err = NotATrouble;

    fn from_str(word: &str) -> Result<Self, NotATrouble> {
        let known = Self::ALL.into_iter().find(|trouble| trouble.word() == word);
        known.ok_or_else(|| NotATrouble { word: word.to_owned() })
    }
}
