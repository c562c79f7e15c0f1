//! Published weights in, the body of a network out.
//!
//! Only the body is taken: the classifier a file was published with, and heads that helped its
//! training, are dropped by name. Anything else that is missing or left over is an error.

use std::path::Path;

use burn::tensor::Device;

use super::{
    ModelError,
    card::Preprocessing,
    classifier::side,
    graph::{
        Graph,
        build::Fill,
        names::{Array, Tensors},
    },
    nets::{self, Padding, Plan, Style},
    recipe::Architecture,
    weights::{self, WeightsError},
};

/// A file of weights learned from `ImageNet` that anyone can fetch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    pub architecture: Architecture,
    pub file: &'static str,
    pub url: &'static str,
    /// How the SHA-256 digest of the file begins, in hexadecimal; part of its name.
    pub sha256_start: &'static str,
    pub licence: &'static str,
    pub size_mib: f64,
    pub levels: Levels,
    /// The side of the pictures `accuracy` was measured with.
    pub side_px: u32,
    /// Of 100 pictures of `ImageNet`'s validation set, so many are named right.
    pub accuracy: f64,
}

/// What the levels of a picture become before a body sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// On 0 to 1, mean and standard deviation of `ImageNet` taken off.
    ImageNet,
    /// From -1 to 1.
    Even,
}

/// The body of a network with published weights.
#[derive(Clone, Debug)]
pub struct Pretrained {
    graph: Graph,
    style: Style,
    levels: Levels,
}

impl Pretrained {
    /// Reads the body of a network from a published file, for squares of `side_px`.
    pub fn load(architecture: Architecture, side_px: u32, path: &Path) -> Result<Self, ModelError> {
        load_body(architecture, side(side_px), path, &Device::flex())
            .map_err(ModelError::Pretrained)
    }

    #[cfg(test)]
    /// Takes a body nobody published, for pictures of even levels.
    pub(super) fn of(graph: Graph) -> Self {
        Self { graph, style: Style::default(), levels: Levels::Even }
    }

    pub(super) fn body(&self) -> &Graph {
        &self.graph
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    pub(super) fn preprocessing(&self, image_size: u32) -> Preprocessing {
        self.levels.preprocessing(image_size)
    }
}

/// The files, the best of each network first. Names, sizes and accuracies as `torchvision` 0.29
/// and `timm` 1.0 list them; the size of the last is reckoned from its tensors.
pub const PUBLISHED: [Published; 8] = [
    Published {
        architecture: Architecture::MobilenetV2,
        file: "mobilenet_v2-7ebf99e0.pth",
        url: "https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth",
        sha256_start: "7ebf99e0",
        licence: "BSD-3-Clause",
        size_mib: 13.598,
        levels: Levels::ImageNet,
        side_px: 224,
        accuracy: 72.154,
    },
    Published {
        architecture: Architecture::MobilenetV2,
        file: "mobilenet_v2-b0353104.pth",
        url: "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
        sha256_start: "b0353104",
        licence: "BSD-3-Clause",
        size_mib: 13.555,
        levels: Levels::ImageNet,
        side_px: 224,
        accuracy: 71.878,
    },
    Published {
        architecture: Architecture::Resnet18,
        file: "resnet18-f37072fd.pth",
        url: "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        sha256_start: "f37072fd",
        licence: "BSD-3-Clause",
        size_mib: 44.661,
        levels: Levels::ImageNet,
        side_px: 224,
        accuracy: 69.758,
    },
    Published {
        architecture: Architecture::Resnet50,
        file: "resnet50-11ad3fa6.pth",
        url: "https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
        sha256_start: "11ad3fa6",
        licence: "BSD-3-Clause",
        size_mib: 97.79,
        levels: Levels::ImageNet,
        side_px: 224,
        accuracy: 80.858,
    },
    Published {
        architecture: Architecture::Resnet50,
        file: "resnet50-0676ba61.pth",
        url: "https://download.pytorch.org/models/resnet50-0676ba61.pth",
        sha256_start: "0676ba61",
        licence: "BSD-3-Clause",
        size_mib: 97.781,
        levels: Levels::ImageNet,
        side_px: 224,
        accuracy: 76.13,
    },
    Published {
        architecture: Architecture::Vgg16,
        file: "vgg16-397923af.pth",
        url: "https://download.pytorch.org/models/vgg16-397923af.pth",
        sha256_start: "397923af",
        licence: "BSD-3-Clause",
        size_mib: 527.796,
        levels: Levels::ImageNet,
        side_px: 224,
        accuracy: 71.592,
    },
    // Inception's own code turns ImageNet's levels into even ones first.
    Published {
        architecture: Architecture::InceptionV3,
        file: "inception_v3_google-0cc3c7bd.pth",
        url: "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
        sha256_start: "0cc3c7bd",
        licence: "BSD-3-Clause",
        size_mib: 103.903,
        levels: Levels::Even,
        side_px: 299,
        accuracy: 77.294,
    },
    Published {
        architecture: Architecture::Xception,
        file: "xception-43020ad28.pth",
        url: "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-cadene/\
              xception-43020ad28.pth",
        sha256_start: "43020ad28",
        licence: "Apache-2.0",
        size_mib: 87.5,
        levels: Levels::Even,
        side_px: 299,
        accuracy: 79.05,
    },
];

/// Says where to get weights for a network.
pub fn advice(architecture: Architecture) -> String {
    match PUBLISHED.iter().find(|row| row.architecture == architecture) {
        Some(Published { url, size_mib, licence, .. }) => format!(
            "write \"imagenet\" there to have published ones fetched ({size_mib:.0} MiB, \
             {licence}), or get {url} and name the file"
        ),
        None => {
            format!("no weights are published for {architecture}, so leave out `weights`")
        }
    }
}

/// Reads the body of a network from a published file, for squares of `side_px`.
pub(super) fn load_body(
    architecture: Architecture,
    side_px: usize,
    path: &Path,
    device: &Device,
) -> Result<Pretrained, WeightsError> {
    if !architecture.is_pretrainable() {
        return Err(WeightsError::NotPretrainable { architecture });
    }
    let (mut tensors, style) = canonical(architecture, weights::read(path)?);
    let levels = if style.is_folded { Levels::Even } else { Levels::of(architecture) };
    let dropped = dropped(architecture);
    tensors.retain(|name, _| !dropped.iter().any(|prefix| name.starts_with(prefix)));
    let plan = Plan { style, ..Plan::new(architecture, side_px, 0) };
    let mut graph = nets::body(&plan, Fill::Zeros, device)
        .map_err(|source| WeightsError::TooSmall { architecture, source })?;
    graph.load(tensors).map_err(|misfit| WeightsError::OtherNetwork {
        path: path.to_owned(),
        architecture,
        misfit: Box::new(misfit),
    })?;
    Ok(Pretrained { graph, style, levels })
}

/// Brings tensors under the names of our networks, and tells how the network was built.
fn canonical(architecture: Architecture, tensors: Tensors) -> (Tensors, Style) {
    let is_from_tensorflow =
        architecture == Architecture::MobilenetV2 && tensors.contains_key("conv00.weight");
    if !is_from_tensorflow {
        return (tensors, Style::default());
    }
    let renamed = tensors.into_iter().map(|(name, array)| {
        let (layer, part) = name.split_once('.').unwrap_or((&name, ""));
        match torchvision_name(layer) {
            Some(layer) => (format!("{layer}.{part}"), flat(&layer, array)),
            None => (name, array),
        }
    });
    (renamed.collect(), Style { padding: Padding::Same, is_folded: true })
}

/// Names a layer of `MobileNetV2` that `TensorFlow` numbers among all convolutions, `conv` or `dw`
/// and two digits, as `torchvision` does.
fn torchvision_name(layer: &str) -> Option<String> {
    let digits = layer.strip_prefix("conv").or_else(|| layer.strip_prefix("dw"))?;
    let number: usize = digits.parse().ok()?;
    Some(match number {
        0 => "features.0.0".to_owned(),
        1 => "features.1.conv.0.0".to_owned(),
        2 => "features.1.conv.1".to_owned(),
        3..=50 => {
            // Each block widens, looks at each channel, and narrows; only the last has no
            // activation of its own.
            let (block, part) = (number / 3 + 1, number % 3);
            let end = if part == 2 { "" } else { ".0" };
            format!("features.{block}.conv.{part}{end}")
        }
        51 => "features.18.0".to_owned(),
        52 => "classifier.1".to_owned(),
        _ => return None,
    })
}

/// Makes a matrix of a classifier that was a convolution of 1×1.
fn flat(layer: &str, mut array: Array) -> Array {
    if layer.starts_with("classifier") {
        array.shape.truncate(2);
    }
    array
}

/// What the names of tensors behind the body begin with.
fn dropped(architecture: Architecture) -> &'static [&'static str] {
    match architecture {
        Architecture::MobilenetV2 | Architecture::Vgg16 => &["classifier."],
        Architecture::Resnet18 | Architecture::Resnet50 => &["fc."],
        Architecture::InceptionV3 => &["fc.", "AuxLogits."],
        Architecture::Xception => &["fc.", "last_linear."],
        Architecture::SmallCnn
        | Architecture::Linear
        | Architecture::VggStyle
        | Architecture::Peetznet
        | Architecture::KerasCnn
        | Architecture::KerasCnnRegularised
        | Architecture::FirstModel
        | Architecture::SecondModel => &[],
    }
}

impl Levels {
    /// What published weights of a network were learned from.
    fn of(architecture: Architecture) -> Self {
        let row = PUBLISHED.iter().find(|row| row.architecture == architecture);
        row.map_or(Self::ImageNet, |row| row.levels)
    }

    /// Describes the same for a card; both kinds are a mean and a spread on levels of 0 to 1.
    pub fn preprocessing(self, image_size: u32) -> Preprocessing {
        let (mean, std) = match self {
            Self::ImageNet => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            Self::Even => ([0.5; 3], [0.5; 3]),
        };
        Preprocessing::with(mean, std, image_size)
    }
}

#[cfg(test)]
mod tests;
