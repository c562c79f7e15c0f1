use std::slice::from_ref;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::{Asked, Lens, Method};
use crate::{
    domain::id::BlobId,
    model::{
        card::{FORMAT, ModelCard, Preprocessing},
        classifier::Classifier,
        graph::{Graph, build::Fill},
        head::{Head, HeadLayer},
        nets::{
            self, Plan, Style,
            parity_tests::{drawn, network},
        },
        recipe::Architecture,
    },
    pixels::{
        Picture, Pixel,
        crop::{self, Filter},
        heat,
        process::{self, Step},
    },
};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    network: String,
    side_px: usize,
    method: String,
    maps: Vec<Maps>,
}

#[derive(Deserialize)]
struct Maps {
    asked: Option<usize>,
    classes: Vec<usize>,
    height: usize,
    width: usize,
    evidence: Vec<f32>,
}

fn pictures(n: usize, side_px: usize) -> Tensor<4> {
    let shape = [n, 3, side_px, side_px];
    let values = drawn("pictures", shape.iter().product());
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn values(evidence: Tensor<3>) -> Vec<f32> {
    evidence.into_data().try_to_vec().unwrap()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most: f32, it| most.max(it.abs()))
}

/// Asserts that numbers differ by no more than 10⁻⁴ of the largest.
fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let far = 1e-4 * largest(expected);
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= far, "{what}: {found}, not {expected}");
    }
}

/// The answers are written by `tests/judges/cam_reference.py`.
#[test]
fn maps_are_those_of_pytorch() {
    let reference: Reference =
        serde_json::from_str(include_str!("../../../tests/judges/cam_reference.json")).unwrap();
    assert_eq!(reference.cases.len(), 8);
    for Case { network: name, side_px, method, maps } in &reference.cases {
        let lens = Lens::of(&network(name, *side_px, &Device::flex()));
        let ours = match lens.method {
            Method::Cam => "cam",
            Method::GradCam => "grad-cam",
            Method::Saliency => "saliency",
        };
        assert_eq!(ours, method, "{name}");
        for Maps { asked, classes, height, width, evidence } in maps {
            let asked = asked.map_or(Asked::Predicted, Asked::Class);
            let (of, found) = lens.evidence(pictures(3, *side_px), asked);
            assert_eq!((&of, found.dims()), (classes, [3, *height, *width]), "{name}");
            assert_near(&values(found), evidence, name);
        }
    }
}

/// Behind a global mean the gradient of a feature is the same in every cell.
#[test]
fn behind_a_global_mean_both_ways_of_weighing_agree() {
    for architecture in [Architecture::Resnet18, Architecture::MobilenetV2] {
        let lens = Lens::of(&network(&architecture.to_string(), 96, &Device::flex()));
        let by_mean = Lens { method: Method::GradCam, ..lens.clone() };

        let (classes, found) = lens.evidence(pictures(2, 96), Asked::Predicted);
        let (same, by_mean) = by_mean.evidence(pictures(2, 96), Asked::Predicted);

        assert_eq!((lens.method, classes), (Method::Cam, same));
        assert_eq!(found.dims(), [2, 3, 3]);
        assert_near(&values(by_mean), &values(found), &architecture.to_string());
    }
}

#[test]
fn shares_of_a_number_add_up_to_it() {
    let cases = [
        ("linear", 8, Method::Saliency),
        ("resnet-18", 96, Method::Cam),
        ("small-cnn", 32, Method::Cam),
    ];
    for (name, side_px, method) in cases {
        let net = network(name, side_px, &Device::flex());
        let lens = Lens::of(&net);
        let layer = net.denses.last().unwrap();
        let bias: Vec<f32> = layer.bias.val().into_data().try_to_vec().unwrap();

        let (_, evidence) = lens.evidence(pictures(2, side_px), Asked::Class(3));

        assert_eq!(lens.method, method, "{name}");
        let sums = values(evidence.flatten::<2>(1, 2).sum_dim(1).unsqueeze_dim(1));
        let sums: Vec<f32> = sums.into_iter().map(|sum| sum + bias[3]).collect();
        let logits = net.forward(pictures(2, side_px)).slice([0..2, 3..4]);
        assert_near(&sums, &values(logits.unsqueeze_dim(1)), name);
    }
}

#[test]
fn every_network_is_looked_into_where_its_maps_are_finest_behind_all_convolutions() {
    let flat = Head(vec![HeadLayer::Flatten, HeadLayer::Dense(8), HeadLayer::Dropout(0.5)]);
    let cases = [
        (Architecture::SmallCnn, Method::Cam, [96, 8, 8]),
        (Architecture::Linear, Method::Saliency, [3, 64, 64]),
        (Architecture::MobilenetV2, Method::Cam, [1280, 7, 7]),
        (Architecture::Resnet18, Method::Cam, [512, 7, 7]),
        (Architecture::Resnet50, Method::Cam, [2048, 7, 7]),
        // Between its last convolution and the mean, maps are halved.
        (Architecture::Vgg16, Method::GradCam, [512, 14, 14]),
        (Architecture::InceptionV3, Method::Cam, [2048, 8, 8]),
        (Architecture::Xception, Method::Cam, [2048, 10, 10]),
        (Architecture::KerasCnn, Method::GradCam, [64, 52, 52]),
        (Architecture::KerasCnnRegularised, Method::GradCam, [64, 52, 52]),
        (Architecture::FirstModel, Method::GradCam, [64, 45, 45]),
        (Architecture::SecondModel, Method::GradCam, [64, 45, 45]),
    ];
    for (architecture, method, shape) in cases {
        let side_px = architecture.natural_side_px().try_into().unwrap();
        let plan = Plan::new(architecture, side_px, 2);
        let lens = Lens::of(&nets::build(&plan, Fill::Zeros, &Device::flex()).unwrap());
        let found = lens.before.nodes().last().unwrap().shape;
        assert_eq!((lens.method, found), (method, shape), "{architecture}");
        if architecture.is_pretrainable() {
            let plan = Plan { head: flat.clone(), ..plan };
            let lens = Lens::of(&nets::build(&plan, Fill::Zeros, &Device::flex()).unwrap());
            let found = lens.before.nodes().last().unwrap().shape;
            assert_eq!((lens.method, found), (Method::GradCam, shape), "{architecture}, flat");
        }
    }
    // Their wide layers would be large at their natural sides. Two branches meet behind pooling.
    for (architecture, shape) in
        [(Architecture::VggStyle, [256, 8, 8]), (Architecture::Peetznet, [512, 4, 4])]
    {
        let lens = Lens::of(&network(&architecture.to_string(), 32, &Device::flex()));
        let found = lens.before.nodes().last().unwrap().shape;
        assert_eq!((lens.method, found), (Method::GradCam, shape), "{architecture}");
    }
    // One cell tells nothing of places.
    let lens = Lens::of(&network("mobilenet-v2", 32, &Device::flex()));
    assert_eq!(lens.method, Method::Saliency);
}

fn classifier(net: Graph, image_size: u32, process: Vec<Step>) -> Classifier {
    let card = ModelCard {
        format: FORMAT,
        snapset: "0".to_owned(),
        architecture: Architecture::SmallCnn,
        classes: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
        image_size,
        head: Head::default(),
        style: Style::default(),
        prepare: crop::Recipe::default(),
        preprocessing: Preprocessing::with([0.4; 3], [0.2; 3], image_size),
        parameters: 0,
        seed: 0,
        process,
        calibration: None,
        weights: BlobId::of(&[]),
    };
    Classifier::new(net, card)
}

fn noise(name: &str, side_px: u32) -> Picture {
    let n = usize::try_from(side_px * side_px * 3).unwrap();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
    let bytes = drawn(name, n).into_iter().map(|it| ((it + 1.0) * 127.0) as u8).collect();
    Picture::from_raw(side_px, side_px, bytes).unwrap()
}

#[test]
fn a_picture_has_the_same_map_alone_and_among_others() {
    let model = classifier(network("small-cnn", 32, &Device::flex()), 32, vec![]);
    let pictures: Vec<Picture> = (0..19).map(|at| noise(&format!("{at}"), 32)).collect();
    let rgb: Vec<&[u8]> = pictures.iter().map(|it| it.as_raw().as_slice()).collect();

    let together = model.activation_maps(&rgb, Asked::Predicted).unwrap();

    assert_eq!(together.len(), 19);
    let rows = model.probabilities(&rgb).unwrap();
    for ((rgb, map), row) in rgb.iter().zip(&together).zip(rows) {
        assert_eq!(model.activation_maps(&[rgb], Asked::Predicted).unwrap(), from_ref(map));
        assert!(row.iter().all(|it| *it <= row[map.class]), "{row:?} {}", map.class);
        let again = model.activation_maps(&[rgb], Asked::Class(map.class)).unwrap();
        assert_eq!(again, from_ref(map));
    }
    let other = (together[0].class + 1) % 5;
    let asked = model.activation_maps(&rgb[..1], Asked::Class(other)).unwrap();
    assert_ne!(asked[0].heat, together[0].heat);
}

#[test]
fn a_panel_shows_the_map_of_the_square_the_model_sees() {
    let steps = vec![Step::Otsu];
    let model = classifier(network("small-cnn", 32, &Device::flex()), 32, steps.clone());
    let prepared = noise("prepared", 80);

    let panel = model.activation_panel(&prepared, Asked::Predicted, 60).unwrap();

    let small = crop::center_square(&prepared, 32, Filter::default());
    let square = process::apply(&small, &steps);
    assert_eq!(model.square(&prepared), square);
    let seen = model.activation_maps(&[square.as_raw()], Asked::Predicted).unwrap();
    let unseen = model.activation_maps(&[small.as_raw()], Asked::Predicted).unwrap();
    assert_ne!(seen[0].heat, unseen[0].heat);
    assert_eq!(panel, heat::panel(&prepared, &seen[0].heat, 60));
    assert_eq!(panel.get_pixel(62, 0), &Pixel::from([255; 3]));
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let model = classifier(network("linear", 16, &Device::flex()), 16, vec![]);
    let picture = noise("picture", 16);

    let class = model.activation_maps(&[picture.as_raw()], Asked::Class(5)).unwrap_err();
    let size = model.activation_maps(&[&picture.as_raw()[1..]], Asked::Predicted).unwrap_err();

    let text = "the model has no class number 5; it knows a, b, c, d, e, counted from 0";
    assert_eq!(class.to_string(), text);
    assert!(size.to_string().starts_with("given picture 0 has 767 bytes"), "{size}");
    assert_eq!(model.activation_maps(&[], Asked::Predicted).unwrap(), []);
}
