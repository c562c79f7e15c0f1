//! A square grid of levels that can be read between its points and halved.

/// A square grid of levels.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    side: usize,
    levels: Vec<f32>,
    /// Where the points lie along one side, from −1 to 1.
    axis: Vec<f32>,
}

/// So many points are read at a time; every grid is a multiple of it wide.
pub(super) const LANES: usize = 8;

/// One figure of each of eight points beside each other.
pub(super) type Lanes = [f32; LANES];

/// Levels between the points and how they change to the right and downwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Readings {
    /// 1 where the place lies on the plane, 0 where it does not and the rest says nothing.
    pub(super) on: Lanes,
    pub(super) level: Lanes,
    pub(super) slope_right: Lanes,
    pub(super) slope_down: Lanes,
}

impl Plane {
    pub(super) fn new(side: u8, levels: Vec<f32>) -> Self {
        let n = f32::from(side);
        let axis = (0..side).map(|at| (f32::from(at) + 0.5) / n * 2.0 - 1.0).collect();
        let side = usize::from(side);
        assert_eq!(levels.len(), side * side, "a plane is square");
        assert!(side.is_multiple_of(LANES), "rows are read in eights");
        Self { side, levels, axis }
    }

    pub(super) fn side(&self) -> usize {
        self.side
    }

    pub(super) fn n_points(&self) -> f32 {
        f32::from(u16::try_from(self.levels.len()).expect("at most 255 by 255"))
    }

    /// Visits every point, eight of a row at a time: their places from −1 to 1 across, their common
    /// one downwards, and their levels.
    pub(super) fn eights(&self) -> impl Iterator<Item = (&Lanes, f32, &Lanes)> {
        let across = self.axis.as_chunks().0;
        let rows = self.axis.iter().zip(self.levels.chunks_exact(self.side));
        rows.flat_map(|(v, row)| {
            let levels = row.as_chunks().0;
            across.iter().zip(levels).map(|(u, levels)| (u, *v, levels))
        })
    }

    /// Visits the points of a square of eight rows of eight, of which there are so many in a row,
    /// as [`Self::eights`] does.
    pub(super) fn square(
        &self,
        (column, row): (usize, usize),
    ) -> impl Iterator<Item = (&Lanes, f32, &Lanes)> {
        let u = &self.axis.as_chunks().0[column];
        let n_across = self.side / LANES;
        let levels = self.levels.as_chunks().0[row * LANES * n_across..].iter();
        let levels = levels.skip(column).step_by(n_across);
        let rows = self.axis.as_chunks::<LANES>().0[row].iter().zip(levels);
        rows.map(move |(v, levels)| (u, *v, levels))
    }

    /// Returns the plane of half the side whose points are means of four.
    pub(super) fn halved(&self) -> Self {
        let half = self.side / 2;
        let mut levels = Vec::with_capacity(half * half);
        for rows in self.levels.chunks_exact(2 * self.side) {
            let (upper, lower) = rows.split_at(self.side);
            let fours = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
            levels.extend(fours.map(|([a, b], [c, d])| (a + b + (c + d)) / 4.0));
        }
        let axis = self.axis.chunks_exact(2).map(|pair| f32::midpoint(pair[0], pair[1])).collect();
        Self { side: half, levels, axis }
    }

    /// Reads the levels at eight places from −1 to 1.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loops around it are quick only with it inside")]
    pub(super) fn read(&self, u: &Lanes, v: &Lanes) -> Readings {
        let per_step = (self.axis[1] - self.axis[0]).recip();
        let (columns, across) = self.split(u);
        let (rows, along) = self.split(v);
        let mut corners = [Lanes::default(); 4];
        for lane in 0..LANES {
            let at = rows[lane] as usize * self.side + columns[lane] as usize;
            let cell = &self.levels[at..at + self.side + 2];
            corners[0][lane] = cell[0];
            corners[1][lane] = cell[1];
            corners[2][lane] = cell[self.side];
            corners[3][lane] = cell[self.side + 1];
        }
        let [left, right, left_below, right_below] = corners;
        let mut readings = Readings {
            on: Lanes::default(),
            level: Lanes::default(),
            slope_right: Lanes::default(),
            slope_down: Lanes::default(),
        };
        for lane in 0..LANES {
            let is_on = (u[lane].abs() <= 1.0) & (v[lane].abs() <= 1.0);
            readings.on[lane] = if is_on { 1.0 } else { 0.0 };
            let rise = right[lane] - left[lane];
            let rise_below = right_below[lane] - left_below[lane];
            let above = left[lane] + rise * across[lane];
            let below = left_below[lane] + rise_below * across[lane];
            readings.level[lane] = above + (below - above) * along[lane];
            readings.slope_right[lane] = (rise + (rise_below - rise) * along[lane]) * per_step;
            readings.slope_down[lane] = (below - above) * per_step;
        }
        readings
    }

    /// Parts places into the points before them and the way to the next, from 0 to 1. Written with
    /// nothing that would keep eight from being parted at once: comparisons that choose, and the
    /// rounding of a sum that is too large for fractions.
    #[inline(always)]
    #[expect(clippy::cast_precision_loss, reason = "the side is at most 255")]
    fn split(&self, places: &Lanes) -> ([u32; LANES], Lanes) {
        /// From here on neighbouring numbers are 1 apart, and the last bits are the number.
        const WHOLE: f32 = 8_388_608.0;
        let (first, per_step) = (self.axis[0], (self.axis[1] - self.axis[0]).recip());
        let (last, last_before) = (self.side as f32 - 1.0, self.side as f32 - 2.0);
        let within = |value: f32, most: f32| {
            let value = if 0.0 < value { value } else { 0.0 };
            if value < most { value } else { most }
        };
        let mut before = [0; LANES];
        let mut way = Lanes::default();
        for lane in 0..LANES {
            let place = within((places[lane] - first) * per_step, last);
            // A place on a point may be parted as all of the way from the one before it.
            let sum = within(place - 0.5, last_before) + WHOLE;
            before[lane] = sum.to_bits() & 0x007f_ffff;
            way[lane] = place - (sum - WHOLE);
        }
        (before, way)
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
        let u = [plane.axis[3], 0.0, 1.0, 1.01, 0.0, f32::NAN, -1.0, -9.0];
        let v = [plane.axis[5], 0.0, 1.0, 0.0, -1.01, 0.0, -1.0, 9.0];

        let Readings { on, level, .. } = plane.read(&u, &v);

        assert_eq!(on.map(|it| 0.5 < it), [true, true, true, false, false, false, true, false]);
        for (lane, expected) in [(0, 35.0), (1, 38.5), (2, 77.0), (6, 0.0)] {
            assert!((level[lane] - expected).abs() < 1e-3, "{lane}: {}", level[lane]);
        }
    }

    #[test]
    fn slopes_are_those_of_the_ramp() {
        let slopes = ramp().read(&[0.1; LANES], &[-0.2; LANES]);

        assert!((slopes.slope_right[7] - 40.0).abs() < 1e-2, "{slopes:?}");
        assert!((slopes.slope_down[0] - 4.0).abs() < 1e-2, "{slopes:?}");
    }

    #[test]
    fn halving_keeps_the_place_of_things() {
        let levels =
            (0..16_u8).flat_map(|y| (0..16_u8).map(move |x| f32::from(x) * 9.0 + f32::from(y)));
        let plane = Plane::new(16, levels.collect());
        let at = |plane: &Plane| plane.read(&[0.25; LANES], &[-0.25; LANES]).level[0];

        assert!((at(&plane.halved()) - at(&plane)).abs() < 1e-3);
    }
}
