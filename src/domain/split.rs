//! Which side of the dataset each picture is on: stratified, grouped, and sticky.
//!
//! Groups of pictures that belong together go to one side together. What the lock holds never
//! moves; new groups fill the largest deficit of their classes, big groups first, equals in an
//! order drawn from the seed. So the result depends on the set of pictures and the lock alone.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::id::{BlobId, Label};

mod fill;
mod rule;

pub use rule::{
    Counts, Cuts, Folds, Mode, NotAPercentage, NotARule, NotCuts, NotFolds, NotShares, Percent,
    Rule, Shares, Tiny,
};

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

/// What the lock remembers of a picture: its part of the dataset or, where there are folds, which
/// of them it is in. Written `train`, `val`, `test`, `fold-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Side {
    Part(Split),
    /// Counted from 0.
    Fold(u8),
}

impl Side {
    pub const TRAIN: Self = Self::Part(Split::Train);
    pub const VAL: Self = Self::Part(Split::Val);
    pub const TEST: Self = Self::Part(Split::Test);

    /// Returns what a group goes by that was put on several sides: test before val before train,
    /// as what was tested stays unseen; of two folds the first, so that the answer never changes.
    fn rank(self) -> (u8, Reverse<u8>) {
        let rank = match self {
            Self::Part(Split::Train) => 0,
            Self::Fold(_) => 1,
            Self::Part(Split::Val) => 2,
            Self::Part(Split::Test) => 3,
        };
        let fold = if let Self::Fold(fold) = self { fold } else { 0 };
        (rank, Reverse(fold))
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(split) => split.fmt(f),
            Self::Fold(fold) => write!(f, "fold-{fold}"),
        }
    }
}

/// The text is neither a part of a dataset nor a fold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no side of a split: train, val, test or fold-0 and so on")]
pub struct NotASide(String);

impl FromStr for Side {
    type Err = NotASide;

    fn from_str(text: &str) -> Result<Self, NotASide> {
        let part = Split::ALL.into_iter().find(|split| split.name() == text).map(Self::Part);
        let fold = || text.strip_prefix("fold-")?.parse().ok().map(Self::Fold);
        part.or_else(fold).ok_or_else(|| NotASide(text.to_owned()))
    }
}

impl From<Side> for String {
    fn from(side: Side) -> Self {
        side.to_string()
    }
}

impl TryFrom<String> for Side {
    type Error = NotASide;

    fn try_from(text: String) -> Result<Self, NotASide> {
        text.parse()
    }
}

/// Where one kept picture went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    In(Split),
    /// The lock has members of its group on several sides; this one is on a lesser side.
    Leak {
        locked: Side,
        group_is_in: Side,
        /// The first picture of its group that is there.
        of: BlobId,
    },
    /// Its class has fewer groups than the dataset has parts, and such classes are left out.
    TooFew {
        groups: u32,
    },
}

impl Placement {
    /// Tells why the picture is left out, `leak:<picture>` or `tiny-class`; `None` if it is not.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::In(_) => None,
            Self::Leak { of, .. } => Some(format!("leak:{}", of.short())),
            Self::TooFew { .. } => Some("tiny-class".to_owned()),
        }
    }
}

/// Which side each picture, kept or dropped, was put on in earlier runs.
pub type Lock = BTreeMap<BlobId, Side>;

/// One picture to place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The smallest picture of those that must be on one side together.
    pub group: BlobId,
    /// The class of a kept picture.
    pub label: Option<Label>,
    /// When it was first shown, in seconds since 1970-01-01 UTC, where the rule goes by time.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shown_at: Option<i64>,
}

impl Member {
    /// Makes a member of no date.
    pub fn new(group: BlobId, label: Option<Label>) -> Self {
        Self { group, label, shown_at: None }
    }
}

/// Where everything went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Of every kept picture.
    pub placements: BTreeMap<BlobId, Placement>,
    /// The fold of every placed picture outside test; empty where the rule makes no folds.
    pub folds: BTreeMap<BlobId, u8>,
    /// What keeps all of it there.
    pub lock: Lock,
}

/// The pictures cannot be split as they should be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitFault {
    #[error("class `{label}` has {groups} groups of pictures for {parts} parts of the dataset")]
    TinyClass { label: Label, groups: u32, parts: usize },
    #[error("the lock has {blob} in {side}, which this way of splitting does not know", blob = .blob.short())]
    ForeignSide { blob: BlobId, side: Side },
}

/// All pictures that must be on one side together.
#[derive(Default)]
struct Group {
    members: Vec<BlobId>,
    /// Kept pictures by class; classes are numbered.
    counts: BTreeMap<usize, u32>,
    shown_at: Option<i64>,
    /// The side the lock has it on.
    locked: Option<Side>,
}

/// Places every kept picture and returns the lock that keeps it there.
pub fn decide(
    members: &BTreeMap<BlobId, Member>,
    lock: &Lock,
    rule: &Rule,
    seed: u64,
) -> Result<Decision, SplitFault> {
    if let Some((blob, side)) = lock.iter().find(|(_, side)| !rule.mode().knows(**side)) {
        return Err(SplitFault::ForeignSide { blob: *blob, side: *side });
    }
    let parts = rule.mode().sides();
    // Dates alone decide where they are given, however small a class is.
    let is_by_size = !matches!(rule.mode(), Mode::Cuts(_));
    let tiny = if is_by_size { tiny_classes(members, parts.len()) } else { BTreeMap::new() };
    if let (Tiny::Error, Some((label, groups))) = (rule.tiny(), tiny.first_key_value()) {
        let (label, groups, parts) = ((*label).clone(), *groups, parts.len());
        return Err(SplitFault::TinyClass { label, groups, parts });
    }
    let left_out = if rule.tiny() == Tiny::Drop { tiny } else { BTreeMap::new() };
    let groups = group(members, lock, &left_out);
    let sides = fill::fill(&groups, rule, seed);
    Ok(settle(members, lock, &left_out, (&groups, &sides), rule.mode()))
}

/// Finds the classes with fewer groups than there are parts, each with their number.
fn tiny_classes(members: &BTreeMap<BlobId, Member>, n_parts: usize) -> BTreeMap<&Label, u32> {
    let pairs: BTreeSet<(&Label, BlobId)> = members
        .values()
        .filter_map(|member| member.label.as_ref().map(|label| (label, member.group)))
        .collect();
    let mut counts: BTreeMap<&Label, u32> = BTreeMap::new();
    for (label, _) in pairs {
        *counts.entry(label).or_default() += 1;
    }
    let is_tiny = |n: u32| usize::try_from(n).is_ok_and(|n| n < n_parts);
    counts.retain(|_, n| is_tiny(*n));
    counts
}

/// Gathers the groups; pictures that are left out for any reason are members but not counted.
fn group(
    members: &BTreeMap<BlobId, Member>,
    lock: &Lock,
    left_out: &BTreeMap<&Label, u32>,
) -> BTreeMap<BlobId, Group> {
    let mut groups: BTreeMap<BlobId, Group> = BTreeMap::new();
    for (blob, member) in members {
        let group = groups.entry(member.group).or_default();
        group.members.push(*blob);
        if let Some(side) = lock.get(blob)
            && group.locked.is_none_or(|known| known.rank() < side.rank())
        {
            group.locked = Some(*side);
        }
        // What was shown before a date was known then, whoever showed it again.
        group.shown_at = match (group.shown_at, member.shown_at) {
            (Some(known), Some(other)) => Some(known.min(other)),
            (known, other) => known.or(other),
        };
    }
    let labels: BTreeMap<&Label, usize> = members
        .values()
        .filter_map(|member| member.label.as_ref())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .zip(0..)
        .collect();
    for (blob, member) in members {
        let Some(label) = &member.label else { continue };
        let group = groups.get_mut(&member.group).expect("every member has a group");
        let is_evicted = group.locked.is_some_and(|side| is_evicted(lock, blob, side));
        if !is_evicted && !left_out.contains_key(label) {
            *group.counts.entry(labels[label]).or_default() += 1;
        }
    }
    groups
}

/// Writes the sides of the groups onto their members.
fn settle(
    members: &BTreeMap<BlobId, Member>,
    lock: &Lock,
    left_out: &BTreeMap<&Label, u32>,
    (groups, sides): (&BTreeMap<BlobId, Group>, &BTreeMap<BlobId, Side>),
    mode: Mode,
) -> Decision {
    let mut decision = Decision { lock: lock.clone(), ..Decision::default() };
    for (blob, member) in members {
        if let Some(groups) = member.label.as_ref().and_then(|label| left_out.get(label)) {
            decision.placements.insert(*blob, Placement::TooFew { groups: *groups });
        }
        let Some(&side) = sides.get(&member.group) else { continue };
        let locked = *decision.lock.entry(*blob).or_insert(side);
        if member.label.is_none() || decision.placements.contains_key(blob) {
            continue;
        }
        // Whoever came later is counted as well, so that a rebuild names the same picture.
        let mut others = groups[&member.group].members.iter();
        let of = others.find(|other| !is_evicted(lock, other, side));
        let placement = match of {
            Some(of) if locked != side => Placement::Leak { locked, group_is_in: side, of: *of },
            Some(_) | None => Placement::In(mode.split(side)),
        };
        if let (Placement::In(_), Side::Fold(fold)) = (placement, side) {
            decision.folds.insert(*blob, fold);
        }
        decision.placements.insert(*blob, placement);
    }
    decision
}

fn is_evicted(lock: &Lock, blob: &BlobId, side: Side) -> bool {
    lock.get(blob).is_some_and(|locked| *locked != side)
}

#[cfg(test)]
mod tests;
