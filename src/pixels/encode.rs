//! Picture → bytes of a file. Equal pictures give equal bytes; nothing here decides what to keep.

use image::{
    ExtendedColorType, ImageEncoder,
    codecs::{
        png::{CompressionType, FilterType, PngEncoder},
        webp::WebPEncoder,
    },
    imageops,
};

use super::Picture;
use crate::domain::picture::FileFormat;

/// How a JPEG is laid out; the default is what most cameras and sites write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JpegLayout {
    pub scans: Scans,
    pub colour: Colour,
    pub stored: Stored,
}

/// Whether a JPEG comes row by row or from coarse to fine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scans {
    #[default]
    Baseline,
    Progressive,
}

/// Whether a JPEG has colour planes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    #[default]
    Full,
    Grey,
}

/// How the pixels lie in the file; all but `Upright` carry the EXIF tag that sets them right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stored {
    #[default]
    Upright,
    /// Orientation 3: a viewer turns the pixels by half a turn.
    UpsideDown,
    /// Orientation 6: a viewer turns the pixels clockwise.
    OnItsLeft,
    /// Orientation 8: a viewer turns the pixels counter-clockwise.
    OnItsRight,
}

impl Stored {
    /// Returns the value of the EXIF tag, `None` where no tag is written.
    fn tag(self) -> Option<u8> {
        match self {
            Self::Upright => None,
            Self::UpsideDown => Some(3),
            Self::OnItsLeft => Some(6),
            Self::OnItsRight => Some(8),
        }
    }
}

/// Encodes `picture`; `quality` is 1 to 100 and means nothing to formats without loss.
pub fn encode(picture: &Picture, format: FileFormat, quality: u8) -> Vec<u8> {
    match format {
        FileFormat::Jpeg => jpeg(picture, quality),
        FileFormat::Png => png(picture),
        FileFormat::Webp => webp(picture),
    }
}

/// Encodes an upright baseline JPEG in colour, with full colour resolution from quality 90 up.
pub fn jpeg(picture: &Picture, quality: u8) -> Vec<u8> {
    jpeg_as(picture, quality, JpegLayout::default())
}

/// Encodes a JPEG in any layout; `picture` is how a viewer shows it.
pub fn jpeg_as(picture: &Picture, quality: u8, layout: JpegLayout) -> Vec<u8> {
    match layout.stored {
        Stored::Upright => write_jpeg(picture, quality, layout),
        Stored::UpsideDown => write_jpeg(&imageops::rotate180(picture), quality, layout),
        Stored::OnItsLeft => write_jpeg(&imageops::rotate270(picture), quality, layout),
        Stored::OnItsRight => write_jpeg(&imageops::rotate90(picture), quality, layout),
    }
}

fn write_jpeg(stored: &Picture, quality: u8, layout: JpegLayout) -> Vec<u8> {
    let side = |px: u32| u16::try_from(px).expect("a JPEG has at most 65,535 pixels a side");
    let (width, height) = (side(stored.width()), side(stored.height()));
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality.clamp(1, 100));
    encoder.set_progressive(layout.scans == Scans::Progressive);
    if let Some(tag) = layout.stored.tag() {
        encoder.add_exif_metadata(&exif(tag)).expect("32 bytes fit into a segment");
    }
    let written = match layout.colour {
        Colour::Full => {
            encoder.encode(stored.as_raw(), width, height, jpeg_encoder::ColorType::Rgb)
        }
        Colour::Grey => {
            let grey = imageops::grayscale(stored);
            encoder.encode(grey.as_raw(), width, height, jpeg_encoder::ColorType::Luma)
        }
    };
    written.expect("writing to memory cannot fail");
    bytes
}

/// Returns a big-endian TIFF header with one directory of one entry: the orientation.
fn exif(orientation: u8) -> [u8; 26] {
    let mut tiff = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0?\0\0\0\0\0\0";
    tiff[19] = orientation;
    tiff
}

/// Encodes a PNG without alpha.
pub fn png(picture: &Picture) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .expect("writing to memory cannot fail");
    bytes
}

/// Encodes a PNG without alpha into as few bytes as it takes, however slowly.
pub fn png_small(picture: &Picture) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive)
        .write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .expect("writing to memory cannot fail");
    bytes
}

/// Encodes a PNG with alpha from rows of red, green, blue and opacity.
pub fn png_with_alpha(rgba: &[u8], width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(rgba, width, height, ExtendedColorType::Rgba8)
        .expect("writing to memory cannot fail");
    bytes
}

/// Encodes a lossless WebP, the only kind that pure Rust writes.
pub fn webp(picture: &Picture) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes)
        .write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .expect("writing to memory cannot fail");
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageDecoder, ImageReader, Rgb};

    use super::*;

    /// A picture whose four quarters differ, so that every turn shows.
    fn ramp() -> Picture {
        Picture::from_fn(48, 32, |x, y| {
            let level = |n: u32| u8::try_from(n).unwrap();
            Rgb([level(x * 5), level(y * 7), level(x + y)])
        })
    }

    /// Decodes as a viewer does: with the orientation applied.
    fn seen(bytes: &[u8]) -> DynamicImage {
        let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap();
        let mut decoder = reader.into_decoder().unwrap();
        let orientation = decoder.orientation().unwrap();
        let mut picture = DynamicImage::from_decoder(decoder).unwrap();
        picture.apply_orientation(orientation);
        picture
    }

    fn worst_difference(a: &Picture, b: &Picture) -> u8 {
        assert_eq!(a.dimensions(), b.dimensions());
        a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    }

    #[test]
    fn lossless_files_come_back_unchanged() {
        assert_eq!(seen(&png(&ramp())).to_rgb8(), ramp());
        assert_eq!(seen(&png_small(&ramp())).to_rgb8(), ramp());
        assert_eq!(seen(&webp(&ramp())).to_rgb8(), ramp());
    }

    #[test]
    fn opacity_survives_a_png() {
        let rgba: Vec<u8> = (0..48).map(|n| n * 5).collect();
        assert_eq!(seen(&png_with_alpha(&rgba, 4, 3)).to_rgba8().into_raw(), rgba);
    }

    #[test]
    fn a_jpeg_in_any_layout_is_seen_upright() {
        for stored in [Stored::Upright, Stored::UpsideDown, Stored::OnItsLeft, Stored::OnItsRight] {
            for scans in [Scans::Baseline, Scans::Progressive] {
                let layout = JpegLayout { scans, stored, colour: Colour::Full };
                let bytes = jpeg_as(&ramp(), 95, layout);
                let worst = worst_difference(&seen(&bytes).to_rgb8(), &ramp());
                assert!(worst <= 12, "{layout:?} differs by {worst}");
            }
        }
    }

    #[test]
    fn a_grey_jpeg_has_one_plane() {
        let layout = JpegLayout { colour: Colour::Grey, ..JpegLayout::default() };
        let bytes = jpeg_as(&ramp(), 90, layout);
        assert!(matches!(seen(&bytes), DynamicImage::ImageLuma8(_)));
    }

    #[test]
    fn a_lower_quality_takes_fewer_bytes() {
        let sizes = [95, 75, 40].map(|quality| jpeg(&ramp(), quality).len());
        assert!(sizes.is_sorted_by(|a, b| a > b), "{sizes:?}");
    }
}
