//! Normalisation by the batch while learning, for the processor, and its gradients.
//!
//! As a chain of operations of the network library, each of them would keep maps of its own for
//! the way back; here only what went in is kept. Each channel is summed by one thread, in the
//! order of the pictures, so that nothing depends on the number of threads.

use std::ops::Range;

use burn::{
    backend::{
        Autodiff, AutodiffBackend, Backend, Dispatch, Flex,
        autodiff::{
            NodeId,
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::{Tensor, TensorData},
};
use rayon::prelude::*;

use super::conv::is_on_processor;

/// Makes the mean of each channel 0 and its variance 1, then multiplies by `weight` and adds
/// `bias`: `[n, channels, height, width]` → the same shape, with the mean and the biased variance
/// of each channel. Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 1 and the gradients
/// behind it; `epsilon` is added to the variance.
pub(super) fn by_batch(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
) -> (Tensor<4>, [Tensor<1>; 2]) {
    if !is_on_processor(&x) {
        return step_by_step(x, weight, bias, epsilon);
    }
    let [n_pictures, n_channels, height, width] = x.dims();
    let maps = Maps { n_pictures, n_channels, size: [height, width], epsilon };
    let x = x.into_dispatch();
    let moments = <Dispatch as Normalise>::moments(x.clone(), maps);
    let y = <Dispatch as Normalise>::normalise(
        x,
        weight.into_dispatch(),
        bias.into_dispatch(),
        moments.clone(),
        maps,
    );
    let moments = Tensor::<2>::from_dispatch(moments);
    let row = |at| moments.clone().narrow(0, at, 1).squeeze_dim(0);
    (Tensor::from_dispatch(y), [row(0), row(1)])
}

/// Does what [`by_batch`] does with operations of the library.
fn step_by_step(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
) -> (Tensor<4>, [Tensor<1>; 2]) {
    let [_, n, _, _] = x.dims();
    let flat = x.clone().swap_dims(0, 1).flatten::<2>(1, 3);
    let mean = flat.clone().mean_dim(1);
    let variance = (flat - mean.clone()).square().mean_dim(1);
    let by_channel = |it: Tensor<2>| it.reshape([1, n, 1, 1]);
    let deviation = (by_channel(variance.clone()) + epsilon).sqrt();
    let even = (x - by_channel(mean.clone())) / deviation;
    let y = even * weight.reshape([1, n, 1, 1]) + bias.reshape([1, n, 1, 1]);
    (y, [mean.squeeze_dim(1), variance.squeeze_dim(1)])
}

/// The sizes of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maps {
    n_pictures: usize,
    n_channels: usize,
    size: [usize; 2],
    epsilon: f64,
}

/// Normalisation of maps `[n, channels, height, width]`, and its gradients. Rows
/// `[2, channels]` hold two numbers of each channel.
#[backend_extension(Flex, Autodiff)]
pub(super) trait Normalise: Backend {
    /// Returns the mean and the biased variance of each channel.
    fn moments(x: FloatTensor<Self>, maps: Maps) -> FloatTensor<Self>;

    fn normalise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self>;

    /// Returns the gradients of bias and weight, then the moments again, as four rows.
    fn to_line(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self>;

    /// Returns the gradient of what went in; `line` comes from [`Self::to_line`].
    fn to_maps(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        line: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self>;
}

type Flat = FloatTensor<Flex>;

impl Normalise for Flex {
    fn moments(x: Flat, maps: Maps) -> Flat {
        let x = x.to_contiguous();
        let x: &[f32] = x.storage();
        maps.rows(|channel| {
            let mean = maps.sum_over(channel, |place| sum(&x[place], |x| x)) / maps.count();
            let centre = single(mean);
            let of_squares = |place| sum(&x[place], |x: f32| (x - centre) * (x - centre));
            [mean, maps.sum_over(channel, of_squares) / maps.count()]
        })
    }

    fn normalise(x: Flat, weight: Flat, bias: Flat, moments: Flat, maps: Maps) -> Flat {
        let [x, weight, bias, moments] = [x, weight, bias, moments].map(|it| it.to_contiguous());
        let (weight, bias): (&[f32], &[f32]) = (weight.storage(), bias.storage());
        let (moments, x): (&[f32], &[f32]) = (moments.storage(), x.storage());
        maps.each(|channel, place, y| {
            let [mean, per_deviation] = maps.scale(moments, channel);
            let (scale, shift) = (weight[channel] * per_deviation, bias[channel]);
            for (y, x) in y.iter_mut().zip(&x[place]) {
                *y = (x - mean) * scale + shift;
            }
        })
    }

    fn to_line(x: Flat, moments: Flat, gradient: Flat, maps: Maps) -> Flat {
        let [x, moments, gradient] = [x, moments, gradient].map(|it| it.to_contiguous());
        let (x, gradient): (&[f32], &[f32]) = (x.storage(), gradient.storage());
        let moments: &[f32] = moments.storage();
        maps.rows(|channel| {
            let [mean, per_deviation] = maps.scale(moments, channel);
            let of_products =
                |place: Range<usize>| products(&x[place.clone()], mean, &gradient[place]);
            [
                maps.sum_over(channel, |place| sum(&gradient[place], |it| it)),
                maps.sum_over(channel, of_products) * f64::from(per_deviation),
                moments[channel].into(),
                moments[maps.n_channels + channel].into(),
            ]
        })
    }

    fn to_maps(x: Flat, weight: Flat, line: Flat, gradient: Flat, maps: Maps) -> Flat {
        let [x, weight, line, gradient] = [x, weight, line, gradient].map(|it| it.to_contiguous());
        let (x, gradient): (&[f32], &[f32]) = (x.storage(), gradient.storage());
        let (weight, line): (&[f32], &[f32]) = (weight.storage(), line.storage());
        let (line, moments) = line.split_at(2 * maps.n_channels);
        let share = single(1.0 / maps.count());
        maps.each(|channel, place, back| {
            let [mean, per_deviation] = maps.scale(moments, channel);
            let factor = weight[channel] * per_deviation;
            let to_bias = line[channel] * share;
            let to_weight = line[maps.n_channels + channel] * share * per_deviation;
            let values = x[place.clone()].iter().zip(&gradient[place]);
            for (back, (x, gradient)) in back.iter_mut().zip(values) {
                *back = factor * (gradient - to_bias - (x - mean) * to_weight);
            }
        })
    }
}

impl Maps {
    fn area(&self) -> usize {
        self.size.iter().product()
    }

    /// How many values a channel has.
    #[expect(clippy::cast_precision_loss, reason = "a batch has fewer than 2^52 values")]
    fn count(&self) -> f64 {
        (self.n_pictures * self.area()) as f64
    }

    /// Mean of a channel, and 1 / its standard deviation.
    fn scale(&self, moments: &[f32], channel: usize) -> [f32; 2] {
        let variance = f64::from(moments[self.n_channels + channel]);
        [moments[channel], single(1.0 / (variance + self.epsilon).sqrt())]
    }

    /// Adds up what the maps of one channel give.
    fn sum_over(&self, channel: usize, sum: impl Fn(Range<usize>) -> f64) -> f64 {
        let area = self.area();
        let starts = (0..self.n_pictures).map(|at| (at * self.n_channels + channel) * area);
        starts.map(|start| sum(start..start + area)).sum()
    }

    /// Makes `N` rows from as many numbers of each channel.
    fn rows<const N: usize>(&self, make: impl Fn(usize) -> [f64; N] + Send + Sync) -> Flat {
        let columns: Vec<[f64; N]> = (0..self.n_channels).into_par_iter().map(make).collect();
        let rows = (0..N).flat_map(|row| columns.iter().map(move |it| single(it[row])));
        Flat::from_data(TensorData::new(rows.collect::<Vec<f32>>(), [N, self.n_channels]))
    }

    /// Makes all maps: `make` is given the channel, where the map lies, and the map to be filled.
    fn each(&self, make: impl Fn(usize, Range<usize>, &mut [f32]) + Sync) -> Flat {
        let area = self.area();
        let mut all = vec![0.0; self.n_pictures * self.n_channels * area];
        all.par_chunks_mut(area).enumerate().for_each(|(at, map)| {
            make(at % self.n_channels, at * area..(at + 1) * area, map);
        });
        let [height, width] = self.size;
        Flat::from_data(TensorData::new(all, [self.n_pictures, self.n_channels, height, width]))
    }
}

/// How many sums are made side by side.
const LANES: usize = 16;

/// Adds up what `of` makes of each value.
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f64 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += of(*value);
        }
    }
    sums.into_iter().chain(rest.iter().map(|it| of(*it))).map(f64::from).sum()
}

/// Adds up the products of `x - mean` and `gradient`.
fn products(x: &[f32], mean: f32, gradient: &[f32]) -> f64 {
    let ((blocks, rest), (others, other_rest)) = (x.as_chunks(), gradient.as_chunks());
    let mut sums = [0.0_f32; LANES];
    for (block, other) in blocks.iter().zip(others) {
        let block: &[f32; LANES] = block;
        let other: &[f32; LANES] = other;
        for (sum, (x, gradient)) in sums.iter_mut().zip(block.iter().zip(other)) {
            *sum += (x - mean) * gradient;
        }
    }
    let rest = rest.iter().zip(other_rest).map(|(x, gradient)| (x - mean) * gradient);
    sums.into_iter().chain(rest).map(f64::from).sum()
}

#[expect(clippy::cast_possible_truncation, reason = "single precision is what networks have")]
fn single(value: f64) -> f32 {
    value as f32
}

/// One normalisation of the graph: where to find what went in and the weights.
#[derive(Debug)]
struct Step;

impl<B: Normalise> Backward<B, 3> for Step {
    type State = (NodeId, NodeId, FloatTensor<B>, Maps);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [to_x, to_weight, to_bias] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (x, weight, moments, maps) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
        let line = B::to_line(x.clone(), moments, gradient.clone(), maps);
        let row = |at: usize| {
            let row = B::float_slice(line.clone(), &[(at..at + 1).into()]);
            B::float_reshape(row, [maps.n_channels].into())
        };
        if let Some(node) = to_bias {
            gradients.register::<B>(node.id, row(0));
        }
        if let Some(node) = to_weight {
            gradients.register::<B>(node.id, row(1));
        }
        if let Some(node) = to_x {
            let back = B::to_maps(x, weight, line.clone(), gradient, maps);
            gradients.register::<B>(node.id, back);
        }
    }
}

impl<B: Normalise, C: CheckpointStrategy> Normalise for Autodiff<B, C> {
    /// What is remembered of a batch is not learned; what it does to the maps is known to
    /// [`Normalise::to_maps`].
    fn moments(x: FloatTensor<Self>, maps: Maps) -> FloatTensor<Self> {
        Self::from_inner(B::moments(x.primitive().clone(), maps))
    }

    fn normalise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self> {
        let moments = moments.primitive().clone();
        let now = |moments: FloatTensor<B>| {
            let [x, weight, bias] = [&x, &weight, &bias].map(|it| it.primitive().clone());
            B::normalise(x, weight, bias, moments, maps)
        };
        match Step.prepare::<C>([x.node(), weight.node(), bias.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let y = now(moments.clone());
                let state = (step.checkpoint(&x), step.checkpoint(&weight), moments, maps);
                step.finish(state, y)
            }
            OpsKind::UnTracked(step) => step.finish(now(moments)),
        }
    }

    // Nothing here differentiates twice, so what follows is a constant.

    fn to_line(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self> {
        let [x, moments, gradient] = [&x, &moments, &gradient].map(|it| it.primitive().clone());
        Self::from_inner(B::to_line(x, moments, gradient, maps))
    }

    fn to_maps(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        line: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self> {
        let [x, weight, line, gradient] =
            [&x, &weight, &line, &gradient].map(|it| it.primitive().clone());
        Self::from_inner(B::to_maps(x, weight, line, gradient, maps))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use proptest::prelude::*;

    use super::*;

    type Layer = fn(Tensor<4>, Tensor<1>, Tensor<1>, f64) -> (Tensor<4>, [Tensor<1>; 2]);

    /// Returns what comes out with the moments, and the gradients of all that went in.
    fn outcome(size: [usize; 4], offset: f32, layer: Layer) -> Vec<Vec<f32>> {
        let device = Device::flex().autodiff();
        let mut state = 5_u32;
        let mut numbers = |n: usize| -> Vec<f32> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
            };
            (0..n).map(|_| next()).collect()
        };
        let n: usize = size.iter().product();
        let values = numbers(n).into_iter().map(|it| it + offset).collect();
        let x: Tensor<4> = Tensor::from_data(TensorData::new::<f32, _>(values, size), &device);
        let x = x.require_grad();
        let [weight, bias] = [0, 1].map(|_| {
            let row = TensorData::new(numbers(size[1]), [size[1]]);
            Tensor::<1>::from_data(row, &device).require_grad()
        });
        let (y, moments) = layer(x.clone(), weight.clone(), bias.clone(), 1e-3);
        let factors: Tensor<4> = Tensor::from_data(TensorData::new(numbers(n), size), &device);
        let gradients = (y.clone() * factors).sum().backward();
        let mut found = vec![values_of(y.inner()), values_of(x.grad(&gradients).unwrap())];
        found.extend(moments.map(|it| values_of(it.inner())));
        found.extend([weight, bias].map(|it| values_of(it.grad(&gradients).unwrap())));
        found
    }

    fn values_of<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn values_and_gradients_are_those_of_the_steps_one_by_one(
            size in [2_usize..6, 1..7, 1..12, 1..12],
            offset in -2.0_f32..2.0,
        ) {
            let (ours, theirs) = (outcome(size, offset, by_batch), outcome(size, offset, step_by_step));

            for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                prop_assert_eq!(ours.len(), theirs.len());
                let largest = theirs.iter().fold(1.0, |most: f32, it| most.max(it.abs()));
                for (ours, theirs) in ours.iter().zip(theirs) {
                    prop_assert!((ours - theirs).abs() <= 2e-4 * largest, "{place}: {ours}, not {theirs}");
                }
            }
        }
    }

    #[test]
    fn nothing_depends_on_the_number_of_threads() {
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| outcome([9, 5, 13, 11], 0.5, by_batch))
        };

        assert_eq!(on(1), on(3));
    }
}
