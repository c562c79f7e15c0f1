//! What an audit found, as the datasheet tells it.

use super::*;
use crate::domain::review::{
    Decision, Queue, Review,
    purity::{Purity, purity},
};

/// An audit of 100 cats, 94 of which are right.
fn audited() -> BTreeMap<Label, Purity> {
    let line = |n: u32| Review {
        at_ms: 1,
        picture: BlobId::of(&n.to_le_bytes()),
        decision: if n < 94 {
            Decision::Keep
        } else {
            Decision::Reject { reason: "wrong-subject".to_owned() }
        },
        queue: Queue::Audit,
        shown_as: Label::new("cats").ok(),
        by: None,
    };
    purity(&(0..100).map(line).collect::<Vec<_>>())
}

fn sheet(bench: &Bench) -> String {
    let dir = bench.path("sheet");
    bench.with(|dataset| tabular::write_csv(dataset, &dir)).unwrap();
    fs::read_to_string(dir.join("DATASHEET.md")).unwrap()
}

/// Returns the answer to the question about errors among the labels.
fn answer(sheet: &str) -> &str {
    let after = sheet.split("above all among the labels?**\n\n").nth(1).unwrap();
    after.split("\n\n**").next().unwrap()
}

const FOUND: &str = "| cats | 100 | 94 | 94.0 % | 87.5 % to 97.2 % |";

#[test]
fn an_audit_answers_what_is_known_of_the_labels() {
    let mut bench = Bench::new();
    let before = sheet(&bench);
    bench.purity = audited();

    let after = sheet(&bench);

    assert!(answer(&before).starts_with("> **TODO") && before.contains("**20 questions are open"));
    assert!(answer(&after).ends_with(FOUND), "{}", answer(&after));
    assert!(after.contains("**19 questions are open"));
}

#[test]
fn what_people_wrote_stands_before_what_the_audit_found() {
    let mut bench = Bench::new();
    bench.purity = audited();
    bench.answers = serde_json::from_str(r#"{"label_errors": "Some toys."}"#).unwrap();

    let sheet = sheet(&bench);

    let answer = answer(&sheet);
    assert!(answer.starts_with("Some toys.\n\n") && answer.ends_with(FOUND), "{answer}");
}

#[test]
fn an_audited_dataset_may_be_exported_though_nobody_wrote_of_its_labels() {
    let mut bench = Bench::new();
    let all: BTreeMap<&str, &str> = Question::ALL
        .iter()
        .filter(|it| **it != Question::LabelErrors)
        .map(|it| (it.key(), "Answered."))
        .collect();
    bench.answers = serde_json::from_value(serde_json::json!(all)).unwrap();

    assert!(bench.with(|it| it.check_answers().is_err()));
    bench.purity = audited();
    assert!(bench.with(|it| it.check_answers().is_ok()));
}
