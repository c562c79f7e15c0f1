//! Distances to simple shapes, where a figure stands, and smooth noise. It paints nothing.

use super::{
    super::dice::Dice,
    canvas::{Point, real, whole},
};

/// Where and how a figure lies: its own coordinates have its body between -1 and 1.
#[derive(Clone, Copy)]
pub(super) struct Pose {
    pub(super) centre: Point,
    /// Canvas pixels per unit of the figure.
    pub(super) unit_px: f32,
    /// Cosine and sine of its turn.
    pub(super) turn: Point,
    /// How much it is foreshortened across, 1 is not at all.
    pub(super) squeeze: f32,
}

impl Pose {
    /// Turns a place on the canvas into the figure's own coordinates.
    pub(super) fn local(&self, at: Point) -> Point {
        let [x, y] = [at[0] - self.centre[0], at[1] - self.centre[1]];
        let [cos, sin] = self.turn;
        let across = self.unit_px * self.squeeze;
        [(x * cos + y * sin) / self.unit_px, (y * cos - x * sin) / across]
    }

    /// Turns a direction on the canvas into the figure's own.
    pub(super) fn local_direction(&self, [x, y]: Point) -> Point {
        let [cos, sin] = self.turn;
        [x * cos + y * sin, y * cos - x * sin]
    }

    /// Returns how much of a pixel lies inside, at a signed distance in the figure's units.
    pub(super) fn cover(&self, distance: f32) -> f32 {
        (0.5 - distance * self.unit_px).clamp(0.0, 1.0)
    }
}

pub(super) fn length([x, y]: Point) -> f32 {
    (x * x + y * y).sqrt()
}

/// Returns the signed distance to an ellipse, good near its edge.
pub(super) fn ellipse(at: Point, centre: Point, radii: Point) -> f32 {
    let from = [(at[0] - centre[0]) / radii[0], (at[1] - centre[1]) / radii[1]];
    let k = length(from);
    let slope = length([from[0] / radii[0], from[1] / radii[1]]);
    if slope < 1e-6 { -radii[0].min(radii[1]) } else { k * (k - 1.0) / slope }
}

/// Returns the signed distance to a thick line.
pub(super) fn stroke(at: Point, [from, to]: [Point; 2], radius: f32) -> f32 {
    let along = [to[0] - from[0], to[1] - from[1]];
    let rest = [at[0] - from[0], at[1] - from[1]];
    let size = along[0] * along[0] + along[1] * along[1];
    let share = ((rest[0] * along[0] + rest[1] * along[1]) / size).clamp(0.0, 1.0);
    length([rest[0] - along[0] * share, rest[1] - along[1] * share]) - radius
}

/// Smooth random hills: values from 0 to 1, the same at the same place.
pub(super) struct Hills {
    lattice: Vec<f32>,
}

/// The side of the lattice: the hills repeat after so many.
const SIDE: usize = 64;

impl Hills {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self { lattice: (0..SIDE * SIDE).map(|_| dice.unit()).collect() }
    }

    /// Returns the height at a place; hills are one unit wide.
    pub(super) fn height(&self, [x, y]: Point) -> f32 {
        let (x, y) = (x.abs(), y.abs());
        let (column, row) = (whole(x), whole(y));
        let ease = |t: f32| t * t * (3.0 - 2.0 * t);
        let (right, down) = (ease(x - real(column)), ease(y - real(row)));
        let at = |row: usize, column: usize| self.lattice[(row % SIDE) * SIDE + column % SIDE];
        let upper = at(row, column) + (at(row, column + 1) - at(row, column)) * right;
        let below = (at(row + 1, column), at(row + 1, column + 1));
        upper + (below.0 + (below.1 - below.0) * right - upper) * down
    }

    /// Returns the height where each of `octaves` adds hills half as wide and half as high.
    pub(super) fn rough(&self, at: Point, octaves: u8) -> f32 {
        let (mut sum, mut most, mut weight, mut scale) = (0.0, 0.0, 1.0, 1.0);
        for octave in 0..octaves {
            let shift = 17.0 * f32::from(octave);
            sum += weight * self.height([at[0] * scale + shift, at[1] * scale + shift]);
            most += weight;
            weight *= 0.5;
            scale *= 2.03;
        }
        sum / most
    }
}
