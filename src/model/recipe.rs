//! The `[train]` table of the pipeline file: which network, and how it learns.

use std::{fmt, ops::RangeInclusive, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::head::Head;
pub use crate::pixels::augment::Augment;
use crate::pixels::process::{self, ProcessError, Step};

/// The sides a network can be made for: four times halved, something must be left.
pub const IMAGE_SIZES: RangeInclusive<u32> = 16..=512;

/// How to train. All of it, with the seed and the pictures, decides every byte of the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainRecipe {
    pub architecture: Architecture,
    /// Pictures enter the network as squares of this side; without it, of the side the network
    /// was published for.
    pub image_size: Option<u32>,
    /// The most passes over the training pictures; early stopping may end sooner.
    pub epochs: u32,
    pub batch_size: u32,
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub optimizer: Optimizer,
    pub schedule: Schedule,
    pub class_weights: ClassWeights,
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
    pub feature_variants: u32,
}

/// A network; adding one is a file beside this one and a variant here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// Four blocks of convolution, normalisation and pooling: trained from nothing in seconds.
    SmallCnn,
    /// One layer on the pixels: the baseline any network must beat.
    Linear,
    MobilenetV2,
    #[serde(rename = "resnet-18")]
    Resnet18,
    #[serde(rename = "resnet-50")]
    Resnet50,
    #[serde(rename = "vgg-16")]
    Vgg16,
    InceptionV3,
    Xception,
    /// Three pairs of 4×4 convolutions and two wide layers.
    VggStyle,
    /// Two branches of three pairs of convolutions.
    Peetznet,
    /// Three convolutions and one hidden layer.
    KerasCnn,
    /// Three convolutions and two hidden layers.
    KerasCnnRegularised,
    /// The network of Keras' tutorial with dropout once.
    FirstModel,
    /// The network of Keras' tutorial with dropout behind every layer.
    SecondModel,
}

/// How much of a pretrained network learns: a number of layers from its end, or `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    Adamw,
    Adam,
    Sgd,
}

/// How the learning rate changes over the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    Constant,
    /// Rises over the first twentieth of all steps, then falls along half a cosine.
    Cosine,
}

/// Whether pictures of rare classes count for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassWeights {
    /// Every class has the same say, whatever its number of pictures.
    Balanced,
    None,
}

/// When to stop, and which epoch's weights to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStopping {
    pub monitor: Monitor,
    /// Training ends after this many epochs without a better one.
    pub patience: u32,
}

/// What makes one epoch better than another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Monitor {
    ValLoss,
    /// Equal accuracies are told apart by their loss.
    ValAccuracy,
}

/// A value of the recipe cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{key} = {value}` in [train] is out of range; choose {low} to {high}")]
pub struct RecipeError {
    pub key: &'static str,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Default for TrainRecipe {
    fn default() -> Self {
        Self {
            architecture: Architecture::SmallCnn,
            image_size: None,
            epochs: 50,
            batch_size: 8,
            learning_rate: 0.005,
            weight_decay: 0.01,
            optimizer: Optimizer::Adamw,
            schedule: Schedule::Cosine,
            class_weights: ClassWeights::Balanced,
            label_smoothing: 0.05,
            dropout: 0.2,
            head: Head::default(),
            early_stopping: EarlyStopping::default(),
            augment: Augment::default(),
            weights: None,
            process: Vec::new(),
            unfreeze: Unfreeze::Layers(0),
            feature_variants: 3,
        }
    }
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { monitor: Monitor::ValLoss, patience: 20 }
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
            ("label_smoothing", self.label_smoothing, 0.0, 0.5),
            ("dropout", self.dropout, 0.0, 0.9),
            ("feature_variants", f64::from(self.feature_variants), 0.0, 100.0),
            ("early_stopping.patience", f64::from(self.early_stopping.patience), 1.0, 1000.0),
        ];
        // Written so that a value that is not a number is outside too.
        let mut all = ranges.into_iter().chain(self.augment.ranges());
        match all.find(|(_, value, low, high)| !(low..=high).contains(&value)) {
            Some((key, value, low, high)) => Err(RecipeError { key, value, low, high }),
            None => self.head.check(),
        }
    }
}

impl TrainRecipe {
    /// Returns the side of the squares the network takes: as told, or what it was made for.
    pub fn side_px(&self) -> u32 {
        self.image_size.unwrap_or(self.architecture.natural_side_px())
    }

    /// Finds the first step that could not be taken.
    pub fn check_steps(&self) -> Result<(), ProcessError> {
        process::check(&self.process)
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SmallCnn => "small-cnn",
            Self::Linear => "linear",
            Self::MobilenetV2 => "mobilenet-v2",
            Self::Resnet18 => "resnet-18",
            Self::Resnet50 => "resnet-50",
            Self::Vgg16 => "vgg-16",
            Self::InceptionV3 => "inception-v3",
            Self::Xception => "xception",
            Self::VggStyle => "vgg-style",
            Self::Peetznet => "peetznet",
            Self::KerasCnn => "keras-cnn",
            Self::KerasCnnRegularised => "keras-cnn-regularised",
            Self::FirstModel => "first-model",
            Self::SecondModel => "second-model",
        })
    }
}

impl Architecture {
    pub const ALL: [Self; 14] = [
        Self::SmallCnn,
        Self::Linear,
        Self::MobilenetV2,
        Self::Resnet18,
        Self::Resnet50,
        Self::Vgg16,
        Self::InceptionV3,
        Self::Xception,
        Self::VggStyle,
        Self::Peetznet,
        Self::KerasCnn,
        Self::KerasCnnRegularised,
        Self::FirstModel,
        Self::SecondModel,
    ];

    /// Tells whether weights learned from ImageNet are published for it, so that it is a body
    /// with a head after the recipe.
    pub fn is_pretrainable(self) -> bool {
        match self {
            Self::MobilenetV2
            | Self::Resnet18
            | Self::Resnet50
            | Self::Vgg16
            | Self::InceptionV3
            | Self::Xception => true,
            Self::SmallCnn
            | Self::Linear
            | Self::VggStyle
            | Self::Peetznet
            | Self::KerasCnn
            | Self::KerasCnnRegularised
            | Self::FirstModel
            | Self::SecondModel => false,
        }
    }

    /// The side of the pictures it was made for.
    pub fn natural_side_px(self) -> u32 {
        match self {
            Self::SmallCnn | Self::Linear => 64,
            Self::MobilenetV2
            | Self::Resnet18
            | Self::Resnet50
            | Self::Vgg16
            | Self::VggStyle
            | Self::Peetznet
            | Self::KerasCnn
            | Self::KerasCnnRegularised => 224,
            Self::InceptionV3 | Self::Xception => 299,
            Self::FirstModel | Self::SecondModel => 180,
        }
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

        let early_stopping = EarlyStopping { monitor: Monitor::ValAccuracy, patience: 20 };
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
    fn networks_are_called_what_the_pipeline_file_calls_them() {
        for architecture in Architecture::ALL {
            let written = serde_json::to_string(&architecture).unwrap();
            assert_eq!(written, format!("\"{architecture}\""));
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let texts = [
            (r#"{"epoch": 3}"#, "`epoch`"),
            (r#"{"augment": {"shear": 1.0}}"#, "`shear`"),
            (r#"{"early_stopping": {"delta": 1.0}}"#, "`delta`"),
            (r#"{"architecture": "resnet"}"#, "`small-cnn`, `linear`"),
        ];
        for (text, named) in texts {
            let error = serde_json::from_str::<TrainRecipe>(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_range() {
        let recipe = TrainRecipe { batch_size: 1, ..TrainRecipe::default() };
        let text = "`batch_size = 1` in [train] is out of range; choose 2 to 1024";
        assert_eq!(recipe.check().unwrap_err().to_string(), text);
    }

    #[test]
    fn every_number_of_the_recipe_has_a_range() {
        let keys = |recipe: TrainRecipe| recipe.check().map_err(|error| error.key);
        let train = TrainRecipe::default;
        let augment = |augment| TrainRecipe { augment, ..TrainRecipe::default() };
        let still = Augment::NOTHING;
        let stopping = EarlyStopping { patience: 0, ..EarlyStopping::default() };

        let refused = [
            keys(TrainRecipe { image_size: Some(8), ..train() }),
            keys(TrainRecipe { epochs: 0, ..train() }),
            keys(TrainRecipe { learning_rate: f64::NAN, ..train() }),
            keys(TrainRecipe { weight_decay: -0.1, ..train() }),
            keys(TrainRecipe { label_smoothing: 0.6, ..train() }),
            keys(TrainRecipe { dropout: 1.0, ..train() }),
            keys(TrainRecipe { head: Head(vec![HeadLayer::Dense(0)]), ..train() }),
            keys(TrainRecipe { early_stopping: stopping, ..train() }),
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
            "augment.rotate_deg",
        ];
        assert_eq!(refused, expected.map(Err));
    }
}
