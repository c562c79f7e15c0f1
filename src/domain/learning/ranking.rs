//! Test pictures in the order of their probability of one class → ROC and precision-recall curves.

use super::Answer;

/// One class against all others: the pictures from the most to the least probable.
#[derive(Clone, Debug)]
pub struct Ranking {
    ranked: Vec<Ranked>,
}

#[derive(Clone, Copy, Debug)]
struct Ranked {
    probability: f64,
    is_positive: bool,
    /// Its place among the answers.
    at: usize,
}

/// What is told apart by calling every picture from `threshold` up positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// Infinite where nothing is called positive.
    pub threshold: f64,
    pub false_positive_rate: f64,
    pub true_positive_rate: f64,
}

/// How pure and how complete the pictures from `threshold` up are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PrecisionRecallPoint {
    /// Infinite where nothing is called positive.
    pub threshold: f64,
    pub precision: f64,
    pub recall: f64,
}

/// How many pictures a threshold lets through.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    positive: f64,
    negative: f64,
    threshold: f64,
}

impl Ranking {
    /// Ranks the answers by their probability of `class`.
    pub fn one_vs_rest(answers: &[Answer], class: usize) -> Self {
        Self::of(answers.iter().map(|it| (f64::from(it.probabilities[class]), it.truth == class)))
    }

    /// Ranks pictures by a score; `true` marks those that belong to the class.
    pub fn of(scored: impl IntoIterator<Item = (f64, bool)>) -> Self {
        let ranked = scored.into_iter().enumerate();
        let mut ranked: Vec<Ranked> = ranked
            .map(|(at, (probability, is_positive))| Ranked { probability, is_positive, at })
            .collect();
        ranked.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Self { ranked }
    }

    /// Returns the ROC curve from (0, 0) to (1, 1), a point for each different probability;
    /// `None` where the class, or everything else, has no picture.
    pub fn roc(&self) -> Option<Vec<RocPoint>> {
        let steps = self.steps(|_| 1.0);
        let all = steps.last().filter(|all| 0.0 < all.positive && 0.0 < all.negative)?;
        let point = |passed: &Passed| RocPoint {
            threshold: passed.threshold,
            false_positive_rate: passed.negative / all.negative,
            true_positive_rate: passed.positive / all.positive,
        };
        Some(steps.iter().map(point).collect())
    }

    /// Returns the precision-recall curve from recall 0 (and precision 1, by convention) to
    /// recall 1, a point for each different probability; `None` where the class has no picture.
    pub fn precision_recall(&self) -> Option<Vec<PrecisionRecallPoint>> {
        let steps = self.steps(|_| 1.0);
        let all = steps.last().filter(|all| 0.0 < all.positive)?;
        let point = |passed: &Passed| PrecisionRecallPoint {
            threshold: passed.threshold,
            precision: precision(passed),
            recall: passed.positive / all.positive,
        };
        Some(steps.iter().map(point).collect())
    }

    /// Returns the area under the ROC curve: the chance that a picture of the class is ranked
    /// before one of the others, a tie counting half. `None` where there is no such pair.
    pub fn auc(&self) -> Option<f64> {
        self.auc_of(|_| 1.0)
    }

    /// Returns the average precision: the sum of the precisions, each times the recall it adds.
    /// Unlike the area under the drawn curve it is not made better by interpolation. `None` where
    /// the class has no picture.
    pub fn average_precision(&self) -> Option<f64> {
        self.average_precision_of(|_| 1.0)
    }

    /// Returns [`Ranking::auc`], the picture at a place counting as often as `times` says.
    pub(super) fn auc_of(&self, times: impl Fn(usize) -> f64) -> Option<f64> {
        let mut before = Passed::default();
        let mut area = 0.0;
        self.walk(times, |passed| {
            let added = passed.negative - before.negative;
            area += added * f64::midpoint(passed.positive, before.positive);
            before = passed;
        });
        let pairs = before.positive * before.negative;
        (0.0 < pairs).then(|| area / pairs)
    }

    /// Returns [`Ranking::average_precision`], the picture at a place counting as often as
    /// `times` says.
    pub(super) fn average_precision_of(&self, times: impl Fn(usize) -> f64) -> Option<f64> {
        let mut before = Passed::default();
        let mut sum = 0.0;
        self.walk(times, |passed| {
            sum += (passed.positive - before.positive) * precision(&passed);
            before = passed;
        });
        (0.0 < before.positive).then(|| sum / before.positive)
    }

    fn steps(&self, times: impl Fn(usize) -> f64) -> Vec<Passed> {
        let mut steps = vec![Passed { threshold: f64::INFINITY, ..Passed::default() }];
        self.walk(times, |passed| steps.push(passed));
        steps
    }

    /// Lowers the threshold; equal probabilities pass together.
    fn walk(&self, times: impl Fn(usize) -> f64, mut each: impl FnMut(Passed)) {
        let mut passed = Passed::default();
        for ties in self.ranked.chunk_by(|a, b| a.probability.total_cmp(&b.probability).is_eq()) {
            for it in ties {
                if it.is_positive {
                    passed.positive += times(it.at);
                } else {
                    passed.negative += times(it.at);
                }
                passed.threshold = it.probability;
            }
            each(passed);
        }
    }
}

fn precision(passed: &Passed) -> f64 {
    let all = passed.positive + passed.negative;
    if 0.0 < all { passed.positive / all } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of scikit-learn's manual.
    fn four() -> Ranking {
        Ranking::of([(0.1, false), (0.4, false), (0.35, true), (0.8, true)])
    }

    #[test]
    fn curves_go_from_nothing_to_everything() {
        let roc: Vec<[f64; 2]> = four().roc().unwrap().iter().map(rates).collect();
        assert_eq!(roc, [[0.0, 0.0], [0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [1.0, 1.0]]);

        let curve = four().precision_recall().unwrap();
        let points: Vec<[f64; 2]> = curve.iter().map(|it| [it.recall, it.precision]).collect();
        let two_thirds = 2.0 / 3.0;
        assert_eq!(points, [[0.0, 1.0], [0.5, 1.0], [0.5, 0.5], [1.0, two_thirds], [1.0, 0.5]]);
    }

    fn rates(point: &RocPoint) -> [f64; 2] {
        [point.false_positive_rate, point.true_positive_rate]
    }

    #[test]
    fn equal_probabilities_are_one_step_and_count_half() {
        let tied = Ranking::of([(0.5, true), (0.5, false), (0.5, true), (0.5, false)]);

        assert_eq!(tied.auc(), Some(0.5));
        assert_eq!(tied.average_precision(), Some(0.5));
        assert_eq!(tied.roc().unwrap().len(), 2);
    }

    #[test]
    fn a_class_without_pictures_has_no_curve() {
        let nobody = Ranking::of([(0.1, false), (0.4, false)]);
        let everybody = Ranking::of([(0.1, true), (0.4, true)]);
        let empty = Ranking::of([]);

        assert_eq!((nobody.roc(), nobody.precision_recall()), (None, None));
        assert_eq!((nobody.auc(), nobody.average_precision()), (None, None));
        assert_eq!((everybody.auc(), everybody.average_precision()), (None, Some(1.0)));
        assert_eq!((empty.auc(), empty.average_precision()), (None, None));
    }

    #[test]
    fn a_picture_drawn_twice_counts_twice() {
        let twice = four().auc_of(|at| if at == 1 { 2.0 } else { 1.0 });
        let written_out =
            Ranking::of([(0.1, false), (0.4, false), (0.4, false), (0.35, true), (0.8, true)]);

        assert_eq!(twice, written_out.auc());
    }
}
