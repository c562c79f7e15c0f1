//! A prepared picture: the crop every model sees and every export holds.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    bytes::hex,
    id::{BlobId, Label},
};

/// The prepared form of one kept picture; its bytes are a file named by their digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crop {
    /// The digest of the prepared file's bytes.
    pub file: BlobId,
    /// SHA-256 of the same bytes, for people with `sha256sum`.
    pub sha256: String,
    pub size_bytes: u64,
    pub width_px: u32,
    pub height_px: u32,
    pub format: FileFormat,
}

impl Crop {
    /// Describes a file of `bytes` that holds a picture of that width and height.
    pub fn of(bytes: &[u8], (width_px, height_px): (u32, u32), format: FileFormat) -> Self {
        Self {
            file: BlobId::of(bytes),
            sha256: hex(&Sha256::digest(bytes)),
            size_bytes: u64::try_from(bytes.len()).expect("a length fits 64 bits"),
            width_px,
            height_px,
            format,
        }
    }

    /// Returns the name of the prepared file: stable while the picture stays in its class.
    pub fn file_name(&self, label: &Label, blob: &BlobId) -> String {
        format!("{label}-{}.{}", blob.short(), self.format.extension())
    }
}

/// What prepared pictures are written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    #[default]
    Jpeg,
    Png,
    /// Without loss.
    Webp,
}

impl FileFormat {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    /// Returns the name of the format on the web.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }
}
