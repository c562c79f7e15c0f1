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

use self::{
    checkpoint::Checkpoint,
    supply::{BATCH, Extractor, Features, Supply, tensor},
};
use super::{
    ModelError,
    augment::{self, Alteration},
    card::{FORMAT, ModelCard, Preprocessing},
    classifier::{Classifier, check_size, rows, side},
    graph::{Graph, Shape, build::Fill},
    loss::{self, Tally},
    nets::{self, Plan, Style},
    optimizer,
    pretrained::Pretrained,
    random::{Purpose, Random},
    recipe::{Monitor, TrainRecipe},
};
use crate::{
    domain::{id::BlobId, learning::Epoch},
    pixels::crop,
};

mod checkpoint;
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
    classes: &[String],
    seed: u64,
    sets: &Sets,
    pretrained: Option<&Pretrained>,
    host: &mut dyn Host,
) -> Result<Trained, ModelError> {
    recipe.check().map_err(ModelError::Recipe)?;
    let counts = check_sets(recipe, classes, sets)?;
    let course = Course::new(recipe, &counts, seed, sets, pretrained);
    let (fixed, fresh) = course.network(pretrained)?;
    let features = course.features(&fixed, host)?;
    let mut learner =
        Learner { net: fresh.train(), optimizer: optimizer::new(recipe), features, step: 0 };
    let (mut epochs, mut best) = match course.resume(&mut learner, host) {
        Some(resumed) => resumed,
        None => {
            let untrained = learner.net.valid();
            let train = course.ask(&untrained, &learner.features, Part::Train, 0)?;
            let val = course.ask(&untrained, &learner.features, Part::Val, 0)?;
            let first = epoch(0, train, val);
            tell(Progress::Epoch(first), 0, host)?;
            (vec![first], (first, untrained))
        }
    };
    let next = epochs.last().map_or(0, |last| last.number) + 1;
    for number in next..=recipe.epochs {
        if recipe.early_stopping.patience <= number - 1 - best.0.number {
            break;
        }
        let train = course.learn(&mut learner, number, host)?;
        let net = learner.net.valid();
        let val = course.ask(&net, &learner.features, Part::Val, number)?;
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
        classes: classes.to_vec(),
        image_size: recipe.image_size,
        head: recipe.head.clone(),
        style: course.plan.style,
        prepare: sets.prepare.clone(),
        parameters: u64::try_from(net.n_parameters()).expect("a usize has at most 64 bits"),
        preprocessing: course.supply.preprocessing.clone(),
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
    supply: Supply<'a>,
    class_weights: Vec<f64>,
    /// How many steps there are unless stopped early.
    n_steps: u32,
}

/// Everything that does.
struct Learner {
    /// The part that learns.
    net: Graph,
    optimizer: ModuleOptimizer,
    /// What the part before it made of all pictures, where there is one.
    features: Option<[Features; 2]>,
    step: u32,
}

/// The best epoch so far, and the part that learned as it was then.
type Best = (Epoch, Graph);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Train,
    Val,
}

impl<'a> Course<'a> {
    fn new(
        recipe: &'a TrainRecipe,
        counts: &[usize],
        seed: u64,
        sets: &'a Sets,
        pretrained: Option<&Pretrained>,
    ) -> Self {
        let plan = Plan {
            architecture: recipe.architecture,
            side_px: side(recipe.image_size),
            n_classes: counts.len(),
            dropout: recipe.dropout,
            head: recipe.head.clone(),
            style: Style::default(),
        };
        let preprocessing = match pretrained {
            Some(pretrained) => pretrained.preprocessing(recipe.image_size),
            None => Preprocessing::of(&pictures(&sets.train), recipe.image_size),
        };
        let class_weights = loss::class_weights(counts, recipe.class_weights);
        let anyhow: Vec<usize> = (0..sets.train.len()).collect();
        let n_batches = u32::try_from(batches(&anyhow, side(recipe.batch_size)).len());
        let n_steps = recipe.epochs * n_batches.expect("there are fewer than 2^32 pictures");
        let supply = Supply { recipe, seed, side_px: plan.side_px, preprocessing };
        Self { recipe, sets, seed, plan, supply, class_weights, n_steps }
    }

    /// Returns the part of the network that stays as it is, and the part that learns.
    fn network(&self, pretrained: Option<&Pretrained>) -> Result<(Graph, Graph), ModelError> {
        let mut random = Random::new(self.seed, Purpose::Weights);
        let fill = Fill::Drawn(&mut random);
        let architecture = self.recipe.architecture;
        let net = match pretrained {
            Some(pretrained) => {
                let body = pretrained.body().clone();
                let end = body.nodes().len();
                nets::with_head(body, &self.plan, fill, &Device::flex()).map(|mut net| {
                    net.freeze_before(end, self.recipe.unfreeze.n_layers());
                    net
                })
            }
            None => nets::build(&self.plan, fill, &Device::flex()),
        };
        let mut net = net.map_err(|source| ModelError::TooSmall { architecture, source })?;
        net.number();
        Ok(net.split(net.fixed_end()))
    }

    /// Asks the fixed part about all pictures.
    fn features(
        &self,
        fixed: &Graph,
        host: &mut dyn Host,
    ) -> Result<Option<[Features; 2]>, ModelError> {
        let Some(extractor) = Extractor::of(fixed.clone(), &self.supply.preprocessing) else {
            return Ok(None);
        };
        let n_variants = 1 + self.recipe.feature_variants;
        let of = self.sets.train.len() * side(n_variants) + self.sets.val.len();
        let mut done = 0;
        let mut told = |n: usize, host: &mut dyn Host| {
            done += n;
            tell(Progress::Features { done, of }, 0, host)
        };
        let mut ask = |examples: &[Example], n_variants| {
            self.supply.features(&extractor, examples, n_variants, host, &mut told)
        };
        Ok(Some([ask(&self.sets.train, n_variants)?, ask(&self.sets.val, 1)?]))
    }

    /// Goes on where a training that did not end left off.
    fn resume(&self, learner: &mut Learner, host: &mut dyn Host) -> Option<(Vec<Epoch>, Best)> {
        let checkpoint = Checkpoint::read(&host.saved()?)?;
        let with = |tensors| {
            let mut net = learner.net.clone();
            net.load(tensors).ok().map(|()| net)
        };
        let (now, best) = (with(checkpoint.now)?, with(checkpoint.best)?.valid());
        let last = checkpoint.epochs.last()?;
        let best_epoch =
            *checkpoint.epochs.iter().find(|epoch| epoch.number == checkpoint.best_epoch)?;
        learner.optimizer = optimizer::remembering(self.recipe, checkpoint.optimizer)?;
        learner.net = now;
        learner.step = self.n_steps / self.recipe.epochs * last.number;
        Some((checkpoint.epochs, (best_epoch, best)))
    }

    /// Shows every training picture once, in an order of this epoch's own. The next batch is
    /// made while the network learns from this one.
    fn learn(
        &self,
        learner: &mut Learner,
        number: u32,
        host: &mut dyn Host,
    ) -> Result<Tally, ModelError> {
        let mut tally = Tally::default();
        let mut random = Random::new(self.seed, Purpose::Order).at(number.into());
        let order = random.order(self.sets.train.len());
        let batches = batches(&order, side(self.recipe.batch_size));
        let features = learner.features.take();
        let shape = self.shape(features.as_ref());
        let make = |batch: Option<&&[usize]>| batch.map(|it| self.batch(&features, number, it));
        let mut made = make(batches.first());
        for (done, batch) in (1..).zip(&batches) {
            let truths: Vec<usize> =
                batch.iter().map(|index| self.sets.train[*index].class).collect();
            let values = made.take().unwrap_or_default();
            let (loss, next) = rayon::join(
                || self.step(learner, &mut tally, values, shape, &truths),
                || make(batches.get(done)),
            );
            made = next;
            if !loss.is_finite() {
                return Err(ModelError::Diverged { epoch: number });
            }
            tell(Progress::Batch { epoch: number, done, of: batches.len(), loss }, number, host)?;
        }
        learner.features = features;
        Ok(tally)
    }

    /// Returns what a batch is made of: features where there are some, else changed pictures.
    fn batch(&self, features: &Option<[Features; 2]>, number: u32, batch: &[usize]) -> Vec<f32> {
        match features {
            Some([train, _]) => {
                let draws = Random::new(self.seed, Purpose::Variant).at(number.into());
                train.drawn(&draws, batch)
            }
            None => self.supply.altered(&self.sets.train, number, batch),
        }
    }

    fn shape(&self, features: Option<&[Features; 2]>) -> Shape {
        features.map_or(self.supply.picture_shape(), |[train, _]| train.shape())
    }

    /// Learns from one batch and returns the loss it learned from.
    fn step(
        &self,
        learner: &mut Learner,
        tally: &mut Tally,
        values: Vec<f32>,
        shape: Shape,
        truths: &[usize],
    ) -> f64 {
        let given = tensor(values, shape, &Device::flex().autodiff());
        let mut dropout = Random::new(self.seed, Purpose::Dropout).at(learner.step.into());
        let logits = learner.net.learn(given, &mut dropout);
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

    /// Asks the part that learns about unchanged pictures.
    fn ask(
        &self,
        net: &Graph,
        features: &Option<[Features; 2]>,
        part: Part,
        number: u32,
    ) -> Result<Tally, ModelError> {
        let (examples, known) = match part {
            Part::Train => (&self.sets.train, features.as_ref().map(|[train, _]| train)),
            Part::Val => (&self.sets.val, features.as_ref().map(|[_, val]| val)),
        };
        let mut tally = Tally::default();
        for start in (0..examples.len()).step_by(BATCH) {
            let range = start..examples.len().min(start + BATCH);
            let values = match known {
                Some(features) => features.plain(range.clone()),
                None => {
                    let rgb = pictures(&examples[range.clone()]);
                    let preprocessing = &self.supply.preprocessing;
                    augment::batch(&rgb, self.plan.side_px, preprocessing, |_| Alteration::NONE)
                }
            };
            let shape = self.shape(features.as_ref());
            let logits = net.forward_in_parts(tensor(values, shape, &Device::flex()));
            for (row, example) in rows(logits).iter().zip(&examples[range]) {
                if !row.iter().all(|logit| logit.is_finite()) {
                    return Err(ModelError::Diverged { epoch: number });
                }
                tally.add(row, example.class);
            }
        }
        Ok(tally)
    }
}

impl Learner {
    fn checkpoint(&self, epochs: &[Epoch], best: &Best) -> Vec<u8> {
        Checkpoint {
            epochs: epochs.to_vec(),
            best_epoch: best.0.number,
            now: self.net.tensors(),
            best: best.1.tensors(),
            optimizer: optimizer::memory(&self.optimizer),
        }
        .write()
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
