//! Whether a model is right as often as it claims to be.

use super::{Answer, count, interval::Score};

/// How many bins a reliability diagram has.
pub const N_BINS: usize = 15;

/// The answers sorted by how sure the model was, in 15 bins of equal width.
///
/// Bin m of M holds the answers whose largest probability lies in ((m - 1)/M, m/M].
/// Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    pub bins: Vec<Bin>,
}

/// The answers of one range of probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Exclusive, but for the first bin.
    pub low: f64,
    /// Inclusive.
    pub high: f64,
    pub n_right: u32,
    pub n_wrong: u32,
    /// The mean of the largest probabilities; `None` where the bin is empty.
    pub confidence: Option<f64>,
    /// The share of right answers; `None` where the bin is empty.
    pub accuracy: Option<Score>,
}

impl Reliability {
    pub fn of(answers: &[Answer]) -> Self {
        let mut sums = [(0.0, 0_u32, 0_u32); N_BINS];
        for answer in answers {
            let (sum, n_right, n_wrong) = &mut sums[bin(answer.confidence())];
            *sum += answer.confidence();
            *(if answer.is_right() { n_right } else { n_wrong }) += 1;
        }
        let bins = sums.into_iter().enumerate().map(|(at, (sum, n_right, n_wrong))| {
            let n = n_right + n_wrong;
            Bin {
                low: edge(at),
                high: edge(at + 1),
                n_right,
                n_wrong,
                confidence: (n != 0).then(|| sum / f64::from(n)),
                accuracy: Score::of_share(n_right, n),
            }
        });
        Self { bins: bins.collect() }
    }

    /// Returns the expected calibration error: how far confidence and accuracy are apart on
    /// average, a bin counting as much as it has answers. `None` without answers.
    pub fn expected_calibration_error(&self) -> Option<f64> {
        let n: u32 = self.bins.iter().map(|bin| bin.n_right + bin.n_wrong).sum();
        let gap = |bin: &Bin| {
            let (confidence, accuracy) = (bin.confidence?, bin.accuracy?.value);
            Some(f64::from(bin.n_right + bin.n_wrong) * (confidence - accuracy).abs())
        };
        (n != 0).then(|| self.bins.iter().filter_map(gap).sum::<f64>() / f64::from(n))
    }
}

/// The answers reduced to what the calibration error of a resample needs.
#[derive(Debug)]
pub(super) struct Binned(Vec<(usize, f64)>);

impl Binned {
    pub(super) fn of(answers: &[Answer]) -> Self {
        // What a picture adds to its bin: confidence minus one if right.
        let gap = |it: &Answer| it.confidence() - if it.is_right() { 1.0 } else { 0.0 };
        Self(answers.iter().map(|it| (bin(it.confidence()), gap(it))).collect())
    }

    /// Returns the expected calibration error, each answer counting as often as `times` says.
    pub(super) fn error(&self, times: &[u32]) -> Option<f64> {
        let mut gaps = [0.0; N_BINS];
        for ((bin, gap), times) in self.0.iter().zip(times) {
            gaps[*bin] += gap * f64::from(*times);
        }
        let n: u32 = times.iter().sum();
        (n != 0).then(|| gaps.iter().map(|gap| gap.abs()).sum::<f64>() / f64::from(n))
    }
}

/// How sure the model was of its right and of its wrong answers.
///
/// Returns the counts in `n_bins` bins of equal width from 0 to 1, of right and of wrong answers.
pub fn confidence_histogram(answers: &[Answer], n_bins: usize) -> Vec<[u32; 2]> {
    let mut bins = vec![[0; 2]; n_bins.max(1)];
    let width = 1.0 / super::float(bins.len());
    for answer in answers {
        let confidence = answer.confidence();
        let last = bins.len() - 1;
        let at = (1..=last).take_while(|at| super::float(*at) * width < confidence).last();
        bins[at.unwrap_or(0)][usize::from(!answer.is_right())] += 1;
    }
    bins
}

fn edge(at: usize) -> f64 {
    f64::from(count(at)) / f64::from(count(N_BINS))
}

fn bin(confidence: f64) -> usize {
    (1..N_BINS).take_while(|at| edge(*at) < confidence).last().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::BlobId;

    fn answer(truth: usize, sure: f32) -> Answer {
        Answer { blob: BlobId::of(b"x"), truth, probabilities: vec![sure, 1.0 - sure] }
    }

    #[test]
    fn an_edge_belongs_to_the_bin_below_it() {
        assert_eq!([0.0, 0.2, 0.200_001, 1.0].map(bin), [0, 2, 3, 14]);
    }

    #[test]
    fn a_model_that_claims_too_much_is_off_by_what_it_claims_too_much() {
        let answers = [answer(0, 0.75), answer(1, 0.75), answer(1, 0.75), answer(0, 0.75)];

        let reliability = Reliability::of(&answers);

        let error = reliability.expected_calibration_error().unwrap();
        assert!((error - 0.25).abs() < 1e-12, "{error}");
        assert_eq!(Binned::of(&answers).error(&[1; 4]), Some(error));
        let bin = reliability.bins[11];
        assert_eq!((bin.n_right, bin.n_wrong, bin.confidence), (2, 2, Some(0.75)));
        assert_eq!(Reliability::of(&[]).expected_calibration_error(), None);
    }

    #[test]
    fn a_histogram_keeps_right_and_wrong_apart() {
        let answers = [answer(0, 0.9), answer(1, 0.9), answer(0, 0.6), answer(0, 1.0)];

        assert_eq!(confidence_histogram(&answers, 4), [[0, 0], [0, 0], [1, 0], [2, 1]]);
    }
}
