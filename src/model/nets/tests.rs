use std::{collections::BTreeMap, env, fs, path::PathBuf};

use burn::tensor::Device;

use super::{Padding, Plan, Style, body, build, with_head};
use crate::model::{
    graph::{Graph, build::Fill},
    head::{Head, HeadLayer},
    random::{Purpose, Random},
    recipe::Architecture,
};

fn zeros(plan: &Plan) -> Graph {
    build(plan, Fill::Zeros, &Device::flex()).unwrap()
}

/// The head `VGG` was published with.
fn vgg_head() -> Head {
    let wide = [HeadLayer::Dense(4096), HeadLayer::Dropout(0.5)];
    Head([vec![HeadLayer::Flatten], wide.repeat(2)].concat())
}

#[test]
fn networks_have_as_many_parameters_as_published() {
    let cases = [
        (Architecture::MobilenetV2, 3_504_872),
        (Architecture::Resnet18, 11_689_512),
        (Architecture::Resnet50, 25_557_032),
        (Architecture::Vgg16, 138_357_544),
        (Architecture::InceptionV3, 23_834_568),
        (Architecture::Xception, 22_855_952),
    ];
    for (architecture, expected) in cases {
        let side_px = architecture.natural_side_px().try_into().unwrap();
        let mut plan = Plan::new(architecture, side_px, 1000);
        if architecture == Architecture::Vgg16 {
            plan.head = vgg_head();
        }
        assert_eq!(zeros(&plan).n_parameters(), expected, "{architecture}");
    }
}

/// Sums by hand: windows × channels in × channels out + channels out, layer by layer.
#[test]
fn networks_trained_from_nothing_have_the_layers_of_their_recipes() {
    let pair = |k: usize, n_in: usize, n: usize| k * k * (n_in + n) * n + 2 * n;
    let dense = |n_in: usize, n: usize| n_in * n + n;
    let conv = |n_in: usize, n: usize| 9 * n_in * n + n;
    let wide = |n_in: usize| dense(n_in, 1024) + dense(1024, 1024) + dense(1024, 2);
    let vgg_style = pair(4, 3, 64) + pair(4, 64, 128) + pair(4, 128, 256) + wide(4 * 4 * 256);
    let shared = pair(4, 64, 128) + pair(3, 128, 256);
    let peetznet = pair(5, 3, 64) + pair(3, 3, 64) + 2 * shared + wide(4 * 4 * 512);
    // 34 → 32 → 16 → 14 → 7 → 5 → 2 pixels.
    let keras = conv(3, 32) + conv(32, 32) + conv(32, 64) + dense(2 * 2 * 64, 64) + dense(64, 2);
    let tutorial = conv(3, 16) + conv(16, 32) + conv(32, 64) + dense(4 * 4 * 64, 128);
    let cases = [
        (Architecture::VggStyle, 32, vgg_style),
        (Architecture::Peetznet, 32, peetznet),
        (Architecture::KerasCnn, 34, keras),
        (Architecture::KerasCnnRegularised, 34, keras + dense(64, 64)),
        (Architecture::FirstModel, 32, tutorial + dense(128, 2)),
        (Architecture::SecondModel, 32, tutorial + dense(128, 2)),
    ];
    for (architecture, side_px, expected) in cases {
        let net = zeros(&Plan::new(architecture, side_px, 2));
        assert_eq!(net.n_parameters(), expected, "{architecture}");
    }
}

#[test]
fn a_head_of_three_hidden_layers_on_inception_is_as_large_as_reported() {
    let hidden = |width| [HeadLayer::Dense(width), HeadLayer::Dropout(0.3)];
    let layers = [vec![HeadLayer::Flatten], [hidden(64), hidden(64), hidden(32)].concat()];
    let head = Head(layers.concat());
    let plan = Plan { head, ..Plan::new(Architecture::InceptionV3, 224, 1) };
    let body = body(&plan, Fill::Zeros, &Device::flex()).unwrap();
    let n_body = body.n_parameters();
    assert_eq!(body.nodes().last().unwrap().shape, [2048, 5, 5]);

    let whole = with_head(body, &plan, Fill::Zeros, &Device::flex()).unwrap();

    assert_eq!(whole.n_parameters() - n_body, 3_283_137);
}

#[test]
fn a_body_given_a_head_is_the_network_built_at_once() {
    let layers = vec![HeadLayer::Flatten, HeadLayer::BatchNorm, HeadLayer::Dense(8)];
    let plan = Plan { head: Head(layers), ..Plan::new(Architecture::Resnet18, 32, 3) };
    let device = Device::flex();
    let mut random = Random::new(1, Purpose::Weights);

    let body = body(&plan, Fill::Drawn(&mut random), &device).unwrap();
    let mut parts = with_head(body, &plan, Fill::Drawn(&mut random), &device).unwrap();

    let mut random = Random::new(1, Purpose::Weights);
    let mut whole = build(&plan, Fill::Drawn(&mut random), &device).unwrap();
    parts.number();
    whole.number();
    assert_eq!(parts.nodes(), whole.nodes());
    assert_eq!(parts.tensors(), whole.tensors());
    assert_eq!(param_ids(&parts), param_ids(&whole));
    let names: Vec<String> = whole.shapes().into_keys().take(7).collect();
    let expected = [
        "bn1.bias",
        "bn1.running_mean",
        "bn1.running_var",
        "bn1.weight",
        "classifier.0.bias",
        "classifier.0.running_mean",
        "classifier.0.running_var",
    ];
    assert_eq!(names, expected);
}

fn param_ids(net: &Graph) -> Vec<burn::module::ParamId> {
    let mut ids = burn::module::list_param_ids(net);
    let n = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), n, "two parameters share a number");
    ids
}

#[test]
fn pictures_may_be_small_and_are_refused_when_too_small() {
    let inception = Plan::new(Architecture::InceptionV3, 74, 2);
    assert!(build(&inception, Fill::Zeros, &Device::flex()).is_err());
    for architecture in Architecture::ALL {
        let side_px = if architecture == Architecture::InceptionV3 { 75 } else { 32 };
        let net = zeros(&Plan::new(architecture, side_px, 2));
        assert_eq!(net.nodes().last().unwrap().shape, [2, 1, 1], "{architecture}");
    }
}

/// The layers of Keras' network as its converter wrote them down.
#[test]
fn xception_has_the_tensors_and_maps_of_keras() {
    let Some(topology) = keras_topology() else { return };
    let model = &topology["modelTopology"]["model_config"]["config"]["layers"];
    let layers: Vec<&serde_json::Value> = model.as_array().unwrap().iter().collect();
    let style = Style { padding: Padding::Same, is_folded: false };
    let plan = Plan { style, ..Plan::new(Architecture::Xception, 299, 1000) };
    let net = zeros(&plan);

    let mut ours = BTreeMap::new();
    for (name, shape) in net.shapes() {
        // Keras turns its matrices and maps of windows; sorted, a shape is the same either way.
        let _ = name;
        *ours.entry(sorted(shape)).or_insert(0) += 1;
    }
    let weights = topology["weightsManifest"].as_array().unwrap().iter();
    let mut theirs = BTreeMap::new();
    for weight in weights.flat_map(|group| group["weights"].as_array().unwrap()) {
        let shape = weight["shape"].as_array().unwrap().iter();
        let shape = shape.map(|it| usize::try_from(it.as_u64().unwrap()).unwrap()).collect();
        *theirs.entry(sorted(shape)).or_insert(0) += 1;
    }
    assert_eq!(ours, theirs);
    let n_pools = layers.iter().filter(|it| it["class_name"] == "MaxPooling2D").count();
    assert_eq!(n_pools, 4);
}

fn sorted(mut shape: Vec<usize>) -> Vec<usize> {
    shape.sort_unstable();
    shape
}

#[expect(clippy::print_stderr, reason = "a skipped test must say that it proved nothing")]
fn keras_topology() -> Option<serde_json::Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from);
    let Ok(text) = fs::read(shared.join("data/weights/xception_keras_topology.json")) else {
        eprintln!("skipped: no description of Keras' Xception in the shared data");
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}
