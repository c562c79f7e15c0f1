use burn::tensor::{Device, Tensor, TensorData};

use super::{
    Graph, Op, Seen,
    build::{Builder, Fill},
    names::Tensors,
};
use crate::model::{
    nets::{self, Plan},
    random::{Purpose, Random},
    recipe::Architecture,
};

fn build(architecture: Architecture, side_px: usize) -> Graph {
    let plan = Plan::new(architecture, side_px, 5);
    let mut random = Random::new(3, Purpose::Weights);
    nets::build(&plan, Fill::Drawn(&mut random), &Device::flex()).unwrap()
}

fn pictures(n: usize, side_px: usize) -> Tensor<4> {
    let mut random = Random::new(4, Purpose::Augment);
    let values: Vec<f32> =
        (0..n * 3 * side_px * side_px).map(|_| random.around_zero(1.0)).collect();
    Tensor::from_data(TensorData::new(values, [n, 3, side_px, side_px]), &Device::flex())
}

/// Gives every normalisation something to do.
fn stirred(mut graph: Graph) -> Graph {
    let mut random = Random::new(5, Purpose::Augment);
    let mut tensors: Tensors = graph.tensors();
    for (name, array) in &mut tensors {
        let wide = name.ends_with("running_var") || name.ends_with("norm.weight");
        for value in array.values.iter_mut().filter(|_| array.shape.len() == 1) {
            *value += if wide { random.unit() } else { random.around_zero(0.3) };
        }
    }
    graph.load(tensors).unwrap();
    graph
}

fn largest_difference(a: Tensor<2>, b: Tensor<2>) -> f32 {
    (a - b).abs().max().into_scalar()
}

#[test]
fn a_network_cut_in_two_answers_as_before() {
    let graph = stirred(build(Architecture::MobilenetV2, 32));
    let x = pictures(2, 32);
    let whole = graph.forward(x.clone());

    let joints: Vec<usize> =
        (0..graph.nodes().len() - 1).filter(|at| graph.is_joint(*at)).collect();
    assert!(40 < joints.len(), "{joints:?}");
    for end in joints {
        let (before, behind) = graph.split(end);
        let found = behind.forward(before.outcome(x.clone()));
        assert_eq!(found.to_data(), whole.to_data(), "cut at {end}");
        let joined = before.join(&behind);
        assert_eq!(joined.forward(x.clone()).to_data(), whole.to_data());
        assert_eq!(joined.tensors(), graph.tensors());
    }
}

#[test]
fn folded_normalisation_gives_the_same_answers() {
    let graph = stirred(build(Architecture::MobilenetV2, 32));
    let x = pictures(2, 32);

    let folded = graph.folded();

    assert!(folded.nodes().iter().all(|node| !matches!(node.op, Op::Norm { .. })));
    let (whole, found) = (graph.forward(x.clone()), folded.forward(x));
    let scale: f32 = whole.clone().abs().max().into_scalar();
    let difference = largest_difference(whole, found);
    assert!(difference < 1e-5 * scale.max(1.0), "{difference} of {scale}");
}

#[test]
fn a_relu_that_is_made_with_its_normalisation_gives_the_same() {
    let mut graph = build(Architecture::MobilenetV2, 32);
    let mut tensors: Tensors = graph.tensors();
    for (name, array) in &mut tensors {
        if name.ends_with("weight") && array.shape.len() == 1 {
            // So steep that both bounds are met.
            array.values.fill(8.0);
        }
    }
    graph.load(tensors).unwrap();
    let x = pictures(4, 32);
    let learn = |wanted: &[usize]| -> Vec<f32> {
        let mut random = Random::new(6, Purpose::Augment);
        let values = graph.run(x.clone(), wanted, Some(&mut random), &mut Seen::new());
        values.last().unwrap().to_data().try_to_vec().unwrap()
    };
    let places: Vec<usize> =
        (0..graph.nodes().len()).filter(|at| graph.bound_behind(*at).is_some()).collect();
    let norms = places.iter().filter(|at| matches!(graph.nodes()[**at].op, Op::Norm { .. }));

    let mut n_norms = 0;
    for place in norms {
        // Where somebody else wants what is normalised, the ReLU is made apart.
        let (once, apart) = (learn(&[place + 1]), learn(&[*place, place + 1]));
        assert_eq!(once, apart, "{place}");
        assert!(once.contains(&0.0) && once.contains(&6.0), "{place}");
        n_norms += 1;
    }
    assert_eq!(n_norms, 35);
}

#[test]
fn a_frozen_network_is_fixed_up_to_its_head() {
    let mut graph = build(Architecture::MobilenetV2, 32);
    assert_eq!(graph.fixed_end(), 0);
    let head = graph.nodes().iter().position(|it| matches!(it.op, Op::Dropout(_))).unwrap();

    graph.freeze_before(head, 0);

    assert_eq!(graph.fixed_end(), head - 1);
    assert_eq!(graph.nodes()[head - 1].shape, [1280, 1, 1]);
    let mut partly = build(Architecture::MobilenetV2, 32);
    partly.freeze_before(head, 2);
    let end = partly.fixed_end();
    assert_eq!(partly.nodes()[end + 1].name, "features.18.0");
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let mut graph = build(Architecture::Linear, 4);
    let mut tensors = graph.tensors();
    let weight = tensors.remove("output.weight").unwrap();
    tensors.insert("output.weights".to_owned(), weight);
    tensors.get_mut("output.bias").unwrap().shape = vec![4];

    let misfit = graph.load(tensors).unwrap_err().to_string();

    let expected = "missing: `output.weight`; not part of the network: `output.weights`; \
         `output.bias` is [4], not [5]";
    assert_eq!(misfit, expected);
}

#[test]
fn a_picture_too_small_for_a_window_is_refused_by_the_layer() {
    let device = Device::flex();
    let (mut net, x) = Builder::new([3, 2, 2], Fill::Zeros, &device);
    net.conv("first", x, 4, super::Window::of(3));
    let text = "pictures of this size are too small for the network: `first` is left with 2×2";
    assert_eq!(net.finish().unwrap_err().to_string(), text);
}
