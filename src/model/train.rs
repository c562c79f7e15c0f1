//! Labelled pictures in, a trained classifier and the story of its training out.
//!
//! The weights that did best on the validation pictures are kept, not the last ones. Training
//! pictures are changed at random each time; validation pictures never are.

use std::{cmp::Ordering, ops::ControlFlow};

use burn::module::Module as _;

use self::course::{Course, Learner, Part};
use super::{
    ModelError,
    card::{FORMAT, ModelCard},
    classifier::{Classifier, check_size},
    loss::Tally,
    optimizer,
    pretrained::Pretrained,
    recipe::{Monitor, TrainRecipe},
};
use crate::{
    domain::{id::BlobId, learning::Epoch},
    pixels::crop,
};

mod checkpoint;
mod course;
mod supply;

/// One labelled picture, already the square the recipe asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Red, green and blue of every pixel, row by row.
    pub rgb: Vec<u8>,
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
    /// training figures of the others are taken while learning, from changed pictures.
    pub epochs: Vec<Epoch>,
    /// The epoch whose weights the model has.
    pub best_epoch: u32,
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
    let course = Course::new(recipe, &counts, seed, sets, pretrained);
    let (fixed, fresh) = course.network(pretrained)?;
    let features = course.features(&fixed, host)?;
    let mut learner =
        Learner { net: fresh.train(), optimizer: optimizer::new(recipe), features, step: 0 };
    let (mut epochs, mut best) = match course.resume(&mut learner, host) {
        Some(resumed) => resumed,
        None => {
            let untrained = learner.net.valid();
            let train = course.ask(&untrained, learner.features.as_ref(), Part::Train, 0)?;
            let val = course.ask(&untrained, learner.features.as_ref(), Part::Val, 0)?;
            let untold = epoch(0, train, val);
            tell(Progress::Epoch(untold), 0, host)?;
            (vec![untold], (untold, untrained))
        }
    };
    let first = epochs.last().map_or(0, |last| last.number) + 1;
    for number in first..=recipe.epochs {
        if recipe.early_stopping.patience <= number - 1 - best.0.number {
            break;
        }
        let train = course.learn(&mut learner, number, host)?;
        let net = learner.net.valid();
        let val = course.ask(&net, learner.features.as_ref(), Part::Val, number)?;
        let now = epoch(number, train, val);
        epochs.push(now);
        // Even the worst first epoch has learned something; the untrained network is no model.
        if number == 1 || is_better(&now, &best.0, recipe.early_stopping.monitor) {
            best = (now, net);
        }
        host.save(&learner.checkpoint(&epochs, &best));
        tell(Progress::Epoch(now), number, host)?;
    }

    let (best, net) = best;
    let net = if fixed.nodes().len() < 2 { net } else { fixed.join(&net) };
    let card = ModelCard {
        format: FORMAT,
        snapset: env!("CARGO_PKG_VERSION").to_owned(),
        architecture: recipe.architecture,
        classes: sets.classes.clone(),
        image_size: recipe.side_px(),
        head: recipe.head.clone(),
        style: course.plan.style,
        prepare: sets.prepare.clone(),
        parameters: u64::try_from(net.n_parameters()).expect("a usize has at most 64 bits"),
        preprocessing: course.supply.preprocessing.clone(),
        seed,
        process: recipe.process.clone(),
        calibration: None,
        weights: BlobId::of(&[]),
    };
    Ok(Trained { model: Classifier::new(net, card), epochs, best_epoch: best.number })
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
    if sets.val.is_empty() { Err(ModelError::NoValidation) } else { Ok(counts) }
}

fn pictures(examples: &[Example]) -> Vec<&[u8]> {
    examples.iter().map(|example| example.rgb.as_slice()).collect()
}

fn epoch(number: u32, train: Tally, val: Tally) -> Epoch {
    Epoch {
        number,
        train_loss: train.loss(),
        train_accuracy: train.accuracy(),
        val_loss: val.loss(),
        val_accuracy: val.accuracy(),
    }
}

fn is_better(now: &Epoch, best: &Epoch, monitor: Monitor) -> bool {
    let less_loss = now.val_loss < best.val_loss;
    match monitor {
        Monitor::ValLoss => less_loss,
        Monitor::ValAccuracy => match now.val_accuracy.total_cmp(&best.val_accuracy) {
            Ordering::Less => false,
            Ordering::Equal => less_loss,
            Ordering::Greater => true,
        },
    }
}

fn tell(progress: Progress, number: u32, host: &mut dyn Host) -> Result<(), ModelError> {
    match host.observe(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ModelError::Interrupted { epoch: number }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_accuracies_are_told_apart_by_their_loss() {
        let epoch = |val_accuracy, val_loss| Epoch {
            number: 1,
            train_loss: 0.0,
            train_accuracy: 0.0,
            val_loss,
            val_accuracy,
        };
        let best = epoch(0.9, 0.5);

        let by_accuracy = |now| is_better(&now, &best, Monitor::ValAccuracy);
        let answers = [epoch(0.9, 0.4), epoch(0.9, 0.5), epoch(0.95, 0.6), epoch(0.8, 0.1)];
        assert_eq!(answers.map(by_accuracy), [true, false, true, false]);
        let by_loss = |now| is_better(&now, &best, Monitor::ValLoss);
        assert_eq!(answers.map(by_loss), [true, false, false, true]);
    }
}
