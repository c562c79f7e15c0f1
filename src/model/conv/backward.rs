//! What automatic differentiation does with a convolution: the two gradients, where wanted.

use burn::backend::{
    Autodiff, Backend,
    autodiff::{
        NodeId,
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use super::{Convolve, geometry::Geometry};

/// One convolution of the graph: where to find what went in, and the weights.
#[derive(Debug)]
struct Step;

impl<B: Convolve> Backward<B, 3> for Step {
    type State = (NodeId, NodeId, Geometry);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [to_x, to_weight, to_bias] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (x, weight, geometry) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
        if let Some(node) = to_x {
            gradients.register::<B>(node.id, B::to_input(weight, gradient.clone(), geometry));
        }
        if let Some(node) = to_weight {
            gradients.register::<B>(node.id, B::to_weight(x, gradient.clone(), geometry));
        }
        if let Some(node) = to_bias {
            gradients.register::<B>(node.id, sum_of_maps::<B>(gradient, geometry));
        }
    }
}

/// Adds up each channel.
fn sum_of_maps<B: Backend>(gradient: FloatTensor<B>, geometry: Geometry) -> FloatTensor<B> {
    let [n, n_out, height, width] = geometry.shape_out();
    let maps = B::float_reshape(gradient, [n, n_out, height * width].into());
    let sums = B::float_sum_dim(B::float_sum_dim(maps, 2), 0);
    B::float_reshape(sums, [n_out].into())
}

impl<B: Convolve, C: CheckpointStrategy> Convolve for Autodiff<B, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let now = || {
            let [x, weight, bias] = [&x, &weight, &bias].map(|it| it.primitive().clone());
            B::convolve(x, weight, bias, geometry)
        };
        match Step.prepare::<C>([x.node(), weight.node(), bias.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&x), step.checkpoint(&weight), geometry);
                step.finish(state, now())
            }
            OpsKind::UnTracked(step) => step.finish(now()),
        }
    }

    // Nothing here differentiates twice, so what follows is a constant.

    fn to_input(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let [weight, gradient] = [&weight, &gradient].map(|it| it.primitive().clone());
        <Self as burn::backend::AutodiffBackend>::from_inner(B::to_input(
            weight, gradient, geometry,
        ))
    }

    fn to_weight(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        geometry: Geometry,
    ) -> FloatTensor<Self> {
        let [x, gradient] = [&x, &gradient].map(|it| it.primitive().clone());
        <Self as burn::backend::AutodiffBackend>::from_inner(B::to_weight(x, gradient, geometry))
    }
}
