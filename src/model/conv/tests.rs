//! Convolution and its gradients against their definition, summed in double precision, and
//! against those of the network library.

use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;

use super::{Window, by_library, conv2d};

type Layer = fn(Tensor<4>, Tensor<4>, Option<Tensor<1>>, Window, usize) -> Tensor<4>;

/// The sizes of one comparison.
#[derive(Clone, Copy, Debug)]
struct Case {
    n_pictures: usize,
    groups: usize,
    /// Channels of a group.
    n_in: usize,
    n_out: usize,
    size: [usize; 2],
    window: Window,
}

/// Numbers from -1 to 1 without a pattern.
fn numbers(shape: [usize; 4], seed: u32) -> TensorData {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(u16::try_from(state >> 16).unwrap()) / 32_768.0 - 1.0
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    TensorData::new(values, shape)
}

/// Returns what comes out, and the gradients of what went in, of the weights and of the bias.
fn outcome(case: Case, layer: Layer) -> [Vec<f32>; 4] {
    let Case { n_pictures, groups, n_in, n_out, size, window } = case;
    let device = Device::flex().autodiff();
    let given = |shape, seed| {
        let tensor: Tensor<4> = Tensor::from_data(numbers(shape, seed), &device);
        tensor.require_grad()
    };
    let x = given([n_pictures, groups * n_in, size[0], size[1]], 1);
    let weight = given([groups * n_out, n_in, window.kernel[0], window.kernel[1]], 2);
    let bias = given([groups * n_out, 1, 1, 1], 3);
    let flat = bias.clone().flatten::<1>(0, 3);
    let y = layer(x.clone(), weight.clone(), Some(flat), window, groups);
    let factors: Tensor<4> = Tensor::from_data(numbers(y.dims(), 4), &device);
    let gradients = (y.clone() * factors).sum().backward();
    let gradient = |it: &Tensor<4>| it.grad(&gradients).unwrap();
    [y.inner(), gradient(&x), gradient(&weight), gradient(&bias)]
        .map(|it| it.into_data().try_to_vec().unwrap())
}

/// The definition, term by term: what comes out, then the gradients as in [`outcome`].
fn by_definition(case: Case) -> [Vec<f64>; 4] {
    let Case { n_pictures, groups, n_in, n_out, size, window } = case;
    let [height, width] = size;
    let [down, across] = window.over([n_in, height, width]).unwrap();
    let given = |shape, seed| -> Vec<f64> {
        let values: Vec<f32> = numbers(shape, seed).try_to_vec().unwrap();
        values.into_iter().map(f64::from).collect()
    };
    let x = given([n_pictures, groups * n_in, height, width], 1);
    let weight = given([groups * n_out, n_in, window.kernel[0], window.kernel[1]], 2);
    let bias = given([groups * n_out, 1, 1, 1], 3);
    let gradient = given([n_pictures, groups * n_out, down, across], 4);
    let mut y = vec![0.0; gradient.len()];
    let [mut to_x, mut to_weight, mut to_bias] =
        [x.len(), weight.len(), bias.len()].map(|n| vec![0.0; n]);
    for at in 0..y.len() {
        let (column, row) = (at % across, at / across % down);
        let (channel, picture) =
            (at / (down * across) % bias.len(), at / (down * across * bias.len()));
        y[at] += bias[channel];
        to_bias[channel] += gradient[at];
        for term in 0..n_in * window.kernel[0] * window.kernel[1] {
            let [tap_row, tap_column] =
                [term / window.kernel[1] % window.kernel[0], term % window.kernel[1]];
            let from = channel / n_out * n_in + term / (window.kernel[0] * window.kernel[1]);
            let row = (row * window.stride[0] + tap_row).checked_sub(window.padding[0][0]);
            let column = (column * window.stride[1] + tap_column).checked_sub(window.padding[1][0]);
            let (Some(row), Some(column)) = (row, column) else { continue };
            if row < height && column < width {
                let place = ((picture * groups * n_in + from) * height + row) * width + column;
                let by = channel * n_in * window.kernel[0] * window.kernel[1] + term;
                y[at] += weight[by] * x[place];
                to_x[place] += weight[by] * gradient[at];
                to_weight[by] += x[place] * gradient[at];
            }
        }
    }
    [y, to_x, to_weight, to_bias]
}

const NAMES: [&str; 4] =
    ["sums", "gradient of what went in", "gradient of the weights", "gradient of the bias"];

/// How far a sum may be off in single precision, as a share of the largest.
const NEAR: f64 = 2e-6;

fn compare_with_definition(case: Case) {
    for ((ours, exact), name) in outcome(case, conv2d).iter().zip(by_definition(case)).zip(NAMES) {
        assert_eq!(ours.len(), exact.len(), "{name}, {case:?}");
        let largest = exact.iter().fold(1.0, |most: f64, it| most.max(it.abs()));
        for (at, (ours, exact)) in ours.iter().zip(exact).enumerate() {
            let is_near = (f64::from(*ours) - exact).abs() <= NEAR * largest;
            assert!(is_near, "{name} at {at}: {ours}, not {exact}, {case:?}");
        }
    }
}

fn compare(case: Case) {
    let (ours, theirs) = (outcome(case, conv2d), outcome(case, by_library));
    for ((ours, theirs), name) in ours.iter().zip(&theirs).zip(NAMES) {
        assert_eq!(ours.len(), theirs.len(), "{name}, {case:?}");
        let largest = theirs.iter().fold(0.0, |most: f32, it| most.max(it.abs()));
        for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let is_near = (ours - theirs).abs() <= 1e-5 * largest.max(1.0);
            assert!(is_near, "{name} at {at}: {ours}, not {theirs}, {case:?}");
        }
    }
}

fn case(n_pictures: usize, channels: [usize; 3], size: [usize; 2], window: Window) -> Case {
    let [groups, n_in, n_out] = channels;
    Case { n_pictures, groups, n_in, n_out, size, window }
}

#[test]
fn the_layers_of_the_networks_are_what_is_defined_and_what_the_library_makes() {
    let three = Window::of(3).pad(1);
    let same = Window { padding: [[0, 1], [0, 1]], ..Window::of(3).stride(2) };
    for it in [
        case(9, [1, 3, 8], [64, 64], three),
        case(2, [1, 48, 96], [8, 8], three),
        case(17, [1, 5, 7], [9, 9], three),
        case(2, [1, 3, 32], [65, 64], three.stride(2)),
        case(2, [1, 3, 16], [32, 32], same),
        case(1, [1, 3, 6], [40, 40], Window::of(7).stride(2).pad(3)),
        case(3, [1, 24, 40], [14, 14], Window::of(1)),
        case(5, [1, 33, 6], [7, 7], Window::of(1)),
        case(2, [1, 16, 12], [13, 14], Window::of(1).stride(2)),
        case(2, [40, 1, 1], [15, 15], three),
        case(3, [24, 1, 1], [16, 16], three.stride(2)),
        case(3, [24, 1, 1], [16, 16], same),
        case(2, [6, 1, 2], [11, 12], three),
        case(2, [1, 4, 4], [12, 17], Window::wide(1, 7).centred()),
        case(2, [1, 4, 4], [12, 17], Window::wide(7, 1).centred()),
        case(1, [1, 1, 1], [1, 1], Window::of(1)),
    ] {
        compare(it);
        compare_with_definition(it);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_window_over_any_map_is_what_is_defined_and_what_the_library_makes(
        (n_pictures, channels) in (1_usize..10, [1_usize..4, 1..6, 1..7]),
        size in [1_usize..24, 1..24],
        kernel in [1_usize..5, 1..5],
        stride in [1_usize..4, 1..4],
        padding in [[0_usize..3, 0..3], [0..3, 0..3]],
    ) {
        let window = Window { kernel, stride, padding };
        prop_assume!(window.over([1, size[0], size[1]]).is_some());
        let it = case(n_pictures, channels, size, window);
        compare(it);
        compare_with_definition(it);
    }
}

#[test]
fn sums_do_not_depend_on_the_number_of_threads() {
    let it = case(19, [1, 6, 10], [20, 20], Window::of(3).pad(1));
    let on = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| outcome(it, conv2d))
    };

    assert_eq!(on(1), on(3));
}
