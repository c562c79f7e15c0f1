//! Accuracy with ever more training pictures → what twice as many would bring.

use serde::{Deserialize, Serialize};

use super::{
    float,
    interval::{Interval, Score, quantile},
    resample::{Dice, N_RESAMPLES},
};

/// How a model did that was trained with some of the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub n_train: u32,
    /// Right answers to `n_test` test pictures.
    pub n_right: u32,
    pub n_test: u32,
}

/// Accuracy as `ceiling - gap * n^-rate`.
///
/// Source: Cortes, Jackel, Solla, Vapnik, Denker, "Learning curves: asymptotic values and rate of
/// convergence", NIPS 1993.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// What no number of pictures would surpass; at most 1.
    pub ceiling: f64,
    /// At least 0: more pictures do no harm.
    pub gap: f64,
    /// From 0.05 to 2.
    pub rate: f64,
}

/// A learning curve: its points and the law behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningCurve {
    /// In the order of their numbers of training pictures.
    pub points: Vec<Point>,
    pub law: PowerLaw,
    /// Laws fitted to test results as they could have come out as well.
    redrawn: Vec<PowerLaw>,
}

const RATES: (f64, f64) = (0.05, 2.0);
const N_RATES: u32 = 40;

impl Point {
    /// Returns the share of right answers with Wilson's interval; `None` without test pictures.
    pub fn accuracy(&self) -> Option<Score> {
        Score::of_share(self.n_right, self.n_test)
    }
}

impl PowerLaw {
    /// Returns the accuracy expected with `n_train` pictures.
    pub fn at(&self, n_train: f64) -> f64 {
        (self.ceiling - self.gap * n_train.powf(-self.rate)).clamp(0.0, 1.0)
    }

    /// Fits the law by least squares. For a given rate the rest is a straight line; the rate is
    /// searched on a grid, then by golden section around the best.
    fn of(points: &[(f64, f64)]) -> Self {
        let (low, high) = (RATES.0.ln(), RATES.1.ln());
        let width = (high - low) / f64::from(N_RATES);
        let error = |log_rate: f64| Self::with_rate(points, log_rate.exp()).1;
        let mut best = (f64::INFINITY, low);
        for step in 0..=N_RATES {
            let log_rate = low + f64::from(step) * width;
            let found = error(log_rate);
            if found < best.0 {
                best = (found, log_rate);
            }
        }
        let (mut from, mut to) = ((best.1 - width).max(low), (best.1 + width).min(high));
        let golden = (5_f64.sqrt() - 1.0) / 2.0;
        for _ in 0..40 {
            let (left, right) = (to - golden * (to - from), from + golden * (to - from));
            if error(left) < error(right) {
                to = right;
            } else {
                from = left;
            }
        }
        Self::with_rate(points, f64::midpoint(from, to).exp()).0
    }

    /// Returns the best law of this rate and its squared error.
    fn with_rate(points: &[(f64, f64)], rate: f64) -> (Self, f64) {
        let n = float(points.len());
        let xs = || points.iter().map(|(n_train, _)| n_train.powf(-rate));
        let mean_x = xs().sum::<f64>() / n;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
        let joint: f64 = xs().zip(points).map(|(x, (_, y))| (x - mean_x) * (y - mean_y)).sum();
        let spread: f64 = xs().map(|x| (x - mean_x).powi(2)).sum();
        let mut gap = if 0.0 < spread { (-joint / spread).max(0.0) } else { 0.0 };
        let mut ceiling = mean_y + gap * mean_x;
        if 1.0 < ceiling {
            // The best line through (0, 1), the highest point allowed.
            let squares: f64 = xs().map(|x| x * x).sum();
            let down: f64 = xs().zip(points).map(|(x, (_, y))| x * (1.0 - y)).sum();
            (ceiling, gap) = (1.0, (down / squares).max(0.0));
        }
        let error = xs().zip(points).map(|(x, (_, y))| (ceiling - gap * x - y).powi(2)).sum();
        (Self { ceiling, gap, rate }, error)
    }
}

impl LearningCurve {
    /// Fits a learning curve; `None` with fewer than three different numbers of training pictures,
    /// which any such law would go through. Points without test pictures do not count.
    pub fn of(points: &[Point], seed: u64) -> Option<Self> {
        let mut points: Vec<Point> = points.to_vec();
        points.retain(|it| it.n_test != 0 && it.n_train != 0);
        points.sort_by_key(|it| it.n_train);
        let mut sizes: Vec<u32> = points.iter().map(|it| it.n_train).collect();
        sizes.dedup();
        if sizes.len() < 3 {
            return None;
        }
        let share = |it: &Point| f64::from(it.n_right) / f64::from(it.n_test);
        let placed = |accuracy: &mut dyn FnMut(&Point) -> f64| -> Vec<(f64, f64)> {
            points.iter().map(|it| (f64::from(it.n_train), accuracy(it))).collect()
        };
        let law = PowerLaw::of(&placed(&mut |it| share(it)));
        let mut dice = Dice::new(seed);
        // Drawn around the observed shares, one more of each kind added (Laplace), so that
        // a model without a mistake is not taken to be certain of that.
        let mut draw = |it: &Point| {
            let chance = (f64::from(it.n_right) + 1.0) / (f64::from(it.n_test) + 2.0);
            dice.share_of(it.n_test, chance)
        };
        let redrawn = (0..N_RESAMPLES).map(|_| PowerLaw::of(&placed(&mut draw))).collect();
        Some(Self { points, law, redrawn })
    }

    /// Returns the accuracy expected with `n_train` pictures and the band that 95 % of the redrawn
    /// laws lie in. The band knows of the chance in the test pictures; that the law itself may
    /// break off it cannot know.
    pub fn at(&self, n_train: f64) -> Score {
        let mut laws: Vec<f64> = self.redrawn.iter().map(|law| law.at(n_train)).collect();
        laws.sort_by(f64::total_cmp);
        let value = self.law.at(n_train);
        let interval = quantile(&laws, 0.025).zip(quantile(&laws, 0.975));
        let interval =
            interval.map(|(low, high)| Interval { low: low.min(value), high: high.max(value) });
        Score { value, interval }
    }

    /// Returns the largest number of training pictures that was tried.
    pub fn n_train_max(&self) -> u32 {
        self.points.last().map_or(0, |it| it.n_train)
    }

    /// Returns the accuracy expected with twice the most pictures tried.
    pub fn at_twice(&self) -> Score {
        self.at(2.0 * f64::from(self.n_train_max()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(law: PowerLaw, n_test: u32) -> Vec<Point> {
        let exact = |n_train: u32| {
            let n_right = (law.at(f64::from(n_train)) * f64::from(n_test)).round();
            let n_right = (0..=n_test).rfind(|n| f64::from(*n) <= n_right).unwrap();
            Point { n_train, n_right, n_test }
        };
        [25, 50, 100, 200, 400, 800].map(exact).to_vec()
    }

    #[test]
    fn a_law_is_found_again_in_its_own_points() {
        let law = PowerLaw { ceiling: 0.95, gap: 1.5, rate: 0.5 };

        let curve = LearningCurve::of(&points(law, 1_000_000), 1);

        let found = curve.as_ref().unwrap().law;
        assert!((found.ceiling - 0.95).abs() < 1e-4, "{found:?}");
        assert!((found.rate - 0.5).abs() < 1e-3 && (found.gap - 1.5).abs() < 1e-2, "{found:?}");
    }

    #[test]
    fn twice_the_pictures_lie_on_the_law_and_the_band_shrinks_with_more_test_pictures() {
        let law = PowerLaw { ceiling: 0.95, gap: 1.5, rate: 0.5 };
        let at_twice = |n_test| LearningCurve::of(&points(law, n_test), 1).unwrap().at_twice();
        let width = |score: Score| score.interval.map(|it| it.high - it.low).unwrap();

        let (few, many) = (at_twice(100), at_twice(2_500));

        assert!((many.value - law.at(1600.0)).abs() < 0.01, "{many:?}");
        assert!(width(many) < width(few) / 2.0 && width(few) < 0.3, "{few:?} {many:?}");
    }

    #[test]
    fn no_curve_promises_more_than_everything_or_falls() {
        let point = |n_train, n_right| Point { n_train, n_right, n_test: 100 };
        let steep = [point(10, 60), point(20, 80), point(40, 99), point(80, 100)];
        let falling = [point(10, 90), point(20, 80), point(40, 70)];

        let steep = LearningCurve::of(&steep, 1).unwrap();
        let falling = LearningCurve::of(&falling, 1).unwrap();

        assert!(steep.law.ceiling <= 1.0 && steep.at_twice().value <= 1.0, "{:?}", steep.law);
        assert!(falling.law.gap == 0.0, "{:?}", falling.law);
        assert!((falling.at_twice().value - 0.8).abs() < 1e-9, "{:?}", falling.law);
    }

    #[test]
    fn two_sizes_are_no_curve() {
        let point = |n_train| Point { n_train, n_right: 8, n_test: 10 };

        assert_eq!(LearningCurve::of(&[point(10), point(20), point(20)], 1), None);
        assert_eq!(LearningCurve::of(&[point(10), point(20), point(0)], 1), None);
    }
}
