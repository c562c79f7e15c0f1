//! Bytes of a file → upright RGB picture, or the reason it cannot be one.
//!
//! The first bytes decide the format. What the header asks for, in pixels and in memory, is
//! checked before any of it is given. EXIF orientation is applied, ICC profiles are turned into
//! sRGB, transparent pixels show a stated background, 16-bit, grey, palette and CMYK pictures
//! become 8-bit RGB, an animation gives its first frame. A file that ends before its picture
//! does is refused.

use std::{
    error::Error,
    io::{self, Cursor, ErrorKind},
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation,
};

pub use self::background::{Background, BadColour, Light};
use super::{
    Picture, exif, icc, jpeg,
    sniff::{self, Kind},
};
use crate::domain::outcome::Reject;

mod background;
mod gif;
mod ink;
mod memory;
mod segment;

/// How much a file may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub pixels_max: u64,
}

/// What is wanted of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taking {
    pub limits: Limits,
    /// The picture may come reduced, but its shorter side is at least this if it ever was.
    pub shorter_px: Option<u32>,
    pub background: Background,
    /// What is mixed where the background shows through half.
    pub light: Light,
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

/// Decodes a picture file of any known format, on white where it is transparent.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Decoded, Reject> {
    take(bytes, Taking { limits, ..Taking::default() })
}

/// Decodes a picture file of any known format, with the same verdict on the file as [`decode`].
/// The picture may come reduced, but its shorter side is at least `shorter_px` if it ever was.
pub fn decode_at_least(bytes: &[u8], limits: Limits, shorter_px: u32) -> Result<Decoded, Reject> {
    take(bytes, Taking { limits, shorter_px: Some(shorter_px), ..Taking::default() })
}

/// Decodes a picture file of any known format into what is wanted of it.
pub fn take(bytes: &[u8], taking: Taking) -> Result<Decoded, Reject> {
    let kind = sniff::kind(bytes);
    let picture = match kind {
        Kind::Jpeg => decode_as(bytes, ImageFormat::Jpeg, taking),
        Kind::Png => decode_as(bytes, ImageFormat::Png, taking),
        Kind::Webp => decode_as(bytes, ImageFormat::WebP, taking),
        Kind::Bmp => decode_as(bytes, ImageFormat::Bmp, taking),
        Kind::Tiff => decode_as(bytes, ImageFormat::Tiff, taking),
        Kind::Gif => gif::first_frame(bytes, taking.limits)
            .map(|first| shown(first.picture, first.profile.as_deref(), taking)),
        Kind::Avif | Kind::Heic | Kind::Jxl | Kind::Ico | Kind::Svg => {
            Err(broken_because(&format!("no decoder for {}", kind.name())))
        }
        Kind::Empty => Err(Reject::Empty),
        Kind::Html | Kind::Json | Kind::Pdf | Kind::Video | Kind::Archive | Kind::Unknown => {
            Err(Reject::NotAnImage { found: kind.name().to_owned() })
        }
    };
    Ok(Decoded::whole(picture?, kind.name()))
}

fn decode_as(bytes: &[u8], format: ImageFormat, taking: Taking) -> Result<Picture, Reject> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(memory::for_headers());
    let mut decoder = reader.into_decoder().map_err(|error| broken(&error))?;
    let (width_px, height_px) = decoder.dimensions();
    let pixels = u64::from(width_px) * u64::from(height_px);
    if taking.limits.pixels_max < pixels {
        return Err(Reject::TooManyPixels { width_px, height_px });
    }
    if pixels == 0 {
        return Err(broken_because("a picture without pixels"));
    }
    if format == ImageFormat::Jpeg && !jpeg::has_end(bytes) {
        return Err(truncated());
    }
    let orientation = orientation(&mut decoder);
    let needs = memory::Needs { decoder: &decoder, format, orientation, bytes };
    let spare = needs.spare_bytes(taking.limits);
    let spare = spare.ok_or(Reject::TooManyPixels { width_px, height_px })?;
    decoder.set_limits(memory::at_most(spare)).map_err(|error| broken(&error))?;
    // A broken profile says nothing about the picture, whose levels are then taken as sRGB.
    let profile = match format {
        ImageFormat::Jpeg => segment::profile(bytes),
        _ => decoder.icc_profile().ok().flatten(),
    };

    let is_jpeg = format == ImageFormat::Jpeg;
    let inks = profile.as_deref().filter(|_| is_jpeg);
    let picture = match inks.and_then(|profile| ink::decode(bytes, profile)) {
        Some(picture) => DynamicImage::ImageRgb8(picture),
        None => DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?,
    };
    let picture = shown(picture, profile.as_deref(), taking);
    if is_jpeg && ends_in_repeats(&picture) && jpeg::first_scan_is_whole(bytes) == Some(false) {
        return Err(truncated());
    }
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation);
    Ok(picture.into_rgb8())
}

/// Brings decoded levels to what people see: sRGB, without holes.
fn shown(picture: DynamicImage, profile: Option<&[u8]>, taking: Taking) -> Picture {
    let picture = match profile {
        Some(profile) => icc::to_srgb(picture, profile),
        None => picture,
    };
    taking.background.under(picture, taking.light)
}

/// Returns which way up the picture is. Broken EXIF data say nothing: it is taken as it lies.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    let block = decoder.exif_metadata().ok().flatten();
    let stated = block.and_then(|block| exif::orientation(&block));
    match stated.and_then(Orientation::from_exif) {
        Some(stated) => stated,
        // TIFF has it among its own entries.
        None => decoder.orientation().unwrap_or(Orientation::NoTransforms),
    }
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
    broken_because("truncated: the file ends before the picture")
}

fn broken(error: &ImageError) -> Reject {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == ErrorKind::UnexpectedEof) {
            return truncated();
        }
        cause = error.source();
    }
    broken_because(&error.to_string())
}

fn broken_because(cause: &str) -> Reject {
    Reject::Undecodable { cause: cause.to_owned() }
}

#[cfg(test)]
mod tests;
