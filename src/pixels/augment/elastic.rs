//! Random waves that bend a picture like rubber (Simard, Steinkraus and Platt 2003).
//!
//! Their method smooths a random number per pixel by a Gaussian. Here the numbers stand on a
//! grid and are smoothed by a cubic B-spline whose variance is that of the Gaussian, which looks
//! the same, costs little however wide the waves are, and bends a picture alike at every size.

use super::{Random, narrow, recipe::Elastic};

/// How far every point of a picture is moved.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waves {
    /// From one number of the grid to the next, in pixels.
    pitch_px: f32,
    n_columns: usize,
    /// Movements in pixels to the right and down, row by row.
    knots: Vec<[f32; 2]>,
}

/// The mean of the squares of the four weights of a cubic B-spline, over all places.
const MEAN_SQUARE_WEIGHT: f32 = 151.0 / 315.0;

impl Waves {
    pub(super) fn draw(
        elastic: &Elastic,
        shorter_px: f64,
        size: [usize; 2],
        random: &mut Random,
    ) -> Self {
        // A cubic B-spline has a third of its squared pitch as variance.
        let pitch_px = narrow((elastic.sigma * shorter_px * 3.0_f64.sqrt()).max(1.0));
        let [n_columns, n_rows] = size.map(|side| split(side, pitch_px).0 + 4);
        // Numbers from −1 to 1 have a third as variance; smoothing takes its share on each axis.
        let reach_px = narrow(elastic.alpha * shorter_px) * 3.0_f32.sqrt() / MEAN_SQUARE_WEIGHT;
        let knots = (0..n_columns * n_rows)
            .map(|_| [random.around_zero(reach_px), random.around_zero(reach_px)])
            .collect();
        Self { pitch_px, n_columns, knots }
    }

    /// Returns the movements of the first `width` pixels of row `y`.
    pub(super) fn row(&self, y: usize, width: usize) -> Vec<[f32; 2]> {
        let (first, way) = split(y, self.pitch_px);
        let weights = spline(way);
        let mut line = vec![[0.0; 2]; self.n_columns];
        let rows = self.knots.chunks_exact(self.n_columns).skip(first);
        for (row, weight) in rows.zip(weights) {
            for (sum, knot) in line.iter_mut().zip(row) {
                *sum = [sum[0] + weight * knot[0], sum[1] + weight * knot[1]];
            }
        }
        (0..width)
            .map(|x| {
                let (first, way) = split(x, self.pitch_px);
                let parts = line[first..].iter().zip(spline(way));
                parts.fold([0.0; 2], |sum, (knot, weight)| {
                    [sum[0] + weight * knot[0], sum[1] + weight * knot[1]]
                })
            })
            .collect()
    }
}

/// Returns the number of whole pitches before `at`, and the way to the next.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
#[expect(clippy::cast_precision_loss, reason = "a side has fewer than 2^24 pixels")]
fn split(at: usize, pitch_px: f32) -> (usize, f32) {
    let pitches = at as f32 / pitch_px;
    (pitches as usize, pitches.fract())
}

/// The weights of the four knots around a place on the way from the second to the third.
fn spline(way: f32) -> [f32; 4] {
    let back = 1.0 - way;
    let near = |way: f32| (4.0 - 6.0 * way * way + 3.0 * way * way * way) / 6.0;
    [back * back * back / 6.0, near(way), near(back), way * way * way / 6.0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::random::Purpose;

    fn field(elastic: Elastic, side: usize, seed: u64) -> Vec<[f32; 2]> {
        let mut random = Random::new(seed, Purpose::Augment);
        let shorter_px = super::super::pixels(side);
        let waves = Waves::draw(&elastic, shorter_px, [side; 2], &mut random);
        (0..side).flat_map(|y| waves.row(y, side)).collect()
    }

    #[test]
    fn weights_add_up_to_one_everywhere() {
        for way in [0.0, 0.25, 0.5, 0.9] {
            assert!((spline(way).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn points_move_by_alpha_and_waves_are_as_wide_as_sigma() {
        let elastic = Elastic { alpha: 0.03, sigma: 0.05 };
        let (mut squares, mut slopes, mut n) = (0.0, 0.0, 0.0);
        for seed in 0..40 {
            let field = field(elastic, 100, seed);
            for pair in field.windows(2) {
                squares += pair[0][0] * pair[0][0] + pair[0][1] * pair[0][1];
            }
            for row in field.chunks(100) {
                for pair in row.windows(2) {
                    let slope = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
                    slopes += slope[0] * slope[0] + slope[1] * slope[1];
                    n += 2.0;
                }
            }
        }
        let spread: f32 = f32::sqrt(squares / n);
        assert!((spread - 3.0).abs() < 0.15, "{spread} px, not 3");
        // White noise smoothed by a Gaussian of s pixels has slopes of spread / (s · √2).
        let slope: f32 = f32::sqrt(slopes / n);
        let expected = 3.0 / (5.0 * 2.0_f32.sqrt());
        assert!((slope / expected - 1.0).abs() < 0.1, "{slope}, not {expected}");
    }

    #[test]
    fn a_larger_picture_is_bent_in_the_same_way() {
        let elastic = Elastic::default();

        let (small, large) = (field(elastic, 50, 3), field(elastic, 100, 3));

        for at in [0, 7, 31, 49] {
            let (small, large) = (small[at * 50 + at], large[2 * at * 100 + 2 * at]);
            assert!((small[0] * 2.0 - large[0]).abs() < 0.01, "{small:?} {large:?}");
        }
    }
}
