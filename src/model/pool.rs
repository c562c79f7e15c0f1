//! The largest value under a window, for the processor, and where its gradient goes.
//!
//! The network library remembers the place of every maximum in 64 bits, which takes longer than
//! the convolutions around it; here they are looked for again. Of equal values the first wins.

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
    tensor::{Tensor, TensorData, module::max_pool2d, ops::MaxPoolOptions},
};
use rayon::prelude::*;

use super::{conv::is_on_processor, graph::Window};

mod fours;

/// `[n, channels, height, width]` → `[n, channels, height, width]`; padding never wins.
pub(super) fn max_pool(x: Tensor<4>, window: Window) -> Tensor<4> {
    if !is_on_processor(&x) {
        return by_library(x, window);
    }
    let [n, channels, height, width] = x.dims();
    let out = window.over([channels, height, width]).expect("the window fits the map");
    let maps = Maps { n: n * channels, size: [height, width], out, window };
    let x = x.reshape([n * channels, 1, height, width]);
    let y = Tensor::<4>::from_dispatch(<Dispatch as MaxPool>::largest(x.into_dispatch(), maps));
    y.reshape([n, channels, out[0], out[1]])
}

fn by_library(x: Tensor<4>, window: Window) -> Tensor<4> {
    let padding = window.padding.map(|[before, behind]| (before, behind));
    let Window { kernel: kernel_size, stride, .. } = window;
    let dilation = [1, 1];
    let options = MaxPoolOptions { kernel_size, stride, padding, dilation, ceil_mode: false };
    max_pool2d(x, options)
}

/// The sizes of a pooling.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maps {
    n: usize,
    size: [usize; 2],
    out: [usize; 2],
    window: Window,
}

/// The largest value under a window, and its gradient, of maps `[n, 1, height, width]`.
#[backend_extension(Flex, Autodiff)]
pub(super) trait MaxPool: Backend {
    fn largest(x: FloatTensor<Self>, maps: Maps) -> FloatTensor<Self>;

    fn to_largest(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self>;
}

type Flat = FloatTensor<Flex>;

impl MaxPool for Flex {
    fn largest(x: Flat, maps: Maps) -> Flat {
        let x = x.to_contiguous();
        let [map_in, map_out] = [maps.size, maps.out].map(|it| it.iter().product::<usize>());
        let mut y = vec![f32::NEG_INFINITY; maps.n * map_out];
        let pairs = y.par_chunks_mut(map_out).zip(x.storage::<f32>().par_chunks(map_in));
        pairs.for_each(|(y, x)| {
            if maps.is_by_two() { fours::find(maps.size, x, y) } else { maps.find(x, y) }
        });
        Flat::from_data(TensorData::new(y, [maps.n, 1, maps.out[0], maps.out[1]]))
    }

    fn to_largest(x: Flat, gradient: Flat, maps: Maps) -> Flat {
        let (x, gradient) = (x.to_contiguous(), gradient.to_contiguous());
        let [map_in, map_out] = [maps.size, maps.out].map(|it| it.iter().product::<usize>());
        let mut back = vec![0.0; maps.n * map_in];
        let sources = x.storage::<f32>().par_chunks(map_in);
        let given = gradient.storage::<f32>().par_chunks(map_out);
        let all = back.par_chunks_mut(map_in).zip(sources.zip(given));
        let scratch = || vec![0.0; map_out];
        all.for_each_init(scratch, |largest, (back, (x, gradient))| {
            if maps.is_by_two() {
                return fours::send_back(maps.size, x, gradient, back);
            }
            largest.fill(f32::NEG_INFINITY);
            maps.find(x, largest);
            maps.send_back(x, largest, gradient, back);
        });
        Flat::from_data(TensorData::new(back, [maps.n, 1, maps.size[0], maps.size[1]]))
    }
}

impl Maps {
    /// Tells whether the windows are two by two and meet without a gap, as most are.
    fn is_by_two(&self) -> bool {
        self.window == Window::of(2).stride(2)
    }

    /// Finds the maxima of one map; `y` holds negative infinity.
    fn find(&self, x: &[f32], y: &mut [f32]) {
        let [_, width] = self.size;
        for (row, y) in y.chunks_exact_mut(self.out[1]).enumerate() {
            for x in self.rows(row).map(|it| &x[it * width..][..width]) {
                for tap in 0..self.window.kernel[1] {
                    let (columns, first) = self.columns(tap);
                    let values = x[first.min(width)..].iter().step_by(self.window.stride[1]);
                    for (y, value) in y[columns].iter_mut().zip(values) {
                        if *y < *value || value.is_nan() {
                            *y = *value;
                        }
                    }
                }
            }
        }
    }

    /// Adds each gradient to the first place that holds the maximum.
    fn send_back(&self, x: &[f32], largest: &[f32], gradient: &[f32], back: &mut [f32]) {
        let [_, width] = self.size;
        let mut is_sent = vec![false; self.out[1]];
        for (row, (largest, gradient)) in
            largest.chunks_exact(self.out[1]).zip(gradient.chunks_exact(self.out[1])).enumerate()
        {
            is_sent.fill(false);
            for start in self.rows(row).map(|it| it * width) {
                let (x, back) = (&x[start..][..width], &mut back[start..][..width]);
                for tap in 0..self.window.kernel[1] {
                    let (columns, first) = self.columns(tap);
                    let first = first.min(width);
                    let values = x[first..].iter().step_by(self.window.stride[1]);
                    let back = back[first..].iter_mut().step_by(self.window.stride[1]);
                    let sums = largest[columns.clone()].iter().zip(&gradient[columns.clone()]);
                    let sums = sums.zip(&mut is_sent[columns]);
                    for ((value, back), ((largest, gradient), is_sent)) in
                        values.zip(back).zip(sums)
                    {
                        let is_here = !*is_sent && largest <= value;
                        *back += if is_here { *gradient } else { 0.0 };
                        *is_sent |= is_here;
                    }
                }
            }
        }
    }

    /// The rows of the map under the window of a row that comes out.
    fn rows(&self, row: usize) -> impl Iterator<Item = usize> + use<> {
        let Self { window, size: [height, _], .. } = *self;
        let first = row * window.stride[0];
        (first..first + window.kernel[0])
            .filter_map(move |it| it.checked_sub(window.padding[0][0]))
            .filter(move |it| *it < height)
    }

    /// The columns that come out and see no padding with this column of the window; and the
    /// column of the map that the first of them sees.
    fn columns(&self, tap: usize) -> (std::ops::Range<usize>, usize) {
        let (stride, before) = (self.window.stride[1], self.window.padding[1][0]);
        let start = before.saturating_sub(tap).div_ceil(stride).min(self.out[1]);
        let end = (self.size[1] + before).saturating_sub(tap).div_ceil(stride);
        (start..end.clamp(start, self.out[1]), (start * stride + tap).saturating_sub(before))
    }
}

/// One pooling of the graph: where to find what went in.
#[derive(Debug)]
struct Step;

impl<B: MaxPool> Backward<B, 1> for Step {
    type State = (NodeId, Maps);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [parent] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let (x, maps) = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        if let Some(node) = parent {
            gradients.register::<B>(node.id, B::to_largest(x, gradient, maps));
        }
    }
}

impl<B: MaxPool, C: CheckpointStrategy> MaxPool for Autodiff<B, C> {
    fn largest(x: FloatTensor<Self>, maps: Maps) -> FloatTensor<Self> {
        let now = || B::largest(x.primitive().clone(), maps);
        match Step.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut step) => {
                let state = (step.checkpoint(&x), maps);
                step.finish(state, now())
            }
            OpsKind::UnTracked(step) => step.finish(now()),
        }
    }

    /// Nothing differentiates twice: the gradient is a constant.
    fn to_largest(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        maps: Maps,
    ) -> FloatTensor<Self> {
        let [x, gradient] = [&x, &gradient].map(|it| it.primitive().clone());
        Self::from_inner(B::to_largest(x, gradient, maps))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use proptest::prelude::*;

    use super::*;

    /// Returns the maxima and the gradient of what went in. Few levels make many equal values.
    fn outcome(
        size: [usize; 4],
        window: Window,
        layer: fn(Tensor<4>, Window) -> Tensor<4>,
    ) -> [Vec<f32>; 2] {
        let device = Device::flex().autodiff();
        let mut state = 7_u32;
        let mut numbers = |n: usize, levels: u32| -> Vec<f32> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from((state >> 16) % levels).unwrap()) - 3.0
            };
            (0..n).map(|_| next()).collect()
        };
        let x = TensorData::new(numbers(size.iter().product(), 8), size);
        let x: Tensor<4> = Tensor::from_data(x, &device).require_grad();
        let y = layer(x.clone(), window);
        let factors = TensorData::new(numbers(y.dims().iter().product(), 100), y.dims());
        let gradients = (y.clone() * Tensor::from_data(factors, &device)).sum().backward();
        [y.inner(), x.grad(&gradients).unwrap()].map(|it| it.into_data().try_to_vec().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn maxima_and_their_gradients_are_those_of_the_library(
            size in [1_usize..4, 1..4, 2..20, 2..20],
            kernel in [1_usize..5, 1..5],
            stride in [1_usize..4, 1..4],
            padded in [any::<bool>(), any::<bool>()],
            is_by_two in any::<bool>(),
        ) {
            let padding = [0, 1].map(|axis: usize| if padded[axis] { [kernel[axis] / 2; 2] } else { [0, 0] });
            let window = Window { kernel, stride, padding };
            let window = if is_by_two { Window::of(2).stride(2) } else { window };
            prop_assume!(window.over([1, size[2], size[3]]).is_some());

            let (ours, theirs) = (outcome(size, window, max_pool), outcome(size, window, by_library));

            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn of_equal_values_the_first_learns_as_in_pytorch() {
        let device = Device::flex().autodiff();
        let x = Tensor::<4>::zeros([1, 1, 5, 5], &device).require_grad();
        let y = max_pool(x.clone(), Window::of(3).stride(2).pad(1));
        let factors: Vec<f32> = (1_u8..10).map(f32::from).collect();
        let factors = Tensor::from_data(TensorData::new(factors, y.dims()), &device);

        let gradients = (y * factors).sum().backward();

        let found: Vec<f32> = x.grad(&gradients).unwrap().into_data().try_to_vec().unwrap();
        let mut expected = vec![0.0; 25];
        for (at, value) in [0, 1, 3, 5, 6, 8, 15, 16, 18].into_iter().zip(1_u8..) {
            expected[at] = f32::from(value);
        }
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_number_is_not_lost() {
        let x = TensorData::new(vec![1.0, f32::NAN, 3.0, 2.0], [1, 1, 2, 2]);
        let y = max_pool(Tensor::from_data(x, &Device::flex()), Window::of(2).stride(2));
        assert!(y.into_scalar::<f32>().is_nan());
    }
}
