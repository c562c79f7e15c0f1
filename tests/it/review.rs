//! `snapset review` as people use it: the page of the built binary in chromium, by keyboard.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use serde_json::Value;

use super::{
    reviewing::{self, Page},
    support::Bench,
};

/// Enough pictures for an audit of two hundred, and no training.
const LARGE: &str = r#"
title = "Demo to review"
seed = 7

[classes]
beetles = ["demo:beetles@320"]
fish = ["demo:fish@320"]

[collect]
listings = ["new"]
refresh = "never"

[fetch]
stall = 2
concurrency = 16

[prepare]
size = 64
"#;

/// A page at work, ended with the test.
struct Review {
    program: Child,
    address: String,
}

impl Review {
    fn of(bench: &Bench) -> Self {
        let arguments = ["review", "pipelines/small.toml", "--json", "--by", "ada"];
        let mut command = bench.command(&arguments);
        let mut program = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(program.stdout.take().unwrap());
        // The document may take several lines.
        let document: Value = loop {
            assert_ne!(out.read_line(&mut said).unwrap(), 0, "the page ended: {said}");
            if let Ok(document) = serde_json::from_str(&said) {
                break document;
            }
        };
        let address = document["address"].as_str().unwrap().to_owned();
        Self { program, address }
    }
}

impl Drop for Review {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}

#[test]
fn a_review_by_keyboard_loses_nothing_and_lets_nobody_in() {
    let bench = Bench::with(LARGE);
    bench.run();
    let review = Review::of(&bench);
    let reviews = bench.path("pipelines/small.reviews.jsonl");

    reviewing::scenario(&Page { address: &review.address, reviews: &reviews });

    // The store is free while the page is open, and what was decided is still there.
    let before = bench.read("pipelines/small.reviews.jsonl");
    bench.run();
    assert_eq!(bench.read("pipelines/small.reviews.jsonl"), before);
    assert!(before.contains("\"by\":\"ada\""));
}
