use serde::Deserialize;

use super::*;
use crate::domain::{
    id::BlobId,
    learning::{Evaluation, reliability::Reliability},
};

const REFERENCE: &str = include_str!("../../../../tests/judges/answers_reference.json");

#[derive(Deserialize)]
struct Reference {
    scores: Vec<Case>,
    bootstrap_of_five_classes: [[f64; 2]; 3],
}

/// What scikit-learn says of some answers.
#[derive(Deserialize)]
struct Case {
    name: String,
    truths: Vec<usize>,
    probabilities: Vec<Vec<f32>>,
    accuracy: f64,
    balanced_accuracy: f64,
    #[serde(rename = "macro")]
    macro_average: [f64; 3],
    weighted: [f64; 3],
    macro_auc: Option<f64>,
    macro_average_precision: Option<f64>,
    log_loss: f64,
    brier: f64,
    calibration_error: f64,
    top_3: Option<f64>,
    classes: Vec<OneClass>,
}

#[derive(Deserialize)]
struct OneClass {
    auc: Option<f64>,
    average_precision: Option<f64>,
    roc: Option<Vec<[f64; 2]>>,
    precision_recall: Option<Vec<[f64; 2]>>,
}

fn reference() -> Reference {
    serde_json::from_str(REFERENCE).unwrap()
}

fn answers(case: &Case) -> Vec<Answer> {
    let both = case.truths.iter().zip(&case.probabilities);
    both.map(|(truth, probabilities)| Answer {
        blob: BlobId::of(b"x"),
        truth: *truth,
        probabilities: probabilities.clone(),
    })
    .collect()
}

#[track_caller]
fn same(what: &str, found: Option<f64>, wanted: Option<f64>) {
    let is_same = match (found, wanted) {
        (Some(found), Some(wanted)) => (found - wanted).abs() < 1e-9,
        (found, wanted) => found == wanted,
    };
    assert!(is_same, "{what}: {found:?}, but scikit-learn says {wanted:?}");
}

fn value(score: Option<Score>) -> Option<f64> {
    score.map(|it| it.value)
}

#[test]
fn all_figures_are_those_of_scikit_learn() {
    for case in reference().scores {
        let (answers, n) = (answers(&case), case.probabilities[0].len());
        let scores = Scores::of(&answers, n, 1);
        let name = &case.name;
        same(name, value(scores.accuracy), Some(case.accuracy));
        same(name, value(scores.balanced_accuracy), Some(case.balanced_accuracy));
        for (average, wanted) in
            [(scores.macro_average, case.macro_average), (scores.weighted_average, case.weighted)]
        {
            let found = [average.precision, average.recall, average.f1];
            for (found, wanted) in found.into_iter().zip(wanted) {
                same(name, value(found), Some(wanted));
            }
        }
        same(name, value(scores.macro_auc), case.macro_auc);
        same(name, value(scores.macro_average_precision), case.macro_average_precision);
        same(name, scores.log_loss, Some(case.log_loss));
        same(name, scores.brier, Some(case.brier));
        same(name, value(scores.calibration_error), Some(case.calibration_error));
        let reliability = Reliability::of(&answers);
        same(name, reliability.expected_calibration_error(), Some(case.calibration_error));
        if case.top_3.is_some() {
            same(name, scores.top.first().map(|it| it.accuracy.value), case.top_3);
        }
        let evaluation = Evaluation::of(&answers, n);
        same(name, value(scores.macro_average.f1), Some(evaluation.macro_f1()));
        same(name, scores.log_loss, Some(evaluation.loss));
        for (mine, old) in scores.classes.iter().zip(&evaluation.classes) {
            same(name, value(mine.f1), old.f1);
            assert_eq!((value(mine.precision), value(mine.recall)), (old.precision, old.recall));
        }
    }
}

#[test]
fn all_curves_are_those_of_scikit_learn() {
    for case in reference().scores {
        let answers = answers(&case);
        for (class, wanted) in case.classes.iter().enumerate() {
            let what = format!("{}, class {class}", case.name);
            let ranking = Ranking::one_vs_rest(&answers, class);
            same(&what, ranking.auc(), wanted.auc);
            same(&what, ranking.average_precision(), wanted.average_precision);
            let roc: Option<Vec<_>> = ranking.roc().map(|points| {
                points.iter().map(|it| [it.false_positive_rate, it.true_positive_rate]).collect()
            });
            same_curve(&what, roc.as_ref(), wanted.roc.as_ref());
            let curve = ranking.precision_recall();
            let curve: Option<Vec<_>> =
                curve.map(|points| points.iter().map(|it| [it.recall, it.precision]).collect());
            same_curve(&what, curve.as_ref(), wanted.precision_recall.as_ref());
        }
    }
}

fn same_curve(what: &str, found: Option<&Vec<[f64; 2]>>, wanted: Option<&Vec<[f64; 2]>>) {
    assert_eq!(found.map(Vec::len), wanted.map(Vec::len), "{what}");
    for (found, wanted) in
        found.into_iter().flatten().flatten().zip(wanted.into_iter().flatten().flatten())
    {
        same(what, Some(*found), Some(*wanted));
    }
}

#[test]
fn the_bootstrap_gives_the_percentiles_of_an_independent_one() {
    let reference = reference();
    let case = reference.scores.iter().find(|it| it.name == "five classes").unwrap();

    let scores = Scores::of(&answers(case), 5, 1);

    let [f1, auc, [low, high]] = reference.bootstrap_of_five_classes;
    let error = case.calibration_error;
    let mirrored = [(2.0 * error - high).max(0.0), (2.0 * error - low).max(error)];
    let found = [scores.macro_average.f1, scores.macro_auc, scores.calibration_error];
    for (found, [low, high]) in found.into_iter().zip([f1, auc, mirrored]) {
        let interval = found.unwrap().interval.unwrap();
        // Both draw by chance, so the ends vary a little.
        assert!((interval.low - low).abs() < 0.02, "{interval:?}, not from {low}");
        assert!((interval.high - high).abs() < 0.02, "{interval:?}, not to {high}");
    }
}

#[test]
fn equal_seeds_give_equal_scores_and_they_survive_json() {
    let case = &reference().scores[0];
    let scores = Scores::of(&answers(case), 2, 9);

    assert_eq!(Scores::of(&answers(case), 2, 9), scores);
    assert_ne!(Scores::of(&answers(case), 2, 8), scores);
    let text = serde_json::to_string(&scores).unwrap();
    let read: Scores = serde_json::from_str(&text).unwrap();
    assert_eq!((read.n_pictures, read.absent), (60, vec![]));
}

#[test]
fn a_class_without_test_pictures_is_named_and_enters_no_average() {
    let reference = reference();
    let case = reference.scores.iter().find(|it| it.name == "five classes, one absent").unwrap();

    let scores = Scores::of(&answers(case), 5, 1);

    assert_eq!(scores.absent, [2]);
    assert_eq!((scores.macro_auc, scores.macro_average_precision), (None, None));
    let absent = scores.classes[2];
    assert_eq!((absent.support, absent.recall, absent.auc), (0, None, None));
}

#[test]
fn nothing_is_said_of_no_answers() {
    let scores = Scores::of(&[], 3, 1);

    let nobody = ClassScores {
        support: 0,
        precision: None,
        recall: None,
        f1: None,
        auc: None,
        average_precision: None,
    };
    let none = Average { precision: None, recall: None, f1: None };
    let expected = Scores {
        n_pictures: 0,
        accuracy: None,
        balanced_accuracy: None,
        macro_average: none,
        weighted_average: none,
        macro_auc: None,
        macro_average_precision: None,
        log_loss: None,
        brier: None,
        calibration_error: None,
        top: vec![],
        classes: vec![nobody; 3],
        absent: vec![0, 1, 2],
    };
    assert_eq!(scores, expected);
}

#[test]
fn few_pictures_and_flawless_answers_have_no_bootstrap_interval() {
    let reference = reference();
    let of = |name: &str| {
        let case = reference.scores.iter().find(|it| it.name == name).unwrap();
        Scores::of(&answers(case), 2, 1)
    };

    let (three, right) = (of("three pictures"), of("all right"));

    assert_eq!(three.balanced_accuracy.unwrap().interval, None);
    assert_eq!(right.macro_average.f1, Some(Score { value: 1.0, interval: None }));
    let accuracy = right.accuracy.unwrap().interval.unwrap();
    assert!(accuracy.low < 0.7 && 1.0 <= accuracy.high, "{accuracy:?}");
}

#[test]
fn the_first_of_equally_probable_classes_are_the_top_ones() {
    let answer = |truth| Answer {
        blob: BlobId::of(b"x"),
        truth,
        probabilities: vec![0.25, 0.25, 0.25, 0.25],
    };
    let all: Vec<Answer> = (0..4).map(answer).collect();

    let shares = [1, 2, 3, 4].map(|k| top_k_accuracy(&all, k));

    assert_eq!(shares, [1, 2, 3, 4].map(|k| Score::of_share(k, 4)));
}
