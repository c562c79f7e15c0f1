//! Kept blob → [`Crop`]: AlexNet's cut, the shorter side to the size and the middle square.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinError;

use crate::{
    domain::{
        bytes::hex,
        id::BlobId,
        outcome::{Outcome, Reject},
        picture::{Crop, FileFormat},
        verdict::{Ruling, Verdict},
    },
    engine::{Inputs, ItemStage, Lane, StageName, Staleness, Transient},
    pixels::{
        crop::{self, Filter},
        decode::{self, Limits},
        encode,
    },
    store::{
        Store, StoreError,
        files::{self, FileError},
        layout::Layout,
    },
};

/// The work of this room.
pub struct Prepare<'a> {
    pub recipe: Recipe,
    pub layout: &'a Layout,
}

/// What can change a prepared picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// The side of the square, in pixels.
    pub size: u32,
    pub fit: Fit,
    pub filter: Filter,
    pub format: FileFormat,
    /// 1 to 100, for JPEG.
    pub quality: u8,
}

/// How a picture of any shape becomes a square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Shorter side to the size, then the middle square.
    #[default]
    CenterCrop,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            size: 256,
            fit: Fit::default(),
            filter: Filter::default(),
            format: FileFormat::default(),
            quality: 90,
        }
    }
}

impl Recipe {
    /// Tells which setting cannot be followed.
    pub fn check(&self) -> Result<(), String> {
        if !(16..=4096).contains(&self.size) {
            return Err(format!("prepare.size = {}: use 16 to 4096 pixels", self.size));
        }
        if !(1..=100).contains(&self.quality) {
            return Err(format!("prepare.quality = {}: use 1 to 100", self.quality));
        }
        Ok(())
    }

    /// Says in words what was done to every picture.
    pub fn in_words(&self) -> String {
        let fit = match self.fit {
            Fit::CenterCrop => "shorter side scaled, centre cropped",
        };
        let format = match self.format {
            FileFormat::Jpeg => format!("JPEG quality {}", self.quality),
            FileFormat::Png => "PNG".to_owned(),
        };
        format!("{fit} to {0}\u{d7}{0}, {format}", self.size)
    }
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
    const REVISION: u32 = 1;
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
            Ok(Some(Outcome::Made(crop))) if !self.layout.crop(&crop).exists() => {
                Staleness::FileMissing
            }
            Ok(_) | Err(_) => Staleness::Fresh,
        }
    }

    async fn apply(
        &self,
        blob: &BlobId,
        _input: &BlobId,
        _before: &[PrepareError],
    ) -> Result<Outcome<Crop>, PrepareError> {
        let blob = *blob;
        let (recipe, layout) = (self.recipe.clone(), self.layout.clone());
        let work = tokio::task::spawn_blocking(move || {
            let bytes = files::read(&layout.blob(&blob))
                .map_err(|source| PrepareError::Read { blob, source })?;
            let (crop, encoded) = match prepare(&bytes, &recipe) {
                Ok(made) => made,
                Err(reject) => return Ok(Outcome::Rejected(reject)),
            };
            let path = layout.crop(&crop);
            if !path.exists() {
                let kept = files::write_atomic(&path, &encoded);
                kept.map_err(|source| PrepareError::Keep { blob, source })?;
            }
            Ok(Outcome::Made(crop))
        });
        work.await.map_err(|source| PrepareError::Panicked { blob, source })?
    }
}

/// Bytes of any picture to the bytes of its crop.
fn prepare(bytes: &[u8], recipe: &Recipe) -> Result<(Crop, Vec<u8>), Reject> {
    // What came this far was decoded once within the limit of the pipeline.
    let decoded = decode::decode(bytes, Limits { pixels_max: u64::MAX })?;
    let square = match recipe.fit {
        Fit::CenterCrop => crop::center_square(&decoded.picture, recipe.size, recipe.filter),
    };
    let encoded = encode::encode(&square, recipe.format, recipe.quality);
    let crop = Crop {
        file: BlobId::of(&encoded),
        sha256: hex(&Sha256::digest(&encoded)),
        size_bytes: u64::try_from(encoded.len()).expect("a length fits 64 bits"),
        width_px: recipe.size,
        height_px: recipe.size,
        format: recipe.format,
    };
    Ok((crop, encoded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{Picture, Pixel};

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

        let (crop, _) = prepare(&bytes, &recipe).unwrap();

        assert_eq!((Prepare::REVISION, crop.file.short().as_str()), (1, "cb654997b91b4df2"));
    }

    #[test]
    fn settings_out_of_range_are_refused_by_name() {
        let refused = |recipe: Recipe| recipe.check().unwrap_err();
        let size = refused(Recipe { size: 5000, ..Recipe::default() });
        let quality = refused(Recipe { quality: 0, ..Recipe::default() });
        assert!(size.starts_with("prepare.size = 5000") && quality.starts_with("prepare.quality"));
    }
}
