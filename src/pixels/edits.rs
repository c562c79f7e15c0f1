//! Drawn pictures, and the edits pictures suffer on their way round the web. Tests only.

use image::{Rgb, imageops};

use super::{
    Picture,
    decode::{self, Limits},
    encode,
    scale::{self, Filter, Region, Size},
};
use crate::domain::picture::FileFormat;

/// A small generator of numbers, so that every run draws the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// Throws a number below `n`.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(n)).unwrap()
    }
}

/// Draws rectangles and discs; equal seeds draw equal pictures.
pub(super) fn drawn(seed: u64, width: u32, height: u32) -> Picture {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut colour = || Rgb([0; 3].map(|_: u8| u8::try_from(dice.below(256)).unwrap()));
    let mut picture = Picture::from_pixel(width, height, colour());
    let colours: Vec<Rgb<u8>> = (0..14).map(|_| colour()).collect();
    for (n, colour) in (0_u32..).zip(colours) {
        let (x, y) = (dice.below(width), dice.below(height));
        let (across, along) =
            (width / 12 + dice.below(width / 5), height / 12 + dice.below(height / 5));
        for (px, py, pixel) in picture.enumerate_pixels_mut() {
            let (right, down) = (px.abs_diff(x), py.abs_diff(y));
            let inside = match n % 2 {
                0 => right < across && down < along,
                _ => {
                    right * right * along * along + down * down * across * across
                        < across * across * along * along
                }
            };
            if inside {
                *pixel = colour;
            }
        }
    }
    picture
}

/// What may happen to a picture between two posts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Edit {
    /// Saved again as JPEG at this quality.
    Jpeg(u8),
    /// Scaled to this per cent.
    Resize(u32),
    /// This per cent of each side cut off, spread over both ends by chance.
    Crop(u32),
    /// A mark over a corner covering this per cent of the area.
    Mark(u32),
    /// Levels shifted by this much.
    Brightness(i16),
    /// Contrast changed to this per cent.
    Contrast(i16),
    Mirror,
    /// A white frame of this per cent on every side.
    Frame(u32),
}

impl Edit {
    pub(super) fn apply(self, picture: &Picture, dice: &mut Dice) -> Picture {
        let (width, height) = picture.dimensions();
        match self {
            Self::Jpeg(quality) => {
                let bytes = encode::encode(picture, FileFormat::Jpeg, quality);
                decode::decode(&bytes, Limits::default()).unwrap().picture
            }
            Self::Resize(percent) => {
                let size =
                    Size { width_px: width * percent / 100, height_px: height * percent / 100 };
                scale::colour(picture, Region::whole(Size::of(picture)), size, Filter::CatmullRom)
            }
            Self::Crop(percent) => {
                let (cut_x, cut_y) = (width * percent / 100, height * percent / 100);
                let (left, top) = (dice.below(cut_x + 1), dice.below(cut_y + 1));
                imageops::crop_imm(picture, left, top, width - cut_x, height - cut_y).to_image()
            }
            Self::Mark(percent) => marked(picture, percent, dice),
            Self::Brightness(shift) => levels(picture, |level| level + shift),
            Self::Contrast(percent) => levels(picture, |level| (level - 128) * percent / 100 + 128),
            Self::Mirror => imageops::flip_horizontal(picture),
            Self::Frame(percent) => {
                let (x, y) = (width * percent / 100, height * percent / 100);
                let mut framed = Picture::from_pixel(width + 2 * x, height + 2 * y, Rgb([255; 3]));
                imageops::replace(&mut framed, picture, x.into(), y.into());
                framed
            }
        }
    }
}

fn levels(picture: &Picture, change: impl Fn(i16) -> i16) -> Picture {
    let mut changed = picture.clone();
    for level in changed.iter_mut() {
        *level = u8::try_from(change((*level).into()).clamp(0, 255)).unwrap();
    }
    changed
}

/// Puts a striped rectangle, twice as wide as high, into a corner.
fn marked(picture: &Picture, percent: u32, dice: &mut Dice) -> Picture {
    let (width, height) = picture.dimensions();
    let mark_height = (width * height * percent / 200).isqrt().min(height / 2);
    let mark_width = (mark_height * 2).min(width / 2);
    let (right, bottom) = (dice.below(2), dice.below(2));
    let (left, top) = (right * (width - mark_width), bottom * (height - mark_height));
    let mut marked = picture.clone();
    for (x, y) in (0..mark_height).flat_map(|y| (0..mark_width).map(move |x| (x, y))) {
        let ink = if (x / 6 + y / 8) % 2 == 0 { Rgb([250, 250, 250]) } else { Rgb([20, 20, 60]) };
        marked.put_pixel(left + x, top + y, ink);
    }
    marked
}
