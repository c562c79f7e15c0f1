//! What validation pictures say of a network besides loss and accuracy.

use crate::domain::{
    id::BlobId,
    learning::{Answer, Evaluation, ranking::Ranking},
};

/// Figures in which every class counts the same, whatever its number of pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// The mean recall of the classes that have pictures.
    pub(super) balanced_accuracy: Option<f64>,
    /// The mean F1 of the classes that have pictures.
    pub(super) f1: Option<f64>,
    /// The mean area under the ROC curves; `None` where a class has no picture.
    pub(super) auc: Option<f64>,
}

impl Figures {
    /// Takes the true class of each picture and what was said of it, a probability for each class.
    pub(super) fn of(said: &[(usize, Vec<f64>)], n_classes: usize) -> Self {
        let nameless = BlobId::of(&[]);
        let answers: Vec<Answer> = (said.iter())
            .map(|(truth, probabilities)| {
                let probabilities = probabilities.iter().map(|it| narrow(*it)).collect();
                Answer { blob: nameless, truth: *truth, probabilities }
            })
            .collect();
        let evaluation = Evaluation::of(&answers, n_classes);
        let recalls = evaluation.classes.iter().filter_map(|class| class.recall);
        let rankings = (0..n_classes).map(|class| Ranking::one_vs_rest(&answers, class));
        let aucs: Option<Vec<f64>> = rankings.map(|ranking| ranking.auc()).collect();
        Self {
            balanced_accuracy: mean(&recalls.collect::<Vec<f64>>()),
            f1: (!answers.is_empty()).then(|| evaluation.macro_f1()),
            auc: aucs.and_then(|aucs| mean(&aucs)),
        }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    let n = u32::try_from(values.len()).expect("classes are few");
    (n != 0).then(|| values.iter().sum::<f64>() / f64::from(n))
}

#[expect(clippy::cast_possible_truncation, reason = "answers are kept in this precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|it| (it - expected).abs() < 1e-9), "{found:?}, not {expected}");
    }

    /// The expected figures are those of scikit-learn 1.9: `balanced_accuracy_score`, `f1_score` with
    /// `average="macro"`, `roc_auc_score` with `multi_class="ovr"`.
    #[test]
    fn every_class_counts_the_same() {
        let said = [
            (0, vec![0.7, 0.2, 0.1]),
            (0, vec![0.2, 0.5, 0.3]),
            (0, vec![0.6, 0.3, 0.1]),
            (0, vec![0.8, 0.1, 0.1]),
            (1, vec![0.4, 0.35, 0.25]),
            (1, vec![0.1, 0.8, 0.1]),
            (2, vec![0.1, 0.2, 0.7]),
            (2, vec![0.5, 0.2, 0.3]),
        ];

        let figures = Figures::of(&said, 3);

        near(figures.balanced_accuracy, 7.0 / 12.0);
        near(figures.f1, 11.0 / 18.0);
        near(figures.auc, 11.0 / 12.0);
    }

    #[test]
    fn a_class_without_pictures_leaves_no_area() {
        let figures = Figures::of(&[(0, vec![0.7, 0.3]), (0, vec![0.4, 0.6])], 2);

        assert_eq!(figures.auc, None);
        near(figures.balanced_accuracy, 0.5);
        assert_eq!(Figures::of(&[], 2), Figures::default());
    }
}
