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
    /// CRC-32 of the same bytes, to see in no time that they are still these; records of older
    /// versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32: Option<u32>,
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
            crc32: Some(crc32fast::hash(bytes)),
            size_bytes: u64::try_from(bytes.len()).expect("a length fits 64 bits"),
            width_px,
            height_px,
            format,
        }
    }

    /// Tells whether these are still the bytes of the prepared file. One damage in four thousand
    /// million is overlooked, where the record has a CRC-32.
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        u64::try_from(bytes.len()) == Ok(self.size_bytes)
            && self.crc32.map_or_else(
                || BlobId::of(bytes) == self.file,
                |crc32| crc32fast::hash(bytes) == crc32,
            )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_changed_is_seen_by_either_digest() {
        let crop = Crop::of(b"prepared", (1, 1), FileFormat::Png);
        let older = Crop { crc32: None, ..crop.clone() };
        for crop in [crop, older] {
            assert!(crop.is_of(b"prepared"), "{crop:?}");
            for changed in [&b"prepareD"[..], b"prepare", b"prepared\0", b""] {
                assert!(!crop.is_of(changed), "{crop:?} {changed:?}");
            }
        }
    }

    #[test]
    fn records_of_versions_without_a_crc_are_read_and_written_as_they_are() {
        let crop = Crop { crc32: None, ..Crop::of(b"prepared", (1, 1), FileFormat::Png) };
        let record = serde_json::to_string(&crop).unwrap();
        assert!(!record.contains("crc32"), "{record}");
        assert_eq!(serde_json::from_str::<Crop>(&record).unwrap(), crop);
    }
}
