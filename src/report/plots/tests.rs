use super::*;
use crate::domain::{
    id::BlobId,
    learning::{
        growth::{LearningCurve, Point},
        interval::Interval,
    },
};

fn answer(truth: usize, probabilities: &[f32]) -> Answer {
    Answer { blob: BlobId::of(b"x"), truth, probabilities: probabilities.to_vec() }
}

fn answers() -> Vec<Answer> {
    [(0, 0.9), (0, 0.7), (0, 0.4), (1, 0.2), (1, 0.1), (1, 0.6)]
        .map(|(truth, first)| answer(truth, &[first, 1.0 - first]))
        .to_vec()
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|it| (*it).to_owned()).collect()
}

fn drawn(answers: &[Answer], classes: &[String]) -> String {
    of_answers(answers, classes, &Scores::of(answers, classes.len(), 1)).into_string()
}

#[test]
fn every_drawing_says_in_words_what_it_shows() {
    let page = drawn(&answers(), &names(&["cars", "<tanks>"]));

    assert_eq!(page.matches("role=\"img\"").count(), 5);
    assert_eq!(page.matches("<desc id=").count(), 5);
    assert!(page.contains("cars: 2 of 3 known; &lt;tanks&gt;: 2 of 3 known."), "{page}");
    assert!(page.contains("4 right answers, 82.5\u{a0}% sure on average"), "{page}");
    assert!(!page.contains("<tanks>") && !page.contains("NaN") && !page.contains("inf"), "{page}");
}

#[test]
fn a_roc_curve_goes_through_its_corners() {
    let (answers, classes) = (answers(), names(&["cars", "tanks"]));

    let page = roc(&answers, &classes, &Scores::of(&answers, 2, 1)).into_string();

    // Two cars, a tank, the last car, two tanks.
    let path = "54.0,356.0 54.0,138.7 174.0,138.7 174.0,30.0 414.0,30.0";
    assert!(page.contains(&format!("points=\"{path}\"")), "{page}");
    assert!(page.contains("cars 0.889"), "{page}");
}

#[test]
fn precision_falls_in_steps() {
    let (answers, classes) = (answers(), names(&["cars", "tanks"]));

    let page = precision_recall(&answers, &classes, &Scores::of(&answers, 2, 1)).into_string();

    let path = "54.0,30.0 294.0,30.0 294.0,111.5 414.0,111.5\"";
    assert!(page.contains(path), "{page}");
}

#[test]
fn one_class_or_no_answer_is_drawn_all_the_same() {
    let one = drawn(&[answer(0, &[0.9, 0.1])], &names(&["cars", "tanks"]));

    assert!(one.contains("ROC curves: none") && !one.contains("NaN"), "{one}");
    assert_eq!(drawn(&[], &names(&["cars"])), "");
}

#[test]
fn of_many_classes_the_hardest_have_lines() {
    let probabilities = |truth: usize, it: usize| {
        (0..8_u8)
            .map(|at| {
                if usize::from(at) == truth {
                    0.5
                } else {
                    f32::from(at) / 100.0 + if it == 7 { 0.45 } else { 0.0 }
                }
            })
            .collect::<Vec<f32>>()
    };
    let answers: Vec<Answer> =
        (0..8).map(|truth| answer(truth, &probabilities(truth, truth))).collect();
    let classes: Vec<String> = (0..8).map(|it| format!("c{it}")).collect();

    let page = roc(&answers, &classes, &Scores::of(&answers, 8, 1)).into_string();

    assert_eq!(page.matches("<polyline").count(), 6);
    assert!(page.contains("</svg>c6 0.857") && !page.contains("</svg>c4"), "{page}");
    assert!(page.contains("The 2 classes that are told better are left out"), "{page}");
}

#[test]
fn a_learning_curve_ends_at_twice_the_pictures() {
    let point = |(n_train, n_right)| Point { n_train, n_right, n_test: 200 };
    let points = [(50, 140), (100, 156), (200, 168), (400, 176)].map(point);

    let page = learning_curve(&LearningCurve::of(&points, 1).unwrap()).into_string();

    assert!(page.contains("With 800 pictures about 9"), "{page}");
    assert_eq!(page.matches("<circle").count(), 5);
    assert!(page.contains("50\u{a0}pictures: 70.0\u{a0}%") && !page.contains("NaN"), "{page}");
}

#[test]
fn a_figure_is_written_with_its_interval() {
    let interval = Some(Interval { low: 0.931, high: 0.978 });

    assert_eq!(figure(Some(Score { value: 0.957, interval })), "0.957 (0.931\u{2013}0.978)");
    assert_eq!(figure(Some(Score { value: 1.0, interval: None })), "1.000");
    assert_eq!(figure(None), "none");
}
