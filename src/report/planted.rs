//! What a demo site has planted ↔ what the store shows was found. Reads the store only.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    domain::{
        classes::Classes,
        fingerprint::{Distance, Fingerprint, Similarity},
        id::{BlobId, Label, Place},
        link::{Download, MediaUrl, Origin, Resolution, Resolved, Trouble},
        outcome::{Outcome, Reject},
        planted::{Plant, PlantKind, Planted},
        verdict::{self, DropReason, Ruling, TwinPair, Verdict},
    },
    store::{Store, StoreError, query},
};

/// How much of the planted trouble was found, and what was found that nobody planted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PlantedReport {
    /// One row per kind, in the order of [`PlantKind::ALL`].
    pub rows: Vec<PlantedRow>,
    pub missed: Vec<Plant>,
    /// Pictures dropped as twins of pictures they were not made from.
    pub false_twins: Vec<FalseTwin>,
    /// The share of edited copies that were recognised; `None` if none was planted.
    pub twin_recall: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlantedRow {
    pub kind: PlantKind,
    pub planted: u64,
    pub found: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FalseTwin {
    pub dropped: BlobId,
    pub keeper: BlobId,
    pub distance: Distance,
    pub similarity: Similarity,
}

/// Compares the store with the truth about the listed places; `None` where nobody knows it.
pub fn planted(store: &Store, classes: &Classes) -> Result<Option<PlantedReport>, StoreError> {
    let mut truths = store.notes::<Planted>()?;
    truths.retain(|(place, _)| classes.lists_place(place));
    if truths.is_empty() {
        return Ok(None);
    }
    let findings = Findings::read(store, classes)?;
    let plants: Vec<Plant> = truths.iter().flat_map(|(_, truth)| truth.plants.clone()).collect();
    let mut report = PlantedReport::default();
    for kind in PlantKind::ALL {
        let mut row = PlantedRow { kind, planted: 0, found: 0 };
        for plant in plants.iter().filter(|plant| plant.kind == kind) {
            if !findings.is_testable(plant) {
                continue;
            }
            row.planted += 1;
            if findings.is_found(plant)? {
                row.found += 1;
            } else {
                report.missed.push(plant.clone());
            }
        }
        report.rows.push(row);
    }
    report.twin_recall = twin_recall(&report.rows);
    report.false_twins = findings.false_twins(&plants, |seen| {
        seen.iter().any(|place| truths.iter().any(|(known, _)| known == place))
    });
    Ok(Some(report))
}

fn twin_recall(rows: &[PlantedRow]) -> Option<f64> {
    let twins = rows.iter().filter(|row| is_edited_copy(row.kind));
    let (planted, found) =
        twins.fold((0, 0), |(planted, found), row| (planted + row.planted, found + row.found));
    (planted != 0).then(|| super::words::share(found, planted))
}

fn is_edited_copy(kind: PlantKind) -> bool {
    match kind {
        PlantKind::Reencoded | PlantKind::Resized | PlantKind::Cropped | PlantKind::Watermarked => {
            true
        }
        PlantKind::ExactRepost
        | PlantKind::LabelConflict
        | PlantKind::Gallery
        | PlantKind::Crosspost
        | PlantKind::Video
        | PlantKind::Removed
        | PlantKind::Placeholder
        | PlantKind::HtmlAsJpeg
        | PlantKind::BrokenFile
        | PlantKind::CutBody
        | PlantKind::NotFound
        | PlantKind::Throttled
        | PlantKind::SlowHost => false,
    }
}

/// What a run has left in the store that the truth can be held against.
struct Findings<'a> {
    store: &'a Store,
    blobs: BTreeMap<MediaUrl, BlobId>,
    rulings: BTreeMap<BlobId, Ruling>,
    pairs: BTreeSet<(BlobId, BlobId)>,
    labels: BTreeMap<MediaUrl, BTreeSet<Label>>,
    places: BTreeMap<BlobId, BTreeSet<Place>>,
}

impl<'a> Findings<'a> {
    fn read(store: &'a Store, classes: &Classes) -> Result<Self, StoreError> {
        let blobs = query::blobs_by_url(store)?;
        let mut labels: BTreeMap<MediaUrl, BTreeSet<Label>> = BTreeMap::new();
        let mut places: BTreeMap<BlobId, BTreeSet<_>> = BTreeMap::new();
        for sighting in query::sightings(store, classes)? {
            let sighting = sighting?;
            if let Some(blob) = blobs.get(&sighting.media.url) {
                places.entry(*blob).or_default().insert(sighting.place);
            }
            labels.entry(sighting.media.url).or_default().insert(sighting.label);
        }
        let rulings = store.notes::<Verdict>()?.into_iter().map(|(blob, it)| (blob, it.ruling));
        let pairs = store.notes::<TwinPair>()?.into_iter().map(|(_, it)| ordered(it.a, it.b));
        let (rulings, pairs) = (rulings.collect(), pairs.collect());
        Ok(Self { store, blobs, rulings, pairs, labels, places })
    }

    /// A picture can only be in two classes if both of its posts are in this dataset.
    fn is_testable(&self, plant: &Plant) -> bool {
        if plant.kind != PlantKind::LabelConflict {
            return true;
        }
        let labels = |url: &Option<MediaUrl>| url.as_ref().and_then(|url| self.labels.get(url));
        match (labels(&plant.url), labels(&plant.original)) {
            (Some(copy), Some(original)) => 2 <= copy.union(original).count(),
            (Some(_) | None, _) => false,
        }
    }

    fn is_found(&self, plant: &Plant) -> Result<bool, StoreError> {
        Ok(match plant.kind {
            PlantKind::ExactRepost => self.both(plant).is_some_and(|(copy, of)| copy == of),
            PlantKind::Reencoded
            | PlantKind::Resized
            | PlantKind::Cropped
            | PlantKind::Watermarked => {
                self.both(plant).is_some_and(|(copy, of)| self.is_one_star(copy, of))
            }
            PlantKind::LabelConflict => self
                .both(plant)
                .is_some_and(|(copy, of)| [copy, of].iter().all(|blob| self.is_conflict(*blob))),
            PlantKind::Gallery => self.resolution(plant)?.is_ok_and(|resolution| {
                let is_link = |item: &&Resolved| matches!(item, Resolved::Link(_));
                let n_links = resolution.items.iter().filter(is_link).count();
                resolution.origin == Origin::Gallery && 2 <= n_links
            }),
            PlantKind::Crosspost => self
                .resolution(plant)?
                .is_ok_and(|resolution| resolution.origin == Origin::Crosspost),
            PlantKind::Video => self.resolution(plant)? == Err(Some(Reject::Video)),
            PlantKind::Removed => {
                matches!(self.resolution(plant)?, Err(Some(Reject::Removed { .. })))
            }
            PlantKind::Placeholder => self.download(plant)? == Err(Some(Reject::Placeholder)),
            PlantKind::HtmlAsJpeg => {
                matches!(self.download(plant)?, Err(Some(Reject::NotAnImage { .. })))
            }
            PlantKind::NotFound => matches!(self.download(plant)?, Err(Some(Reject::Gone { .. }))),
            PlantKind::BrokenFile => self.is_broken(plant)?,
            PlantKind::CutBody => self.has_met(plant, Trouble::Truncated)?,
            PlantKind::Throttled => self.has_met(plant, Trouble::Throttled)?,
            PlantKind::SlowHost => self.has_met(plant, Trouble::Stalled)?,
        })
    }

    fn both(&self, plant: &Plant) -> Option<(BlobId, BlobId)> {
        let blob = |url: &Option<MediaUrl>| self.blobs.get(url.as_ref()?).copied();
        Some((blob(&plant.url)?, blob(&plant.original)?))
    }

    /// Tells whether two pictures were recognised as the same, whoever of them was kept.
    fn is_one_star(&self, a: BlobId, b: BlobId) -> bool {
        let keeper = |blob: BlobId| match self.rulings.get(&blob) {
            Some(Ruling::Drop(DropReason::Twin { of, .. })) => *of,
            Some(Ruling::Drop(_) | Ruling::Keep { .. }) | None => blob,
        };
        // A conflict drops a whole star and no longer says who is whose twin; the pairs do.
        let is_dropped_together =
            || self.is_conflict(a) && self.is_conflict(b) && self.pairs.contains(&ordered(a, b));
        keeper(a) == keeper(b) || is_dropped_together()
    }

    fn is_conflict(&self, blob: BlobId) -> bool {
        matches!(self.rulings.get(&blob), Some(Ruling::Drop(DropReason::LabelConflict { .. })))
    }

    fn resolution(&self, plant: &Plant) -> Result<Result<Resolution, Option<Reject>>, StoreError> {
        let settled = self.store.get::<Resolution>(&plant.post)?;
        Ok(finding(settled.map(|settled| settled.outcome)))
    }

    fn download(&self, plant: &Plant) -> Result<Result<Download, Option<Reject>>, StoreError> {
        let Some(url) = &plant.url else { return Ok(Err(None)) };
        let settled = self.store.get::<Download>(url)?;
        Ok(finding(settled.map(|settled| settled.outcome)))
    }

    fn is_broken(&self, plant: &Plant) -> Result<bool, StoreError> {
        let Ok(download) = self.download(plant)? else { return Ok(false) };
        let print = self.store.get::<Fingerprint>(&download.blob)?;
        let finding = finding(print.map(|settled| settled.outcome));
        Ok(matches!(finding, Err(Some(Reject::Undecodable { .. }))))
    }

    /// Tells whether a picture came through after just this trouble.
    fn has_met(&self, plant: &Plant, trouble: Trouble) -> Result<bool, StoreError> {
        Ok(self.download(plant)?.is_ok_and(|download| download.troubles.contains(&trouble)))
    }

    /// Lists the pictures dropped as twins although no planted copying connects the two.
    fn false_twins(
        &self,
        plants: &[Plant],
        is_known: impl Fn(&BTreeSet<Place>) -> bool,
    ) -> Vec<FalseTwin> {
        // An address that brought no bytes still connects the copies on both sides of it.
        let node = |url: &MediaUrl| match self.blobs.get(url) {
            Some(blob) => *blob,
            None => BlobId::of(url.0.as_bytes()),
        };
        let edges: Vec<(BlobId, BlobId)> = plants
            .iter()
            .filter_map(|plant| Some((node(plant.url.as_ref()?), node(plant.original.as_ref()?))))
            .collect();
        let nodes: BTreeSet<BlobId> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let groups = verdict::components(nodes.iter(), edges.into_iter());
        let is_known = |blob: &BlobId| self.places.get(blob).is_some_and(&is_known);
        let twins = self.rulings.iter().filter_map(|(dropped, ruling)| match ruling {
            Ruling::Drop(DropReason::Twin { of: keeper, distance, similarity }) => {
                let (keeper, distance, similarity) = (*keeper, *distance, *similarity);
                Some(FalseTwin { dropped: *dropped, keeper, distance, similarity })
            }
            Ruling::Drop(_) | Ruling::Keep { .. } => None,
        });
        let is_false = |twin: &FalseTwin| {
            let group = groups.get(&twin.dropped);
            group.is_none() || group != groups.get(&twin.keeper)
        };
        twins
            .filter(|twin| is_known(&twin.dropped) && is_known(&twin.keeper))
            .filter(is_false)
            .collect()
    }
}

/// Tells what was made, or why it was rejected; `None` if it failed or was never tried.
fn finding<T>(outcome: Option<Outcome<T>>) -> Result<T, Option<Reject>> {
    match outcome {
        Some(Outcome::Made(made)) => Ok(made),
        Some(Outcome::Rejected(reject)) => Err(Some(reject)),
        Some(Outcome::Failed(_)) | None => Err(None),
    }
}

fn ordered(a: BlobId, b: BlobId) -> (BlobId, BlobId) {
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests;
