//! The baseline: every pixel has a say for every class, and that is all.

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Device, Tensor},
};

use super::{
    net::{Plan, output_layer},
    random::Random,
};

#[derive(Module, Debug)]
pub(super) struct LinearNet {
    output: Linear,
}

impl LinearNet {
    pub(super) fn new(plan: &Plan, random: &mut Random, device: &Device) -> Self {
        let n_pixels = 3 * plan.side_px * plan.side_px;
        Self { output: output_layer(n_pixels, plan.n_classes, random, device) }
    }

    pub(super) fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        self.output.forward(pictures.flatten(1, 3))
    }
}
