//! Bytes of a file → how much memory its decoding takes, told from the header alone, so that
//! whoever decodes several at once can see to it that they fit.

use std::io::Cursor;

use image::{ImageFormat, ImageReader};

use super::sniff::{self, Kind};

/// The levels a decoder holds and the upright picture made of them.
const BYTES_PER_PIXEL: u64 = 6;

/// With alpha or sixteen bits: the levels as they lie in the file come on top.
const BYTES_PER_DEEP_PIXEL: u64 = 11;

/// Estimates how many bytes of memory decoding takes; what no decoder reads takes none.
pub fn decoding_bytes(bytes: &[u8]) -> u64 {
    let (format, per_pixel) = match sniff::kind(bytes) {
        Kind::Jpeg => (ImageFormat::Jpeg, BYTES_PER_PIXEL),
        Kind::Bmp => (ImageFormat::Bmp, BYTES_PER_PIXEL),
        Kind::Png => (ImageFormat::Png, BYTES_PER_DEEP_PIXEL),
        Kind::Tiff => (ImageFormat::Tiff, BYTES_PER_DEEP_PIXEL),
        Kind::Gif => (ImageFormat::Gif, BYTES_PER_DEEP_PIXEL),
        Kind::Webp => (ImageFormat::WebP, BYTES_PER_DEEP_PIXEL),
        Kind::Avif
        | Kind::Heic
        | Kind::Jxl
        | Kind::Ico
        | Kind::Svg
        | Kind::Html
        | Kind::Json
        | Kind::Pdf
        | Kind::Video
        | Kind::Archive
        | Kind::Empty
        | Kind::Unknown => return 0,
    };
    // A header that cannot be read is refused before any memory is taken.
    let size = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions();
    size.map_or(0, |(width, height)| u64::from(width) * u64::from(height) * per_pixel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{Picture, encode};

    #[test]
    fn a_picture_weighs_by_its_pixels_and_what_is_none_weighs_nothing() {
        let picture = Picture::new(300, 200);

        assert_eq!(decoding_bytes(&encode::jpeg(&picture, 50)), 300 * 200 * 6);
        assert_eq!(decoding_bytes(&encode::png(&picture)), 300 * 200 * 11);
        assert_eq!(decoding_bytes(b"<html>gone</html>"), 0);
        assert_eq!(decoding_bytes(&encode::png(&picture)[..20]), 0);
    }
}
