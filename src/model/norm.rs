//! Normalisation by the batch while learning, for the processor, and its gradients.
//!
//! As a chain of operations of the network library, each of them would keep maps of its own for
//! the way back; here only what went in is kept, and a `ReLU` behind is part of it. Maps are far
//! larger than the caches, so that each of them is passed over as seldom as may be. Each channel is
//! summed by one thread, in the order of the pictures: nothing depends on the number of threads.

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

use self::sums::{Line, single};
use super::{conv::is_on_processor, rectify::rectify};

mod sums;

/// Makes the mean of each channel 0 and its variance 1, then multiplies by `weight` and adds
/// `bias`: `[n, channels, height, width]` → the same shape, with the mean and the biased variance
/// of each channel. Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 1 and the gradients
/// behind it; `epsilon` is added to the variance. What comes out is rectified where a bound is
/// given: what is below 0 becomes zero, and what is above `most` becomes as large as that.
pub(super) fn by_batch(
    x: Tensor<4>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
    most: Option<f32>,
) -> (Tensor<4>, [Tensor<1>; 2]) {
    if !is_on_processor(&x) {
        let (y, moments) = step_by_step(x, weight, bias, epsilon);
        return (most.map_or(y.clone(), |most| rectify(y, most)), moments);
    }
    let [n_pictures, n_channels, height, width] = x.dims();
    let within = most.map_or([f32::NEG_INFINITY, f32::INFINITY], |most| [0.0, most]);
    let maps = Maps { n_pictures, n_channels, size: [height, width], epsilon, within };
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

/// Does what [`by_batch`] does with operations of the library, and rectifies nothing.
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
    /// The bounds of what comes out.
    within: [f32; 2],
}

/// Normalisation of maps `[n, channels, height, width]`, and its gradients. Rows
/// `[n, channels]` hold so many numbers of each channel.
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

    /// Returns what is done to each value of a channel: the mean that is taken off, 1 / the
    /// standard deviation, what the difference is multiplied by, and what is added then.
    fn line(
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self>;

    /// Returns the gradients of bias and weight.
    fn to_line(
        x: FloatTensor<Self>,
        line: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self>;

    /// Returns the gradient of what went in; `sums` comes from [`Self::to_line`].
    fn to_maps(
        x: FloatTensor<Self>,
        line: FloatTensor<Self>,
        sums: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self>;
}

type Flat = FloatTensor<Flex>;

impl Normalise for Flex {
    fn moments(x: Flat, maps: Maps) -> Flat {
        let x = x.to_contiguous();
        let x: &[f32] = x.storage();
        maps.rows(|channel| sums::moments(maps.places(channel).map(|place| &x[place])))
    }

    fn normalise(x: Flat, weight: Flat, bias: Flat, moments: Flat, maps: Maps) -> Flat {
        let line = Self::line(weight, bias, moments, maps);
        let x = x.to_contiguous();
        let (x, line): (&[f32], &[f32]) = (x.storage(), line.storage());
        maps.each(|channel, place, y| {
            let line = maps.line_of(line, channel);
            for (y, x) in y.iter_mut().zip(&x[place]) {
                *y = line.value(*x);
            }
        })
    }

    fn line(weight: Flat, bias: Flat, moments: Flat, maps: Maps) -> Flat {
        let [weight, bias, moments] = [weight, bias, moments].map(|it| it.to_contiguous());
        let (weight, bias): (&[f32], &[f32]) = (weight.storage(), bias.storage());
        let (means, variances) = moments.storage::<f32>().split_at(maps.n_channels);
        maps.rows(|channel| {
            let variance = f64::from(variances[channel]);
            let per_deviation = single(1.0 / (variance + maps.epsilon).sqrt());
            let numbers =
                [means[channel], per_deviation, weight[channel] * per_deviation, bias[channel]];
            numbers.map(f64::from)
        })
    }

    fn to_line(x: Flat, line: Flat, gradient: Flat, maps: Maps) -> Flat {
        let [x, line, gradient] = [x, line, gradient].map(|it| it.to_contiguous());
        let (x, gradient): (&[f32], &[f32]) = (x.storage(), gradient.storage());
        let line: &[f32] = line.storage();
        maps.rows(|channel| {
            let line = maps.line_of(line, channel);
            let of_maps =
                maps.places(channel).map(|place| line.sums(&x[place.clone()], &gradient[place]));
            let [to_bias, products] =
                of_maps.fold([0.0; 2], |all, of_map| [all[0] + of_map[0], all[1] + of_map[1]]);
            [to_bias, products * f64::from(line.per_deviation)]
        })
    }

    fn to_maps(x: Flat, line: Flat, sums: Flat, gradient: Flat, maps: Maps) -> Flat {
        let [x, line, sums, gradient] = [x, line, sums, gradient].map(|it| it.to_contiguous());
        let (x, gradient): (&[f32], &[f32]) = (x.storage(), gradient.storage());
        let (to_bias, to_weight) = sums.storage::<f32>().split_at(maps.n_channels);
        let line: &[f32] = line.storage();
        let share = single(1.0 / maps.count());
        maps.each(|channel, place, back| {
            let line = maps.line_of(line, channel);
            let to_bias = to_bias[channel] * share;
            let to_weight = to_weight[channel] * share * line.per_deviation;
            let values = x[place.clone()].iter().zip(&gradient[place]);
            for (back, (x, gradient)) in back.iter_mut().zip(values) {
                let gradient = line.passed(*x, *gradient);
                *back = line.scale * (gradient - to_bias - (x - line.mean) * to_weight);
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

    /// What is done to each value of a channel, from the rows of all.
    fn line_of(&self, rows: &[f32], channel: usize) -> Line {
        let row = |at: usize| rows[at * self.n_channels + channel];
        Line {
            mean: row(0),
            per_deviation: row(1),
            scale: row(2),
            shift: row(3),
            within: self.within,
        }
    }

    /// Where the maps of a channel lie, picture by picture.
    fn places(&self, channel: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let (area, n_channels) = (self.area(), self.n_channels);
        let starts = (0..self.n_pictures).map(move |at| (at * n_channels + channel) * area);
        starts.map(move |start| start..start + area)
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

/// One normalisation of the graph: where to find what went in, and what was done to it.
#[derive(Debug)]
struct Step;

impl<B: Normalise> Backward<B, 3> for Step {
    type State = (NodeId, FloatTensor<B>, Maps);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [to_x, to_weight, to_bias] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (x, line, maps) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let sums = B::to_line(x.clone(), line.clone(), gradient.clone(), maps);
        let row = |at: usize| {
            let row = B::float_slice(sums.clone(), &[(at..at + 1).into()]);
            B::float_reshape(row, [maps.n_channels].into())
        };
        if let Some(node) = to_bias {
            gradients.register::<B>(node.id, row(0));
        }
        if let Some(node) = to_weight {
            gradients.register::<B>(node.id, row(1));
        }
        if let Some(node) = to_x {
            gradients.register::<B>(node.id, B::to_maps(x, line, sums.clone(), gradient, maps));
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
        let [own, weight_now, bias_now, moments] =
            [&x, &weight, &bias, &moments].map(|it| it.primitive().clone());
        let line = B::line(weight_now.clone(), bias_now.clone(), moments.clone(), maps);
        let y = B::normalise(own, weight_now, bias_now, moments, maps);
        match Step.prepare::<C>([x.node(), weight.node(), bias.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&x), line, maps);
                step.finish(state, y)
            }
            OpsKind::UnTracked(step) => step.finish(y),
        }
    }

    // Nothing here differentiates twice, so what follows is a constant.

    fn line(
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self> {
        let [weight, bias, moments] = [&weight, &bias, &moments].map(|it| it.primitive().clone());
        Self::from_inner(B::line(weight, bias, moments, maps))
    }

    fn to_line(
        x: FloatTensor<Self>,
        line: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self> {
        let [x, line, gradient] = [&x, &line, &gradient].map(|it| it.primitive().clone());
        Self::from_inner(B::to_line(x, line, gradient, maps))
    }

    fn to_maps(
        x: FloatTensor<Self>,
        line: FloatTensor<Self>,
        sums: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self> {
        let [x, line, sums, gradient] =
            [&x, &line, &sums, &gradient].map(|it| it.primitive().clone());
        Self::from_inner(B::to_maps(x, line, sums, gradient, maps))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use proptest::prelude::*;

    use super::*;

    type Layer = fn(Tensor<4>, Tensor<1>, Tensor<1>, f64) -> (Tensor<4>, [Tensor<1>; 2]);

    fn ours(
        x: Tensor<4>,
        weight: Tensor<1>,
        bias: Tensor<1>,
        epsilon: f64,
    ) -> (Tensor<4>, [Tensor<1>; 2]) {
        by_batch(x, weight, bias, epsilon, None)
    }

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
            let (ours, theirs) = (outcome(size, offset, ours), outcome(size, offset, step_by_step));

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
    fn a_relu_that_is_part_of_it_is_that_of_its_own_layer() {
        for size in [[3, 4, 9, 7], [2, 1, 1, 1], [5, 3, 8, 16]] {
            let once: Layer =
                |x, weight, bias, epsilon| by_batch(x, weight, bias, epsilon, Some(0.5));
            let apart: Layer = |x, weight, bias, epsilon| {
                let (y, moments) = ours(x, weight, bias, epsilon);
                (rectify(y, 0.5), moments)
            };
            assert_eq!(outcome(size, 0.1, once), outcome(size, 0.1, apart));
        }
    }

    #[test]
    fn nothing_depends_on_the_number_of_threads() {
        let on = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| outcome([9, 5, 13, 11], 0.5, ours))
        };

        assert_eq!(on(1), on(3));
    }
}
