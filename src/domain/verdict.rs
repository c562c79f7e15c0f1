//! Which pictures stay, and why the others do not.
//!
//! Twins are grouped by star around a kept picture, not by chains: a chain of weak links joins
//! strangers. The wider components only decide what must share a side of the split.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::{
    fingerprint::{Distance, Similarity},
    flaws::Flaw,
    id::{BlobId, Label},
};

/// The decision about one blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub ruling: Ruling,
    /// The smallest blob of the component of pictures that must share a side of the split.
    pub leak_group: BlobId,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    Keep { label: Label },
    Drop(DropReason),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// Another picture shows the same and is the better copy.
    Twin { of: BlobId, distance: Distance, similarity: Similarity },
    /// The picture, or a twin of it, was posted under several classes.
    LabelConflict { labels: BTreeSet<Label> },
    /// It shows a picture of a post that was deleted.
    TakenBack { of: BlobId },
    /// The picture alone is not good enough.
    Flawed(Flaw),
}

/// What is known of one candidate picture before it is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub labels: BTreeSet<Label>,
    pub worth: Worth,
    /// Why the picture alone is not good enough, if it is not.
    pub flaw: Option<DropReason>,
}

/// Which of two twins is the better copy: larger shorter side, higher score, earlier post.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Worth {
    pub shorter_side_px: u32,
    pub score: i64,
    pub created_utc: Reverse<Option<i64>>,
}

/// Two pictures that show the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TwinPair {
    pub a: BlobId,
    pub b: BlobId,
    pub distance: Distance,
    pub similarity: Similarity,
}

/// Judges every picture at once, independently of the order they arrived in.
///
/// Best copies first (a total order), each picture is kept unless it is the twin of a kept one.
/// A star whose pictures were posted under more than one class is a conflict as a whole.
pub fn decide(
    candidates: &BTreeMap<BlobId, Candidate>,
    pairs: &[TwinPair],
) -> BTreeMap<BlobId, Verdict> {
    let sound = |blob: &BlobId| candidates.get(blob).is_some_and(|it| it.flaw.is_none());
    let mut twins: BTreeMap<BlobId, Vec<(BlobId, Distance, Similarity)>> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| sound(&pair.a) && sound(&pair.b)) {
        twins.entry(pair.a).or_default().push((pair.b, pair.distance, pair.similarity));
        twins.entry(pair.b).or_default().push((pair.a, pair.distance, pair.similarity));
    }
    let groups = components(candidates.keys(), pairs.iter().map(|pair| (pair.a, pair.b)));

    let mut order: Vec<&BlobId> = candidates.keys().filter(|blob| sound(blob)).collect();
    order.sort_by_key(|blob| (Reverse(&candidates[*blob].worth), **blob));
    let mut keepers = BTreeSet::new();
    let mut star_of = BTreeMap::new();
    for blob in order {
        let nearest = twins.get(blob).and_then(|near| {
            near.iter()
                .filter(|(twin, ..)| keepers.contains(twin))
                .min_by_key(|(twin, distance, similarity)| (Reverse(*similarity), *distance, *twin))
        });
        match nearest {
            Some(&near) => {
                star_of.insert(*blob, near);
            }
            None => {
                keepers.insert(*blob);
            }
        }
    }

    let mut labels_of_star: BTreeMap<BlobId, BTreeSet<Label>> = BTreeMap::new();
    for blob in candidates.keys().filter(|blob| sound(blob)) {
        let keeper = star_of.get(blob).map_or(*blob, |(keeper, ..)| *keeper);
        labels_of_star.entry(keeper).or_default().extend(candidates[blob].labels.iter().cloned());
    }

    let ruling = |blob: &BlobId, candidate: &Candidate| {
        if let Some(flaw) = &candidate.flaw {
            return Ruling::Drop(flaw.clone());
        }
        let star = star_of.get(blob);
        let labels = &labels_of_star[&star.map_or(*blob, |(keeper, ..)| *keeper)];
        match (labels.first(), star) {
            (Some(label), None) if labels.len() == 1 => Ruling::Keep { label: label.clone() },
            (Some(_), Some(&(of, distance, similarity))) if labels.len() == 1 => {
                Ruling::Drop(DropReason::Twin { of, distance, similarity })
            }
            _ => Ruling::Drop(DropReason::LabelConflict { labels: labels.clone() }),
        }
    };
    candidates
        .iter()
        .map(|(blob, candidate)| {
            let verdict = Verdict { ruling: ruling(blob, candidate), leak_group: groups[blob] };
            (*blob, verdict)
        })
        .collect()
}

/// Names every blob's connected component by its smallest member.
pub fn components<'a>(
    blobs: impl Iterator<Item = &'a BlobId>,
    edges: impl Iterator<Item = (BlobId, BlobId)>,
) -> BTreeMap<BlobId, BlobId> {
    let mut parent: BTreeMap<BlobId, BlobId> = blobs.map(|blob| (*blob, *blob)).collect();
    for (a, b) in edges {
        if parent.contains_key(&a) && parent.contains_key(&b) {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent.insert(a.max(b), a.min(b));
        }
    }
    let blobs: Vec<BlobId> = parent.keys().copied().collect();
    blobs.into_iter().map(|blob| (blob, root(&mut parent, blob))).collect()
}

/// Finds the representative of `blob` and shortens the way to it.
fn root(parent: &mut BTreeMap<BlobId, BlobId>, blob: BlobId) -> BlobId {
    let mut top = blob;
    while parent[&top] != top {
        top = parent[&top];
    }
    let mut at = blob;
    while parent[&at] != top {
        at = parent.insert(at, top).expect("every blob on the way has a parent");
    }
    top
}

impl DropReason {
    /// Returns the short name reports count by.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Twin { .. } => "twin",
            Self::LabelConflict { .. } => "label conflict",
            Self::TakenBack { .. } => "taken back",
            Self::Flawed(flaw) => flaw.measure.row().kind,
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twin { of, distance, similarity } => {
                write!(f, "twin of {}, distance {distance} of 256, {similarity} alike", of.short())
            }
            Self::LabelConflict { labels } => {
                let labels: Vec<&str> = labels.iter().map(Label::as_str).collect();
                write!(f, "label conflict: posted as {}", labels.join(" and "))
            }
            Self::TakenBack { of } => {
                write!(f, "shows {}, a picture of a deleted post", of.short())
            }
            Self::Flawed(flaw) => flaw.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
