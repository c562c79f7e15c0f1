//! Prepared files → pictures as a network takes them.

use std::path::Path;

use rayon::prelude::*;

use super::{Input, TrainError};
use crate::{
    domain::{id::BlobId, split::Split},
    model::{recipe::TrainRecipe, train::Example},
    pixels::{
        self,
        crop::{self, Filter},
        decode::{self, Limits},
        process::{self, Step},
    },
    store::files,
};

/// A picture of the dataset, ready for a network.
pub(super) struct Loaded {
    pub(super) blob: BlobId,
    pub(super) split: Split,
    pub(super) example: Example,
}

pub(super) fn rgb<'a>(loaded: &[&'a Loaded]) -> Vec<&'a [u8]> {
    loaded.iter().map(|it| it.example.rgb.as_ref()).collect()
}

/// Decodes and scales every prepared picture, in the order of the blobs.
pub(super) fn load(input: &Input, recipe: &TrainRecipe) -> Result<Vec<Loaded>, TrainError> {
    let pictures: Vec<_> = input.pictures.iter().collect();
    pictures
        .into_par_iter()
        .map(|(blob, (_, label, split))| {
            let rgb = pixels_of(*blob, &input.files[blob], recipe.side_px(), &recipe.process)?;
            let class = input.classes.iter().position(|it| it == label);
            let class = class.expect("the dataset holds pictures of its classes only");
            let example = Example { rgb: rgb.into(), class };
            Ok(Loaded { blob: *blob, split: *split, example })
        })
        .collect()
}

/// Reads a prepared picture as the network takes it.
pub(super) fn pixels_of(
    blob: BlobId,
    path: &Path,
    side_px: u32,
    steps: &[Step],
) -> Result<Vec<u8>, TrainError> {
    let square = crop::center_square(&prepared(blob, path)?, side_px, Filter::default());
    Ok(process::apply(&square, steps).into_raw())
}

pub(super) fn prepared(blob: BlobId, path: &Path) -> Result<pixels::Picture, TrainError> {
    let decoded = decode::decode(&files::read(path)?, Limits::default());
    Ok(decoded.map_err(|reject| TrainError::Picture { blob, reject })?.picture)
}
