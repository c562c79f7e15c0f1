//! What every model sees and every export holds: a square made from a picture of any shape, in
//! one step from the source pixels, and the file it becomes.

use serde::{Deserialize, Serialize};

use super::{
    Picture, Pixel, attention,
    decode::{Decoded, Limits, Taking},
    encode, fingerprint,
    scale::{self, Region, Size},
    sniff::Kind,
};
pub use super::{
    decode::{Background, Light},
    scale::Filter,
};
use crate::domain::picture::{Crop, FileFormat};

/// What can change a prepared picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// The side of the square, in pixels.
    pub size: u32,
    pub fit: Fit,
    pub filter: Filter,
    /// What is averaged when a picture changes its size.
    pub light: Light,
    /// What lies behind transparent pixels and beside a picture that does not fill its square.
    pub background: Background,
    pub format: FileFormat,
    /// 1 to 100, for JPEG.
    pub quality: u8,
}

/// What a reduced side may be longer than the eighths it was chosen by.
const EIGHTH_PX: u32 = 8;

/// How a picture of any shape becomes a square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Shorter side to the size, then the middle square, as for `AlexNet`.
    #[default]
    CenterCrop,
    /// The same square, moved to what stands out.
    Smart,
    /// Longer side to the size, background on both sides of the shorter one.
    Letterbox,
    /// Both sides to the size, whatever becomes of the shape.
    Squash,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            size: 256,
            fit: Fit::default(),
            filter: Filter::default(),
            light: Light::default(),
            background: Background::default(),
            format: FileFormat::default(),
            quality: 90,
        }
    }
}

impl Recipe {
    /// Tells which setting cannot be followed.
    pub fn check(&self) -> Result<(), String> {
        if !(16..=4096).contains(&self.size) {
            return Err(format!("prepare.size = {}: use 16 to 4096 pixels", self.size));
        }
        if !(1..=100).contains(&self.quality) {
            return Err(format!("prepare.quality = {}: use 1 to 100", self.quality));
        }
        Ok(())
    }

    /// Says in words what was done to every picture.
    pub fn in_words(&self) -> String {
        let background = String::from(self.background);
        let fit = match self.fit {
            Fit::CenterCrop => "shorter side scaled, centre cropped".to_owned(),
            Fit::Smart => {
                "shorter side scaled, cropped to what stands out (maximum symmetric surround)"
                    .to_owned()
            }
            Fit::Letterbox => format!("longer side scaled, filled up with {background}"),
            Fit::Squash => "squashed".to_owned(),
        };
        let light = match self.light {
            Light::Coded => "",
            Light::Linear => " in linear light",
        };
        let format = match self.format {
            FileFormat::Jpeg => format!("JPEG quality {}", self.quality),
            FileFormat::Png => "PNG".to_owned(),
            FileFormat::Webp => "lossless WebP".to_owned(),
        };
        format!("{fit} to {0}\u{d7}{0}{light}, {format}", self.size)
    }

    /// Returns what has to be decoded of a file.
    ///
    /// Never less than fingerprinting takes, so that both can come from one decode and a crop is
    /// the same whichever of the two made it.
    pub fn taking(&self, limits: Limits) -> Taking {
        let shorter_px = match self.light {
            Light::Coded => Some(self.size.max(fingerprint::SHORTER_PX)),
            // A reduced decode has averaged levels already.
            Light::Linear => None,
        };
        Taking { limits, shorter_px, background: self.background, light: self.light }
    }

    /// Tells whether a usual decode, that was perhaps asked for less, is what this recipe would
    /// have got.
    pub fn is_served_by(&self, decoded: &Decoded) -> bool {
        let taking = self.taking(Limits::default());
        let usual = Taking::default();
        let is_usual = (taking.background, taking.light) == (usual.background, usual.light);
        // No pixel of a JPEG is transparent, so nothing shows through.
        let shows_same = is_usual || decoded.format == Kind::Jpeg.name();
        let Size { width_px, height_px } = Size::of(&decoded.picture);
        let is_whole = (width_px, height_px) == (decoded.width_px, decoded.height_px);
        // Reductions are chosen by whole eighths of a side, and what they leave is rounded up.
        let is_large = taking.shorter_px.is_some_and(|least| {
            least <= fingerprint::SHORTER_PX || least + EIGHTH_PX <= width_px.min(height_px)
        });
        shows_same && (is_whole || is_large)
    }
}

/// Makes the crop of a decoded picture and its file.
pub fn file(decoded: &Decoded, recipe: &Recipe) -> (Crop, Vec<u8>) {
    let square = square(decoded, recipe);
    let encoded = encode::encode(&square, recipe.format, recipe.quality);
    (Crop::of(&encoded, square.dimensions(), recipe.format), encoded)
}

/// Makes a square of a decoded picture.
pub fn square(decoded: &Decoded, recipe: &Recipe) -> Picture {
    let picture = &decoded.picture;
    let (shown, target) = (decoded.shown(), Size::square(recipe.size));
    let scaled = |region: Region, size: Size| match recipe.light {
        Light::Coded => scale::colour(picture, region, size, recipe.filter),
        Light::Linear => scale::linear::colour(picture, region, size, recipe.filter),
    };
    match recipe.fit {
        Fit::CenterCrop => scaled(Region::middle_of(shown, target), target),
        Fit::Smart => scaled(attention::window(picture, shown, target), target),
        Fit::Squash => scaled(shown, target),
        Fit::Letterbox => {
            let whole = Size { width_px: decoded.width_px, height_px: decoded.height_px };
            let inner = scaled(shown, inside(whole, recipe.size));
            let mut square = Picture::from_pixel(
                recipe.size,
                recipe.size,
                Pixel::from(recipe.background.levels),
            );
            let gap = |px: u32| i64::from((recipe.size - px) / 2);
            let (left, top) = (gap(inner.width()), gap(inner.height()));
            image::imageops::replace(&mut square, &inner, left, top);
            square
        }
    }
}

/// Returns the size of a picture of `source` whose longer side is `longer_px`.
fn inside(source: Size, longer_px: u32) -> Size {
    let longest = u64::from(source.width_px.max(source.height_px));
    let scaled = |px: u32| {
        let rounded = (u64::from(px) * u64::from(longer_px) + longest / 2) / longest;
        u32::try_from(rounded.max(1)).expect("at most the longer side")
    };
    Size { width_px: scaled(source.width_px), height_px: scaled(source.height_px) }
}

/// Cuts the middle square of what was decoded, whole or reduced, and scales it to `side_px`.
pub fn square_of(decoded: &Decoded, side_px: u32, filter: Filter) -> Picture {
    let size = Size::square(side_px);
    scale::colour(&decoded.picture, Region::middle_of(decoded.shown(), size), size, filter)
}

/// Cuts the middle square of `picture` and scales it to `side_px`, enlarging small pictures.
pub fn center_square(picture: &Picture, side_px: u32, filter: Filter) -> Picture {
    middle(picture, Size::square(side_px), filter)
}

/// Cuts the largest middle rectangle of the shape of `size` and scales it to `size`.
pub(super) fn middle(picture: &Picture, size: Size, filter: Filter) -> Picture {
    assert!(0 < size.width_px && 0 < size.height_px, "a cut has pixels");
    assert!(!picture.is_empty(), "a decoded picture has pixels");
    scale::colour(picture, Region::middle(Size::of(picture), size), size, filter)
}

#[cfg(test)]
mod tests;
