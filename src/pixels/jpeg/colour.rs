//! Planes of a picture → red, green and blue. Sparse planes are spread as the reference decoder
//! does: a neighbour counts for a quarter each way where a plane has half the pixels.

use super::{
    header::Frame,
    plane::Plane,
    segment::{self, Segment},
};
use crate::pixels::{Picture, wide::widely};

/// What the levels of three planes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    Rgb,
    /// Brightness and two differences of colour.
    YCbCr,
}

/// What marks in the file say about its colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    has_jfif: bool,
    /// What an Adobe segment says was done to the colours: 0 for nothing.
    adobe_transform: Option<u8>,
}

impl Marks {
    pub(super) fn read(&mut self, segment: Segment) {
        match (segment.marker, segment.body) {
            (segment::JFIF, [b'J', b'F', b'I', b'F', 0, ..]) => self.has_jfif = true,
            (segment::ADOBE, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                self.adobe_transform = Some(*transform);
            }
            _ => (),
        }
    }

    pub(super) fn space(self, frame: &Frame) -> Space {
        let is_spelled = frame.components.iter().map(|it| it.id).eq(*b"RGB");
        match self.adobe_transform {
            _ if self.has_jfif => Space::YCbCr,
            Some(0) => Space::Rgb,
            None if is_spelled => Space::Rgb,
            Some(_) | None => Space::YCbCr,
        }
    }
}

/// Puts one or three planes together.
pub(super) fn picture(planes: &[Plane], space: Space, (width, height): (usize, usize)) -> Picture {
    let mut levels = vec![0; width * height * 3];
    let mut spreaders: Vec<Spreader> =
        planes.iter().map(|plane| Spreader::new(plane, (width, height))).collect();
    for (y, row) in levels.chunks_exact_mut(width * 3).enumerate() {
        let (pixels, _) = row.as_chunks_mut::<3>();
        match spreaders.as_mut_slice() {
            [first, second, third] => {
                let (first, second, third) = (first.row(y), second.row(y), third.row(y));
                match space {
                    Space::Rgb => {
                        for (x, pixel) in pixels.iter_mut().enumerate() {
                            *pixel = [first[x], second[x], third[x]];
                        }
                    }
                    Space::YCbCr => widely(
                        #[inline(always)]
                        || to_rgb(first, second, third, pixels),
                    ),
                }
            }
            others => {
                for (pixel, &level) in pixels.iter_mut().zip(others[0].row(y)) {
                    *pixel = [level; 3];
                }
            }
        }
    }
    let px = |n: usize| u32::try_from(n).expect("the header has sixteen bits for each side");
    Picture::from_raw(px(width), px(height), levels).expect("three levels for each pixel")
}

/// The factors of ITU-R BT.601 with sixteen fractional bits, less a whole number of times each
/// difference so that every product fits the narrow multiplication of old processors.
#[inline(always)]
fn to_rgb(brightness: &[u8], blue: &[u8], red: &[u8], pixels: &mut [[u8; 3]]) {
    const HALF: i32 = 1 << 15;
    let differences = blue.iter().zip(red);
    for ((pixel, &y), (&cb, &cr)) in pixels.iter_mut().zip(brightness).zip(differences) {
        let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
        *pixel = [
            level(y + cr + ((26_345 * cr + HALF) >> 16)),
            level(y - cr + ((18_734 * cr - 22_554 * cb + HALF) >> 16)),
            level(y + 2 * cb + ((HALF - 14_942 * cb) >> 16)),
        ];
    }
}

#[inline(always)]
fn level(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).expect("clamped to a level")
}

/// Gives a plane's rows at the density of the picture.
struct Spreader<'a> {
    plane: &'a Plane,
    /// Pixels of the plane that show, across and down.
    size: (usize, usize),
    row: Vec<u8>,
    /// Sums of a row and its neighbour.
    sums: Vec<u16>,
}

impl<'a> Spreader<'a> {
    fn new(plane: &'a Plane, (width, height): (usize, usize)) -> Self {
        let (across, down) = plane.spread;
        let size = (width.div_ceil(across), height.div_ceil(down));
        let n = if (across, down) == (1, 1) { 0 } else { size.0 };
        Self { plane, size, row: vec![0; n * across], sums: vec![0; n] }
    }

    fn row(&mut self, y: usize) -> &[u8] {
        let plane = self.plane;
        let size = self.size;
        let own = |y: usize| &plane.levels[y * plane.stride..][..size.0];
        match plane.spread {
            (1, 1) => return own(y),
            (2, 1) if 2 < size.0 => {
                for (sum, &level) in self.sums.iter_mut().zip(own(y)) {
                    *sum = 4 * u16::from(level);
                }
                spread(&self.sums, &mut self.row, [4, 8]);
            }
            (2, 2) if 2 < size.0 => {
                self.add_neighbour(own(y / 2), own(self.neighbour(y)));
                spread(&self.sums, &mut self.row, [8, 7]);
            }
            (1, 2) => {
                self.add_neighbour(own(y / 2), own(self.neighbour(y)));
                let half = if y.is_multiple_of(2) { 1 } else { 2 };
                for (to, sum) in self.row.iter_mut().zip(&self.sums) {
                    *to = narrow((sum + half) >> 2);
                }
            }
            (across, down) => {
                for (to, &level) in self.row.chunks_exact_mut(across).zip(own(y / down)) {
                    to.fill(level);
                }
            }
        }
        &self.row
    }

    /// Returns the row nearest to `y` after its own, where each row counts twice.
    fn neighbour(&self, y: usize) -> usize {
        let own = y / 2;
        if y.is_multiple_of(2) { own.saturating_sub(1) } else { (own + 1).min(self.size.1 - 1) }
    }

    fn add_neighbour(&mut self, own: &[u8], neighbour: &[u8]) {
        for ((sum, &own), &neighbour) in self.sums.iter_mut().zip(own).zip(neighbour) {
            *sum = 3 * u16::from(own) + u16::from(neighbour);
        }
    }
}

/// Makes two pixels of each of at least two sums, which are four times a level. The halves that
/// are added before rounding differ to the left and to the right, so that no side is favoured.
fn spread(sums: &[u16], row: &mut [u8], [left, right]: [u16; 2]) {
    let last = sums.len() - 1;
    let (pairs, _) = row.as_chunks_mut::<2>();
    for ((around, own), pair) in sums.windows(3).zip(&sums[1..last]).zip(&mut pairs[1..last]) {
        *pair =
            [narrow((3 * own + around[0] + left) >> 4), narrow((3 * own + around[2] + right) >> 4)];
    }
    pairs[0] = [narrow((4 * sums[0] + 8) >> 4), narrow((3 * sums[0] + sums[1] + right) >> 4)];
    pairs[last] = [
        narrow((3 * sums[last] + sums[last - 1] + left) >> 4),
        narrow((4 * sums[last] + right.min(7)) >> 4),
    ];
}

fn narrow(value: u16) -> u8 {
    u8::try_from(value.min(255)).expect("at most 255")
}
