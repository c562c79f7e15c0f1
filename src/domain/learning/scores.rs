//! Answers → every figure a classifier is judged by, each with how far it may be off.
//!
//! Shares (accuracy, precision, recall, top-k) carry Wilson's interval; the rest a percentile
//! bootstrap of 1,000 stratified resamples (mirrored for the calibration error). Classes without test pictures enter no average.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{
    Answer, count, float,
    interval::Score,
    ranking::Ranking,
    reliability::Binned,
    resample::{Strata, once},
};

/// Top-k accuracies that are told where there are more than k classes.
const TOP: [usize; 2] = [3, 5];

/// How well a network does on pictures it has never seen, with 95 % confidence intervals.
///
/// `None` means that there is no such figure: nothing was predicted, or nothing was there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    pub n_pictures: u32,
    pub accuracy: Option<Score>,
    /// The mean recall of the classes that have test pictures.
    pub balanced_accuracy: Option<Score>,
    /// Each class that has test pictures counts the same.
    pub macro_average: Average,
    /// Each class counts as much as it has test pictures.
    pub weighted_average: Average,
    /// The mean of the classes' areas under the ROC curve, one against the rest; `None` where a
    /// class has no test picture.
    pub macro_auc: Option<Score>,
    /// The mean of the classes' average precisions; `None` where a class has no test picture.
    pub macro_average_precision: Option<Score>,
    /// Mean cross-entropy in nats. A probability of 0 counts as the least normal `f32`.
    pub log_loss: Option<f64>,
    /// Mean squared distance of the probabilities from the truth: from 0 to 1 with two classes,
    /// where it is halved as is usual, and from 0 to 2 with more.
    pub brier: Option<f64>,
    /// How far claimed certainty and accuracy are apart on average, in 15 bins. Chance only makes it
    /// larger, the more the fewer the pictures, so its interval is mirrored and may begin at 0.
    pub calibration_error: Option<Score>,
    /// How often the truth is among the k most probable classes.
    pub top: Vec<TopK>,
    pub classes: Vec<ClassScores>,
    /// The classes without test pictures, of which nobody knows how well they are told.
    pub absent: Vec<usize>,
}

/// Precision, recall and F1 over all classes; a class nobody predicted has precision 0 here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Average {
    pub precision: Option<Score>,
    pub recall: Option<Score>,
    pub f1: Option<Score>,
}

/// The scores of one class against all others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScores {
    /// How many test pictures are of this class.
    pub support: u32,
    pub precision: Option<Score>,
    pub recall: Option<Score>,
    pub f1: Option<Score>,
    pub auc: Option<Score>,
    pub average_precision: Option<Score>,
}

/// How often the truth is among the `k` most probable classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopK {
    pub k: usize,
    pub accuracy: Score,
}

impl Scores {
    /// Scores `answers` over `n_classes` classes; truths and probabilities must be of them.
    /// Equal seeds give equal intervals.
    pub fn of(answers: &[Answer], n_classes: usize, seed: u64) -> Self {
        let panel = Panel::of(answers, n_classes);
        let strata = Strata::of(answers.iter().map(|it| it.truth), n_classes);
        let resampled = strata.resample(seed, |times| panel.figures(times));
        let confusion = panel.confusion(&once(answers.len()));
        let support = |class: usize| confusion[class].iter().sum::<u32>();

        let mut columns = panel.figures(&once(answers.len())).into_iter().enumerate();
        let mut column = || {
            let (at, value) = columns.next()?;
            Some((value?, resampled.iter().map(|row| row[at]).collect::<Vec<_>>()))
        };
        let calibration_error = column().map(|(value, it)| Score::of_mirrored(value, &it));
        let mut next = || column().map(|(value, it)| Score::of_resampled(value, &it));
        // In the order in which `Panel::figures` tells them.
        let balanced_accuracy = next();
        let mut average = || Average { precision: next(), recall: next(), f1: next() };
        let (macro_average, weighted_average) = (average(), average());
        let (macro_auc, macro_average_precision) = (next(), next());
        let mut class = |class: usize| {
            let n_said = confusion.iter().map(|row| row[class]).sum();
            let n_right = confusion[class][class];
            ClassScores {
                support: support(class),
                precision: Score::of_share(n_right, n_said),
                recall: Score::of_share(n_right, support(class)),
                f1: next(),
                auc: next(),
                average_precision: next(),
            }
        };
        let classes = (0..n_classes).map(&mut class).collect();
        let n_right = count(answers.iter().filter(|it| it.is_right()).count());
        let top = TOP.into_iter().filter(|k| *k < n_classes);
        Self {
            n_pictures: count(answers.len()),
            accuracy: Score::of_share(n_right, count(answers.len())),
            balanced_accuracy,
            macro_average,
            weighted_average,
            macro_auc,
            macro_average_precision,
            log_loss: mean(answers, |it| -it.probability_of_truth().ln()),
            brier: mean(answers, brier),
            calibration_error,
            top: top
                .filter_map(|k| Some(TopK { k, accuracy: top_k_accuracy(answers, k)? }))
                .collect(),
            classes,
            absent: (0..n_classes).filter(|it| support(*it) == 0).collect(),
        }
    }
}

/// Returns how often the truth is among the `k` most probable classes; of equally probable
/// classes the first are taken. `None` without answers.
pub fn top_k_accuracy(answers: &[Answer], k: usize) -> Option<Score> {
    let is_within = |answer: &&Answer| {
        let truth = answer.probabilities[answer.truth];
        let is_before = |(class, it): &(usize, &f32)| match truth.total_cmp(it) {
            Ordering::Less => true,
            Ordering::Equal => *class < answer.truth,
            Ordering::Greater => false,
        };
        answer.probabilities.iter().enumerate().filter(is_before).count() < k
    };
    Score::of_share(count(answers.iter().filter(is_within).count()), count(answers.len()))
}

/// Squared distance from the truth; with two classes both say the same, so it is halved.
fn brier(answer: &Answer) -> f64 {
    let squared = answer.probabilities.iter().enumerate().map(|(class, probability)| {
        let wanted = if class == answer.truth { 1.0 } else { 0.0 };
        (f64::from(*probability) - wanted).powi(2)
    });
    squared.sum::<f64>() / if answer.probabilities.len() == 2 { 2.0 } else { 1.0 }
}

fn mean(answers: &[Answer], of: impl Fn(&Answer) -> f64) -> Option<f64> {
    (!answers.is_empty()).then(|| answers.iter().map(of).sum::<f64>() / float(answers.len()))
}

/// The answers, laid out so that a resample is measured quickly.
struct Panel {
    n_classes: usize,
    /// Truth and prediction of each picture.
    said: Vec<(usize, usize)>,
    rankings: Vec<Ranking>,
    binned: Binned,
}

/// Precision, recall, F1 and support of a class in a resample.
struct Counted {
    precision: f64,
    recall: f64,
    f1: Option<f64>,
    support: f64,
}

impl Panel {
    fn of(answers: &[Answer], n_classes: usize) -> Self {
        Self {
            n_classes,
            said: answers.iter().map(|it| (it.truth, it.predicted())).collect(),
            rankings: (0..n_classes).map(|class| Ranking::one_vs_rest(answers, class)).collect(),
            binned: Binned::of(answers),
        }
    }

    fn confusion(&self, times: &[u32]) -> Vec<Vec<u32>> {
        let mut confusion = vec![vec![0; self.n_classes]; self.n_classes];
        for ((truth, said), times) in self.said.iter().zip(times) {
            confusion[*truth][*said] += times;
        }
        confusion
    }

    /// Returns all figures of a resample, one after the other: the calibration error; balanced
    /// accuracy; macro precision, recall and F1; the same weighted; macro AUC and average
    /// precision; then F1, AUC and average precision of each class.
    fn figures(&self, times: &[u32]) -> Vec<Option<f64>> {
        let confusion = self.confusion(times);
        let counted: Vec<Counted> =
            (0..self.n_classes).map(|class| Counted::of(&confusion, class)).collect();
        let weight = |at: usize| f64::from(times[at]);
        let curves: Vec<[Option<f64>; 2]> = self
            .rankings
            .iter()
            .map(|it| [it.auc_of(weight), it.average_precision_of(weight)])
            .collect();
        let same = |of: fn(&Counted) -> f64| {
            let is_there = |it: &&Counted| 0.0 < it.support;
            weighted_mean(counted.iter().filter(is_there).map(|it| (of(it), 1.0)))
        };
        let weighted =
            |of: fn(&Counted) -> f64| weighted_mean(counted.iter().map(|it| (of(it), it.support)));
        let f1 = |it: &Counted| it.f1.unwrap_or(0.0);
        let all = |which: usize| {
            let each: Option<Vec<(f64, f64)>> =
                curves.iter().map(|it| it[which].map(|value| (value, 1.0))).collect();
            weighted_mean(each?.into_iter())
        };
        let mut figures = vec![
            self.binned.error(times),
            same(|it| it.recall),
            same(|it| it.precision),
            same(|it| it.recall),
            same(f1),
            weighted(|it| it.precision),
            weighted(|it| it.recall),
            weighted(f1),
            all(0),
            all(1),
        ];
        for (counted, [auc, average_precision]) in counted.iter().zip(curves) {
            figures.extend([counted.f1, auc, average_precision]);
        }
        figures
    }
}

impl Counted {
    fn of(confusion: &[Vec<u32>], class: usize) -> Self {
        let right = f64::from(confusion[class][class]);
        let support = f64::from(confusion[class].iter().sum::<u32>());
        let said = f64::from(confusion.iter().map(|row| row[class]).sum::<u32>());
        let ratio = |whole: f64| if 0.0 < whole { right / whole } else { 0.0 };
        Self {
            precision: ratio(said),
            recall: ratio(support),
            f1: (0.0 < support + said).then(|| 2.0 * right / (support + said)),
            support,
        }
    }
}

fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, whole) = values
        .fold((0.0, 0.0), |(sum, whole), (value, weight)| (sum + value * weight, whole + weight));
    (0.0 < whole).then(|| sum / whole)
}

#[cfg(test)]
mod tests;
