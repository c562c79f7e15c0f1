//! Picture → bytes of a file. Equal pictures give equal bytes on every machine.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::Picture;
use crate::domain::picture::FileFormat;

/// Encodes `picture`; `quality` is 1 to 100 and means nothing to PNG.
pub fn encode(picture: &Picture, format: FileFormat, quality: u8) -> Vec<u8> {
    match format {
        FileFormat::Jpeg => jpeg(picture, quality),
        FileFormat::Png => png(picture),
    }
}

/// Encodes a baseline JPEG, with full colour resolution from quality 90 up.
fn jpeg(picture: &Picture, quality: u8) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let side = |px: u32| u16::try_from(px).expect("a JPEG has at most 65,535 pixels a side");
    let mut bytes = Vec::new();
    jpeg_encoder::Encoder::new(&mut bytes, quality.clamp(1, 100))
        .encode(picture.as_raw(), side(width), side(height), jpeg_encoder::ColorType::Rgb)
        .expect("writing to memory cannot fail");
    bytes
}

fn png(picture: &Picture) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(picture.as_raw(), width, height, ExtendedColorType::Rgb8)
        .expect("writing to memory cannot fail");
    bytes
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;
    use crate::pixels::decode::{self, Limits};

    fn ramp() -> Picture {
        Picture::from_fn(40, 30, |x, y| {
            let level = |n: u32| u8::try_from(n).unwrap();
            Rgb([level(x * 6), level(y * 8), level(x + y)])
        })
    }

    #[test]
    fn a_png_comes_back_unchanged() {
        let bytes = encode(&ramp(), FileFormat::Png, 1);

        let decoded = decode::decode(&bytes, Limits::default()).unwrap();

        assert_eq!(decoded.picture, ramp());
    }

    #[test]
    fn a_jpeg_comes_back_nearly_unchanged() {
        let bytes = encode(&ramp(), FileFormat::Jpeg, 95);

        let decoded = decode::decode(&bytes, Limits::default()).unwrap();

        let levels = decoded.picture.as_raw().iter().zip(ramp().into_raw());
        let worst = levels.map(|(a, b)| a.abs_diff(b)).max();
        assert!(worst <= Some(12), "{worst:?}");
    }
}
