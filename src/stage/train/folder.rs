//! A trained model and its answers → what lies beside it in its folder for people and for other
//! programs: ONNX, drawings, a card, and where it looked in the test pictures it got wrong.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{TrainError, model_card, pictures::prepared};
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

/// Writes to `dir`, for each mistake that people are shown, the prepared picture, which `pictures`
/// says where to find, under a map of the evidence for the wrong answer; every other file there is
/// removed.
pub(super) fn show_mistakes(
    dir: &Path,
    (model, answers): (&Classifier, &[Answer]),
    pictures: &BTreeMap<BlobId, PathBuf>,
) -> Result<(), TrainError> {
    let mistakes = learning::mistakes(answers);
    let shown = &mistakes[..mistakes.len().min(MISTAKES_SHOWN)];
    let file = |blob: &BlobId| dir.join(format!("{blob}.jpg"));
    for path in files::entries(dir)? {
        if !shown.iter().any(|it| file(&it.blob) == path) {
            files::remove_if_any(&path)?;
        }
    }
    shown.par_iter().try_for_each(|answer| {
        let blob = answer.blob;
        let picture = prepared(blob, &pictures[&blob])?;
        let asked = Asked::Class(answer.predicted());
        let drawn = model.activation_overlay(&picture, asked, MISTAKE_PX)?;
        let bytes = encode::encode(&drawn, FileFormat::Jpeg, MISTAKE_QUALITY);
        Ok(files::write_atomic(&file(&blob), &bytes)?)
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, ops::ControlFlow};

    use tempfile::TempDir;

    use super::*;
    use crate::{
        model::{
            recipe::{Augment, TrainRecipe},
            train::{self, Example, Host, Progress, Sets},
        },
        pixels::{
            Picture, Pixel, crop,
            decode::{self, Limits},
        },
    };

    struct Silent;

    impl Host for Silent {
        fn observe(&mut self, _: Progress) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    fn picture(n: u8, side_px: u32) -> Picture {
        Picture::from_fn(side_px, side_px, |x, y| {
            let level = |it: u32| u8::try_from(it * 7 % 200).unwrap();
            Pixel::from([level(x), level(y + u32::from(n)), n * 40])
        })
    }

    fn model() -> Classifier {
        let recipe = TrainRecipe {
            image_size: Some(32),
            epochs: 1,
            batch_size: 4,
            augment: Augment::NOTHING,
            ..TrainRecipe::default()
        };
        let example =
            |n: u8| Example { rgb: picture(n, 32).into_raw().into(), class: usize::from(n % 2) };
        let sets = Sets {
            train: (0..4).map(example).collect(),
            val: (0..2).map(example).collect(),
            classes: vec!["cats".to_owned(), "dogs".to_owned()],
            prepare: crop::Recipe::default(),
        };
        train::train(&recipe, 5, &sets, None, &mut Silent).unwrap().model
    }

    #[test]
    fn every_mistake_is_shown_under_its_map_and_nothing_else() {
        let (dir, model) = (TempDir::new().unwrap(), model());
        let mistakes = dir.path().join("mistakes");
        let (mut pictures, mut answers) = (BTreeMap::new(), Vec::new());
        for (n, right) in [(0, 0.2), (1, 0.8), (2, 0.4)] {
            let bytes = encode::encode(&picture(n, 48), FileFormat::Png, 0);
            let (blob, path) = (BlobId::of(&[n]), dir.path().join(format!("{n}.png")));
            files::write_atomic(&path, &bytes).unwrap();
            pictures.insert(blob, path);
            answers.push(Answer { blob, truth: 0, probabilities: vec![right, 1.0 - right] });
        }
        files::write_atomic(&mistakes.join("of-another-training.jpg"), b"x").unwrap();
        let show = || {
            show_mistakes(&mistakes, (&model, &answers), &pictures).unwrap();
            let mut found: Vec<(PathBuf, Vec<u8>)> = files::entries(&mistakes)
                .unwrap()
                .into_iter()
                .map(|path| (path.clone(), fs::read(path).unwrap()))
                .collect();
            found.sort();
            found
        };

        let (first, again) = (show(), show());

        let drawn = |n: u8| {
            let over = model.activation_overlay(&picture(n, 48), Asked::Class(1), 224).unwrap();
            let path = mistakes.join(format!("{}.jpg", BlobId::of(&[n])));
            (path, encode::encode(&over, FileFormat::Jpeg, 88))
        };
        let mut wanted = vec![drawn(0), drawn(2)];
        wanted.sort();
        assert!(first == wanted && again == wanted, "{:?}", first.iter().map(|it| &it.0));
        let decoded = decode::decode(&first[0].1, Limits::default()).unwrap();
        assert_eq!((decoded.width_px, decoded.height_px), (224, 224));
    }
}
