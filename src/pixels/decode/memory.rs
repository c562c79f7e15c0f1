//! What a header promises → the memory its picture would take, and whether it gets it.
//!
//! A hundred million pixels are 300 MB as a picture, but their way there can take three times
//! that: sixteen bits a channel, all coefficients of a progressive JPEG, a second copy to turn
//! on its side. The sum is bounded, so that no file takes more than a large plain one may.

use image::{ImageDecoder, ImageFormat, metadata::Orientation};

use super::Limits;

/// Bytes a file may take for each pixel that is allowed: twice this is for two pixels.
const HALF_BYTES_PER_PIXEL: u64 = 9;

/// Small pictures may take this much, whatever the limit.
const BYTES_MIN: u64 = 64 << 20;

/// What a decoder may take to read headers: tables, palettes, profiles, comments.
const HEADER_BYTES: u64 = 32 << 20;

/// What decides how much memory a picture takes.
pub(super) struct Needs<'a, D> {
    pub(super) decoder: &'a D,
    pub(super) format: ImageFormat,
    pub(super) orientation: Orientation,
    pub(super) bytes: &'a [u8],
}

impl<D: ImageDecoder> Needs<'_, D> {
    /// Returns what is left over for the decoder's own needs, or `None` if it is too much.
    pub(super) fn spare_bytes(&self, limits: Limits) -> Option<u64> {
        allowed(limits).checked_sub(self.bytes())
    }

    /// Returns the most bytes that are held at one time on the way to the picture.
    fn bytes(&self) -> u64 {
        let (width, height) = self.decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        let decoded = self.decoder.total_bytes();
        let color = self.decoder.color_type();
        let is_deep = u64::from(color.bytes_per_pixel()) > u64::from(color.channel_count());
        let working = if self.format == ImageFormat::Jpeg {
            coefficient_bytes(self.bytes).unwrap_or(0)
        } else if self.format == ImageFormat::WebP {
            // Luma, chroma and alpha as they are coded.
            pixels * 5 / 2
        } else {
            0
        };
        let to_eight_bits = match (is_deep, color.channel_count()) {
            (true, _) => decoded + 8 * pixels,
            (false, 3 | 4) => decoded,
            (false, _) => decoded + 4 * pixels,
        };
        let turned = match self.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => 6 * pixels,
            Orientation::NoTransforms
            | Orientation::Rotate180
            | Orientation::FlipHorizontal
            | Orientation::FlipVertical => 3 * pixels,
        };
        (decoded + working).max(to_eight_bits).max(turned)
    }
}

/// Returns the most bytes that a picture may take on its way.
pub(super) fn allowed(limits: Limits) -> u64 {
    (limits.pixels_max.saturating_mul(HALF_BYTES_PER_PIXEL) / 2).max(BYTES_MIN)
}

/// The limits under which headers are read.
pub(super) fn for_headers() -> image::Limits {
    at_most(HEADER_BYTES)
}

pub(super) fn at_most(bytes: u64) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(bytes);
    limits
}

/// Returns what a progressive JPEG holds back until its last scan; `None` if it is none.
fn coefficient_bytes(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes.get(2..)?;
    loop {
        let [0xFF, marker, high, low, ..] = *rest else { return None };
        let body = rest.get(4..)?;
        match marker {
            0xC2 => return samples(body).map(|samples| 2 * samples),
            0xC0 | 0xC1 | 0xDA => return None,
            // A filler.
            0xFF => rest = &rest[1..],
            _ => rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?,
        }
    }
}

/// Counts the samples of a frame from its header.
fn samples(frame: &[u8]) -> Option<u64> {
    let &[_, height_1, height_2, width_1, width_2, n, ref parts @ ..] = frame else { return None };
    let number = |high, low| u64::from(u16::from_be_bytes([high, low]));
    let pixels = number(height_1, height_2) * number(width_1, width_2);
    let (parts, _) = parts.get(..3 * usize::from(n))?.as_chunks::<3>();
    let blocks = parts.iter().map(|&[_, sampling, _]| (sampling >> 4, sampling & 15));
    let across_max = blocks.clone().map(|it| it.0).max()?.max(1);
    let down_max = blocks.clone().map(|it| it.1).max()?.max(1);
    let shares = blocks.map(|(across, down)| {
        pixels * u64::from(across) * u64::from(down) / u64::from(across_max) / u64::from(down_max)
    });
    Some(shares.sum())
}
