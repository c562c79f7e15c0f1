//! A trained network and its card: asked, saved to a folder, and read back from it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
    sync::OnceLock,
};

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;

use super::{
    ModelError,
    augment::{self, Alteration},
    card::{FORMAT, ModelCard},
    graph::{Graph, build::Fill},
    inference::Inference,
    loss::softmax,
    nets::{self, Plan},
    weights,
};
use crate::domain::{id::BlobId, learning::calibration::Calibration};

/// The names of the two files of a model.
pub const WEIGHTS: &str = "model.safetensors";
pub const CARD: &str = "model.json";

/// How many pictures are answered at once.
const BATCH: usize = 64;

/// A network that can be asked.
#[derive(Clone, Debug)]
pub struct Classifier {
    pub(super) card: ModelCard,
    pub(super) net: Graph,
    /// The network made ready, once somebody asks; `None` where it has a layer that cannot be.
    ready: OnceLock<Option<Inference>>,
}

impl Classifier {
    /// Joins a network with its card, whose digest of the weights is filled in here.
    pub(super) fn new(net: Graph, mut card: ModelCard) -> Self {
        card.weights = BlobId::of(&weights::to_safetensors(&net.tensors()));
        Self { card, net, ready: OnceLock::new() }
    }

    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Sets how sure the model may claim to be.
    pub fn calibrate(&mut self, calibration: Option<Calibration>) {
        self.card.calibration = calibration;
    }

    /// Returns the network's numbers for each picture, given as rows of RGB bytes.
    pub fn logits(&self, pictures: &[&[u8]]) -> Result<Vec<Vec<f32>>, ModelError> {
        check_size("given", pictures, self.card.image_size)?;
        let side_px = side(self.card.image_size);
        let ready = self.ready.get_or_init(|| Inference::of(&self.net));
        let ask = |batch: &[&[u8]]| {
            let preprocessing = &self.card.preprocessing;
            let values = augment::batch(batch, side_px, preprocessing, |_| Alteration::NONE);
            match ready {
                Some(inference) => inference.outcomes(&values),
                None => {
                    let shape = [batch.len(), 3, side_px, side_px];
                    let pictures = TensorData::new(values, shape);
                    rows(self.net.forward_in_parts(Tensor::from_data(pictures, &Device::flex())))
                }
            }
        };
        Ok(pictures.chunks(BATCH).flat_map(ask).collect())
    }

    /// Returns the probabilities of every class for each picture, given as rows of RGB bytes;
    /// they are calibrated where the card says how.
    pub fn probabilities(&self, pictures: &[&[u8]]) -> Result<Vec<Vec<f32>>, ModelError> {
        let temperature = self.card.calibration.map(|it| it.temperature);
        let calibrated = |row: &Vec<f32>| {
            let row: Vec<f32> = softmax(row).into_iter().map(narrow).collect();
            temperature.map_or(row.clone(), |temperature| temperature.apply(&row))
        };
        Ok(self.logits(pictures)?.iter().map(calibrated).collect())
    }

    /// Writes both files into an existing folder; the card last, as it vouches for the weights.
    pub fn save(&self, dir: &Path) -> Result<(), ModelError> {
        let mut card = serde_json::to_vec_pretty(&self.card).expect("a card is plain data");
        card.push(b'\n');
        write_whole(dir, WEIGHTS, &weights::to_safetensors(&self.net.tensors()))?;
        write_whole(dir, CARD, &card)
    }

    /// Reads a model that [`Self::save`] wrote.
    pub fn load(dir: &Path) -> Result<Self, ModelError> {
        let card = read_card(&dir.join(CARD))?;
        let path = dir.join(WEIGHTS);
        let encoded = read(&path)?;
        if BlobId::of(&encoded) != card.weights {
            return Err(ModelError::Damaged { path });
        }
        let plan = Plan {
            architecture: card.architecture,
            side_px: side(card.image_size),
            n_classes: card.classes.len(),
            dropout: 0.0,
            head: card.head.clone(),
            style: card.style,
        };
        let mut net = nets::build(&plan, Fill::Zeros, &Device::flex())
            .map_err(|_| ModelError::Implausible { path: dir.join(CARD) })?;
        let tensors = weights::from_safetensors(&encoded)
            .map_err(|source| ModelError::Weights { path: path.clone(), source })?;
        net.load(tensors).map_err(|misfit| ModelError::OtherNetwork {
            path,
            architecture: card.architecture,
            misfit: Box::new(misfit),
        })?;
        Ok(Self { card, net, ready: OnceLock::new() })
    }
}

/// Copies a matrix out of the network library.
pub(super) fn rows(matrix: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, width] = matrix.dims();
    let values: Vec<f32> = matrix.into_data().try_to_vec().expect("the network computes in f32");
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

/// Refuses pictures that are not squares of the wanted side.
pub(super) fn check_size(
    kind: &'static str,
    pictures: &[&[u8]],
    side_px: u32,
) -> Result<(), ModelError> {
    let wanted = 3 * side(side_px) * side(side_px);
    match pictures.iter().position(|rgb| rgb.len() != wanted) {
        Some(index) => {
            Err(ModelError::WrongSize { kind, index, found: pictures[index].len(), side_px })
        }
        None => Ok(()),
    }
}

pub(super) fn side(image_size: u32) -> usize {
    usize::try_from(image_size).expect("a side in pixels fits a usize")
}

/// The one field of a card that every format has.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

fn read_card(path: &Path) -> Result<ModelCard, ModelError> {
    let bytes = read(path)?;
    let refuse = |source| ModelError::Card { path: path.to_owned(), source };
    let FormatOnly { format } = serde_json::from_slice(&bytes).map_err(refuse)?;
    if format != FORMAT {
        let path = path.to_owned();
        return Err(ModelError::CardFormat { path, found: format, wanted: FORMAT });
    }
    let card: ModelCard = serde_json::from_slice(&bytes).map_err(refuse)?;
    if card.is_plausible() {
        Ok(card)
    } else {
        Err(ModelError::Implausible { path: path.to_owned() })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    fs::read(path).map_err(|source| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::NotFound {
            ModelError::Missing { path }
        } else {
            ModelError::Read { path, source }
        }
    })
}

/// Writes a file that is there whole or not at all, also after a power cut.
fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), ModelError> {
    let path = dir.join(name);
    let temporary = dir.join(format!("{name}.part"));
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        sync_folder(dir)
    };
    write().map_err(|source| ModelError::Write { path: path.clone(), source })
}

/// Makes a rename in `dir` last; only Unix lets a folder be opened for that.
#[cfg(unix)]
fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_dir: &Path) -> io::Result<()> {
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "a probability needs no more digits")]
fn narrow(probability: f64) -> f32 {
    probability as f32
}
