//! The layers with weights of their own.

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use super::Window;
use crate::model::{conv::conv2d, norm::by_batch};

#[derive(Module, Debug)]
pub(in crate::model) struct Conv {
    /// `[channels out, channels in / groups, height, width]`.
    pub(in crate::model) weight: Param<Tensor<4>>,
    pub(in crate::model) bias: Option<Param<Tensor<1>>>,
}

/// Batch normalisation (Ioffe and Szegedy 2015).
#[derive(Module, Debug)]
pub(in crate::model) struct Norm {
    pub(in crate::model) weight: Param<Tensor<1>>,
    pub(in crate::model) bias: Param<Tensor<1>>,
    /// What is known of all batches so far; not learned by gradient.
    pub(in crate::model) mean: Param<Tensor<1>>,
    pub(in crate::model) variance: Param<Tensor<1>>,
    pub(in crate::model) epsilon: f64,
    /// The share of a new batch in what is remembered.
    pub(in crate::model) momentum: f64,
}

#[derive(Module, Debug)]
pub(in crate::model) struct Dense {
    /// `[values in, values out]`.
    pub(in crate::model) weight: Param<Tensor<2>>,
    pub(in crate::model) bias: Param<Tensor<1>>,
}

impl Conv {
    pub(super) fn forward(&self, x: Tensor<4>, window: Window, groups: usize) -> Tensor<4> {
        conv2d(x, self.weight.val(), self.bias.as_ref().map(Param::val), window, groups)
    }
}

impl Norm {
    /// Normalises by what is remembered.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let (scale, shift) = self.line();
        let n = scale.dims()[0];
        x * scale.reshape([1, n, 1, 1]) + shift.reshape([1, n, 1, 1])
    }

    /// Returns what the layer multiplies by and adds, channel by channel, in use.
    pub(in crate::model) fn line(&self) -> (Tensor<1>, Tensor<1>) {
        let scale = self.weight.val() / (self.variance.val() + self.epsilon).sqrt();
        let shift = self.bias.val() - self.mean.val() * scale.clone();
        (scale, shift)
    }

    /// Normalises by the batch, and rectifies if there is a bound ([`by_batch`]); returns its mean
    /// and its unbiased variance as well.
    pub(super) fn learn(
        &self,
        x: Tensor<4>,
        most: Option<f32>,
    ) -> (Tensor<4>, Tensor<1>, Tensor<1>) {
        let [n_pictures, _, height, width] = x.dims();
        let (weight, bias) = (self.weight.val(), self.bias.val());
        let (y, [mean, variance]) = by_batch(x, weight, bias, self.epsilon, most);
        let count = float(n_pictures * height * width);
        let unbiased = variance * (count / (count - 1.0).max(1.0));
        (y, mean, unbiased)
    }

    /// Moves what is remembered towards a batch.
    pub(super) fn remember(&mut self, mean: Tensor<1>, variance: Tensor<1>) {
        let share = self.momentum;
        let towards = |old: &Param<Tensor<1>>, new: Tensor<1>| {
            let moved = old.val().detach() * (1.0 - share) + new.detach() * share;
            Param::initialized(old.id, moved).set_require_grad(false)
        };
        self.mean = towards(&self.mean, mean);
        self.variance = towards(&self.variance, variance);
    }
}

impl Dense {
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a batch has fewer than 2^52 values")]
fn float(n: usize) -> f64 {
    n as f64
}
