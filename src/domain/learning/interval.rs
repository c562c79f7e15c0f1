//! How far a figure may be off because the test pictures are few.

use serde::{Deserialize, Serialize};

/// The 97.5 % point of the normal distribution: what bounds 95 % on both sides.
const Z: f64 = 1.959_963_984_540_054;

/// What resampling draws from, so that the figures of a run are the same wherever they are shown.
pub const RESAMPLING_SEED: u64 = 1;

/// Between what a figure lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// A figure and its 95 % confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub value: f64,
    /// `None` where the pictures are too few, or too equal, to tell.
    pub interval: Option<Interval>,
}

impl Score {
    /// Returns the share `part / whole` with Wilson's interval, `None` of nothing.
    ///
    /// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical
    /// inference", JASA 22 (1927). Unlike the textbook interval it stays within 0 and 1 and has a
    /// width when all answers are right.
    pub fn of_share(part: u32, whole: u32) -> Option<Self> {
        (whole != 0).then(|| Self::of_portion(f64::from(part) / f64::from(whole), whole))
    }

    /// Returns a share of `whole`, which is not 0, with Wilson's interval, also where no whole
    /// part makes that share.
    pub(in crate::domain) fn of_portion(share: f64, whole: u32) -> Self {
        let n = f64::from(whole);
        let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let spread = (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let reach = Z / (1.0 + Z * Z / n) * spread;
        let low = if share <= 0.0 { 0.0 } else { middle - reach };
        let high = if 1.0 <= share { 1.0 } else { middle + reach };
        Self { value: share, interval: Some(Interval { low, high }) }
    }

    /// Returns `value` with the interval that 95 % of the `resampled` figures lie in.
    ///
    /// There is no interval where a resample had no figure, or where all were equal: a model
    /// that made no mistake on 30 pictures is not certain to make none on others.
    pub(super) fn of_resampled(value: f64, resampled: &[Option<f64>]) -> Self {
        Self { value, interval: middle_of(resampled) }
    }

    /// Returns `value`, which is 0 or more, with an interval for figures that chance only makes
    /// larger, such as a calibration error.
    ///
    /// What a resample is above `value`, that `value` is above the truth: the interval is that of
    /// the resamples, mirrored at `value` (the basic bootstrap: Davison, Hinkley, "Bootstrap
    /// Methods and their Application", 1997, section 5.2). It holds `value` itself in any case.
    pub(super) fn of_mirrored(value: f64, resampled: &[Option<f64>]) -> Self {
        let mirrored = middle_of(resampled).map(|it| Interval {
            low: (2.0 * value - it.high).clamp(0.0, value),
            high: (2.0 * value - it.low).max(value),
        });
        Self { value, interval: mirrored }
    }
}

fn middle_of(resampled: &[Option<f64>]) -> Option<Interval> {
    let mut figures: Vec<f64> = resampled.iter().copied().collect::<Option<_>>()?;
    figures.sort_by(f64::total_cmp);
    let (first, last) = (figures.first()?, figures.last()?);
    if last - first < 1e-12 {
        return None;
    }
    Some(Interval { low: quantile(&figures, 0.025)?, high: quantile(&figures, 0.975)? })
}

/// Returns a quantile of ascending numbers, interpolated linearly; `None` of nothing.
pub(super) fn quantile(ascending: &[f64], share: f64) -> Option<f64> {
    let last = ascending.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * super::float(last);
    let below = (0..=last).take_while(|at| super::float(*at) <= place).last()?;
    let low = ascending.get(below)?;
    let high = ascending.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * (place - super::float(below)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_is_that_of_statsmodels() {
        // proportion_confint(count, nobs, 0.05, "wilson") of statsmodels 0.15.0
        let known = [
            (79, 100, 0.700_200_311_659_101_3, 0.858_343_459_380_847),
            (197, 200, 0.956_834_271_207_309_7, 0.994_885_762_206_741_7),
            (1, 3, 0.061_491_944_720_396_26, 0.792_340_399_197_952_3),
        ];
        for (part, whole, low, high) in known {
            let found = Score::of_share(part, whole).unwrap().interval.unwrap();
            assert!(
                (found.low - low).abs() < 1e-9 && (found.high - high).abs() < 1e-9,
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_share_of_none_or_all_still_has_a_width() {
        let none = Score::of_share(0, 20).unwrap().interval.unwrap();
        let all = Score::of_share(20, 20).unwrap().interval.unwrap();

        assert!(none.low <= 0.0 && 0.1 < none.high, "{none:?}");
        assert!(1.0 <= all.high && all.low < 0.9, "{all:?}");
        assert_eq!(Score::of_share(0, 0), None);
    }

    #[test]
    fn quantiles_are_interpolated() {
        let numbers = [1.0, 2.0, 4.0, 8.0];

        let found = [0.0, 0.5, 0.75, 1.0].map(|share| quantile(&numbers, share));

        assert_eq!(found, [Some(1.0), Some(3.0), Some(5.0), Some(8.0)]);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn an_interval_that_leans_up_is_mirrored() {
        let resampled: Vec<Option<f64>> = (0..=100).map(|n| Some(f64::from(n) / 1000.0)).collect();

        let mirrored = Score::of_mirrored(0.06, &resampled).interval.unwrap();
        let leaning = Score::of_mirrored(0.001, &resampled).interval.unwrap();

        assert!((mirrored.low - 0.0225).abs() < 1e-12, "{mirrored:?}");
        assert!((mirrored.high - 0.1175).abs() < 1e-12, "{mirrored:?}");
        assert_eq!(leaning, Interval { low: 0.0, high: 0.001 });
    }

    #[test]
    fn equal_figures_and_missing_figures_have_no_interval() {
        assert_eq!(Score::of_resampled(1.0, &[Some(1.0); 9]).interval, None);
        assert_eq!(Score::of_resampled(1.0, &[Some(1.0), None, Some(0.5)]).interval, None);
    }
}
