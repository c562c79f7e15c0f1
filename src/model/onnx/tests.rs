use std::{env, fs::File, io::Write as _, path::PathBuf};

use burn::tensor::{Device, Tensor, TensorData};

use super::{Entry, encode};
use crate::model::{
    graph::{Graph, build::Fill},
    head::{Head, HeadLayer},
    nets::{self, Plan},
    random::{Purpose, Random},
    recipe::Architecture,
};

fn classes() -> Vec<String> {
    ["ant", "bee \"queen\"", "wasp"].map(str::to_owned).to_vec()
}

/// The fields of a message: number and content, a number as its bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = bytes.split_first().unwrap();
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let n = match tag & 7 {
            0 => {
                found.push((tag >> 3, varint(&mut bytes).to_le_bytes().to_vec()));
                continue;
            }
            2 => usize::try_from(varint(&mut bytes)).unwrap(),
            _ => 4,
        };
        let (content, rest) = bytes.split_at(n);
        found.push((tag >> 3, content.to_vec()));
        bytes = rest;
    }
    found
}

fn all(bytes: &[u8], field: u64) -> Vec<Vec<u8>> {
    fields(bytes).into_iter().filter(|(number, _)| *number == field).map(|(_, it)| it).collect()
}

fn text(bytes: &[u8], field: u64) -> String {
    String::from_utf8(all(bytes, field).concat()).unwrap()
}

#[test]
fn a_file_holds_the_nodes_and_the_names_of_the_classes() {
    let net = network(Architecture::Linear, 2, Head::default());
    let levels = Entry::Levels { mean: [0.5; 3], std: [0.25; 3] };

    let file = encode(&net, &classes(), levels);

    let graph = all(&file, 7).concat();
    let kinds: Vec<String> = all(&graph, 1).iter().map(|node| text(node, 4)).collect();
    assert_eq!(kinds, ["Sub", "Div", "Flatten", "Gemm", "Flatten", "Softmax"]);
    let weights: Vec<String> = all(&graph, 5).iter().map(|tensor| text(tensor, 8)).collect();
    assert_eq!(weights, ["levels.mean", "levels.std", "output.weight", "output.bias"]);
    let outputs: Vec<String> = all(&graph, 12).iter().map(|output| text(output, 1)).collect();
    assert_eq!(outputs, ["logits", "probabilities"]);
    let metadata = all(&file, 14).concat();
    assert_eq!(text(&metadata, 2), r#"["ant","bee \"queen\"","wasp"]"#);
    let weight = &all(&graph, 5)[2];
    let bytes: Vec<u8> =
        net.tensors()["output.weight"].values.iter().flat_map(|it| it.to_le_bytes()).collect();
    assert_eq!(all(weight, 9), [bytes]);
}

fn network(architecture: Architecture, side_px: usize, head: Head) -> Graph {
    let plan = Plan { head, ..Plan::new(architecture, side_px, 3) };
    let mut random = Random::new(3, Purpose::Weights);
    nets::build(&plan, Fill::Drawn(&mut random), &Device::flex()).unwrap()
}

/// Writes networks with pictures and their answers where `SNAPSET_ONNX` says, for
/// `tests/judges/onnx_equal.py`; elsewhere only that they can be written is shown.
#[test]
fn every_network_can_be_written() {
    let hidden = Head(vec![
        HeadLayer::Flatten,
        HeadLayer::BatchNorm,
        HeadLayer::GlobalAverage,
        HeadLayer::Dense(8),
        HeadLayer::Dropout(0.5),
    ]);
    for architecture in Architecture::ALL {
        let side_px = match architecture {
            Architecture::InceptionV3 => 107,
            // Their first hidden layer takes every place of the map.
            Architecture::VggStyle | Architecture::Peetznet => 24,
            Architecture::SmallCnn
            | Architecture::Linear
            | Architecture::MobilenetV2
            | Architecture::Resnet18
            | Architecture::Resnet50
            | Architecture::Vgg16
            | Architecture::Xception
            | Architecture::KerasCnn
            | Architecture::KerasCnnRegularised
            | Architecture::FirstModel
            | Architecture::SecondModel => 64,
        };
        for (kind, head, entry) in [
            ("", Head::default(), Entry::Normalised),
            (
                " levels",
                hidden.clone(),
                Entry::Levels { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] },
            ),
        ] {
            let net = stirred(network(architecture, side_px, head));
            let file = encode(&net, &classes(), entry);
            let n_written = u64::try_from(file.len()).unwrap();
            assert!(4 * u64::try_from(net.n_parameters()).unwrap() < n_written);
            if let Some(folder) = env::var_os("SNAPSET_ONNX") {
                let stem = PathBuf::from(folder).join(format!("{architecture}{kind}"));
                write(&stem.with_extension("onnx"), &file);
                write(&stem.with_extension("json"), &answers(&net, side_px, entry));
            }
        }
    }
}

/// Gives every normalisation something to do.
fn stirred(mut net: Graph) -> Graph {
    let mut random = Random::new(5, Purpose::Augment);
    let mut tensors = net.tensors();
    for (name, array) in &mut tensors {
        for value in array.values.iter_mut().filter(|_| array.shape.len() == 1) {
            let draw = random.unit();
            *value += if name.ends_with("running_var") { draw } else { (draw - 0.5) * 0.4 };
        }
    }
    net.load(tensors).unwrap();
    net
}

/// Three pictures and what our own network says of them.
fn answers(net: &Graph, side_px: usize, entry: Entry) -> Vec<u8> {
    let mut random = Random::new(4, Purpose::Augment);
    let n = 3 * side_px * side_px;
    let (mut given, mut seen) = (Vec::new(), Vec::new());
    for at in 0..3 * n {
        let channel = at % n / (side_px * side_px);
        let (level, value) = match entry {
            Entry::Normalised => {
                let value = random.around_zero(2.0);
                (value, value)
            }
            Entry::Levels { mean, std } => {
                let level = (random.unit() * 255.0).round();
                (level, (level / 255.0 - mean[channel]) / std[channel])
            }
        };
        given.push(level);
        seen.push(value);
    }
    let seen = TensorData::new(seen, [3, 3, side_px, side_px]);
    let logits = net.forward(Tensor::from_data(seen, &Device::flex()));
    let logits: Vec<f32> = logits.into_data().try_to_vec().unwrap();
    let answers = serde_json::json!({"side_px": side_px, "pictures": given, "logits": logits});
    answers.to_string().into_bytes()
}

fn write(path: &std::path::Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}
