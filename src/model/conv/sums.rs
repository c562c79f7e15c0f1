//! Convolution and its two gradients as sums of shifted rows.

use rayon::prelude::*;

use super::{
    geometry::Geometry,
    lanes::{BEYOND, CHUNK, Correlation, Products, ROWS},
};

/// Maps smaller than this are put side by side, where that costs nothing.
const SMALL: usize = 512;

/// The pictures of a batch are dealt out to so many sums of gradients to weights, which are added
/// in order: what comes out does not depend on who made them.
const PARTS: usize = 8;

/// Rows of products are added up over at most so many values at a time: they stay in the cache.
const STRETCH: usize = 2048;

/// Weights as [`Correlation`] takes them, row by row, and what is added to each row.
struct Packed {
    /// How many rows are summed at once.
    n_rows: usize,
    /// For each group: its blocks of rows, one after the other.
    weights: Vec<f32>,
    block: usize,
    n_blocks: usize,
}

impl Packed {
    /// `weight(group, row, channel, tap)` for so many of each.
    fn new([groups, rows, channels, taps]: [usize; 4], weight: impl Fn([usize; 4]) -> f32) -> Self {
        let n_rows = if rows == 1 { 1 } else { ROWS };
        let (block, n_blocks) = (channels * taps * n_rows, rows.div_ceil(n_rows));
        let mut weights = Vec::with_capacity(groups * n_blocks * block);
        for group in 0..groups {
            for first in (0..rows).step_by(n_rows) {
                for channel in 0..channels {
                    for tap in 0..taps {
                        for row in first..first + n_rows {
                            let is_there = row < rows;
                            let it = [group, row, channel, tap];
                            weights.push(if is_there { weight(it) } else { 0.0 });
                        }
                    }
                }
            }
        }
        Self { n_rows, weights, block, n_blocks }
    }

    fn of(&self, group: usize, block: usize) -> &[f32] {
        &self.weights[(group * self.n_blocks + block) * self.block..][..self.block]
    }
}

/// `[n, channels in, height, width]` → `[n, channels out, height, width]`, as one row of values.
pub(super) fn convolve(it: &Geometry, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let Geometry { groups, n_in, n_out, .. } = *it;
    let (map_in, map_out, n_taps) = (it.map_in(), it.map_out(), it.n_taps());
    let together = side_by_side(it);
    let packed = Packed::new([groups, n_out, n_in, n_taps], |[group, row, channel, tap]| {
        weight[((group * n_out + row) * n_in + channel) * n_taps + tap]
    });
    let (plane, channel) = (it.plane(), it.n_planes() * together * it.plane());
    let taps: Vec<usize> =
        it.taps().map(|tap| it.place_of(tap.phase) * together * plane + tap.shift).collect();
    let mut y = vec![0.0; it.shape_out().iter().product()];
    let pictures_out = y.par_chunks_mut(together * groups * n_out * map_out);
    let pictures = pictures_out.zip(x.par_chunks(together * groups * n_in * map_in));
    let scratch = || (vec![0.0; n_in * channel + BEYOND], vec![0.0; ROWS * CHUNK]);
    pictures.for_each_init(scratch, |(laid, out), (y, x)| {
        let n = x.len() / (groups * n_in * map_in);
        let end = (n - 1) * plane + it.span();
        for group in 0..groups {
            lay(it, x, group, together, laid);
            for start in (0..end).step_by(CHUNK) {
                let length = CHUNK.min(end - start);
                for block in 0..packed.n_blocks {
                    let first = group * n_out + block * packed.n_rows;
                    let last = (first + packed.n_rows).min((group + 1) * n_out);
                    let sums = Correlation {
                        input: &laid[start..],
                        channel,
                        taps: &taps,
                        weights: packed.of(group, block),
                        start: &bias[first..last],
                        length,
                    };
                    sum(sums, packed.n_rows, out);
                    for (row, sums) in (first..last).zip(out.chunks(CHUNK)) {
                        for (picture, part, begin) in pieces(&sums[..length], start, plane) {
                            let map = &mut y[(picture * groups * n_out + row) * map_out..];
                            it.take_out(part, begin, &mut map[..map_out]);
                        }
                    }
                }
            }
        }
    });
    y
}

/// The gradient of what went in, from the gradient of what came out.
pub(super) fn to_input(it: &Geometry, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry { groups, n_in, n_out, .. } = *it;
    let (map_in, map_out, n_taps) = (it.map_in(), it.map_out(), it.n_taps());
    let together = side_by_side(it);
    let plane = it.plane();
    let (before, channel) = (it.longest_shift(), it.longest_shift() + together * plane);
    let phases: Vec<([usize; 2], Vec<usize>, Packed)> = it
        .phases()
        .map(|phase| {
            let own: Vec<(usize, usize)> = it
                .taps()
                .enumerate()
                .filter(|(_, tap)| tap.phase == phase)
                .map(|(place, tap)| (place, before - tap.shift))
                .collect();
            let size = [groups, n_in, n_out, own.len()];
            let packed = Packed::new(size, |[group, row, channel, tap]| {
                weight[((group * n_out + channel) * n_in + row) * n_taps + own[tap].0]
            });
            (phase, own.into_iter().map(|(_, from)| from).collect(), packed)
        })
        .collect();
    let mut x = vec![0.0; it.shape_in().iter().product()];
    let pictures_in = x.par_chunks_mut(together * groups * n_in * map_in);
    let pictures = pictures_in.zip(gradient.par_chunks(together * groups * n_out * map_out));
    let scratch = || (vec![0.0; n_out * channel + BEYOND], vec![0.0; ROWS * CHUNK]);
    pictures.for_each_init(scratch, |(laid, out), (x, gradient)| {
        let n = x.len() / (groups * n_in * map_in);
        for group in 0..groups {
            lay_out(it, gradient, group, [before, channel], laid);
            for (phase, taps, packed) in &phases {
                for start in (0..n * plane).step_by(CHUNK) {
                    let length = CHUNK.min(n * plane - start);
                    for block in 0..packed.n_blocks {
                        let first = group * n_in + block * packed.n_rows;
                        let last = (first + packed.n_rows).min((group + 1) * n_in);
                        let sums = Correlation {
                            input: &laid[start..],
                            channel,
                            taps,
                            weights: packed.of(group, block),
                            start: &[],
                            length,
                        };
                        sum(sums, packed.n_rows, out);
                        for (row, sums) in (first..last).zip(out.chunks(CHUNK)) {
                            for (picture, part, begin) in pieces(&sums[..length], start, plane) {
                                let map = &mut x[(picture * groups * n_in + row) * map_in..];
                                it.take_back(part, begin, *phase, &mut map[..map_in]);
                            }
                        }
                    }
                }
            }
        }
    });
    x
}

/// The gradient of the weights, from what went in and the gradient of what came out.
pub(super) fn to_weight(it: &Geometry, x: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry { groups, n_in, n_out, .. } = *it;
    let (plane, n_columns) = (it.plane(), n_in * it.n_taps());
    let (picture_in, picture_out) = (groups * n_in * it.map_in(), groups * n_out * it.map_out());
    let per_part = it.n_pictures.div_ceil(PARTS).max(1);
    let together = (2 * STRETCH / plane).clamp(1, per_part);
    let channel = it.n_planes() * together * plane;
    let taps: Vec<usize> =
        it.taps().map(|tap| it.place_of(tap.phase) * together * plane + tap.shift).collect();
    let columns: Vec<usize> =
        (0..n_in).flat_map(|place| taps.iter().map(move |tap| place * channel + tap)).collect();
    // Behind each row of gradients lie zeros, for registers that reach beyond its end.
    let row = together * plane + ZEROS;
    let parts =
        x.par_chunks(per_part * picture_in).zip(gradient.par_chunks(per_part * picture_out));
    let sums: Vec<Vec<f32>> = parts
        .map(|(x, gradient)| {
            let mut sums = vec![0.0; it.shape_of_weight().iter().product()];
            let mut laid = vec![0.0; n_in * channel + BEYOND];
            let mut laid_out = vec![0.0; n_out * row];
            let some = x.chunks(together * picture_in);
            for (x, gradient) in some.zip(gradient.chunks(together * picture_out)) {
                let end = (x.len() / picture_in - 1) * plane + it.span();
                for (group, sums) in sums.chunks_mut(n_out * n_columns).enumerate() {
                    lay(it, x, group, together, &mut laid);
                    lay_out(it, gradient, group, [0, row], &mut laid_out);
                    for start in (0..end).step_by(STRETCH) {
                        let length = STRETCH.min(end - start);
                        let (input, gradient) = (&laid[start..], &laid_out[start..]);
                        multiply(
                            Products { gradient, row, input, columns: &columns, length },
                            sums,
                        );
                    }
                }
            }
            sums
        })
        .collect();
    let mut sums = sums.into_iter();
    let mut total = sums.next().unwrap_or_default();
    for part in sums {
        for (sum, value) in total.iter_mut().zip(part) {
            *sum += value;
        }
    }
    total
}

/// The most numbers a register has; a multiple of all others.
const ZEROS: usize = 16;

/// Adds up the products of all rows.
fn multiply(products: Products<'_>, sums: &mut [f32]) {
    let n_columns = products.columns.len();
    for (block, sums) in sums.chunks_mut(ROWS * n_columns).enumerate() {
        let gradient = &products.gradient[block * ROWS * products.row..];
        let own = Products { gradient, ..products };
        match sums.len() / n_columns {
            4 => own.add_to::<4>(sums),
            3 => own.add_to::<3>(sums),
            2 => own.add_to::<2>(sums),
            _ => own.add_to::<1>(sums),
        }
    }
}

fn sum(sums: Correlation<'_>, n_rows: usize, out: &mut [f32]) {
    if n_rows == 1 { sums.add_up::<1>(out) } else { sums.add_up::<ROWS>(out) }
}

/// How many pictures are put side by side. With a window of more than one place, the padding
/// between them would cost more than it brings.
fn side_by_side(it: &Geometry) -> usize {
    let plane = it.plane();
    if it.longest_shift() == 0 && plane < SMALL {
        (SMALL / plane).clamp(1, it.n_pictures.div_ceil(2).max(1))
    } else {
        1
    }
}

/// Writes the channels of a group, each with all its phases, and `together` pictures in each.
fn lay(it: &Geometry, x: &[f32], group: usize, together: usize, laid: &mut [f32]) {
    let (plane, map) = (it.plane(), it.map_in());
    let picture = it.groups * it.n_in * map;
    for channel in 0..it.n_in {
        for phase in it.phases() {
            let first = channel * it.n_planes() + it.place_of(phase);
            let planes = &mut laid[first * together * plane..][..together * plane];
            for (x, plane) in x.chunks(picture).zip(planes.chunks_exact_mut(plane)) {
                let map = &x[(group * it.n_in + channel) * map..][..map];
                it.lay(map, phase, plane);
            }
        }
    }
}

/// Writes the gradients of a group, the first of each channel `before` behind its beginning.
fn lay_out(
    it: &Geometry,
    gradient: &[f32],
    group: usize,
    [before, channel]: [usize; 2],
    laid: &mut [f32],
) {
    let (plane, map) = (it.plane(), it.map_out());
    let picture = it.groups * it.n_out * map;
    for (place, laid) in laid.chunks_exact_mut(channel).take(it.n_out).enumerate() {
        let mut planes = laid[before..].chunks_exact_mut(plane);
        for (gradient, plane) in gradient.chunks(picture).zip(&mut planes) {
            let map = &gradient[(group * it.n_out + place) * map..][..map];
            it.lay_out(map, plane);
        }
        planes.for_each(|plane| plane.fill(0.0));
    }
}

/// Cuts sums that begin at `start` where one picture ends and the next begins: the place of the
/// picture, its sums, and where in its plane they begin.
fn pieces(
    sums: &[f32],
    start: usize,
    plane: usize,
) -> impl Iterator<Item = (usize, &[f32], usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (picture, begin) = ((start + at) / plane, (start + at) % plane);
        let length = (plane - begin).min(sums.len() - at);
        let piece = &sums[at..at + length];
        at += length;
        (0 < length).then_some((picture, piece, begin))
    })
}
