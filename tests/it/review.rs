//! `snapset review` as people use it: the page of the built binary in chromium, by keyboard.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    process::{Child, Stdio},
};

use serde_json::Value;
use snapset::{
    domain::{
        id::{BlobId, Label},
        learning::suspects::Suspect,
        review::{Queue, Reviews, Ruled},
        verdict::{Ruling, TwinPair, Verdict},
    },
    store::{Store, reviews},
};

use super::{
    browser::{self, Browser},
    reviewing::{self, LOOKS, Page},
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
stall = 5
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
    if !browser::is_here() {
        eprintln!("skipped: no browser to drive; apt-get install chromium-driver brings one");
        return;
    }
    let bench = Bench::with(LARGE);
    bench.run();
    doubt(&bench);
    let review = Review::of(&bench);
    let file = bench.path("pipelines/small.reviews.jsonl");

    reviewing::scenario(&Page { address: &review.address, reviews: &file });
    let lines = reviews::read(&file).unwrap();
    for queue in [Queue::Conflicts, Queue::Twins, Queue::Suspects, Queue::Quality, Queue::Audit] {
        assert!(lines.iter().any(|it| it.queue == queue), "nothing was decided in {queue:?}");
    }

    // The store is free while the page is open, and what was decided is still there.
    let said = bench.read("pipelines/small.reviews.jsonl");
    let before = classes_of(&bench);
    bench.run();
    assert_eq!(bench.read("pipelines/small.reviews.jsonl"), said);
    assert!(said.contains("\"by\":\"ada\""));
    expect_followed(&bench, &Reviews::of(&reviews::read(&file).unwrap()), &before);
    expect_readable_report(&bench);
}

/// Fails unless the report tells of the review and can be read by everybody.
fn expect_readable_report(bench: &Bench) {
    bench.snapset(&["report", "pipelines/small.toml"]).expect_code(0);
    assert!(bench.read("data/small/report.html").contains("What people decided"));
    let Some(axe) = reviewing::axe() else { return };
    let browser = Browser::start();
    for (size, scheme) in LOOKS {
        browser.look(size, scheme);
        browser.go(&format!("file://{}", bench.path("data/small/report.html").display()));
        browser.script("for (const it of document.querySelectorAll('details')) it.open = true");
        reviewing::expect_accessible(&browser, &axe, &format!("{size:?} {scheme} report"));
        let beyond = browser.script(
            "return [...document.querySelectorAll('.scroll')]\
             .map(it => it.scrollWidth - it.clientWidth).filter(it => 0 < it && it < 3)",
        );
        assert_eq!(beyond, serde_json::json!([]), "tables scroll to nothing at {size:?}");
    }
}

/// Notes doubts about some labels, as `snapset suspects` would: this dataset is never trained.
fn doubt(bench: &Bench) {
    let store = Store::open(&bench.path("data/small/store")).unwrap();
    let mut suspects = Vec::new();
    for (blob, verdict) in store.notes::<Verdict>().unwrap() {
        let Ruling::Keep { label: given } = verdict.ruling else { continue };
        let other = if given.as_str() == "fish" { "beetles" } else { "fish" };
        let likely = Label::new(other).unwrap();
        let rank = u32::try_from(suspects.len()).unwrap();
        suspects.push((blob, Suspect { given, likely, p_given: 0.1, p_likely: 0.9, rank }));
    }
    suspects.truncate(20);
    store.put_notes::<Suspect>(&suspects).unwrap();
}

/// Returns the class of every picture of the dataset, by the digits of its file's name.
fn classes_of(bench: &Bench) -> BTreeMap<String, String> {
    let sides = bench.sides().into_iter();
    let named = sides.map(|(name, side)| {
        let digits = name.rsplit('-').next().unwrap().strip_suffix(".jpg").unwrap().to_owned();
        (digits, side.rsplit('/').next().unwrap().to_owned())
    });
    named.collect()
}

/// Fails unless the dataset follows what was decided, and nothing else about it has changed.
fn expect_followed(bench: &Bench, held: &Reviews, before: &BTreeMap<String, String>) {
    let after = classes_of(bench);
    for (picture, ruled) in &held.pictures {
        let class = after.get(&picture.short()).map(String::as_str);
        match ruled {
            Ruled::Reject { .. } => assert_eq!(class, None, "{picture} was rejected"),
            Ruled::Relabel { label } => {
                assert!(class.is_none_or(|it| it == label.as_str()), "{picture} is no {class:?}");
            }
            Ruled::Keep => (),
        }
    }
    let store = Store::open(&bench.path("data/small/store")).unwrap();
    // What was said of a picture speaks of its twins as well.
    let mut touched: BTreeSet<BlobId> =
        held.pictures.keys().chain(&held.keepers).copied().collect();
    touched.extend(held.strangers.iter().flat_map(|(a, b)| [*a, *b]));
    for _ in 0..2 {
        for (_, pair) in store.notes::<TwinPair>().unwrap() {
            if touched.contains(&pair.a) || touched.contains(&pair.b) {
                touched.extend([pair.a, pair.b]);
            }
        }
    }
    let touched: BTreeSet<String> = touched.iter().map(BlobId::short).collect();
    let all: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = all.into_iter().filter(|it| before.get(*it) != after.get(*it));
    let changed: Vec<&String> = changed.collect();
    assert!(10 < changed.len(), "{changed:?}");
    for picture in changed {
        assert!(touched.contains(picture), "{picture} changed though nobody spoke of it");
    }
}
