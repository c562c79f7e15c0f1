//! Grey levels → how strongly one faint pattern returns all over the picture, as tiled
//! watermarks do.
//!
//! Coarse light and strong edges are taken away; what is left is compared with itself at every
//! shift, by way of the Fourier transform. A tile shows as a lone peak far from the middle;
//! stripes and grass show as ridges.

use crate::{
    domain::quality::Share,
    pixels::scale::{self, Filter, Grey, Region, Size},
};

const SIDE_PX: u32 = 128;
const SIDE: usize = SIDE_PX as usize;

/// Edges stronger than this count no more than this.
const FAINT: f32 = 6.0;

/// Half the width of the neighbourhood that counts as coarse light.
const COARSE_PX: usize = 3;

/// Shifts shorter than this meet the same stroke again.
const SHIFT_PX: i32 = 14;

/// A peak is measured against what lies this far beside it.
const BESIDE_PX: i32 = 3;

/// A complex number.
type Wave = (f32, f32);

pub(super) fn repeats(grey: &Grey) -> Share {
    let whole = Region::whole(grey.size);
    let small = scale::grey(grey, whole, Size::square(2 * SIDE_PX), Filter::Area);
    let mut waves = strokes(&small.levels);
    let roots = roots();
    both_ways(&mut waves, &roots);
    for wave in &mut waves {
        *wave = (wave.0 * wave.0 + wave.1 * wave.1, 0.0);
    }
    // The power is symmetric, so transforming it again brings it back.
    both_ways(&mut waves, &roots);
    let alike: Vec<f32> = waves.iter().map(|wave| wave.0).collect();
    peak(&alike)
}

/// Keeps what is a little lighter than its neighbourhood, at half the size.
fn strokes(levels: &[u8]) -> Vec<Wave> {
    let around = blurred(levels.iter().map(|level| f32::from(*level)).collect(), 2 * SIDE);
    let lighter = |at: usize| (f32::from(levels[at]) - around[at]).clamp(0.0, FAINT);
    let mut halved = Vec::with_capacity(SIDE * SIDE);
    for at in 0..SIDE * SIDE {
        let corner = at / SIDE * 4 * SIDE + at % SIDE * 2;
        let below = corner + 2 * SIDE;
        halved.push(lighter(corner) + lighter(corner + 1) + lighter(below) + lighter(below + 1));
    }
    let coarse = blurred(halved.clone(), SIDE);
    halved.iter().zip(coarse).map(|(level, coarse)| (level - coarse, 0.0)).collect()
}

/// Averages a square over the neighbourhood of each place.
fn blurred(levels: Vec<f32>, side: usize) -> Vec<f32> {
    let mut levels = levels;
    let width = 2 * COARSE_PX + 1;
    let place = |n: usize| n.clamp(COARSE_PX, side + COARSE_PX - 1) - COARSE_PX;
    // The end of a row stands for what would lie beyond it.
    let mut row = vec![0.0; side + width];
    for line in levels.chunks_exact_mut(side) {
        for (n, level) in row.iter_mut().enumerate() {
            *level = line[place(n)];
        }
        let mut sum: f32 = row[..width].iter().sum();
        for ((mean, entering), leaving) in line.iter_mut().zip(&row[width..]).zip(&row) {
            *mean = sum / 7.0;
            sum += entering - leaving;
        }
    }
    let line = |n: usize| &levels[place(n) * side..][..side];
    let mut sums = vec![0.0; side];
    for n in 0..width {
        sums.iter_mut().zip(line(n)).for_each(|(sum, level)| *sum += level);
    }
    let mut means = Vec::with_capacity(side * side);
    for n in 0..side {
        means.extend(sums.iter().map(|sum| sum / 7.0));
        for ((sum, entering), leaving) in sums.iter_mut().zip(line(n + width)).zip(line(n)) {
            *sum += entering - leaving;
        }
    }
    means
}

/// Finds the highest lone peak, against the picture's likeness to itself unshifted.
fn peak(alike: &[f32]) -> Share {
    let side = i32::try_from(SIDE).expect("a small side");
    let at = |x: i32, y: i32| {
        let place = y.rem_euclid(side) * side + x.rem_euclid(side);
        alike[usize::try_from(place).expect("wrapped into the square")]
    };
    let itself = at(0, 0);
    if itself <= 0.0 {
        return Share::default();
    }
    let mut best = 0.0_f32;
    for y in 0..side / 2 {
        for x in -side / 2 + 1..side / 2 {
            if x * x + y * y < SHIFT_PX * SHIFT_PX {
                continue;
            }
            let here = at(x, y);
            if here <= best {
                continue;
            }
            let b = BESIDE_PX;
            let pairs =
                [((b, 0), (-b, 0)), ((0, b), (0, -b)), ((b, b), (-b, -b)), ((b, -b), (-b, b))];
            let beside =
                pairs.map(|((a, b), (c, d))| f32::midpoint(at(x + a, y + b), at(x + c, y + d)));
            let ridge = beside.into_iter().fold(0.0, f32::max);
            best = best.max(here - ridge);
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share between none and all"
    )]
    let thousandths = (best / itself * 1000.0).clamp(0.0, 1000.0) as u16;
    Share(thousandths)
}

/// Transforms rows, then columns.
fn both_ways(waves: &mut [Wave], roots: &[Wave]) {
    for _ in 0..2 {
        for row in waves.chunks_exact_mut(SIDE) {
            transform(row, roots);
        }
        for y in 0..SIDE {
            for x in 0..y {
                waves.swap(y * SIDE + x, x * SIDE + y);
            }
        }
    }
}

/// The fast Fourier transform in place.
fn transform(waves: &mut [Wave], roots: &[Wave]) {
    let shift = usize::BITS - SIDE.ilog2();
    for at in 0..SIDE {
        let other = at.reverse_bits() >> shift;
        if at < other {
            waves.swap(at, other);
        }
    }
    let mut half = 1;
    while half < SIDE {
        let step = SIDE / (2 * half);
        for block in waves.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (n, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let turned = times(*b, roots[n * step]);
                *b = (a.0 - turned.0, a.1 - turned.1);
                *a = (a.0 + turned.0, a.1 + turned.1);
            }
        }
        half *= 2;
    }
}

fn times(a: Wave, b: Wave) -> Wave {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// The roots of one, by halving angles: only roots of numbers, which every machine rounds alike.
fn roots() -> Vec<Wave> {
    let mut roots: Vec<Wave> = vec![(1.0, 0.0), (-1.0, 0.0)];
    let mut turn: Wave = (-1.0, 0.0);
    while roots.len() < SIDE {
        let cosine = f32::midpoint(1.0, turn.0).sqrt();
        let half = (cosine, if turn.1 == 0.0 { 1.0 } else { turn.1 / (2.0 * cosine) });
        roots = roots.iter().flat_map(|root| [*root, times(*root, half)]).collect();
        turn = half;
    }
    roots
}
