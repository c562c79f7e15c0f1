//! Labelled pictures in, a trained classifier and the story of its training out.
//!
//! The weights that did best on the validation pictures are kept, not the last ones. Training
//! pictures are changed at random each time; validation pictures never are.

use std::{cmp::Ordering, ops::ControlFlow};

use burn::{
    module::Module as _,
    optim::{GradientsParams, ModuleOptimizer},
    tensor::{Device, Tensor, TensorData},
};

use super::{
    ModelError,
    augment::{self, Alteration},
    card::{FORMAT, ModelCard, Preprocessing},
    classifier::{Classifier, ask, check_size, rows, side},
    graph::{Graph, build::Fill},
    loss::{self, Tally},
    nets::{self, Plan},
    optimizer,
    random::{Purpose, Random},
    recipe::{Monitor, TrainRecipe},
};
use crate::{
    domain::{id::BlobId, learning::Epoch},
    pixels::crop,
};

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
    /// How the pictures of both were made.
    pub prepare: crop::Recipe,
}

/// What training tells while it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// `done` of `of` steps of the epoch are made; `loss` is what the last one learned from.
    Batch {
        epoch: u32,
        done: usize,
        of: usize,
        loss: f64,
    },
    Epoch(Epoch),
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

/// How many pictures are asked about at once.
const BATCH: usize = 64;

/// Trains a classifier. `observe` is told of every step and may end it by breaking.
pub fn train(
    recipe: &TrainRecipe,
    classes: &[String],
    seed: u64,
    sets: &Sets,
    observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Trained, ModelError> {
    recipe.check().map_err(ModelError::Recipe)?;
    let counts = check_sets(recipe, classes, sets)?;
    let course = Course::new(recipe, &counts, seed, sets);
    let mut learner = course.begin()?;
    let untrained = learner.net.valid();
    let (train, val) =
        (course.ask(&untrained, &sets.train, 0)?, course.ask(&untrained, &sets.val, 0)?);
    let mut epochs = vec![epoch(0, train, val)];
    tell(Progress::Epoch(epochs[0]), 0, observe)?;

    let mut best = (epochs[0], untrained);
    for number in 1..=recipe.epochs {
        let train = course.learn(&mut learner, number, observe)?;
        let net = learner.net.valid();
        let now = epoch(number, train, course.ask(&net, &sets.val, number)?);
        epochs.push(now);
        // Even the worst first epoch has learned something; the untrained network is no model.
        if number == 1 || is_better(&now, &best.0, recipe.early_stopping.monitor) {
            best = (now, net);
        }
        tell(Progress::Epoch(now), number, observe)?;
        if recipe.early_stopping.patience <= number - best.0.number {
            break;
        }
    }

    let (best, net) = best;
    let card = ModelCard {
        format: FORMAT,
        snapset: env!("CARGO_PKG_VERSION").to_owned(),
        architecture: recipe.architecture,
        classes: classes.to_vec(),
        image_size: recipe.image_size,
        prepare: sets.prepare.clone(),
        parameters: u64::try_from(net.n_parameters()).expect("a usize has at most 64 bits"),
        preprocessing: course.preprocessing,
        seed,
        weights: BlobId::of(&[]),
    };
    Ok(Trained { model: Classifier::new(net, card), epochs, best_epoch: best.number })
}

/// Refuses sets nothing can be learned from; returns how many training pictures each class has.
fn check_sets(
    recipe: &TrainRecipe,
    classes: &[String],
    sets: &Sets,
) -> Result<Vec<usize>, ModelError> {
    if classes.len() < 2 {
        return Err(ModelError::TooFewClasses { classes: classes.to_vec() });
    }
    check_size("training", &pictures(&sets.train), recipe.image_size)?;
    check_size("validation", &pictures(&sets.val), recipe.image_size)?;
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

/// Everything about a training that does not change while it runs.
struct Course<'a> {
    recipe: &'a TrainRecipe,
    sets: &'a Sets,
    seed: u64,
    plan: Plan,
    preprocessing: Preprocessing,
    class_weights: Vec<f64>,
    /// How many steps there are unless stopped early.
    n_steps: u32,
}

/// Everything that does.
struct Learner {
    net: Graph,
    optimizer: ModuleOptimizer,
    dropout: Random,
    step: u32,
}

impl<'a> Course<'a> {
    fn new(recipe: &'a TrainRecipe, counts: &[usize], seed: u64, sets: &'a Sets) -> Self {
        let plan = Plan {
            architecture: recipe.architecture,
            side_px: side(recipe.image_size),
            n_classes: counts.len(),
            dropout: recipe.dropout,
        };
        let preprocessing = Preprocessing::of(&pictures(&sets.train), recipe.image_size);
        let class_weights = loss::class_weights(counts, recipe.class_weights);
        let anyhow: Vec<usize> = (0..sets.train.len()).collect();
        let n_batches = u32::try_from(batches(&anyhow, side(recipe.batch_size)).len());
        let n_steps = recipe.epochs * n_batches.expect("there are fewer than 2^32 pictures");
        Self { recipe, sets, seed, plan, preprocessing, class_weights, n_steps }
    }

    fn begin(&self) -> Result<Learner, ModelError> {
        let device = Device::flex().autodiff();
        let mut random = Random::new(self.seed, Purpose::Weights);
        let architecture = self.recipe.architecture;
        let net = nets::build(&self.plan, Fill::Drawn(&mut random), &device)
            .map_err(|source| ModelError::TooSmall { architecture, source })?;
        Ok(Learner {
            net,
            optimizer: optimizer::new(self.recipe),
            dropout: Random::new(self.seed, Purpose::Dropout),
            step: 0,
        })
    }

    /// Shows every training picture once, in an order of this epoch's own.
    fn learn(
        &self,
        learner: &mut Learner,
        number: u32,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Tally, ModelError> {
        let mut tally = Tally::default();
        let mut random = Random::new(self.seed, Purpose::Order).at(number.into());
        let order = random.order(self.sets.train.len());
        let batches = batches(&order, side(self.recipe.batch_size));
        for (done, batch) in (1..).zip(&batches) {
            let truths: Vec<usize> =
                batch.iter().map(|index| self.sets.train[*index].class).collect();
            let loss = self.step(learner, &mut tally, self.altered(number, batch), &truths);
            if !loss.is_finite() {
                return Err(ModelError::Diverged { epoch: number });
            }
            let progress = Progress::Batch { epoch: number, done, of: batches.len(), loss };
            tell(progress, number, observe)?;
        }
        Ok(tally)
    }

    /// Learns from one batch and returns the loss it learned from.
    fn step(
        &self,
        learner: &mut Learner,
        tally: &mut Tally,
        pictures: Tensor<4>,
        truths: &[usize],
    ) -> f64 {
        let logits = learner.net.learn(pictures, &mut learner.dropout);
        for (row, truth) in rows(logits.clone().inner()).iter().zip(truths) {
            tally.add(row, *truth);
        }
        let targets = loss::targets(truths, &self.class_weights, self.recipe.label_smoothing);
        let targets = TensorData::new(targets, logits.dims());
        let targets = Tensor::from_data(targets, &logits.device());
        let loss = loss::cross_entropy(logits, targets);
        let value: f32 = loss.clone().into_scalar();
        let gradients = GradientsParams::from_grads(loss.backward(), &learner.net);
        let rate = optimizer::rate(self.recipe, learner.step, self.n_steps);
        learner.net = learner.optimizer.step(rate, learner.net.clone(), gradients);
        learner.step += 1;
        f64::from(value)
    }

    /// Prepares training pictures, changed as drawn for this epoch.
    fn altered(&self, number: u32, batch: &[usize]) -> Tensor<4> {
        let random = Random::new(self.seed, Purpose::Augment).at(number.into());
        let rgb: Vec<&[u8]> =
            batch.iter().map(|index| self.sets.train[*index].rgb.as_slice()).collect();
        let side_px = self.plan.side_px;
        let values = augment::batch(&rgb, side_px, &self.preprocessing, |place| {
            let key = u64::try_from(batch[place]).expect("a usize has at most 64 bits");
            Alteration::draw(&self.recipe.augment, [side_px; 2], &mut random.at(key))
        });
        let values = TensorData::new(values, [batch.len(), 3, side_px, side_px]);
        Tensor::from_data(values, &Device::flex().autodiff())
    }

    /// Asks the network about unchanged pictures.
    fn ask(&self, net: &Graph, examples: &[Example], number: u32) -> Result<Tally, ModelError> {
        let mut tally = Tally::default();
        for examples in examples.chunks(BATCH) {
            let rows = ask(net, &pictures(examples), self.plan.side_px, &self.preprocessing);
            for (row, example) in rows.iter().zip(examples) {
                if !row.iter().all(|logit| logit.is_finite()) {
                    return Err(ModelError::Diverged { epoch: number });
                }
                tally.add(row, example.class);
            }
        }
        Ok(tally)
    }
}

/// Cuts `order` into batches; a picture left over alone joins the batch before, because
/// a batch of one has no variance to normalise by.
fn batches(order: &[usize], size: usize) -> Vec<&[usize]> {
    let n_left = order.len() % size;
    let n_alone = usize::from(n_left == 1 && size < order.len());
    let (regular, _) = order.split_at(order.len() - n_alone);
    let mut batches: Vec<&[usize]> = regular.chunks(size).collect();
    if let (1, Some(last)) = (n_alone, batches.last_mut()) {
        *last = &order[regular.len() - size..];
    }
    batches
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

fn tell(
    progress: Progress,
    number: u32,
    observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<(), ModelError> {
    match observe(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ModelError::Interrupted { epoch: number }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_left_over_alone_joins_the_last_batch() {
        let order: Vec<usize> = (0..9).collect();
        let sizes = |n: usize, size| -> Vec<usize> {
            let batches = batches(&order[..n], size);
            assert_eq!(batches.concat(), order[..n]);
            batches.iter().map(|batch| batch.len()).collect()
        };

        assert_eq!(sizes(9, 4), [4, 5]);
        assert_eq!(sizes(8, 4), [4, 4]);
        assert_eq!(sizes(7, 4), [4, 3]);
        assert_eq!(sizes(3, 2), [3]);
        assert_eq!(sizes(1, 2), [1]);
    }

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
