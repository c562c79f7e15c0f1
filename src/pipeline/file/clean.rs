//! `[clean]`: what is too large to open, what is a twin, what is not worth keeping. One flat table
//! for people; inside, each setting goes to the room it belongs to.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        fingerprint::{Distance, Similarity},
        flaws::Limits,
        quality::Share,
    },
    stage::{
        dedupe,
        fingerprint::{self, HashBits, HashKind},
    },
};

/// The table, checked for its shape.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "RawClean", into = "RawClean")]
pub struct CleanTable {
    pub fingerprint: fingerprint::Recipe,
    pub dedupe: dedupe::Recipe,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct RawClean {
    max_megapixels: u64,
    hash: HashKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash_bits: Option<HashBits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    distance: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<u16>,
    min_side: u32,
    max_aspect: f64,
    min_brightness: u8,
    max_darkest: u8,
    min_contrast: u8,
    min_entropy: u16,
    max_uniform: Share,
    max_border: Share,
    min_sharpness: u32,
    max_text: Share,
    max_page: Share,
    max_captions: Share,
    max_seam: Share,
    max_repeats: Share,
}

impl Default for RawClean {
    fn default() -> Self {
        Self { max_megapixels: 100, ..Self::of(&dedupe::Recipe::default().limits) }
    }
}

impl RawClean {
    /// Makes a table that sets what a picture must be by itself, and nothing else.
    fn of(limits: &Limits) -> Self {
        Self {
            max_megapixels: 0,
            hash: HashKind::default(),
            hash_bits: None,
            distance: None,
            similarity: None,
            min_side: limits.min_side,
            max_aspect: limits.max_aspect,
            min_brightness: limits.min_brightness,
            max_darkest: limits.max_darkest,
            min_contrast: limits.min_contrast,
            min_entropy: limits.min_entropy,
            max_uniform: limits.max_uniform,
            max_border: limits.max_border,
            min_sharpness: limits.min_sharpness,
            max_text: limits.max_text,
            max_page: limits.max_page,
            max_captions: limits.max_captions,
            max_seam: limits.max_seam,
            max_repeats: limits.max_repeats,
        }
    }
}

/// A setting that means nothing beside the hash that was chosen.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    #[error("clean.similarity: a plain hash decides alone; leave it out, or use hash = \"views\"")]
    Similarity,
    #[error("clean.hash_bits: our own hash has 256; leave it out, or name a hash of others")]
    HashBits,
}

impl RawClean {
    /// Returns what makes a twin. A plain hash decides by its distance alone: of 64 bits all true
    /// twins of the photographs measured lay within 4, of 256 within 22.
    fn reach(&self) -> Result<(Distance, Similarity), Mismatch> {
        let ours = dedupe::Recipe::default();
        let or = |fallback: Distance| self.distance.map_or(fallback, Distance);
        match (self.hash, self.hash_bits, self.similarity) {
            (HashKind::Views, Some(_), _) => Err(Mismatch::HashBits),
            (HashKind::Views, None, similarity) => {
                Ok((or(ours.distance), similarity.map_or(ours.similarity, Similarity)))
            }
            (_, _, Some(_)) => Err(Mismatch::Similarity),
            (_, Some(HashBits::Bits256), None) => Ok((or(Distance(22)), Similarity(0))),
            (_, Some(HashBits::Bits64) | None, None) => Ok((or(Distance(4)), Similarity(0))),
        }
    }
}

impl TryFrom<RawClean> for CleanTable {
    type Error = Mismatch;

    fn try_from(raw: RawClean) -> Result<Self, Mismatch> {
        let (distance, similarity) = raw.reach()?;
        Ok(Self {
            fingerprint: fingerprint::Recipe {
                pixels_max: raw.max_megapixels.saturating_mul(1_000_000),
                hash: raw.hash,
                hash_bits: raw.hash_bits.unwrap_or_default(),
            },
            dedupe: dedupe::Recipe {
                distance,
                similarity,
                limits: Limits {
                    min_side: raw.min_side,
                    max_aspect: raw.max_aspect,
                    min_brightness: raw.min_brightness,
                    max_darkest: raw.max_darkest,
                    min_contrast: raw.min_contrast,
                    min_entropy: raw.min_entropy,
                    max_uniform: raw.max_uniform,
                    max_border: raw.max_border,
                    min_sharpness: raw.min_sharpness,
                    max_text: raw.max_text,
                    max_page: raw.max_page,
                    max_captions: raw.max_captions,
                    max_seam: raw.max_seam,
                    max_repeats: raw.max_repeats,
                },
            },
        })
    }
}

impl From<CleanTable> for RawClean {
    fn from(CleanTable { fingerprint, dedupe }: CleanTable) -> Self {
        let is_ours = fingerprint.hash == HashKind::Views;
        Self {
            max_megapixels: fingerprint.pixels_max / 1_000_000,
            hash: fingerprint.hash,
            hash_bits: (!is_ours).then_some(fingerprint.hash_bits),
            distance: Some(dedupe.distance.0),
            similarity: is_ours.then_some(dedupe.similarity.0),
            ..Self::of(&dedupe.limits)
        }
    }
}

impl Default for CleanTable {
    fn default() -> Self {
        RawClean::default().try_into().expect("nothing is set that could be out of place")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<CleanTable, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn a_plain_hash_brings_its_own_distance_and_no_second_look() {
        let table = read("hash = \"phash\"").unwrap();
        assert_eq!(table.fingerprint.hash, HashKind::Phash);
        assert_eq!((table.dedupe.distance, table.dedupe.similarity), (Distance(4), Similarity(0)));

        let table = read("hash = \"dhash\"\nhash_bits = 256\ndistance = 30").unwrap();
        assert_eq!(table.fingerprint.hash_bits, HashBits::Bits256);
        assert_eq!((table.dedupe.distance, table.dedupe.similarity), (Distance(30), Similarity(0)));
    }

    #[test]
    fn a_setting_without_meaning_beside_the_hash_is_an_error() {
        let with_similarity = read("hash = \"phash\"\nsimilarity = 900").unwrap_err();
        assert!(with_similarity.contains("clean.similarity"), "{with_similarity}");
        let with_bits = read("hash_bits = 64").unwrap_err();
        assert!(with_bits.contains("clean.hash_bits"), "{with_bits}");
        let with_odd_bits = read("hash = \"phash\"\nhash_bits = 65").unwrap_err();
        assert!(with_odd_bits.contains("64 or 256"), "{with_odd_bits}");
    }
}
