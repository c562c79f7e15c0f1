//! Two planes → the movement that lays the one over the other: shift, scale, a little turning
//! and shear, beside a change of contrast and brightness that is solved for and forgotten.

use self::sums::{Sums, Totals};
use super::{
    plane::{LANES, Lanes, Plane, Readings},
    wide::widely,
};
use crate::domain::fingerprint::Frame;

pub(super) mod sums;

/// Where the points of one plane lie on another: `u' = right_u·u + right_v·v + right`, and so
/// downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Movement {
    pub(super) right_u: f32,
    pub(super) right_v: f32,
    pub(super) right: f32,
    pub(super) down_u: f32,
    pub(super) down_v: f32,
    pub(super) down: f32,
}

/// How well two planes agree where they overlap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Agreement {
    /// Normalised cross-correlation, −1 to 1.
    pub(super) correlation: f32,
    /// The part of the first plane that lies on the second.
    pub(super) overlap: f32,
}

/// A larger picture may show at most this much more than a smaller one, and the reverse.
const SCALE_MAX: f32 = 2.5;
const TURN_MAX: f32 = 0.2;
const OVERLAP_MIN: f32 = 0.25;

/// No step of the search goes further than this part of the half side.
const STEP_MAX: f32 = 0.15;
const STEP_DONE: f32 = 0.002;

impl Movement {
    pub(super) const NONE: Self = Self::scale(1.0, 1.0);

    pub(super) const fn scale(across: f32, along: f32) -> Self {
        Self { right_u: across, right_v: 0.0, right: 0.0, down_u: 0.0, down_v: along, down: 0.0 }
    }

    /// Lays one rectangle of a picture on one of another.
    pub(super) fn between(a: Frame, b: Frame) -> Self {
        let span = |from: u8, to: u8| {
            let (from, to) = (f32::from(from) / 127.5 - 1.0, f32::from(to) / 127.5 - 1.0);
            (f32::midpoint(from, to), (to - from) / 2.0)
        };
        let along = |(centre_a, half_a): (f32, f32), (centre_b, half_b): (f32, f32)| {
            let scale = half_b / half_a;
            (scale, centre_b - centre_a * scale)
        };
        let across = along(span(a.left, a.right), span(b.left, b.right));
        let down = along(span(a.top, a.bottom), span(b.top, b.bottom));
        Self { right: across.1, down: down.1, ..Self::scale(across.0, down.0) }
    }

    /// How far apart two movements take the corners of a picture, in half sides.
    pub(super) fn gap(&self, other: &Self) -> f32 {
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)];
        let gap = |(u, v)| {
            let ((a_u, a_v), (b_u, b_v)) = (self.apply(u, v), other.apply(u, v));
            f32::max((a_u - b_u).abs(), (a_v - b_v).abs())
        };
        corners.into_iter().map(gap).fold(0.0, f32::max)
    }

    /// How many times larger a shape becomes.
    pub(super) fn area(&self) -> f32 {
        (self.right_u * self.down_v - self.right_v * self.down_u).abs()
    }

    #[inline]
    pub(super) fn apply(&self, u: f32, v: f32) -> (f32, f32) {
        (
            self.right_u * u + self.right_v * v + self.right,
            self.down_u * u + self.down_v * v + self.down,
        )
    }

    fn stepped(&self, step: &[f32; 8]) -> Self {
        let scale = |value: f32| value.clamp(1.0 / SCALE_MAX, SCALE_MAX);
        let turn = |value: f32| value.clamp(-TURN_MAX, TURN_MAX);
        Self {
            right_u: scale(self.right_u + step[0]),
            right_v: turn(self.right_v + step[1]),
            right: self.right + step[2],
            down_u: turn(self.down_u + step[3]),
            down_v: scale(self.down_v + step[4]),
            down: self.down + step[5],
        }
    }
}

/// Reads `b` under eight points of `a`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the loops around it are quick only with it inside")]
pub(super) fn read(b: &Plane, movement: &Movement, u: &Lanes, v: f32) -> Readings {
    let (mut across, mut down) = (Lanes::default(), Lanes::default());
    for lane in 0..LANES {
        (across[lane], down[lane]) = movement.apply(u[lane], v);
    }
    b.read(&across, &down)
}

/// Correlates `a` with `b` moved under it.
pub(super) fn agreement(a: &Plane, b: &Plane, movement: &Movement) -> Agreement {
    widely(
        #[inline(always)]
        || {
            let mut sums = Sums::default();
            for (u, v, levels) in a.eights() {
                let Readings { on, level, .. } = read(b, movement, u, v);
                sums.add(&on, levels, &level);
            }
            Agreement::of(&sums.totals(), a)
        },
    )
}

/// Improves `start` by at most `rounds` Gauss-Newton steps, and returns the best movement met.
pub(super) fn refine(
    a: &Plane,
    b: &Plane,
    start: Movement,
    rounds: usize,
) -> (Movement, Agreement) {
    let mut movement = start;
    let (found, mut system) = survey(a, b, &start);
    let mut best = (start, found);
    for round in 1..=rounds {
        let Some(step) = step(system) else { break };
        movement = movement.stepped(&step);
        let is_last = round == rounds || step[..6].iter().all(|part| part.abs() < STEP_DONE);
        let found;
        if is_last {
            found = agreement(a, b, &movement);
        } else {
            (found, system) = survey(a, b, &movement);
        }
        if OVERLAP_MIN < found.overlap && best.1.correlation < found.correlation {
            best = (movement, found);
        }
        if is_last {
            break;
        }
    }
    best
}

/// The equations of the small movement, contrast and brightness that bring one plane nearest to
/// another, as sums over their points: what lies below the diagonal is left empty.
type System = [[f32; 9]; 8];

/// So many points are read before they are added up, eight at a time.
const READ_AHEAD: usize = 32;

/// The parts of the equations of eight points.
type Parts = [Lanes; 9];

/// Correlates `a` with `b` moved under it, and sums the equations of the next step.
fn survey(a: &Plane, b: &Plane, movement: &Movement) -> (Agreement, System) {
    widely(
        #[inline(always)]
        || {
            let mut sums = Sums::default();
            let mut system = [Parts::default(); 8];
            let mut ahead = [Parts::default(); READ_AHEAD];
            let mut eights = a.eights();
            loop {
                let mut n = 0;
                for (parts, (u, v, levels)) in ahead.iter_mut().zip(eights.by_ref()) {
                    let readings = read(b, movement, u, v);
                    sums.add(&readings.on, levels, &readings.level);
                    *parts = parts_of(&readings, u, v, levels);
                    n += 1;
                }
                if n == 0 {
                    break;
                }
                add_up(&mut system, &ahead[..n]);
            }
            let system = system.map(|parts| parts.map(|lanes| lanes.iter().sum::<f32>()));
            (Agreement::of(&sums.totals(), a), system)
        },
    )
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn parts_of(readings: &Readings, u: &Lanes, v: f32, levels: &Lanes) -> Parts {
    let Readings { on, level, slope_right, slope_down } = readings;
    let mut parts = Parts::default();
    for lane in 0..LANES {
        let (right, down) = (on[lane] * slope_right[lane], on[lane] * slope_down[lane]);
        let (here, there) = (on[lane] * levels[lane], on[lane] * level[lane]);
        let figures = [
            right * u[lane],
            right * v,
            right,
            down * u[lane],
            down * v,
            down,
            there,
            on[lane],
            here,
        ];
        for (part, figure) in parts.iter_mut().zip(figures) {
            part[lane] = figure;
        }
    }
    parts
}

/// Adds the products of parts to the equations, one equation after the other, whose sums then
/// stay in registers.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn add_up(system: &mut [Parts; 8], ahead: &[Parts]) {
    add_equation::<0>(system, ahead);
    add_equation::<1>(system, ahead);
    add_equation::<2>(system, ahead);
    add_equation::<3>(system, ahead);
    add_equation::<4>(system, ahead);
    add_equation::<5>(system, ahead);
    add_equation::<6>(system, ahead);
    add_equation::<7>(system, ahead);
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn add_equation<const AT: usize>(system: &mut [Parts; 8], ahead: &[Parts]) {
    let mut sums = system[AT];
    for parts in ahead {
        for part in AT..9 {
            for lane in 0..LANES {
                sums[part][lane] += parts[AT][lane] * parts[part][lane];
            }
        }
    }
    system[AT] = sums;
}

/// Solves for the small movement that brings one plane nearest to another.
fn step(mut system: System) -> Option<[f32; 8]> {
    // The system is symmetric: what lies below its diagonal is copied once.
    let above = system;
    for (at, equation) in system.iter_mut().enumerate() {
        for (sum, above) in equation.iter_mut().zip(&above[..at]) {
            *sum = above[at];
        }
        equation[at] += 1e-3 + equation[at] * 1e-4;
    }
    let solution = solve(system)?;
    let contrast = solution[6];
    (0.1 < contrast).then(|| solution.map(|part| (part / contrast).clamp(-STEP_MAX, STEP_MAX)))
}

/// Solves eight linear equations by Gauss-Jordan elimination; `None` if they are degenerate.
fn solve(mut system: [[f32; 9]; 8]) -> Option<[f32; 8]> {
    for at in 0..8 {
        let pivot = system[at][at];
        if pivot.abs() < 1e-9 {
            return None;
        }
        let scaled = system[at].map(|value| value / pivot);
        for equation in &mut system {
            let factor = equation[at];
            for (value, other) in equation.iter_mut().zip(scaled) {
                *value -= factor * other;
            }
        }
        system[at] = scaled;
    }
    Some(system.map(|equation| equation[8]))
}

impl Agreement {
    fn of(totals: &Totals, a: &Plane) -> Self {
        Self { correlation: totals.correlation(), overlap: totals.n() / a.n_points() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three soft spots and a slope, drawn after `movement`.
    fn spots(movement: &Movement) -> Plane {
        let places: Vec<f32> = (0..32_u8).map(|at| (f32::from(at) + 0.5) / 16.0 - 1.0).collect();
        let level = |u: f32, v: f32| {
            let (u, v) = movement.apply(u, v);
            let spot = |x: f32, y: f32| (-6.0 * ((u - x).powi(2) + (v - y).powi(2))).exp();
            90.0 * spot(0.3, 0.2) - 60.0 * spot(-0.4, 0.3) + 40.0 * spot(0.0, -0.5) + 10.0 * u
        };
        let levels = places.iter().flat_map(|v| places.iter().map(move |u| level(*u, *v)));
        Plane::new(32, levels.collect())
    }

    #[test]
    fn a_moved_picture_is_found_again() {
        let moved =
            Movement { right: 0.1, down: -0.06, right_v: 0.05, ..Movement::scale(0.9, 0.95) };

        let (found, agreement) =
            refine(&spots(&moved), &spots(&Movement::NONE), Movement::NONE, 20);

        let gap = |a: f32, b: f32| (a - b).abs();
        assert!(0.995 < agreement.correlation, "{agreement:?}");
        assert!(
            gap(found.right, moved.right) < 0.02 && gap(found.down, moved.down) < 0.02,
            "{found:?}"
        );
        assert!(gap(found.right_u, 0.9) < 0.02 && gap(found.down_v, 0.95) < 0.02, "{found:?}");
    }

    #[test]
    fn a_picture_agrees_wholly_with_itself() {
        let plane = spots(&Movement::NONE);

        let itself = agreement(&plane, &plane, &Movement::NONE);

        assert!(0.999 < itself.correlation && 0.999 < itself.overlap, "{itself:?}");
    }
}
