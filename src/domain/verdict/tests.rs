use proptest::prelude::*;

use super::*;
use crate::domain::flaws::Measure;

mod reviewed;
mod whatever_is_said;

/// What is decided where nobody said anything.
fn judged(
    candidates: &BTreeMap<BlobId, Candidate>,
    pairs: &[TwinPair],
) -> BTreeMap<BlobId, Verdict> {
    decide(candidates, pairs, &Reviews::default())
}

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

fn flawed() -> DropReason {
    DropReason::Flawed(Flaw { measure: Measure::Brightness, found: 3, limit: 8 })
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

    let verdicts = judged(&candidates, &[pair(small, large)]);

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

    let verdicts = judged(&candidates, &[pair(a, b), pair(b, c)]);

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

    let verdicts = judged(&candidates, &[pair(a, b)]);

    let conflict = Ruling::Drop(DropReason::LabelConflict { labels: both });
    assert_eq!(rulings(&verdicts), [conflict.clone(), conflict.clone(), conflict]);
}

#[test]
fn a_flawed_picture_is_dropped_and_takes_no_twin_with_it() {
    let [a, b] = blobs();
    let flaw = flawed();
    let candidates = BTreeMap::from([
        (a, Candidate { flaw: Some(flaw.clone()), ..candidate("cats", 900) }),
        (b, candidate("cats", 500)),
    ]);

    let verdicts = judged(&candidates, &[pair(a, b)]);

    assert_eq!(rulings(&verdicts), [Ruling::Drop(flaw), keep("cats")]);
}

fn conflict(labels: &[&str]) -> Ruling {
    let labels = labels.iter().map(|label| Label::new(label).unwrap()).collect();
    Ruling::Drop(DropReason::LabelConflict { labels })
}

#[test]
fn a_flawed_copy_under_another_class_contests_the_label() {
    let [a, b, c] = blobs();
    let flaw = flawed();
    let candidates = BTreeMap::from([
        (a, candidate("cats", 900)),
        (b, Candidate { flaw: Some(flaw.clone()), ..candidate("dogs", 30) }),
        (c, candidate("cats", 500)),
    ]);

    let verdicts = judged(&candidates, &[pair(a, b), pair(a, c)]);

    let contested = conflict(&["cats", "dogs"]);
    assert_eq!(rulings(&verdicts), [contested.clone(), Ruling::Drop(flaw), contested]);
}

#[test]
fn what_was_taken_back_contests_no_label() {
    let [a, b] = blobs();
    let flaw = DropReason::TakenBack { of: a };
    let candidates = BTreeMap::from([
        (a, candidate("cats", 900)),
        (b, Candidate { flaw: Some(flaw.clone()), ..candidate("dogs", 700) }),
    ]);

    let verdicts = judged(&candidates, &[pair(a, b)]);

    assert_eq!(rulings(&verdicts), [keep("cats"), Ruling::Drop(flaw)]);
}

#[test]
fn a_picture_near_two_keepers_of_two_classes_spares_the_one_of_its_own() {
    let [cat, between, dog] = blobs();
    let candidates = BTreeMap::from([
        (cat, candidate("cats", 900)),
        (between, candidate("cats", 300)),
        (dog, candidate("dogs", 800)),
    ]);

    let verdicts = judged(&candidates, &[pair(cat, between), pair(between, dog)]);

    let contested = conflict(&["cats", "dogs"]);
    assert_eq!(rulings(&verdicts), [keep("cats"), contested.clone(), contested]);
}

/// Pictures of few sizes and classes, some flawed, and which of them are twins.
#[derive(Clone, Debug)]
struct Album {
    candidates: BTreeMap<BlobId, Candidate>,
    pairs: Vec<TwinPair>,
}

fn album() -> impl Strategy<Value = Album> {
    let picture = (0..3_u32, 0..2_usize, 0..8_u8).prop_map(|(size, class, fate)| {
        let sound = candidate(["cats", "dogs"][class], size);
        match fate {
            0 => Candidate { flaw: Some(flawed()), ..sound },
            1 => Candidate { flaw: Some(DropReason::TakenBack { of: blobs::<1>()[0] }), ..sound },
            2.. => sound,
        }
    });
    let links = prop::collection::vec((0..24_usize, 0..24_usize, 0..3_u16, 0..3_u32), 0..24);
    (prop::collection::vec(picture, 24), links).prop_map(|(pictures, links)| {
        let ids = blobs::<24>();
        let mut pairs = BTreeMap::new();
        for (one, other, similarity, distance) in links {
            if one != other {
                let (a, b) = (ids[one.min(other)], ids[one.max(other)]);
                let similarity = Similarity(900 + similarity);
                pairs.insert((a, b), TwinPair { a, b, distance: Distance(distance), similarity });
            }
        }
        let candidates = ids.into_iter().zip(pictures).collect();
        Album { candidates, pairs: pairs.into_values().collect() }
    })
}

proptest! {
    #[test]
    fn every_twin_that_is_dropped_names_a_kept_one(album in album()) {
        let verdicts = judged(&album.candidates, &album.pairs);

        for (blob, verdict) in &verdicts {
            if let Ruling::Drop(DropReason::Twin { of, .. }) = verdict.ruling {
                let is_kept = matches!(verdicts[&of].ruling, Ruling::Keep { .. });
                prop_assert!(is_kept);
                let are_twins = |it: &TwinPair| {
                    (it.a, it.b) == (*blob, of) || (it.a, it.b) == (of, *blob)
                };
                prop_assert!(album.pairs.iter().any(are_twins));
                prop_assert_eq!(
                    &album.candidates[blob].labels,
                    &album.candidates[&of].labels
                );
            }
        }
    }

    #[test]
    fn no_two_twins_are_both_kept(album in album()) {
        let verdicts = judged(&album.candidates, &album.pairs);

        let is_kept = |blob| matches!(verdicts[blob].ruling, Ruling::Keep { .. });
        for pair in &album.pairs {
            prop_assert!(!(is_kept(&pair.a) && is_kept(&pair.b)));
        }
    }

    #[test]
    fn twins_of_two_classes_are_both_left_out(album in album()) {
        let verdicts = judged(&album.candidates, &album.pairs);

        let label = |blob| &album.candidates[blob].labels;
        let is_conflict = |blob: &BlobId| {
            matches!(verdicts[blob].ruling, Ruling::Drop(DropReason::LabelConflict { .. }))
        };
        let flaw = |blob| album.candidates[blob].flaw.as_ref();
        let is_witness = |blob| !matches!(flaw(blob), Some(DropReason::TakenBack { .. }));
        for TwinPair { a, b, .. } in &album.pairs {
            if label(a) != label(b) && is_witness(a) && is_witness(b) {
                prop_assert!(is_conflict(a) || flaw(a).is_some());
                prop_assert!(is_conflict(b) || flaw(b).is_some());
            }
        }
    }

    #[test]
    fn the_order_of_pairs_changes_no_verdict(
        (album, shuffled) in album().prop_flat_map(|album| {
            let pairs = Just(album.pairs.clone()).prop_shuffle();
            (Just(album), pairs)
        }),
    ) {
        let swapped: Vec<TwinPair> =
            shuffled.into_iter().map(|pair| TwinPair { a: pair.b, b: pair.a, ..pair }).collect();

        prop_assert_eq!(
            judged(&album.candidates, &album.pairs),
            judged(&album.candidates, &swapped)
        );
    }

    #[test]
    fn a_picture_that_is_added_changes_no_verdict_outside_its_component(
        (album, added) in (album(), 0..24_usize),
    ) {
        let added = blobs::<24>()[added];
        let mut before = album.clone();
        before.candidates.remove(&added);
        before.pairs.retain(|pair| pair.a != added && pair.b != added);

        let after = judged(&album.candidates, &album.pairs);

        for (blob, verdict) in judged(&before.candidates, &before.pairs) {
            if after[&blob].leak_group != after[&added].leak_group {
                prop_assert_eq!(&verdict, &after[&blob]);
            }
        }
    }
}
