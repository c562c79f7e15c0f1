//! What one decode tells of a picture: its size, its perceptual hashes, its quality.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    bytes::{HexBytes, hex},
    quality::Quality,
};

/// A 256-bit perceptual hash; near-equal pictures differ in few bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "HexBytes", try_from = "HexBytes")]
pub struct PerceptualHash(pub [u64; 4]);

/// A count of differing bits, 0 to 256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Distance(pub u32);

/// How alike two aligned pictures are, in thousandths: 1000 is the same picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Similarity(pub u16);

/// What comparing two pictures gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Likeness {
    /// Of their nearest two hashes.
    pub distance: Distance,
    /// Once laid over each other.
    pub similarity: Similarity,
}

/// All that deduplication and the report need to know of one picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Size after EXIF orientation.
    pub width_px: u32,
    pub height_px: u32,
    pub format: String,
    /// What of the picture was hashed: the whole first, then what is inside its border or bars if
    /// it has any, then parts as a crop might leave them.
    pub views: Vec<View>,
    /// 64×64 grey levels, row by row, of the whole picture squeezed to a square.
    #[serde(skip)]
    pub thumbnail: Vec<u8>,
    /// 16×16 RGB levels of the same.
    #[serde(skip)]
    pub colours: Vec<u8>,
    pub quality: Quality,
}

/// The hash of a rectangle of a picture, as the picture lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub extent: Extent,
    pub frame: Frame,
    pub hash: PerceptualHash,
}

/// Why a rectangle was hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    Whole,
    /// Without border, caption bars, or the screen around it.
    Inner,
    /// What a crop might have left.
    Part,
    /// The whole again, by a hash of other programs: it is neither turned nor set against ours.
    Plain,
}

/// A rectangle of a picture; its sides lie at these 255ths of the width and the height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Frame {
    pub left: u8,
    pub top: u8,
    pub right: u8,
    pub bottom: u8,
}

/// One of the eight ways to lay a picture: bit 0 mirrors it, bit 1 turns it upside down; bit 2
/// has swapped rows and columns before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orientation(u8);

/// Bit `16·v + u` stands for `u` half waves across and `v` down: waves that are odd across
/// change their sign in a mirror, waves that are odd downwards do so upside down.
const ODD_ACROSS: u64 = 0xAAAA_AAAA_AAAA_AAAA;
const ODD_DOWN: u64 = 0xFFFF_0000_FFFF_0000;

impl PerceptualHash {
    pub fn distance(self, other: Self) -> Distance {
        Distance(self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum())
    }

    /// Returns the hash of the picture laid in `orientation`, without looking at the picture.
    #[must_use]
    pub fn laid(self, orientation: Orientation) -> Self {
        let mut words = if orientation.is_swapped() { self.transposed().0 } else { self.0 };
        let across = if orientation.is_mirrored() { ODD_ACROSS } else { 0 };
        let down = if orientation.is_upside_down() { ODD_DOWN } else { 0 };
        for word in &mut words {
            *word ^= across ^ down;
        }
        Self(words)
    }

    /// Swaps rows and columns: blocks of eight by eight bits, then of four, two and one.
    fn transposed(self) -> Self {
        let mut rows: [u16; 16] =
            std::array::from_fn(|row| (self.0[row / 4] >> (row % 4 * 16) & 0xFFFF) as u16);
        for (side, mask) in [(8, 0x00FF), (4, 0x0F0F), (2, 0x3333), (1, 0x5555_u16)] {
            for row in (0..16).filter(|row| row & side == 0) {
                let swapped = (rows[row] >> side ^ rows[row + side]) & mask;
                rows[row] ^= swapped << side;
                rows[row + side] ^= swapped;
            }
        }
        let word = |at: usize| {
            (0..4).fold(0, |word, row| word | u64::from(rows[at * 4 + row]) << (row * 16))
        };
        Self(std::array::from_fn(word))
    }
}

impl Orientation {
    pub const UPRIGHT: Self = Self(0);
    pub const MIRRORED: Self = Self(1);

    pub fn all() -> impl Iterator<Item = Self> {
        (0..8).map(Self)
    }

    pub fn is_mirrored(self) -> bool {
        self.0 & 1 != 0
    }

    pub fn is_upside_down(self) -> bool {
        self.0 & 2 != 0
    }

    pub fn is_swapped(self) -> bool {
        self.0 & 4 != 0
    }

    /// Lays a square of items, given row by row.
    pub fn lay<T: Copy>(self, square: &[T]) -> Vec<T> {
        if self == Self::UPRIGHT {
            return square.to_vec();
        }
        let side = square.len().isqrt();
        let laid = |at: usize| {
            let (x, y) = (at % side, at / side);
            let x = if self.is_mirrored() { side - 1 - x } else { x };
            let y = if self.is_upside_down() { side - 1 - y } else { y };
            if self.is_swapped() { square[x * side + y] } else { square[y * side + x] }
        };
        (0..square.len()).map(laid).collect()
    }
}

impl View {
    /// Makes the view of a whole picture.
    pub fn whole(hash: PerceptualHash) -> Self {
        Self { extent: Extent::Whole, frame: Frame::WHOLE, hash }
    }
}

impl Frame {
    pub const WHOLE: Self = Self { left: 0, top: 0, right: 255, bottom: 255 };

    /// Returns where the rectangle lies once the picture is laid in `orientation`.
    #[must_use]
    pub fn laid(self, orientation: Orientation) -> Self {
        let Self { left, top, right, bottom } = self;
        let (across, down) = if orientation.is_swapped() {
            ((top, bottom), (left, right))
        } else {
            ((left, right), (top, bottom))
        };
        let flipped = |(from, to): (u8, u8)| (255 - to, 255 - from);
        let (left, right) = if orientation.is_mirrored() { flipped(across) } else { across };
        let (top, bottom) = if orientation.is_upside_down() { flipped(down) } else { down };
        Self { left, top, right, bottom }
    }
}

/// The nearest two views of two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nearest {
    pub distance: Distance,
    /// How the other picture is laid to come so near.
    pub orientation: Orientation,
    /// The rectangles that are so near; the other's as it is laid.
    pub own: Frame,
    pub other: Frame,
}

impl Fingerprint {
    /// Returns our hashes of the picture as it lies: the whole, and what is inside its border.
    /// Hashes of other programs are left out: too short to know a picture by.
    pub fn own_hashes(&self) -> impl Iterator<Item = PerceptualHash> {
        let own = self.views.iter().filter(|view| match view.extent {
            Extent::Whole | Extent::Inner => true,
            Extent::Part | Extent::Plain => false,
        });
        own.map(|view| view.hash)
    }

    /// Finds how the views of `other` come nearest to the views of this picture as it lies.
    ///
    /// Two parts are never set against each other, and parts are not turned: pictures that were
    /// cut are hardly ever turned as well, and most strangers would meet there.
    pub fn nearest(&self, other: &Self) -> Nearest {
        let far = Nearest {
            distance: Distance(256),
            orientation: Orientation::UPRIGHT,
            own: Frame::WHOLE,
            other: Frame::WHOLE,
        };
        let pairs =
            self.views.iter().flat_map(|own| other.views.iter().map(move |other| (own, other)));
        let nearest = pairs.filter_map(|(own, other)| {
            let orientations = match (own.extent, other.extent) {
                (Extent::Whole | Extent::Inner, Extent::Whole | Extent::Inner) => 8,
                (Extent::Whole | Extent::Inner, Extent::Part)
                | (Extent::Part, Extent::Whole | Extent::Inner) => 2,
                (Extent::Plain, Extent::Plain) => 1,
                (Extent::Part, Extent::Part)
                | (Extent::Plain, Extent::Whole | Extent::Inner | Extent::Part)
                | (Extent::Whole | Extent::Inner | Extent::Part, Extent::Plain) => 0,
            };
            let distances = Orientation::all().take(orientations).map(|orientation| Nearest {
                distance: own.hash.distance(other.hash.laid(orientation)),
                orientation,
                own: own.frame,
                other: other.frame.laid(orientation),
            });
            distances.min()
        });
        nearest.min().unwrap_or(far)
    }

    /// Returns the smallest distance between views of both pictures.
    pub fn distance(&self, other: &Self) -> Distance {
        self.nearest(other).distance
    }
}

impl fmt::Display for PerceptualHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(self.0.map(u64::to_be_bytes).as_flattened()))
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} %", self.0 / 10, self.0 % 10)
    }
}

impl From<PerceptualHash> for HexBytes {
    fn from(hash: PerceptualHash) -> Self {
        Self(hash.0.iter().flat_map(|word| word.to_be_bytes()).collect())
    }
}

/// A stored hash has the wrong length.
#[derive(Debug, thiserror::Error)]
#[error("a perceptual hash has 32 bytes, not {0}")]
pub struct NotAHash(usize);

impl TryFrom<HexBytes> for PerceptualHash {
    type Error = NotAHash;

    fn try_from(bytes: HexBytes) -> Result<Self, NotAHash> {
        let (words, rest) = bytes.0.as_chunks::<8>();
        match words.try_into() {
            Ok(words) if rest.is_empty() => {
                let words: [[u8; 8]; 4] = words;
                Ok(Self(words.map(u64::from_be_bytes)))
            }
            Ok(_) | Err(_) => Err(NotAHash(bytes.0.len())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: PerceptualHash = PerceptualHash([
        0x0123_4567_89AB_CDEF,
        0xFEDC_BA98_7654_3210,
        0x0F1E_2D3C_4B5A_6978,
        0x1357_9BDF_0246_8ACE,
    ]);

    fn print(views: Vec<View>) -> Fingerprint {
        Fingerprint {
            width_px: 9,
            height_px: 9,
            format: "PNG".to_owned(),
            views,
            thumbnail: Vec::new(),
            colours: Vec::new(),
            quality: Quality::default(),
        }
    }

    fn seen(extent: Extent, hash: PerceptualHash) -> Fingerprint {
        print(vec![View { extent, ..View::whole(hash) }])
    }

    #[test]
    fn swapping_rows_and_columns_moves_each_bit_and_twice_moves_none() {
        let swapped = |hash: PerceptualHash| hash.laid(Orientation(4));
        let bit = |row: usize, column: usize| {
            let mut words = [0; 4];
            words[row / 4] = 1 << (row % 4 * 16 + column);
            PerceptualHash(words)
        };

        for (row, column) in [(0, 5), (7, 15), (15, 1), (9, 9)] {
            assert_eq!(swapped(bit(row, column)), bit(column, row));
        }
        assert_eq!(swapped(swapped(HASH)), HASH);
    }

    #[test]
    fn the_nearest_view_tells_how_the_other_picture_is_laid() {
        let turned = Orientation(6);
        let other = HASH.laid(turned);

        // Upside down and swapped is undone by mirrored and swapped.
        let nearest = seen(Extent::Whole, HASH).nearest(&seen(Extent::Whole, other));

        assert_eq!((nearest.distance, nearest.orientation), (Distance(0), Orientation(5)));
    }

    #[test]
    fn a_part_meets_wholes_upright_or_mirrored_and_never_another_part() {
        let whole = seen(Extent::Whole, HASH);
        let part = |orientation| seen(Extent::Part, HASH.laid(orientation));

        assert_eq!(whole.distance(&part(Orientation::UPRIGHT)), Distance(0));
        assert_eq!(part(Orientation::MIRRORED).distance(&whole), Distance(0));
        assert!(Distance(40) < whole.distance(&part(Orientation(4))));
        assert_eq!(part(Orientation::UPRIGHT).distance(&part(Orientation::UPRIGHT)), Distance(256));
    }

    #[test]
    fn a_plain_hash_is_neither_turned_nor_set_against_ours() {
        let plain = seen(Extent::Plain, HASH);

        assert_eq!(plain.distance(&plain), Distance(0));
        let mirrored = seen(Extent::Plain, HASH.laid(Orientation::MIRRORED));
        assert_eq!(plain.distance(&mirrored), Distance(128));
        assert_eq!(plain.distance(&seen(Extent::Whole, HASH)), Distance(256));
    }

    #[test]
    fn a_frame_is_laid_as_its_picture_is() {
        let frame = Frame { left: 10, top: 20, right: 100, bottom: 200 };

        let laid = |orientation| frame.laid(Orientation(orientation));

        assert_eq!(laid(1), Frame { left: 155, top: 20, right: 245, bottom: 200 });
        assert_eq!(laid(2), Frame { left: 10, top: 55, right: 100, bottom: 235 });
        assert_eq!(laid(4), Frame { left: 20, top: 10, right: 200, bottom: 100 });
    }
}
