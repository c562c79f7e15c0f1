//! Where the numbers of a batch come from: pictures changed anew in every epoch, or what the
//! fixed part of a network made of them once.

use std::{fmt::Write as _, ops::Range};

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use super::{Example, Host, course::Counted, sampling::Showing};
use crate::{
    domain::id::BlobId,
    model::{
        ModelError,
        augment::{self, Alteration},
        card::Preprocessing,
        graph::{Graph, PART, Shape},
        inference::{self, Inference},
        random::{Purpose, Random},
        recipe::{Compute, TrainRecipe},
        weights,
    },
};

/// How many pictures are asked about at once.
pub(super) const BATCH: usize = 64;

/// What every supply knows.
#[derive(Debug)]
pub(super) struct Supply<'a> {
    pub(super) recipe: &'a TrainRecipe,
    pub(super) seed: u64,
    pub(super) side_px: usize,
    pub(super) preprocessing: Preprocessing,
}

/// What the fixed part made of the pictures of a set: for each picture, its variants; the first
/// of them is of the unchanged picture.
#[derive(Debug)]
pub(super) struct Features {
    shape: Shape,
    of: Vec<Vec<Vec<f32>>>,
}

/// The part of a network that gives the same for a picture in every epoch.
#[derive(Debug)]
pub(super) struct Extractor {
    fixed: Fixed,
    shape: Shape,
    digest: BlobId,
}

#[derive(Debug)]
enum Fixed {
    /// On the processor.
    Here(Inference),
    Elsewhere(Graph, Device),
}

impl Supply<'_> {
    /// Returns training pictures as the network takes them, changed as drawn for this epoch.
    pub(super) fn altered(&self, examples: &[Example], number: u32, batch: &[Showing]) -> Vec<f32> {
        let random = self.draws(number);
        let rgb: Vec<&[u8]> = batch.iter().map(|it| examples[it.picture].rgb.as_ref()).collect();
        augment::batch(&rgb, self.side_px, &self.preprocessing, |place| {
            let mut own = batch[place].draws(&random);
            Alteration::draw(&self.recipe.augment, [self.side_px; 2], &mut own)
        })
    }

    fn draws(&self, number: u32) -> Random {
        Random::new(self.seed, Purpose::Augment).at(number.into())
    }

    pub(super) fn picture_shape(&self) -> Shape {
        [3, self.side_px, self.side_px]
    }

    /// Asks the fixed part about these variants of every picture, or `host`, who may remember.
    /// Variant 0 is the picture itself.
    pub(super) fn features(
        &self,
        extractor: &Extractor,
        examples: &[Example],
        variants: Range<u32>,
        witness: &mut Counted<'_>,
    ) -> Result<Features, ModelError> {
        let mut of: Vec<Vec<Vec<f32>>> = vec![Vec::new(); examples.len()];
        let ids = ids(examples);
        let jobs: Vec<(usize, u32)> = (0..examples.len())
            .flat_map(|index| variants.clone().map(move |variant| (index, variant)))
            .collect();
        for jobs in jobs.chunks(BATCH) {
            let keys: Vec<BlobId> =
                jobs.iter().map(|(index, variant)| self.key(ids[*index], *variant)).collect();
            let mut found: Vec<Option<Vec<f32>>> =
                keys.iter().map(|key| witness.host.recall(extractor.digest, *key)).collect();
            let missing: Vec<usize> = (0..jobs.len()).filter(|at| found[*at].is_none()).collect();
            let made: Vec<Vec<Vec<f32>>> = missing
                .par_chunks(PART)
                .map(|part| {
                    let part: Vec<(&[u8], Alteration)> = part
                        .iter()
                        .map(|at| {
                            let (index, variant) = jobs[*at];
                            (&*examples[index].rgb, self.alteration(ids[index], variant))
                        })
                        .collect();
                    extractor.ask(self, &part)
                })
                .collect();
            for (at, values) in missing.iter().zip(made.into_iter().flatten()) {
                witness.host.remember(extractor.digest, keys[*at], &values);
                found[*at] = Some(values);
            }
            for ((index, _), values) in jobs.iter().zip(found) {
                of[*index].extend(values);
            }
            witness.add(jobs.len())?;
        }
        Ok(Features { shape: extractor.shape, of })
    }

    /// Recalls variants, so that they are kept.
    pub(super) fn keep(
        &self,
        extractor: &Extractor,
        examples: &[Example],
        variants: &Range<u32>,
        host: &mut dyn Host,
    ) {
        for id in ids(examples) {
            for variant in variants.clone() {
                host.recall(extractor.digest, self.key(id, variant));
            }
        }
    }

    /// Names one variant of a picture. The unchanged picture is the same whatever the recipe
    /// says of changes.
    fn key(&self, picture: BlobId, variant: u32) -> BlobId {
        let mut text = picture.to_string();
        if variant != 0 {
            let augment = serde_json::to_string(&self.recipe.augment).expect("plain data");
            write!(text, " {variant} {} {augment}", self.seed).expect("a text can grow");
        }
        BlobId::of(text.as_bytes())
    }

    /// Returns what a variant of a picture is drawn from: the picture itself, not its place, so
    /// that new pictures leave the others' variants alone.
    fn alteration(&self, picture: BlobId, variant: u32) -> Alteration {
        if variant == 0 {
            return Alteration::NONE;
        }
        let mut own = self.draws(variant).at(first_bytes(picture));
        Alteration::draw(&self.recipe.augment, [self.side_px; 2], &mut own)
    }
}

impl Extractor {
    /// Makes the fixed part ready for use; `None` if there is none.
    pub(super) fn of(net: &Graph, supply: &Supply<'_>, device: &Device) -> Option<Self> {
        let nodes = net.nodes();
        let shape = nodes.last()?.shape;
        if nodes.len() < 2 {
            return None;
        }
        let here = if inference::serves(device) { Inference::of(net) } else { None };
        let mut text = format!("{nodes:?} {:?}", supply.preprocessing);
        if here.is_some() {
            // Told apart from what earlier versions kept, which added in another order.
            text += " channels last";
        }
        if supply.recipe.device != Compute::Cpu {
            // Another device adds in another order.
            write!(text, " {}", supply.recipe.device).expect("a text can grow");
        }
        let mut text = text.into_bytes();
        text.extend(weights::to_safetensors(&net.tensors()));
        let fixed =
            here.map_or_else(|| Fixed::Elsewhere(net.folded(), device.clone()), Fixed::Here);
        Some(Self { digest: BlobId::of(&text), fixed, shape })
    }

    fn ask(&self, supply: &Supply<'_>, pictures: &[(&[u8], Alteration)]) -> Vec<Vec<f32>> {
        let rgb: Vec<&[u8]> = pictures.iter().map(|(rgb, _)| *rgb).collect();
        let values = augment::batch(&rgb, supply.side_px, &supply.preprocessing, |place| {
            pictures[place].1.clone()
        });
        match &self.fixed {
            Fixed::Here(inference) => inference.outcomes(&values),
            Fixed::Elsewhere(net, device) => {
                let outcome = net.outcome(tensor(values, supply.picture_shape(), device));
                let values = inference::numbers(outcome);
                values.chunks(self.shape.iter().product()).map(<[f32]>::to_vec).collect()
            }
        }
    }
}

impl Features {
    /// Adds further variants of the same pictures.
    pub(super) fn add(&mut self, further: Self) {
        for (own, further) in self.of.iter_mut().zip(further.of) {
            own.extend(further);
        }
    }

    /// Returns one variant of each picture of a batch, drawn for this epoch.
    pub(super) fn drawn(&self, draws: &Random, batch: &[Showing]) -> Vec<f32> {
        let one = |showing: &Showing| {
            let variants = &self.of[showing.picture];
            let place = showing.draws(draws).below(variants.len());
            variants[place].iter().copied()
        };
        batch.iter().flat_map(one).collect()
    }

    /// Returns the unchanged pictures of a range.
    pub(super) fn plain(&self, range: Range<usize>) -> Vec<f32> {
        self.of[range].iter().flat_map(|variants| variants[0].iter().copied()).collect()
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }
}

/// Makes a tensor of numbers that lie one picture after the other.
pub(super) fn tensor(
    values: Vec<f32>,
    [channels, height, width]: Shape,
    device: &Device,
) -> Tensor<4> {
    let n = values.len() / (channels * height * width);
    Tensor::from_data(TensorData::new(values, [n, channels, height, width]), device)
}

fn ids(examples: &[Example]) -> Vec<BlobId> {
    examples.par_iter().map(|it| BlobId::of(&it.rgb)).collect()
}

fn first_bytes(id: BlobId) -> u64 {
    let (bytes, _) = id.as_bytes().as_chunks();
    bytes.first().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
