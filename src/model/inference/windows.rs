//! The inner loop of a convolution of each channel by itself: a row of windows of nine taps.
//!
//! Four windows are summed at a time, so each weight that is read serves four sums.

#![expect(
    clippy::inline_always,
    reason = "only what is part of the caller is compiled for the processor that was found"
)]

use std::array;

use pulp::{Arch, Simd, WithSimd};

use super::{buffer::Buffer, panels::bounded};

/// A window of nine taps over each channel by itself.
#[derive(Clone, Debug)]
pub(super) struct Nine {
    /// For each register of channels: the bias, then the taps.
    weights: Buffer,
    lanes: usize,
}

impl Nine {
    /// Lays out weights `[channels, taps]`, for registers of `lanes` numbers.
    pub(super) fn of(weights: &[f32], bias: &[f32], lanes: usize) -> Self {
        let mut laid = Vec::with_capacity(10 * bias.len().next_multiple_of(lanes));
        for first in (0..bias.len()).step_by(lanes) {
            let register = first..first + lanes;
            laid.extend(register.clone().map(|it| bias.get(it).copied().unwrap_or_default()));
            for tap in 0..9 {
                let weight = |channel: usize| weights.get(channel * 9 + tap);
                laid.extend(register.clone().map(|it| weight(it).copied().unwrap_or_default()));
            }
        }
        Self { weights: (&*laid).into(), lanes }
    }

    /// How many channels there are, with those that fill up the last register.
    pub(super) fn stride(&self) -> usize {
        self.weights.len() / 10
    }
}

/// A row of windows.
#[derive(Clone, Copy)]
pub(super) struct Windows<'a> {
    pub(super) nine: &'a Nine,
    /// Three rows of the map, as far apart as `row` says; places are as far apart as
    /// [`Nine::stride`] says.
    pub(super) input: &'a [f32],
    pub(super) row: usize,
    /// How many places apart the windows begin.
    pub(super) across: usize,
    pub(super) bounds: [f32; 2],
}

impl Windows<'_> {
    /// Writes the sums, bounded, side by side.
    pub(super) fn sum(self, out: &mut [f32]) {
        Arch::new().dispatch(Sum { given: self, out });
    }
}

struct Sum<'a> {
    given: Windows<'a>,
    out: &'a mut [f32],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Windows { nine, across, .. } = self.given;
        assert_eq!(nine.lanes, S::F32_LANES, "the weights are laid out for this processor");
        let width = self.out.len() / nine.stride();
        let mut place = 0;
        while place < width {
            place += match (width - place, across) {
                (4.., 1) => self.some::<S, 4, 1>(simd, place),
                (4.., 2) => self.some::<S, 4, 2>(simd, place),
                (2.., 1) => self.some::<S, 2, 1>(simd, place),
                (2.., 2) => self.some::<S, 2, 2>(simd, place),
                // How far it is to the next window does not matter to one.
                _ => self.some::<S, 1, 1>(simd, place),
            };
        }
    }
}

impl Sum<'_> {
    /// Sums `N` windows that begin `A` places apart; returns how many.
    #[inline(always)]
    fn some<S: Simd, const N: usize, const A: usize>(&mut self, simd: S, place: usize) -> usize {
        let Windows { nine, input, row, across, bounds } = self.given;
        let stride = nine.stride();
        let n = stride / S::F32_LANES;
        let [least, most] = bounds.map(|bound| simd.splat_f32s(bound));
        let weights = &S::as_simd_f32s(&nine.weights).0.as_chunks::<10>().0[..n];
        // With all windows there are as many columns as fit nine.
        let rows: [[&[S::f32s]; 9]; 3] = array::from_fn(|tap| {
            let (row, _) = S::as_simd_f32s(&input[tap * row + place * across * stride..]);
            let n_columns = (N - 1) * A + 3;
            array::from_fn(
                |it| if it < n_columns { &row[it * n..][..n] } else { Default::default() },
            )
        });
        let mut out = S::as_mut_simd_f32s(&mut self.out[place * stride..]).0.chunks_exact_mut(n);
        let mut out: [&mut [S::f32s]; N] =
            array::from_fn(|_| out.next().expect("there are so many places"));
        for (channel, weights) in weights.iter().enumerate() {
            let [bias, taps @ ..] = weights;
            let mut sums = [*bias; N];
            for (tap, weight) in taps.iter().enumerate() {
                for (at, sum) in sums.iter_mut().enumerate() {
                    let value = rows[tap / 3][at * A + tap % 3][channel];
                    *sum = simd.mul_add_e_f32s(value, *weight, *sum);
                }
            }
            for (out, sum) in out.iter_mut().zip(sums) {
                out[channel] = bounded(simd, sum, [least, most]);
            }
        }
        N
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            panels::lanes,
            tests::{assert_near, number},
        },
        *,
    };

    const N_CHANNELS: usize = 21;

    /// Weights of each channel, then biases.
    fn layer() -> [Vec<f32>; 2] {
        [
            (0..9 * N_CHANNELS).map(|at| number(at + 31)).collect(),
            (0..N_CHANNELS).map(number).collect(),
        ]
    }

    /// The value of a channel at a column of one of three rows.
    fn value(row: usize, column: usize, channel: usize) -> f32 {
        number((row * 40 + column) * N_CHANNELS + channel)
    }

    /// Sums made by a kind of processor, of 7 windows.
    fn made<S: Simd>(simd: S, across: usize) -> Vec<f32> {
        let [weights, bias] = layer();
        let nine = Nine::of(&weights, &bias, S::F32_LANES);
        let stride = nine.stride();
        let mut input = vec![0.0; 3 * 40 * stride];
        for (at, place) in input.chunks_mut(stride).enumerate() {
            (0..N_CHANNELS).for_each(|channel| place[channel] = value(at / 40, at % 40, channel));
        }
        let bounds = [0.0, f32::INFINITY];
        let given = Windows { nine: &nine, input: &input, row: 40 * stride, across, bounds };
        let mut out = vec![0.0; 7 * stride];
        simd.vectorize(Sum { given, out: &mut out });
        out.chunks(stride).flat_map(|place| place[..N_CHANNELS].to_vec()).collect()
    }

    #[test]
    fn every_kind_of_processor_makes_the_sums_of_the_plain_loops() {
        let [weights, bias] = layer();
        for across in 1..=3 {
            let places = (0..7).flat_map(|place| (0..N_CHANNELS).map(move |it| (place, it)));
            let sum = |(place, channel): (usize, usize)| {
                let tap = |tap: usize| {
                    let value = value(tap / 3, place * across + tap % 3, channel);
                    value * weights[channel * 9 + tap]
                };
                (bias[channel] + (0..9).map(tap).sum::<f32>()).max(0.0)
            };
            let expected: Vec<f32> = places.map(sum).collect();

            assert_near(&made(pulp::Scalar, across), &expected);
            #[cfg(target_arch = "x86_64")]
            {
                if let Some(older) = pulp::x86::V3::try_new() {
                    assert_near(&made(older, across), &expected);
                }
                if let Some(newer) = pulp::x86::V4::try_new() {
                    assert_near(&made(newer, across), &expected);
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_is_not_lost() {
        let nine = Nine::of(&[1.0; 9], &[0.0], lanes());
        let stride = nine.stride();
        let mut input = vec![0.0; 9 * stride];
        input[4 * stride] = f32::NAN;
        let bounds = [0.0, 6.0];
        let windows = Windows { nine: &nine, input: &input, row: 3 * stride, across: 1, bounds };
        let mut out = vec![0.0; stride];
        windows.sum(&mut out);
        assert!(out[0].is_nan());
    }
}
