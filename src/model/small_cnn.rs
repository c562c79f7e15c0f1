//! Four blocks of 3×3 convolution, batch normalisation and `ReLU`, halved by pooling between
//! them; then of every feature its mean and its maximum over the picture, and one layer to the
//! classes.
//!
//! Mean and maximum do not care where in the picture a thing is, which is what lets it learn
//! from a few hundred pictures: the mean sees what fills the picture, the maximum what is small.
//! Few channels at full size keep a training within seconds: large maps cost most.

use burn::{
    module::Module,
    nn::{
        BatchNorm, BatchNormConfig, Linear, PaddingConfig2d,
        conv::{Conv2d, Conv2dConfig},
        pool::{MaxPool2d, MaxPool2dConfig},
    },
    tensor::{Device, Tensor, TensorData, activation::relu},
};

use super::{
    net::{Plan, draw, output_layer, root},
    random::Random,
};

/// Channels into the first block and out of each.
const CHANNELS: [usize; 5] = [3, 8, 24, 48, 96];

#[derive(Module, Debug)]
pub(super) struct SmallCnn {
    blocks: Vec<Block>,
    halve: MaxPool2d,
    output: Linear,
    dropout: f64,
}

#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl SmallCnn {
    pub(super) fn new(plan: &Plan, random: &mut Random, device: &Device) -> Self {
        let blocks = CHANNELS
            .windows(2)
            .map(|channels| Block::new([channels[0], channels[1]], random, device))
            .collect();
        let [.., n_features] = CHANNELS;
        let output = output_layer(2 * n_features, plan.n_classes, random, device);
        let halve = MaxPool2dConfig::new([2, 2]).init();
        Self { blocks, halve, output, dropout: plan.dropout }
    }

    pub(super) fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        self.output.forward(self.features(pictures))
    }

    pub(super) fn learn(&self, pictures: Tensor<4>, random: &mut Random) -> Tensor<2> {
        let features = self.features(pictures);
        let [n, n_features] = features.dims();
        let kept = 1.0 - self.dropout;
        let mut keep = || if f64::from(random.unit()) < kept { 1.0 / kept } else { 0.0 };
        let mask: Vec<f64> = (0..n * n_features).map(|_| keep()).collect();
        let mask = Tensor::from_data(TensorData::new(mask, [n, n_features]), &features.device());
        self.output.forward(features * mask)
    }

    fn features(&self, pictures: Tensor<4>) -> Tensor<2> {
        let mut maps = pictures;
        for (n_before, block) in self.blocks.iter().enumerate() {
            if 0 < n_before {
                maps = self.halve.forward(maps);
            }
            maps = block.forward(maps);
        }
        let maps = maps.flatten::<3>(2, 3);
        let mean = maps.clone().mean_dim(2).squeeze_dim::<2>(2);
        Tensor::cat(vec![mean, maps.max_dim(2).squeeze_dim::<2>(2)], 1)
    }
}

impl Block {
    fn new(channels: [usize; 2], random: &mut Random, device: &Device) -> Self {
        // The normalisation takes the mean off, so a bias before it would do nothing.
        let mut conv = Conv2dConfig::new(channels, [3, 3])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_bias(false)
            .init(device);
        let reach = 6_f32.sqrt() / root(channels[0] * 9);
        conv.weight = draw([channels[1], channels[0], 3, 3], reach, random, device);
        Self { conv, norm: BatchNormConfig::new(channels[1]).init(device) }
    }

    fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        relu(self.norm.forward(self.conv.forward(maps)))
    }
}
