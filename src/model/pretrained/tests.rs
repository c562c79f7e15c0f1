use std::{env, fs, path::PathBuf};

use burn::tensor::{Device, Tensor, TensorData};

use super::{Levels, PUBLISHED, canonical, load_body};
use crate::{
    model::{
        graph::{
            Graph,
            build::Fill,
            names::{Array, Tensors},
        },
        nets::{self, Plan, Style},
        random::{Purpose, Random},
        recipe::Architecture,
        weights,
    },
    pixels::{
        crop::{self, Filter},
        decode::{self, Limits},
    },
};

#[test]
fn every_network_that_can_be_pretrained_has_a_file_whose_name_tells_its_digest() {
    for architecture in Architecture::ALL {
        let n = PUBLISHED.iter().filter(|row| row.architecture == architecture).count();
        assert_eq!(0 < n, architecture.is_pretrainable(), "{architecture}");
    }
    for row in PUBLISHED {
        assert!(row.file.ends_with(&format!("-{}.pth", row.sha256_start)), "{}", row.file);
        assert!(row.url.ends_with(&format!("/{}", row.file)), "{}", row.url);
        assert_eq!(row.side_px, row.architecture.natural_side_px());
    }
}

fn written(tensors: &Tensors) -> tempfile::NamedTempFile {
    use std::io::Write as _;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&weights::to_safetensors(tensors)).unwrap();
    file
}

fn zeros(shape: &[usize]) -> Array {
    Array { shape: shape.to_vec(), values: vec![0.0; shape.iter().product()] }
}

#[test]
fn a_body_is_read_from_a_whole_network_whose_heads_are_dropped() {
    let device = Device::flex();
    let plan = Plan::new(Architecture::InceptionV3, 80, 1000);
    let mut random = Random::new(1, Purpose::Weights);
    let published = nets::build(&plan, Fill::Drawn(&mut random), &device).unwrap();
    let mut tensors = published.tensors();
    tensors.insert("AuxLogits.fc.weight".to_owned(), zeros(&[1000, 768]));
    tensors.insert("Mixed_7c.branch1x1.bn.num_batches_tracked".to_owned(), zeros(&[]));
    let file = written(&tensors);

    let body = load_body(Architecture::InceptionV3, 96, file.path(), &device).unwrap();

    tensors.retain(|name, _| {
        !["fc.", "AuxLogits."].iter().any(|it| name.starts_with(it)) && !name.ends_with("_tracked")
    });
    assert_eq!(body.graph.tensors(), tensors);
    assert_eq!(body.graph.nodes()[0].shape, [3, 96, 96]);
    assert_eq!((body.style, body.levels), (Style::default(), Levels::Even));
}

#[test]
fn a_file_of_another_network_is_refused_by_its_tensors() {
    let device = Device::flex();
    let plan = Plan::new(Architecture::Resnet18, 32, 1000);
    let mut tensors = nets::build(&plan, Fill::Zeros, &device).unwrap().tensors();
    let weight = tensors.remove("conv1.weight").unwrap();
    tensors.insert("conv0.weight".to_owned(), weight);
    let file = written(&tensors);
    let refused = |architecture| {
        let text = load_body(architecture, 32, file.path(), &device).unwrap_err().to_string();
        text.replace(&file.path().display().to_string(), "file")
    };

    let complaint = refused(Architecture::Resnet18);

    let expected = "file does not fit the resnet-18 network (missing: `conv1.weight`; not part of \
         the network: `conv0.weight`); give the file published for it";
    assert_eq!(complaint, expected);
    let expected = "no weights are published for the peetznet network; choose mobilenet-v2, \
         resnet-18, resnet-50, vgg-16, inception-v3, xception";
    assert_eq!(refused(Architecture::Peetznet), expected);
    let small = load_body(Architecture::InceptionV3, 32, file.path(), &device).unwrap_err();
    assert!(small.to_string().contains("image_size"));
}

/// Returns the folder of the shared data, or says that the calling test is skipped.
#[expect(clippy::print_stderr, reason = "a skipped test must say that it proved nothing")]
fn shared(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let root = env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from);
    let path = root.join("data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no `{name}` in the shared data");
    None
}

/// All of `TensorFlow`'s `MobileNetV2`, with the 1,001 answers it was published with.
fn whole_network(path: &std::path::Path) -> Graph {
    let (tensors, style) = canonical(Architecture::MobilenetV2, weights::read(path).unwrap());
    let plan = Plan { style, ..Plan::new(Architecture::MobilenetV2, 224, 1001) };
    let mut graph = nets::build(&plan, Fill::Zeros, &Device::flex()).unwrap();
    graph.load(tensors).unwrap();
    graph
}

fn normalised(rgb: &[u8], levels: Levels) -> Tensor<4> {
    let preprocessing = levels.preprocessing(224);
    let channel =
        |c: usize| rgb.as_chunks::<3>().0.iter().map(move |pixel| f32::from(pixel[c]) / 255.0);
    let values = (0..3).flat_map(|c| {
        let (mean, std) = (preprocessing.mean[c], preprocessing.std[c]);
        channel(c).map(move |level| (level - mean) / std)
    });
    let data = TensorData::new(values.collect::<Vec<f32>>(), [1, 3, 224, 224]);
    Tensor::from_data(data, &Device::flex())
}

/// A folder of photographs, and parts of labels of which one should be among the first three.
const PHOTOS: [(&str, &[&str], usize); 3] = [
    ("raccoon_kangaroo/kangaroo", &["wallaby"], 4),
    ("clothing4_cc0/hat", &["hat", "bonnet", "sombrero"], 2),
    ("clothing4_cc0/shoes", &["shoe", "sandal", "clog", "Loafer"], 6),
];

#[test]
fn real_weights_name_what_photographs_show() {
    let Some(path) = shared("weights/mobilenet_v2_1.0_224_dequant_f16.safetensors") else { return };
    let Some(labels) = shared("weights/imagenet_labels.txt") else { return };
    let labels = fs::read_to_string(labels).unwrap();
    let labels: Vec<&str> = labels.lines().collect();
    let graph = whole_network(&path);
    let body = load_body(Architecture::MobilenetV2, 224, &path, &Device::flex()).unwrap();
    assert_eq!(body.levels, Levels::Even);
    let mut told = Vec::new();
    for (folder, wanted, at_least) in PHOTOS {
        let Some(folder) = shared(folder) else { return };
        let mut files: Vec<PathBuf> =
            fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
        files.sort();
        let mut n_hits = 0;
        for file in files.iter().take(8) {
            let decoded = decode::decode(&fs::read(file).unwrap(), Limits::default()).unwrap();
            let rgb = crop::center_square(&decoded.picture, 224, Filter::default()).into_raw();
            let answer = graph.forward(normalised(&rgb, body.levels));
            let row: Vec<f32> = answer.into_data().try_to_vec().unwrap();
            let mut order: Vec<usize> = (0..row.len()).collect();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
            let best: Vec<&str> = order.iter().take(3).map(|at| labels[*at]).collect();
            n_hits +=
                usize::from(best.iter().any(|it| wanted.iter().any(|part| it.contains(part))));
            told.push(best.join(" | "));
        }
        assert!(at_least <= n_hits, "{}: {n_hits} of 8, {told:#?}", folder.display());
    }
}
