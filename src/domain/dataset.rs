//! The finished dataset as a list: what every export, the trainer and the report read.

use serde::{Deserialize, Serialize};

use super::{
    fingerprint::PerceptualHash,
    id::{BlobId, Label, PostId},
    link::MediaUrl,
    picture::Crop,
    split::Split,
};

/// One picture of the dataset, with all that is known of where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    pub blob: BlobId,
    pub label: Label,
    pub split: Split,
    pub crop: Crop,
    pub hash: PerceptualHash,
    pub source_width_px: u32,
    pub source_height_px: u32,
    pub leak_group: BlobId,
    pub provenance: Provenance,
}

/// Who posted a picture where: the earliest post of the best-loved copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    pub post: PostId,
    pub index: u16,
    pub place: String,
    pub title: String,
    pub author: Option<String>,
    pub permalink: String,
    pub url: MediaUrl,
    /// Seconds since 1970-01-01 UTC; a file of this machine does not tell.
    pub created_utc: Option<i64>,
    pub score: i64,
}

impl Picture {
    /// Returns the name of the prepared file: stable while the picture stays in its class.
    pub fn file_name(&self) -> String {
        self.crop.file_name(&self.label, &self.blob)
    }
}

/// What became of everything, in the order it happened: the data of every summary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    pub steps: Vec<FunnelStep>,
}

/// One narrowing: how many arrived and why the others left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelStep {
    /// What is counted, in the plural: `posts`, `links`, `pictures`.
    pub name: String,
    pub count: u64,
    /// Reason and number of those that did not reach the next step, largest first.
    pub lost: Vec<(String, u64)>,
}
