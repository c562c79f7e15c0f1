//! `snapset evaluate`: how good the trained classifier is on pictures it never saw.

use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    table::table,
    talk::Talk,
};
use crate::{domain::learning::interval::Score, pipeline::ask::Tested};

pub(crate) fn evaluate(one: &OnePipeline, shared: &Shared, talk: &Talk) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&one.pipeline, &Selection::default(), shared)?;
    let tested = workshop.evaluate()?;
    if talk.is_json() {
        talk.json(&json!({
            "schema": "snapset.evaluate.v1",
            "dataset": workshop.pipeline.name,
            "run": tested.run,
            "classes": tested.classes,
            "evaluation": tested.evaluation,
            "macro_f1": tested.evaluation.macro_f1(),
            "scores": tested.scores,
            "answers": tested.answers,
        }));
    } else {
        talk.result(&in_words(&tested));
    }
    Ok(Exit::Done)
}

/// Lists the figures of the whole, each with what it lies between with 95 % certainty.
fn figures(tested: &Tested) -> String {
    let scores = &tested.scores;
    let rows: Vec<Vec<String>> = [
        ("accuracy", scores.accuracy),
        ("balanced accuracy", scores.balanced_accuracy),
        ("area under the ROC curve", scores.macro_auc),
        ("average precision", scores.macro_average_precision),
        ("calibration error", scores.calibration_error),
    ]
    .into_iter()
    .filter_map(|(name, score)| {
        let Score { value, interval } = score?;
        let between =
            interval.map_or(String::new(), |it| format!("{:.3} to {:.3}", it.low, it.high));
        Some(vec![name.to_owned(), format!("{value:.3}"), between])
    })
    .collect();
    let absent: Vec<&str> = scores
        .absent
        .iter()
        .filter_map(|class| tested.classes.get(*class))
        .map(String::as_str)
        .collect();
    let text = table(&["figure", "value", "95 %"], &rows, &[1, 2]);
    if absent.is_empty() {
        text
    } else {
        format!("{text}\nno test pictures of {}", absent.join(", "))
    }
}

fn in_words(tested: &Tested) -> String {
    let score = |value: Option<f64>| value.map_or("-".to_owned(), |it| format!("{it:.3}"));
    let scores: Vec<Vec<String>> = tested
        .classes
        .iter()
        .zip(&tested.evaluation.classes)
        .map(|(class, it)| {
            let support = it.support.to_string();
            vec![class.clone(), score(it.precision), score(it.recall), score(it.f1), support]
        })
        .collect();
    let confusion: Vec<Vec<String>> = tested
        .classes
        .iter()
        .zip(&tested.evaluation.confusion)
        .map(|(class, row)| {
            let cells = row.iter().map(ToString::to_string);
            std::iter::once(class.clone()).chain(cells).collect()
        })
        .collect();
    let numbers: Vec<usize> = (1..=tested.classes.len().max(4)).collect();
    let mut header = vec!["true \\ predicted"];
    header.extend(tested.classes.iter().map(String::as_str));
    format!(
        "test accuracy {:.1} % of {} pictures, macro F1 {:.3}, model {}\n{}\n\n{}\n\n{}",
        tested.evaluation.accuracy * 100.0,
        tested.answers.len(),
        tested.evaluation.macro_f1(),
        tested.run,
        figures(tested),
        table(&["class", "precision", "recall", "F1", "pictures"], &scores, &numbers),
        table(&header, &confusion, &numbers),
    )
}
