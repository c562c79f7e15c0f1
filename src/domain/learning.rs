//! What training and evaluation tell, apart from any network library.

use serde::{Deserialize, Serialize};

use super::id::BlobId;

pub mod calibration;
pub mod growth;
pub mod interval;
pub mod paired;
pub mod ranking;
pub mod reliability;
pub mod scores;
pub mod suspects;

mod resample;

/// One pass over the training pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1; 0 is the network before training.
    pub number: u32,
    /// Mean cross-entropy in nats.
    pub train_loss: f64,
    pub train_accuracy: f64,
    pub val_loss: f64,
    pub val_accuracy: f64,
    /// The mean recall of the classes that have validation pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_balanced_accuracy: Option<f64>,
    /// The mean F1 of the classes that have validation pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_f1: Option<f64>,
    /// The mean area under the ROC curves of the classes, one against the rest; `None` where a
    /// class has no validation picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_auc: Option<f64>,
    /// The learning rate of its last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
}

/// What a network said of one picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub blob: BlobId,
    /// Class numbers, in the order of the model's classes.
    pub truth: usize,
    /// One probability per class; they sum to 1.
    pub probabilities: Vec<f32>,
}

/// How many mistakes of a model are shown to people.
pub const MISTAKES_SHOWN: usize = 24;

/// Returns the wrong answers, the most certain first, of equally certain ones the smaller blob.
pub fn mistakes(answers: &[Answer]) -> Vec<&Answer> {
    let mut wrong: Vec<&Answer> = answers.iter().filter(|it| !it.is_right()).collect();
    wrong.sort_by(|a, b| {
        b.confidence().total_cmp(&a.confidence()).then_with(|| a.blob.cmp(&b.blob))
    });
    wrong
}

/// How well a network does on pictures it has never seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Rows are true classes, columns predicted ones.
    pub confusion: Vec<Vec<u32>>,
    pub accuracy: f64,
    /// Mean cross-entropy in nats.
    pub loss: f64,
    pub classes: Vec<ClassScore>,
}

/// Scores of one class; `None` where nothing was predicted or nothing was there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassScore {
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    pub support: u32,
}

impl Answer {
    /// Returns the most probable class; the first of equals.
    pub fn predicted(&self) -> usize {
        let mut best = 0;
        for (class, probability) in self.probabilities.iter().enumerate() {
            if self.probabilities[best] < *probability {
                best = class;
            }
        }
        best
    }

    /// Tells whether the most probable class is the true one.
    pub fn is_right(&self) -> bool {
        self.predicted() == self.truth
    }

    /// Returns the probability of the true class; what is 0 is taken for the least normal `f32`,
    /// so that its logarithm exists.
    fn probability_of_truth(&self) -> f64 {
        f64::from(self.probabilities[self.truth].max(f32::MIN_POSITIVE))
    }

    /// Returns the probability of the most probable class; 0 where there is no class.
    pub fn confidence(&self) -> f64 {
        self.probabilities.get(self.predicted()).map_or(0.0, |it| f64::from(*it))
    }
}

impl Evaluation {
    /// Scores `answers` over `n_classes` classes.
    pub fn of(answers: &[Answer], n_classes: usize) -> Self {
        let mut confusion = vec![vec![0_u32; n_classes]; n_classes];
        let mut loss = 0.0;
        for answer in answers {
            confusion[answer.truth][answer.predicted()] += 1;
            loss -= answer.probability_of_truth().ln();
        }
        let n_right: u32 = (0..n_classes).map(|class| confusion[class][class]).sum();
        let n = count(answers.len());
        let classes = (0..n_classes).map(|class| ClassScore::of(&confusion, class)).collect();
        Self {
            accuracy: ratio(n_right, n).unwrap_or(0.0),
            loss: if n == 0 { 0.0 } else { loss / f64::from(n) },
            classes,
            confusion,
        }
    }

    /// Returns the unweighted mean F1 of the classes that have test pictures; 0 where none has.
    pub fn macro_f1(&self) -> f64 {
        let present: Vec<&ClassScore> = self.classes.iter().filter(|it| it.support != 0).collect();
        let sum: f64 = present.iter().map(|class| class.f1.unwrap_or(0.0)).sum();
        if present.is_empty() { 0.0 } else { sum / float(present.len()) }
    }
}

impl ClassScore {
    fn of(confusion: &[Vec<u32>], class: usize) -> Self {
        let right = confusion[class][class];
        let support: u32 = confusion[class].iter().sum();
        let predicted: u32 = confusion.iter().map(|row| row[class]).sum();
        Self {
            precision: ratio(right, predicted),
            recall: ratio(right, support),
            f1: ratio(2 * right, support + predicted),
            support,
        }
    }
}

fn ratio(part: u32, whole: u32) -> Option<f64> {
    (whole != 0).then(|| f64::from(part) / f64::from(whole))
}

#[expect(clippy::cast_precision_loss, reason = "counts of pictures are far below 2^52")]
fn float(n: usize) -> f64 {
    n as f64
}

fn count(n: usize) -> u32 {
    u32::try_from(n).expect("a split has fewer than 2^32 pictures")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(truth: usize, probabilities: [f32; 2]) -> Answer {
        Answer { blob: BlobId::of(b"x"), truth, probabilities: probabilities.to_vec() }
    }

    #[test]
    fn an_evaluation_counts_rows_as_truth() {
        let answers = [
            answer(0, [0.9, 0.1]),
            answer(0, [0.2, 0.8]),
            answer(1, [0.1, 0.9]),
            answer(1, [0.4, 0.6]),
        ];

        let evaluation = Evaluation::of(&answers, 2);

        assert_eq!(evaluation.confusion, vec![vec![1, 1], vec![0, 2]]);
        assert!((evaluation.accuracy - 0.75).abs() < 1e-12);
        let score = evaluation.classes[1];
        assert_eq!((score.precision, score.recall, score.support), (Some(2.0 / 3.0), Some(1.0), 2));
        assert_eq!(score.f1, Some(0.8));
    }

    #[test]
    fn a_class_without_test_pictures_does_not_lower_the_macro_f1() {
        let evaluation = Evaluation::of(&[answer(0, [0.9, 0.1]), answer(0, [0.8, 0.2])], 2);

        assert!((evaluation.macro_f1() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_class_nobody_predicted_has_no_precision() {
        let evaluation = Evaluation::of(&[answer(0, [0.9, 0.1])], 2);
        let nobody = ClassScore { precision: None, recall: None, f1: None, support: 0 };
        assert_eq!(evaluation.classes[1], nobody);
    }
}
