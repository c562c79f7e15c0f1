//! Altered copies of a person's own pictures, within the limits of a pipeline file.

use std::path::Path;

use super::{Pipeline, PipelineError};
use crate::model::recipe::Augment;
pub use crate::stage::augment::{AugmentError, Made, Recipe, level, multiply, sheet};

/// Takes the limits from `[train.augment]` of a pipeline file, or those that a pipeline file
/// without that table has.
pub fn recipe(
    pipeline: Option<&Path>,
    seed: u64,
    side_px: Option<u32>,
) -> Result<Recipe, PipelineError> {
    let limits = match pipeline {
        None => Augment::default(),
        Some(path) => {
            let train = Pipeline::read(path)?.train;
            let missing = || PipelineError::Unsound {
                path: path.to_owned(),
                message: "there is no [train] table to take [train.augment] from".to_owned(),
            };
            train.ok_or_else(missing)?.augment
        }
    };
    Ok(Recipe { limits, seed, side_px })
}
