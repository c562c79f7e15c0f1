//! How gradients become steps.

use burn::{
    optim::{
        AdamConfig, AdamWConfig, ModuleOptimizer, RmsPropConfig, SgdConfig,
        decay::WeightDecayConfig, momentum::MomentumConfig,
    },
    tensor::Bytes,
};

use super::recipe::{Optimizer, TrainRecipe};

/// Added to the root of the squared gradients, as other frameworks do by default.
const EPSILON: f32 = 1e-8;

/// Makes the optimiser of the recipe, with no memory of earlier steps.
pub(super) fn new(recipe: &TrainRecipe) -> ModuleOptimizer {
    let decay = narrow(recipe.weight_decay);
    let penalty = (0.0 < decay).then(|| WeightDecayConfig::new(decay));
    match recipe.optimizer {
        Optimizer::Adamw => {
            AdamWConfig::new().with_epsilon(EPSILON).with_weight_decay(decay).init()
        }
        Optimizer::Adam => {
            AdamConfig::new().with_epsilon(EPSILON).with_weight_decay(penalty).init()
        }
        Optimizer::Sgd => {
            let momentum = (0.0 < recipe.momentum()).then(|| {
                MomentumConfig::new()
                    .with_momentum(recipe.momentum())
                    .with_dampening(0.0)
                    .with_nesterov(recipe.nesterov)
            });
            SgdConfig::new().with_momentum(momentum).with_weight_decay(penalty).init()
        }
        Optimizer::Rmsprop => RmsPropConfig::new()
            .with_alpha(narrow(recipe.rho()))
            .with_momentum(narrow(recipe.momentum()))
            .with_epsilon(EPSILON)
            .with_weight_decay(penalty)
            .init(),
    }
}

/// Returns what an optimiser remembers of earlier steps.
pub(super) fn memory(optimizer: &ModuleOptimizer) -> Vec<u8> {
    optimizer.into_bytes().expect("moments are plain tensors").to_vec()
}

/// Makes the optimiser of the recipe with the [`memory`] of another; `None` if it is damaged.
pub(super) fn remembering(recipe: &TrainRecipe, memory: Vec<u8>) -> Option<ModuleOptimizer> {
    new(recipe).from_bytes(Bytes::from_bytes_vec(memory)).ok()
}

#[expect(clippy::cast_possible_truncation, reason = "the optimiser computes in this precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use burn::{
        module::Param,
        optim::GradientsParams,
        tensor::{Device, Tensor, TensorData},
    };
    use serde::Deserialize;

    use super::*;
    use crate::model::graph::layers::Dense;

    #[derive(Deserialize)]
    struct Reference {
        weight: [[f32; 2]; 3],
        bias: [f32; 2],
        inputs: [[f32; 3]; 2],
        wanted: [[f32; 2]; 2],
        rates: Vec<f64>,
        optimizers: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        recipe: TrainRecipe,
        /// Weights and biases after every step.
        after: Vec<Vec<f64>>,
    }

    fn flat<const D: usize>(param: &Param<Tensor<D>>) -> Vec<f32> {
        param.val().into_data().try_to_vec().unwrap()
    }

    fn matrix<const N: usize, const M: usize>(rows: [[f32; M]; N], device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(rows.concat(), [N, M]), device)
    }

    /// Half-way the optimiser is put away and taken up again.
    #[test]
    fn five_steps_lead_where_those_of_pytorch_lead() {
        let text = include_str!("../../tests/judges/training_reference.json");
        let reference: Reference = serde_json::from_str(text).unwrap();
        assert_eq!(reference.optimizers.len(), 11);
        let device = Device::flex().autodiff();
        for case in &reference.optimizers {
            let recipe = &case.recipe;
            assert_eq!(recipe.check(), Ok(()));
            let bias = Tensor::from_data(TensorData::from(reference.bias), &device);
            let mut layer = Dense {
                weight: Param::from_tensor(matrix(reference.weight, &device)),
                bias: Param::from_tensor(bias),
            };
            let mut optimizer = new(recipe);
            for (rate, expected) in reference.rates.iter().zip(&case.after) {
                let given = matrix(reference.inputs, &device).matmul(layer.weight.val());
                let given = given + layer.bias.val().unsqueeze();
                let loss = (given - matrix(reference.wanted, &device)).square().sum();
                let gradients = GradientsParams::from_grads(loss.backward(), &layer);
                layer = optimizer.step(*rate, layer, gradients);
                optimizer = remembering(recipe, memory(&optimizer)).unwrap();

                let found = [flat(&layer.weight), flat(&layer.bias)].concat();
                for (found, expected) in found.iter().zip(expected) {
                    let difference = (f64::from(*found) - expected).abs();
                    assert!(difference < 2e-5, "{recipe:?}: {found}, not {expected}");
                }
            }
        }
    }
}
