//! A square grid of levels that can be read between its points and halved.

/// A square grid of levels.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    side: usize,
    levels: Vec<f32>,
    /// Where the points lie along one side, from −1 to 1.
    axis: Vec<f32>,
}

/// A level between the points and how it changes to the right and downwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) level: f32,
    pub(super) slope_right: f32,
    pub(super) slope_down: f32,
}

impl Plane {
    pub(super) fn new(side: u8, levels: Vec<f32>) -> Self {
        let n = f32::from(side);
        let axis = (0..side).map(|at| (f32::from(at) + 0.5) / n * 2.0 - 1.0).collect();
        let side = usize::from(side);
        assert_eq!(levels.len(), side * side, "a plane is square");
        Self { side, levels, axis }
    }

    pub(super) fn side(&self) -> usize {
        self.side
    }

    pub(super) fn level(&self, x: usize, y: usize) -> f32 {
        self.levels[y * self.side + x]
    }

    /// Visits every point: its place from −1 to 1 and its level.
    pub(super) fn points(&self) -> impl Iterator<Item = (f32, f32, f32)> {
        let rows = self.axis.iter().zip(self.levels.chunks_exact(self.side));
        rows.flat_map(|(v, row)| self.axis.iter().zip(row).map(|(u, level)| (*u, *v, *level)))
    }

    /// Returns the plane of half the side whose points are means of four.
    pub(super) fn halved(&self) -> Self {
        let half = self.side / 2;
        let mean = |x: usize, y: usize| {
            let row = |y| self.level(x, y) + self.level(x + 1, y);
            (row(y) + row(y + 1)) / 4.0
        };
        let levels = (0..half).flat_map(|y| (0..half).map(move |x| mean(2 * x, 2 * y))).collect();
        let axis = self.axis.chunks_exact(2).map(|pair| f32::midpoint(pair[0], pair[1])).collect();
        Self { side: half, levels, axis }
    }

    /// Reads the level at a place from −1 to 1, or nothing outside the plane.
    #[inline]
    pub(super) fn read(&self, u: f32, v: f32) -> Option<Reading> {
        if !(-1.0..=1.0).contains(&u) || !(-1.0..=1.0).contains(&v) {
            return None;
        }
        let (step, first) = (self.axis[1] - self.axis[0], self.axis[0]);
        let (column, across) = self.split((u - first) / step);
        let (row, along) = self.split((v - first) / step);
        let at = row * self.side + column;
        let [left, right] = [self.levels[at], self.levels[at + 1]];
        let [left_below, right_below] =
            [self.levels[at + self.side], self.levels[at + self.side + 1]];
        let (rise, rise_below) = (right - left, right_below - left_below);
        let (above, below) = (left + rise * across, left_below + rise_below * across);
        Some(Reading {
            level: above + (below - above) * along,
            slope_right: (rise + (rise_below - rise) * along) / step,
            slope_down: (below - above) / step,
        })
    }

    /// Parts a place into the point before it and the way to the next, from 0 to 1.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "places lie between 0 and the side, which is at most 255"
    )]
    fn split(&self, place: f32) -> (usize, f32) {
        let place = place.max(0.0);
        let before = (place as usize).min(self.side - 2);
        (before, (place - before as f32).min(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Plane {
        let levels = (0..64_u8).map(|at| f32::from(at % 8) * 10.0 + f32::from(at / 8)).collect();
        Plane::new(8, levels)
    }

    #[test]
    fn reading_at_a_point_gives_its_level_and_between_points_their_mean() {
        let plane = ramp();
        let at = |u, v| plane.read(u, v).unwrap().level;

        assert!((at(plane.axis[3], plane.axis[5]) - 35.0).abs() < 1e-3);
        assert!((at(0.0, 0.0) - 38.5).abs() < 1e-3);
        assert!(plane.read(1.01, 0.0).is_none());
    }

    #[test]
    fn slopes_are_those_of_the_ramp() {
        let slopes = ramp().read(0.1, -0.2).unwrap();

        assert!((slopes.slope_right - 40.0).abs() < 1e-2, "{slopes:?}");
        assert!((slopes.slope_down - 4.0).abs() < 1e-2, "{slopes:?}");
    }

    #[test]
    fn halving_keeps_the_place_of_things() {
        let half = ramp().halved();

        assert!(
            (half.read(0.25, -0.25).unwrap().level - ramp().read(0.25, -0.25).unwrap().level).abs()
                < 1e-3
        );
    }
}
