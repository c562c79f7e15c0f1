//! Grey levels → their means over the cells of any rectangle.
//!
//! A table holds for each corner between pixels the sum of all levels above and left of it
//! (summed-area table; F. Crow, *Summed-area tables for texture mapping*, SIGGRAPH 1984), so that
//! the sum over a rectangle takes four looks, however large it is. Edges may lie between pixels,
//! in steps of 1/256; pixels they cut count in part.

use super::{
    scale::{Grey, Region, Size},
    wide::widely,
};

/// How many cells are in a row, and how many rows.
pub(super) const SIDE: usize = 64;

/// The longer and the shorter side of what a table can be made for: the sum over a cell, in steps
/// of 1/65,536, then fits 32 bits.
const LONGER_PX_MAX: u32 = 2048;
const SHORTER_PX_MAX: u32 = 512;

/// A pixel's width in steps between which edges may lie.
const STEPS: u32 = 256;

/// The sums above and left of every corner between pixels, those at the edges among them.
pub(super) struct AreaSums {
    width: usize,
    height: usize,
    sums: Vec<u32>,
}

/// An edge of cells: the pixel it lies in, and how far in it, in steps.
#[derive(Clone, Copy, Debug, Default)]
struct Edge {
    pixel: usize,
    way: u32,
}

/// Sums above one edge, left of each edge across.
type Sums = [u32; SIDE + 1];

impl AreaSums {
    /// Tells whether a table can be made for a picture of that size.
    pub(super) fn fits(size: Size) -> bool {
        let (width, height) = (size.width_px, size.height_px);
        width.min(height) <= SHORTER_PX_MAX && width.max(height) <= LONGER_PX_MAX
    }

    pub(super) fn new(grey: &Grey) -> Self {
        assert!(Self::fits(grey.size), "sums of {:?} fit 32 bits", grey.size);
        let px = |length: u32| usize::try_from(length).expect("it fits 12 bits");
        let (width, height) = (px(grey.size.width_px), px(grey.size.height_px));
        let mut sums = vec![0; (width + 1) * (height + 1)];
        let (mut above, mut rest) = sums.split_at_mut(width + 1);
        for levels in grey.levels.chunks_exact(width) {
            let (below, others) = rest.split_at_mut(width + 1);
            let mut sum = 0;
            for ((below, above), level) in below[1..].iter_mut().zip(&above[1..]).zip(levels) {
                sum += u32::from(*level);
                *below = above + sum;
            }
            (above, rest) = (below, others);
        }
        Self { width, height, sums }
    }

    /// Returns the mean levels of the cells of a region, row by row.
    pub(super) fn means(&self, region: Region) -> Vec<u8> {
        let across = edges(region.left, region.width, self.width);
        let down = edges(region.top, region.height, self.height);
        widely(
            #[inline(always)]
            || self.means_between(&across, &down),
        )
    }

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the instructions of its caller"
    )]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a sum without its last eight bits is exact, and a mean of bytes fits one"
    )]
    fn means_between(&self, across: &[Edge; SIDE + 1], down: &[Edge; SIDE + 1]) -> Vec<u8> {
        // Between the edges as they are, so that a white cell is white.
        let (per_step_across, per_step_down) = (per_step(across), per_step(down));
        let mut levels = Vec::with_capacity(SIDE * SIDE);
        let mut above = self.sums_above(down[0], across);
        for (edge, per_step_down) in down[1..].iter().zip(per_step_down) {
            let per_step_down = per_step_down * STEPS as f32;
            let below = self.sums_above(*edge, across);
            let mut row = [0; SIDE];
            for (x, level) in row.iter_mut().enumerate() {
                let left = below[x].wrapping_sub(above[x]);
                let sum = below[x + 1].wrapping_sub(above[x + 1]).wrapping_sub(left);
                let per_step = per_step_across[x] * per_step_down;
                *level = ((sum / STEPS) as f32 * per_step + 0.5) as u8;
            }
            levels.extend(row);
            above = below;
        }
        levels
    }

    /// Sums what is above an edge and left of others, in square steps. What does not fit is left
    /// out: the differences that cells are made of do.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "it must be compiled for the instructions of its caller"
    )]
    fn sums_above(&self, edge: Edge, across: &[Edge; SIDE + 1]) -> Sums {
        let between = |from: u32, to: u32, way: u32| {
            from.wrapping_mul(STEPS).wrapping_add(to.wrapping_sub(from).wrapping_mul(way))
        };
        let (_, rows) = self.sums.split_at(edge.pixel * (self.width + 1));
        let (above, below) = rows.split_at(self.width + 1);
        let mut sums = [0; SIDE + 1];
        for (sum, &Edge { pixel, way }) in sums.iter_mut().zip(across) {
            let above = between(above[pixel], above[pixel + 1], way);
            let below = between(below[pixel], below[pixel + 1], way);
            *sum = between(above, below, edge.way);
        }
        sums
    }
}

/// Returns one part of the length of each cell, of as many as it has steps.
#[expect(clippy::cast_precision_loss, reason = "a cell is a few thousand steps long")]
fn per_step(edges: &[Edge; SIDE + 1]) -> [f32; SIDE] {
    let steps = |edge: Edge| edge.pixel * STEPS as usize + edge.way as usize;
    std::array::from_fn(|at| (steps(edges[at + 1]) - steps(edges[at])) as f32).map(f32::recip)
}

/// Cuts a stretch of a side of `n_px` pixels into cells of equal length.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "no place lies before the first pixel, nor behind the last of a few thousand"
)]
fn edges(first: f64, length: f64, n_px: usize) -> [Edge; SIDE + 1] {
    std::array::from_fn(|at| {
        let place = first + length * at as f64 / SIDE as f64;
        let steps = ((place * f64::from(STEPS)).round() as usize).min(n_px * STEPS as usize);
        let pixel = (steps / STEPS as usize).min(n_px - 1);
        Edge { pixel, way: (steps - pixel * STEPS as usize) as u32 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::edits::Dice;

    fn noise(width_px: u32, height_px: u32) -> Grey {
        let mut dice = Dice(5);
        let levels = (0..width_px * height_px).map(|_| u8::try_from(dice.below(256)).unwrap());
        Grey { size: Size { width_px, height_px }, levels: levels.collect() }
    }

    /// The mean of a cell, pixel by pixel.
    fn mean(grey: &Grey, region: Region, (column, row): (u32, u32)) -> f64 {
        let part = |from: f64, length: f64, at: u32, px: u32| {
            let cell = length / 64.0;
            let (from, to) = (from + cell * f64::from(at), from + cell * f64::from(at + 1));
            (to.min(f64::from(px + 1)) - from.max(f64::from(px))).max(0.0) / cell
        };
        let width = grey.size.width_px;
        let levels = (0..).zip(&grey.levels).map(|(at, level)| {
            let across = part(region.left, region.width, column, at % width);
            f64::from(*level) * across * part(region.top, region.height, row, at / width)
        });
        levels.sum()
    }

    #[test]
    fn cells_are_means_of_what_they_cover() {
        let regions = [
            Region { left: 0.0, top: 0.0, width: 200.0, height: 150.0 },
            Region { left: 0.0, top: 0.0, width: 199.5, height: 149.25 },
            Region { left: 20.5, top: 3.25, width: 61.0, height: 140.7 },
        ];
        let grey = noise(200, 150);
        let sums = AreaSums::new(&grey);

        for region in regions {
            let means = sums.means(region);
            for (column, row) in [(0, 0), (63, 63), (7, 40), (31, 32)] {
                let found = f64::from(means[usize::try_from(row * 64 + column).unwrap()]);
                let expected = mean(&grey, region, (column, row));
                assert!(
                    (found - expected).abs() < 0.55,
                    "{region:?} {column} {row}: {found}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn the_largest_white_picture_is_white() {
        let size = Size { width_px: LONGER_PX_MAX, height_px: SHORTER_PX_MAX };
        let levels = vec![255; 2048 * 512];

        let means = AreaSums::new(&Grey { size, levels }).means(Region::whole(size));

        assert_eq!(means, [255; SIDE * SIDE]);
    }

    #[test]
    fn a_part_of_a_white_picture_is_white() {
        let size = Size::square(193);
        let sums = AreaSums::new(&Grey { size, levels: vec![255; 193 * 193] });

        for (left, width) in [(18.922, 155.157), (0.3, 70.1), (20.0, 173.0)] {
            let means = sums.means(Region { left, top: 7.7, width, height: 66.6 });
            assert_eq!(means, [255; SIDE * SIDE], "{left} {width}");
        }
    }
}
