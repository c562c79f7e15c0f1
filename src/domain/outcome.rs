//! What became of one item in one stage.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use super::{id::Label, link::Trouble, rules::Rule, sha256::Sha256};

/// The end of one item's visit to one stage.
///
/// `Rejected` is a finding about the data and final; `Failed` is a trouble of ours and retried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<T> {
    Made(T),
    Rejected(Reject),
    Failed(Failure),
}

/// Why a stage could not finish an item, and how often it has tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub message: String,
    pub attempts: u32,
    pub transient: bool,
    /// What of the net it was, if it was the net.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
}

/// Why a post or picture cannot be part of the dataset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reject {
    // The post.
    Removed {
        by: String,
    },
    Filtered {
        rule: Rule,
        found: String,
    },
    SeveralClasses {
        labels: BTreeSet<Label>,
    },
    TextOnly,
    Video,
    GalleryItem {
        status: String,
    },
    UnknownHost {
        host: String,
    },
    BadAddress {
        url: String,
    },
    // The file.
    Gone {
        status: u16,
    },
    Refused {
        status: u16,
    },
    Placeholder,
    TooLarge {
        limit_bytes: u64,
    },
    Empty,
    NotAnImage {
        found: String,
    },
    OptedOut,
    Redirected {
        to: String,
    },
    FileChanged,
    /// The address has other bytes than those a list tells of.
    Changed {
        sha256: Sha256,
    },
    /// A picture of a post that was deleted since it was first seen.
    TakenBack,
    // The picture.
    Undecodable {
        cause: String,
    },
    TooManyPixels {
        width_px: u32,
        height_px: u32,
    },
}

impl Reject {
    /// Returns the short name reports count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Removed { .. } => "post removed",
            Self::Filtered { rule, .. } => rule.refusal(),
            Self::SeveralClasses { .. } => "fits several classes",
            Self::TextOnly => "text post",
            Self::Video => "video",
            Self::GalleryItem { .. } => "gallery item without a picture",
            Self::UnknownHost { .. } => "host not known for pictures",
            Self::BadAddress { .. } => "not an address",
            Self::Gone { .. } => "gone",
            Self::Refused { .. } => "refused by host",
            Self::Placeholder => "removed-image placeholder",
            Self::TooLarge { .. } => "too many bytes",
            Self::Empty => "empty file",
            Self::NotAnImage { .. } => "not an image",
            Self::OptedOut => "host opted out of AI use",
            Self::Redirected { .. } => "redirected away",
            Self::FileChanged => "file changed while listed",
            Self::Changed { .. } => "changed: sha256 differs",
            Self::TakenBack => "taken back by its poster",
            Self::Undecodable { .. } => "broken file",
            Self::TooManyPixels { .. } => "too many pixels",
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed { by } => write!(f, "post removed ({by})"),
            Self::Filtered { rule, found } if found.is_empty() => f.write_str(rule.refusal()),
            Self::Filtered { rule, found } => write!(f, "{} ({found})", rule.refusal()),
            Self::SeveralClasses { labels } => {
                let labels: Vec<&str> = labels.iter().map(Label::as_str).collect();
                write!(f, "fits several classes ({})", labels.join(", "))
            }
            Self::GalleryItem { status } => write!(f, "gallery item without a picture ({status})"),
            Self::UnknownHost { host } => write!(f, "host not known for pictures ({host})"),
            Self::BadAddress { url } => write!(f, "not an address ({url})"),
            Self::Gone { status } => write!(f, "gone (HTTP {status})"),
            Self::Refused { status } => write!(f, "refused by host (HTTP {status})"),
            Self::TooLarge { limit_bytes } => write!(f, "more than {limit_bytes} bytes"),
            Self::NotAnImage { found } => write!(f, "not an image ({found})"),
            Self::Changed { sha256 } => write!(f, "changed: sha256 differs (it is {sha256})"),
            Self::Redirected { to } => write!(f, "redirected away (to {to})"),
            Self::Undecodable { cause } => write!(f, "broken file ({cause})"),
            Self::TooManyPixels { width_px, height_px } => {
                write!(f, "too many pixels ({width_px}\u{d7}{height_px})")
            }
            Self::TextOnly
            | Self::Video
            | Self::Placeholder
            | Self::Empty
            | Self::OptedOut
            | Self::FileChanged
            | Self::TakenBack => f.write_str(self.kind()),
        }
    }
}
