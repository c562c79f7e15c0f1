//! A JPEG of four inks and its profile → sRGB. The only file that knows `zune_jpeg`, which
//! `image` also reads JPEGs with but whose inks it does not show.
//!
//! Without a profile nobody knows what the inks look like; they are then mixed as if each took
//! exactly its third of the light, as browsers and Pillow do.

use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use crate::pixels::{Picture, icc};

/// Decodes a JPEG of cyan, magenta, yellow and black through its profile; `None` if it is none,
/// or if the profile is not one of ink.
pub(super) fn decode(bytes: &[u8], profile: &[u8]) -> Option<Picture> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().ok()?;
    let coded = decoder.input_colorspace().filter(|it| is_ink(*it))?;
    let (width, height) = decoder.dimensions()?;
    decoder.set_options(options.jpeg_set_out_colorspace(coded));
    let mut inks = decoder.decode().ok()?;
    let (pixels, _) = inks.as_chunks_mut::<4>();
    for pixel in pixels {
        if coded == ColorSpace::YCCK {
            let [luma, blue, red, _] = *pixel;
            pixel[..3].copy_from_slice(&rgb(luma, blue, red).map(|it| 255 - it));
        }
        // Files hold how much paper is left, as Adobe's programs write them.
        *pixel = pixel.map(|it| 255 - it);
    }
    let levels = icc::ink_to_srgb(&inks, profile)?;
    Picture::from_raw(width.try_into().ok()?, height.try_into().ok()?, levels)
}

fn is_ink(space: ColorSpace) -> bool {
    space == ColorSpace::CMYK || space == ColorSpace::YCCK
}

/// Red, green and blue of JPEG's luma and chroma (BT.601, full range).
fn rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (luma, blue, red) = (i32::from(luma) << 16, i32::from(blue) - 128, i32::from(red) - 128);
    let sums = [luma + 91_881 * red, luma - 22_554 * blue - 46_802 * red, luma + 116_130 * blue];
    sums.map(|sum| {
        let level = ((sum + (1 << 15)) >> 16).clamp(0, 255);
        u8::try_from(level).expect("it was brought into the range")
    })
}
