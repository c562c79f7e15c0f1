use super::*;
use crate::{
    domain::verdict::{Ruling, Verdict},
    pixels::contact,
    report::{
        ReportError,
        bench::{BEETLES, Bench, FISH, drawn, jpeg, marked},
        explain, html,
    },
    store::{files, reviews},
};

fn label(name: &str) -> Label {
    Label::new(name).unwrap()
}

fn reject(reason: &str) -> Decision {
    Decision::Reject { reason: reason.to_owned() }
}

/// A line of 2026-01-31 by Ann.
fn line(picture: BlobId, decision: Decision, queue: Queue) -> Review {
    let (shown_as, by) = (Some(label("beetles")), Some("ann".to_owned()));
    Review { at_ms: 1_769_817_600_000, picture, decision, queue, shown_as, by }
}

/// Twelve beetles, a marked copy of the first, and a fish too small to be kept.
fn posted(bench: &Bench) -> Vec<BlobId> {
    let beetle = |seed| drawn(BEETLES, seed, 200, 150);
    let mut blobs: Vec<BlobId> = (100..112)
        .map(|seed| bench.picture(&format!("p{seed}"), BEETLES, &jpeg(&beetle(seed), 92)))
        .collect();
    blobs.push(bench.picture("mark", BEETLES, &jpeg(&marked(&beetle(100)), 85)));
    let tiny = contact::thumbnail_jpeg(&drawn(FISH, 500, 200, 150), 90, 85);
    blobs.push(bench.picture("tiny", FISH, &tiny));
    blobs
}

/// Tells the steps of the dedupe stage, and the conclusion.
fn journey(bench: &Bench, blob: BlobId) -> (Vec<String>, String) {
    let lines = reviews::read(&bench.reviews()).unwrap();
    let journeys = explain(bench.asked(&lines), &blob.to_string()).unwrap();
    let [journey] = &journeys[..] else { panic!("one picture, not {}", journeys.len()) };
    let steps = journey.steps.iter().filter(|step| step.stage.name() == "dedupe");
    (steps.map(|step| step.text.clone()).collect(), journey.conclusion.clone())
}

#[test]
fn a_rejected_picture_and_its_twin_tell_who_rejected_it_why_and_when() {
    let bench = Bench::new();
    let blobs = posted(&bench);
    let (first, copy) = (blobs[0], blobs[12]);
    let said = [line(first, reject("wrong-subject"), Queue::Suspects)];
    reviews::append(&bench.reviews(), &said).unwrap();
    bench.finish();

    let told = "reject: wrong subject, by ann on 2026-01-31, among the doubted labels";
    let rejected = "rejected by a person: wrong subject";
    let (steps, conclusion) = journey(&bench, first);
    assert_eq!(steps, [rejected.to_owned(), format!("a person said: {told}")]);
    assert_eq!(conclusion, format!("not in the dataset: {rejected}"));

    let (steps, conclusion) = journey(&bench, copy);
    let twin = format!("twin of {}, which a person rejected: wrong subject; ", first.short());
    assert!(steps[0].starts_with(&twin) && conclusion.contains(&twin), "{steps:?}");
    assert_eq!(steps[1], format!("a person said of its twin {}: {told}", first.short()));
    let lines = reviews::read(&bench.reviews()).unwrap();
    let journeys = explain(bench.asked(&lines), &copy.to_string()).unwrap();
    let roles: Vec<&str> = journeys[0].sides.iter().map(|side| side.role).collect();
    assert_eq!(roles, ["rejected", "dropped"]);
}

#[test]
fn a_flawed_picture_that_is_kept_says_that_a_person_wants_it() {
    let bench = Bench::new();
    let blobs = posted(&bench);
    bench.finish();
    let (before, _) = journey(&bench, blobs[13]);
    assert!(before[0].contains("asked"), "{before:?}");

    let by = None;
    let said = [Review { by, ..line(blobs[13], Decision::Keep, Queue::Quality) }];
    reviews::append(&bench.reviews(), &said).unwrap();
    bench.finish();

    let (steps, conclusion) = journey(&bench, blobs[13]);
    assert_eq!(steps[0], format!("kept as fish because a person wants it, though {}", before[0]));
    assert_eq!(steps[1], "a person said: keep, on 2026-01-31, among the outliers of quality");
    assert!(!conclusion.contains("asked"), "{conclusion}");
}

#[test]
fn pictures_that_were_told_apart_say_so_on_both_sides() {
    let bench = Bench::new();
    let blobs = posted(&bench);
    let (first, copy) = (blobs[0], blobs[12]);
    let said = [line(first, Decision::NotTwins { other: copy }, Queue::Twins)];
    reviews::append(&bench.reviews(), &said).unwrap();
    bench.finish();

    for (here, there) in [(first, copy), (copy, first)] {
        let (steps, _) = journey(&bench, here);
        let told = format!(
            "a person said: does not show the same as {}, by ann on 2026-01-31, among the \
             borderline twins",
            there.short()
        );
        assert_eq!(steps, ["kept as beetles".to_owned(), told]);
    }
}

#[test]
fn the_page_tells_how_right_the_labels_are_and_how_much_was_decided() {
    let bench = Bench::new();
    let blobs = posted(&bench);
    bench.finish();
    assert!(!html(&bench.input()).unwrap().contains("id=\"reviews\""));
    let mut said: Vec<Review> =
        blobs[..9].iter().map(|blob| line(*blob, Decision::Keep, Queue::Audit)).collect();
    said.push(line(blobs[9], reject("drawing"), Queue::Audit));
    said.push(line(blobs[10], Decision::Keeper, Queue::Twins));
    reviews::append(&bench.reviews(), &said).unwrap();

    let page = html(&bench.input()).unwrap();

    let section = page.split("<section id=\"reviews\"").nth(1).unwrap();
    let section = section.split("</section>").next().unwrap();
    assert!(section.contains("11\u{a0}decisions"), "{section}");
    assert!(section.contains("1 chosen among twins") && section.contains("10 in the audit"));
    // proportion_confint(9, 10, 0.05, "wilson") of statsmodels 0.15.0; 858 by tests/judges/purity.py
    let row = "<th scope=\"row\">beetles</th><td>10</td><td>9</td><td>90.0\u{a0}%</td>\
               <td>59.6\u{a0}% to 98.2\u{a0}%</td><td>858</td>";
    assert!(section.contains(row), "{section}");
}

#[test]
fn the_reasons_of_people_stand_among_those_of_what_was_left_out() {
    let bench = Bench::new();
    let blobs = posted(&bench);
    let said = [
        line(blobs[1], reject("a toy"), Queue::Audit),
        line(blobs[2], reject("offensive"), Queue::Audit),
    ];
    reviews::append(&bench.reviews(), &said).unwrap();
    bench.finish();

    let page = html(&bench.input()).unwrap();

    let section = page.split("<section id=\"left-out\"").nth(1).unwrap();
    let (_, row) = section.split_once("rejected by a person").unwrap();
    let (row, _) = row.split_once("</dd>").unwrap();
    assert_eq!(row.matches("<img").count(), 1, "what is offensive is not shown again");
    assert!(
        section.contains("rejected by a person: a toy; by ann on 2026-01-31, in the audit"),
        "{section}"
    );
    let ruling = bench.store.note::<Verdict>(&blobs[2]).unwrap().unwrap().ruling;
    assert!(matches!(ruling, Ruling::Drop(_)));
}

#[test]
fn a_file_that_cannot_be_read_is_no_empty_file() {
    let bench = Bench::new();
    files::write_atomic(&bench.reviews(), b"<<<<<<< ours\n").unwrap();

    let error = html(&bench.input()).unwrap_err();

    assert!(matches!(error, ReportError::Reviews(_)), "{error}");
}
