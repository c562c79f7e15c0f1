//! The networks by name, and what each was made for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A network; adding one is a file in `model/nets/` and a variant here.
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

    #[test]
    fn networks_are_called_what_the_pipeline_file_calls_them() {
        for architecture in Architecture::ALL {
            let written = serde_json::to_string(&architecture).unwrap();
            assert_eq!(written, format!("\"{architecture}\""));
        }
    }
}
