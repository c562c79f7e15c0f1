//! A decoded picture → one of the hashes other programs use, for those who want to reproduce
//! them. The only file that knows `img_hash`.
//!
//! These hashes stand alone: nothing is turned, trimmed or looked at twice.

use img_hash::{HashAlg, HasherConfig};
use serde::{Deserialize, Serialize};

use super::Picture;
use crate::domain::fingerprint::PerceptualHash;

/// The hash by which twins are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashKind {
    /// Ours: views of the picture, then a comparison of the pictures themselves.
    #[default]
    Views,
    /// Levels against their mean.
    Ahash,
    /// Levels against their right neighbours.
    Dhash,
    /// Levels against the neighbours below.
    Vhash,
    /// Both of the last two, on a quarter of the levels.
    Doublehash,
    /// The cosine transform against its median.
    Phash,
    /// Levels against their median.
    Median,
    /// Sums of blocks against their medians.
    Blockhash,
}

/// How many bits a plain hash has; `doublehash` makes five of eight of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum HashBits {
    #[default]
    Bits64,
    Bits256,
}

/// A length no plain hash has.
#[derive(Debug, thiserror::Error)]
#[error("a plain hash has 64 or 256 bits, not {0}")]
pub struct NotALength(u16);

impl TryFrom<u16> for HashBits {
    type Error = NotALength;

    fn try_from(bits: u16) -> Result<Self, NotALength> {
        match bits {
            64 => Ok(Self::Bits64),
            256 => Ok(Self::Bits256),
            other => Err(NotALength(other)),
        }
    }
}

impl From<HashBits> for u16 {
    fn from(bits: HashBits) -> Self {
        match bits {
            HashBits::Bits64 => 64,
            HashBits::Bits256 => 256,
        }
    }
}

/// Hashes a picture as it lies; `None` for our own hash, which is made of views.
pub fn plain_hash(picture: &Picture, kind: HashKind, bits: HashBits) -> Option<PerceptualHash> {
    let config = HasherConfig::with_bytes_type::<Vec<u8>>();
    let config = match kind {
        HashKind::Views => return None,
        HashKind::Ahash => config.hash_alg(HashAlg::Mean),
        HashKind::Dhash => config.hash_alg(HashAlg::Gradient),
        HashKind::Vhash => config.hash_alg(HashAlg::VertGradient),
        HashKind::Doublehash => config.hash_alg(HashAlg::DoubleGradient),
        HashKind::Phash => config.preproc_dct().hash_alg(HashAlg::Median),
        HashKind::Median => config.hash_alg(HashAlg::Median),
        HashKind::Blockhash => config.hash_alg(HashAlg::Blockhash),
    };
    let side = match bits {
        HashBits::Bits64 => 8,
        HashBits::Bits256 => 16,
    };
    let hasher = config.hash_size(side, side).to_hasher();
    let mut bytes = hasher.hash_image(picture).into_inner();
    bytes.resize(32, 0);
    let (words, _) = bytes.as_chunks::<8>();
    let words: [[u8; 8]; 4] = words.try_into().expect("32 bytes");
    Some(PerceptualHash(words.map(u64::from_le_bytes)))
}

#[cfg(test)]
mod tests {
    use image::imageops;

    use super::*;
    use crate::pixels::edits;

    const KINDS: [HashKind; 7] = [
        HashKind::Ahash,
        HashKind::Dhash,
        HashKind::Vhash,
        HashKind::Doublehash,
        HashKind::Phash,
        HashKind::Median,
        HashKind::Blockhash,
    ];

    #[test]
    fn every_plain_hash_tells_two_drawings_apart_and_knows_a_smaller_copy() {
        let large = edits::drawn(1, 320, 320);
        let small = imageops::resize(&large, 160, 160, imageops::FilterType::Triangle);
        let other = edits::drawn(2, 320, 320);

        for bits in [HashBits::Bits64, HashBits::Bits256] {
            for kind in KINDS {
                let of = |picture| plain_hash(picture, kind, bits).unwrap();
                let copy = of(&large).distance(of(&small));
                let stranger = of(&large).distance(of(&other));
                assert!(copy.0 * 2 < stranger.0, "{kind:?} {bits:?}: {copy} {stranger}");
            }
        }
    }

    #[test]
    fn sixty_four_bits_fill_one_word_and_our_own_hash_is_no_plain_one() {
        let picture = edits::drawn(3, 200, 200);

        let short = plain_hash(&picture, HashKind::Phash, HashBits::Bits64).unwrap();
        assert_eq!((short.0[1], short.0[2], short.0[3]), (0, 0, 0));
        assert_eq!(plain_hash(&picture, HashKind::Views, HashBits::Bits64), None);
    }

    #[test]
    fn another_length_is_refused_by_its_number() {
        assert_eq!(
            HashBits::try_from(100).unwrap_err().to_string(),
            "a plain hash has 64 or 256 bits, not 100"
        );
    }
}
