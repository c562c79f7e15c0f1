//! New groups → the sides that lack them.
//!
//! With d pictures of a class missing on a side, a group with n of them changes the squared error
//! of that side by n² − 2nd. As n² is the same on every side, the group goes where the sum of
//! n·d is largest, with errors taken as shares of each class. A class that lacks a side and cannot
//! spare a group goes before that sum. Where a group of two classes was wanted on two sides, the
//! class that went without is given one of the groups that are its alone.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{Group, Mode, Rule, Side, Tiny};
use crate::domain::id::BlobId;

/// What the sides should hold and do, by class and then by side.
struct Board {
    sides: Vec<Side>,
    classes: Vec<Class>,
}

#[derive(Clone, Default)]
struct Class {
    n_pictures: u32,
    n_groups: u32,
    /// Groups without a side so far.
    n_due: u32,
    targets: Vec<f64>,
    have: Vec<u32>,
}

/// Finds a side for every group that has one in the lock or a picture to count.
pub(super) fn fill(
    groups: &BTreeMap<BlobId, Group>,
    rule: &Rule,
    seed: u64,
) -> BTreeMap<BlobId, Side> {
    let mut found = BTreeMap::new();
    let mut board = Board::new(groups, rule.mode());
    let mut fresh: Vec<(BlobId, &Group)> = Vec::new();
    for (id, group) in groups {
        match group.locked {
            Some(side) => {
                board.put(group, side);
                found.insert(*id, side);
            }
            None if group.counts.is_empty() => (),
            None => fresh.push((*id, group)),
        }
    }
    let bulk = |group: &Group| Reverse(group.counts.values().sum::<u32>());
    match rule.mode() {
        Mode::Newest(_) => fresh.sort_by_cached_key(|(id, group)| {
            (Reverse(group.shown_at), bulk(group), keyed(seed, id, None))
        }),
        Mode::Ratio(_) | Mode::Counts(_) | Mode::Folds(_) | Mode::Cuts(_) => {
            fresh.sort_by_cached_key(|(id, group)| (bulk(group), keyed(seed, id, None)));
        }
    }
    for (id, group) in &fresh {
        let side = match rule.mode() {
            Mode::Cuts(cuts) => Side::Part(cuts.split(group.shown_at)),
            _ if rule.tiny() == Tiny::TrainOnly && board.is_tiny(group) => Side::TRAIN,
            Mode::Newest(_) => board.newest(group),
            Mode::Ratio(_) | Mode::Counts(_) | Mode::Folds(_) => {
                board.neediest(group, |side| keyed(seed, id, Some(side)))
            }
        };
        board.put(group, side);
        found.insert(*id, side);
    }
    if !matches!(rule.mode(), Mode::Cuts(_)) {
        board.fill_holes(&fresh, &mut found);
    }
    found
}

impl Board {
    fn new(groups: &BTreeMap<BlobId, Group>, mode: Mode) -> Self {
        let sides = mode.sides();
        let mut classes: Vec<Class> = Vec::new();
        for (&class, &n) in groups.values().flat_map(|group| &group.counts) {
            if classes.len() <= class {
                classes.resize(class + 1, Class::default());
            }
            classes[class].n_pictures += n;
            classes[class].n_groups += 1;
        }
        for class in &mut classes {
            let is_enough = usize::try_from(class.n_groups).is_ok_and(|n| sides.len() <= n);
            let least = if is_enough { 1.0 } else { 0.0 };
            class.targets = mode.targets(f64::from(class.n_pictures), least).unwrap_or_default();
            class.n_due = class.n_groups;
            class.have = vec![0; sides.len()];
        }
        Self { sides, classes }
    }

    fn put(&mut self, group: &Group, side: Side) {
        let at = self.sides.iter().position(|it| *it == side);
        for (&class, n) in &group.counts {
            let class = &mut self.classes[class];
            class.n_due -= 1;
            if let Some(at) = at {
                class.have[at] += n;
            }
        }
    }

    /// Gives each class that lacks a side, though it has as many groups as there are sides, a new
    /// group that is its alone and not the last where it is: the smallest or, by time, the oldest.
    fn fill_holes(&mut self, fresh: &[(BlobId, &Group)], found: &mut BTreeMap<BlobId, Side>) {
        for (number, class) in self.classes.iter_mut().enumerate() {
            let is_enough = usize::try_from(class.n_groups).is_ok_and(|n| self.sides.len() <= n);
            for hole in 0..self.sides.len() {
                if !is_enough || class.have[hole] != 0 {
                    continue;
                }
                let spare = fresh.iter().rev().find_map(|(id, group)| {
                    let n = *group.counts.get(&number).filter(|_| group.counts.len() == 1)?;
                    let from = self.sides.iter().position(|side| *side == found[id])?;
                    (n < class.have[from]).then_some((*id, n, from))
                });
                if let Some((id, n, from)) = spare {
                    class.have[from] -= n;
                    class.have[hole] += n;
                    found.insert(id, self.sides[hole]);
                }
            }
        }
    }

    fn is_tiny(&self, group: &Group) -> bool {
        let is_tiny = |n: u32| usize::try_from(n).is_ok_and(|n| n < self.sides.len());
        group.counts.keys().any(|class| is_tiny(self.classes[*class].n_groups))
    }

    /// Counts the classes of the group that have no picture on a side and no group to spare for it.
    fn n_urgent(&self, group: &Group, at: usize) -> usize {
        let is_urgent = |class: &Class| {
            let n_lacking = class.have.iter().filter(|n| **n == 0).count();
            class.have[at] == 0 && usize::try_from(class.n_due).is_ok_and(|n| n <= n_lacking)
        };
        group.counts.keys().filter(|class| is_urgent(&self.classes[**class])).count()
    }

    /// Returns how much the group helps a side: the sum of n·d, each class by its own size.
    fn help(&self, group: &Group, at: usize) -> f64 {
        let of = |(&class, n): (&usize, &u32)| {
            let class = &self.classes[class];
            let size = f64::from(class.n_pictures);
            f64::from(*n) * (class.targets[at] - f64::from(class.have[at])) / (size * size)
        };
        group.counts.iter().map(of).sum()
    }

    /// Chooses the side that lacks the group most; of equals the last by `key`.
    fn neediest(&self, group: &Group, key: impl Fn(Side) -> [u8; 32]) -> Side {
        let needs = (0..self.sides.len()).map(|at| {
            (self.n_urgent(group, at), self.help(group, at), key(self.sides[at]), self.sides[at])
        });
        let best = needs.max_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| a.1.total_cmp(&b.1)).then_with(|| a.2.cmp(&b.2))
        });
        best.expect("a rule always leaves a training set").3
    }

    /// Chooses for the newest group left: test until it has its share, then val, then train.
    fn newest(&self, group: &Group) -> Side {
        let place = |side: Side| Some((side, self.sides.iter().position(|it| *it == side)?));
        let wanted: Vec<(Side, usize)> =
            [Side::TEST, Side::VAL, Side::TRAIN].into_iter().filter_map(place).collect();
        let n_urgent = |at: usize| self.n_urgent(group, at);
        let most_urgent = wanted.iter().map(|(_, at)| n_urgent(*at)).max().unwrap_or_default();
        let open = || wanted.iter().filter(|(_, at)| n_urgent(*at) == most_urgent);
        let is_last = || group.counts.keys().any(|class| self.classes[*class].n_due == 1);
        let found = if 0 < most_urgent && self.is_tiny(group) {
            // The last group of a tiny class is for training, if no other is.
            open().rfind(|(side, _)| *side == Side::TRAIN && is_last())
        } else {
            // From half a group on it comes nearer to its share with the group than without.
            let size = |(&class, n): (&usize, &u32)| {
                (f64::from(*n) / f64::from(self.classes[class].n_pictures)).powi(2)
            };
            let half = group.counts.iter().map(size).sum::<f64>() / 2.0;
            open().find(|(side, at)| *side == Side::TRAIN || half <= self.help(group, *at))
        };
        found.or_else(|| open().next()).map_or(Side::TRAIN, |(side, _)| *side)
    }
}

/// An order drawn from the seed, the same on every machine.
fn keyed(seed: u64, group: &BlobId, side: Option<Side>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(group.as_bytes());
    hasher.update(side.map(|side| side.to_string()).unwrap_or_default().as_bytes());
    *hasher.finalize().as_bytes()
}
