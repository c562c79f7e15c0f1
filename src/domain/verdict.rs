//! Which pictures stay, and why the others do not.
//!
//! Twins are grouped by star around a kept picture, not by chains: a chain of weak links joins
//! strangers. The wider components only decide what must share a side of the split.
//!
//! A verdict depends on the pictures of its component, what people said of them, and on nothing
//! else, nor on any order. Who is dropped as a twin names a picture that is kept.

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
    review::{
        Reviews, Ruled,
        reasons::{self, About},
    },
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
    /// A person said that it does not belong.
    Reviewed { reason: String },
    /// A person said of a twin, which shows the same, that it does not belong.
    TwinOfRejected { of: BlobId, reason: String, distance: Distance, similarity: Similarity },
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
///
/// What people said comes before all of that, and only what was taken back is out whatever they
/// said:
///
/// - *reject*: the picture is dropped, and what it was posted as is no witness. Where the reason
///   speaks of what is shown ([`About::Subject`]), its direct twins are dropped with it and are no
///   witnesses either, unless somebody decided about them; where it speaks of the copy, the next
///   best one takes its place;
/// - *keep*: no flaw drops it, and if it was posted under one class only, a person gave it that
///   label. Of twins that are all good still only the best stays;
/// - *relabel*: no flaw drops it, and a person gave it this label, whatever it was posted as;
/// - a label that a person gave to a picture settles what it and its direct twins show: for them
///   only such labels are witnesses. Several of them that differ are a conflict again;
/// - *keeper*: it comes before all twins that are not keepers, whatever its worth. No flaw is
///   lifted by that;
/// - *not twins*: there is no such pair, neither here nor in the groups that share a side.
///
/// What is said of pictures that are no candidates is passed over: they may come back.
pub fn decide(
    candidates: &BTreeMap<BlobId, Candidate>,
    pairs: &[TwinPair],
    reviews: &Reviews,
) -> BTreeMap<BlobId, Verdict> {
    let mut twins: BTreeMap<BlobId, Vec<Near>> = BTreeMap::new();
    let pairs: Vec<&TwinPair> = pairs
        .iter()
        .filter(|it| candidates.contains_key(&it.a) && candidates.contains_key(&it.b))
        .filter(|it| !reviews.are_strangers(it.a, it.b))
        .collect();
    for pair in &pairs {
        twins.entry(pair.a).or_default().push((pair.b, pair.distance, pair.similarity));
        twins.entry(pair.b).or_default().push((pair.a, pair.distance, pair.similarity));
    }
    let mut album = Album { candidates, reviews, twins, struck: BTreeMap::new() };
    album.struck = album.twins_of_rejected();
    let keepers = album.keepers();
    let labels: BTreeMap<BlobId, BTreeSet<Label>> =
        keepers.keys().map(|blob| (*blob, album.witnessed(blob))).collect();
    let ruling = |blob: &BlobId| {
        if let Some(fault) = album.fault(blob) {
            return Ruling::Drop(fault);
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
        .keys()
        .map(|blob| (*blob, Verdict { ruling: ruling(blob), leak_group: groups[blob] }))
        .collect()
}

/// All pictures with what people said of them.
struct Album<'a> {
    candidates: &'a BTreeMap<BlobId, Candidate>,
    reviews: &'a Reviews,
    twins: BTreeMap<BlobId, Vec<Near>>,
    /// The rejected twin of each picture that is out because of what it shows.
    struck: BTreeMap<BlobId, Near>,
}

impl Album<'_> {
    fn twins_of(&self, blob: &BlobId) -> impl Iterator<Item = &Near> {
        self.twins.get(blob).into_iter().flatten()
    }

    fn is_taken_back(&self, blob: &BlobId) -> bool {
        matches!(self.candidates[blob].flaw, Some(DropReason::TakenBack { .. }))
    }

    /// Returns what a person said of a picture; nothing of what was taken back.
    fn ruled(&self, blob: &BlobId) -> Option<&Ruled> {
        self.reviews.pictures.get(blob).filter(|_| !self.is_taken_back(blob))
    }

    /// Finds the pictures nobody decided about that show what a person rejected, each with the
    /// rejected picture most alike.
    fn twins_of_rejected(&self) -> BTreeMap<BlobId, Near> {
        let mut struck: BTreeMap<BlobId, Near> = BTreeMap::new();
        for (rejected, ruled) in &self.reviews.pictures {
            let is_about_subject = match ruled {
                Ruled::Reject { reason } => reasons::about(reason) == About::Subject,
                Ruled::Keep | Ruled::Relabel { .. } => false,
            };
            if !is_about_subject
                || !self.candidates.contains_key(rejected)
                || self.is_taken_back(rejected)
            {
                continue;
            }
            for (twin, distance, similarity) in self.twins_of(rejected) {
                if self.reviews.has_decided(twin) {
                    continue;
                }
                let near = (*rejected, *distance, *similarity);
                let held = struck.entry(*twin).or_insert(near);
                if nearest(&near) < nearest(held) {
                    *held = near;
                }
            }
        }
        struck
    }

    /// Tells why a picture is out, whatever its twins are and were posted as.
    fn fault(&self, blob: &BlobId) -> Option<DropReason> {
        match self.ruled(blob) {
            Some(Ruled::Reject { reason }) => Some(DropReason::Reviewed { reason: reason.clone() }),
            Some(Ruled::Keep | Ruled::Relabel { .. }) => None,
            None => self.candidates[blob].flaw.clone().or_else(|| self.struck_by(blob)),
        }
    }

    fn struck_by(&self, blob: &BlobId) -> Option<DropReason> {
        let (of, distance, similarity) = *self.struck.get(blob)?;
        let Some(Ruled::Reject { reason }) = self.reviews.pictures.get(&of) else { return None };
        let reason = reason.clone();
        Some(DropReason::TwinOfRejected { of, reason, distance, similarity })
    }

    /// Finds for each sound picture the best copy it gives way to: of all twins that give way to
    /// nobody the most alike. `None` is a picture that gives way to nobody itself.
    fn keepers(&self) -> BTreeMap<BlobId, Option<Near>> {
        let sound = self.candidates.iter().filter(|(blob, _)| self.fault(blob).is_none());
        let mut order: Vec<(&BlobId, &Candidate)> = sound.collect();
        order.sort_by_key(|(blob, candidate)| {
            let is_chosen = self.reviews.keepers.contains(*blob);
            (Reverse(is_chosen), Reverse(&candidate.worth), **blob)
        });
        let mut keepers: BTreeMap<BlobId, Option<Near>> = BTreeMap::new();
        for (blob, _) in order {
            let kept = self.twins_of(blob).filter(|(twin, ..)| keepers.get(twin) == Some(&None));
            let keeper = kept.min_by_key(|near| nearest(near)).copied();
            keepers.insert(*blob, keeper);
        }
        keepers
    }

    /// Gathers what a picture and its direct twins show: the labels people gave them, and where
    /// there are none, what they were posted as.
    fn witnessed(&self, blob: &BlobId) -> BTreeSet<Label> {
        let all = || self.twins_of(blob).map(|(twin, ..)| twin).chain([blob]);
        let given: BTreeSet<Label> = all().filter_map(|it| self.given(it)).cloned().collect();
        if !given.is_empty() {
            return given;
        }
        let witnesses = all().filter(|it| self.is_witness(it));
        witnesses.flat_map(|it| &self.candidates[it].labels).cloned().collect()
    }

    /// Returns the label a person gave to a picture.
    fn given(&self, blob: &BlobId) -> Option<&Label> {
        match self.ruled(blob)? {
            Ruled::Relabel { label } => Some(label),
            Ruled::Keep => {
                let labels = &self.candidates[blob].labels;
                labels.first().filter(|_| labels.len() == 1)
            }
            Ruled::Reject { .. } => None,
        }
    }

    /// Tells whether it counts what a picture was posted as.
    fn is_witness(&self, blob: &BlobId) -> bool {
        let is_rejected = matches!(self.ruled(blob), Some(Ruled::Reject { .. }));
        !is_rejected && !self.is_taken_back(blob) && !self.struck.contains_key(blob)
    }
}

/// The order of twins by how alike they are, the most alike first.
fn nearest((twin, distance, similarity): &Near) -> impl Ord + use<> {
    (Reverse(*similarity), *distance, *twin)
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
            Self::Reviewed { .. } => "rejected by a person",
            Self::TwinOfRejected { .. } => "twin of one rejected by a person",
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
            Self::Reviewed { reason } => {
                write!(f, "rejected by a person: {}", reasons::words(reason))
            }
            Self::TwinOfRejected { of, reason, distance, similarity } => {
                let (of, words) = (of.short(), reasons::words(reason));
                write!(
                    f,
                    "twin of {of}, which a person rejected: {words}; distance {distance} of 256, \
                     {similarity} alike"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests;
