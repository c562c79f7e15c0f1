//! Blob → [`Fingerprint`]. Rejects bytes that do not decode to a picture.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tokio::task::JoinError;

use crate::{
    domain::{classes::Classes, fingerprint::Fingerprint, id::BlobId, outcome::Outcome},
    engine::{Inputs, ItemStage, Lane, StageName, Transient},
    pixels::{self, decode::Limits},
    store::{
        Store, StoreError,
        files::{self, FileError},
        layout::Layout,
        query,
    },
};

/// The work of this room.
pub struct Fingerprinting<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
    pub layout: &'a Layout,
}

/// What can change a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Pictures that claim more pixels are refused before anything is decoded.
    pub pixels_max: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum FingerprintError {
    #[error("could not read blob {blob}")]
    Read { blob: BlobId, source: FileError },
    #[error("the decoder of blob {blob} panicked")]
    Decoder { blob: BlobId, source: JoinError },
}

impl Transient for FingerprintError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Read { .. } => true,
            Self::Decoder { .. } => false,
        }
    }
}

impl ItemStage for Fingerprinting<'_> {
    const NAME: StageName = StageName::Fingerprint;
    const REVISION: u32 = 2;
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

    async fn apply(
        &self,
        blob: &BlobId,
        _input: &BlobId,
        _before: &[FingerprintError],
    ) -> Result<Outcome<Fingerprint>, FingerprintError> {
        let blob = *blob;
        let path = self.layout.blob(&blob);
        let limits = Limits { pixels_max: self.recipe.pixels_max };
        let work = tokio::task::spawn_blocking(move || {
            let bytes =
                files::read(&path).map_err(|source| FingerprintError::Read { blob, source })?;
            Ok(match pixels::decode::decode(&bytes, limits) {
                Ok(decoded) => Outcome::Made(pixels::fingerprint::fingerprint(&decoded)),
                Err(reject) => Outcome::Rejected(reject),
            })
        });
        work.await.map_err(|source| FingerprintError::Decoder { blob, source })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pixels::{Picture, Pixel, decode::Decoded};

    /// When this fails, the same picture gives another fingerprint than before: raise
    /// [`Fingerprinting::REVISION`], and write the new digest here.
    #[test]
    fn a_revision_stands_for_the_same_fingerprint() {
        let level = |value: u32| u8::try_from(value % 256).unwrap();
        let picture = Picture::from_fn(120, 90, |x, y| {
            let stripe = if (x / 17 + y / 23) % 2 == 0 { 90 } else { 0 };
            Pixel::from([level(x + stripe), level(y * 2 + stripe), level(x + y)])
        });

        let print = pixels::fingerprint::fingerprint(&Decoded::whole(picture, "PNG"));

        let digest = crate::store::Digest::of(&print).to_string();
        assert_eq!(
            (Fingerprinting::REVISION, digest.as_str()),
            (2, "31f3aedac4b06b02d3800c63ff1511be")
        );
    }
}
