use serde::Deserialize;

use super::*;
use crate::domain::id::BlobId;

const REFERENCE: &str = include_str!("../../../../tests/judges/answers_reference.json");

#[derive(Deserialize)]
struct Reference {
    calibration: Vec<Case>,
}

/// What `SciPy` and `NumPy` say of some logits.
#[derive(Deserialize)]
struct Case {
    name: String,
    truths: Vec<usize>,
    logits: Vec<Vec<f64>>,
    temperature: f64,
    loss_before: f64,
    loss_after: f64,
    threshold: Option<f64>,
}

fn logits(case: &Case) -> Vec<Logits> {
    let both = case.truths.iter().zip(&case.logits);
    both.map(|(truth, values)| Logits { truth: *truth, values: values.clone() }).collect()
}

/// Pictures of two classes, all with these logits; the first `n_right` are of the first class.
fn alike(values: [f64; 2], n_right: usize, n: usize) -> Vec<Logits> {
    (0..n).map(|at| Logits { truth: usize::from(n_right <= at), values: values.to_vec() }).collect()
}

#[test]
fn temperature_and_threshold_are_those_of_scipy() {
    let reference: Reference = serde_json::from_str(REFERENCE).unwrap();
    for case in reference.calibration {
        let found = Calibration::of(&logits(&case), 0.95).unwrap();
        let temperature = found.temperature;
        let pairs = [
            (temperature.value, case.temperature),
            (temperature.loss_before, case.loss_before),
            (temperature.loss_after, case.loss_after),
        ];
        for (found, wanted) in pairs {
            assert!((found - wanted).abs() < 1e-9, "{}: {found}, not {wanted}", case.name);
        }
        let threshold = found.threshold.map(|it| it.value);
        assert_eq!(threshold.is_some(), case.threshold.is_some(), "{}", case.name);
        let apart = threshold.zip(case.threshold).map_or(0.0, |(a, b)| (a - b).abs());
        assert!(apart < 1e-9, "{}: {threshold:?}, not {:?}", case.name, case.threshold);
    }
}

#[test]
fn a_model_that_is_right_three_times_of_four_says_so_after_scaling() {
    let temperature = Temperature::of(&alike([4.0, 0.0], 15, 20)).unwrap();

    // softmax([4, 0] / T) must be [3/4, 1/4], so T is 4 / ln 3.
    assert!((temperature.value - 4.0 / 3_f64.ln()).abs() < 1e-12, "{temperature:?}");
    let sure = Calibration::of(&alike([4.0, 0.0], 15, 20), 0.9).unwrap().threshold.unwrap().value;
    assert!((sure - 0.75).abs() < 1e-12, "{sure}");
    let scaled = temperature.apply(&[0.982_013_8, 0.017_986_2]);
    assert!((scaled[0] - 0.75).abs() < 1e-5, "{scaled:?}");
}

#[test]
fn all_right_and_all_wrong_end_at_a_limit() {
    let right = Temperature::of(&alike([4.0, 0.0], 20, 20)).unwrap();
    let wrong = Calibration::of(&alike([4.0, 0.0], 0, 20), 0.95).unwrap();

    assert!((right.value - 0.05).abs() < 1e-12 && right.is_at_limit(), "{right:?}");
    assert!((wrong.temperature.value - 20.0).abs() < 1e-12, "{wrong:?}");
    assert!(wrong.temperature.is_at_limit() && wrong.threshold.is_none(), "{wrong:?}");
    assert!(!Temperature::of(&alike([4.0, 0.0], 15, 20)).unwrap().is_at_limit());
}

#[test]
fn nine_validation_pictures_teach_no_temperature() {
    assert_eq!(Temperature::of(&alike([1.0, 0.0], 6, 9)), None);
    assert_eq!(Calibration::of(&[], 0.95), None);
}

#[test]
fn a_threshold_takes_enough_right_answers() {
    let answers = |n: u32| (1..=n).map(|at| (f64::from(at) / 100.0, true));

    assert_eq!(Threshold::of(answers(18), 0.95), None);
    let nineteen = Threshold::of(answers(19), 0.95).unwrap();
    let hundred = Threshold::of(answers(100).chain([(0.04, false), (0.9, false)]), 0.9).unwrap();

    assert!((nineteen.value - 0.01).abs() < 1e-12, "{nineteen:?}");
    // The tenth of a hundred: nine go, ninety-one stay.
    assert!((hundred.value - 0.1).abs() < 1e-12, "{hundred:?}");
    assert!((hundred.kept_right - 0.91).abs() < 1e-12, "{hundred:?}");
    assert_eq!((hundred.kept_wrong, hundred.n_pictures), (Some(0.5), 102));
    assert!(hundred.allows(&[0.05, 0.95]) && !hundred.allows(&[0.05, 0.06]));
}

#[test]
fn answers_no_more_or_less_sure_than_each_other_are_all_kept() {
    let same = Threshold::of([(0.7, true); 40].into_iter().chain([(0.7, false); 3]), 0.9).unwrap();

    assert_eq!((same.value, same.kept_right, same.kept_wrong), (0.7, 1.0, Some(1.0)));
}

#[test]
fn probabilities_stand_in_for_logits() {
    let answer = |truth, probabilities| Answer { blob: BlobId::of(b"x"), truth, probabilities };
    let sure = |at: usize| answer(usize::from(15 <= at), vec![0.982_013_8_f32, 0.017_986_2]);
    let answers: Vec<Logits> = (0..20).map(|at| Logits::of(&sure(at))).collect();

    let temperature = Temperature::of(&answers).unwrap();

    assert!((temperature.value - 4.0 / 3_f64.ln()).abs() < 1e-4, "{temperature:?}");
    let certain = Logits::of(&answer(0, vec![1.0, 0.0]));
    assert!(certain.values.iter().all(|it| it.is_finite()), "{certain:?}");
    assert_eq!(temperature.apply(&[1.0, 0.0]), [1.0, 0.0]);
}
