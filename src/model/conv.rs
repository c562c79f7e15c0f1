//! Convolution in two dimensions for the processor, forward and backward.
//!
//! The network library's own gradients take several times as long as the forward pass; here all
//! three are one kind of sum ([`lanes`]) over maps laid out so that it never meets an edge
//! ([`geometry`]). What comes out does not depend on the number of threads. Devices other than the
//! processor are served by the library.

use burn::{
    backend::{Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor},
    tensor::{
        DType, Device, Tensor, TensorData, module::conv2d as library_conv2d, ops::ConvOptions,
    },
};

use self::geometry::Geometry;
use super::graph::Window;

mod backward;
mod geometry;
mod lanes;
mod sums;
#[cfg(test)]
mod tests;

/// Slides `weight` over the maps `x` and adds `bias`: `[n, channels in, height, width]` and
/// `[channels out, channels in / groups, height, width]` → `[n, channels out, height, width]`.
pub(super) fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    window: Window,
    groups: usize,
) -> Tensor<4> {
    if !is_on_processor(&x) {
        return by_library(x, weight, bias, window, groups);
    }
    let geometry = Geometry::of(x.dims(), weight.dims(), window, groups);
    let [n_out, ..] = weight.dims();
    let bias = bias.unwrap_or_else(|| Tensor::zeros([n_out], &Device::flex()));
    Tensor::from_dispatch(<Dispatch as Convolve>::convolve(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        geometry,
    ))
}

fn by_library(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    window: Window,
    groups: usize,
) -> Tensor<4> {
    let padding = window.padding.map(|[before, behind]| (before, behind));
    let options = ConvOptions { stride: window.stride, padding, dilation: [1, 1], groups };
    library_conv2d(x, weight, bias, options)
}

/// Tells whether our own loops can work on a tensor.
pub(super) fn is_on_processor(x: &Tensor<4>) -> bool {
    x.device().without_autodiff() == Device::flex() && x.dtype() == DType::F32
}

/// Convolution and its gradients.
#[backend_extension(Flex, Autodiff)]
pub(super) trait Convolve: Backend {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self>;

    /// Returns what a change of each value that went in does, given what a change of each value
    /// that came out does.
    fn to_input(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self>;

    /// Returns what a change of each weight does.
    fn to_weight(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self>;
}

type Flat = FloatTensor<Flex>;

impl Convolve for Flex {
    fn convolve(x: Flat, weight: Flat, bias: Flat, geometry: Geometry) -> Flat {
        let [x, weight, bias] = [x, weight, bias].map(|it| it.to_contiguous());
        let y = sums::convolve(&geometry, x.storage(), weight.storage(), bias.storage());
        tensor(y, geometry.shape_out())
    }

    fn to_input(weight: Flat, gradient: Flat, geometry: Geometry) -> Flat {
        let [weight, gradient] = [weight, gradient].map(|it| it.to_contiguous());
        let x = sums::to_input(&geometry, weight.storage(), gradient.storage());
        tensor(x, geometry.shape_in())
    }

    fn to_weight(x: Flat, gradient: Flat, geometry: Geometry) -> Flat {
        let [x, gradient] = [x, gradient].map(|it| it.to_contiguous());
        let weight = sums::to_weight(&geometry, x.storage(), gradient.storage());
        tensor(weight, geometry.shape_of_weight())
    }
}

fn tensor(values: Vec<f32>, shape: [usize; 4]) -> Flat {
    Flat::from_data(TensorData::new(values, shape))
}
