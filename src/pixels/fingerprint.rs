//! A decoded picture → its fingerprint.
//!
//! The picture is scaled once to a shorter side of 256; everything else comes from that.

use super::{
    border,
    decode::Decoded,
    hash,
    plain_hash::{self, HashBits, HashKind},
    quality,
    scale::{self, Filter, Grey, Region, Size},
};
use crate::domain::{
    bytes::HexBytes,
    fingerprint::{Extent, Fingerprint, Frame, View},
    quality::Quality,
};

/// The shorter side a picture must be decoded to at least; larger ones are scaled down to it.
pub const SHORTER_PX: u32 = 256;

/// The same where only twins are looked for: what tells them is so coarse that a picture which
/// comes a little smaller and is scaled up has hardly another fingerprint. Of 43,564 pairs of
/// edited copies 33 fell just below the usual limits by it and 23 rose above.
pub const LOOKS_PX: u32 = SHORTER_PX * 3 / 4;

/// The shorter side everything is measured on.
const WORK_PX: u32 = SHORTER_PX;

/// A picture longer than this at that scale is squeezed: panoramas cannot ask for more.
const WORK_LONGER_PX: u32 = 1024;

/// The size of the thumbnail, and of what is hashed.
const SQUARE: Size = Size { width_px: 64, height_px: 64 };
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

/// Fingerprints a decoded picture.
pub fn fingerprint(decoded: &Decoded) -> Fingerprint {
    let (looks, grey) = sketch(decoded);
    Fingerprint { quality: quality::quality(&grey), ..looks }
}

/// Fingerprints a decoded picture as far as twins go; its quality is not measured.
pub fn looks(decoded: &Decoded) -> Fingerprint {
    sketch(decoded).0
}

/// Returns the looks of a picture, and the levels they were taken from.
fn sketch(decoded: &Decoded) -> (Fingerprint, Grey) {
    let picture = &decoded.picture;
    let source = Size { width_px: decoded.width_px, height_px: decoded.height_px };
    let work = scale::colour(picture, decoded.shown(), work_size(source), Filter::Bilinear);
    let work_px = Size::of(&work);
    let whole = Region::whole(work_px);
    let grey = Grey::of(&work);
    let thumbnail = scale::grey(&grey, whole, SQUARE, Filter::Area);
    let colours = scale::colour(&work, whole, Size::square(COLOURS_PX), Filter::Area);
    let view = |extent, frame| {
        let small = scale::grey(&grey, region(work_px, frame), SQUARE, Filter::Area);
        View { extent, frame, hash: hash::hash(&small.levels) }
    };
    let mut views = vec![View::whole(hash::hash(&thumbnail.levels))];
    views.extend(inner(&grey).map(|frame| view(Extent::Inner, frame)));
    views.extend(PARTS.map(|frame| view(Extent::Part, frame)));
    let looks = Fingerprint {
        width_px: decoded.width_px,
        height_px: decoded.height_px,
        format: decoded.format.to_owned(),
        views,
        thumbnail: HexBytes(thumbnail.levels),
        colours: HexBytes(colours.into_raw()),
        quality: Quality::default(),
    };
    (looks, grey)
}

fn work_size(source: Size) -> Size {
    let shorter = u64::from(source.width_px.min(source.height_px));
    let scaled = |px: u32| {
        let exact = u64::from(px) * u64::from(WORK_PX) / shorter;
        u32::try_from(exact.min(u64::from(WORK_LONGER_PX))).expect("at most the longer side")
    };
    Size { width_px: scaled(source.width_px), height_px: scaled(source.height_px) }
}

/// Fingerprints a decoded picture by our own hash, or by one of other programs, which then
/// stands alone.
pub fn of(decoded: &Decoded, kind: HashKind, bits: HashBits) -> Fingerprint {
    let print = fingerprint(decoded);
    let Some(hash) = plain_hash::plain_hash(&decoded.picture, kind, bits) else { return print };
    Fingerprint { views: vec![View { extent: Extent::Plain, ..View::whole(hash) }], ..print }
}

/// The whole pixels of a frame, at least one.
fn region(size: Size, frame: Frame) -> Region {
    let span = |from: u8, to: u8, side: u32| {
        let px = |at: u8| (u32::from(at) * side + 127) / 255;
        let first = px(from).min(side - 1);
        (f64::from(first), f64::from(px(to).max(first + 1) - first))
    };
    let (left, width) = span(frame.left, frame.right, size.width_px);
    let (top, height) = span(frame.top, frame.bottom, size.height_px);
    Region { left, top, width, height }
}

/// Finds what is inside border and bars; nothing if there are none or almost nothing else.
fn inner(grey: &Grey) -> Option<Frame> {
    let width = usize::try_from(grey.size.width_px).expect("a work picture is small");
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
