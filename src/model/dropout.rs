//! Hides values while learning (Srivastava et al. 2014), so that none is relied on alone.

use burn::tensor::{Tensor, TensorData};

use super::random::Random;

/// Sets a share of all values to zero and raises the others, so that the mean stays.
pub(super) fn hide(x: Tensor<4>, share: f64, random: &mut Random) -> Tensor<4> {
    let kept = 1.0 - share;
    let mut keep = || if f64::from(random.unit()) < kept { 1.0 / kept } else { 0.0 };
    let mask: Vec<f64> = (0..x.shape().num_elements()).map(|_| keep()).collect();
    let mask = Tensor::from_data(TensorData::new(mask, x.shape()), &x.device());
    x * mask
}
