//! Every way of splitting, over random histories: shares, fixed numbers, folds, by time.

use proptest::prelude::*;

use super::{
    histories::{Crowd, Step, World, step},
    *,
};

/// More pictures than these take too long for all ways.
const PICTURES_MAX: usize = 4000;

/// A way of splitting, in plain numbers.
#[derive(Clone, Copy, Debug)]
enum Way {
    Ratio(Shares),
    Newest(Shares),
    Counts {
        val: u32,
        test: u32,
    },
    Folds {
        n: u8,
        val: u8,
        holdout: u8,
    },
    /// Days after 1970.
    Cuts {
        val: i64,
        test: i64,
    },
}

impl Way {
    fn rule(self) -> Rule {
        let day = |n: i64| Day::of(n * 86_400);
        match self {
            Self::Ratio(shares) => rule(Mode::Ratio(shares)),
            Self::Newest(shares) => rule(Mode::Newest(shares)),
            Self::Counts { val, test } => rule(Mode::Counts(Counts { val, test })),
            Self::Folds { n, val, holdout } => fold_rule(n, val, holdout),
            Self::Cuts { val, test } => {
                rule(Mode::Cuts(Cuts::new(Some(day(val)), day(test)).unwrap()))
            }
        }
    }

    /// Returns what each side should have of n pictures.
    fn wanted(self, n: u32) -> BTreeMap<Side, f64> {
        let n = f64::from(n);
        let parts = |val: f64, test: f64| {
            BTreeMap::from([(Side::TRAIN, n - val - test), (Side::VAL, val), (Side::TEST, test)])
        };
        match self {
            Self::Ratio(shares) | Self::Newest(shares) => {
                let of = |split| n * f64::from(shares.of(split)) / 100.0;
                parts(of(Split::Val), of(Split::Test))
            }
            Self::Counts { val, test } if f64::from(val + test) < n => {
                parts(f64::from(val), f64::from(test))
            }
            // Half is for training, and the other half goes by the numbers.
            Self::Counts { val, test } => {
                let half = n / 2.0 / f64::from(val + test);
                parts(f64::from(val) * half, f64::from(test) * half)
            }
            Self::Folds { n: n_folds, holdout, .. } => {
                let test = n * f64::from(holdout) / 100.0;
                let fold = |at| (Side::Fold(at), (n - test) / f64::from(n_folds));
                (0..n_folds).map(fold).chain([(Side::TEST, test)]).collect()
            }
            Self::Cuts { .. } => BTreeMap::new(),
        }
    }
}

/// What one side has of one class.
#[derive(Clone, Debug, Default)]
struct Held {
    n: u32,
    /// When those that came with the last step were first shown.
    came: Vec<i64>,
}

/// One class after a step.
#[derive(Debug, Default)]
struct Class {
    sides: BTreeMap<Side, Held>,
    n_groups: usize,
}

impl Class {
    fn n(&self) -> u32 {
        self.sides.values().map(|held| held.n).sum()
    }

    fn held(&self, side: Side) -> Held {
        self.sides.get(&side).cloned().unwrap_or_default()
    }
}

fn classes(
    members: &BTreeMap<BlobId, Member>,
    before: &Lock,
    after: &Decision,
) -> BTreeMap<Label, Class> {
    let mut groups: BTreeSet<(&Label, BlobId)> = BTreeSet::new();
    let mut classes: BTreeMap<Label, Class> = BTreeMap::new();
    for (blob, placement) in &after.placements {
        let member = &members[blob];
        let label = member.label.as_ref().unwrap();
        let class = classes.entry(label.clone()).or_default();
        class.n_groups += usize::from(groups.insert((label, member.group)));
        if let Placement::In(_) = placement {
            let held = class.sides.entry(after.lock[blob]).or_default();
            held.n += 1;
            held.came.extend(member.shown_at.filter(|_| !before.contains_key(blob)));
        }
    }
    classes
}

fn shares() -> impl Strategy<Value = Shares> {
    (5_u8..=30, 5_u8..=30).prop_map(|(val, test)| Shares::new(100 - val - test, val, test).unwrap())
}

fn folds() -> impl Strategy<Value = Way> {
    (2_u8..=10, 0_u8..10, 0_u8..=30).prop_map(|(n, val, holdout)| Way::Folds {
        n,
        val: val % n,
        holdout,
    })
}

fn by_number() -> impl Strategy<Value = Way> {
    (1_u32..300, 1_u32..300).prop_map(|(val, test)| Way::Counts { val, test })
}

fn by_dates() -> impl Strategy<Value = Way> {
    (0_i64..300, 1_i64..300).prop_map(|(val, more)| Way::Cuts { val, test: val + more })
}

fn any_way() -> impl Strategy<Value = Way> {
    prop_oneof![
        shares().prop_map(Way::Ratio),
        shares().prop_map(Way::Newest),
        by_number(),
        folds(),
        by_dates(),
    ]
}

/// What holds whatever comes and goes: the lock stays, groups stay together, the lock makes the
/// same of the same.
fn check_lock(
    members: &BTreeMap<BlobId, Member>,
    rule: Rule,
    before: &Decision,
    after: &Decision,
) -> Result<(), TestCaseError> {
    for (blob, side) in &before.lock {
        prop_assert_eq!(after.lock.get(blob), Some(side));
    }
    let mut sides: BTreeMap<BlobId, Side> = BTreeMap::new();
    for (blob, placement) in &after.placements {
        let (group, locked) = (members[blob].group, after.lock[blob]);
        match placement {
            Placement::In(split) => {
                prop_assert_eq!(*split, rule.mode().split(locked));
                let first = *sides.entry(group).or_insert(locked);
                prop_assert_eq!(first, locked, "group {:?} straddles", group);
                if let Side::Fold(fold) = locked {
                    prop_assert_eq!(after.folds.get(blob), Some(&fold));
                }
            }
            Placement::Leak { locked: own, of, group_is_in } => {
                prop_assert_eq!((before.lock[blob], after.lock[of]), (*own, *group_is_in));
                prop_assert_eq!(members[of].group, group);
            }
            Placement::TooFew { .. } => prop_assert!(false, "nothing is dropped here"),
        }
    }
    let n_kept = members.values().filter(|member| member.label.is_some()).count();
    prop_assert_eq!(after.placements.len(), n_kept);
    let rebuilt = decide(members, &after.lock, &rule, 11).unwrap();
    prop_assert!(rebuilt == *after, "a rebuild with the lock differs");
    Ok(())
}

/// What holds while single pictures come and none goes: every class that can be is on every side,
/// and nothing comes to a side that has its number.
fn check_numbers(way: Way, classes: &BTreeMap<Label, Class>) -> Result<(), TestCaseError> {
    let sides = way.rule().mode().sides();
    for (label, class) in classes {
        let n_lacking = sides.iter().filter(|side| class.held(**side).n == 0).count();
        prop_assert!(n_lacking == 0 || class.n_groups < sides.len(), "{label}: {class:?}");
        for (side, target) in way.wanted(class.n()) {
            let Held { n: have, came } = class.held(side);
            let (have, reach) = (f64::from(have), (f64::from(class.n()) * 0.005).max(1.0));
            prop_assert!(
                have <= target.max(1.0) + reach || came.is_empty(),
                "{label}: {} came to {side}, which has {have} of {target}",
                came.len()
            );
            let is_steady = !matches!(way, Way::Counts { .. });
            let is_near = (have - target).abs() <= reach;
            prop_assert!(
                !is_steady || class.n() < 100 || is_near,
                "{label}: {have} of {target} in {side}"
            );
        }
    }
    Ok(())
}

/// Of the pictures that came together, those of test are newer than those of val, and those newer
/// than those of train.
fn check_order(classes: &BTreeMap<Label, Class>) -> Result<(), TestCaseError> {
    for (label, class) in classes {
        let came = |side| class.held(side).came;
        for (older, newer) in [(Side::TRAIN, Side::VAL), (Side::VAL, Side::TEST)] {
            if let (Some(last), Some(first)) =
                (came(older).into_iter().max(), came(newer).into_iter().min())
            {
                prop_assert!(last < first, "{label}: {last} in {older}, {first} in {newer}");
            }
        }
    }
    Ok(())
}

fn growth() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((1_usize..60).prop_map(Step::Grow), 1..5)
}

/// Lets single pictures come and checks the numbers after each step.
fn grow(
    mut world: World,
    steps: &[Step],
    way: Way,
    check: impl Fn(&BTreeMap<Label, Class>, &Lock) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let rule = way.rule();
    let mut before = Decision::default();
    for step in steps {
        world.take(*step);
        let members = world.members();
        let after = decide(&members, &before.lock, &rule, 11).unwrap();
        check_lock(&members, rule, &before, &after)?;
        let classes = classes(&members, &before.lock, &after);
        check_numbers(way, &classes)?;
        check(&classes, &before.lock)?;
        before = after;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_way_of_splitting_moves_what_it_placed_or_parts_a_group(
        n_classes in 1_usize..=30,
        by_author: bool,
        steps in prop::collection::vec(step(), 1..6),
        way in any_way(),
        seed: u64,
    ) {
        let crowd = if by_author { Crowd::Authors } else { Crowd::Groups };
        let mut world = World::new(n_classes, crowd, PICTURES_MAX, seed);
        let rule = way.rule();
        let mut before = Decision::default();
        for step in [Step::Grow(30)].into_iter().chain(steps) {
            world.take(step);
            let members = world.members();
            let after = decide(&members, &before.lock, &rule, 11).unwrap();
            check_lock(&members, rule, &before, &after)?;
            before = after;
        }
    }

    #[test]
    fn every_side_gets_its_number_and_no_more(
        n_classes in 1_usize..=30,
        steps in growth(),
        way in prop_oneof![shares().prop_map(Way::Ratio), by_number(), folds()],
        seed: u64,
    ) {
        let world = World::new(n_classes, Crowd::Singles, PICTURES_MAX, seed);
        grow(world, &steps, way, |_, _| Ok(()))?;
    }

    #[test]
    fn the_newest_that_come_are_for_test_and_the_next_for_val(
        n_classes in 1_usize..=30,
        steps in growth(),
        shares in shares(),
        seed: u64,
    ) {
        let world = World::new(n_classes, Crowd::Singles, PICTURES_MAX, seed);
        grow(world, &steps, Way::Newest(shares), |classes, before| {
            // Later a class may lack what came too old to be of its newest.
            if before.is_empty() { check_order(classes) } else { Ok(()) }
        })?;
    }

    #[test]
    fn dates_alone_decide_where_they_are_asked(
        n_classes in 1_usize..=30,
        steps in growth(),
        way in by_dates(),
        seed: u64,
    ) {
        let mut world = World::new(n_classes, Crowd::Singles, PICTURES_MAX, seed);
        let Way::Cuts { val, test } = way else { unreachable!() };
        for step in steps {
            world.take(step);
            let members = world.members();
            let decision = decide(&members, &Lock::new(), &way.rule(), 11).unwrap();
            for (blob, placement) in &decision.placements {
                let at = members[blob].shown_at.unwrap();
                let is_from = |day: i64| day * 86_400 <= at;
                let expected = match (is_from(val), is_from(test)) {
                    (_, true) => Split::Test,
                    (true, false) => Split::Val,
                    (false, false) => Split::Train,
                };
                prop_assert_eq!(*placement, Placement::In(expected));
            }
        }
    }
}

#[test]
fn a_class_of_ten_thousand_and_one_of_three_get_their_numbers_in_every_way() {
    let shares = Shares::new(80, 10, 10).unwrap();
    for way in [
        Way::Ratio(shares),
        Way::Newest(shares),
        Way::Folds { n: 5, val: 2, holdout: 10 },
        Way::Counts { val: 1000, test: 500 },
    ] {
        let mut members = dated(0..10_000);
        members.extend((10_000..10_003).map(|n| {
            let (blob, member) = single(n, 1);
            (blob, Member { shown_at: Some(i64::from(n)), ..member })
        }));
        let is_first = |blob: &BlobId| blob.as_bytes()[0] < 128;
        let half = members.iter().filter(|(blob, _)| is_first(blob));
        let half = half.map(|(blob, member)| (*blob, member.clone())).collect();

        let first = decide(&half, &Lock::new(), &way.rule(), 11).unwrap();
        let second = decide(&members, &first.lock, &way.rule(), 11).unwrap();

        check_lock(&members, way.rule(), &first, &second).unwrap();
        check_numbers(way, &classes(&members, &first.lock, &second)).unwrap();
    }
}
