//! `[clean]`: what is too large to open, what is a twin, what is not worth keeping. One flat table
//! for people; inside, each setting goes to the room it belongs to.

use serde::Deserialize;

use crate::{
    domain::{
        fingerprint::{Distance, Similarity},
        flaws::Limits,
        quality::Share,
    },
    stage::dedupe,
};

/// The table, checked for its shape.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "RawClean")]
pub struct CleanTable {
    pub pixels_max: u64,
    pub dedupe: dedupe::Recipe,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawClean {
    max_megapixels: u64,
    distance: u32,
    similarity: u16,
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
        let it = dedupe::Recipe::default();
        Self {
            max_megapixels: 100,
            distance: it.distance.0,
            similarity: it.similarity.0,
            min_side: it.limits.min_side,
            max_aspect: it.limits.max_aspect,
            min_brightness: it.limits.min_brightness,
            max_darkest: it.limits.max_darkest,
            min_contrast: it.limits.min_contrast,
            min_entropy: it.limits.min_entropy,
            max_uniform: it.limits.max_uniform,
            max_border: it.limits.max_border,
            min_sharpness: it.limits.min_sharpness,
            max_text: it.limits.max_text,
            max_page: it.limits.max_page,
            max_captions: it.limits.max_captions,
            max_seam: it.limits.max_seam,
            max_repeats: it.limits.max_repeats,
        }
    }
}

impl From<RawClean> for CleanTable {
    fn from(raw: RawClean) -> Self {
        Self {
            pixels_max: raw.max_megapixels.saturating_mul(1_000_000),
            dedupe: dedupe::Recipe {
                distance: Distance(raw.distance),
                similarity: Similarity(raw.similarity),
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
        }
    }
}

impl Default for CleanTable {
    fn default() -> Self {
        RawClean::default().into()
    }
}
