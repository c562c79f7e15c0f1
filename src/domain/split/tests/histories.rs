//! Datasets that grow, shrink and are bridged at random, and what must hold after every step.

use proptest::prelude::*;

use super::*;
use crate::domain::random::{Purpose, Random};

/// What happens to the dataset between two runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// This many percent of the largest size come to every class.
    Grow(usize),
    /// This many percent of all pictures go.
    Shrink(usize),
    /// This many new pictures show what two groups show.
    Bridge(usize),
}

struct Picture {
    blob: BlobId,
    class: usize,
    group: usize,
    is_kept: bool,
    shown_at: i64,
}

/// Whether pictures ever went or gave way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Past {
    HasGrown,
    HasLost,
}

/// How pictures come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// One by one.
    Singles,
    /// One group in five has two to four pictures, and one in a hundred is of two classes.
    Groups,
    /// Half of them are of an author who was there before, whatever class that one showed.
    Authors,
}

/// More pictures than these take too long.
pub(super) const PICTURES_MAX: usize = 12_000;

/// The pictures there are, and which of their groups have become one.
pub(super) struct World {
    random: Random,
    crowd: Crowd,
    n_made: u32,
    /// The size each class grows up to.
    sizes: Vec<usize>,
    pictures: Vec<Picture>,
    joined: Vec<usize>,
}

impl World {
    pub(super) fn new(n_classes: usize, crowd: Crowd, n_max: usize, seed: u64) -> Self {
        let mut random = Random::new(seed, Purpose::Order);
        let mut sizes: Vec<usize> = Vec::new();
        for _ in 0..n_classes {
            // As many classes below 30 as from 300 to 3,000.
            let size = 3.0 * (10_000.0_f32 / 3.0).powf(random.unit());
            let size = (3_u16..=10_000).find(|n| size <= f32::from(*n)).map_or(10_000, usize::from);
            let room = n_max.saturating_sub(sizes.iter().sum());
            sizes.push(size.min(room.max(3)));
        }
        Self { random, crowd, n_made: 0, sizes, pictures: Vec::new(), joined: Vec::new() }
    }

    fn add(&mut self, class: usize, group: usize) {
        self.n_made += 1;
        let is_kept = self.random.below(20) != 0;
        // Later pictures are mostly newer, and no two are of one moment.
        let days = self.random.below(400) + usize::try_from(self.n_made).unwrap() / 10;
        let shown_at = i64::try_from(days).unwrap() * 86_400 + i64::from(self.n_made);
        self.pictures.push(Picture { blob: blob(self.n_made), class, group, is_kept, shown_at });
    }

    fn new_group(&mut self) -> usize {
        self.joined.push(self.joined.len());
        self.joined.len() - 1
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Grow(percent) => {
                for class in 0..self.sizes.len() {
                    let n_due = (self.sizes[class] * percent).div_ceil(100);
                    let mut n = 0;
                    while n < n_due {
                        let is_known = self.crowd == Crowd::Authors
                            && !self.joined.is_empty()
                            && self.random.below(2) == 0;
                        let group = if is_known {
                            self.random.below(self.joined.len())
                        } else {
                            self.new_group()
                        };
                        let is_crowd = self.crowd == Crowd::Groups;
                        let size = match self.random.below(5) {
                            0 if is_crowd => 2 + self.random.below(3),
                            _ => 1,
                        };
                        for _ in 0..size {
                            self.add(class, group);
                        }
                        if is_crowd && self.random.below(100) == 0 {
                            // An author who shows things of two classes.
                            let other = self.random.below(self.sizes.len());
                            self.add(other, group);
                        }
                        n += size;
                    }
                }
            }
            Step::Shrink(percent) => {
                let mut kept = Vec::new();
                for picture in std::mem::take(&mut self.pictures) {
                    if percent <= self.random.below(100) {
                        kept.push(picture);
                    }
                }
                self.pictures = kept;
            }
            Step::Bridge(n) => {
                for _ in 0..n.min(self.pictures.len()) {
                    let any = |random: &mut Random, of: &[Picture]| random.below(of.len());
                    let a = any(&mut self.random, &self.pictures);
                    let b = any(&mut self.random, &self.pictures);
                    let (class, a, b) =
                        (self.pictures[a].class, self.pictures[a].group, self.pictures[b].group);
                    self.add(class, a);
                    let (a, b) = (self.root(a), self.root(b));
                    self.joined[a.max(b)] = a.min(b);
                }
            }
        }
    }

    fn root(&self, mut group: usize) -> usize {
        while self.joined[group] != group {
            group = self.joined[group];
        }
        group
    }

    pub(super) fn members(&self) -> BTreeMap<BlobId, Member> {
        let mut least: BTreeMap<usize, BlobId> = BTreeMap::new();
        for it in &self.pictures {
            let least = least.entry(self.root(it.group)).or_insert(it.blob);
            *least = it.blob.min(*least);
        }
        let labels: Vec<Label> = (0..30).map(label).collect();
        let member = |it: &Picture| {
            let label = it.is_kept.then(|| labels[it.class].clone());
            let group = least[&self.root(it.group)];
            (it.blob, Member { group, label, shown_at: Some(it.shown_at) })
        };
        self.pictures.iter().map(member).collect()
    }
}

/// Pictures of one class: how many are in each split, and how many of them are new; how many
/// groups it has, and how many of them the lock knew nothing of.
#[derive(Debug, Default)]
struct Tally {
    have: BTreeMap<Split, u32>,
    came: BTreeMap<Split, u32>,
    groups: BTreeSet<BlobId>,
    /// Those that show no other class: two classes can need one group on two sides.
    own_groups: BTreeSet<BlobId>,
    /// Each with its pictures of the class.
    free_groups: BTreeMap<BlobId, u32>,
}

fn tallies<'a>(
    members: &'a BTreeMap<BlobId, Member>,
    lock: &Lock,
    decision: &Decision,
) -> BTreeMap<&'a Label, Tally> {
    let bound: BTreeSet<BlobId> = members
        .iter()
        .filter(|(blob, _)| lock.contains_key(*blob))
        .map(|(_, member)| member.group)
        .collect();
    let mut shown: BTreeMap<BlobId, BTreeSet<&Label>> = BTreeMap::new();
    for member in members.values() {
        shown.entry(member.group).or_default().extend(&member.label);
    }
    let mut tallies: BTreeMap<&Label, Tally> = BTreeMap::new();
    for (blob, placement) in &decision.placements {
        let member = &members[blob];
        let tally = tallies.entry(member.label.as_ref().unwrap()).or_default();
        let Placement::In(split) = placement else { continue };
        *tally.have.entry(*split).or_default() += 1;
        tally.groups.insert(member.group);
        if shown[&member.group].len() == 1 {
            tally.own_groups.insert(member.group);
        }
        if !bound.contains(&member.group) {
            *tally.came.entry(*split).or_default() += 1;
            *tally.free_groups.entry(member.group).or_default() += 1;
        }
    }
    tallies
}

/// Nothing locked moves but for evictions that are told, and no group straddles.
fn check_places(
    members: &BTreeMap<BlobId, Member>,
    before: &Decision,
    after: &Decision,
) -> Result<u32, TestCaseError> {
    for (blob, side) in &before.lock {
        prop_assert_eq!(after.lock.get(blob), Some(side));
    }
    let mut sides: BTreeMap<BlobId, Split> = BTreeMap::new();
    let mut n_evicted = 0;
    for (blob, placement) in &after.placements {
        let member = &members[blob];
        match placement {
            Placement::In(split) => {
                let first = *sides.entry(member.group).or_insert(*split);
                prop_assert_eq!(first, *split, "group {:?} straddles", member.group);
                prop_assert_eq!(after.lock[blob], Side::Part(*split));
            }
            Placement::Leak { locked, group_is_in, of } => {
                n_evicted += 1;
                prop_assert!(locked < group_is_in, "{} gives way to {}", locked, group_is_in);
                prop_assert_eq!(before.lock[blob], *locked);
                prop_assert_eq!(after.lock[of], *group_is_in);
                prop_assert_eq!(members[of].group, member.group);
            }
            Placement::TooFew { .. } => prop_assert!(false, "nothing is dropped here"),
        }
    }
    let n_kept = members.values().filter(|member| member.label.is_some()).count();
    prop_assert_eq!(after.placements.len(), n_kept);
    Ok(n_evicted)
}

/// Every class is in every split and within half a percent of its shares, or, where pictures went
/// or gave way, what came went where something was lacking.
fn check_shares(tallies: &BTreeMap<&Label, Tally>, past: Past) -> Result<(), TestCaseError> {
    for (label, tally) in tallies {
        let n = f64::from(tally.have.values().sum::<u32>());
        let n_lacking = Split::ALL.iter().filter(|it| !tally.have.contains_key(it)).count();
        if past == Past::HasLost {
            let n_lacking_before =
                Split::ALL.iter().filter(|it| tally.have.get(it) == tally.came.get(it)).count();
            let is_free = |group: &&BlobId| tally.free_groups.contains_key(*group);
            let n_free = tally.own_groups.iter().filter(is_free).count();
            let is_able = 3 <= tally.groups.len() && n_lacking_before <= n_free;
            prop_assert!(n_lacking == 0 || !is_able, "{label}: {tally:?}");
        } else {
            prop_assert!(n_lacking == 0 || tally.own_groups.len() < 3, "{label}: {tally:?}");
        }
        if n < 100.0 {
            continue;
        }
        for split in Split::ALL {
            let have = f64::from(tally.have.get(&split).copied().unwrap_or_default());
            let target = n * f64::from(Shares::default().of(split)) / 100.0;
            // A picture is more than half a percent of fewer than 200, and what comes in groups to
            // locked pictures can be off by half a group more.
            let is_fresh = tally.groups.len() == tally.free_groups.len();
            let largest = tally.free_groups.values().max().copied().unwrap_or(1);
            let grain = if is_fresh { 1 } else { largest };
            let reach = (n * 0.005).max(0.5 + f64::from(grain) / 2.0);
            let is_near = (have - target).abs() <= reach;
            let came = tally.came.get(&split).copied().unwrap_or_default();
            let is_helpless = past == Past::HasLost && (have < target || came == 0);
            prop_assert!(is_near || is_helpless, "{label}: {have} in {split}, of {n}; {came} came");
        }
    }
    Ok(())
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_usize..40).prop_map(Step::Grow),
        1 => (1_usize..30).prop_map(Step::Shrink),
        1 => (1_usize..20).prop_map(Step::Bridge),
    ]
}

fn live(mut world: World, first: usize, steps: &[Step], seed: u64) -> Result<(), TestCaseError> {
    let mut before = Decision::default();
    let mut past = Past::HasGrown;
    let steps = [Step::Grow(first)].into_iter().chain(steps.iter().copied());
    for step in steps {
        world.take(step);
        if !matches!(step, Step::Grow(_)) {
            past = Past::HasLost;
        }
        let members = world.members();
        let after = decide(&members, &before.lock, &Rule::default(), seed).unwrap();

        let n_evicted = check_places(&members, &before, &after)?;
        prop_assert!(
            n_evicted == 0 || past == Past::HasLost,
            "nothing was bridged, {n_evicted} gave way"
        );
        check_shares(&tallies(&members, &before.lock, &after), past)?;
        let rebuilt = decide(&members, &after.lock, &Rule::default(), seed).unwrap();
        prop_assert!(rebuilt == after, "a rebuild differs");
        before = after;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn no_history_moves_a_picture_or_parts_a_group(
        n_classes in 1_usize..=30,
        first in 1_usize..=100,
        steps in prop::collection::vec(step(), 1..6),
        seed: u64,
    ) {
        live(World::new(n_classes, Crowd::Groups, PICTURES_MAX, seed), first, &steps, seed)?;
    }

    #[test]
    fn growth_one_by_one_keeps_every_share_to_the_picture(
        n_classes in 1_usize..=30,
        steps in prop::collection::vec((1_usize..40).prop_map(Step::Grow), 1..6),
        seed: u64,
    ) {
        live(World::new(n_classes, Crowd::Singles, PICTURES_MAX, seed), 20, &steps, seed)?;
    }
}
