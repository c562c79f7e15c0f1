//! The networks against `PyTorch`, with weights both draw from the names of the tensors.
//! The answers are written by `tests/judges/model_reference.py`.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::{Padding, Plan, Style, build};
use crate::model::{
    graph::{
        Graph, Op,
        build::Fill,
        names::{Array, Tensors},
    },
    head::{Head, HeadLayer},
    loss::{self, Truth},
    random::{Purpose, Random},
    recipe::Architecture,
};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    network: String,
    side_px: usize,
    /// The name from which the pictures are drawn. They are chosen so that the side of zero, or
    /// the winner of a pooling, that decides a gradient is not left to the last digits.
    pictures: String,
    n_parameters: usize,
    logits: Vec<Vec<f64>>,
    /// With normalisation as in use, and by the batch.
    losses: [f64; 2],
    gradients: [BTreeMap<String, Gradient>; 2],
}

#[derive(Deserialize)]
struct Gradient {
    norm: f64,
    entries: Vec<f64>,
}

/// Numbers from -1 to 1: `SplitMix64` from the FNV-1a digest of a name.
#[expect(clippy::cast_precision_loss, reason = "24 bits fit an f32 exactly")]
pub(in crate::model) fn drawn(name: &str, n: usize) -> Vec<f32> {
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn value_of(name: &str, shape: &[usize]) -> Array {
    let n_in: usize = shape.iter().skip(1).product();
    let n_in = f64::from(u32::try_from(n_in).unwrap());
    #[expect(clippy::cast_possible_truncation, reason = "the reference rounds there too")]
    let reach = (6.0 / n_in).sqrt() as f32;
    let mut values = drawn(name, shape.iter().product());
    for value in &mut values {
        *value = match name {
            _ if 1 < shape.len() => *value * reach,
            _ if name.ends_with("running_var") => *value * 0.25 + 1.0,
            _ if name.ends_with("weight") => *value * 0.25 + 0.75,
            _ => *value * 0.25,
        };
    }
    Array { shape: shape.to_vec(), values }
}

pub(in crate::model) fn network(name: &str, side_px: usize, device: &Device) -> Graph {
    let (name, padding) = match name.split_once(' ') {
        Some((name, _)) => (name, Padding::Same),
        None => (name, Padding::Even),
    };
    let architecture: Architecture = serde_json::from_str(&format!("\"{name}\"")).unwrap();
    let layers = if architecture == Architecture::Vgg16 {
        vec![HeadLayer::Flatten, HeadLayer::Dense(32), HeadLayer::Dropout(0.0)]
    } else if architecture == Architecture::MobilenetV2 {
        vec![HeadLayer::GlobalAverage, HeadLayer::Dropout(0.0)]
    } else {
        vec![HeadLayer::GlobalAverage]
    };
    let head = Head(layers);
    let style = Style { padding, is_folded: false };
    let plan = Plan { head, style, ..Plan::new(architecture, side_px, 5) };
    let mut net = build(&plan, Fill::Zeros, device).unwrap();
    let named = net.shapes().into_iter().map(|(name, shape)| {
        let array = value_of(&name, &shape);
        (name, array)
    });
    net.load(named.collect::<Tensors>()).unwrap();
    net
}

/// Gradient of one weight, in the order of `PyTorch`'s layout.
fn gradient(net: &Graph, name: &str, gradients: &burn::tensor::Gradients) -> Vec<f32> {
    let node = net.nodes().iter().find(|node| format!("{}.weight", node.name) == name).unwrap();
    let data = if let Op::Conv { at, .. } = node.op {
        net.convs[at].weight.grad(gradients).unwrap().into_data()
    } else if let Op::Dense { at } = node.op {
        net.denses[at].weight.grad(gradients).unwrap().transpose().into_data()
    } else {
        panic!("{:?} has no weights of two dimensions", node.op)
    };
    data.try_to_vec().unwrap()
}

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

/// How far an answer may be off, as a share of the largest.
const NEAR: f64 = 1e-4;

/// How far a gradient may be off where a few pictures are normalised by each other. The last
/// digits of small variances then decide on which side of zero some values fall: `PyTorch`'s own
/// gradients for Inception differ by 3 % between its two precisions.
const NEAR_WHILE_LEARNING: f64 = 2e-2;

#[derive(Clone, Copy)]
struct Judge<'a> {
    case: &'a Case,
    near: f64,
}

impl Judge<'_> {
    fn near(self, found: f64, expected: f64, scale: f64, what: &str) {
        let difference = (found - expected).abs();
        let name = &self.case.network;
        assert!(difference <= self.near * scale, "{name}, {what}: {found}, not {expected}");
    }

    /// Compares the loss of `logits`, and the gradients it has.
    fn learn(self, net: &Graph, logits: Tensor<2>, mode: usize) {
        let targets = loss::targets(&[0, 1, 2].map(Truth::of), &[1.0; 5], 0.0);
        let targets = Tensor::from_data(TensorData::new(targets, [3, 5]), &logits.device());
        let loss = loss::cross_entropy(logits, targets);
        let (value, expected): (f32, f64) = (loss.clone().into_scalar(), self.case.losses[mode]);
        Self { near: NEAR, ..self }.near(value.into(), expected, expected, "loss");
        let gradients = loss.backward();
        for (name, expected) in &self.case.gradients[mode] {
            let found = gradient(net, name, &gradients);
            self.near(norm(&found), expected.norm, expected.norm, name);
            let places = [0, found.len() / 2, found.len() - 1];
            for (place, expected) in places.into_iter().zip(&expected.entries) {
                self.near(found[place].into(), *expected, largest(&found), name);
            }
        }
    }
}

fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |most: f64, it| most.max(f64::from(it.abs())))
}

#[test]
fn logits_and_gradients_are_those_of_pytorch() {
    let reference: Reference =
        serde_json::from_str(include_str!("../../../tests/judges/model_reference.json")).unwrap();
    assert_eq!(reference.cases.len(), 14);
    for case in &reference.cases {
        compare(case);
    }
}

fn compare(case: &Case) {
    let device = Device::flex().autodiff();
    let mut net = network(&case.network, case.side_px, &device);
    assert_eq!(net.n_parameters(), case.n_parameters, "{}", case.network);
    let shape = [3, 3, case.side_px, case.side_px];
    let x = TensorData::new(drawn(&case.pictures, shape.iter().product()), shape);
    let x: Tensor<4> = Tensor::from_data(x, &device);
    let judge = Judge { case, near: NEAR };

    let logits = net.forward(x.clone());
    let found: Vec<f32> = logits.clone().into_data().try_to_vec().unwrap();
    for (value, expected) in found.iter().zip(case.logits.iter().flatten()) {
        judge.near((*value).into(), *expected, largest(&found), "logits");
    }
    judge.learn(&net, logits, 0);

    let has_norm = net.nodes().iter().any(|node| matches!(node.op, Op::Norm { .. }));
    let logits = net.learn(x, &mut Random::new(1, Purpose::Dropout));
    let near = if has_norm { NEAR_WHILE_LEARNING } else { NEAR };
    Judge { near, ..judge }.learn(&net, logits, 1);
}
