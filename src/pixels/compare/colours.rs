//! The colours of two pictures, one laid over the other → how far they lie apart.

use super::Comparable;
use crate::pixels::{
    align::{self, Movement},
    plane::LANES,
};

/// A picture whose strongest colour is weaker than this is grey.
const GREY_MAX: f32 = 4.0;

/// Strength of colour added so that the noise of weak colours counts little.
const COLOUR_NOISE: f32 = 3.0;

/// Copies may be this much warmer or colder all over.
const CAST_MAX: f32 = 8.0;

/// One of so many places may have any colour: stickers, marks.
const STICKER_PARTS: usize = 8;

/// Blue and red of one place in both pictures.
pub(super) type Pair = ([f32; 2], [f32; 2]);

pub(super) fn pairs(a: &Comparable, b: &Comparable, movement: &Movement) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for ((u, v, blue), (_, _, red)) in a.blue.eights().zip(a.red.eights()) {
        let other_blue = align::read(&b.blue, movement, u, v);
        let other_red = align::read(&b.red, movement, u, v);
        for lane in (0..LANES).filter(|lane| 0.0 < other_blue.on[*lane]) {
            let other = [other_blue.level[lane], other_red.level[lane]];
            pairs.push(([blue[lane], red[lane]], other));
        }
    }
    pairs
}

/// Measures how far the colours lie apart once equally strong, as a part of their strength.
/// A grey picture has none to compare: then shapes decide alone.
pub(super) fn gap(pairs: &[Pair]) -> f32 {
    let strongest = |peak: f32, colour: [f32; 2]| peak.max(dot(colour, colour).sqrt());
    let peak_a = pairs.iter().fold(0.0, |peak, (a, _)| strongest(peak, *a));
    let peak_b = pairs.iter().fold(0.0, |peak, (_, b)| strongest(peak, *b));
    if f32::min(peak_a, peak_b) < GREY_MAX {
        return 0.0;
    }
    // A sticker is neither measured nor allowed to bend the fit: what fits worst is left out.
    let first = Colours::fit(pairs);
    let mut gaps: Vec<(f32, Pair)> = pairs.iter().map(|it| (first.gap(it), *it)).collect();
    gaps.sort_by(|a, b| a.0.total_cmp(&b.0));
    gaps.truncate(pairs.len() - pairs.len() / STICKER_PARTS);
    let pairs: Vec<Pair> = gaps.into_iter().map(|(_, pair)| pair).collect();
    let fit = Colours::fit(&pairs);
    let (n, gap, strength) = pairs.iter().fold((0.0, 0.0, 0.0), |(n, gap, strength), pair| {
        (n + 1.0, gap + fit.gap(pair), strength + dot(pair.0, pair.0).sqrt())
    });
    gap / (strength + COLOUR_NOISE * n)
}

fn dot(a: [f32; 2], b: [f32; 2]) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

/// The strength and the cast that bring the colours of one picture nearest to another's.
pub(super) struct Colours {
    gain: f32,
    cast: [f32; 2],
}

impl Colours {
    /// Colours as they are.
    pub(super) const SAME: Self = Self { gain: 1.0, cast: [0.0; 2] };

    fn fit(pairs: &[Pair]) -> Self {
        let (both, squares) = pairs.iter().fold((0.0, 0.0), |(both, squares), (a, b)| {
            (both + dot(*a, *b), squares + dot(*b, *b))
        });
        let plain = Self { gain: (both / f32::max(squares, 1.0)).max(0.05), cast: [0.0; 2] };
        let (n, sum) = pairs
            .iter()
            .map(|pair| plain.rest(pair))
            .fold((0.0, [0.0; 2]), |(n, sum): (f32, [f32; 2]), rest| {
                (n + 1.0, [sum[0] + rest[0], sum[1] + rest[1]])
            });
        Self { cast: sum.map(|sum| (sum / n.max(1.0)).clamp(-CAST_MAX, CAST_MAX)), ..plain }
    }

    fn rest(&self, (a, b): &Pair) -> [f32; 2] {
        [0, 1].map(|at| a[at] - self.gain * b[at] - self.cast[at])
    }

    pub(super) fn gap(&self, pair: &Pair) -> f32 {
        let rest = self.rest(pair);
        dot(rest, rest).sqrt()
    }
}
