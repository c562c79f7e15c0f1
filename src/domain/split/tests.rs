use proptest::prelude::*;

use super::*;

fn blob(n: u32) -> BlobId {
    BlobId::of(&n.to_le_bytes())
}

fn label(n: u32) -> Label {
    Label::new(["cats", "dogs", "fish"][n as usize % 3]).unwrap()
}

/// Single pictures `range`, of `n_classes` classes in turn.
fn singles(range: std::ops::Range<u32>, n_classes: u32) -> BTreeMap<BlobId, Member> {
    range.map(|n| (blob(n), Member { group: blob(n), label: Some(label(n % n_classes)) })).collect()
}

fn count(placements: &BTreeMap<BlobId, Placement>, split: Split) -> usize {
    placements.values().filter(|placement| **placement == Placement::In(split)).count()
}

#[test]
fn shares_are_met_to_the_picture() {
    let (placements, _) = decide(&singles(0..200, 2), &Lock::new(), Shares::default(), 7);

    assert_eq!(Split::ALL.map(|split| count(&placements, split)), [140, 30, 30]);
}

#[test]
fn three_pictures_reach_all_three_splits() {
    let (placements, _) = decide(&singles(0..3, 1), &Lock::new(), Shares::default(), 7);

    assert_eq!(Split::ALL.map(|split| count(&placements, split)), [1, 1, 1]);
}

#[test]
fn two_pictures_are_both_for_training() {
    let (placements, _) = decide(&singles(0..2, 1), &Lock::new(), Shares::default(), 7);

    assert_eq!(Split::ALL.map(|split| count(&placements, split)), [2, 0, 0]);
}

#[test]
fn a_picture_that_bridges_test_and_train_evicts_the_training_side() {
    let [train, test, bridge] = [0, 1, 2].map(blob);
    let lock = Lock::from([(train, Split::Train), (test, Split::Test)]);
    let member = Member { group: train, label: Some(label(0)) };
    let members = [train, test, bridge].map(|blob| (blob, member.clone()));

    let (placements, new_lock) = decide(&members.into(), &lock, Shares::default(), 7);

    let leak = Placement::Leak { locked: Split::Train, group_is_in: Split::Test };
    let test_side = Placement::In(Split::Test);
    assert_eq!(placements, BTreeMap::from([(train, leak), (test, test_side), (bridge, test_side)]));
    assert_eq!(new_lock[&train], Split::Train, "the lock never changes what it holds");
}

#[test]
fn a_dropped_twin_passes_its_side_to_the_better_copy_that_replaces_it() {
    let [old, better] = [0, 1].map(blob);
    let lock = Lock::from([(old, Split::Val)]);
    let members = BTreeMap::from([
        (old, Member { group: old, label: None }),
        (better, Member { group: old, label: Some(label(0)) }),
    ]);

    let (placements, _) = decide(&members, &lock, Shares::default(), 7);

    assert_eq!(placements, BTreeMap::from([(better, Placement::In(Split::Val))]));
}

#[test]
fn shares_must_be_a_whole_with_something_to_train_on() {
    assert_eq!(
        Shares::new(0, 50, 50).unwrap_err().to_string(),
        "train (0) + val (50) + test (50) must be 100, and train at least 1"
    );
    assert!(Shares::new(70, 20, 20).is_err());
}

proptest! {
    #[test]
    fn nothing_locked_moves_and_no_group_straddles(
        n_old in 1_u32..150, n_new in 0_u32..60, group_size in 1_u32..5, seed: u64,
    ) {
        let grouped = |range: std::ops::Range<u32>| -> BTreeMap<BlobId, Member> {
            range
                .map(|n| (blob(n), Member {
                    group: blob(n - n % group_size),
                    label: Some(label(n)),
                }))
                .collect()
        };
        let (first, lock) = decide(&grouped(0..n_old), &Lock::new(), Shares::default(), seed);

        let all = grouped(0..n_old + n_new);
        let (second, new_lock) = decide(&all, &lock, Shares::default(), seed);

        for (blob, placement) in &first {
            prop_assert_eq!(&second[blob], placement);
        }
        for (blob, member) in &all {
            prop_assert_eq!(&second[blob], &second[&all.keys().find(|it| all[*it].group == member.group).copied().unwrap()]);
        }
        let (rebuilt, same_lock) = decide(&all, &new_lock, Shares::default(), seed);
        prop_assert_eq!(rebuilt, second);
        prop_assert_eq!(same_lock, new_lock);
    }
}
