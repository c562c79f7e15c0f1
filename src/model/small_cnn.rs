//! Four blocks of 3×3 convolution, batch normalisation, ReLU and 2×2 pooling; the mean over
//! what is left of the picture; one layer to the classes.
//!
//! The mean makes it indifferent to where in the picture a texture is, which is what lets it
//! learn from a few hundred pictures.

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
const CHANNELS: [usize; 5] = [3, 24, 32, 64, 128];

#[derive(Module, Debug)]
pub(super) struct SmallCnn {
    blocks: Vec<Block>,
    output: Linear,
    dropout: f64,
}

#[derive(Module, Debug)]
struct Block {
    conv: Conv2d,
    norm: BatchNorm,
    pool: MaxPool2d,
}

impl SmallCnn {
    pub(super) fn new(plan: &Plan, random: &mut Random, device: &Device) -> Self {
        let blocks = CHANNELS
            .windows(2)
            .map(|channels| Block::new([channels[0], channels[1]], random, device))
            .collect();
        let [.., n_features] = CHANNELS;
        let output = output_layer(n_features, plan.n_classes, random, device);
        Self { blocks, output, dropout: plan.dropout }
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
        let maps = self.blocks.iter().fold(pictures, |maps, block| block.forward(maps));
        maps.flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2)
    }
}

impl Block {
    fn new(channels: [usize; 2], random: &mut Random, device: &Device) -> Self {
        let (k, st) = if channels[0] == 3 { (5, 2) } else { (3, 1) };
        // The normalisation takes the mean off, so a bias before it would do nothing.
        let mut conv = Conv2dConfig::new(channels, [k, k])
            .with_stride([st, st])
            .with_padding(PaddingConfig2d::Explicit(k / 2, k / 2, k / 2, k / 2))
            .with_bias(false)
            .init(device);
        let reach = 6_f32.sqrt() / root(channels[0] * k * k);
        conv.weight = draw([channels[1], channels[0], k, k], reach, random, device);
        Self {
            conv,
            norm: BatchNormConfig::new(channels[1]).init(device),
            pool: MaxPool2dConfig::new([3 - st, 3 - st]).init(),
        }
    }

    fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        self.pool.forward(relu(self.norm.forward(self.conv.forward(maps))))
    }
}
