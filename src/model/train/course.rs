//! The steps of a training: what they are made of, and what stays as it is.

use burn::{
    module::Module as _,
    optim::{GradientsParams, ModuleOptimizer},
    tensor::{Device, Tensor, TensorData},
};

use super::{
    Host, Progress, Sets,
    checkpoint::Checkpoint,
    figures::Figures,
    mixup::Mixture,
    sampling::{self, Showing, batches},
    supply::{BATCH, Extractor, Features, Supply, tensor},
    tell,
};
use crate::{
    domain::{
        learning::Epoch,
        random::{Purpose, Random},
    },
    model::{
        ModelError,
        augment::{self, Alteration},
        card::Preprocessing,
        classifier::{rows, side},
        graph::{Graph, Shape, build::Fill},
        loss::{self, Tally, Truth},
        nets::{self, Plan, Style},
        optimizer,
        pretrained::Pretrained,
        recipe::{TrainRecipe, Variants, Versions},
        schedule::{self, Place},
        train::{Example, pictures},
    },
};

/// Everything about a training that does not change while it runs.
pub(super) struct Course<'a> {
    pub(super) recipe: &'a TrainRecipe,
    pub(super) sets: &'a Sets,
    pub(super) seed: u64,
    pub(super) plan: Plan,
    pub(super) supply: Supply<'a>,
    device: Device,
    class_weights: Vec<f64>,
    /// How many steps there are unless stopped early.
    n_steps: u32,
}

/// Everything that does.
pub(super) struct Learner {
    /// The part that learns.
    pub(super) net: Graph,
    pub(super) optimizer: ModuleOptimizer,
    /// What the part before it made of all pictures, where there is one.
    pub(super) features: Option<[Features; 2]>,
    /// So many variants of each training picture are among them, the picture itself being one.
    pub(super) n_variants: u32,
    pub(super) step: u32,
}

/// The fixed part of a network, and what it is asked about.
pub(super) struct Ahead {
    extractor: Extractor,
    variants: Variants,
}

/// A host, and how far the fixed part has come.
pub(super) struct Counted<'a> {
    pub(super) host: &'a mut dyn Host,
    /// The epoch it is asked for; 0 before any.
    epoch: u32,
    done: usize,
    of: usize,
}

impl Counted<'_> {
    pub(super) fn add(&mut self, n: usize) -> Result<(), ModelError> {
        self.done += n;
        let Self { epoch, done, of, .. } = *self;
        tell(Progress::Features { epoch, done, of }, epoch, self.host)
    }
}

/// The best epoch so far, and the part that learned as it was then.
pub(super) type Best = (Epoch, Graph);

/// What is known of answers about a set.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// A row per picture.
    pub(super) logits: Vec<Vec<f32>>,
    pub(super) tally: Tally,
    pub(super) figures: Figures,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Val,
}

impl<'a> Course<'a> {
    pub(super) fn new(
        recipe: &'a TrainRecipe,
        counts: &[usize],
        seed: u64,
        sets: &'a Sets,
        pretrained: Option<&Pretrained>,
    ) -> Result<Self, ModelError> {
        let device = recipe.device.ready().map_err(ModelError::Recipe)?;
        let plan = Plan {
            architecture: recipe.architecture,
            side_px: side(recipe.side_px()),
            n_classes: counts.len(),
            dropout: recipe.dropout,
            head: recipe.head.clone(),
            style: pretrained.map_or(Style::default(), Pretrained::style),
        };
        let preprocessing = match pretrained {
            Some(pretrained) => pretrained.preprocessing(recipe.side_px()),
            None => Preprocessing::of(&pictures(&sets.train), recipe.side_px()),
        };
        let proportions = sampling::proportions(recipe.sampling, counts);
        let class_weights = loss::class_weights(&proportions, &sets.classes, &recipe.class_weights);
        let anyhow = vec![(); sampling::n_shown(recipe.sampling, counts)];
        let n_batches = u32::try_from(batches(&anyhow, side(recipe.batch_size)).len());
        let n_steps = recipe.epochs * n_batches.expect("there are fewer than 2^32 pictures");
        let supply = Supply { recipe, seed, side_px: plan.side_px, preprocessing };
        Ok(Self { recipe, sets, seed, plan, supply, device, class_weights, n_steps })
    }

    /// Returns the part of the network that stays as it is, and the part that learns.
    pub(super) fn network(
        &self,
        pretrained: Option<&Pretrained>,
    ) -> Result<(Graph, Graph), ModelError> {
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
        let net = net.to_device(&self.device);
        Ok(net.split(net.fixed_end()))
    }

    /// Makes the fixed part ready to be asked; `None` if there is none.
    pub(super) fn ahead(&self, fixed: &Graph) -> Result<Option<Ahead>, ModelError> {
        let Some(extractor) = Extractor::of(fixed, &self.supply, &self.device) else {
            return Ok(None);
        };
        let is_free = fixed.only_rearranges();
        if 0.0 < self.recipe.mixup && !is_free {
            return Err(ModelError::MixupOfFrozen { architecture: self.recipe.architecture });
        }
        let variants = self.recipe.feature_variants.settled(self.recipe);
        let variants = if is_free { variants.at_once() } else { variants };
        Ok(Some(Ahead { extractor, variants }))
    }

    /// Asks the fixed part about what the learner has no features of yet after these epochs: all
    /// pictures, and altered versions of those to learn from. Returns the epoch after which the
    /// last versions came.
    pub(super) fn ask_ahead(
        &self,
        ahead: Option<&Ahead>,
        learner: &mut Learner,
        epochs: &[Epoch],
        host: &mut dyn Host,
    ) -> Result<u32, ModelError> {
        let Some(Ahead { extractor, variants }) = ahead else { return Ok(0) };
        let Versions { n, since } = variants.after(epochs, self.recipe);
        let lacking = learner.n_variants..1 + n;
        if lacking.is_empty() {
            return Ok(since);
        }
        let Sets { train, val, .. } = self.sets;
        let n_val = if learner.features.is_none() { val.len() } else { 0 };
        let of = train.len() * lacking.len() + n_val;
        let epoch = epochs.last().map_or(0, |last| last.number + 1);
        let mut witness = Counted { host, epoch, done: 0, of };
        let mut ask = |examples: &[Example], variants| {
            self.supply.features(extractor, examples, variants, &mut witness)
        };
        learner.n_variants = lacking.end;
        let further = ask(train, lacking)?;
        match &mut learner.features {
            Some([known, _]) => known.add(further),
            none => *none = Some([further, ask(val, 0..1)?]),
        }
        Ok(since)
    }

    /// Recalls what the learner did without, so that it is kept for a training that does not.
    pub(super) fn keep(&self, ahead: &Ahead, learner: &Learner, host: &mut dyn Host) {
        let left = learner.n_variants..1 + self.recipe.feature_variants.most();
        if !left.is_empty() {
            self.supply.keep(&ahead.extractor, &self.sets.train, &left, host);
        }
    }

    /// Goes on where a training that did not end left off.
    pub(super) fn resume(
        &self,
        learner: &mut Learner,
        host: &mut dyn Host,
    ) -> Option<(Vec<Epoch>, Best)> {
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

    /// Shows the training pictures of an epoch, in an order of its own. The next batch is made
    /// while the network learns from this one. Returns the learning rate of the last step, too.
    pub(super) fn learn(
        &self,
        learner: &mut Learner,
        earlier: &[Epoch],
        host: &mut dyn Host,
    ) -> Result<(Tally, f64), ModelError> {
        let number = next(earlier);
        let (mut tally, mut rate) = (Tally::default(), 0.0);
        let classes: Vec<usize> = self.sets.train.iter().map(|example| example.class).collect();
        let n_classes = self.plan.n_classes;
        let shown =
            sampling::showings(self.recipe.sampling, &classes, n_classes, self.seed, number);
        let batches = batches(&shown, side(self.recipe.batch_size));
        let features = learner.features.take();
        let shape = self.shape(features.as_ref());
        let autodiff = self.device.clone().autodiff();
        let made =
            |at: usize| batches.get(at).map(|it| self.batch(features.as_ref(), (number, at), it));
        let mut ready = made(0);
        for done in 1..=batches.len() {
            let (values, truths) = ready.take().unwrap_or_default();
            let place = Place { step: learner.step, n_steps: self.n_steps, earlier };
            rate = schedule::rate(self.recipe, place);
            let given = || tensor(values, shape, &autodiff);
            let (loss, next) = rayon::join(
                || self.step(learner, &mut tally, (given(), &truths), rate),
                || made(done),
            );
            ready = next;
            if !loss.is_finite() {
                return Err(ModelError::Diverged { epoch: number, step: done, rate });
            }
            tell(Progress::Batch { epoch: number, done, of: batches.len(), loss }, number, host)?;
        }
        learner.features = features;
        Ok((tally, rate))
    }

    /// Returns what batch number `at` is made of, features where there are some, else changed
    /// pictures; and what is true of it.
    fn batch(
        &self,
        features: Option<&[Features; 2]>,
        (number, at): (u32, usize),
        batch: &[Showing],
    ) -> (Vec<f32>, Vec<Truth>) {
        let values = match features {
            Some([train, _]) => {
                let draws = Random::new(self.seed, Purpose::Variant).at(number.into());
                train.drawn(&draws, batch)
            }
            None => self.supply.altered(&self.sets.train, number, batch),
        };
        let classes: Vec<usize> =
            batch.iter().map(|it| self.sets.train[it.picture].class).collect();
        let at = u64::try_from(at).expect("a usize has at most 64 bits");
        let mut draws = Random::new(self.seed, Purpose::Mixup).at(number.into()).at(at);
        match Mixture::draw(self.recipe.mixup, batch.len(), &mut draws) {
            Some(mixture) => (mixture.blend(&values), mixture.truths(&classes)),
            None => (values, classes.into_iter().map(Truth::of).collect()),
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
        (given, truths): (Tensor<4>, &[Truth]),
        rate: f64,
    ) -> f64 {
        let mut dropout = Random::new(self.seed, Purpose::Dropout).at(learner.step.into());
        let logits = learner.net.learn(given, &mut dropout);
        for (row, truth) in rows(logits.clone().inner()).iter().zip(truths) {
            tally.add(&loss::softmax(row), *truth);
        }
        let targets = loss::targets(truths, &self.class_weights, self.recipe.label_smoothing);
        let targets = TensorData::new(targets, logits.dims());
        let targets = Tensor::from_data(targets, &logits.device());
        let loss = loss::cross_entropy(logits, targets);
        let value: f32 = loss.clone().into_scalar();
        let gradients = GradientsParams::from_grads(loss.backward(), &learner.net);
        learner.net = learner.optimizer.step(rate, learner.net.clone(), gradients);
        learner.step += 1;
        f64::from(value)
    }

    /// Asks the part that learns about unchanged pictures.
    pub(super) fn ask(
        &self,
        net: &Graph,
        features: Option<&[Features; 2]>,
        part: Part,
        number: u32,
    ) -> Result<Asked, ModelError> {
        let (examples, known) = match part {
            Part::Train => (&self.sets.train, features.map(|[train, _]| train)),
            Part::Val => (&self.sets.val, features.map(|[_, val]| val)),
        };
        let (mut tally, mut said, mut answers) = (Tally::default(), Vec::new(), Vec::new());
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
            let shape = self.shape(features);
            let logits = rows(net.forward_in_parts(tensor(values, shape, &self.device)));
            for (row, example) in logits.iter().zip(&examples[range]) {
                if !row.iter().all(|logit| logit.is_finite()) {
                    return Err(ModelError::Unanswered { epoch: number });
                }
                let probabilities = loss::softmax(row);
                tally.add(&probabilities, Truth::of(example.class));
                answers.push((example.class, probabilities));
            }
            said.extend(logits);
        }
        let figures = Figures::of(&answers, self.plan.n_classes);
        Ok(Asked { logits: said, tally, figures })
    }
}

impl Learner {
    pub(super) fn new(net: Graph, optimizer: ModuleOptimizer) -> Self {
        Self { net, optimizer, features: None, n_variants: 0, step: 0 }
    }

    pub(super) fn checkpoint(&self, epochs: &[Epoch], best: &Best) -> Vec<u8> {
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

/// Returns the number of the epoch after `earlier`.
pub(super) fn next(earlier: &[Epoch]) -> u32 {
    earlier.last().map_or(0, |last| last.number) + 1
}
