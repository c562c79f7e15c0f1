//! `ReLU` and `ReLU6` for the processor. What came out is all that is kept for the way back, and
//! the next layer keeps the same.

use burn::{
    backend::{
        Autodiff, AutodiffBackend, Backend, Dispatch, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData, activation::relu},
};
use rayon::prelude::*;

use super::conv::is_on_processor;

/// How many values one core takes at once.
const PART: usize = 1 << 14;

/// Makes everything below 0 zero and everything above `most` as large as that; `most` is 6 or
/// infinite. What is no number stays none.
pub(super) fn rectify(x: Tensor<4>, most: f32) -> Tensor<4> {
    if !is_on_processor(&x) {
        return if most.is_finite() { x.clamp(0.0, most) } else { relu(x) };
    }
    let row = Row { size: x.dims(), most };
    Tensor::from_dispatch(<Dispatch as Rectify>::rectify(x.into_dispatch(), row))
}

/// The size of the maps, and the bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    size: [usize; 4],
    most: f32,
}

/// Values between two bounds, and their gradient.
#[backend_extension(Flex, Autodiff)]
pub(super) trait Rectify: Backend {
    fn rectify(x: FloatTensor<Self>, row: Row) -> FloatTensor<Self>;

    /// Returns the gradient of what went in: that of what came out, where that lies between the
    /// bounds and on none of them.
    fn to_rectified(
        y: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        row: Row,
    ) -> FloatTensor<Self>;
}

type Flat = FloatTensor<Flex>;

impl Rectify for Flex {
    fn rectify(x: Flat, row: Row) -> Flat {
        let x = x.to_contiguous();
        let x: &[f32] = x.storage();
        let mut y = vec![0.0; x.len()];
        y.par_chunks_mut(PART).zip(x.par_chunks(PART)).for_each(|(y, x)| {
            for (y, x) in y.iter_mut().zip(x) {
                *y = x.clamp(0.0, row.most);
            }
        });
        Flat::from_data(TensorData::new(y, row.size))
    }

    fn to_rectified(y: Flat, gradient: Flat, row: Row) -> Flat {
        let [y, gradient] = [y, gradient].map(|it| it.to_contiguous());
        let (y, gradient): (&[f32], &[f32]) = (y.storage(), gradient.storage());
        let mut back = vec![0.0; y.len()];
        let given = y.par_chunks(PART).zip(gradient.par_chunks(PART));
        back.par_chunks_mut(PART).zip(given).for_each(|(back, (y, gradient))| {
            for (back, (y, gradient)) in back.iter_mut().zip(y.iter().zip(gradient)) {
                *back = if 0.0 < *y && *y < row.most { *gradient } else { 0.0 };
            }
        });
        Flat::from_data(TensorData::new(back, row.size))
    }
}

/// One layer of the graph: it keeps what came out.
#[derive(Debug)]
struct Step;

impl<B: Rectify> Backward<B, 1> for Step {
    type State = (FloatTensor<B>, Row);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [parent] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (y, row) = ops.state;
        if let Some(node) = parent {
            gradients.register::<B>(node.id, B::to_rectified(y, gradient, row));
        }
    }
}

impl<B: Rectify, C: CheckpointStrategy> Rectify for Autodiff<B, C> {
    fn rectify(x: FloatTensor<Self>, row: Row) -> FloatTensor<Self> {
        let y = B::rectify(x.primitive().clone(), row);
        match Step.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(step) => step.finish((y.clone(), row), y),
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }

    /// Nothing differentiates twice: the gradient is a constant.
    fn to_rectified(
        y: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        row: Row,
    ) -> FloatTensor<Self> {
        let [y, gradient] = [&y, &gradient].map(|it| it.primitive().clone());
        Self::from_inner(B::to_rectified(y, gradient, row))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn values_on_a_bound_pass_no_gradient_back() {
        let device = Device::flex().autodiff();
        let given = TensorData::new(vec![-1.0_f32, 0.0, 0.5, 6.0, 7.0], [1, 1, 1, 5]);
        let outcome = |most: f32| {
            let x: Tensor<4> = Tensor::from_data(given.clone(), &device).require_grad();
            let y = rectify(x.clone(), most);
            let gradients = (y.clone() * 3.0).sum().backward();
            [y.inner(), x.grad(&gradients).unwrap()]
                .map(|it| it.into_data().try_to_vec::<f32>().unwrap())
        };

        assert_eq!(outcome(6.0), [[0.0, 0.0, 0.5, 6.0, 6.0], [0.0, 0.0, 3.0, 0.0, 0.0]]);
        assert_eq!(outcome(f32::INFINITY), [[0.0, 0.0, 0.5, 6.0, 7.0], [0.0, 0.0, 3.0, 3.0, 3.0]]);
    }

    #[test]
    fn what_is_no_number_is_not_lost() {
        let x: Tensor<4> =
            Tensor::from_data(TensorData::new(vec![f32::NAN], [1, 1, 1, 1]), &Device::flex());
        assert!(rectify(x, 6.0).into_scalar::<f32>().is_nan());
    }
}
