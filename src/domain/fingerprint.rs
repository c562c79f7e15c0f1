//! What one decode tells of a picture: its size, its perceptual hashes, its quality.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{bytes::HexBytes, quality::Quality};

/// A 256-bit perceptual hash; near-equal pictures differ in few bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "HexBytes", try_from = "HexBytes")]
pub struct PerceptualHash(pub [u64; 4]);

/// A count of differing bits, 0 to 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Distance(pub u32);

/// How alike two aligned pictures are, in thousandths: 1000 is the same picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Similarity(pub u16);

/// What comparing two pictures gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Likeness {
    /// Of their nearest two hashes.
    pub distance: Distance,
    /// Once laid over each other.
    pub similarity: Similarity,
}

/// All that deduplication and the report need to know of one picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Size after EXIF orientation.
    pub width_px: u32,
    pub height_px: u32,
    pub format: String,
    /// The picture as it is, then its mirror images and quarter turns: eight. Then the same
    /// eight without its uniform border if it has one. The first is the picture itself.
    pub hashes: Vec<PerceptualHash>,
    /// 64×64 grey levels, row by row, of the whole picture squeezed to a square.
    pub thumbnail: HexBytes,
    /// 16×16 RGB levels of the same.
    pub colours: HexBytes,
    pub quality: Quality,
}

impl PerceptualHash {
    pub fn distance(self, other: Self) -> Distance {
        Distance(self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum())
    }
}

/// The nearest two hashes of two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nearest {
    pub distance: Distance,
    /// The place of the other picture's hash among its hashes.
    pub hash: usize,
}

impl Fingerprint {
    /// How many hashes one view of a picture has: it can be turned and mirrored in eight ways.
    pub const ORIENTATIONS: usize = 8;

    /// Returns the hashes of the picture as it lies: the whole, and what is inside its border.
    pub fn own_hashes(&self) -> impl Iterator<Item = PerceptualHash> {
        self.hashes.iter().step_by(Self::ORIENTATIONS).copied()
    }

    /// Finds the variant of `other` that is nearest to this picture as it lies.
    pub fn nearest(&self, other: &Self) -> Nearest {
        let far = Nearest { distance: Distance(256), hash: 0 };
        let distances = other.hashes.iter().enumerate().flat_map(|(hash, variant)| {
            self.own_hashes().map(move |own| Nearest { distance: own.distance(*variant), hash })
        });
        distances.min().unwrap_or(far)
    }

    /// Returns the smallest distance of this picture as it lies to any variant of `other`.
    pub fn distance(&self, other: &Self) -> Distance {
        self.nearest(other).distance
    }
}

impl fmt::Display for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} %", self.0 / 10, self.0 % 10)
    }
}

impl From<PerceptualHash> for HexBytes {
    fn from(hash: PerceptualHash) -> Self {
        Self(hash.0.iter().flat_map(|word| word.to_be_bytes()).collect())
    }
}

/// A stored hash has the wrong length.
#[derive(Debug, thiserror::Error)]
#[error("a perceptual hash has 32 bytes, not {0}")]
pub struct NotAHash(usize);

impl TryFrom<HexBytes> for PerceptualHash {
    type Error = NotAHash;

    fn try_from(bytes: HexBytes) -> Result<Self, NotAHash> {
        let (words, rest) = bytes.0.as_chunks::<8>();
        match words.try_into() {
            Ok(words) if rest.is_empty() => {
                let words: [[u8; 8]; 4] = words;
                Ok(Self(words.map(u64::from_be_bytes)))
            }
            Ok(_) | Err(_) => Err(NotAHash(bytes.0.len())),
        }
    }
}
