//! The inner loop of convolution in use: places of a map times panels of weights.
//!
//! A map lies channels last. What comes out at one place is a sum, over the taps of the window and
//! the channels that go in, of one number times one row of weights; eight places by two registers
//! of channels are summed at a time, so each number that is read serves many sums, and all of it
//! stays in registers. The weights lie in the order they are read in.

#![expect(
    clippy::inline_always,
    reason = "only what is part of the caller is compiled for the processor that was found"
)]

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::buffer::Buffer;

/// How many places are done before the next weights are read: what goes in stays in the cache.
const BLOCK: usize = 96;

/// How many registers of channels a panel is wide.
const WIDTH: usize = 2;

/// The weights and the bias of a convolution.
#[derive(Clone, Debug)]
pub(super) struct Panels {
    /// How many channels come out, with those that fill up the last register.
    stride: usize,
    lanes: usize,
    weights: Buffer,
    bias: Buffer,
}

impl Panels {
    /// Lays out weights `[channels out, channels in, taps]`, for registers of `lanes` numbers.
    pub(super) fn of(weights: &[f32], bias: &[f32], n_in: usize, lanes: usize) -> Self {
        let n_out = bias.len();
        let n_taps = weights.len() / (n_in * n_out);
        let stride = n_out.next_multiple_of(lanes);
        let mut laid = Vec::with_capacity(stride * n_in * n_taps);
        for first in (0..stride).step_by(WIDTH * lanes) {
            let panel = first..(first + WIDTH * lanes).min(stride);
            for (tap, channel) in (0..n_taps).flat_map(|tap| (0..n_in).map(move |it| (tap, it))) {
                let weight = |out: usize| weights.get((out * n_in + channel) * n_taps + tap);
                laid.extend(panel.clone().map(|out| weight(out).copied().unwrap_or_default()));
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(stride, 0.0);
        Self { stride, lanes, weights: (&*laid).into(), bias: (&*bias).into() }
    }

    /// How far apart the places of what comes out are.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }
}

/// Tells how many numbers a register of this processor holds.
pub(super) fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    Arch::new().dispatch(Lanes)
}

/// Places whose sums are wanted.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) panels: &'a Panels,
    pub(super) input: &'a [f32],
    /// How far each tap is from where the window begins.
    pub(super) taps: &'a [usize],
    /// How many numbers each tap takes, which lie side by side.
    pub(super) n_in: usize,
    /// Where in `input` the window of each place begins, and where its sums go.
    pub(super) at: &'a [[usize; 2]],
    /// What is added to the sums, laid out as they are.
    pub(super) added: Option<&'a [f32]>,
    /// The least and the most that comes out.
    pub(super) bounds: [f32; 2],
}

impl Places<'_> {
    /// Writes the sums, bounded.
    pub(super) fn sum(self, out: &mut [f32]) {
        Arch::new().dispatch(Sum { given: self, out });
    }
}

struct Sum<'a> {
    given: Places<'a>,
    out: &'a mut [f32],
}

/// The part of a convolution that is summed in registers.
#[derive(Clone)]
struct Tile {
    place: usize,
    /// How many places are left.
    n_left: usize,
    channel: usize,
    /// How many registers it is wide.
    width: usize,
    weights: Range<usize>,
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Places { panels, at, taps, n_in, .. } = self.given;
        assert_eq!(panels.lanes, S::F32_LANES, "the weights are laid out for this processor");
        for start in (0..at.len()).step_by(BLOCK) {
            let end = (start + BLOCK).min(at.len());
            let mut weights = 0..0;
            for channel in (0..panels.stride).step_by(WIDTH * S::F32_LANES) {
                let width = (panels.stride - channel).min(WIDTH * S::F32_LANES);
                weights = weights.end..weights.end + width * n_in * taps.len();
                let mut place = start;
                while place < end {
                    let weights = weights.clone();
                    let (n_left, width) = (end - place, width / S::F32_LANES);
                    place += self.most::<S>(simd, &Tile { place, n_left, channel, width, weights });
                }
            }
        }
    }
}

impl Sum<'_> {
    /// Sums as many places as there are registers for; returns how many.
    #[inline(always)]
    fn most<S: Simd>(&mut self, simd: S, tile: &Tile) -> usize {
        // With the numbers that are multiplied, more sums than these fill 32 registers, or the 16
        // of a processor whose registers hold 8 numbers; what is too much would go by the memory.
        let n = if S::F32_LANES == 8 { tile.n_left.min(4) } else { tile.n_left };
        match (n, tile.width == 1) {
            (8.., false) => self.tile::<S, 8, 2>(simd, tile),
            (8.., true) => self.tile::<S, 8, 1>(simd, tile),
            (4.., false) => self.tile::<S, 4, 2>(simd, tile),
            (4.., true) => self.tile::<S, 4, 1>(simd, tile),
            (2.., false) => self.tile::<S, 2, 2>(simd, tile),
            (2.., true) => self.tile::<S, 2, 1>(simd, tile),
            (_, false) => self.tile::<S, 1, 2>(simd, tile),
            (_, true) => self.tile::<S, 1, 1>(simd, tile),
        }
    }

    /// Sums `N` places by `W` registers.
    #[inline(always)]
    fn tile<S: Simd, const N: usize, const W: usize>(&mut self, simd: S, tile: &Tile) -> usize {
        let Places { panels, input, taps, n_in, at, added, bounds } = self.given;
        let places: &[[usize; 2]; N] = at[tile.place..].first_chunk().expect("there are so many");
        let (bias, _) = S::as_simd_f32s(&panels.bias[tile.channel..]);
        let bias: &[S::f32s; W] = bias.first_chunk().expect("the bias fills registers");
        let mut sums = [*bias; N];
        let weights = &panels.weights[tile.weights.clone()];
        for (tap, weights) in taps.iter().zip(weights.chunks_exact(weights.len() / taps.len())) {
            let mut rows: [&[f32]; N] = [&[]; N];
            for (row, [from, _]) in rows.iter_mut().zip(places) {
                *row = &input[from + tap..][..n_in];
            }
            let (weights, _) = S::as_simd_f32s(weights);
            let weights = &weights.as_chunks::<W>().0[..n_in];
            for channel in 0..n_in {
                let weights = weights[channel];
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let value = simd.splat_f32s(row[channel]);
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_e_f32s(value, weight, *sum);
                    }
                }
            }
        }
        let [least, most] = bounds.map(|bound| simd.splat_f32s(bound));
        for (mut sums, [_, to]) in sums.into_iter().zip(places) {
            let to = to + tile.channel;
            if let Some(added) = added {
                for (sum, other) in sums.iter_mut().zip(S::as_simd_f32s(&added[to..]).0) {
                    *sum = simd.add_f32s(*sum, *other);
                }
            }
            let (out, _) = S::as_mut_simd_f32s(&mut self.out[to..]);
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = bounded(simd, sum, [least, most]);
            }
        }
        N
    }
}

/// What is no number stays none: the larger of it and a bound would be the bound.
#[inline(always)]
pub(super) fn bounded<S: Simd>(simd: S, sum: S::f32s, [least, most]: [S::f32s; 2]) -> S::f32s {
    let sum = simd.select_f32s(simd.less_than_f32s(sum, least), least, sum);
    simd.select_f32s(simd.less_than_f32s(most, sum), most, sum)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{assert_near, number},
        *,
    };

    /// Sums made by a kind of processor, of 41 places with three taps and 21 channels out.
    fn made<S: Simd>(simd: S) -> Vec<f32> {
        let weights: Vec<f32> = (0..21 * 5 * 3).map(|at| number(at + 31)).collect();
        let bias: Vec<f32> = (0..21).map(number).collect();
        let panels = Panels::of(&weights, &bias, 5, S::F32_LANES);
        let input: Vec<f32> = (0..1000).map(number).collect();
        let at: Vec<[usize; 2]> = (0..41).map(|at| [at * 7, at * panels.stride]).collect();
        let added: Vec<f32> = (0..41 * panels.stride).map(|_| 0.25).collect();
        let given = Places {
            panels: &panels,
            input: &input,
            taps: &[0, 5, 300],
            n_in: 5,
            at: &at,
            added: Some(&added),
            bounds: [-1.5, 2.0],
        };
        let mut out = vec![0.0; 41 * panels.stride];
        simd.vectorize(Sum { given, out: &mut out });
        out.chunks(panels.stride).flat_map(|place| place[..21].to_vec()).collect()
    }

    #[test]
    fn what_is_no_number_is_not_lost() {
        let lanes = lanes();
        let panels = Panels::of(&[1.0; 3], &[0.0, f32::NAN, 0.0], 1, lanes);
        let given = Places {
            panels: &panels,
            input: &[1.0, f32::NAN],
            taps: &[0],
            n_in: 1,
            at: &[[0, 0], [1, panels.stride]],
            added: None,
            bounds: [0.0, 6.0],
        };
        let mut out = vec![0.0; 2 * panels.stride];
        given.sum(&mut out);
        assert_eq!(out[..3].iter().map(|it| it.is_nan()).collect::<Vec<_>>(), [false, true, false]);
        assert!(out[panels.stride..][..3].iter().all(|it| it.is_nan()));
    }

    #[test]
    fn every_kind_of_processor_makes_the_sums_of_the_plain_loops() {
        let mut expected = Vec::new();
        let input: Vec<f32> = (0..1000).map(number).collect();
        for place in 0..41 {
            for out in 0..21 {
                let products = [0, 5, 300].into_iter().enumerate().flat_map(|(tap, shift)| {
                    (0..5).map(move |it| (shift + it, number((out * 5 + it) * 3 + tap + 31)))
                });
                let sum: f32 = products.map(|(at, weight)| input[place * 7 + at] * weight).sum();
                expected.push((number(out) + sum + 0.25).clamp(-1.5, 2.0));
            }
        }

        assert_near(&made(pulp::Scalar), &expected);
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(older) = pulp::x86::V3::try_new() {
                assert_near(&made(older), &expected);
            }
            if let Some(newer) = pulp::x86::V4::try_new() {
                assert_near(&made(newer), &expected);
            }
        }
    }
}
