//! Bytes of a file → upright RGB picture, or the reason it cannot be one.
//!
//! The first bytes decide the format. The size in the header is checked before any memory is
//! taken. EXIF orientation is applied, alpha is laid on white, 16-bit, grey, palette and CMYK
//! pictures become 8-bit RGB, an animation gives its first frame. ICC profiles are not applied:
//! levels are taken as sRGB. A file that ends before its picture does is refused.

use std::io::{Cursor, ErrorKind};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation,
};

use super::{
    Picture, jpeg,
    sniff::{self, Kind},
};
use crate::domain::outcome::Reject;

/// How much a file may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub pixels_max: u64,
}

/// A picture and what its file was.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Upright; smaller than the file says where less was asked for.
    pub picture: Picture,
    pub format: &'static str,
    /// Size of the whole picture, upright.
    pub width_px: u32,
    pub height_px: u32,
}

/// Enough for two copies of the deepest pixel (16-bit RGBA) while a decoder works.
const BYTES_PER_PIXEL_MAX: u64 = 16;

/// What decoders may need beside pixels: tables, palettes, profiles.
const OVERHEAD_BYTES: u64 = 16 << 20;

/// Identical units of a filled-up JPEG repeat after at most this many pixels.
const REPEAT_PX: u32 = 32;

impl Default for Limits {
    fn default() -> Self {
        Self { pixels_max: 100_000_000 }
    }
}

impl Decoded {
    /// Takes `picture` for the whole of a file of that format.
    pub fn whole(picture: Picture, format: &'static str) -> Self {
        let (width_px, height_px) = picture.dimensions();
        Self { picture, format, width_px, height_px }
    }
}

/// Decodes a picture file of any known format, with the same verdict on the file as [`decode`].
/// The picture may come reduced, but its shorter side is at least `shorter_px` if it ever was.
pub fn decode_at_least(bytes: &[u8], limits: Limits, shorter_px: u32) -> Result<Decoded, Reject> {
    // No decoder reduces yet, so the whole picture is the smallest that is large enough.
    let decoded = decode(bytes, limits)?;
    debug_assert!(shorter_px == 0 || !decoded.picture.is_empty());
    Ok(decoded)
}

/// Decodes a picture file of any known format.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Decoded, Reject> {
    let kind = sniff::kind(bytes);
    let format = match kind {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::Gif => ImageFormat::Gif,
        Kind::Webp => ImageFormat::WebP,
        Kind::Bmp => ImageFormat::Bmp,
        Kind::Avif | Kind::Heic | Kind::Jxl | Kind::Tiff | Kind::Ico | Kind::Svg => {
            return Err(Reject::Undecodable { cause: format!("no decoder for {}", kind.name()) });
        }
        Kind::Empty => return Err(Reject::Empty),
        Kind::Html | Kind::Json | Kind::Pdf | Kind::Video | Kind::Archive | Kind::Unknown => {
            return Err(Reject::NotAnImage { found: kind.name().to_owned() });
        }
    };
    let picture = decode_as(bytes, format, limits)?;
    Ok(Decoded::whole(picture, kind.name()))
}

fn decode_as(bytes: &[u8], format: ImageFormat, limits: Limits) -> Result<Picture, Reject> {
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format)
        .into_decoder()
        .map_err(|error| broken(&error))?;
    let (width_px, height_px) = decoder.dimensions();
    let pixels = u64::from(width_px) * u64::from(height_px);
    if limits.pixels_max < pixels {
        return Err(Reject::TooManyPixels { width_px, height_px });
    }
    if pixels == 0 {
        return Err(Reject::Undecodable { cause: "a picture without pixels".to_owned() });
    }
    if format == ImageFormat::Jpeg && !jpeg::has_end(bytes) {
        return Err(truncated());
    }
    let mut memory = image::Limits::no_limits();
    memory.max_alloc = Some(pixels * BYTES_PER_PIXEL_MAX + OVERHEAD_BYTES);
    decoder.set_limits(memory).map_err(|error| broken(&error))?;
    // Broken EXIF data say nothing about the picture, which is then taken as it lies.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);

    let picture = DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?;
    let picture = opaque(picture);
    let is_jpeg = format == ImageFormat::Jpeg;
    if is_jpeg && ends_in_repeats(&picture) && jpeg::first_scan_is_whole(bytes) == Some(false) {
        return Err(truncated());
    }
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Lays a picture on white paper and brings it to eight bits a channel.
fn opaque(picture: DynamicImage) -> Picture {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let (width, height) = picture.dimensions();
    let (pixels, _) = picture.as_raw().as_chunks::<4>();
    let levels = pixels.iter().flat_map(|&[red, green, blue, alpha]| {
        [red, green, blue].map(|level| {
            let (level, alpha) = (u32::from(level), u32::from(alpha));
            let mixed = (level * alpha + 255 * (255 - alpha) + 127) / 255;
            u8::try_from(mixed).expect("a mean of two levels is a level")
        })
    });
    Picture::from_raw(width, height, levels.collect()).expect("three levels for each pixel")
}

/// Tells whether the end of the last row repeats, as it does where a decoder had no data left.
/// Many whole pictures do so too (white margins): this only saves reading the others twice.
fn ends_in_repeats(picture: &Picture) -> bool {
    let (width, height) = picture.dimensions();
    let start = width.saturating_sub(2 * REPEAT_PX);
    let pixel = |x| picture.get_pixel(x, height - 1);
    (start..width.saturating_sub(REPEAT_PX)).all(|x| pixel(x) == pixel(x + REPEAT_PX))
}

fn truncated() -> Reject {
    Reject::Undecodable { cause: "truncated: the file ends before the picture".to_owned() }
}

fn broken(error: &ImageError) -> Reject {
    match error {
        ImageError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => truncated(),
        ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::Limits(_)
        | ImageError::Unsupported(_)
        | ImageError::IoError(_) => Reject::Undecodable { cause: error.to_string() },
    }
}

#[cfg(test)]
mod tests;
