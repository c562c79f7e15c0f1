//! All fingerprints → a verdict on every picture. The search is in `pixels`, the decision in
//! `domain::verdict`; this room brings them together and writes down the result.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use tokio::task::JoinError;

use crate::{
    domain::{
        classes::Classes,
        deletion::{Ghost, Removal, RemovedFor, Tombstone, recognised},
        fingerprint::{Distance, Fingerprint, Similarity},
        flaws::Limits,
        id::BlobId,
        verdict::{self, Candidate, DropReason, Ruling, TwinPair, Verdict, Worth},
    },
    engine::{SetStage, StageName, Work},
    pixels::twins::{self, Reach},
    store::{
        Digest, Stamp, Store, StoreError,
        query::{self, Sighting},
        schema::PairId,
        takedown,
    },
};

/// The work of this room.
pub struct Dedupe<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
}

/// What makes a twin, and what is not worth keeping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Of 256 bits: pictures farther apart are never compared.
    pub distance: Distance,
    /// The least likeness of twins, in thousandths.
    pub similarity: Similarity,
    /// What a picture must be by itself.
    pub limits: Limits,
}

impl Default for Recipe {
    fn default() -> Self {
        let Reach { distance, similarity } = Reach::default();
        Self { distance, similarity, limits: Limits::default() }
    }
}

impl Recipe {
    /// Tells which setting cannot be followed.
    pub fn check(&self) -> Result<(), String> {
        if 128 < self.distance.0 {
            return Err(format!(
                "clean.distance = {}: use 0 to 128 of the 256 bits; strangers lie around 128",
                self.distance
            ));
        }
        if 1000 < self.similarity.0 {
            let thousandths = self.similarity.0;
            return Err(format!("clean.similarity = {thousandths}: use 0 to 1000 thousandths"));
        }
        self.limits.check()
    }
}

/// Every picture that decoded, and what is known of it.
#[derive(Serialize)]
pub struct Input {
    candidates: BTreeMap<BlobId, Candidate>,
    prints: BTreeMap<BlobId, Digest>,
    /// Pictures that were taken back and must not return as a copy.
    ghosts: BTreeMap<BlobId, Ghost>,
    #[serde(skip)]
    fingerprints: BTreeMap<BlobId, Fingerprint>,
}

#[derive(Debug, thiserror::Error)]
pub enum DedupeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the search for twins was broken off")]
    BrokenOff { source: JoinError },
}

impl SetStage for Dedupe<'_> {
    const NAME: StageName = StageName::Dedupe;
    const REVISION: u32 = 2;
    type Recipe = Recipe;
    type Input = Input;
    type Error = DedupeError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn input(&self, store: &Store) -> Result<Input, DedupeError> {
        let mut input = Input {
            candidates: BTreeMap::new(),
            prints: BTreeMap::new(),
            ghosts: store.notes()?.into_iter().collect(),
            fingerprints: BTreeMap::new(),
        };
        let prints: BTreeMap<BlobId, Fingerprint> = store.made()?.into_iter().collect();
        for (blob, sightings) in query::sightings_by_blob(store, self.classes)? {
            let Some(print) = prints.get(&blob) else { continue };
            input.candidates.insert(blob, self.candidate(print, &sightings));
            input.prints.insert(blob, Digest::of(print));
            input.fingerprints.insert(blob, print.clone());
        }
        Ok(input)
    }

    async fn apply(
        &self,
        input: Input,
        _stamp: Stamp,
        work: Work<'_>,
    ) -> Result<String, DedupeError> {
        let Input { mut candidates, fingerprints, ghosts, .. } = input;
        for (blob, candidate) in &mut candidates {
            if let Some(of) = recognised(&fingerprints[blob], &ghosts) {
                candidate.flaw = Some(DropReason::TakenBack { of });
            }
        }
        let reach = Reach { distance: self.recipe.distance, similarity: self.recipe.similarity };
        let search = tokio::task::spawn_blocking(move || twins::find(&fingerprints, reach));
        let pairs = search.await.map_err(|source| DedupeError::BrokenOff { source })?;
        let verdicts = verdict::decide(&candidates, &pairs);
        let summary = summary(&verdicts);
        let pairs: Vec<(PairId, TwinPair)> =
            pairs.into_iter().map(|pair| (PairId(pair.a, pair.b), pair)).collect();
        remember_removals(work.store, &verdicts, &ghosts)?;
        work.store.replace_notes::<TwinPair>(&pairs)?;
        work.store.replace_notes::<Verdict>(&verdicts.into_iter().collect::<Vec<_>>())?;
        Ok(summary)
    }
}

impl Dedupe<'_> {
    fn candidate(&self, print: &Fingerprint, sightings: &[Sighting]) -> Candidate {
        let worth = |sighting: &Sighting| Worth {
            shorter_side_px: print.width_px.min(print.height_px),
            score: sighting.score,
            created_utc: Reverse(sighting.created_utc),
        };
        Candidate {
            labels: sightings.iter().map(|it| it.label.clone()).collect(),
            worth: sightings.iter().map(worth).max().expect("a blob is known by its sightings"),
            flaw: self.recipe.limits.flaw(print).map(DropReason::Flawed),
        }
    }
}

/// Remembers which pictures of the dataset turned out to be copies of what was taken back.
fn remember_removals(
    store: &Store,
    verdicts: &BTreeMap<BlobId, Verdict>,
    ghosts: &BTreeMap<BlobId, Ghost>,
) -> Result<(), StoreError> {
    let mut removals = Vec::new();
    for (blob, verdict) in verdicts {
        let Ruling::Drop(DropReason::TakenBack { of }) = &verdict.ruling else { continue };
        let Some(ghost) = ghosts.get(of) else { continue };
        let tombstone = store.note::<Tombstone>(&ghost.post)?;
        let noticed_at = tombstone.map_or(0, |it| it.noticed_at);
        let why = RemovedFor::TwinTakenBack;
        let removal = takedown::removal(store, blob, why, noticed_at)?;
        removals.extend(removal.map(|it| (*blob, it)));
    }
    store.put_notes::<Removal>(&removals)
}

fn summary(verdicts: &BTreeMap<BlobId, Verdict>) -> String {
    let mut n_kept = 0_u64;
    let mut dropped: BTreeMap<&'static str, u64> = BTreeMap::new();
    for verdict in verdicts.values() {
        match &verdict.ruling {
            Ruling::Keep { .. } => n_kept += 1,
            Ruling::Drop(reason) => *dropped.entry(reason.kind()).or_default() += 1,
        }
    }
    let parts = dropped.iter().map(|(kind, n)| format!("{n} \u{d7} {kind}"));
    std::iter::once(format!("{n_kept} kept")).chain(parts).collect::<Vec<_>>().join(", ")
}
