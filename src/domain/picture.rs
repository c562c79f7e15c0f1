//! A prepared picture: the crop every model sees and every export holds.

use serde::{Deserialize, Serialize};

use super::id::{BlobId, Label};

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
}

impl FileFormat {
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}
