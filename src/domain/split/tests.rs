use super::*;
use crate::domain::day::Day;

mod histories;
mod modes;

fn blob(n: u32) -> BlobId {
    BlobId::of(&n.to_le_bytes())
}

fn label(n: u32) -> Label {
    Label::new(&format!("class-{n}")).unwrap()
}

fn single(n: u32, class: u32) -> (BlobId, Member) {
    (blob(n), Member::new(blob(n), Some(label(class))))
}

/// Single pictures `range`, of `n_classes` classes in turn.
fn singles(range: std::ops::Range<u32>, n_classes: u32) -> BTreeMap<BlobId, Member> {
    range.map(|n| single(n, n % n_classes)).collect()
}

/// Single pictures of one class, number n shown n days after 1970.
fn dated(range: std::ops::Range<u32>) -> BTreeMap<BlobId, Member> {
    let mut members = singles(range.clone(), 1);
    for n in range {
        members.get_mut(&blob(n)).unwrap().shown_at = Some(i64::from(n) * 86_400);
    }
    members
}

fn rule(mode: Mode) -> Rule {
    Rule::new(mode, Tiny::default()).unwrap()
}

fn fold_rule(n: u8, val: u8, holdout: u8) -> Rule {
    rule(Mode::Folds(Folds::new(n, val, Percent::try_from(holdout).unwrap()).unwrap()))
}

fn decided(members: &BTreeMap<BlobId, Member>, rule: Rule) -> Decision {
    decide(members, &Lock::new(), &rule, 7).unwrap()
}

fn count(decision: &Decision, split: Split) -> usize {
    decision.placements.values().filter(|it| **it == Placement::In(split)).count()
}

/// How many are in train, val and test.
fn counts(decision: &Decision) -> [usize; 3] {
    Split::ALL.map(|split| count(decision, split))
}

#[test]
fn shares_are_met_to_the_picture() {
    assert_eq!(counts(&decided(&singles(0..200, 2), Rule::default())), [140, 30, 30]);
}

#[test]
fn three_pictures_reach_all_three_splits() {
    assert_eq!(counts(&decided(&singles(0..3, 1), Rule::default())), [1, 1, 1]);
}

#[test]
fn three_groups_reach_all_three_splits_however_large_they_are() {
    let groups = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 20];
    let members = (0..21).zip(groups);
    let members =
        members.map(|(n, group)| (blob(n), Member::new(blob(group), Some(label(0))))).collect();

    let found = counts(&decided(&members, Rule::default()));

    assert!(found.iter().all(|n| 0 < *n), "{found:?}");
}

#[test]
fn a_class_that_comes_one_by_one_reaches_every_split_with_its_third_picture() {
    let mut lock = Lock::new();
    let mut found = Vec::new();
    for n in 1..4 {
        let decision = decide(&singles(0..n, 1), &lock, &Rule::default(), 7).unwrap();
        found.push(counts(&decision));
        lock = decision.lock;
    }

    assert_eq!(found[0], [1, 0, 0]);
    assert_eq!(found[2], [1, 1, 1]);
}

#[test]
fn a_class_gets_what_is_its_alone_where_another_needed_the_shared_group_elsewhere() {
    let member = |n, group, class| (blob(n), Member::new(blob(group), Some(label(class))));
    // Class 0 lacks val and test, and class 1 lacks train and has nothing but a shared group.
    let mut members = BTreeMap::from([member(0, 0, 0), member(1, 1, 1), member(2, 2, 1)]);
    let lock = Lock::from([(blob(0), Side::TRAIN), (blob(1), Side::VAL), (blob(2), Side::TEST)]);
    members.extend([member(10, 10, 0), member(11, 10, 0), member(12, 10, 0)]);
    members.extend([member(20, 20, 0), member(21, 20, 1), member(30, 30, 0)]);

    let decision = decide(&members, &lock, &Rule::default(), 7).unwrap();

    for class in [0, 1] {
        let is_of = |blob: &BlobId| members[blob].label == Some(label(class));
        let sides: BTreeSet<Side> =
            decision.lock.iter().filter(|(blob, _)| is_of(blob)).map(|(_, side)| *side).collect();
        assert_eq!(sides, BTreeSet::from([Side::TRAIN, Side::VAL, Side::TEST]), "class {class}");
    }
}

#[test]
fn a_tiny_class_goes_where_its_policy_says() {
    let mut members = singles(0..30, 1);
    members.extend([single(30, 1), single(31, 1)]);
    let of = |tiny| decide(&members, &Lock::new(), &Rule::new(Mode::default(), tiny).unwrap(), 7);
    let tiny = |decision: &Decision| [30, 31].map(|n| decision.placements[&blob(n)]);

    let spread = of(Tiny::Spread).unwrap();
    let train_only = of(Tiny::TrainOnly).unwrap();
    let dropped = of(Tiny::Drop).unwrap();

    let is_in_train = |it: &&Placement| **it == Placement::In(Split::Train);
    assert_eq!(tiny(&spread).iter().filter(is_in_train).count(), 1);
    assert_eq!(tiny(&train_only), [Placement::In(Split::Train); 2]);
    assert_eq!(tiny(&dropped), [Placement::TooFew { groups: 2 }; 2]);
    assert!(!dropped.lock.contains_key(&blob(30)), "it may come back anywhere");
    let fault = SplitFault::TinyClass { label: label(1), groups: 2, parts: 3 };
    assert_eq!(of(Tiny::Error), Err(fault));
}

#[test]
fn a_picture_that_bridges_test_and_train_evicts_the_training_side() {
    let [train, test, bridge] = [0, 1, 2].map(blob);
    let lock = Lock::from([(train, Side::TRAIN), (test, Side::TEST)]);
    let member = Member::new(train, Some(label(0)));
    let members = [train, test, bridge].map(|blob| (blob, member.clone()));

    let decision = decide(&members.into(), &lock, &Rule::default(), 7).unwrap();

    let leak = Placement::Leak { locked: Side::TRAIN, group_is_in: Side::TEST, of: test };
    assert_eq!(leak.reason(), Some(format!("leak:{}", test.short())));
    let test_side = Placement::In(Split::Test);
    let expected = BTreeMap::from([(train, leak), (test, test_side), (bridge, test_side)]);
    assert_eq!(decision.placements, expected);
    assert_eq!(decision.lock[&train], Side::TRAIN, "the lock never changes what it holds");
}

#[test]
fn a_picture_that_bridges_two_folds_leaves_the_first_as_it_is() {
    let lock = Lock::from([(blob(0), Side::Fold(2)), (blob(1), Side::Fold(1))]);
    let members = [0, 1, 2].map(|n| (blob(n), Member::new(blob(0), Some(label(0)))));

    let decision = decide(&members.into(), &lock, &fold_rule(3, 0, 0), 7).unwrap();

    let leak = Placement::Leak { locked: Side::Fold(2), group_is_in: Side::Fold(1), of: blob(1) };
    assert_eq!(decision.placements[&blob(0)], leak);
    assert_eq!(decision.folds, BTreeMap::from([(blob(1), 1), (blob(2), 1)]));
}

#[test]
fn a_dropped_twin_passes_its_side_to_the_better_copy_that_replaces_it() {
    let [old, better] = [0, 1].map(blob);
    let lock = Lock::from([(old, Side::VAL)]);
    let members =
        BTreeMap::from([(old, Member::new(old, None)), (better, Member::new(old, Some(label(0))))]);

    let decision = decide(&members, &lock, &Rule::default(), 7).unwrap();

    assert_eq!(decision.placements, BTreeMap::from([(better, Placement::In(Split::Val))]));
}

#[test]
fn counts_are_met_in_every_class_and_the_rest_is_for_training() {
    let mut members = singles(0..600, 3);
    members.extend((600..640).map(|n| single(n, 3)));
    let fixed = rule(Mode::Counts(Counts { val: 50, test: 20 }));

    let decision = decided(&members, fixed);

    let of = |class: u32, split| {
        let is_here = |(blob, placement): &(&BlobId, &Placement)| {
            members[*blob].label == Some(label(class)) && **placement == Placement::In(split)
        };
        decision.placements.iter().filter(is_here).count()
    };
    for class in 0..3 {
        assert_eq!(Split::ALL.map(|split| of(class, split)), [130, 50, 20]);
    }
    // Too small for 70: half of it is for training, and val and test keep their proportion.
    assert_eq!(Split::ALL.map(|split| of(3, split)), [20, 14, 6]);
}

#[test]
fn every_picture_is_in_one_fold_and_every_class_evenly_in_all() {
    let members = singles(0..310, 3);

    let decision = decided(&members, fold_rule(5, 2, 10));

    let mut found: BTreeMap<(&Label, u8), u32> = BTreeMap::new();
    for (blob, fold) in &decision.folds {
        *found.entry((members[blob].label.as_ref().unwrap(), *fold)).or_default() += 1;
        let expected = if *fold == 2 { Split::Val } else { Split::Train };
        assert_eq!(decision.placements[blob], Placement::In(expected));
    }
    assert_eq!(found.len(), 15);
    assert!(found.values().all(|n| (18..=19).contains(n)), "{found:?}");
    assert_eq!(count(&decision, Split::Test) + decision.folds.len(), 310);
    assert!((30..=33).contains(&count(&decision, Split::Test)));
}

#[test]
fn another_fold_for_val_leaves_every_picture_in_its_fold() {
    let members = singles(0..100, 2);
    let first = decided(&members, fold_rule(5, 0, 0));

    let second = decide(&members, &first.lock, &fold_rule(5, 4, 0), 7).unwrap();

    assert_eq!((second.lock, second.folds), (first.lock, first.folds));
    assert_eq!(counts(&Decision { placements: second.placements, ..Decision::default() })[1], 20);
}

#[test]
fn a_lock_of_another_way_of_splitting_is_refused() {
    let lock = Lock::from([(blob(0), Side::Fold(4))]);
    for rule in [Rule::default(), fold_rule(4, 0, 0)] {
        let fault = SplitFault::ForeignSide { blob: blob(0), side: Side::Fold(4) };
        assert_eq!(decide(&singles(0..9, 1), &lock, &rule, 7), Err(fault));
    }
    let lock = Lock::from([(blob(0), Side::TRAIN)]);
    assert!(decide(&singles(0..9, 1), &lock, &fold_rule(4, 0, 0), 7).is_err());
}

#[test]
fn the_newest_pictures_are_tested_on_and_the_oldest_learned_from() {
    let newest = rule(Mode::Newest(Shares::default()));

    let decision = decided(&dated(0..100), newest);

    let expected = |n: u32| match n {
        85.. => Split::Test,
        70..85 => Split::Val,
        _ => Split::Train,
    };
    for n in 0..100 {
        assert_eq!(decision.placements[&blob(n)], Placement::In(expected(n)), "picture {n}");
    }
    let grown = decide(&dated(0..120), &decision.lock, &newest, 7).unwrap();
    assert_eq!(counts(&grown), [84, 18, 18]);
    assert_eq!(grown.placements[&blob(119)], Placement::In(Split::Test));
    assert_eq!(grown.placements[&blob(100)], Placement::In(Split::Train));
}

#[test]
fn of_a_tiny_class_the_newest_is_tested_on_and_one_is_left_to_learn_from() {
    let newest = rule(Mode::Newest(Shares::default()));
    assert_eq!(
        [1, 2, 3].map(|n| counts(&decided(&dated(0..n), newest))),
        [[1, 0, 0], [1, 0, 1], [1, 1, 1]]
    );
}

#[test]
fn days_cut_the_dataset_and_a_group_is_as_old_as_its_first_picture() {
    let day = |n: i64| Day::of(n * 86_400);
    let cuts = rule(Mode::Cuts(Cuts::new(Some(day(10)), day(20)).unwrap()));
    let mut members = dated(0..30);
    members.get_mut(&blob(29)).unwrap().group = blob(3);
    members.get_mut(&blob(3)).unwrap().group = blob(3);
    members.extend([single(30, 0)]);

    let decision = decided(&members, cuts);

    assert_eq!(counts(&decision), [12, 10, 9]);
    for n in [3, 9, 29, 30] {
        assert_eq!(decision.placements[&blob(n)], Placement::In(Split::Train), "picture {n}");
    }
    assert_eq!(decision.placements[&blob(10)], Placement::In(Split::Val));
    assert_eq!(decision.placements[&blob(20)], Placement::In(Split::Test));
}

#[test]
fn a_rule_that_makes_no_sense_says_why() {
    let told = |error: &dyn fmt::Display| error.to_string();
    assert_eq!(
        told(&Shares::new(0, 50, 50).unwrap_err()),
        "train (0) + val (50) + test (50) must be 100, and train at least 1"
    );
    assert!(Shares::new(70, 20, 20).is_err());
    let none = Percent::default();
    assert_eq!(told(&Folds::new(1, 0, none).unwrap_err()), "folds = 1: use 2 to 100");
    assert_eq!(
        told(&Folds::new(5, 5, none).unwrap_err()),
        "val_fold = 5: of 5 folds, the first is 0 and the last 4"
    );
    let late = Cuts::new(Some(Day::of(86_400)), Day::of(0)).unwrap_err();
    assert_eq!(told(&late), "val from 1970-01-02 on must begin before test, from 1970-01-01 on");
    let folds = Mode::Folds(Folds::new(5, 0, none).unwrap());
    assert_eq!(Rule::new(folds, Tiny::TrainOnly), Err(NotARule));
}

#[test]
fn a_side_reads_as_it_is_written() {
    for side in [Side::TRAIN, Side::VAL, Side::TEST, Side::Fold(0), Side::Fold(99)] {
        assert_eq!(side.to_string().parse(), Ok(side));
    }
    assert!("fold-x".parse::<Side>().is_err());
}
