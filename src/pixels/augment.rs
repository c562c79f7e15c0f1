//! Pictures changed at random: what is drawn, and how it is done to the pixels.
//!
//! What is drawn for a picture depends on its key alone, never on the thread that does it. All
//! that moves pixels happens in one resampling, so a picture that is turned, cropped and bent
//! is not blurred three times.

use super::{Picture, gaussian};
use crate::domain::random::Random;

pub mod balance;
mod elastic;
mod erase;
pub mod recipe;
pub mod sheet;
mod tone;
mod warp;

use elastic::Waves;
use erase::Hole;
pub use recipe::{Augment, AugmentError};
use tone::Tone;
use warp::Warp;

/// Red, green and blue of a pixel, 0 to 255 and between.
type Levels = [f32; 3];

/// One way of changing a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Alteration {
    warp: Warp,
    waves: Option<Waves>,
    tone: Tone,
    /// The standard deviation of the blur, in pixels.
    blur_px: f32,
    noise: Option<Noise>,
    hole: Option<Hole>,
}

/// Normal numbers to add to all levels.
#[derive(Clone, Debug, PartialEq)]
struct Noise {
    /// The standard deviation, in levels.
    sigma: f32,
    random: Random,
}

/// The streams of what is drawn after the numbers every alteration has, so that how many numbers
/// one of them takes disturbs no other.
#[derive(Clone, Copy, Debug)]
enum Stream {
    Shear = 1,
    Crop,
    Elastic,
    Blur,
    Noise,
    Erase,
}

impl Alteration {
    /// Leaves the picture as it is.
    pub const NONE: Self = Self {
        warp: Warp::NONE,
        waves: None,
        tone: Tone::NONE,
        blur_px: 0.0,
        noise: None,
        hole: None,
    };

    /// Draws an alteration for a picture of `size` pixels, width and height.
    ///
    /// Every number is drawn whatever the limits, so that changing one limit leaves the
    /// other draws alone.
    pub fn draw(limits: &Augment, size: [usize; 2], random: &mut Random) -> Self {
        let angle = random.around_zero(narrow(limits.rotate_deg.to_radians()));
        let reaches = [limits.shift_x, limits.shift_y].map(|own| own.unwrap_or(limits.shift));
        let [width, height] = size.map(pixels);
        let shift = [
            random.around_zero(narrow(reaches[0] * width)),
            random.around_zero(narrow(reaches[1] * height)),
        ];
        let scale = 1.0 / (1.0 + random.around_zero(narrow(limits.zoom)));
        let brightness = 1.0 + random.around_zero(narrow(limits.brightness));
        let contrast = 1.0 + random.around_zero(narrow(limits.contrast));
        let hue = random.around_zero(narrow(limits.hue_deg.to_radians()));
        let colours = tone::colours(hue, 1.0 + random.around_zero(narrow(limits.saturation)));
        let mut mirror = |wanted: bool| if random.unit() < 0.5 && wanted { -1.0 } else { 1.0 };
        let (across, down) = (mirror(limits.flip_horizontal), mirror(limits.flip_vertical));
        let (sin, cos) = angle.sin_cos();
        let turn = [
            [scale * cos * across, scale * sin * down],
            [-scale * sin * across, scale * cos * down],
        ];

        let stream = |stream: Stream| random.at(stream as u64);
        let lean = stream(Stream::Shear).around_zero(narrow(limits.shear_deg.to_radians()));
        let mut warp = Warp::new(turn, shift, limits).sheared(lean.tan());
        if let Some(crop) = &limits.crop {
            warp = warp.cropped(crop, size, &mut stream(Stream::Crop));
        }
        let shorter_px = width.min(height);
        Self {
            warp,
            waves: limits.elastic.as_ref().map(|elastic| {
                Waves::draw(elastic, shorter_px, size, &mut stream(Stream::Elastic))
            }),
            tone: Tone { brightness, contrast, colours },
            blur_px: stream(Stream::Blur).unit() * narrow(limits.blur * shorter_px),
            noise: (0.0 < limits.noise).then(|| {
                let mut random = stream(Stream::Noise);
                let sigma = random.unit() * narrow(limits.noise * 255.0);
                Noise { sigma, random }
            }),
            hole: limits
                .erase
                .as_ref()
                .and_then(|erase| Hole::draw(erase, size, &mut stream(Stream::Erase))),
        }
    }

    /// Returns the changed levels, 0 to 255, row by row, of a picture of `size` pixels, width and
    /// height; `rgb` holds the red, green and blue of every pixel.
    pub fn apply(&self, rgb: &[u8], size: [usize; 2]) -> Vec<[f32; 3]> {
        let (pixels, _) = rgb.as_chunks::<3>();
        assert_eq!(pixels.len(), size[0] * size[1], "three bytes for each pixel");
        let mut levels = self.warp.resample(pixels, size, self.waves.as_ref());
        if self.warp.moves_pixels() || self.tone != Tone::NONE {
            self.tone.apply(&mut levels);
        }
        if 0.0 < self.blur_px {
            levels = gaussian::blur(&levels, size, self.blur_px);
        }
        if let Some(noise) = &self.noise {
            noise.add(&mut levels);
        }
        if let Some(hole) = &self.hole {
            hole.take_out(&mut levels, size[0]);
        }
        levels
    }
}

impl Noise {
    fn add(&self, levels: &mut [Levels]) {
        let mut random = self.random.clone();
        for level in levels.as_flattened_mut() {
            *level = (*level + random.normal() * self.sigma).clamp(0.0, 255.0);
        }
    }
}

/// Returns the picture changed in one way within the limits; its size stays.
pub fn alter(picture: &Picture, limits: &Augment, random: &mut Random) -> Picture {
    let (width, height) = picture.dimensions();
    let size = [width, height].map(|px| usize::try_from(px).expect("a side fits a usize"));
    let levels = Alteration::draw(limits, size, random).apply(picture.as_raw(), size);
    let bytes = levels.as_flattened().iter().map(|level| rounded(*level)).collect();
    Picture::from_raw(width, height, bytes).expect("three levels for each pixel")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn rounded(level: f32) -> u8 {
    level.round().clamp(0.0, 255.0) as u8
}

fn pixels(side_px: usize) -> f64 {
    f64::from(u32::try_from(side_px).expect("a side has fewer than 2^32 pixels"))
}

#[expect(clippy::cast_possible_truncation, reason = "pixels and their levels need no more digits")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests;
