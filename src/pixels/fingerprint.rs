//! A decoded picture → its fingerprint. The only file that knows `img_hash`.
//!
//! The picture is scaled once to a shorter side of 256; everything else comes from that. The
//! hash is the median hash of the cosine transform, 256 bits: of those measured, no hash of
//! that length told twins from look-alikes better.

use img_hash::{HashAlg, Hasher, HasherConfig};

use super::{
    border,
    decode::Decoded,
    scale::{self, Filter, Grey, Region, Size},
};
use crate::domain::{
    bytes::HexBytes,
    fingerprint::{Fingerprint, PerceptualHash, Quality},
};

/// The shorter side everything is measured on.
const WORK_PX: u32 = 256;

/// A picture longer than this at that scale is squeezed: panoramas cannot ask for more.
const WORK_LONGER_PX: u32 = 1024;

const THUMBNAIL_PX: u32 = 64;
const COLOURS_PX: u32 = 16;

/// The transform of `img_hash` takes twice the side of the hash.
const HASH_PX: u32 = 32;

/// Fingerprints a decoded picture.
pub fn fingerprint(decoded: &Decoded) -> Fingerprint {
    let picture = &decoded.picture;
    let source = Size { width_px: decoded.width_px, height_px: decoded.height_px };
    let work = scale::colour(picture, decoded.shown(), work_size(source), Filter::Bilinear);
    let work_px = Size::of(&work);
    let whole = Region::whole(work_px);
    let grey = Grey::of(&work);
    let thumbnail = scale::grey(&grey, whole, Size::square(THUMBNAIL_PX), Filter::Area);
    let colours = scale::colour(&work, whole, Size::square(COLOURS_PX), Filter::Area);
    let mut hashes = hashes(&grey, whole);
    if let Some(inner) = without_border(&grey) {
        hashes.extend(self::hashes(&grey, inner));
    }
    Fingerprint {
        width_px: decoded.width_px,
        height_px: decoded.height_px,
        format: decoded.format.to_owned(),
        hashes,
        thumbnail: HexBytes(thumbnail.levels),
        colours: HexBytes(colours.into_raw()),
        quality: quality(&grey),
    }
}

fn work_size(source: Size) -> Size {
    let shorter = u64::from(source.width_px.min(source.height_px));
    let scaled = |px: u32| {
        let exact = u64::from(px) * u64::from(WORK_PX) / shorter;
        u32::try_from(exact.min(u64::from(WORK_LONGER_PX))).expect("at most the longer side")
    };
    Size { width_px: scaled(source.width_px), height_px: scaled(source.height_px) }
}

/// Hashes the region in all eight orientations, as it is first.
fn hashes(grey: &Grey, region: Region) -> Vec<PerceptualHash> {
    let small = scale::grey(grey, region, Size::square(HASH_PX), Filter::Area);
    let hasher = HasherConfig::with_bytes_type::<[u8; 32]>()
        .hash_alg(HashAlg::Median)
        .preproc_dct()
        .hash_size(16, 16)
        .to_hasher();
    Orientation::all().map(|turned| hash(&hasher, turned.of(&small.levels))).collect()
}

fn hash(hasher: &Hasher<[u8; 32]>, levels: Vec<u8>) -> PerceptualHash {
    let grey = image::GrayImage::from_raw(HASH_PX, HASH_PX, levels).expect("32×32 levels");
    let hash = hasher.hash_image(&grey);
    let (words, _) = hash.as_bytes().as_chunks::<8>();
    let words: [[u8; 8]; 4] = words.try_into().expect("the hash type is 32 bytes wide");
    PerceptualHash(words.map(u64::from_le_bytes))
}

/// One of the eight ways to lay a square; the number is the place of its hash.
#[derive(Clone, Copy, Debug)]
pub(super) struct Orientation(usize);

impl Orientation {
    fn all() -> impl Iterator<Item = Self> {
        (0..Fingerprint::ORIENTATIONS).map(Self)
    }

    /// Returns the orientation the hash at `place` of a fingerprint was made in.
    pub(super) fn of_hash(place: usize) -> Self {
        Self(place % Fingerprint::ORIENTATIONS)
    }

    /// Lays a square of items in this orientation: bit 0 mirrors it, bit 1 turns it upside
    /// down, bit 2 swaps rows and columns.
    pub(super) fn of<T: Copy>(self, square: &[T]) -> Vec<T> {
        let side = square.len().isqrt();
        let laid = |at: usize| {
            let (x, y) = (at % side, at / side);
            let x = if self.0 & 1 == 0 { x } else { side - 1 - x };
            let y = if self.0 & 2 == 0 { y } else { side - 1 - y };
            if self.0 & 4 == 0 { square[y * side + x] } else { square[x * side + y] }
        };
        (0..square.len()).map(laid).collect()
    }
}

/// Cuts uniform margins off; nothing if there are none or almost only margin.
fn without_border(grey: &Grey) -> Option<Region> {
    let (width, height) = (grey.size.width_px, grey.size.height_px);
    let inner =
        border::inner(&grey.levels, usize::try_from(width).expect("a work picture is small"));
    let px = |n: usize| u32::try_from(n).expect("a work picture is small");
    let (left, top, right, bottom) =
        (px(inner.left), px(inner.top), px(inner.right), px(inner.bottom));
    let is_border = |cut: u32, length: u32| length < cut * 50;
    let cuts = [(left, width), (width - right, width), (top, height), (height - bottom, height)];
    cuts.iter().any(|&(cut, length)| is_border(cut, length)).then(|| Region {
        left: left.into(),
        top: top.into(),
        width: (right - left).into(),
        height: (bottom - top).into(),
    })
}

fn quality(grey: &Grey) -> Quality {
    let mut n = 0.0;
    let (mut sum, mut squares) = (0.0, 0.0);
    for &level in &grey.levels {
        let level = f64::from(level);
        n += 1.0;
        sum += level;
        squares += level * level;
    }
    let mean = sum / n;
    Quality {
        brightness: rounded(mean),
        contrast: rounded((squares / n - mean * mean).max(0.0).sqrt()),
        sharpness: sharpness(grey),
    }
}

/// The variance of the Laplacian over all inner pixels.
fn sharpness(grey: &Grey) -> u32 {
    let width = usize::try_from(grey.size.width_px).expect("a work picture is small");
    let rows: Vec<&[u8]> = grey.levels.chunks_exact(width).collect();
    let (mut n, mut sum, mut squares) = (0_i64, 0_i64, 0_i64);
    for three in rows.windows(3) {
        for x in 1..width - 1 {
            let level = |row: usize, x: usize| i64::from(three[row][x]);
            let around = level(0, x) + level(2, x) + level(1, x - 1) + level(1, x + 1);
            let bend = around - 4 * level(1, x);
            n += 1;
            sum += bend;
            squares += bend * bend;
        }
    }
    let variance = (squares - sum * sum / n.max(1)) / n.max(1);
    u32::try_from(variance).expect("a bend is at most 1020, its square about a million")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "means and deviations of bytes are bytes"
)]
fn rounded(value: f64) -> u8 {
    value.round() as u8
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

        assert_eq!((plain.hashes.len(), bordered.hashes.len()), (8, 16));
        assert!(plain.distance(&bordered) <= Distance(20));
        assert_eq!(plain.distance(&bordered), bordered.distance(&plain));
    }

    #[test]
    fn quality_tells_plain_from_busy_and_sharp_from_blurred() {
        let plain = of(Picture::from_pixel(300, 300, Rgb([100; 3]))).quality;
        let busy = of(edits::drawn(5, 300, 300)).quality;
        let blurred = of(imageops::blur(&edits::drawn(5, 300, 300), 4.0)).quality;

        assert_eq!(plain, Quality { brightness: 100, contrast: 0, sharpness: 0 });
        assert!(blurred.sharpness * 4 < busy.sharpness, "{blurred:?} {busy:?}");
        assert!(10 < busy.contrast);
    }

    #[test]
    fn a_panorama_and_a_single_pixel_are_fingerprinted() {
        for (width, height) in [(1, 1), (9000, 2), (3, 5000)] {
            let print = of(Picture::from_pixel(width, height, Rgb([9, 99, 199])));
            assert_eq!((print.width_px, print.hashes.len()), (width, 8));
        }
    }
}
