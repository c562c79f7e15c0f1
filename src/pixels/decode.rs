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
    panic,
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation,
};

pub use self::background::{Background, BadColour, Light};
use super::{
    Picture, exif, icc, jpeg,
    scale::{Region, Size},
    sniff::{self, Kind},
};
use crate::domain::outcome::Reject;

mod background;
mod gif;
mod ink;
mod memory;
mod palette;
mod photo;

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
    /// Where the whole picture lies in `picture`, whose last pixels may reach beyond it.
    shown: Region,
}

/// Why a file is refused that a library panicked over.
const PANICKED: &str = "its decoder panicked";

impl Default for Limits {
    fn default() -> Self {
        Self { pixels_max: 100_000_000 }
    }
}

impl Decoded {
    /// Takes `picture` for the whole of a file of that format.
    pub fn whole(picture: Picture, format: &'static str) -> Self {
        let (width_px, height_px) = picture.dimensions();
        let shown = Region::whole(Size { width_px, height_px });
        Self { picture, format, width_px, height_px, shown }
    }

    /// Returns where the whole picture lies among the pixels of `picture`.
    pub(super) fn shown(&self) -> Region {
        self.shown
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
    // Libraries read most formats. What one of them panics over is a broken file, and the next
    // file is none the worse: all they hold is dropped.
    panic::catch_unwind(|| take_unguarded(bytes, taking))
        .unwrap_or_else(|_| Err(broken_because(PANICKED)))
}

fn take_unguarded(bytes: &[u8], taking: Taking) -> Result<Decoded, Reject> {
    let kind = sniff::kind(bytes);
    let picture = match kind {
        Kind::Jpeg => match photo::take(bytes, taking) {
            Some(verdict) => return verdict,
            None => decode_as(bytes, ImageFormat::Jpeg, taking),
        },
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

fn is_on_its_side(orientation: Orientation) -> bool {
    match orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => true,
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => false,
    }
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
    if format == ImageFormat::Png && !palette::is_whole(bytes) {
        return Err(broken_because("a palette of broken colours"));
    }
    let orientation = orientation(&mut decoder);
    let needs = memory::Needs { decoder: &decoder, format, orientation, bytes };
    let spare = needs.spare_bytes(taking.limits);
    let spare = spare.ok_or(Reject::TooManyPixels { width_px, height_px })?;
    decoder.set_limits(memory::at_most(spare)).map_err(|error| broken(&error))?;
    // A broken profile says nothing about the picture, whose levels are then taken as sRGB.
    let is_jpeg = format == ImageFormat::Jpeg;
    let profile = decoder.icc_profile().ok().flatten();
    let inks = profile.as_deref().filter(|_| is_jpeg);
    let picture = match inks.and_then(|profile| ink::decode(bytes, profile)) {
        Some(picture) => DynamicImage::ImageRgb8(picture),
        None => DynamicImage::from_decoder(decoder).map_err(|error| broken(&error))?,
    };
    Ok(upright(shown(picture, profile.as_deref(), taking), orientation))
}

/// Brings decoded levels to what people see: sRGB, without holes.
fn shown(picture: DynamicImage, profile: Option<&[u8]>, taking: Taking) -> Picture {
    let picture = match profile {
        Some(profile) => icc::to_srgb(picture, profile),
        None => picture,
    };
    taking.background.under(picture, taking.light)
}

fn upright(picture: Picture, orientation: Orientation) -> Picture {
    let mut picture = DynamicImage::ImageRgb8(picture);
    picture.apply_orientation(orientation);
    picture.into_rgb8()
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

fn truncated() -> Reject {
    broken_because("truncated: the file ends before the picture")
}

fn broken(error: &ImageError) -> Reject {
    let is_end = |error: &io::Error| error.kind() == ErrorKind::UnexpectedEof;
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        // An image error hides the error it stands for from its chain of causes.
        let inner = if let Some(ImageError::IoError(inner)) = error.downcast_ref() {
            Some(inner)
        } else {
            error.downcast_ref()
        };
        if inner.is_some_and(is_end) {
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
