//! A picture at its working size → the measures of its worth.
//!
//! All of it is counting in whole numbers (the search for repeats adds and multiplies in a fixed
//! order), so every machine measures the same.

use super::{border, scale::Grey};
use crate::domain::quality::{Quality, Share};

mod lines;
mod repeats;
mod seams;

/// Levels this close together count as one.
const LIKE: usize = 8;

/// The side of the tiles in which sharpness is looked for.
const TILE_PX: usize = 32;

/// How many grey pixels have each level.
struct Levels {
    counts: [u32; 256],
    n: u32,
}

/// Measures a picture whose shorter side is the working size.
pub(super) fn quality(grey: &Grey) -> Quality {
    let width = px(grey.size.width_px);
    let levels = Levels::of(&grey.levels);
    let inner = border::inner(&grey.levels, width);
    let (across, along) = (inner.right - inner.left, inner.bottom - inner.top);
    let written = lines::written(&grey.levels, width);
    Quality {
        brightness: levels.mean(),
        contrast: levels.deviation(),
        darkest: levels.below(100),
        entropy: levels.entropy(),
        sharpness: sharpness(&grey.levels, width),
        uniform: levels.uniform(),
        border: Share(1000 - Share::of(across * along, grey.levels.len()).0),
        text: written.text,
        page: written.page,
        captions: written.captions,
        seam: seams::seam(&grey.levels, width, inner),
        repeats: repeats::repeats(grey),
    }
}

fn px(length: u32) -> usize {
    usize::try_from(length).expect("a working picture is small")
}

impl Levels {
    fn of(levels: &[u8]) -> Self {
        let mut counts = [0; 256];
        for &level in levels {
            counts[usize::from(level)] += 1;
        }
        Self { counts, n: counts.iter().sum() }
    }

    /// Adds up what `of` makes of each level, once for each pixel.
    fn sum(&self, of: impl Fn(u64) -> u64) -> u64 {
        (0..).zip(self.counts).map(|(level, count)| of(level) * u64::from(count)).sum()
    }

    fn mean(&self) -> u8 {
        let n = u64::from(self.n);
        u8::try_from((self.sum(|level| level) + n / 2) / n).expect("a mean of bytes is a byte")
    }

    fn deviation(&self) -> u8 {
        let (n, sum) = (u64::from(self.n), self.sum(|level| level));
        let squares = self.sum(|level| level * level);
        // Four times the variance, so that the root can be rounded to the nearest level.
        let variance = 4 * (n * squares - sum * sum) / (n * n);
        u8::try_from(variance.isqrt().div_ceil(2)).expect("bytes deviate by at most 128")
    }

    /// Returns the level that one pixel of `parts` is darker than.
    fn below(&self, parts: u32) -> u8 {
        let mut left = self.n / parts;
        let level = self.counts.iter().position(|&count| {
            let is_here = left < count;
            left = left.saturating_sub(count);
            is_here
        });
        u8::try_from(level.unwrap_or(0)).expect("there are 256 levels")
    }

    /// Returns the share of the levels that lie closest together.
    fn uniform(&self) -> Share {
        let most = self.counts.windows(LIKE).map(|some| some.iter().sum::<u32>()).max();
        Share::of(px(most.unwrap_or(0)), px(self.n))
    }

    /// Returns the entropy in hundredths of a bit.
    fn entropy(&self) -> u16 {
        let n = u64::from(self.n);
        let spread: u64 =
            self.counts.iter().map(|&count| u64::from(count) * log2(u64::from(count))).sum();
        let bits = log2(n) - spread / n;
        u16::try_from((bits * 100) >> 16).expect("256 levels hold at most eight bits")
    }
}

/// Returns the logarithm to base two in 65,536ths; of nothing none.
fn log2(value: u64) -> u64 {
    let Some(whole) = value.checked_ilog2() else { return 0 };
    // The mantissa from 1 to 2; each squaring shows one more bit of its logarithm.
    let mut mantissa = if whole < 31 { value << (31 - whole) } else { value >> (whole - 31) };
    let mut log = u64::from(whole);
    for _ in 0..16 {
        mantissa = (mantissa * mantissa) >> 31;
        let bit = mantissa >> 32;
        mantissa >>= bit;
        log = log << 1 | bit;
    }
    log
}

/// The variance of the Laplacian in the sharpest tenth of the tiles.
fn sharpness(levels: &[u8], width: usize) -> u32 {
    let rows: Vec<&[u8]> = levels.chunks_exact(width).collect();
    let mut tiles = vec![];
    for tile_rows in (1..rows.len().saturating_sub(1)).collect::<Vec<_>>().chunks(TILE_PX) {
        let mut sums = vec![(0_i64, 0_i64, 0_i64); width.div_ceil(TILE_PX)];
        for &y in tile_rows {
            let (above, row, below) = (rows[y - 1], rows[y], rows[y + 1]);
            for x in 1..width.saturating_sub(1) {
                let level = |row: &[u8], x: usize| i64::from(row[x]);
                let around =
                    level(above, x) + level(below, x) + level(row, x - 1) + level(row, x + 1);
                let bend = around - 4 * level(row, x);
                let sum = &mut sums[x / TILE_PX];
                *sum = (sum.0 + 1, sum.1 + bend, sum.2 + bend * bend);
            }
        }
        // A sliver at the edge says little.
        let is_tile = |&&(n, ..): &&(i64, i64, i64)| TILE_PX * TILE_PX / 2 <= usize_of(n);
        let variance = |&(n, sum, squares): &(i64, i64, i64)| (squares - sum * sum / n) / n;
        tiles.extend(sums.iter().filter(is_tile).map(variance));
    }
    tiles.sort_unstable_by(|a, b| b.cmp(a));
    let n = tiles.len().div_ceil(10);
    let mean = tiles[..n].iter().sum::<i64>() / i64::try_from(n.max(1)).expect("few tiles");
    u32::try_from(mean).expect("a bend is at most 1020, its square about a million")
}

fn usize_of(n: i64) -> usize {
    usize::try_from(n).expect("a count is not negative")
}

#[cfg(test)]
mod tests;
