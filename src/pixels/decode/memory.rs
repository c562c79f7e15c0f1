//! What a header promises → the memory its picture would take, and whether it gets it.
//!
//! A hundred million pixels are 300 MB as a picture, but their way there can take three times
//! that: sixteen bits a channel, all coefficients of a progressive JPEG, a second copy to turn
//! on its side. The sum is bounded, so that no file takes more than a large plain one may.

use image::{ImageDecoder, ImageFormat, metadata::Orientation};

use super::{Limits, is_on_its_side};
use crate::{
    domain::outcome::Reject,
    pixels::{exif, jpeg},
};

/// Bytes a file may take for each pixel that is allowed: twice this is for two pixels.
const HALF_BYTES_PER_PIXEL: u64 = 9;

/// Small pictures may take this much, whatever the limit.
const BYTES_MIN: u64 = 64 << 20;

/// What a decoder may take to read headers: tables, palettes, profiles, comments.
const HEADER_BYTES: u64 = 32 << 20;

/// The markers of a JPEG whose scans refine one another, in either code.
const PROGRESSIVE_FRAMES: [u8; 2] = [0xC2, 0xCA];

/// The marker of what a camera noted.
const EXIF: u8 = 0xE1;

/// Markers among those of frames that open none: tables, and one nobody uses.
const NO_FRAMES: [u8; 3] = [0xC4, 0xC8, 0xCC];

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
            Frame::of_jpeg(self.bytes)
                .filter(|frame| frame.is_progressive)
                .map_or(0, |frame| 2 * frame.n_samples)
        } else if self.format == ImageFormat::WebP {
            // Luma, chroma and alpha as they are coded.
            pixels * 5 / 2
        } else {
            0
        };
        let to_eight_bits = match (is_deep, color.channel_count()) {
            (true, _) => decoded + 8 * pixels,
            (false, 1) => decoded + 3 * pixels,
            (false, 2) => decoded + 4 * pixels,
            (false, _) => decoded,
        };
        let turned = if is_on_its_side(self.orientation) { 6 * pixels } else { 0 };
        (decoded + working).max(to_eight_bits).max(turned)
    }
}

/// Returns how many bytes the way to one picture may take.
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

/// Tells why the whole picture of a JPEG may not be had. This counts where a reduced one is asked
/// for, too: the verdict on a file does not depend on what is wanted of it.
pub(super) fn refusal_of_jpeg(bytes: &[u8], limits: Limits) -> Option<Reject> {
    let Frame { width_px, height_px, n_samples, is_progressive } = Frame::of_jpeg(bytes)?;
    let picture = 3 * u64::from(width_px) * u64::from(height_px);
    let mut blocks = jpeg::headers(bytes).filter(|&(marker, _)| marker == EXIF);
    let stated = blocks.find_map(|(_, block)| exif::orientation(block));
    let is_turned = stated.and_then(Orientation::from_exif).is_some_and(is_on_its_side);
    let coefficients = if is_progressive { 2 * n_samples } else { 0 };
    let needed = (picture + coefficients).max(if is_turned { 2 * picture } else { 0 });
    (allowed(limits) < needed).then_some(Reject::TooManyPixels { width_px, height_px })
}

/// The header of a JPEG's frame, as far as it decides on memory.
struct Frame {
    width_px: u32,
    height_px: u32,
    n_samples: u64,
    is_progressive: bool,
}

impl Frame {
    fn of_jpeg(bytes: &[u8]) -> Option<Self> {
        let is_frame = |marker| matches!(marker, 0xC0..=0xCF) && !NO_FRAMES.contains(&marker);
        let (marker, body) = jpeg::headers(bytes).find(|&(marker, _)| is_frame(marker))?;
        let &[_, height_1, height_2, width_1, width_2, n, ref parts @ ..] = body else {
            return None;
        };
        let width_px = u32::from(u16::from_be_bytes([width_1, width_2]));
        let height_px = u32::from(u16::from_be_bytes([height_1, height_2]));
        let (parts, _) = parts.get(..3 * usize::from(n))?.as_chunks::<3>();
        let blocks = parts.iter().map(|&[_, sampling, _]| (sampling >> 4, sampling & 15));
        let across_max = u64::from(blocks.clone().map(|it| it.0).max()?.max(1));
        let down_max = u64::from(blocks.clone().map(|it| it.1).max()?.max(1));
        let n_pixels = u64::from(width_px) * u64::from(height_px);
        let n_samples = blocks
            .map(|it| n_pixels * u64::from(it.0) * u64::from(it.1) / across_max / down_max)
            .sum();
        let is_progressive = PROGRESSIVE_FRAMES.contains(&marker);
        Some(Self { width_px, height_px, n_samples, is_progressive })
    }
}
