//! The finished dataset → a trained classifier, and how good it is on pictures it never saw.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tokio::task::JoinError;

use crate::{
    domain::{
        classes::Classes,
        dataset::Picture,
        id::{BlobId, Label},
        learning::{
            Answer, Evaluation,
            calibration::{Calibration, Logits},
        },
        outcome::Reject,
        split::Split,
    },
    engine::{SetStage, StageName, Work, events::Event},
    model::{
        ModelError,
        classifier::Classifier,
        pretrained::Pretrained,
        recipe::TrainRecipe,
        train::{self, Host as _, Sets, Trained, Warning},
    },
    pixels::crop,
    source::access::Access,
    store::{
        Stamp, Store, StoreError,
        files::{self, FileError},
        layout::Layout,
        query,
        schema::{Run, RunName},
    },
};

pub mod curve;
pub mod doubt;
mod features;
mod folder;
mod log;
mod model_card;
mod pictures;
mod watch;
pub mod weights;

use log::Log;
use pictures::{Loaded, load, pixels_of, rgb};
use watch::{Places, Watch};
use weights::{Origin, OriginError};

/// Where the next epoch starts from, while a training is under way.
const CHECKPOINT: &str = "checkpoint";

/// The share of right answers about validation pictures that "none of these" may not swallow.
const KEPT_SHARE: f64 = 0.95;

/// The work of this room.
pub struct Training<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
    pub layout: &'a Layout,
    /// Where published weights come from.
    pub access: &'a Access,
    /// Tells the seconds since 1970-01-01 UTC, for the log.
    pub clock: fn() -> i64,
}

impl Training<'_> {
    fn weights(&self) -> Result<Option<Origin>, OriginError> {
        let recipe = &self.recipe.train;
        recipe.weights.as_ref().map(|it| Origin::of(it, recipe.architecture)).transpose()
    }

    /// Returns where the published weights lie, fetching them first where they are not here yet;
    /// `told` hears how many bytes have come, and of how many.
    async fn weights_at_hand(
        &self,
        told: &mut (dyn FnMut(u64, Option<u64>) + Send),
    ) -> Result<Option<PathBuf>, TrainError> {
        Ok(match self.weights()? {
            Some(Origin::Here(path)) => Some(path),
            Some(Origin::Web(remote)) => {
                Some(remote.at_hand(self.layout.weights(), self.access, told).await?)
            }
            None => None,
        })
    }
}

/// What can change a model besides its pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    pub train: TrainRecipe,
    pub seed: u64,
    /// How the pictures were made, which the model has to know to judge others.
    pub prepare: crop::Recipe,
}

/// Every picture as far as training cares: its prepared bytes, its class, its side.
#[derive(Debug, Serialize)]
pub struct Input {
    classes: Vec<Label>,
    pictures: BTreeMap<BlobId, (BlobId, Label, Split)>,
    /// What the network starts from; see [`Origin::digest`].
    weights: Option<BlobId>,
    #[serde(skip)]
    files: BTreeMap<BlobId, PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error("could not decode the prepared picture of {blob} ({reject})")]
    Picture { blob: BlobId, reject: Reject },
    #[error(transparent)]
    Weights(#[from] OriginError),
    #[error(
        "no two classes have {groups} pictures each that are no twins; fewer cannot be dealt to folds"
    )]
    Unfoldable { groups: usize },
    #[error("training was broken off")]
    BrokenOff(#[from] JoinError),
}

impl TrainError {
    /// Tells whether a person asked for the end.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Model(ModelError::Interrupted { .. }))
    }
}

impl SetStage for Training<'_> {
    const NAME: StageName = StageName::Train;
    const REVISION: u32 = 5;
    type Recipe = Recipe;
    type Input = Input;
    type Error = TrainError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn input(&self, store: &Store) -> Result<Input, TrainError> {
        let pictures = query::dataset(store, self.classes)?;
        let weights = self.weights()?.map(|it| it.digest()).transpose()?;
        Ok(Input {
            weights,
            classes: self.classes.labels().cloned().collect(),
            files: pictures.iter().map(|it| (it.blob, self.layout.crop(&it.crop))).collect(),
            pictures: pictures
                .into_iter()
                .map(|Picture { blob, crop, label, split, .. }| (blob, (crop.file, label, split)))
                .collect(),
        })
    }

    async fn apply(
        &self,
        input: Input,
        stamp: Stamp,
        work: Work<'_>,
    ) -> Result<String, TrainError> {
        let name = RunName::of(stamp);
        let dir = self.layout.models().join(&name.0);
        let (recipe, began_s) = (self.recipe.clone(), (self.clock)());
        if let Some(Origin::Web(remote)) = self.weights()? {
            work.events.send(Event::Word { stage: Self::NAME, text: remote.file });
        }
        let mut told = |done, of: Option<u64>| {
            let of = of.unwrap_or(done);
            work.events.send(Event::Portion { stage: Self::NAME, done, of });
        };
        let pretrained = self.weights_at_hand(&mut told).await?;
        let (events, stop) = (work.events.clone(), work.stop.clone());
        let taught = input.pictures.iter().filter(|(_, (_, _, split))| *split != Split::Test);
        let learned_from = taught.map(|(blob, _)| *blob).collect();
        let (features, mistakes) = (self.layout.features(), self.layout.mistakes(&name));
        let (title, clock) = (name.0.clone(), self.clock);
        let learning = tokio::task::spawn_blocking(move || {
            files::make_folder(&dir)?;
            let checkpoint = dir.join(CHECKPOINT);
            if !checkpoint.exists() {
                log::forget(&dir)?;
            }
            let log = Log::begin(&dir, &title, &recipe.train, clock)?;
            let places = Places { checkpoint: Some(&checkpoint), features: &features };
            let mut watch = Watch::new(recipe.train.epochs, (&events, &stop), places, Some(log));
            let run = learn(&recipe, &input, pretrained.as_deref(), &mut watch)?;
            watch.finish(&describe(&run.trained, run.answers.clone()))?;
            let facts = model_card::Facts {
                run: &title,
                recipe: &recipe,
                input: &input,
                card: run.trained.model.card(),
                answers: &run.answers,
            };
            let model = &run.trained.model;
            folder::fill(&dir, model, &facts)?;
            folder::show_mistakes(&mistakes, (model, &run.answers), &input.files)?;
            model.save(&dir)?;
            files::remove_if_any(&checkpoint)?;
            Ok::<Learned, TrainError>(run)
        });
        let Learned { trained, answers, warnings } = learning.await??;
        let recipe = serde_json::to_value(&self.recipe.train).expect("a recipe is plain data");
        let at_s = (self.clock)();
        let took_s = u64::try_from(at_s.saturating_sub(began_s)).unwrap_or(0);
        let run = Run { learned_from, at_s, took_s, recipe, ..describe(&trained, answers) };
        let summary = summary(&run, &warnings);
        work.store.put_notes::<Run>(&[(name, run)])?;
        Ok(summary)
    }

    fn is_whole(&self, store: &Store) -> bool {
        match query::current_run(store) {
            Ok(Some(name)) => {
                let dir = self.layout.models().join(name.0);
                dir.join("model.json").exists() && dir.join("model.safetensors").exists()
            }
            Ok(None) | Err(_) => true,
        }
    }
}

/// A model and what it said of the test pictures.
struct Learned {
    trained: Trained,
    answers: Vec<Answer>,
    warnings: Vec<Warning>,
}

fn learn(
    recipe: &Recipe,
    input: &Input,
    weights: Option<&Path>,
    watch: &mut Watch<'_>,
) -> Result<Learned, TrainError> {
    let side_px = recipe.train.side_px();
    let loaded = load(input, &recipe.train)?;
    let part = |split: Split| loaded.iter().filter(move |it| it.split == split);
    let examples = |split: Split| part(split).map(|it| it.example.clone()).collect();
    let sets = Sets {
        train: examples(Split::Train),
        val: examples(Split::Val),
        classes: input.classes.iter().map(|label| label.as_str().to_owned()).collect(),
        prepare: recipe.prepare.clone(),
    };
    let pretrained = match weights {
        Some(path) => Some(Pretrained::load(recipe.train.architecture, side_px, path)?),
        None => None,
    };
    let trained = train::train(&recipe.train, recipe.seed, &sets, pretrained.as_ref(), watch);
    if let Some(error) = watch.error.take() {
        return Err(error.into());
    }
    let mut trained = trained?;
    let val: Vec<&Loaded> = part(Split::Val).collect();
    let said = match trained.val_logits.take() {
        Some(known) => known,
        None => trained.model.logits(&rgb(&val))?,
    };
    let said = said.iter().zip(&val).map(|(values, it)| {
        let values = values.iter().copied().map(f64::from).collect();
        Logits { truth: it.example.class, values }
    });
    trained.model.calibrate(Calibration::of(&said.collect::<Vec<_>>(), KEPT_SHARE));

    let test: Vec<&Loaded> = part(Split::Test).collect();
    let tested: Vec<usize> = test.iter().map(|it| it.example.class).collect();
    if !tested.is_empty() {
        for warning in Warning::not_tested(&sets.classes, &tested) {
            watch.warn(&warning);
        }
    }
    let probabilities = trained.model.probabilities(&rgb(&test))?;
    let answers = test
        .iter()
        .zip(probabilities)
        .map(|(it, probabilities)| Answer { blob: it.blob, truth: it.example.class, probabilities })
        .collect();
    let warnings = std::mem::take(&mut watch.warnings);
    Ok(Learned { trained, answers, warnings })
}

fn describe(trained: &Trained, answers: Vec<Answer>) -> Run {
    let card = trained.model.card();
    let n_classes = card.classes.len();
    Run {
        architecture: card.architecture.to_string(),
        classes: card.classes.clone(),
        parameters: card.parameters,
        epochs: trained.epochs.clone(),
        best_epoch: trained.best_epoch,
        test: (!answers.is_empty()).then(|| Evaluation::of(&answers, n_classes)),
        answers,
        learned_from: Vec::new(),
        at_s: 0,
        took_s: 0,
        recipe: serde_json::Value::Null,
    }
}

fn summary(run: &Run, warnings: &[Warning]) -> String {
    let tested = run.test.as_ref().map_or_else(
        || "no test pictures".to_owned(),
        |test| {
            let n = run.answers.len();
            format!("test accuracy {:.1} % of {n} pictures", test.accuracy * 100.0)
        },
    );
    let mut summary =
        format!("{}, best epoch {} of {}: {tested}", run.architecture, run.best_epoch, epochs(run));
    for warning in warnings {
        summary.push_str("; ");
        summary.push_str(&warning.to_string());
    }
    summary
}

fn epochs(run: &Run) -> u32 {
    run.epochs.last().map_or(0, |epoch| epoch.number)
}

/// Asks a trained model about the test pictures of the dataset as it is now.
pub fn evaluate(
    store: &Store,
    classes: &Classes,
    layout: &Layout,
    model: &Classifier,
) -> Result<Vec<Answer>, TrainError> {
    let names = &model.card().classes;
    let side_px = model.card().image_size;
    let mut answers = Vec::new();
    for picture in query::dataset(store, classes)? {
        let (blob, label) = (picture.blob, picture.label.as_str());
        // A class the model was not taught cannot be answered right or wrong.
        let Some(truth) = names.iter().position(|name| name == label) else { continue };
        if picture.split != Split::Test {
            continue;
        }
        let rgb = pixels_of(blob, &layout.crop(&picture.crop), side_px, &model.card().process)?;
        let rows = model.probabilities(&[&rgb])?;
        let answer = |probabilities| Answer { blob, truth, probabilities };
        answers.extend(rows.into_iter().map(answer));
    }
    Ok(answers)
}
