//! Coefficients of a block → its pixels, as many as were asked for: the inverse cosine transform
//! of 1, 2, 4 or 8 points each way. All in whole numbers; eight by eight points give exactly what
//! the reference decoder's accurate transform gives.

use super::header::PLACES;
use crate::pixels::wide::widely;

/// Coefficients of one block, times their steps, row by row.
pub(super) type Block = [i32; 64];

/// How many pixels a block of 8×8 comes as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) across: usize,
    pub(super) down: usize,
}

/// Writes the pixels of a block into rows that lie `stride` apart.
pub(super) type Render = fn(&Block, &mut [u8], usize);

/// Fractional bits of the factors below.
const FACTOR_BITS: u32 = 13;

/// Fractional bits kept between the two passes.
const BETWEEN_BITS: u32 = 2;

/// What the second pass takes away: its own bits, those kept between, and the norm of 8×8.
const LAST_BITS: u32 = FACTOR_BITS + BETWEEN_BITS + 3;

impl Shape {
    /// Returns the last coefficient, in the order of the file, that these pixels can show.
    pub(super) fn last_place(self) -> usize {
        let shown = |&place: &u8| {
            let place = usize::from(place);
            place % 8 < self.across && place / 8 < self.down
        };
        PLACES.iter().rposition(shown).unwrap_or(0)
    }

    pub(super) fn render(self) -> Render {
        match (self.across, self.down) {
            (1, 1) => mean,
            (1, 2) => inverse::<1, 2>,
            (1, 4) => inverse::<1, 4>,
            (2, 1) => inverse::<2, 1>,
            (2, 2) => inverse::<2, 2>,
            (2, 4) => inverse::<2, 4>,
            (2, 8) => inverse::<2, 8>,
            (4, 1) => inverse::<4, 1>,
            (4, 2) => inverse::<4, 2>,
            (4, 4) => inverse::<4, 4>,
            (4, 8) => inverse::<4, 8>,
            (8, 2) => inverse::<8, 2>,
            (8, 4) => inverse::<8, 4>,
            (8, 8) => inverse::<8, 8>,
            (across, down) => unreachable!("no block comes as {across}\u{d7}{down}"),
        }
    }
}

/// Fills a block without details.
pub(super) fn flat(mean: i32, shape: Shape, pixels: &mut [u8], stride: usize) {
    let level = level_of_mean(mean);
    for row in pixels.chunks_mut(stride).take(shape.down) {
        row[..shape.across].fill(level);
    }
}

pub(super) fn level_of_mean(mean: i32) -> u8 {
    level(mean.wrapping_add(4) >> 3)
}

fn mean(block: &Block, pixels: &mut [u8], _stride: usize) {
    pixels[0] = level_of_mean(block[0]);
}

fn inverse<const ACROSS: usize, const DOWN: usize>(
    block: &Block,
    pixels: &mut [u8],
    stride: usize,
) {
    let rows = widely(
        #[inline(always)]
        || {
            let rows = std::array::from_fn(|y| std::array::from_fn(|x| block[8 * y + x]));
            let columns = points::<DOWN, ACROSS>(&rows, FACTOR_BITS - BETWEEN_BITS);
            points::<ACROSS, DOWN>(&turned(&columns), LAST_BITS)
        },
    );
    for (y, row) in pixels.chunks_mut(stride).take(DOWN).enumerate() {
        for (x, pixel) in row[..ACROSS].iter_mut().enumerate() {
            *pixel = level(rows[x][y]);
        }
    }
}

fn level(value: i32) -> u8 {
    u8::try_from(value.wrapping_add(128).clamp(0, 255)).expect("clamped to a level")
}

#[inline(always)]
fn turned<const W: usize, const H: usize>(rows: &[[i32; W]; H]) -> [[i32; H]; W] {
    std::array::from_fn(|x| std::array::from_fn(|y| rows[y][x]))
}

/// Transforms `LANES` columns of `N` coefficients each, rounding `bits` away.
#[inline(always)]
fn points<const N: usize, const LANES: usize>(
    input: &[[i32; LANES]; N],
    bits: u32,
) -> [[i32; LANES]; N] {
    let lane = |n: usize| Lanes(input[n]);
    let mut output = [[0; LANES]; N];
    let mut put = |n: usize, value: Lanes<LANES>| output[n] = value.rounded(bits);
    match N {
        1 => put(0, lane(0).times(1 << FACTOR_BITS)),
        2 => {
            let (mean, slope) = (lane(0), lane(1));
            put(0, mean.plus(slope).times(1 << FACTOR_BITS));
            put(1, mean.minus(slope).times(1 << FACTOR_BITS));
        }
        4 => {
            let inner = [lane(0), lane(1), lane(2), lane(3)];
            for (n, value) in four(inner).into_iter().enumerate() {
                put(n, value);
            }
        }
        _ => {
            for (n, value) in eight(std::array::from_fn(lane)).into_iter().enumerate() {
                put(n, value);
            }
        }
    }
    output
}

/// 4 points: the factors are √2·cos(π/8) and √2·cos(3π/8).
#[inline(always)]
fn four<const LANES: usize>([c0, c1, c2, c3]: [Lanes<LANES>; 4]) -> [Lanes<LANES>; 4] {
    let even = c0.plus(c2).times(1 << FACTOR_BITS);
    let odd = c0.minus(c2).times(1 << FACTOR_BITS);
    let outer = c1.times(10_703).plus(c3.times(4_433));
    let inner = c1.times(4_433).minus(c3.times(10_703));
    [even.plus(outer), odd.plus(inner), odd.minus(inner), even.minus(outer)]
}

/// 8 points, after Loeffler, Ligtenberg and Moschytz; the factors are sums of cosines times √2.
#[inline(always)]
fn eight<const LANES: usize>(c: [Lanes<LANES>; 8]) -> [Lanes<LANES>; 8] {
    let shared = c[2].plus(c[6]).times(4_433);
    let low = shared.minus(c[6].times(15_137));
    let high = shared.plus(c[2].times(6_270));
    let sum = c[0].plus(c[4]).times(1 << FACTOR_BITS);
    let difference = c[0].minus(c[4]).times(1 << FACTOR_BITS);
    let even = [sum.plus(high), difference.plus(low), difference.minus(low), sum.minus(high)];

    let (z3, z4) = (c[7].plus(c[3]), c[5].plus(c[1]));
    let shared = z3.plus(z4).times(9_633);
    let z1 = c[7].plus(c[1]).times(-7_373);
    let z2 = c[5].plus(c[3]).times(-20_995);
    let z3 = z3.times(-16_069).plus(shared);
    let z4 = z4.times(-3_196).plus(shared);
    let odd = [
        c[1].times(12_299).plus(z1).plus(z4),
        c[3].times(25_172).plus(z2).plus(z3),
        c[5].times(16_819).plus(z2).plus(z4),
        c[7].times(2_446).plus(z1).plus(z3),
    ];
    std::array::from_fn(|n| match n {
        0..4 => even[n].plus(odd[n]),
        _ => even[7 - n].minus(odd[7 - n]),
    })
}

/// Numbers that go through the same steps side by side. Only hostile files overflow them.
#[derive(Clone, Copy)]
struct Lanes<const N: usize>([i32; N]);

impl<const N: usize> Lanes<N> {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n].wrapping_add(other.0[n])))
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        Self(std::array::from_fn(|n| self.0[n].wrapping_sub(other.0[n])))
    }

    #[inline(always)]
    fn times(self, factor: i32) -> Self {
        Self(self.0.map(|it| it.wrapping_mul(factor)))
    }

    #[inline(always)]
    fn rounded(self, bits: u32) -> [i32; N] {
        self.0.map(|it| it.wrapping_add(1 << (bits - 1)) >> bits)
    }
}
