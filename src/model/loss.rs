//! How wrong the network is: to learn from, and to tell people.

use burn::tensor::{Tensor, activation::log_softmax};

use super::recipe::ClassWeights;

/// Returns what one picture of each class counts for: n / (k · `n_c`) when balanced.
pub(super) fn class_weights(counts: &[usize], wanted: ClassWeights) -> Vec<f64> {
    let n: usize = counts.iter().sum();
    let weight = |count: &usize| match wanted {
        ClassWeights::Balanced => number(n) / (number(counts.len()) * number(*count)),
        ClassWeights::None => 1.0,
    };
    counts.iter().map(weight).collect()
}

/// Returns, picture by picture, how much each class's log-probability adds to the loss.
///
/// The truth gets `1 - smoothing` and all classes share the rest, each times its class weight;
/// the whole is divided by the weights of the true classes, so the loss is a weighted mean.
pub(super) fn targets(truths: &[usize], weights: &[f64], smoothing: f64) -> Vec<f32> {
    let whole: f64 = truths.iter().map(|truth| weights[*truth]).sum();
    let shared = smoothing / number(weights.len());
    let target = |truth: usize, class: usize| {
        let wanted = if truth == class { 1.0 - smoothing + shared } else { shared };
        narrow(weights[class] * wanted / whole)
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
    n_right: u32,
    n: u32,
}

impl Tally {
    pub(super) fn add(&mut self, logits: &[f32], truth: usize) {
        let probabilities = softmax(logits);
        self.loss -= probabilities[truth].max(f64::MIN_POSITIVE).ln();
        let better = |class: usize, probability: f64| {
            // The first of equals wins, as in `Answer::predicted`.
            probabilities[truth] < probability
                || (class < truth && probabilities[truth].total_cmp(&probability).is_eq())
        };
        let wrong = probabilities.iter().enumerate().any(|(class, it)| better(class, *it));
        self.n_right += u32::from(!wrong);
        self.n += 1;
    }

    /// Returns the mean loss in nats.
    pub(super) fn loss(&self) -> f64 {
        self.loss / f64::from(self.n.max(1))
    }

    pub(super) fn accuracy(&self) -> f64 {
        f64::from(self.n_right) / f64::from(self.n.max(1))
    }
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

    use super::*;

    #[test]
    fn balanced_weights_give_every_class_the_same_say() {
        let counts = [30, 10, 20];
        assert_eq!(class_weights(&counts, ClassWeights::Balanced), [2.0 / 3.0, 2.0, 1.0]);
        assert_eq!(class_weights(&counts, ClassWeights::None), [1.0, 1.0, 1.0]);
    }

    fn loss(weights: &[f64], smoothing: f64) -> f32 {
        let device = Device::flex();
        // Probabilities 1/4 and 3/4, then 2/3 and 1/3.
        let logits = TensorData::new(vec![0.0, 3_f32.ln(), 2_f32.ln(), 0.0], [2, 2]);
        let targets = TensorData::new(targets(&[0, 1], weights, smoothing), [2, 2]);
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

        tally.add(&[1.0, 1.0], 0);
        tally.add(&[1.0, 1.0], 1);
        tally.add(&[-1000.0, 1000.0], 1);

        assert_eq!((tally.n, tally.n_right), (3, 2));
        assert!((tally.loss() - 2.0 * 2_f64.ln() / 3.0).abs() < 1e-12);
    }

    #[test]
    fn probabilities_sum_to_one_however_large_the_numbers() {
        assert_eq!(softmax(&[1000.0, 1000.0]), [0.5, 0.5]);
        assert_eq!(softmax(&[-1e30, 1e30]), [0.0, 1.0]);
    }
}
