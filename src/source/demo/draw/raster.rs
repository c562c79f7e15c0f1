//! A picture at its final size, in bytes: stretched, grained, cut, written over, flattened.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use super::{super::dice::Dice, canvas::Canvas};
use crate::pixels::Picture;

/// Rows of red, green, blue and opacity, the colours multiplied by the opacity.
pub(super) struct Raster {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) bytes: Vec<u8>,
}

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Turns a level from 0 to 1 into a byte.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at 0 and 255"
)]
fn byte(level: f32) -> u8 {
    (level * 255.0 + 0.5) as u8
}

fn size(px: u32) -> usize {
    usize::try_from(px).expect("a side fits an address")
}

impl Raster {
    pub(super) fn of(canvas: &Canvas) -> Self {
        let side = |n: usize| u32::try_from(n).expect("a canvas is small");
        let bytes = canvas.pixels.iter().flat_map(|pixel| pixel.map(byte)).collect();
        Self { width_px: side(canvas.width), height_px: side(canvas.height), bytes }
    }

    /// Stretches or shrinks the picture with a smooth filter.
    pub(super) fn resized(&self, width_px: u32, height_px: u32) -> Self {
        let source = ImageRef::new(self.width_px, self.height_px, &self.bytes, PixelType::U8x4)
            .expect("a raster has four bytes for each pixel");
        let mut target = Image::new(width_px, height_px, PixelType::U8x4);
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
            .use_alpha(false);
        Resizer::new()
            .resize(&source, &mut target, &options)
            .expect("both pictures have the same kind of pixel");
        Self { width_px, height_px, bytes: target.into_vec() }
    }

    /// Cuts a window out of the picture.
    pub(super) fn cut(&self, window: Window) -> Self {
        let row_bytes = size(self.width_px) * 4;
        let rows = self.bytes.chunks_exact(row_bytes);
        let kept = rows.skip(size(window.top)).take(size(window.height));
        let (from, to) = (size(window.left) * 4, size(window.left + window.width) * 4);
        let bytes = kept.flat_map(|row| row[from..to].iter().copied()).collect();
        Self { width_px: window.width, height_px: window.height, bytes }
    }

    /// Adds the grain of a sensor: mostly in brightness, a little in colour.
    pub(super) fn add_grain(&mut self, strength: u8, dice: &mut Dice) {
        let strength = i32::from(strength);
        for pixel in self.bytes.chunks_exact_mut(4) {
            let [parts @ .., red, green, blue, _] = dice.word().to_le_bytes().map(i32::from);
            // A sum of four is nearly normal.
            let parts: [i32; 4] = parts;
            let bright = (parts.iter().sum::<i32>() - 510) * strength;
            for (level, tint) in pixel.iter_mut().zip([red, green, blue]) {
                let grain = (bright + (tint - 128) * strength) >> 10;
                *level = u8::try_from((i32::from(*level) + grain).clamp(0, 255)).unwrap_or(*level);
            }
        }
    }

    /// Takes the colour away.
    pub(super) fn turn_grey(&mut self) {
        for pixel in self.bytes.chunks_exact_mut(4) {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            let grey = (77 * red + 150 * green + 29 * blue + 128) >> 8;
            let grey = u8::try_from(grey).expect("the shares add up to 256");
            pixel[..3].fill(grey);
        }
    }

    /// Mixes `level` into one pixel; `share` is of 255.
    pub(super) fn mark(&mut self, x: u32, y: u32, (level, share): (u8, u8)) {
        let at = (size(y) * size(self.width_px) + size(x)) * 4;
        let (level, share) = (u32::from(level), u32::from(share));
        for (n, old) in self.bytes[at..at + 4].iter_mut().enumerate() {
            let new = if n == 3 { 255 } else { level };
            let mixed = (u32::from(*old) * (255 - share) + new * share + 127) / 255;
            *old = u8::try_from(mixed).expect("a mixture of bytes is a byte");
        }
    }

    /// Lays the picture on white.
    pub(super) fn flattened(&self) -> Picture {
        let pixels = self.bytes.chunks_exact(4);
        let on_white = pixels.flat_map(|pixel| {
            let white = 255 - pixel[3];
            [pixel[0], pixel[1], pixel[2]].map(|level| level.saturating_add(white))
        });
        Picture::from_raw(self.width_px, self.height_px, on_white.collect())
            .expect("a raster has four bytes for each pixel")
    }

    /// Returns the rows with colours as they are, not multiplied by the opacity.
    pub(super) fn straight(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for pixel in bytes.chunks_exact_mut(4) {
            let opacity = u32::from(pixel[3]).max(1);
            for level in &mut pixel[..3] {
                let full = (u32::from(*level) * 255 / opacity).min(255);
                *level = u8::try_from(full).expect("it is at most 255");
            }
        }
        bytes
    }
}
