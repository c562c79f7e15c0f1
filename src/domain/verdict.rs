//! Which pictures stay, and why the others do not.
//!
//! Twins are grouped by star around a kept picture, not by chains: a chain of weak links joins
//! strangers. The wider components only decide what must share a side of the split.
//!
//! A verdict depends on the pictures of its component and on no other, nor on any order. Who is
//! dropped as a twin names a picture that is kept.

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

type Near = (BlobId, Distance, Similarity);

/// Judges every picture at once, independently of the order they arrived in.
///
/// Best copies first (a total order), each sound picture is kept unless it is the twin of a kept
/// one. A label is contested where twins were posted under different classes:
///
/// - a picture whose own label a direct twin contradicts is in conflict, and so are the twins
///   grouped around it, which show the same;
/// - a picture near two kept ones of two classes is in conflict with the one of the other class,
///   and the one of its own class stays: nothing that shows the same says otherwise of it;
/// - a flawed copy is never kept, but what it was posted as counts: a tiny picture under another
///   class contests the label of the large one. Only what was taken back bears no witness.
pub fn decide(
    candidates: &BTreeMap<BlobId, Candidate>,
    pairs: &[TwinPair],
) -> BTreeMap<BlobId, Verdict> {
    let known = |blob: &BlobId| candidates.contains_key(blob);
    let mut twins: BTreeMap<BlobId, Vec<Near>> = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| known(&pair.a) && known(&pair.b)) {
        twins.entry(pair.a).or_default().push((pair.b, pair.distance, pair.similarity));
        twins.entry(pair.b).or_default().push((pair.a, pair.distance, pair.similarity));
    }
    let keepers = keepers(candidates, &twins);
    let labels: BTreeMap<BlobId, BTreeSet<Label>> = candidates
        .keys()
        .filter(|blob| candidates[*blob].flaw.is_none())
        .map(|blob| (*blob, witnessed(blob, candidates, &twins)))
        .collect();
    let ruling = |blob: &BlobId, candidate: &Candidate| {
        if let Some(flaw) = &candidate.flaw {
            return Ruling::Drop(flaw.clone());
        }
        let keeper = keepers[blob];
        let mut contested = labels[blob].clone();
        if let Some((keeper, ..)) = keeper {
            contested.extend(labels[&keeper].iter().cloned());
        }
        match (contested.pop_first(), keeper) {
            (Some(label), None) if contested.is_empty() => Ruling::Keep { label },
            (Some(_), Some((of, distance, similarity))) if contested.is_empty() => {
                Ruling::Drop(DropReason::Twin { of, distance, similarity })
            }
            (first, _) => {
                contested.extend(first);
                Ruling::Drop(DropReason::LabelConflict { labels: contested })
            }
        }
    };
    let groups = components(candidates.keys(), pairs.iter().map(|pair| (pair.a, pair.b)));
    candidates
        .iter()
        .map(|(blob, candidate)| {
            let verdict = Verdict { ruling: ruling(blob, candidate), leak_group: groups[blob] };
            (*blob, verdict)
        })
        .collect()
}

/// Finds for each sound picture the best copy it gives way to: of all twins that give way to
/// nobody the most alike. `None` is a picture that gives way to nobody itself.
fn keepers(
    candidates: &BTreeMap<BlobId, Candidate>,
    twins: &BTreeMap<BlobId, Vec<Near>>,
) -> BTreeMap<BlobId, Option<Near>> {
    let mut order: Vec<(&BlobId, &Candidate)> =
        candidates.iter().filter(|(_, candidate)| candidate.flaw.is_none()).collect();
    order.sort_by_key(|(blob, candidate)| (Reverse(&candidate.worth), **blob));
    let mut keepers: BTreeMap<BlobId, Option<Near>> = BTreeMap::new();
    for (blob, _) in order {
        let keeper = twins
            .get(blob)
            .into_iter()
            .flatten()
            .filter(|(twin, ..)| keepers.get(twin) == Some(&None))
            .min_by_key(|(twin, distance, similarity)| (Reverse(*similarity), *distance, *twin));
        keepers.insert(*blob, keeper.copied());
    }
    keepers
}

/// Gathers what a picture and its direct twins were posted as.
fn witnessed(
    blob: &BlobId,
    candidates: &BTreeMap<BlobId, Candidate>,
    twins: &BTreeMap<BlobId, Vec<Near>>,
) -> BTreeSet<Label> {
    let direct = twins.get(blob).into_iter().flatten().map(|(twin, ..)| &candidates[twin]);
    let witnesses = direct.filter(|twin| !matches!(twin.flaw, Some(DropReason::TakenBack { .. })));
    let labels = witnesses.flat_map(|twin| &twin.labels).chain(&candidates[blob].labels);
    labels.cloned().collect()
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
