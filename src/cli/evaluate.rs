//! `snapset evaluate`: how good the trained classifier is on pictures it never saw.

use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    talk::{Talk, table},
};
use crate::pipeline::ask::Tested;

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
            "answers": tested.answers,
        }));
    } else {
        talk.result(&in_words(&tested));
    }
    Ok(Exit::Done)
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
        "test accuracy {:.1} % of {} pictures, macro F1 {:.3}, model {}\n\n{}\n\n{}",
        tested.evaluation.accuracy * 100.0,
        tested.answers.len(),
        tested.evaluation.macro_f1(),
        tested.run,
        table(&["class", "precision", "recall", "F1", "pictures"], &scores, &numbers),
        table(&header, &confusion, &numbers),
    )
}
