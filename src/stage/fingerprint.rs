//! Blob → [`Fingerprint`]. Rejects bytes that do not decode to a picture.
//!
//! Decoding is nearly all of the work on a picture, so the crop is made from the same decode
//! where its recipe is served by it. It is put on record exactly as `prepare` would do, before
//! the fingerprint is; a picture that is dropped afterwards keeps its crop for the day the
//! thresholds change, and nobody sees it until then.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::task::{JoinError, spawn_blocking};

use crate::{
    domain::{
        classes::Classes, fingerprint::Fingerprint, id::BlobId, outcome::Outcome, picture::Crop,
    },
    engine::{BeforeCommit, Inputs, ItemStage, Lane, StageName, Transient, memory::Memory},
    pixels::{
        crop,
        decode::{self, Decoded, Limits, Taking},
        fingerprint, weight,
    },
    store::{
        Ending, Entry, Settled, Stamp, Store, StoreError,
        files::{self, FileError},
        layout::Layout,
        query,
    },
};

pub use crate::pixels::plain_hash::{HashBits, HashKind};

/// The work of this room.
pub struct Fingerprinting<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
    pub layout: &'a Layout,
    pub memory: Memory,
    /// The crops that are wanted as well; `None` where nobody asked for any.
    pub crops: Option<Crops>,
}

/// Crops made in passing.
#[derive(Clone)]
pub struct Crops {
    pub recipe: crop::Recipe,
    /// Returns the stamp the crop of a blob carries.
    pub stamp: fn(&crop::Recipe, &BlobId) -> Stamp,
    pub store: Store,
    pub made: MadeCrops,
}

/// Crops whose files are written and whose records are not yet: the workers add, and what
/// precedes each commit takes.
#[derive(Clone, Default)]
pub struct MadeCrops(Arc<Mutex<Made>>);

#[derive(Default)]
struct Made {
    due: Vec<Entry<Crop>>,
    n_all: u64,
}

impl MadeCrops {
    /// Returns how many crops were made in passing.
    pub fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).n_all
    }

    fn add(&self, crop: Entry<Crop>) {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.due.push(crop);
        made.n_all += 1;
    }

    fn take(&self) -> Vec<Entry<Crop>> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).due)
    }
}

impl Crops {
    /// Makes the crop of a decoded picture, unless it is there or needs another decode.
    fn make(&self, blob: BlobId, decoded: &Decoded, layout: &Layout) -> Result<(), CropError> {
        let stamp = (self.stamp)(&self.recipe, &blob);
        let known = self.store.head::<Crop>(&blob)?;
        let is_made = known.is_some_and(|head| head.stamp == stamp && head.ending == Ending::Made);
        if is_made || !self.recipe.is_served_by(decoded) {
            return Ok(());
        }
        let (crop, bytes) = crop::file(decoded, &self.recipe);
        layout.keep_crop(&crop, &bytes)?;
        self.made.add((blob, Settled { stamp, outcome: Outcome::Made(crop) }));
        Ok(())
    }
}

/// Why the crop could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum CropError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// What can change a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Pictures that claim more pixels are refused before anything is decoded.
    pub pixels_max: u64,
    pub hash: HashKind,
    pub hash_bits: HashBits,
}

impl Recipe {
    /// Returns what is to be taken of a file. What other programs hash is the whole picture.
    fn taking(&self) -> Taking {
        let shorter_px = (self.hash == HashKind::Views).then_some(fingerprint::SHORTER_PX);
        let limits = Limits { pixels_max: self.pixels_max };
        Taking { limits, shorter_px, ..Taking::default() }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FingerprintError {
    #[error("could not read blob {blob}")]
    Read { blob: BlobId, source: FileError },
    #[error("the decoder of blob {blob} panicked")]
    Decoder { blob: BlobId, source: JoinError },
    #[error("could not keep the crop of {blob}")]
    Crop { blob: BlobId, source: CropError },
}

impl Transient for FingerprintError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            Self::Decoder { .. } | Self::Crop { .. } => false,
        }
    }

    fn is_fatal(&self) -> bool {
        match self {
            Self::Crop { .. } => true,
            Self::Read { .. } | Self::Decoder { .. } => false,
        }
    }
}

impl ItemStage for Fingerprinting<'_> {
    const NAME: StageName = StageName::Fingerprint;
    const REVISION: u32 = 4;
    const LANE: Lane = Lane::Cpu;
    type Recipe = Recipe;
    type Input = BlobId;
    type Output = Fingerprint;
    type Error = FingerprintError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn inputs<'a>(&'a self, store: &'a Store) -> Result<Inputs<'a, Self>, StoreError> {
        // Many addresses may lead to the same bytes, and the bytes are decoded once.
        let mut met = BTreeSet::new();
        let sightings = query::sightings(store, self.classes)?;
        Ok(Box::new(sightings.filter_map(move |sighting| match sighting {
            Ok(it) => match query::blob_of(store, &it.media.url) {
                Ok(blob) => blob.filter(|blob| met.insert(*blob)).map(|blob| Ok((blob, blob))),
                Err(error) => Some(Err(error)),
            },
            Err(error) => Some(Err(error)),
        })))
    }

    fn before_commit(&self) -> Option<BeforeCommit> {
        let crops = self.crops.as_ref()?;
        let made = crops.made.take();
        if made.is_empty() {
            return None;
        }
        let (store, folder) = (crops.store.clone(), self.layout.crops());
        Some(Box::new(move || {
            files::sync_all_below(&folder)?;
            Ok(store.put_all::<Crop>(&made)?)
        }))
    }

    async fn apply(
        &self,
        blob: &BlobId,
        _input: &BlobId,
        _before: &[FingerprintError],
    ) -> Result<Outcome<Fingerprint>, FingerprintError> {
        let blob = *blob;
        let panicked = |source| FingerprintError::Decoder { blob, source };
        let path = self.layout.blob(&blob);
        let taking = self.recipe.taking();
        let reading = spawn_blocking(move || {
            files::read(&path).map(|bytes| (weight::decoding_bytes(&bytes, taking), bytes))
        });
        let (weight_bytes, bytes) = reading
            .await
            .map_err(panicked)?
            .map_err(|source| FingerprintError::Read { blob, source })?;
        let taken = self.memory.take(weight_bytes).await;
        let (crops, layout) = (self.crops.clone(), self.layout.clone());
        let (hash, hash_bits) = (self.recipe.hash, self.recipe.hash_bits);
        let work = spawn_blocking(move || {
            let decoded = decode::take(&bytes, taking);
            drop(bytes);
            let decoded = match decoded {
                Ok(decoded) => decoded,
                Err(reject) => return Ok(Outcome::Rejected(reject)),
            };
            let print = fingerprint::of(&decoded, hash, hash_bits);
            if let Some(crops) = crops {
                crops
                    .make(blob, &decoded, &layout)
                    .map_err(|source| FingerprintError::Crop { blob, source })?;
            }
            drop((decoded, taken));
            Ok(Outcome::Made(print))
        });
        work.await.map_err(panicked)?
    }
}

#[cfg(test)]
mod tests;
