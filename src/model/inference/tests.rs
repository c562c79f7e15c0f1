use burn::tensor::{Device, Tensor, TensorData};

use super::{Inference, Work, numbers};
use crate::model::{
    graph::{Graph, build::Fill, names::Tensors},
    head::{Head, HeadLayer},
    nets::{self, Padding, Plan},
    random::{Purpose, Random},
    recipe::Architecture,
};

/// Numbers from -1 to 1, no two neighbours alike.
pub(super) fn number(at: usize) -> f32 {
    f32::from(u16::try_from(at * 7919 % 1000).unwrap()) / 500.0 - 1.0
}

/// Compares sums that were added in another order.
pub(super) fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let is_near = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
        assert!(is_near, "{found}, not {expected}");
    }
}

fn plan(architecture: Architecture) -> Plan {
    let is_deep = matches!(architecture, Architecture::InceptionV3 | Architecture::Xception);
    Plan::new(architecture, if is_deep { 75 } else { 37 }, 5)
}

/// A network whose normalisations have something to do.
fn net(plan: &Plan) -> Graph {
    let mut random = Random::new(3, Purpose::Weights);
    let mut net = nets::build(plan, Fill::Drawn(&mut random), &Device::flex()).unwrap();
    let mut tensors: Tensors = net.tensors();
    for (name, array) in &mut tensors {
        let is_wide = name.ends_with("running_var") || name.ends_with("norm.weight");
        for value in array.values.iter_mut().filter(|_| array.shape.len() == 1) {
            *value += if is_wide { random.unit() } else { random.around_zero(0.3) };
        }
    }
    net.load(tensors).unwrap();
    net
}

/// What a network takes, drawn for so many pictures.
fn pictures(n: usize, net: &Graph) -> Vec<f32> {
    let mut random = Random::new(4, Purpose::Augment);
    let size: usize = net.nodes()[0].shape.iter().product();
    (0..n * size).map(|_| random.around_zero(1.0)).collect()
}

/// What the layers give one after the other, a row per picture.
fn layer_by_layer(net: &Graph, pictures: &[f32]) -> Vec<Vec<f32>> {
    let [channels, height, width] = net.nodes()[0].shape;
    let n = pictures.len() / (channels * height * width);
    let data = TensorData::new(pictures.to_vec(), [n, channels, height, width]);
    let values = numbers(net.outcome(Tensor::from_data(data, &Device::flex())));
    values.chunks(values.len() / n).map(<[f32]>::to_vec).collect()
}

fn assert_same(net: &Graph, what: &str) {
    let pictures = pictures(3, net);
    let expected = layer_by_layer(net, &pictures);

    let found = Inference::of(net).unwrap().outcomes(&pictures);

    assert_eq!(found.len(), 3, "{what}");
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found.len(), expected.len(), "{what}");
        let largest = expected.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-4 * largest, "{what}: {found}, not {expected}");
        }
    }
}

#[test]
fn every_network_answers_as_layer_by_layer() {
    for architecture in Architecture::ALL {
        assert_same(&net(&plan(architecture)), &architecture.to_string());
    }
}

#[test]
fn a_block_of_several_bands_answers_as_layer_by_layer() {
    let plan = Plan::new(Architecture::MobilenetV2, 224, 3);
    assert_same(&net(&plan), "mobilenet-v2 at 224 pixels");
}

#[test]
fn weights_of_other_frameworks_and_other_heads_are_answered_with() {
    for architecture in [Architecture::MobilenetV2, Architecture::Xception] {
        let mut plan = plan(architecture);
        plan.style.padding = Padding::Same;
        plan.style.is_folded = true;
        plan.head = Head(vec![
            HeadLayer::Flatten,
            HeadLayer::BatchNorm,
            HeadLayer::Dense(7),
            HeadLayer::Dropout(0.5),
        ]);
        assert_same(&net(&plan), &architecture.to_string());
    }
}

#[test]
fn a_network_may_be_cut_anywhere() {
    for architecture in [Architecture::MobilenetV2, Architecture::Resnet18] {
        let net = net(&plan(architecture));
        let joints = (1..net.nodes().len() - 1).filter(|at| net.is_joint(*at));
        let mut n_tried = 0;
        for end in joints.step_by(4) {
            let (before, behind) = net.split(end);
            assert_same(&before, &format!("{architecture} up to {end}"));
            n_tried += 1;
            assert_same(&behind, &format!("{architecture} from {end}"));
        }
        assert!(4 < n_tried, "{n_tried}");
    }
}

#[test]
fn what_comes_out_depends_on_the_picture_alone() {
    let net = net(&plan(Architecture::MobilenetV2));
    let ready = Inference::of(&net).unwrap();
    let all = pictures(4, &net);

    let together = ready.outcomes(&all);

    for (own, found) in all.chunks(all.len() / 4).zip(together) {
        assert_eq!(ready.outcomes(own), [found]);
    }
}

#[test]
fn what_lies_between_the_parts_of_a_block_is_never_a_value() {
    let count = |architecture, is_it: fn(&Work) -> bool| {
        let ready = Inference::of(&net(&plan(architecture))).unwrap();
        ready.steps.iter().filter(|step| is_it(&step.work)).count()
    };
    let is_block = |work: &Work| matches!(work, Work::Block(_));
    let is_sum_or_bound = |work: &Work| matches!(work, Work::Add | Work::Bound(_));

    assert_eq!(count(Architecture::MobilenetV2, is_block), 17);
    assert_eq!(count(Architecture::MobilenetV2, is_sum_or_bound), 0);
    assert_eq!(count(Architecture::Resnet50, is_sum_or_bound), 0);
    assert_eq!(count(Architecture::Xception, is_block), 34);
}
