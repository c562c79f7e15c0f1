//! Grey levels → how much a straight line from edge to edge parts two pictures.
//!
//! Where two pictures meet, the levels jump in nearly every row, now up, now down; along a
//! horizon or a wall they jump one way. A narrow even line between two pictures is a seam too.

use std::ops::Range;

use crate::{domain::quality::Share, pixels::border::Inner};

/// A jump smaller than this may be noise.
const JUMP: i32 = 12;

/// The rows that jump the rarer way must be one of so many at least.
const MINORITY: usize = 5;

/// How far from its middle a line between pictures may reach, and how even its levels are.
const REACHES_PX: [usize; 3] = [2, 4, 7];
const EVEN: i32 = 12;

/// A line between pictures is drawn in black or in white; gutters and beams lie between.
const BLACK: i32 = 35;
const WHITE: i32 = 225;

/// A picture narrower than this has no room for two.
const ROOM_PX: usize = 96;

/// Looks for a seam inside the margins, both ways.
pub(super) fn seam(levels: &[u8], width: usize, inner: Inner) -> Share {
    let upright = |x: usize, y: usize| i32::from(levels[y * width + x]);
    let lying = |x: usize, y: usize| i32::from(levels[x * width + y]);
    let across = best(inner.left..inner.right, inner.top..inner.bottom, upright);
    let along = best(inner.top..inner.bottom, inner.left..inner.right, lying);
    across.max(along)
}

/// Tries every place of `xs` but those near the ends, over all of `ys`.
fn best(xs: Range<usize>, ys: Range<usize>, level: impl Fn(usize, usize) -> i32) -> Share {
    if xs.len() < ROOM_PX || ys.len() < ROOM_PX {
        return Share::default();
    }
    let margin = xs.len() / 8;
    let places = xs.start + margin..xs.end - margin;
    let at = |x: usize| jumps(x, ys.clone(), &level).max(line(x, ys.clone(), &level));
    places.map(at).max().unwrap_or_default()
}

/// Returns the share of the rows whose level jumps at `x` more than beside it.
fn jumps(x: usize, ys: Range<usize>, level: &impl Fn(usize, usize) -> i32) -> Share {
    let n_rows = ys.len();
    let (mut up, mut down) = (0, 0);
    for y in ys {
        let jump = level(x + 1, y) - level(x - 1, y);
        if jump.abs() < JUMP {
            continue;
        }
        let left = (level(x - 1, y) - level(x - 3, y)).abs();
        let right = (level(x + 3, y) - level(x + 1, y)).abs();
        if 2 * left.max(right) < jump.abs() {
            up += usize::from(0 < jump);
            down += usize::from(jump < 0);
        }
    }
    let is_mixed = up + down < MINORITY * up.min(down);
    if is_mixed { Share::of(up + down, n_rows) } else { Share::default() }
}

/// Returns the share of the rows in which an even line at `x` stands out from both sides.
fn line(x: usize, ys: Range<usize>, level: &impl Fn(usize, usize) -> i32) -> Share {
    let n_rows = ys.len();
    let ground = level(x, ys.start + n_rows / 2);
    let is_even = |y: &usize| (level(x, *y) - ground).abs() <= EVEN;
    let n_even = ys.clone().filter(is_even).count();
    if (BLACK..WHITE).contains(&ground) || n_even * 20 < n_rows * 19 {
        return Share::default();
    }
    let of = |reach: usize| {
        let stands_out = |y: &usize| {
            let (before, after) = (level(x - reach, *y) - ground, level(x + reach, *y) - ground);
            JUMP <= before.abs().min(after.abs()) && (before < 0) == (after < 0)
        };
        Share::of(ys.clone().filter(is_even).filter(stands_out).count(), n_rows)
    };
    REACHES_PX.map(of).into_iter().max().unwrap_or_default()
}
