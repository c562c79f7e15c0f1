//! Where a post's pictures are, and what fetching one brought.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{
    id::{BlobId, PostId},
    outcome::Reject,
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
}

/// All pictures of one post, in order: each a link, or the reason it cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
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
}
