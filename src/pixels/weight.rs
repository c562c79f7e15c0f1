//! Bytes of a file → how much memory its decoding takes, told from the header alone, so that
//! whoever decodes several at once can see to it that they fit.

use std::io::Cursor;

use image::{ExtendedColorType, ImageDecoder, ImageFormat, ImageReader};

use super::{
    decode::Taking,
    sniff::{self, Kind},
};

/// The levels as they are coded and as a picture, and the coefficients of a progressive file.
const BYTES_PER_PIXEL: u64 = 12;

/// A file may come reduced to so many eighths of its sides.
const EIGHTHS: [u64; 3] = [1, 2, 4];

/// Estimates how many bytes of memory decoding takes; what no decoder reads takes none.
pub fn decoding_bytes(bytes: &[u8], taking: Taking) -> u64 {
    let format = match sniff::kind(bytes) {
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png => ImageFormat::Png,
        Kind::Gif => ImageFormat::Gif,
        Kind::Webp => ImageFormat::WebP,
        Kind::Bmp => ImageFormat::Bmp,
        Kind::Tiff => ImageFormat::Tiff,
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
    let Ok(decoder) = ImageReader::with_format(Cursor::new(bytes), format).into_decoder() else {
        return 0;
    };
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    // Four inks and the like are always decoded whole.
    let is_reducible = format == ImageFormat::Jpeg
        && matches!(decoder.original_color_type(), ExtendedColorType::Rgb8 | ExtendedColorType::L8);
    let eighths = match taking.shorter_px {
        Some(least_px) if is_reducible => {
            let eighth_px = u64::from(width.min(height) / 8);
            let is_enough = |eighths: &u64| u64::from(least_px) <= eighth_px * eighths;
            EIGHTHS.into_iter().find(is_enough).unwrap_or(8)
        }
        Some(_) | None => 8,
    };
    pixels * BYTES_PER_PIXEL * eighths * eighths / 64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{Picture, encode};

    #[test]
    fn a_picture_weighs_by_the_pixels_that_are_wanted_of_it() {
        let picture = Picture::new(1600, 800);
        let (jpeg, png) = (encode::jpeg(&picture, 50), encode::png(&picture));
        let weight =
            |bytes, shorter_px| decoding_bytes(bytes, Taking { shorter_px, ..Taking::default() });

        let whole = 1600 * 800 * BYTES_PER_PIXEL;
        assert_eq!(weight(&jpeg, None), whole);
        assert_eq!(weight(&jpeg, Some(401)), whole);
        assert_eq!(weight(&jpeg, Some(400)), whole / 4);
        assert_eq!(weight(&jpeg, Some(100)), whole / 64);
        assert_eq!(weight(&png, Some(100)), whole);
    }

    #[test]
    fn what_is_no_picture_weighs_nothing() {
        let png = encode::png(&Picture::new(300, 200));

        for bytes in [&b"<html>gone</html>"[..], &png[..20]] {
            assert_eq!(decoding_bytes(bytes, Taking::default()), 0);
        }
    }
}
