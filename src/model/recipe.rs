//! The `[train]` table of the pipeline file: which network, and how it learns.

use std::{ops::RangeInclusive, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::head::Head;
pub use crate::pixels::augment::Augment;
use crate::pixels::process::{self, ProcessError, Step};

mod architecture;
mod class_weights;
mod compute;
mod early_stopping;
mod optimizer;
mod schedule;
mod variants;

pub use architecture::Architecture;
pub use class_weights::ClassWeights;
pub use compute::Compute;
pub use early_stopping::{EarlyStopping, Monitor};
pub use optimizer::Optimizer;
pub use schedule::{Exponential, OneCycle, ReduceOnPlateau, Schedule, StepDecay};
pub(super) use variants::Versions;
pub use variants::{AsNeeded, Variants};

/// The sides a network can be made for: four times halved, something must be left.
pub const IMAGE_SIZES: RangeInclusive<u32> = 16..=512;

/// How to train. All of it, with the seed and the pictures, decides every byte of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainRecipe {
    pub architecture: Architecture,
    /// What computes the training.
    #[serde(skip_serializing_if = "Compute::is_cpu")]
    pub device: Compute,
    /// Pictures enter the network as squares of this side; without it, of the side the network
    /// was published for.
    pub image_size: Option<u32>,
    /// The most passes over the training pictures; early stopping may end sooner.
    pub epochs: u32,
    pub batch_size: u32,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub optimizer: Optimizer,
    /// The share of the last step in the next one, of `sgd` (0.9 without it) and `rmsprop` (0).
    pub momentum: Option<f64>,
    /// Whether `sgd` looks ahead along its momentum.
    pub nesterov: bool,
    /// The share of earlier squared gradients in what `rmsprop` divides by; 0.99 without it, as
    /// in `PyTorch`, where Keras has 0.9.
    pub rho: Option<f64>,
    pub schedule: Schedule,
    pub sampling: Sampling,
    pub class_weights: ClassWeights,
    /// How evenly pictures are blended with others of their batch: the alpha of the beta
    /// distribution their shares are drawn from (Zhang et al. 2018); 0 blends none.
    pub mixup: f64,
    /// The share of certainty that is spread over all classes.
    pub label_smoothing: f64,
    /// The share of features each dropout of a network without a `head` hides in each step.
    pub dropout: f64,
    /// What comes behind the body of a pretrained network.
    pub head: Head,
    pub early_stopping: EarlyStopping,
    pub augment: Augment,
    /// The file of published weights the network starts from; without one it knows nothing.
    pub weights: Option<PathBuf>,
    /// What makes a thing easier to see, done to every picture before the network sees it.
    pub process: Vec<Step>,
    /// How many of the layers with weights of a pretrained network learn as well.
    pub unfreeze: Unfreeze,
    /// How many changed versions of every training picture the frozen part of a pretrained
    /// network is asked about, besides the picture itself.
    pub feature_variants: Variants,
}

/// How much of a pretrained network learns: a number of layers from its end, or `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "`unfreeze` takes a number of layers, or \"all\"")]
pub enum Unfreeze {
    Layers(u32),
    Everything(Everything),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Everything {
    All,
}

impl Unfreeze {
    pub(super) fn n_layers(self) -> usize {
        match self {
            Self::Layers(n) => usize::try_from(n).unwrap_or(usize::MAX),
            Self::Everything(Everything::All) => usize::MAX,
        }
    }
}

/// Which training pictures an epoch shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Every picture once.
    Shuffled,
    /// As many as there are, of every class equally many: pictures of small classes several times,
    /// of large ones only some. What `PyTorch`'s `WeightedRandomSampler` gives on average.
    Balanced,
    /// Of every class as many as the smallest has, chosen anew for every epoch.
    Undersample,
}

/// A key, its value, and the lowest and highest value that can be followed.
type Range = (&'static str, f64, f64, f64);

/// A value of the recipe cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecipeError {
    #[error("`{key} = {value}` in [train] is out of range; choose {low} to {high}")]
    OutOfRange { key: &'static str, value: f64, low: f64, high: f64 },
    #[error(
        "`{key}` in [train] is of {owners}, not of the optimizer `{optimizer}`; leave it out, or \
         choose another optimizer"
    )]
    OtherOptimizer { key: &'static str, owners: &'static str, optimizer: Optimizer },
    #[error(
        "`nesterov = true` in [train] looks ahead along the momentum; give `momentum` a value above 0"
    )]
    NesterovAlone,
    #[error(
        "`device = \"{device}\"` in [train]: this program was built without it; build it with \
         `--features {device}`, or leave `device` out"
    )]
    NotBuiltFor { device: Compute },
    #[error(
        "`device = \"{device}\"` in [train]: this machine has no such device that works; leave `device` out"
    )]
    NoSuchDevice { device: Compute },
}

impl Default for TrainRecipe {
    fn default() -> Self {
        Self {
            architecture: Architecture::SmallCnn,
            device: Compute::Cpu,
            image_size: None,
            epochs: 50,
            batch_size: 8,
            learning_rate: 0.005,
            weight_decay: 0.01,
            optimizer: Optimizer::Adamw,
            momentum: None,
            nesterov: false,
            rho: None,
            schedule: Schedule::Cosine,
            sampling: Sampling::Shuffled,
            class_weights: ClassWeights::Balanced,
            mixup: 0.0,
            label_smoothing: 0.05,
            dropout: 0.2,
            head: Head::default(),
            early_stopping: EarlyStopping::default(),
            augment: Augment::default(),
            weights: None,
            process: Vec::new(),
            unfreeze: Unfreeze::Layers(0),
            feature_variants: Variants::AsNeeded(AsNeeded::Auto),
        }
    }
}

impl TrainRecipe {
    /// Finds the first value that training could not work with.
    pub fn check(&self) -> Result<(), RecipeError> {
        let (smallest, largest) = IMAGE_SIZES.into_inner();
        let ranges = [
            ("image_size", f64::from(self.side_px()), smallest.into(), largest.into()),
            ("epochs", f64::from(self.epochs), 1.0, 1000.0),
            // A batch of one has no variance to normalise by.
            ("batch_size", f64::from(self.batch_size), 2.0, 1024.0),
            ("learning_rate", self.learning_rate, 1e-7, 10.0),
            ("weight_decay", self.weight_decay, 0.0, 1.0),
            ("momentum", self.momentum.unwrap_or_default(), 0.0, 0.999),
            ("rho", self.rho.unwrap_or_default(), 0.0, 0.9999),
            ("mixup", self.mixup, 0.0, 32.0),
            ("label_smoothing", self.label_smoothing, 0.0, 0.5),
            ("dropout", self.dropout, 0.0, 0.9),
            ("feature_variants", f64::from(self.feature_variants.most()), 0.0, 100.0),
        ];
        let all = ranges
            .into_iter()
            .chain(self.early_stopping.ranges())
            .chain(self.schedule.ranges(self.learning_rate))
            .chain(self.class_weights.ranges())
            .chain(self.augment.ranges());
        check_ranges(all)?;
        self.head.check()?;
        self.device.check()?;
        optimizer::check(self)
    }

    /// Returns the side of the squares the network takes: as told, or what it was made for.
    pub fn side_px(&self) -> u32 {
        self.image_size.unwrap_or(self.architecture.natural_side_px())
    }

    /// Finds the first step that could not be taken.
    pub fn check_steps(&self) -> Result<(), ProcessError> {
        process::check(&self.process)
    }
}

/// Finds the first value outside its range.
pub(super) fn check_ranges(ranges: impl IntoIterator<Item = Range>) -> Result<(), RecipeError> {
    // Written so that a value that is not a number is outside too.
    let mut outside =
        ranges.into_iter().filter(|(_, value, low, high)| !(low..=high).contains(&value));
    match outside.next() {
        Some((key, value, low, high)) => Err(RecipeError::OutOfRange { key, value, low, high }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::head::HeadLayer;

    #[test]
    fn an_empty_table_is_the_default_recipe_and_can_be_followed() {
        let recipe: TrainRecipe = serde_json::from_str("{}").unwrap();

        assert_eq!(recipe, TrainRecipe::default());
        assert_eq!(recipe.check(), Ok(()));
    }

    #[test]
    fn names_are_read_as_the_pipeline_file_writes_them() {
        let text = r#"{"architecture": "linear", "optimizer": "sgd", "schedule": "constant",
            "class_weights": "none", "early_stopping": {"monitor": "val-accuracy"}}"#;

        let recipe: TrainRecipe = serde_json::from_str(text).unwrap();

        let early_stopping =
            EarlyStopping { monitor: Monitor::ValAccuracy, patience: 20, min_delta: 0.0 };
        let expected = TrainRecipe {
            architecture: Architecture::Linear,
            optimizer: Optimizer::Sgd,
            schedule: Schedule::Constant,
            class_weights: ClassWeights::None,
            early_stopping,
            ..TrainRecipe::default()
        };
        assert_eq!(recipe, expected);
    }

    #[test]
    fn an_unknown_key_or_value_is_refused_by_name() {
        let texts = [
            (r#"{"epoch": 3}"#, "`epoch`"),
            (r#"{"augment": {"shear": 1.0}}"#, "`shear`"),
            (r#"{"early_stopping": {"delta": 1.0}}"#, "`delta`"),
            (r#"{"architecture": "resnet"}"#, "`small-cnn`, `linear`"),
            (r#"{"unfreeze": "some"}"#, "`unfreeze` takes a number of layers, or \"all\""),
            (r#"{"feature_variants": -1}"#, "`feature_variants` takes a number, or \"auto\""),
        ];
        for (text, named) in texts {
            let error = serde_json::from_str::<TrainRecipe>(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_device_the_program_was_not_built_for_is_refused_with_the_way_to_it() {
        let recipe: TrainRecipe = serde_json::from_str(r#"{"device": "cuda"}"#).unwrap();

        if cfg!(feature = "cuda") {
            assert_eq!(recipe.check(), Ok(()));
        } else {
            let complaint = recipe.check().unwrap_err().to_string();
            assert!(complaint.contains("`--features cuda`"), "{complaint}");
        }
        // What was trained before there was a choice is not trained again.
        let text = serde_json::to_string(&TrainRecipe::default()).unwrap();
        assert!(!text.contains("device"), "{text}");
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_range() {
        let recipe = TrainRecipe { batch_size: 1, ..TrainRecipe::default() };
        let text = "`batch_size = 1` in [train] is out of range; choose 2 to 1024";
        assert_eq!(recipe.check().unwrap_err().to_string(), text);
    }

    #[test]
    fn every_number_of_the_recipe_has_a_range() {
        let keys = |recipe: TrainRecipe| match recipe.check() {
            Err(RecipeError::OutOfRange { key, .. }) => key,
            other => panic!("{other:?}"),
        };
        let train = TrainRecipe::default;
        let augment = |augment| TrainRecipe { augment, ..TrainRecipe::default() };
        let still = Augment::NOTHING;
        let stopping = EarlyStopping { patience: 0, ..EarlyStopping::default() };
        let delta = EarlyStopping { min_delta: -0.1, ..EarlyStopping::default() };
        let schedule = |schedule| TrainRecipe { schedule, ..TrainRecipe::default() };
        let cycle = OneCycle::default();
        let plateau = ReduceOnPlateau::default();
        let on_plateau = |it| schedule(Schedule::ReduceOnPlateau(it));
        let weights = ClassWeights::Of([("a".to_owned(), 0.0)].into());

        let refused = [
            keys(TrainRecipe { image_size: Some(8), ..train() }),
            keys(TrainRecipe { epochs: 0, ..train() }),
            keys(TrainRecipe { learning_rate: f64::NAN, ..train() }),
            keys(TrainRecipe { weight_decay: -0.1, ..train() }),
            keys(TrainRecipe { label_smoothing: 0.6, ..train() }),
            keys(TrainRecipe { dropout: 1.0, ..train() }),
            keys(TrainRecipe { head: Head(vec![HeadLayer::Dense(0)]), ..train() }),
            keys(TrainRecipe { early_stopping: stopping, ..train() }),
            keys(TrainRecipe { early_stopping: delta, ..train() }),
            keys(TrainRecipe { momentum: Some(1.0), ..train() }),
            keys(TrainRecipe { rho: Some(1.0), ..train() }),
            keys(TrainRecipe { mixup: -0.1, ..train() }),
            keys(TrainRecipe { class_weights: weights, ..train() }),
            keys(schedule(Schedule::Step(StepDecay { step_size: 0, ..StepDecay::default() }))),
            keys(schedule(Schedule::Step(StepDecay { gamma: 1.1, ..StepDecay::default() }))),
            keys(schedule(Schedule::Exponential(Exponential { gamma: 0.0 }))),
            keys(schedule(Schedule::OneCycle(OneCycle { pct_start: 1.1, ..cycle }))),
            keys(schedule(Schedule::OneCycle(OneCycle { div_factor: 0.5, ..cycle }))),
            keys(schedule(Schedule::OneCycle(OneCycle { final_div_factor: 0.5, ..cycle }))),
            keys(on_plateau(ReduceOnPlateau { factor: 1.0, ..plateau })),
            keys(on_plateau(ReduceOnPlateau { patience: 0, ..plateau })),
            keys(on_plateau(ReduceOnPlateau { min_delta: -1.0, ..plateau })),
            keys(on_plateau(ReduceOnPlateau { cooldown: 1001, ..plateau })),
            keys(on_plateau(ReduceOnPlateau { min_lr: 0.1, ..plateau })),
            keys(augment(Augment { rotate_deg: 181.0, ..still })),
        ];

        let expected = [
            "image_size",
            "epochs",
            "learning_rate",
            "weight_decay",
            "label_smoothing",
            "dropout",
            "head.dense",
            "early_stopping.patience",
            "early_stopping.min_delta",
            "momentum",
            "rho",
            "mixup",
            "class_weights",
            "schedule.step_size",
            "schedule.gamma",
            "schedule.gamma",
            "schedule.pct_start",
            "schedule.div_factor",
            "schedule.final_div_factor",
            "schedule.factor",
            "schedule.patience",
            "schedule.min_delta",
            "schedule.cooldown",
            "schedule.min_lr",
            "augment.rotate_deg",
        ];
        assert_eq!(refused, expected);
    }
}
