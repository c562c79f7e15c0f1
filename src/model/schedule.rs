//! The learning rate over time.

use std::f64::consts::PI;

use super::recipe::{OneCycle, ReduceOnPlateau, Schedule, TrainRecipe};
use crate::domain::learning::Epoch;

/// Where in a training a step lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// Counted from 0 over all epochs.
    pub(super) step: u32,
    /// How many steps there are unless training is stopped early.
    pub(super) n_steps: u32,
    /// What is known of the epochs before.
    pub(super) earlier: &'a [Epoch],
}

/// Returns the learning rate of a step. It follows from what it is given alone, so that a training
/// that was broken off goes on with the same one.
pub(super) fn rate(recipe: &TrainRecipe, place: Place<'_>) -> f64 {
    let first = recipe.learning_rate;
    let n_epochs = place.earlier.last().map_or(0, |epoch| epoch.number);
    match &recipe.schedule {
        Schedule::Constant => first,
        Schedule::Cosine => cosine(first, place),
        Schedule::Step(step) => first * power(step.gamma, n_epochs / step.step_size),
        Schedule::Exponential(it) => first * power(it.gamma, n_epochs),
        Schedule::OneCycle(cycle) => one_cycle(first, *cycle, place),
        Schedule::ReduceOnPlateau(plateau) => on_plateau(first, plateau, place.earlier),
    }
}

fn cosine(highest: f64, place: Place<'_>) -> f64 {
    let Place { step, n_steps, .. } = place;
    let n_rising = n_steps.div_ceil(20);
    if step < n_rising {
        return highest * f64::from(step + 1) / f64::from(n_rising);
    }
    let done = f64::from(step - n_rising) / f64::from((n_steps - n_rising).max(1));
    highest * f64::midpoint(1.0, (PI * done).cos())
}

/// Half a cosine up and half a cosine down. As in `PyTorch`, the peak may lie between two steps.
fn one_cycle(highest: f64, cycle: OneCycle, place: Place<'_>) -> f64 {
    let first = highest / cycle.div_factor;
    let last = first / cycle.final_div_factor;
    let (step, n_steps) = (f64::from(place.step), f64::from(place.n_steps));
    let peak = cycle.pct_start * n_steps - 1.0;
    let end = n_steps - 1.0;
    if step <= peak {
        arc(first, highest, step, peak)
    } else {
        arc(highest, last, step - peak, end - peak)
    }
}

/// Returns what half a cosine from `from` to `to` has at `done` of `of`.
fn arc(from: f64, to: f64, done: f64, of: f64) -> f64 {
    let share = if 0.0 < of { done / of } else { 1.0 };
    to + (from - to) / 2.0 * (1.0 + (PI * share).cos())
}

/// Goes through what happened before, as Keras does after every epoch.
fn on_plateau(first: f64, plateau: &ReduceOnPlateau, earlier: &[Epoch]) -> f64 {
    let mut rate = first;
    let mut best: Option<&Epoch> = None;
    let (mut n_waited, mut n_cooling) = (0, 0);
    // The network before training is not judged.
    for epoch in earlier.iter().filter(|epoch| epoch.number != 0) {
        if 0 < n_cooling {
            n_cooling -= 1;
            n_waited = 0;
        }
        let gain = best.map(|best| plateau.monitor.gain(epoch, best));
        if gain.is_none_or(|gain| plateau.min_delta < gain) {
            best = Some(epoch);
            n_waited = 0;
        } else if n_cooling == 0 {
            n_waited += 1;
            if plateau.patience <= n_waited && plateau.min_lr < rate {
                rate = (rate * plateau.factor).max(plateau.min_lr);
                (n_waited, n_cooling) = (0, plateau.cooldown);
            }
        }
    }
    rate
}

fn power(base: f64, n: u32) -> f64 {
    base.powf(n.into())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn recipe(schedule: Schedule) -> TrainRecipe {
        TrainRecipe { learning_rate: 1.0, schedule, ..TrainRecipe::default() }
    }

    fn rates(schedule: Schedule, n_steps: u32) -> Vec<f64> {
        let place = |step| Place { step, n_steps, earlier: &[] };
        (0..n_steps).map(|step| rate(&recipe(schedule), place(step))).collect()
    }

    #[test]
    fn a_cosine_rises_to_the_full_rate_and_falls_towards_nothing() {
        let rates = rates(Schedule::Cosine, 100);

        let rounded = |step: usize| (rates[step] * 1000.0).round() / 1000.0;
        assert_eq!([0, 2, 4, 5].map(rounded), [0.2, 0.6, 1.0, 1.0]);
        assert!(rates[5..].windows(2).all(|pair| pair[1] < pair[0]));
        assert!(0.0 < rates[99] && rates[99] < 0.001, "{}", rates[99]);
    }

    #[test]
    fn a_constant_rate_is_that_from_the_first_step_to_the_last() {
        assert_eq!(rates(Schedule::Constant, 100), [1.0; 100]);
    }

    #[test]
    fn one_cycle_over_a_few_steps_is_finite() {
        for n_steps in 1..5 {
            let rates = rates(Schedule::OneCycle(OneCycle::default()), n_steps);
            assert!(rates.iter().all(|rate| rate.is_finite()), "{rates:?}");
        }
    }

    #[derive(Deserialize)]
    struct Reference {
        schedules: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        recipe: TrainRecipe,
        steps_per_epoch: u32,
        /// The validation losses of the epochs.
        losses: Vec<f64>,
        /// The rate of every step.
        rates: Vec<f64>,
    }

    #[test]
    fn rates_are_those_of_pytorch_and_keras() {
        let text = include_str!("../../tests/judges/training_reference.json");
        let reference: Reference = serde_json::from_str(text).unwrap();
        assert_eq!(reference.schedules.len(), 9);
        for case in reference.schedules {
            let n_steps = u32::try_from(case.rates.len()).unwrap();
            let epochs: Vec<Epoch> = (0..)
                .zip([0.0].iter().chain(&case.losses))
                .map(|(number, val_loss)| Epoch { number, val_loss: *val_loss, ..Epoch::default() })
                .collect();
            for (step, expected) in (0..).zip(&case.rates) {
                let n_before = usize::try_from(step / case.steps_per_epoch).unwrap();
                let earlier = &epochs[..=n_before];
                let found = rate(&case.recipe, Place { step, n_steps, earlier });
                let schedule = case.recipe.schedule;
                let near = (found - expected).abs() <= 1e-9 + 1e-6 * expected;
                assert!(near, "{schedule:?}, step {step}: {found}, not {expected}");
            }
        }
    }
}
