//! Kept blob → [`Crop`]: the picture as every model sees it, in a file named by its content.
//!
//! What fingerprinting made on its way, from the one decode there was, is found with the right
//! stamp and not made again.

use tokio::task::{JoinError, spawn_blocking};

pub use crate::pixels::crop::Recipe;
use crate::{
    domain::{
        id::BlobId,
        outcome::{Outcome, Reject},
        picture::Crop,
        verdict::{Ruling, Verdict},
    },
    engine::{
        self, BeforeCommit, Inputs, ItemStage, Lane, StageName, Staleness, Transient,
        memory::Memory,
    },
    pixels::{
        crop,
        decode::{self, Limits, Taking},
        weight,
    },
    store::{
        Stamp, Store, StoreError,
        files::{self, FileError},
        layout::Layout,
    },
};

/// The work of this room.
pub struct Prepare<'a> {
    pub recipe: Recipe,
    pub layout: &'a Layout,
    pub memory: Memory,
}

/// Returns the stamp of a crop of `blob`, whoever makes it.
pub fn stamp(recipe: &Recipe, blob: &BlobId) -> Stamp {
    engine::stamp_of::<Prepare>(recipe, blob)
}

#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error("could not read blob {blob}")]
    Read { blob: BlobId, source: FileError },
    #[error("could not keep the crop of {blob}")]
    Keep { blob: BlobId, source: FileError },
    #[error("the work on blob {blob} panicked")]
    Panicked { blob: BlobId, source: JoinError },
}

impl Transient for PrepareError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            Self::Keep { .. } | Self::Panicked { .. } => false,
        }
    }

    fn is_fatal(&self) -> bool {
        match self {
            Self::Keep { .. } => true,
            Self::Read { .. } | Self::Panicked { .. } => false,
        }
    }
}

impl ItemStage for Prepare<'_> {
    const NAME: StageName = StageName::Prepare;
    const REVISION: u32 = 3;
    const LANE: Lane = Lane::Cpu;
    type Recipe = Recipe;
    type Input = BlobId;
    type Output = Crop;
    type Error = PrepareError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn inputs<'a>(&'a self, store: &'a Store) -> Result<Inputs<'a, Self>, StoreError> {
        let kept = |verdict: &Verdict| matches!(verdict.ruling, Ruling::Keep { .. });
        Ok(Box::new(store.walk_notes::<Verdict>()?.filter_map(move |entry| match entry {
            Ok((blob, verdict)) => kept(&verdict).then_some(Ok((blob, blob))),
            Err(error) => Some(Err(error)),
        })))
    }

    fn is_stale(&self, store: &Store, blob: &BlobId) -> Staleness {
        match store.get::<Crop>(blob).map(|settled| settled.map(|it| it.outcome)) {
            Ok(Some(Outcome::Made(crop)))
                if !files::has_size(&self.layout.crop(&crop), crop.size_bytes) =>
            {
                Staleness::FileMissing
            }
            Ok(_) | Err(_) => Staleness::Fresh,
        }
    }

    fn before_commit(&self) -> Option<BeforeCommit> {
        let crops = self.layout.crops();
        Some(Box::new(move || Ok(files::sync_all_below(&crops)?)))
    }

    async fn apply(
        &self,
        blob: &BlobId,
        _input: &BlobId,
        _before: &[PrepareError],
    ) -> Result<Outcome<Crop>, PrepareError> {
        let blob = *blob;
        let panicked = |source| PrepareError::Panicked { blob, source };
        let path = self.layout.blob(&blob);
        // What came this far was decoded once within the limit of the pipeline.
        let taking = self.recipe.taking(Limits { pixels_max: u64::MAX });
        let reading = spawn_blocking(move || {
            files::read(&path).map(|bytes| (weight::decoding_bytes(&bytes, taking), bytes))
        });
        let (weight_bytes, bytes) = reading
            .await
            .map_err(panicked)?
            .map_err(|source| PrepareError::Read { blob, source })?;
        let taken = self.memory.take(weight_bytes).await;
        let (recipe, layout) = (self.recipe.clone(), self.layout.clone());
        let work = spawn_blocking(move || {
            let made = prepare(&bytes, taking, &recipe);
            drop(taken);
            let (crop, encoded) = match made {
                Ok(made) => made,
                Err(reject) => return Ok(Outcome::Rejected(reject)),
            };
            layout
                .keep_crop(&crop, &encoded)
                .map_err(|source| PrepareError::Keep { blob, source })?;
            Ok(Outcome::Made(crop))
        });
        work.await.map_err(panicked)?
    }
}

/// Bytes of any picture to the bytes of its crop.
fn prepare(bytes: &[u8], taking: Taking, recipe: &Recipe) -> Result<(Crop, Vec<u8>), Reject> {
    Ok(crop::file(&decode::take(bytes, taking)?, recipe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::picture::FileFormat,
        pixels::{Picture, Pixel, encode},
    };

    /// When this fails, the same picture and recipe give another crop than before: raise
    /// [`Prepare::REVISION`], so that people's crops are made again, and write the new digest here.
    #[test]
    fn a_revision_stands_for_the_same_bytes() {
        let level = |value: u32| u8::try_from(value % 256).unwrap();
        let picture = Picture::from_fn(120, 90, |x, y| {
            Pixel::from([level(x * 2), level(y * 2 + x), level(x * y / 40)])
        });
        let bytes = encode::encode(&picture, FileFormat::Png, 1);
        let recipe = Recipe { size: 64, ..Recipe::default() };

        let (crop, _) = prepare(&bytes, recipe.taking(Limits::default()), &recipe).unwrap();

        assert_eq!((Prepare::REVISION, crop.file.short().as_str()), (3, "cb654997b91b4df2"));
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let refused = |recipe: Recipe| recipe.check().unwrap_err();
        let size = refused(Recipe { size: 5000, ..Recipe::default() });
        let quality = refused(Recipe { quality: 0, ..Recipe::default() });
        assert!(size.starts_with("prepare.size = 5000") && quality.starts_with("prepare.quality"));
    }
}
