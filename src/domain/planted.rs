//! What a demo site has planted, so that a run can be compared with the truth.

use serde::{Deserialize, Serialize};

use super::{id::PostId, link::MediaUrl};

/// The truth about one place of a demo site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    pub plants: Vec<Plant>,
}

/// One piece of trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plant {
    pub kind: PlantKind,
    pub post: PostId,
    /// The picture in trouble; `None` where the post itself is the trouble.
    pub url: Option<MediaUrl>,
    /// For copies: the picture it was made from.
    pub original: Option<MediaUrl>,
}

/// The kinds of trouble a demo site knows, in the order reports list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlantKind {
    ExactRepost,
    Reencoded,
    Resized,
    Cropped,
    Watermarked,
    LabelConflict,
    Gallery,
    Crosspost,
    Video,
    Removed,
    Placeholder,
    HtmlAsJpeg,
    BrokenFile,
    CutBody,
    NotFound,
    Throttled,
    SlowHost,
}

impl PlantKind {
    pub const ALL: [Self; 17] = [
        Self::ExactRepost,
        Self::Reencoded,
        Self::Resized,
        Self::Cropped,
        Self::Watermarked,
        Self::LabelConflict,
        Self::Gallery,
        Self::Crosspost,
        Self::Video,
        Self::Removed,
        Self::Placeholder,
        Self::HtmlAsJpeg,
        Self::BrokenFile,
        Self::CutBody,
        Self::NotFound,
        Self::Throttled,
        Self::SlowHost,
    ];

    /// Returns the words a report uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactRepost => "exact repost",
            Self::Reencoded => "re-encoded twin",
            Self::Resized => "resized twin",
            Self::Cropped => "cropped twin",
            Self::Watermarked => "watermarked twin",
            Self::LabelConflict => "same picture in two classes",
            Self::Gallery => "gallery",
            Self::Crosspost => "crosspost",
            Self::Video => "video",
            Self::Removed => "removed post",
            Self::Placeholder => "removed-image placeholder",
            Self::HtmlAsJpeg => "HTML saved as .jpg",
            Self::BrokenFile => "truncated file",
            Self::CutBody => "connection cut mid-body",
            Self::NotFound => "404",
            Self::Throttled => "429 with Retry-After",
            Self::SlowHost => "stalling host",
        }
    }
}
