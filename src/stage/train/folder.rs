//! A trained model and its answers → what lies beside it in its folder for people and for other
//! programs: ONNX, drawings, a card, and where it looked in the test pictures it got wrong.

use std::path::Path;

use rayon::prelude::*;

use super::{Input, Learned, TrainError, model_card, prepared};
use crate::{
    domain::{
        id::BlobId,
        learning::{self, Answer, MISTAKES_SHOWN},
        picture::FileFormat,
    },
    model::{cam::Asked, classifier::Classifier},
    pixels::encode,
    store::files,
};

/// The side of a picture that shows where a model looked.
const MISTAKE_PX: u32 = 224;
const MISTAKE_QUALITY: u8 = 88;

/// Writes what tells of a model to its folder; the model itself is not written here.
pub(super) fn fill(
    dir: &Path,
    model: &Classifier,
    facts: &model_card::Facts<'_>,
) -> Result<(), TrainError> {
    let drawing = model.drawing();
    files::write_atomic(&dir.join("model.onnx"), &model.to_onnx())?;
    files::write_atomic(&dir.join("architecture.svg"), drawing.svg().as_bytes())?;
    files::write_atomic(&dir.join("architecture.txt"), drawing.table().as_bytes())?;
    files::write_atomic(&dir.join(model_card::FILE), model_card::text(facts).as_bytes())?;
    Ok(())
}

/// Writes to `dir`, for each mistake that people are shown, the picture under a map of the
/// evidence for the wrong answer, and removes every other file there.
pub(super) fn show_mistakes(dir: &Path, run: &Learned, input: &Input) -> Result<(), TrainError> {
    let mistakes = learning::mistakes(&run.answers);
    let shown = &mistakes[..mistakes.len().min(MISTAKES_SHOWN)];
    let file = |blob: &BlobId| dir.join(format!("{blob}.jpg"));
    for path in files::entries(dir)? {
        if !shown.iter().any(|it| file(&it.blob) == path) {
            files::remove_if_any(&path)?;
        }
    }
    shown.par_iter().try_for_each(|answer| {
        let Answer { blob, .. } = answer;
        let picture = prepared(*blob, &input.files[blob])?;
        let asked = Asked::Class(answer.predicted());
        let drawn = run.trained.model.activation_overlay(&picture, asked, MISTAKE_PX)?;
        let bytes = encode::encode(&drawn, FileFormat::Jpeg, MISTAKE_QUALITY);
        Ok(files::write_atomic(&file(blob), &bytes)?)
    })
}
