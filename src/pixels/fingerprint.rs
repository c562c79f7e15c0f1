//! A decoded picture → its fingerprint.
//!
//! Looks are means over areas, which hardly depend on the size a picture comes in: only a very
//! large or small one is scaled first. Quality is always measured at a shorter side of 256.

use std::borrow::Cow;

use super::{
    Picture,
    area::AreaSums,
    border,
    decode::Decoded,
    hash,
    plain_hash::{self, HashBits, HashKind},
    quality,
    scale::{self, Filter, Grey, Region, Size},
};
use crate::domain::{
    fingerprint::{Extent, Fingerprint, Frame, View},
    quality::Quality,
};

/// The shorter side a picture must be decoded to at least, if it ever was so large.
pub const SHORTER_PX: u32 = 256;

/// The same where only twins are looked for: what tells them is coarser still.
pub const LOOKS_PX: u32 = SHORTER_PX * 3 / 4;

/// The shorter side quality is measured on, and what a picture is scaled to where it comes too
/// large or too small to be looked at as it is.
const WORK_PX: u32 = SHORTER_PX;

/// A picture longer than this at that scale is squeezed: panoramas cannot ask for more.
const WORK_LONGER_PX: u32 = 1024;

const COLOURS_PX: u32 = 16;

/// Parts of a picture that a crop might have left.
const PARTS: [Frame; 9] = [
    Frame { left: 0, top: 0, right: 228, bottom: 228 },
    Frame { left: 27, top: 0, right: 255, bottom: 228 },
    Frame { left: 0, top: 27, right: 228, bottom: 255 },
    Frame { left: 27, top: 27, right: 255, bottom: 255 },
    Frame { left: 25, top: 25, right: 230, bottom: 230 },
    Frame { left: 26, top: 0, right: 255, bottom: 255 },
    Frame { left: 0, top: 26, right: 255, bottom: 255 },
    Frame { left: 0, top: 0, right: 229, bottom: 255 },
    Frame { left: 0, top: 0, right: 255, bottom: 229 },
];

/// A picture as it is looked at.
struct Seen<'a> {
    picture: Cow<'a, Picture>,
    grey: Grey,
    /// Where the whole picture lies among its pixels.
    shown: Region,
}

/// Fingerprints a decoded picture.
pub fn fingerprint(decoded: &Decoded) -> Fingerprint {
    let seen = Seen::new(decoded);
    let work = work_size(decoded);
    let quality = if seen.grey.size == work {
        quality::quality(&seen.grey)
    } else {
        quality::quality(&scale::grey(&seen.grey, seen.shown, work, Filter::Bilinear))
    };
    Fingerprint { quality, ..looks_of(decoded, &seen) }
}

/// Fingerprints a decoded picture as far as twins go; its quality is not measured.
pub fn looks(decoded: &Decoded) -> Fingerprint {
    looks_of(decoded, &Seen::new(decoded))
}

fn looks_of(decoded: &Decoded, seen: &Seen) -> Fingerprint {
    let sums = AreaSums::new(&seen.grey);
    let thumbnail = sums.means(seen.shown);
    let view = |extent, frame| View {
        extent,
        frame,
        hash: hash::hash(&sums.means(part(seen.shown, frame))),
    };
    let mut views = vec![View::whole(hash::hash(&thumbnail))];
    views.extend(inner(&seen.grey).map(|frame| view(Extent::Inner, frame)));
    views.extend(PARTS.map(|frame| view(Extent::Part, frame)));
    let colours = scale::colour(&seen.picture, seen.shown, Size::square(COLOURS_PX), Filter::Area);
    Fingerprint {
        width_px: decoded.width_px,
        height_px: decoded.height_px,
        format: decoded.format.to_owned(),
        views,
        thumbnail,
        colours: colours.into_raw(),
        quality: Quality::default(),
    }
}

impl<'a> Seen<'a> {
    fn new(decoded: &'a Decoded) -> Self {
        let picture = &decoded.picture;
        let size = Size::of(picture);
        let shown = decoded.shown();
        let (picture, shown) = if LOOKS_PX <= size.width_px.min(size.height_px)
            && AreaSums::fits(size)
        {
            (Cow::Borrowed(picture), shown)
        } else {
            let work = work_size(decoded);
            (Cow::Owned(scale::colour(picture, shown, work, Filter::Bilinear)), Region::whole(work))
        };
        Self { grey: Grey::of(&picture), picture, shown }
    }
}

/// The size quality is measured at.
fn work_size(decoded: &Decoded) -> Size {
    let (width_px, height_px) = (decoded.width_px, decoded.height_px);
    let shorter = u64::from(width_px.min(height_px));
    let scaled = |px: u32| {
        let exact = u64::from(px) * u64::from(WORK_PX) / shorter;
        u32::try_from(exact.min(u64::from(WORK_LONGER_PX))).expect("at most the longer side")
    };
    Size { width_px: scaled(width_px), height_px: scaled(height_px) }
}

/// Fingerprints a decoded picture by our own hash, or by one of other programs, which then
/// stands alone.
pub fn of(decoded: &Decoded, kind: HashKind, bits: HashBits) -> Fingerprint {
    let print = fingerprint(decoded);
    let Some(hash) = plain_hash::plain_hash(&decoded.picture, kind, bits) else { return print };
    Fingerprint { views: vec![View { extent: Extent::Plain, ..View::whole(hash) }], ..print }
}

/// Returns what a frame cuts out of a whole picture.
fn part(whole: Region, frame: Frame) -> Region {
    let span = |from: u8, to: u8, first: f64, length: f64| {
        let at = |place: u8| f64::from(place) / 255.0 * length;
        (first + at(from), at(to) - at(from))
    };
    let (left, width) = span(frame.left, frame.right, whole.left, whole.width);
    let (top, height) = span(frame.top, frame.bottom, whole.top, whole.height);
    Region { left, top, width, height }
}

/// Finds what is inside border and bars; nothing if there are none or almost nothing else.
fn inner(grey: &Grey) -> Option<Frame> {
    let width = usize::try_from(grey.size.width_px).expect("a picture that is looked at is small");
    let inner = border::inner(&grey.levels, width);
    let height = grey.levels.len() / width;
    let at = |px: usize, side: usize| {
        u8::try_from((px * 255 + side / 2) / side).expect("no place lies beyond the side")
    };
    let frame = Frame {
        left: at(inner.left, width),
        top: at(inner.top, height),
        right: at(inner.right, width),
        bottom: at(inner.bottom, height),
    };
    let cuts = [frame.left, frame.top, 255 - frame.right, 255 - frame.bottom];
    cuts.iter().any(|cut| 4 < *cut).then_some(frame)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, imageops};

    use super::*;
    use crate::{
        domain::fingerprint::Distance,
        pixels::{Picture, edits},
    };

    fn of(picture: Picture) -> Fingerprint {
        fingerprint(&Decoded::whole(picture, "PNG"))
    }

    #[test]
    fn a_smaller_copy_is_near_and_another_picture_is_far() {
        let large = edits::drawn(1, 400, 300);
        let small = imageops::resize(&large, 200, 150, imageops::FilterType::Triangle);

        assert!(of(large.clone()).distance(&of(small)) <= Distance(12));
        assert!(Distance(60) < of(large).distance(&of(edits::drawn(2, 400, 300))));
    }

    #[test]
    fn every_orientation_of_a_picture_is_found() {
        let print = of(edits::drawn(3, 320, 320));
        let turned = imageops::rotate90(&edits::drawn(3, 320, 320));
        let mirrored = imageops::flip_horizontal(&edits::drawn(3, 320, 320));

        assert!(of(turned).distance(&print) <= Distance(4));
        assert!(of(mirrored).distance(&print) <= Distance(4));
    }

    #[test]
    fn a_border_does_not_hide_a_picture() {
        let picture = edits::drawn(4, 300, 300);
        let mut bordered = Picture::from_pixel(300, 400, Rgb([255; 3]));
        imageops::replace(&mut bordered, &picture, 0, 40);

        let (plain, bordered) = (of(picture), of(bordered));

        let extents = |print: &Fingerprint| -> Vec<Extent> {
            print.views.iter().map(|view| view.extent).take(2).collect()
        };
        assert_eq!(extents(&plain), [Extent::Whole, Extent::Part]);
        assert_eq!(extents(&bordered), [Extent::Whole, Extent::Inner]);
        assert!(plain.distance(&bordered) <= Distance(20));
        assert_eq!(plain.distance(&bordered), bordered.distance(&plain));
    }

    #[test]
    fn a_panorama_and_a_single_pixel_are_fingerprinted() {
        for (width, height) in [(1, 1), (9000, 2), (3, 5000)] {
            let print = of(Picture::from_pixel(width, height, Rgb([9, 99, 199])));
            assert_eq!((print.width_px, print.views.len()), (width, 1 + PARTS.len()));
        }
    }
}
