//! Which side of the dataset each picture is on: stratified, grouped, and sticky.
//!
//! Groups of pictures that show the same go to one side together. What the lock holds never
//! moves; new groups fill the largest deficit of their classes, big groups first, equals in an
//! order drawn from the seed. So the result depends on the set of pictures and the lock alone.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::id::{BlobId, Label};

/// A part of the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    Train,
    Val,
    Test,
}

impl Split {
    pub const ALL: [Self; 3] = [Self::Train, Self::Val, Self::Test];

    /// Returns the folder name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where one kept picture went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    In(Split),
    /// The lock has members of its group on both sides; this one is on the lesser side.
    Leak {
        locked: Split,
        group_is_in: Split,
    },
}

/// Shares of the whole in percent; what `val` and `test` leave is `train`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawShares")]
pub struct Shares {
    train: u8,
    val: u8,
    test: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShares {
    train: u8,
    val: u8,
    test: u8,
}

/// The three shares are not a whole with something to train on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("train ({train}) + val ({val}) + test ({test}) must be 100, and train at least 1")]
pub struct NotShares {
    train: u8,
    val: u8,
    test: u8,
}

impl Shares {
    pub fn new(train: u8, val: u8, test: u8) -> Result<Self, NotShares> {
        let sum = u16::from(train) + u16::from(val) + u16::from(test);
        if sum == 100 && 1 <= train {
            Ok(Self { train, val, test })
        } else {
            Err(NotShares { train, val, test })
        }
    }

    fn of(self, split: Split) -> u8 {
        match split {
            Split::Train => self.train,
            Split::Val => self.val,
            Split::Test => self.test,
        }
    }

    /// Returns the splits that are to hold anything.
    pub fn wanted(self) -> impl Iterator<Item = Split> {
        Split::ALL.into_iter().filter(move |split| 0 < self.of(*split))
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self { train: 70, val: 15, test: 15 }
    }
}

impl TryFrom<RawShares> for Shares {
    type Error = NotShares;

    fn try_from(raw: RawShares) -> Result<Self, NotShares> {
        Self::new(raw.train, raw.val, raw.test)
    }
}

/// Which side each picture, kept or dropped, was put on in earlier runs.
pub type Lock = BTreeMap<BlobId, Split>;

/// One picture to place: its group, and its class if it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub group: BlobId,
    pub label: Option<Label>,
}

/// All pictures that must be on one side together.
#[derive(Default)]
struct Group {
    members: Vec<BlobId>,
    /// Kept pictures by class.
    counts: BTreeMap<Label, u32>,
}

/// Places every kept picture and returns the lock that keeps it there.
pub fn decide(
    members: &BTreeMap<BlobId, Member>,
    lock: &Lock,
    shares: Shares,
    seed: u64,
) -> (BTreeMap<BlobId, Placement>, Lock) {
    let groups = group(members);
    let mut side: BTreeMap<BlobId, Split> = BTreeMap::new();
    let mut have: BTreeMap<(Split, Label), f64> = BTreeMap::new();
    let mut fresh = Vec::new();
    for (id, group) in &groups {
        // Of several locked sides test wins over val over train: what was tested stays unseen.
        match group.members.iter().filter_map(|blob| lock.get(blob)).max() {
            Some(&split) => {
                side.insert(*id, split);
                for blob in &group.members {
                    let label = members[blob].label.as_ref();
                    if let Some(label) = label.filter(|_| !evicted(lock, blob, split)) {
                        *have.entry((split, label.clone())).or_default() += 1.0;
                    }
                }
            }
            None if group.counts.is_empty() => (),
            None => fresh.push((*id, group)),
        }
    }

    let targets = targets(&groups, shares);
    fresh.sort_by_cached_key(|(id, group)| {
        (std::cmp::Reverse(group.counts.values().sum::<u32>()), keyed(seed, id, None))
    });
    for (id, group) in fresh {
        let deficit = |split: Split| -> f64 {
            let of = |(label, n): (&Label, &u32)| {
                let key = (split, label.clone());
                f64::from(*n) * (targets[&key] - have.get(&key).copied().unwrap_or(0.0))
            };
            group.counts.iter().map(of).sum()
        };
        let best = shares.wanted().max_by(|a, b| {
            deficit(*a)
                .total_cmp(&deficit(*b))
                .then_with(|| keyed(seed, &id, Some(*a)).cmp(&keyed(seed, &id, Some(*b))))
        });
        let split = best.expect("shares always leave a training set");
        side.insert(id, split);
        for (label, n) in &group.counts {
            *have.entry((split, label.clone())).or_default() += f64::from(*n);
        }
    }
    settle(members, lock, &side)
}

/// Writes the sides of the groups onto their members.
fn settle(
    members: &BTreeMap<BlobId, Member>,
    lock: &Lock,
    side: &BTreeMap<BlobId, Split>,
) -> (BTreeMap<BlobId, Placement>, Lock) {
    let mut placements = BTreeMap::new();
    let mut new_lock = lock.clone();
    for (blob, member) in members {
        let Some(&split) = side.get(&member.group) else { continue };
        let locked = *new_lock.entry(*blob).or_insert(split);
        if member.label.is_some() {
            let placement = if evicted(lock, blob, split) {
                Placement::Leak { locked, group_is_in: split }
            } else {
                Placement::In(split)
            };
            placements.insert(*blob, placement);
        }
    }
    (placements, new_lock)
}

fn evicted(lock: &Lock, blob: &BlobId, split: Split) -> bool {
    lock.get(blob).is_some_and(|locked| *locked != split)
}

fn group(members: &BTreeMap<BlobId, Member>) -> BTreeMap<BlobId, Group> {
    let mut groups: BTreeMap<BlobId, Group> = BTreeMap::new();
    for (blob, member) in members {
        let group = groups.entry(member.group).or_default();
        group.members.push(*blob);
        if let Some(label) = &member.label {
            *group.counts.entry(label.clone()).or_default() += 1;
        }
    }
    groups
}

/// How many pictures of each class each split should hold. A class with at least as many groups
/// as there are splits gets at least one picture in each.
fn targets(groups: &BTreeMap<BlobId, Group>, shares: Shares) -> BTreeMap<(Split, Label), f64> {
    let mut sizes: BTreeMap<&Label, (f64, usize)> = BTreeMap::new();
    for (label, n) in groups.values().flat_map(|group| &group.counts) {
        let (n_pictures, n_groups) = sizes.entry(label).or_default();
        *n_pictures += f64::from(*n);
        *n_groups += 1;
    }
    let mut targets = BTreeMap::new();
    for (label, (n_pictures, n_groups)) in sizes {
        let least = if shares.wanted().count() <= n_groups { 1.0 } else { 0.0 };
        let mut rest = n_pictures;
        for split in [Split::Val, Split::Test] {
            let share = f64::from(shares.of(split)) / 100.0;
            let target = if share == 0.0 { 0.0 } else { (share * n_pictures).max(least) };
            targets.insert((split, label.clone()), target);
            rest -= target;
        }
        targets.insert((Split::Train, label.clone()), rest);
    }
    targets
}

/// An order drawn from the seed, the same on every machine.
fn keyed(seed: u64, group: &BlobId, split: Option<Split>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).update(group.as_bytes());
    hasher.update(split.map_or("", Split::name).as_bytes());
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests;
