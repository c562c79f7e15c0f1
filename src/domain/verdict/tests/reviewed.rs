//! What people said of pictures, rule by rule.

use super::*;
use crate::domain::review::{Decision, Queue, Review};

pub(super) fn said(at_ms: u64, picture: BlobId, decision: Decision) -> Review {
    Review { at_ms, picture, decision, queue: Queue::Elsewhere, shown_as: None, by: None }
}

pub(super) fn reject(reason: &str) -> Decision {
    Decision::Reject { reason: reason.to_owned() }
}

pub(super) fn relabel(label: &str) -> Decision {
    Decision::Relabel { label: Label::new(label).unwrap() }
}

fn reviewed(reason: &str) -> Ruling {
    Ruling::Drop(DropReason::Reviewed { reason: reason.to_owned() })
}

fn struck(of: BlobId, reason: &str) -> Ruling {
    let reason = reason.to_owned();
    let (distance, similarity) = (Distance(9), Similarity(970));
    Ruling::Drop(DropReason::TwinOfRejected { of, reason, distance, similarity })
}

/// Judges pictures, whose blobs are in id order, after the decisions.
fn decided<const N: usize>(
    candidates: [Candidate; N],
    pairs: &[TwinPair],
    decisions: &[(BlobId, Decision)],
) -> Vec<Ruling> {
    let candidates = blobs::<N>().into_iter().zip(candidates).collect();
    let lines: Vec<Review> =
        decisions.iter().map(|(blob, decision)| said(1, *blob, decision.clone())).collect();
    rulings(&decide(&candidates, pairs, &Reviews::of(&lines)))
}

fn spoiled(label: &str, shorter_side_px: u32) -> Candidate {
    Candidate { flaw: Some(flawed()), ..candidate(label, shorter_side_px) }
}

fn taken_back(label: &str, of: BlobId) -> Candidate {
    Candidate { flaw: Some(DropReason::TakenBack { of }), ..candidate(label, 900) }
}

fn posted_as_both(shorter_side_px: u32) -> Candidate {
    let mut both = candidate("cats", shorter_side_px);
    both.labels.insert(Label::new("dogs").unwrap());
    both
}

#[test]
fn what_does_not_belong_goes_with_the_twins_that_show_the_same() {
    let [a, b, c] = blobs();
    let candidates = || [candidate("cats", 900), candidate("cats", 500), candidate("cats", 400)];
    let pairs = [pair(a, b), pair(b, c)];

    let found = decided(candidates(), &pairs, &[(a, reject("screenshot"))]);
    assert_eq!(found, [reviewed("screenshot"), struck(a, "screenshot"), keep("cats")]);

    // A reason of a person's own speaks of what is shown as well.
    let found = decided(candidates(), &pairs, &[(b, reject("a toy"))]);
    assert_eq!(found, [struck(b, "a toy"), reviewed("a toy"), struck(b, "a toy")]);
}

#[test]
fn a_bad_copy_gives_way_to_the_next_best() {
    let [a, b, c] = blobs();
    let candidates = [candidate("cats", 900), candidate("cats", 500), candidate("cats", 400)];
    let pairs = [pair(a, b), pair(b, c), pair(a, c)];

    for reason in ["blurred", "small", "watermark"] {
        let found = decided(candidates.clone(), &pairs, &[(a, reject(reason))]);
        assert_eq!(found, [reviewed(reason), keep("cats"), twin(b)]);
    }
}

#[test]
fn a_twin_somebody_decided_about_does_not_go_with_a_rejected_one() {
    let all: [BlobId; 5] = blobs();
    let a = all[0];
    let candidates = [900, 800, 700, 600, 500].map(|side_px| candidate("cats", side_px));
    let pairs: Vec<TwinPair> = all[1..].iter().map(|twin| pair(a, *twin)).collect();
    let decisions = [
        (a, reject("drawing")),
        (all[1], Decision::Keep),
        (all[2], relabel("dogs")),
        (all[3], Decision::Keeper),
    ];

    let found = decided(candidates, &pairs, &decisions);

    let dogs = keep("dogs");
    assert_eq!(
        found,
        [reviewed("drawing"), keep("cats"), dogs, keep("cats"), struck(a, "drawing")]
    );
}

#[test]
fn what_was_decided_of_a_rejected_pictures_twin_leaves_it_a_witness() {
    let [a, b] = blobs();
    let candidates = [candidate("cats", 900), posted_as_both(500)];
    let decisions = [(a, reject("drawing")), (b, Decision::Keep)];

    let found = decided(candidates, &[pair(a, b)], &decisions);

    assert_eq!(found, [reviewed("drawing"), conflict(&["cats", "dogs"])]);
}

#[test]
fn of_several_rejected_twins_the_most_alike_is_named() {
    let [a, b, c] = blobs();
    let candidates = [900, 800, 700].map(|side_px| candidate("cats", side_px));
    let nearer = TwinPair { similarity: Similarity(990), ..pair(b, c) };
    let decisions = [(a, reject("text")), (b, reject("collage"))];

    let found = decided(candidates, &[pair(a, c), nearer], &decisions);

    let DropReason::TwinOfRejected { of, reason, similarity, .. } = (match &found[2] {
        Ruling::Drop(reason) => reason,
        Ruling::Keep { .. } => panic!("kept"),
    }) else {
        panic!("{found:?}")
    };
    assert_eq!((*of, reason.as_str(), *similarity), (b, "collage", Similarity(990)));
}

#[test]
fn what_was_rejected_and_what_shows_the_same_bear_no_witness() {
    let [a, b, c] = blobs();
    let candidates = || [candidate("dogs", 900), candidate("dogs", 500), candidate("cats", 400)];
    let chain = [pair(a, b), pair(b, c)];

    // Of the copy: its label no longer contests that of its twin.
    let found = decided(candidates(), &chain, &[(b, reject("blurred"))]);
    assert_eq!(found, [keep("dogs"), reviewed("blurred"), keep("cats")]);

    // Of what is shown: the twin in the middle goes, and its label counts no more either.
    let found = decided(candidates(), &chain, &[(a, reject("text"))]);
    assert_eq!(found, [reviewed("text"), struck(a, "text"), keep("cats")]);
}

#[test]
fn what_is_kept_by_a_person_has_no_flaw_and_what_was_taken_back_stays_out() {
    let [a, b] = blobs();
    let candidates = [spoiled("cats", 30), taken_back("cats", a)];

    let found = decided(candidates, &[], &[(a, Decision::Keep), (b, Decision::Keep)]);

    assert_eq!(found, [keep("cats"), Ruling::Drop(DropReason::TakenBack { of: a })]);
}

#[test]
fn what_was_taken_back_bears_no_witness_whatever_people_said() {
    let [a, b, c, d] = blobs();
    let candidates = [
        taken_back("dogs", a),
        candidate("cats", 500),
        taken_back("dogs", a),
        candidate("cats", 500),
    ];
    let gone = Ruling::Drop(DropReason::TakenBack { of: a });

    let found = decided(
        candidates,
        &[pair(a, b), pair(c, d)],
        &[(a, relabel("dogs")), (c, reject("text"))],
    );

    assert_eq!(found, [gone.clone(), keep("cats"), gone, keep("cats")]);
}

#[test]
fn what_is_kept_for_its_looks_still_gives_way_to_a_better_copy() {
    let [a, b] = blobs();
    let candidates = [spoiled("cats", 30), candidate("cats", 500)];

    let found = decided(candidates, &[pair(a, b)], &[(a, Decision::Keep)]);

    assert_eq!(found, [twin(b), keep("cats")]);
}

#[test]
fn a_given_label_holds_whatever_it_was_posted_as_and_settles_its_twins() {
    let [a, b, c] = blobs();
    let candidates = [candidate("cats", 900), candidate("dogs", 500), posted_as_both(400)];
    let pairs = [pair(a, b)];

    let found = decided(candidates.clone(), &pairs, &[(b, relabel("cats"))]);
    assert_eq!(found[..2], [keep("cats"), twin(a)]);

    let found = decided(candidates.clone(), &pairs, &[(a, relabel("fish")), (c, relabel("dogs"))]);
    assert_eq!(found, [keep("fish"), twin(a), keep("dogs")]);

    // Keeping says: it shows what it was posted as.
    let found = decided(candidates, &pairs, &[(b, Decision::Keep), (c, Decision::Keep)]);
    assert_eq!(found, [keep("dogs"), twin(a), conflict(&["cats", "dogs"])]);
}

#[test]
fn a_relabelled_picture_has_no_flaw_either() {
    let [a] = blobs();

    let found = decided([spoiled("cats", 30)], &[], &[(a, relabel("dogs"))]);

    assert_eq!(found, [keep("dogs")]);
}

#[test]
fn people_who_differ_about_twins_leave_a_conflict() {
    let [a, b] = blobs();
    let candidates = [candidate("cats", 900), candidate("cats", 500)];
    let decisions = [(a, Decision::Keep), (b, relabel("dogs"))];

    let found = decided(candidates, &[pair(a, b)], &decisions);

    assert_eq!(found, [conflict(&["cats", "dogs"]), conflict(&["cats", "dogs"])]);
}

#[test]
fn a_label_given_to_a_twins_twin_settles_nothing() {
    let [a, b, c] = blobs();
    let candidates = [candidate("cats", 500), candidate("dogs", 900), candidate("cats", 400)];

    let found = decided(candidates, &[pair(a, b), pair(b, c)], &[(c, Decision::Keep)]);

    let contested = conflict(&["cats", "dogs"]);
    assert_eq!(found, [contested, keep("cats"), twin(b)]);
}

#[test]
fn the_chosen_copy_stays_whatever_its_worth() {
    let [a, b, c] = blobs();
    let candidates = || [candidate("cats", 900), candidate("cats", 300), candidate("cats", 500)];
    let pairs = [pair(a, b), pair(b, c)];

    let found = decided(candidates(), &pairs, &[(b, Decision::Keeper)]);
    assert_eq!(found, [twin(b), keep("cats"), twin(b)]);

    let both = [(b, Decision::Keeper), (c, Decision::Keeper)];
    let found = decided(candidates(), &pairs, &both);
    assert_eq!(found, [keep("cats"), twin(c), keep("cats")]);
}

#[test]
fn choosing_a_copy_lifts_no_flaw() {
    let [a, b] = blobs();
    let candidates = [spoiled("cats", 900), candidate("cats", 500)];

    let found = decided(candidates, &[pair(a, b)], &[(a, Decision::Keeper)]);

    assert_eq!(found, [Ruling::Drop(flawed()), keep("cats")]);
}

#[test]
fn strangers_are_neither_twins_nor_of_one_group() {
    let [a, b, c] = blobs();
    let candidates: BTreeMap<BlobId, Candidate> =
        blobs::<3>().into_iter().zip([900, 500, 400].map(|px| candidate("cats", px))).collect();
    let lines = [said(1, b, Decision::NotTwins { other: a })];

    let verdicts = decide(&candidates, &[pair(a, b), pair(b, c)], &Reviews::of(&lines));

    assert_eq!(rulings(&verdicts), [keep("cats"), keep("cats"), twin(b)]);
    let groups: Vec<BlobId> = verdicts.values().map(|it| it.leak_group).collect();
    assert_eq!(groups, [a, b, b]);
}

#[test]
fn strangers_do_not_contest_labels_nor_fall_with_each_other() {
    let [a, b, c] = blobs();
    let candidates = [candidate("cats", 900), candidate("dogs", 500), candidate("cats", 400)];
    let decisions = [
        (a, Decision::NotTwins { other: b }),
        (a, Decision::NotTwins { other: c }),
        (a, reject("text")),
    ];

    let found = decided(candidates, &[pair(a, b), pair(a, c)], &decisions);

    assert_eq!(found, [reviewed("text"), keep("dogs"), keep("cats")]);
}

#[test]
fn a_picture_nobody_knows_is_passed_over() {
    let [a, b] = blobs();
    let gone = |name: &str| BlobId::of(name.as_bytes());
    let decisions = [
        (gone("rejected"), reject("text")),
        (gone("relabelled"), relabel("dogs")),
        (gone("kept"), Decision::Keep),
        (gone("chosen"), Decision::Keeper),
        (gone("stranger"), Decision::NotTwins { other: a }),
    ];
    let candidates = || [candidate("cats", 900), candidate("cats", 500)];

    let pairs = [pair(a, b), pair(a, gone("rejected"))];
    let found = decided(candidates(), &pairs, &decisions);

    assert_eq!(found, decided(candidates(), &[pair(a, b)], &[]));
}

#[test]
fn reasons_are_told_in_words() {
    let of = BlobId::of(b"a");
    let reason = "small".to_owned();
    let told = DropReason::Reviewed { reason: reason.clone() };
    assert_eq!(told.to_string(), "rejected by a person: too small or cropped");
    let (distance, similarity) = (Distance(9), Similarity(970));
    let told = DropReason::TwinOfRejected { of, reason, distance, similarity };
    assert_eq!(
        told.to_string(),
        format!(
            "twin of {}, which a person rejected: too small or cropped; distance 9 of 256, \
             97.0 % alike",
            of.short()
        )
    );
}
