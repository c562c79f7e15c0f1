//! Labelled pictures in, a trained classifier and the story of its training out.
//!
//! The weights that did best on the validation pictures are kept, not the last ones. Training
//! pictures are changed at random each time, or chosen from a few changed versions where a part of
//! the network is fixed; validation pictures never are.

use std::{ops::ControlFlow, sync::Arc};

use burn::{module::Module as _, tensor::Device};

use self::course::{Asked, Course, Learner, Part};
use super::{
    ModelError,
    card::{FORMAT, ModelCard},
    classifier::{Classifier, check_size},
    graph::Graph,
    loss::Tally,
    optimizer,
    pretrained::Pretrained,
    recipe::{ClassWeights, Monitor, Schedule, TrainRecipe},
};
use crate::{
    domain::{id::BlobId, learning::Epoch},
    pixels::crop,
};

mod checkpoint;
mod course;
mod figures;
mod mixup;
mod sampling;
mod supply;
mod warning;

pub use warning::Warning;

/// One labelled picture, already the square the recipe asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Red, green and blue of every pixel, row by row.
    pub rgb: Arc<[u8]>,
    /// The number of its class.
    pub class: usize,
}

/// What to learn from, and what to choose the best epoch by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sets {
    pub train: Vec<Example>,
    pub val: Vec<Example>,
    /// The names of the classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// How the pictures of both were made.
    pub prepare: crop::Recipe,
}

/// What training tells while it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// The fixed part of the network has seen `done` of `of` pictures and their variants.
    Features {
        /// The epoch it is asked for; 0 before any.
        epoch: u32,
        done: usize,
        of: usize,
    },
    /// `done` of `of` steps of the epoch are made; `loss` is what the last one learned from.
    Batch {
        epoch: u32,
        done: usize,
        of: usize,
        loss: f64,
    },
    Epoch(Epoch),
}

/// Who watches a training, and remembers for it what took long to find out.
pub trait Host {
    /// Is told of every step and may end the training by breaking.
    fn observe(&mut self, progress: Progress) -> ControlFlow<()>;

    /// Is told, before anything is learned, what makes the result doubtful.
    fn warn(&mut self, _warning: &Warning) {}

    /// Returns what the part of a network named `by` gave for `picture`, if it is remembered.
    fn recall(&mut self, _by: BlobId, _picture: BlobId) -> Option<Vec<f32>> {
        None
    }

    /// Is given what the part of a network named `by` gave for `picture`.
    fn remember(&mut self, _by: BlobId, _picture: BlobId, _values: &[f32]) {}

    /// Is given all that the next epoch starts from, after every epoch.
    fn save(&mut self, _checkpoint: &[u8]) {}

    /// Returns what [`Self::save`] was given last, by a training of the same recipe, seed and
    /// pictures that did not end.
    fn saved(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// A classifier and how it came to be.
#[derive(Clone, Debug)]
pub struct Trained {
    pub model: Classifier,
    /// Number 0 is the network before training, asked without any change to the pictures; the
    /// training figures of the others are taken while learning, from pictures as they are shown.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights the model has.
    pub best_epoch: u32,
    /// What the model says of each validation picture, as [`Classifier::logits`] would but for
    /// rounding, where a part of it was asked ahead and need not be again.
    pub val_logits: Option<Vec<Vec<f32>>>,
}

/// Trains a classifier, on a network that knows nothing or on a pretrained one.
pub fn train(
    recipe: &TrainRecipe,
    seed: u64,
    sets: &Sets,
    pretrained: Option<&Pretrained>,
    host: &mut dyn Host,
) -> Result<Trained, ModelError> {
    recipe.check().map_err(ModelError::Recipe)?;
    let counts = check_sets(recipe, sets)?;
    for warning in warning::of(sets, &counts) {
        host.warn(&warning);
    }
    let course = Course::new(recipe, &counts, seed, sets, pretrained)?;
    let (fixed, fresh) = course.network(pretrained)?;
    let ahead = course.ahead(&fixed)?;
    let mut learner = Learner::new(fresh.train(), optimizer::new(recipe));
    course.ask_ahead(ahead.as_ref(), &mut learner, &[], host)?;
    let (mut epochs, mut best) = match course.resume(&mut learner, host) {
        Some(resumed) => resumed,
        None => {
            let untrained = learner.net.valid();
            let train = course.ask(&untrained, learner.features.as_ref(), Part::Train, 0)?;
            let val = course.ask(&untrained, learner.features.as_ref(), Part::Val, 0)?;
            let untold = epoch(0, train.tally, &val);
            tell(Progress::Epoch(untold), 0, host)?;
            (vec![untold], (untold, untrained))
        }
    };
    for number in course::next(&epochs)..=recipe.epochs {
        let since = course.ask_ahead(ahead.as_ref(), &mut learner, &epochs, host)?;
        if recipe.early_stopping.patience <= number - 1 - best.0.number.max(since) {
            break;
        }
        let (train, rate) = course.learn(&mut learner, &epochs, host)?;
        let net = learner.net.valid();
        let val = course.ask(&net, learner.features.as_ref(), Part::Val, number)?;
        let now = Epoch { learning_rate: Some(rate), ..epoch(number, train, &val) };
        epochs.push(now);
        // Even the worst first epoch has learned something; the untrained network is no model.
        if number == 1 || recipe.early_stopping.is_better(&now, &best.0) {
            best = (now, net);
        }
        host.save(&learner.checkpoint(&epochs, &best));
        tell(Progress::Epoch(now), number, host)?;
    }

    if let Some(ahead) = &ahead {
        course.keep(ahead, &learner, host);
    }
    let (best, net) = best;
    let val_logits = match &learner.features {
        Some(features) => Some(course.ask(&net, Some(features), Part::Val, best.number)?.logits),
        None => None,
    };
    let model = course.classifier(if fixed.nodes().len() < 2 { net } else { fixed.join(&net) });
    Ok(Trained { model, epochs, best_epoch: best.number, val_logits })
}

impl Course<'_> {
    /// Makes a network that was trained one that can be asked.
    fn classifier(&self, net: Graph) -> Classifier {
        let Self { recipe, sets, .. } = *self;
        let net = net.to_device(&Device::flex());
        let card = ModelCard {
            format: FORMAT,
            snapset: env!("CARGO_PKG_VERSION").to_owned(),
            architecture: recipe.architecture,
            classes: sets.classes.clone(),
            image_size: recipe.side_px(),
            head: recipe.head.clone(),
            style: self.plan.style,
            prepare: sets.prepare.clone(),
            parameters: u64::try_from(net.n_parameters()).expect("a usize has at most 64 bits"),
            preprocessing: self.supply.preprocessing.clone(),
            seed: self.seed,
            process: recipe.process.clone(),
            calibration: None,
            weights: BlobId::of(&[]),
        };
        Classifier::new(net, card)
    }
}

/// Refuses sets nothing can be learned from; returns how many training pictures each class has.
fn check_sets(recipe: &TrainRecipe, sets: &Sets) -> Result<Vec<usize>, ModelError> {
    let classes = &sets.classes;
    if classes.len() < 2 {
        return Err(ModelError::TooFewClasses { classes: classes.clone() });
    }
    check_size("training", &pictures(&sets.train), recipe.side_px())?;
    check_size("validation", &pictures(&sets.val), recipe.side_px())?;
    let n_classes = classes.len();
    let mut known = sets.train.iter().chain(&sets.val).map(|example| example.class);
    if let Some(class) = known.find(|class| n_classes <= *class) {
        return Err(ModelError::UnknownClass { class, n_classes });
    }
    let mut counts = vec![0; n_classes];
    sets.train.iter().for_each(|example| counts[example.class] += 1);
    if let Some(empty) = counts.iter().position(|count| *count == 0) {
        return Err(ModelError::EmptyClass { class: classes[empty].clone() });
    }
    if sets.val.is_empty() {
        return Err(ModelError::NoValidation);
    }
    check_weights(&recipe.class_weights, classes)?;
    check_monitors(recipe, sets)?;
    Ok(counts)
}

/// Refuses weights of other classes than there are.
fn check_weights(weights: &ClassWeights, classes: &[String]) -> Result<(), ModelError> {
    let ClassWeights::Of(weights) = weights else { return Ok(()) };
    if let Some(class) = classes.iter().find(|class| !weights.contains_key(*class)) {
        return Err(ModelError::NoWeight { class: class.clone() });
    }
    match weights.keys().find(|name| !classes.contains(name)) {
        Some(name) => {
            Err(ModelError::WeightOfNone { name: name.clone(), classes: classes.to_vec() })
        }
        None => Ok(()),
    }
}

/// Refuses to watch a figure that cannot be told.
fn check_monitors(recipe: &TrainRecipe, sets: &Sets) -> Result<(), ModelError> {
    let plateau = match &recipe.schedule {
        Schedule::ReduceOnPlateau(plateau) => Some(plateau.monitor),
        Schedule::Constant
        | Schedule::Cosine
        | Schedule::Step(_)
        | Schedule::Exponential(_)
        | Schedule::OneCycle(_) => None,
    };
    if recipe.early_stopping.monitor != Monitor::ValAuc && plateau != Some(Monitor::ValAuc) {
        return Ok(());
    }
    let is_seen = |class: usize| sets.val.iter().any(|example| example.class == class);
    match (0..sets.classes.len()).find(|class| !is_seen(*class)) {
        Some(class) => Err(ModelError::NoAuc { class: sets.classes[class].clone() }),
        None => Ok(()),
    }
}

fn pictures(examples: &[Example]) -> Vec<&[u8]> {
    examples.iter().map(|example| example.rgb.as_ref()).collect()
}

fn epoch(number: u32, train: Tally, val: &Asked) -> Epoch {
    let Asked { tally, figures, .. } = val;
    Epoch {
        number,
        train_loss: train.loss(),
        train_accuracy: train.accuracy(),
        val_loss: tally.loss(),
        val_accuracy: tally.accuracy(),
        val_balanced_accuracy: figures.balanced_accuracy,
        val_f1: figures.f1,
        val_auc: figures.auc,
        learning_rate: None,
    }
}

fn tell(progress: Progress, number: u32, host: &mut dyn Host) -> Result<(), ModelError> {
    match host.observe(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ModelError::Interrupted { epoch: number }),
    }
}
