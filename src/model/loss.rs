//! How wrong the network is: to learn from, and to tell people.

use burn::tensor::{Tensor, activation::log_softmax};

use super::recipe::ClassWeights;

/// What is true of a picture: its class, or those of the two it is blended from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Truth {
    pub(super) class: usize,
    pub(super) other: usize,
    /// How much of it is of `class`; the rest is of `other`.
    pub(super) share: f64,
}

impl Truth {
    pub(super) fn of(class: usize) -> Self {
        Self { class, other: class, share: 1.0 }
    }

    /// Returns the mean of what is said of both classes.
    fn mean(self, of: impl Fn(usize) -> f64) -> f64 {
        self.share * of(self.class) + (1.0 - self.share) * of(self.other)
    }
}

/// Returns what one picture of each class counts for, where an epoch shows `counts` of them: n / (k ·
/// `n_c`) when balanced. `names` are the classes in the order of their numbers.
pub(super) fn class_weights(counts: &[usize], names: &[String], wanted: &ClassWeights) -> Vec<f64> {
    let n: usize = counts.iter().sum();
    let weight = |(count, name): (&usize, &String)| match wanted {
        ClassWeights::Balanced => number(n) / (number(counts.len()) * number(*count)),
        ClassWeights::None => 1.0,
        ClassWeights::Of(weights) => weights[name],
    };
    counts.iter().zip(names).map(weight).collect()
}

/// Returns, picture by picture, how much each class's log-probability adds to the loss.
///
/// The truth gets `1 - smoothing` and all classes share the rest, each times its class weight;
/// the whole is divided by the weights of the true classes, so the loss is a weighted mean. Where
/// pictures are blended with others of the same batch, this is the mean of two such losses.
pub(super) fn targets(truths: &[Truth], weights: &[f64], smoothing: f64) -> Vec<f32> {
    let whole: f64 = truths.iter().map(|truth| truth.mean(|class| weights[class])).sum();
    let shared = smoothing / number(weights.len());
    let target = |truth: Truth, class: usize| {
        let wanted = |it: usize| if it == class { 1.0 - smoothing + shared } else { shared };
        narrow(weights[class] * truth.mean(wanted) / whole)
    };
    let classes = 0..weights.len();
    truths.iter().flat_map(|truth| classes.clone().map(|class| target(*truth, class))).collect()
}

/// Returns the cross-entropy of `logits` to [`targets`].
pub(super) fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    (log_softmax(logits, 1) * targets).sum().neg()
}

/// Turns the network's numbers for one picture into probabilities.
pub(super) fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Loss and hits over many pictures, unweighted and unsmoothed: what people compare.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    loss: f64,
    /// A blended picture is right in parts.
    n_right: f64,
    n: u32,
}

impl Tally {
    pub(super) fn add(&mut self, probabilities: &[f64], truth: Truth) {
        let best = first_largest(probabilities);
        self.loss -= truth.mean(|class| probabilities[class].max(f64::MIN_POSITIVE).ln());
        self.n_right += truth.mean(|class| if class == best { 1.0 } else { 0.0 });
        self.n += 1;
    }

    /// Returns the mean loss in nats.
    pub(super) fn loss(&self) -> f64 {
        self.loss / f64::from(self.n.max(1))
    }

    pub(super) fn accuracy(&self) -> f64 {
        self.n_right / f64::from(self.n.max(1))
    }
}

/// The first of equals wins, as in `Answer::predicted`.
fn first_largest(values: &[f64]) -> usize {
    let mut best = 0;
    for (place, value) in values.iter().enumerate() {
        if values[best] < *value {
            best = place;
        }
    }
    best
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map(f64::from).expect("there are fewer than 2^32 pictures")
}

#[expect(clippy::cast_possible_truncation, reason = "the network computes in this precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use serde::Deserialize;

    use super::*;

    #[test]
    fn balanced_weights_give_every_class_the_same_say() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let weights = |wanted: &ClassWeights| class_weights(&[30, 10, 20], &names, wanted);
        assert_eq!(weights(&ClassWeights::Balanced), [2.0 / 3.0, 2.0, 1.0]);
        assert_eq!(weights(&ClassWeights::None), [1.0, 1.0, 1.0]);
        let given = names.iter().cloned().zip([0.5, 2.0, 4.0]).collect();
        assert_eq!(weights(&ClassWeights::Of(given)), [0.5, 2.0, 4.0]);
    }

    fn loss(weights: &[f64], smoothing: f64) -> f32 {
        let device = Device::flex();
        // Probabilities 1/4 and 3/4, then 2/3 and 1/3.
        let logits = TensorData::new(vec![0.0, 3_f32.ln(), 2_f32.ln(), 0.0], [2, 2]);
        let targets = TensorData::new(targets(&[0, 1].map(Truth::of), weights, smoothing), [2, 2]);
        let logits = Tensor::from_data(logits, &device);
        cross_entropy(logits, Tensor::from_data(targets, &device)).into_scalar()
    }

    #[test]
    fn a_weighted_smoothed_loss_is_what_the_hand_computes() {
        let near = |found: f32, expected: f64| {
            assert!((f64::from(found) - expected).abs() < 1e-6, "{found} is not {expected}");
        };
        let [first, second] = [[4_f64.ln(), (4_f64 / 3.0).ln()], [1.5_f64.ln(), 3_f64.ln()]];

        near(loss(&[1.0, 1.0], 0.0), f64::midpoint(first[0], second[1]));
        near(loss(&[1.0, 3.0], 0.0), (first[0] + 3.0 * second[1]) / 4.0);
        let smoothed =
            0.9 * first[0] + 3.0 * 0.1 * first[1] + 0.1 * second[0] + 3.0 * 0.9 * second[1];
        near(loss(&[1.0, 3.0], 0.2), smoothed / 4.0);
    }

    #[test]
    fn a_tally_counts_hits_and_gives_ties_to_the_first_class() {
        let mut tally = Tally::default();

        tally.add(&[0.5, 0.5], Truth::of(0));
        tally.add(&[0.5, 0.5], Truth::of(1));
        tally.add(&[0.0, 1.0], Truth::of(1));

        assert!((tally.accuracy() - 2.0 / 3.0).abs() < 1e-12);
        assert!((tally.loss() - 2.0 * 2_f64.ln() / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_blended_picture_is_right_in_parts() {
        let mut tally = Tally::default();

        tally.add(&[0.25, 0.75], Truth { class: 0, other: 1, share: 0.25 });

        assert!((tally.accuracy() - 0.75).abs() < 1e-12);
        let expected = 0.25 * 4_f64.ln() + 0.75 * (4_f64 / 3.0).ln();
        assert!((tally.loss() - expected).abs() < 1e-12);
    }

    #[derive(Deserialize)]
    struct Reference {
        losses: Losses,
    }

    #[derive(Deserialize)]
    struct Losses {
        logits: Vec<f64>,
        truths: Vec<usize>,
        partners: Vec<usize>,
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        weights: Vec<f64>,
        smoothing: f64,
        share: f64,
        loss: f64,
        gradient: Vec<f64>,
    }

    #[test]
    fn losses_of_blended_pictures_are_those_of_pytorch() {
        let text = include_str!("../../tests/judges/training_reference.json");
        let Reference { losses } = serde_json::from_str(text).unwrap();
        assert_eq!(losses.cases.len(), 5);
        let device = Device::flex().autodiff();
        let (n, k) = (losses.truths.len(), 3);
        for case in losses.cases {
            let truths: Vec<Truth> = (losses.truths.iter().zip(&losses.partners))
                .map(|(class, partner)| Truth {
                    class: *class,
                    other: losses.truths[*partner],
                    share: case.share,
                })
                .collect();
            let values: Vec<f32> = losses.logits.iter().map(|it| narrow(*it)).collect();
            let logits: Tensor<2> =
                Tensor::from_data(TensorData::new(values, [n, k]), &device).require_grad();
            let targets = targets(&truths, &case.weights, case.smoothing);
            let targets = Tensor::from_data(TensorData::new(targets, [n, k]), &device);

            let loss = cross_entropy(logits.clone(), targets);

            let value: f32 = loss.clone().into_scalar();
            assert!((f64::from(value) - case.loss).abs() < 1e-5, "{value}, not {}", case.loss);
            let gradient = logits.grad(&loss.backward()).unwrap().into_data();
            let gradient: Vec<f32> = gradient.try_to_vec().unwrap();
            for (found, expected) in gradient.iter().zip(&case.gradient) {
                let difference = (f64::from(*found) - expected).abs();
                assert!(difference < 1e-6, "{found}, not {expected}");
            }
        }
    }

    #[test]
    fn probabilities_sum_to_one_however_large_the_numbers() {
        assert_eq!(softmax(&[1000.0, 1000.0]), [0.5, 0.5]);
        assert_eq!(softmax(&[-1e30, 1e30]), [0.0, 1.0]);
    }
}
