//! Validation answers → how sure a model may claim to be, and below what it had better say
//! "none of these".

use serde::{Deserialize, Serialize};

use super::{Answer, count, float};

/// With fewer validation pictures a temperature says more of them than of the network.
const PICTURES_MIN: usize = 10;

/// What 1 / temperature may be; the best one is at an end where all answers, or none, are right.
const INVERSE: (f64, f64) = (0.05, 20.0);

/// What a network said of one picture of known class, before softmax.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits {
    pub truth: usize,
    /// One per class; only their differences matter.
    pub values: Vec<f64>,
}

/// What logits are divided by before softmax, so that probabilities mean what they say.
///
/// Above 1 the network was too sure, below 1 not sure enough. The order of the classes stays, so
/// no answer changes. Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural
/// Networks", ICML 2017.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// Between 0.05 and 20.
    pub value: f64,
    /// Mean cross-entropy of the validation pictures in nats, as it was and as it became.
    pub loss_before: f64,
    pub loss_after: f64,
    pub n_pictures: u32,
}

/// How probable the best class must be for its answer to be given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// An answer less probable than this is "none of these".
    pub value: f64,
    /// The share of right answers it was asked to keep.
    pub share: f64,
    /// The share of the right validation answers it keeps.
    pub kept_right: f64,
    /// The share of the wrong validation answers it keeps; `None` where none was wrong.
    pub kept_wrong: Option<f64>,
    pub n_pictures: u32,
}

/// What the validation pictures teach about a model's certainty.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    pub temperature: Temperature,
    /// `None` where the right answers are too few to promise anything.
    pub threshold: Option<Threshold>,
}

impl Logits {
    /// Takes the logits back from probabilities, but for a constant that does not matter.
    pub fn of(answer: &Answer) -> Self {
        let log = |it: &f32| f64::from(it.max(f32::MIN_POSITIVE)).ln();
        Self { truth: answer.truth, values: answer.probabilities.iter().map(log).collect() }
    }
}

impl Calibration {
    /// Fits temperature and threshold; `share` of the right answers are to be kept. `None` where
    /// there are fewer than 10 validation pictures.
    pub fn of(validation: &[Logits], share: f64) -> Option<Self> {
        let temperature = Temperature::of(validation)?;
        let answers = validation.iter().map(|it| {
            let probabilities = softmax(&it.values, 1.0 / temperature.value);
            let best = first_of_largest(&probabilities);
            (probabilities.get(best).copied().unwrap_or(0.0), best == it.truth)
        });
        Some(Self { temperature, threshold: Threshold::of(answers, share) })
    }
}

impl Temperature {
    /// Finds the temperature of least cross-entropy; `None` for fewer than 10 pictures.
    ///
    /// Cross-entropy is convex in 1 / temperature, so its slope has one root: it is bracketed and
    /// found by Newton's steps, halving the bracket where a step would leave it.
    pub fn of(validation: &[Logits]) -> Option<Self> {
        if validation.len() < PICTURES_MIN {
            return None;
        }
        let inverse = least(|inverse| slope(validation, inverse), INVERSE);
        Some(Self {
            value: 1.0 / inverse,
            loss_before: loss(validation, 1.0),
            loss_after: loss(validation, inverse),
            n_pictures: count(validation.len()),
        })
    }

    /// Returns the calibrated probabilities; those given sum to 1, and so do those returned.
    pub fn apply(&self, probabilities: &[f32]) -> Vec<f32> {
        let logs: Vec<f64> = probabilities.iter().map(|it| f64::from(*it).ln()).collect();
        softmax(&logs, 1.0 / self.value).into_iter().map(narrow).collect()
    }

    /// Tells whether the best temperature lies beyond what is sensible: the validation pictures
    /// were too easy, or the network has learned nothing, so the probabilities remain a guess.
    pub fn is_at_limit(&self) -> bool {
        let inverse = 1.0 / self.value;
        inverse <= INVERSE.0 * (1.0 + 1e-9) || INVERSE.1 * (1.0 - 1e-9) <= inverse
    }
}

impl Threshold {
    /// Chooses the largest threshold that keeps `share` of the right answers, also of pictures
    /// yet unseen; `answers` are the largest probability and whether the class was right.
    ///
    /// Of m right answers the k-th least sure is taken, k = floor((m + 1)(1 - share)): split
    /// conformal prediction (Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World",
    /// 2005), by which a right answer to a picture like these is kept with a chance of at least
    /// `share`. `None` where k is 0: to keep 95 % takes 19 right answers. So there is none where
    /// all answers are wrong.
    pub fn of(answers: impl IntoIterator<Item = (f64, bool)>, share: f64) -> Option<Self> {
        let (right, wrong): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|(_, is_right)| *is_right);
        let mut sure: Vec<f64> = right.iter().map(|(probability, _)| *probability).collect();
        sure.sort_by(f64::total_cmp);
        // (m + 1)(1 - share) may be a whole number that a float misses by a hair.
        let wanted = float(sure.len() + 1) * (1.0 - share) + 1e-9;
        let at = (0..sure.len()).take_while(|at| float(at + 1) <= wanted).last()?;
        let value = *sure.get(at)?;
        let kept = |of: &[(f64, bool)]| {
            let n_kept = of.iter().filter(|(probability, _)| value <= *probability).count();
            (!of.is_empty()).then(|| float(n_kept) / float(of.len()))
        };
        Some(Self {
            value,
            share,
            kept_right: kept(&right)?,
            kept_wrong: kept(&wrong),
            n_pictures: count(right.len() + wrong.len()),
        })
    }

    /// Tells whether the class with the largest of these calibrated probabilities may be named.
    pub fn allows(&self, probabilities: &[f32]) -> bool {
        probabilities.iter().any(|it| self.value <= f64::from(*it))
    }
}

/// Returns the probabilities of `logits`, each times `inverse` first.
fn softmax(logits: &[f64], inverse: f64) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|it| ((it - largest) * inverse).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|it| it / sum).collect()
}

fn first_of_largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if values[best] < *value {
            best = at;
        }
    }
    best
}

/// Mean cross-entropy in nats.
fn loss(pictures: &[Logits], inverse: f64) -> f64 {
    let of_one = |picture: &Logits| {
        let largest = picture.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = picture.values.iter().map(|it| ((it - largest) * inverse).exp()).sum();
        sum.ln() - (picture.values[picture.truth] - largest) * inverse
    };
    pictures.iter().map(of_one).sum::<f64>() / float(pictures.len())
}

/// First and second derivative of [`loss`] with respect to `inverse`: the mean logit less that of
/// the truth, and the variance of the logits.
fn slope(pictures: &[Logits], inverse: f64) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for picture in pictures {
        let probabilities = softmax(&picture.values, inverse);
        let weighted = || picture.values.iter().zip(&probabilities);
        let mean: f64 = weighted().map(|(logit, probability)| logit * probability).sum();
        first += mean - picture.values[picture.truth];
        second += weighted().map(|(logit, share)| share * (logit - mean).powi(2)).sum::<f64>();
    }
    (first / float(pictures.len()), second / float(pictures.len()))
}

/// Finds where a rising slope is 0, or the end of the range nearest to it.
fn least(slope: impl Fn(f64) -> (f64, f64), (mut low, mut high): (f64, f64)) -> f64 {
    if 0.0 <= slope(low).0 {
        return low;
    }
    if slope(high).0 <= 0.0 {
        return high;
    }
    let mut at = 1.0;
    for _ in 0..200 {
        let (first, second) = slope(at);
        if first < 0.0 {
            low = at;
        } else {
            high = at;
        }
        let step = at - first / second;
        let next = if low < step && step < high { step } else { f64::midpoint(low, high) };
        if (next - at).abs() <= 1e-15 * at || first == 0.0 {
            break;
        }
        at = next;
    }
    at
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are plenty for a probability")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests;
