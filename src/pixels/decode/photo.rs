//! Bytes of a JPEG file → upright picture in sRGB, reduced where that is enough.

use image::{DynamicImage, metadata::Orientation};

use super::{Decoded, Taking, is_on_its_side, memory, truncated};
use crate::{
    domain::outcome::Reject,
    pixels::{
        exif, icc,
        jpeg::{self, Ask, Ink, Photo, Refusal},
        scale::{Region, Size},
        sniff::Kind,
    },
};

/// Decodes a photograph; `None` if it is of a kind that is left to another decoder.
pub(super) fn take(bytes: &[u8], taking: Taking) -> Option<Result<Decoded, Reject>> {
    if let Some(reject) = memory::refusal_of_jpeg(bytes, taking.limits) {
        return Some(Err(reject));
    }
    let ask = Ask {
        pixels_max: taking.limits.pixels_max,
        bytes_max: memory::allowed(taking.limits),
        shorter_px: taking.shorter_px.unwrap_or(u32::MAX),
    };
    match jpeg::decode(bytes, ask) {
        Ok(photo) => Some(Ok(upright(photo))),
        Err(Refusal::Truncated) => Some(Err(truncated())),
        Err(Refusal::TooManyPixels { width_px, height_px }) => {
            Some(Err(Reject::TooManyPixels { width_px, height_px }))
        }
        Err(Refusal::Foreign) => None,
    }
}

/// Brings a photograph to sRGB and turns it as its camera noted.
fn upright(photo: Photo) -> Decoded {
    let stated = photo.exif.and_then(exif::orientation);
    let orientation = stated.and_then(Orientation::from_exif);
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    let whole = Size { width_px: photo.width_px, height_px: photo.height_px };
    let size = Size::of(&photo.picture);
    let shown = turned(lying(whole, size, photo.eighths), size, orientation);
    let picture = DynamicImage::ImageRgb8(photo.picture);
    let mut picture = match (photo.profile, photo.ink) {
        (None, _) => picture,
        (Some(profile), Ink::Colours) => icc::to_srgb(picture, &profile),
        (Some(profile), Ink::Grey) => icc::to_srgb(picture.into_luma8().into(), &profile),
    };
    picture.apply_orientation(orientation);
    let (width_px, height_px) = if is_on_its_side(orientation) {
        (whole.height_px, whole.width_px)
    } else {
        (whole.width_px, whole.height_px)
    };
    Decoded { picture: picture.into_rgb8(), format: Kind::Jpeg.name(), width_px, height_px, shown }
}

/// Returns where the whole picture lies among pixels that each are eight of it, or fewer.
fn lying(whole: Size, size: Size, eighths: u32) -> Region {
    let shown = |whole: u32, px: u32| (f64::from(whole * eighths) / 8.0).min(f64::from(px));
    let (width, height) =
        (shown(whole.width_px, size.width_px), shown(whole.height_px, size.height_px));
    Region { left: 0.0, top: 0.0, width, height }
}

/// Follows a region at the upper left corner of pixels of that size as they are turned.
fn turned(region: Region, size: Size, orientation: Orientation) -> Region {
    let Region { width, height, .. } = region;
    let (right, below) = (f64::from(size.width_px) - width, f64::from(size.height_px) - height);
    let at = |left, top, width, height| Region { left, top, width, height };
    match orientation {
        Orientation::NoTransforms => region,
        Orientation::FlipHorizontal => at(right, 0.0, width, height),
        Orientation::FlipVertical => at(0.0, below, width, height),
        Orientation::Rotate180 => at(right, below, width, height),
        Orientation::Rotate90 => at(below, 0.0, height, width),
        Orientation::Rotate270 => at(0.0, right, height, width),
        Orientation::Rotate90FlipH => at(0.0, 0.0, height, width),
        Orientation::Rotate270FlipH => at(below, right, height, width),
    }
}

#[cfg(test)]
mod tests {
    use image::imageops;

    use super::*;
    use crate::pixels::Picture;

    /// Marks the pixels of `shown` in a picture of that size.
    fn marked(shown: Region, size: Size) -> Picture {
        Picture::from_fn(size.width_px, size.height_px, |x, y| {
            let inside = (shown.left..shown.left + shown.width).contains(&f64::from(x))
                && (shown.top..shown.top + shown.height).contains(&f64::from(y));
            image::Rgb([if inside { 255 } else { 0 }; 3])
        })
    }

    #[test]
    fn what_is_shown_turns_with_the_picture() {
        let size = Size { width_px: 7, height_px: 5 };
        let shown = Region { left: 0.0, top: 0.0, width: 6.0, height: 3.0 };
        let before = marked(shown, size);
        assert_eq!(
            imageops::crop_imm(&before, 0, 0, 6, 3).to_image(),
            Picture::from_pixel(6, 3, image::Rgb([255; 3]))
        );

        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut after = DynamicImage::ImageRgb8(before.clone());
            after.apply_orientation(orientation);

            let turned = turned(shown, size, orientation);

            let after = after.into_rgb8();
            assert_eq!(marked(turned, Size::of(&after)), after, "EXIF orientation {exif}");
        }
    }
}
