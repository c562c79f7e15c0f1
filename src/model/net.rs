//! The one door to all networks: a batch of pictures in, one number per class out.

use burn::{
    module::{Module, Param},
    nn::{Linear, LinearConfig},
    tensor::{Device, Tensor, TensorData},
};

use super::{linear::LinearNet, random::Random, recipe::Architecture, small_cnn::SmallCnn};

/// The network of every [`Architecture`].
#[derive(Module, Debug)]
pub(super) enum Net {
    SmallCnn(SmallCnn),
    Linear(LinearNet),
}

/// What fixes the size of a network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) architecture: Architecture,
    pub(super) side_px: usize,
    pub(super) n_classes: usize,
    pub(super) dropout: f64,
}

impl Net {
    /// Makes a network that knows nothing yet, its weights drawn from `random`.
    pub(super) fn new(plan: &Plan, random: &mut Random, device: &Device) -> Self {
        match plan.architecture {
            Architecture::SmallCnn => Self::SmallCnn(SmallCnn::new(plan, random, device)),
            Architecture::Linear => Self::Linear(LinearNet::new(plan, random, device)),
        }
    }

    /// Answers while learning: on a device with gradients, hiding features drawn from `random`.
    pub(super) fn learn(&self, pictures: Tensor<4>, random: &mut Random) -> Tensor<2> {
        match self {
            Self::SmallCnn(net) => net.learn(pictures, random),
            Self::Linear(net) => net.forward(pictures),
        }
    }

    /// Answers as it will in use.
    pub(super) fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        match self {
            Self::SmallCnn(net) => net.forward(pictures),
            Self::Linear(net) => net.forward(pictures),
        }
    }
}

/// Draws weights evenly from `-reach` to `reach`.
pub(super) fn draw<const D: usize>(
    shape: [usize; D],
    reach: f32,
    random: &mut Random,
    device: &Device,
) -> Param<Tensor<D>> {
    let n = shape.iter().product();
    let values: Vec<f32> = (0..n).map(|_| random.around_zero(reach)).collect();
    Param::from_data(TensorData::new(values, shape), device)
}

/// Makes the last layer: from features to one number per class.
pub(super) fn output_layer(
    n_features: usize,
    n_classes: usize,
    random: &mut Random,
    device: &Device,
) -> Linear {
    let mut layer = LinearConfig::new(n_features, n_classes).init(device);
    layer.weight = draw([n_features, n_classes], 1.0 / root(n_features), random, device);
    layer.bias =
        Some(Param::from_data(TensorData::new(vec![0_f32; n_classes], [n_classes]), device));
    layer
}

/// Returns the square root of a layer's number of inputs.
#[expect(clippy::cast_possible_truncation, reason = "the network computes in this precision")]
pub(super) fn root(n_inputs: usize) -> f32 {
    let n_inputs = u32::try_from(n_inputs).expect("a layer has fewer than 2^32 inputs");
    f64::from(n_inputs).sqrt() as f32
}
