use super::*;
use crate::domain::flaws::Measure;

/// Blobs in id order, so that a test can speak of the first, second and third.
fn blobs<const N: usize>() -> [BlobId; N] {
    let mut ids = std::array::from_fn(|n| BlobId::of(&n.to_le_bytes()));
    ids.sort_unstable();
    ids
}

fn candidate(label: &str, shorter_side_px: u32) -> Candidate {
    Candidate {
        labels: BTreeSet::from([Label::new(label).unwrap()]),
        worth: Worth { shorter_side_px, score: 1, created_utc: Reverse(None) },
        flaw: None,
    }
}

fn pair(a: BlobId, b: BlobId) -> TwinPair {
    TwinPair { a, b, distance: Distance(9), similarity: Similarity(970) }
}

fn keep(label: &str) -> Ruling {
    Ruling::Keep { label: Label::new(label).unwrap() }
}

fn twin(of: BlobId) -> Ruling {
    Ruling::Drop(DropReason::Twin { of, distance: Distance(9), similarity: Similarity(970) })
}

fn rulings(verdicts: &BTreeMap<BlobId, Verdict>) -> Vec<Ruling> {
    verdicts.values().map(|verdict| verdict.ruling.clone()).collect()
}

#[test]
fn the_larger_twin_stays_and_the_other_names_it() {
    let [small, large, other] = blobs();
    let candidates = BTreeMap::from([
        (small, candidate("cats", 300)),
        (large, candidate("cats", 900)),
        (other, candidate("cats", 500)),
    ]);

    let verdicts = decide(&candidates, &[pair(small, large)]);

    assert_eq!(rulings(&verdicts), [twin(large), keep("cats"), keep("cats")]);
    assert_eq!(verdicts[&large].leak_group, small);
}

#[test]
fn a_chain_of_twins_does_not_drop_a_stranger() {
    let [a, b, c] = blobs();
    let candidates = BTreeMap::from([
        (a, candidate("cats", 900)),
        (b, candidate("cats", 500)),
        (c, candidate("cats", 400)),
    ]);

    let verdicts = decide(&candidates, &[pair(a, b), pair(b, c)]);

    assert_eq!(rulings(&verdicts), [keep("cats"), twin(a), keep("cats")]);
    assert!(verdicts.values().all(|verdict| verdict.leak_group == a), "all share a leak group");
}

#[test]
fn the_same_picture_under_two_classes_is_kept_in_neither() {
    let [a, b, c] = blobs();
    let both = BTreeSet::from([Label::new("cats").unwrap(), Label::new("dogs").unwrap()]);
    let candidates = BTreeMap::from([
        (a, candidate("cats", 900)),
        (b, candidate("dogs", 500)),
        (c, Candidate { labels: both.clone(), ..candidate("cats", 500) }),
    ]);

    let verdicts = decide(&candidates, &[pair(a, b)]);

    let conflict = Ruling::Drop(DropReason::LabelConflict { labels: both });
    assert_eq!(rulings(&verdicts), [conflict.clone(), conflict.clone(), conflict]);
}

#[test]
fn a_flawed_picture_is_dropped_and_takes_no_twin_with_it() {
    let [a, b] = blobs();
    let flaw = DropReason::Flawed(Flaw { measure: Measure::Brightness, found: 3, limit: 8 });
    let candidates = BTreeMap::from([
        (a, Candidate { flaw: Some(flaw.clone()), ..candidate("cats", 900) }),
        (b, candidate("cats", 500)),
    ]);

    let verdicts = decide(&candidates, &[pair(a, b)]);

    assert_eq!(rulings(&verdicts), [Ruling::Drop(flaw), keep("cats")]);
}
