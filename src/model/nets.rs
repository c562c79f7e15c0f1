//! The networks by name: each is put together by a file of its own.
//!
//! A network that is published with weights is a body, up to its last feature maps, and a head
//! after the recipe; the others are whole.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use self::unit::Unit;
use super::{
    graph::{
        Graph, Shape,
        build::{Builder, Fill, TooSmall, Value},
    },
    head::{Head, HeadLayer},
    recipe::Architecture,
};

mod first_model;
mod inception_v3;
mod keras_cnn;
mod linear;
mod mobilenet_v2;
mod peetznet;
mod resnet;
mod second_model;
mod small_cnn;
mod unit;
mod vgg_16;
mod vgg_style;
mod xception;
#[cfg(test)]
pub(super) mod parity_tests;
#[cfg(test)]
mod tests;

/// What fixes the size of a network.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) architecture: Architecture,
    pub(super) side_px: usize,
    pub(super) n_classes: usize,
    /// What every dropout of a network without a head hides.
    pub(super) dropout: f64,
    /// What comes behind a body.
    pub(super) head: Head,
    pub(super) style: Style,
}

/// How a network was built when its weights were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Style {
    pub padding: Padding,
    /// Whether the normalisation is already part of the convolutions.
    pub is_folded: bool,
}

/// Where `MobileNetV2` and Xception pad a map that a stride of 2 does not divide evenly. The other
/// networks have one kind of published weights only and take no notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// As much on all sides, as `PyTorch` does.
    #[default]
    Even,
    /// Behind first, as `SAME` of `TensorFlow` and Keras does.
    Same,
}

/// Makes a whole network for squares of `plan.side_px` in three colours.
pub(super) fn build(plan: &Plan, fill: Fill<'_>, device: &Device) -> Result<Graph, TooSmall> {
    let (mut net, pictures) = Builder::new(input(plan), fill, device);
    let (n_classes, dropout) = (plan.n_classes, plan.dropout);
    match plan.architecture {
        Architecture::SmallCnn => small_cnn::answer(&mut net, pictures, n_classes, dropout),
        Architecture::Linear => linear::answer(&mut net, pictures, n_classes),
        Architecture::VggStyle => vgg_style::answer(&mut net, pictures, n_classes, dropout),
        Architecture::Peetznet => peetznet::answer(&mut net, pictures, n_classes, dropout),
        Architecture::KerasCnn => keras_cnn::answer(&mut net, pictures, n_classes, [dropout; 1]),
        Architecture::KerasCnnRegularised => {
            keras_cnn::answer(&mut net, pictures, n_classes, [dropout; 2]);
        }
        Architecture::FirstModel => first_model::answer(&mut net, pictures, n_classes, dropout),
        Architecture::SecondModel => second_model::answer(&mut net, pictures, n_classes, dropout),
        Architecture::MobilenetV2
        | Architecture::Resnet18
        | Architecture::Resnet50
        | Architecture::Vgg16
        | Architecture::InceptionV3
        | Architecture::Xception => {
            let maps = maps(&mut net, pictures, plan);
            head(&mut net, maps, plan);
        }
    }
    net.finish()
}

/// Makes the part of a pretrainable network that ends with its last feature maps.
pub(super) fn body(plan: &Plan, fill: Fill<'_>, device: &Device) -> Result<Graph, TooSmall> {
    assert!(plan.architecture.is_pretrainable(), "{} is no body and head", plan.architecture);
    let (mut net, pictures) = Builder::new(input(plan), fill, device);
    maps(&mut net, pictures, plan);
    net.finish()
}

/// Puts the head of `plan` behind a body; the nodes of the body stay the first ones.
pub(super) fn with_head(
    body: Graph,
    plan: &Plan,
    fill: Fill<'_>,
    device: &Device,
) -> Result<Graph, TooSmall> {
    let (mut net, maps) = Builder::onto(body, fill, device);
    head(&mut net, maps, plan);
    net.finish()
}

fn input(plan: &Plan) -> Shape {
    [3, plan.side_px, plan.side_px]
}

fn maps(net: &mut Builder<'_>, pictures: Value, plan: &Plan) -> Value {
    let mut unit = Unit { net, style: plan.style, epsilon: 1e-5 };
    match plan.architecture {
        Architecture::MobilenetV2 => mobilenet_v2::body(&mut unit, pictures),
        Architecture::Resnet18 => resnet::body_18(&mut unit, pictures),
        Architecture::Resnet50 => resnet::body_50(&mut unit, pictures),
        Architecture::Vgg16 => vgg_16::body(unit.net, pictures),
        Architecture::InceptionV3 => inception_v3::body(&mut unit, pictures),
        Architecture::Xception => xception::body(&mut unit, pictures),
        Architecture::SmallCnn
        | Architecture::Linear
        | Architecture::VggStyle
        | Architecture::Peetznet
        | Architecture::KerasCnn
        | Architecture::KerasCnnRegularised
        | Architecture::FirstModel
        | Architecture::SecondModel => pictures,
    }
}

/// Counts layers as `PyTorch`'s `Sequential` does, so that a published head has the published
/// names.
fn head(net: &mut Builder<'_>, maps: Value, plan: &Plan) {
    let mut value = maps;
    let mut n = 0;
    for layer in &plan.head.0 {
        let name = format!("classifier.{n}");
        n += match layer {
            HeadLayer::GlobalAverage | HeadLayer::Flatten => 0,
            HeadLayer::BatchNorm | HeadLayer::Relu | HeadLayer::Dropout(_) => 1,
            HeadLayer::Dense(_) => 2,
        };
        value = match layer {
            HeadLayer::GlobalAverage => net.global_average(value),
            HeadLayer::Flatten => net.flatten(value),
            HeadLayer::BatchNorm => net.norm(&name, value, 1e-5, 0.1),
            HeadLayer::Relu => net.relu(value),
            HeadLayer::Dense(n_out) => {
                let n_out = usize::try_from(*n_out).expect("a width fits a usize");
                let value = net.dense(&name, value, n_out);
                net.relu(value)
            }
            HeadLayer::Dropout(share) => net.dropout(value, *share),
        };
    }
    let name = match plan.architecture {
        Architecture::Resnet18
        | Architecture::Resnet50
        | Architecture::InceptionV3
        | Architecture::Xception => "fc".to_owned(),
        Architecture::MobilenetV2
        | Architecture::Vgg16
        | Architecture::SmallCnn
        | Architecture::Linear
        | Architecture::VggStyle
        | Architecture::Peetznet
        | Architecture::KerasCnn
        | Architecture::KerasCnnRegularised
        | Architecture::FirstModel
        | Architecture::SecondModel => format!("classifier.{n}"),
    };
    net.output(&name, value, plan.n_classes);
}

impl Plan {
    /// A network with the head and in the style that are usual.
    pub(super) fn new(architecture: Architecture, side_px: usize, n_classes: usize) -> Self {
        let (head, style) = (Head::default(), Style::default());
        Self { architecture, side_px, n_classes, dropout: 0.0, head, style }
    }
}
