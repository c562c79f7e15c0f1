//! Picture → picture in which a thing is easier to see: the steps before training.
//!
//! Nothing here is drawn at random. A model carries its steps, so that pictures it is asked
//! about are treated as those it learned from.

use super::{
    Picture, gaussian,
    scale::{Grey, Size},
};

mod background;
mod canny;
mod clahe;
mod edges;
mod step;
mod threshold;
mod tone;

pub use step::{ProcessError, Step, check};

/// Does the steps one after the other; the size of the picture stays.
pub fn apply(picture: &Picture, steps: &[Step]) -> Picture {
    let mut picture = picture.clone();
    for step in steps {
        picture = done(&picture, step);
    }
    picture
}

fn done(picture: &Picture, step: &Step) -> Picture {
    let grey = || Grey::of(picture);
    match *step {
        Step::Grey => of_grey(&grey()),
        Step::Stretch { low, high } => tone::stretched(picture, low, high),
        Step::Equalize => with_brightness(picture, &tone::equalized(&grey())),
        Step::Clahe { clip, tiles } => {
            with_brightness(picture, &clahe::equalized(&grey(), clip, tiles))
        }
        Step::Sharpen { sigma, amount } => sharpened(picture, narrow(sigma), narrow(amount)),
        Step::Threshold { level } => of_grey(&threshold::fixed(&grey(), level)),
        Step::Otsu => of_grey(&threshold::otsu(&grey())),
        Step::Sobel { gain } => of_grey(&edges::sobel(&grey(), narrow(gain))),
        Step::Canny { low, high } => of_grey(&canny::edges(&grey(), low, high)),
        Step::Background { width, gain } => {
            background::taken_off(picture, narrow(width), narrow(gain))
        }
    }
}

/// Moves every pixel's brightness to that of `wanted` and keeps how its colours differ, as a
/// change of the first channel of `YCrCb` does.
fn with_brightness(picture: &Picture, wanted: &Grey) -> Picture {
    let mut changed = picture.clone();
    let had = Grey::of(picture);
    for ((pixel, wanted), had) in changed.pixels_mut().zip(&wanted.levels).zip(&had.levels) {
        let by = i16::from(*wanted) - i16::from(*had);
        pixel.0 = pixel.0.map(|level| {
            u8::try_from((i16::from(level) + by).clamp(0, 255)).expect("clamped to a byte")
        });
    }
    changed
}

/// Unsharp masking: what a blur takes away is added, `amount` times.
fn sharpened(picture: &Picture, sigma: f32, amount: f32) -> Picture {
    let levels = levels(picture);
    let smooth = gaussian::blur(&levels, sides(picture), sigma);
    from_levels(
        picture,
        levels.iter().zip(&smooth).map(|(level, smooth)| {
            std::array::from_fn(|at| level[at] + amount * (level[at] - smooth[at]))
        }),
    )
}

fn levels(picture: &Picture) -> Vec<[f32; 3]> {
    picture.pixels().map(|pixel| pixel.0.map(f32::from)).collect()
}

/// Makes a picture of the size of `like`; levels beyond black and white are cut off.
fn from_levels(like: &Picture, levels: impl Iterator<Item = [f32; 3]>) -> Picture {
    let bytes = levels.flatten().map(rounded).collect();
    Picture::from_raw(like.width(), like.height(), bytes).expect("three levels for each pixel")
}

fn of_grey(grey: &Grey) -> Picture {
    let bytes = grey.levels.iter().flat_map(|level| [*level; 3]).collect();
    let Size { width_px, height_px } = grey.size;
    Picture::from_raw(width_px, height_px, bytes).expect("three levels for each pixel")
}

fn sides(picture: &Picture) -> [usize; 2] {
    sides_of(Size::of(picture))
}

fn sides_of(size: Size) -> [usize; 2] {
    [size.width_px, size.height_px].map(|px| usize::try_from(px).expect("a side fits a usize"))
}

/// Rounds half to even, as `OpenCV` does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn rounded(level: f32) -> u8 {
    level.round_ties_even().clamp(0.0, 255.0) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "levels and widths need no more digits")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests;
