//! The two inner loops, on as many numbers at once as this processor takes: rows added up with
//! weights, and products of rows added up.
//!
//! A few rows by a few registers are summed at a time, so that each number that is read serves
//! several sums. All rows may be read a little beyond their end; what comes of it is not used.

#![expect(
    clippy::inline_always,
    reason = "only what is part of the caller is compiled for the processor that was found"
)]

use pulp::{Arch, Simd, WithSimd};

/// How many sums of rows are made at once.
pub(super) const ROWS: usize = 4;

/// The most registers side by side. [`ROWS`] times six would fit into 32 of them, and are slower:
/// what is read pushes sums out.
const WIDEST: usize = 4;

/// How many values of a row are summed before others are: a multiple of all widths.
pub(super) const CHUNK: usize = 384;

/// What a row has to have behind its end.
pub(super) const BEYOND: usize = CHUNK;

/// Rows of `input` added up: `out[row][i] = start[row] + Σ weight · input[channel][tap + i]`.
#[derive(Clone, Copy)]
pub(super) struct Correlation<'a> {
    pub(super) input: &'a [f32],
    /// How far apart the channels of `input` are.
    pub(super) channel: usize,
    /// Where in a channel the row of each tap begins.
    pub(super) taps: &'a [usize],
    /// For each channel and tap, the weights of all rows that come out.
    pub(super) weights: &'a [f32],
    pub(super) start: &'a [f32],
    pub(super) length: usize,
}

impl Correlation<'_> {
    /// Sums `N` rows, which lie [`CHUNK`] apart in `out`.
    pub(super) fn add_up<const N: usize>(self, out: &mut [f32]) {
        Arch::new().dispatch(AddUp::<N> { given: self, out });
    }
}

struct AddUp<'a, const N: usize> {
    given: Correlation<'a>,
    out: &'a mut [f32],
}

impl<const N: usize> WithSimd for AddUp<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let n = self.given.length.div_ceil(S::F32_LANES);
        let mut at = 0;
        while at < n {
            let width = (n - at).min(widest::<S>());
            match width {
                6 => self.tile::<S, 6>(simd, at),
                5 => self.tile::<S, 5>(simd, at),
                4 => self.tile::<S, 4>(simd, at),
                3 => self.tile::<S, 3>(simd, at),
                2 => self.tile::<S, 2>(simd, at),
                _ => self.tile::<S, 1>(simd, at),
            }
            at += width;
        }
    }
}

impl<const N: usize> AddUp<'_, N> {
    #[inline(always)]
    fn tile<S: Simd, const W: usize>(&mut self, simd: S, at: usize) {
        let Correlation { input, channel, taps, weights, start, .. } = self.given;
        let at = at * S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); W]; N];
        for (sums, start) in sums.iter_mut().zip(start) {
            *sums = [simd.splat_f32s(*start); W];
        }
        for (place, weights) in weights.chunks_exact(N * taps.len()).enumerate() {
            let (weights, _) = weights.as_chunks::<N>();
            let input = &input[place * channel + at..];
            for (tap, weights) in taps.iter().zip(weights) {
                let (row, _) = S::as_simd_f32s(&input[*tap..]);
                let row: &[S::f32s; W] = row.first_chunk().expect("rows go on beyond their end");
                for (sums, weight) in sums.iter_mut().zip(weights) {
                    let weight = simd.splat_f32s(*weight);
                    for (sum, value) in sums.iter_mut().zip(row) {
                        *sum = simd.mul_add_e_f32s(weight, *value, *sum);
                    }
                }
            }
        }
        for (out, sums) in self.out.chunks_mut(CHUNK).zip(&sums) {
            let (out, _) = S::as_mut_simd_f32s(&mut out[at..]);
            out[..W].copy_from_slice(sums);
        }
    }
}

/// Products of rows added up: `out[row][column] += Σ gradient[row][i] · input[column + i]`.
#[derive(Clone, Copy)]
pub(super) struct Products<'a> {
    pub(super) gradient: &'a [f32],
    /// How far apart the rows of `gradient` are.
    pub(super) row: usize,
    pub(super) input: &'a [f32],
    /// Where each column begins in `input`.
    pub(super) columns: &'a [usize],
    /// `gradient` is zero from here on.
    pub(super) length: usize,
}

impl Products<'_> {
    /// Adds to `N` rows of as many numbers as there are columns.
    pub(super) fn add_to<const N: usize>(self, out: &mut [f32]) {
        Arch::new().dispatch(Multiply::<N> { given: self, out });
    }
}

struct Multiply<'a, const N: usize> {
    given: Products<'a>,
    out: &'a mut [f32],
}

impl<const N: usize> WithSimd for Multiply<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut at = 0;
        while at < self.given.columns.len() {
            let width = (self.given.columns.len() - at).min(widest::<S>());
            match width {
                6 => self.tile::<S, 6>(simd, at),
                5 => self.tile::<S, 5>(simd, at),
                4 => self.tile::<S, 4>(simd, at),
                3 => self.tile::<S, 3>(simd, at),
                2 => self.tile::<S, 2>(simd, at),
                _ => self.tile::<S, 1>(simd, at),
            }
            at += width;
        }
    }
}

impl<const N: usize> Multiply<'_, N> {
    #[inline(always)]
    fn tile<S: Simd, const W: usize>(&mut self, simd: S, at: usize) {
        let Products { gradient, row, input, columns, length } = self.given;
        let n = length.div_ceil(S::F32_LANES);
        let mut rows: [&[S::f32s]; N] = [&[]; N];
        for (at, it) in rows.iter_mut().enumerate() {
            *it = &S::as_simd_f32s(&gradient[at * row..]).0[..n];
        }
        let mut others: [&[S::f32s]; W] = [&[]; W];
        for (it, column) in others.iter_mut().zip(&columns[at..]) {
            *it = &S::as_simd_f32s(&input[*column..]).0[..n];
        }
        let mut sums = [[simd.splat_f32s(0.0); W]; N];
        for i in 0..n {
            let mut values = [simd.splat_f32s(0.0); W];
            for (value, other) in values.iter_mut().zip(&others) {
                *value = other[i];
            }
            for (sums, row) in sums.iter_mut().zip(&rows) {
                let factor = row[i];
                for (sum, value) in sums.iter_mut().zip(&values) {
                    *sum = simd.mul_add_e_f32s(factor, *value, *sum);
                }
            }
        }
        for (out, sums) in self.out.chunks_mut(columns.len()).zip(&sums) {
            for (out, sum) in out[at..].iter_mut().zip(sums) {
                *out += simd.reduce_sum_f32s(*sum);
            }
        }
    }
}

/// Processors with registers of 8 numbers have only 16 of them.
#[inline(always)]
fn widest<S: Simd>() -> usize {
    if S::F32_LANES == 8 { 3 } else { WIDEST }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums made by a kind of processor: rows added up, then products.
    fn made(run: impl Fn(AddUp<'_, ROWS>), multiply: impl Fn(Multiply<'_, 3>)) -> Vec<f32> {
        let number = |at: usize| f32::from(u16::try_from(at * 7919 % 1000).unwrap()) / 500.0 - 1.0;
        let input: Vec<f32> = (0..2000).map(number).collect();
        let weights: Vec<f32> = (0..5 * 2 * ROWS).map(|at| number(at + 31)).collect();
        let mut out = vec![0.0; ROWS * CHUNK];
        let given = Correlation {
            input: &input,
            channel: 300,
            taps: &[0, 17],
            weights: &weights,
            start: &[1.0, 2.0],
            length: 133,
        };
        run(AddUp { given, out: &mut out });
        let mut sums: Vec<f32> = out.chunks(CHUNK).flat_map(|row| row[..133].to_vec()).collect();

        let mut gradient = vec![0.0; 3 * 160];
        for row in gradient.chunks_mut(160) {
            for (at, value) in row[..133].iter_mut().enumerate() {
                *value = number(at * 3);
            }
        }
        let columns: Vec<usize> = (0..8).map(|at| at * 11).collect();
        let given = Products {
            gradient: &gradient,
            row: 160,
            input: &input,
            columns: &columns,
            length: 133,
        };
        let mut products = vec![0.5; 3 * columns.len()];
        multiply(Multiply { given, out: &mut products });
        sums.extend(products);
        sums
    }

    fn assert_near(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let is_near = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
            assert!(is_near, "{found}, not {expected}");
        }
    }

    #[test]
    fn every_kind_of_processor_makes_the_same_sums() {
        let scalar = pulp::Scalar;
        let plain = made(|it| Simd::vectorize(scalar, it), |it| Simd::vectorize(scalar, it));

        assert_near(&made(|it| Arch::new().dispatch(it), |it| Arch::new().dispatch(it)), &plain);
        #[cfg(target_arch = "x86_64")]
        if let Some(older) = pulp::x86::V3::try_new() {
            assert_near(
                &made(|it| Simd::vectorize(older, it), |it| Simd::vectorize(older, it)),
                &plain,
            );
        }
    }
}
