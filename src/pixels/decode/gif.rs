//! The first frame of a GIF, with its holes. The only file that knows `gif`.
//!
//! The frame lies on a clear canvas of the size in the header; what it leaves free is a hole, as
//! browsers have it (the background colour of the header is shown by nobody). A first frame that
//! reaches beyond the canvas enlarges it, as everywhere.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};
use image::{DynamicImage, RgbaImage, imageops};

use super::{Limits, broken_because, memory, truncated};
use crate::domain::outcome::Reject;

/// A frame as its file shows it, and the colour profile of the file.
pub(super) struct First {
    pub(super) picture: DynamicImage,
    pub(super) profile: Option<Vec<u8>>,
}

pub(super) fn first_frame(bytes: &[u8], limits: Limits) -> Result<First, Reject> {
    let allowed = memory::allowed(limits);
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    options.set_memory_limit(
        NonZeroU64::new(allowed).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes),
    );
    let mut decoder = options.read_info(bytes).map_err(|error| broken(&error))?;
    let screen = (u32::from(decoder.width()), u32::from(decoder.height()));
    let frame = decoder.next_frame_info().map_err(|error| broken(&error))?;
    let frame = frame.ok_or_else(|| broken_because("a GIF without a frame"))?;
    let (left, top) = (u32::from(frame.left), u32::from(frame.top));
    let (width, height) = (u32::from(frame.width), u32::from(frame.height));
    let canvas = (screen.0.max(left + width), screen.1.max(top + height));

    let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
    let needed = 4 * (pixels(canvas) + pixels((width, height)));
    let fills = (width, height) == canvas;
    let needed = if fills { 4 * pixels(canvas) } else { needed };
    if limits.pixels_max < pixels(canvas) || allowed < needed {
        return Err(Reject::TooManyPixels { width_px: canvas.0, height_px: canvas.1 });
    }
    if pixels((width, height)) == 0 {
        return Err(broken_because("a picture without pixels"));
    }
    let mut picture = RgbaImage::new(width, height);
    decoder.read_into_buffer(&mut picture).map_err(|error| broken(&error))?;
    if !fills {
        let mut whole = RgbaImage::new(canvas.0, canvas.1);
        imageops::replace(&mut whole, &picture, left.into(), top.into());
        picture = whole;
    }
    let profile = decoder.icc_profile().map(<[u8]>::to_vec);
    Ok(First { picture: picture.into(), profile })
}

fn broken(error: &DecodingError) -> Reject {
    if matches!(error, DecodingError::UnexpectedEof | DecodingError::EndCodeNotFound) {
        return truncated();
    }
    broken_because(&error.to_string())
}
