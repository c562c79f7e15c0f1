//! How far each step goes: the optimiser and the learning rate over time.

use burn::optim::{
    AdamConfig, AdamWConfig, ModuleOptimizer, SgdConfig, decay::WeightDecayConfig,
    momentum::MomentumConfig,
};

use burn::tensor::Bytes;

use super::recipe::{Optimizer, Schedule, TrainRecipe};

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
            let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
            SgdConfig::new().with_momentum(Some(momentum)).with_weight_decay(penalty).init()
        }
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

/// Returns the learning rate of step number `step`, counted from 0, of `n_steps`.
pub(super) fn rate(recipe: &TrainRecipe, step: u32, n_steps: u32) -> f64 {
    match recipe.schedule {
        Schedule::Constant => recipe.learning_rate,
        Schedule::Cosine => {
            let n_rising = n_steps.div_ceil(20);
            if step < n_rising {
                return recipe.learning_rate * f64::from(step + 1) / f64::from(n_rising);
            }
            let done = f64::from(step - n_rising) / f64::from((n_steps - n_rising).max(1));
            recipe.learning_rate * f64::midpoint(1.0, (std::f64::consts::PI * done).cos())
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the optimiser computes in this precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_rises_to_the_full_rate_and_falls_towards_nothing() {
        let recipe = TrainRecipe { learning_rate: 1.0, ..TrainRecipe::default() };
        let rates: Vec<f64> = (0..100).map(|step| rate(&recipe, step, 100)).collect();

        let rounded = |step: usize| (rates[step] * 1000.0).round() / 1000.0;
        assert_eq!([0, 2, 4, 5].map(rounded), [0.2, 0.6, 1.0, 1.0]);
        assert!(rates[5..].windows(2).all(|pair| pair[1] < pair[0]));
        assert!(0.0 < rates[99] && rates[99] < 0.001, "{}", rates[99]);
    }

    #[test]
    fn a_constant_rate_is_that_from_the_first_step_to_the_last() {
        let schedule = Schedule::Constant;
        let recipe = TrainRecipe { learning_rate: 0.25, schedule, ..TrainRecipe::default() };
        assert_eq!([0, 1, 99].map(|step| rate(&recipe, step, 100)), [0.25; 3]);
    }
}
