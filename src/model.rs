//! Pictures with classes in, a network that names classes out, and back from its folder again.
//!
//! This room trains, remembers and asks networks. It never reads the store, never decodes a
//! file, never prints and never looks at the clock. Everything random is drawn from the given
//! seed by [`random`], so the same pictures, recipe and seed give the same file, byte for byte.

use std::{io, path::PathBuf};

pub mod recipe;
pub mod head;
pub mod card;
mod augment;
pub mod train;
pub mod classifier;
pub mod cam;
mod loss;
pub mod nets;
mod graph;
mod inference;
mod conv;
mod norm;
mod pool;
mod rectify;
mod weights;
pub mod pretrained;
pub mod onnx;
pub mod drawing;
mod dropout;
mod optimizer;
mod schedule;
pub mod tensorboard;

use recipe::RecipeError;

use crate::domain::random;

/// Why there is no model, or no answer from one.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("the training recipe cannot be followed")]
    Recipe(#[source] RecipeError),
    #[error("{} given, a classifier needs at least two; add one under [classes]", .classes.join(", "))]
    TooFewClasses { classes: Vec<String> },
    #[error(
        "class `{class}` has no training picture; collect some for it or take it out of [classes]"
    )]
    EmptyClass { class: String },
    #[error("there is no validation picture; give `val` a share in [split] or collect more")]
    NoValidation,
    #[error("a picture is said to be of class number {class}, but there are {n_classes} classes")]
    UnknownClass { class: usize, n_classes: usize },
    #[error(
        "{kind} picture {index} has {found} bytes, not the {side_px}\u{d7}{side_px}\u{d7}3 bytes of RGB \
         this model takes; scale it to {side_px} pixels first"
    )]
    WrongSize { kind: &'static str, index: usize, found: usize, side_px: u32 },
    #[error("the model has no class number {class}; it knows {}, counted from 0", .classes.join(", "))]
    NoSuchClass { class: usize, classes: Vec<String> },
    #[error("`image_size` in [train] is too small for the {architecture} network")]
    TooSmall { architecture: recipe::Architecture, source: graph::build::TooSmall },
    #[error("`weights` in [train] cannot be used")]
    Pretrained(#[source] weights::WeightsError),
    #[error(
        "`class_weights` in [train] has no weight for class `{class}`; give it one, or choose \
         \"balanced\" or \"none\""
    )]
    NoWeight { class: String },
    #[error(
        "`class_weights` in [train] names `{name}`, which is no class; the classes are {}",
        .classes.join(", ")
    )]
    WeightOfNone { name: String, classes: Vec<String> },
    #[error(
        "class `{class}` has no validation picture, so `monitor = \"val-auc\"` in [train] cannot be \
         told; watch \"val-loss\", or give `val` a larger share in [split]"
    )]
    NoAuc { class: String },
    #[error(
        "`mixup` in [train] blends pictures, but the frozen part of the {architecture} network is \
         asked about each of them only once; set `mixup = 0`, or `unfreeze = \"all\"`"
    )]
    MixupOfFrozen { architecture: recipe::Architecture },
    #[error(
        "the loss grew beyond all bounds in step {step} of epoch {epoch}, at a learning rate of {rate}; \
         lower `learning_rate` in [train], to a tenth of it for a start"
    )]
    Diverged { epoch: u32, step: usize, rate: f64 },
    #[error("{}", unanswered(*.epoch))]
    Unanswered { epoch: u32 },
    #[error("training was interrupted in epoch {epoch}")]
    Interrupted { epoch: u32 },
    #[error("{} is missing, so there is no trained model; train first", .path.display())]
    Missing { path: PathBuf },
    #[error("could not read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write {}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is not the description of a model; train again", .path.display())]
    Card { path: PathBuf, source: serde_json::Error },
    #[error(
        "{} is written in format {found}, this snapset reads format {wanted}; train again, or use \
         the snapset that wrote it", .path.display()
    )]
    CardFormat { path: PathBuf, found: u32, wanted: u32 },
    #[error("{} describes no network that could be trained; restore it or train again", .path.display())]
    Implausible { path: PathBuf },
    #[error(
        "{} was changed or damaged after training (its digest is not the one in model.json); \
         restore it or train again", .path.display()
    )]
    Damaged { path: PathBuf },
    #[error("{} does not hold weights; train again", .path.display())]
    Weights { path: PathBuf, source: weights::WeightsError },
    #[error(
        "{} does not fit the {architecture} network ({misfit}); train again", .path.display()
    )]
    OtherNetwork {
        path: PathBuf,
        architecture: recipe::Architecture,
        misfit: Box<graph::names::Misfit>,
    },
}

fn unanswered(epoch: u32) -> String {
    match epoch {
        0 => "the network answers with what is no number before it has learned anything; `weights` in \
              [train] are damaged, get them again"
            .to_owned(),
        _ => format!(
            "after epoch {epoch} the network answers with what is no number; lower `learning_rate` \
             in [train], to a tenth of it for a start"
        ),
    }
}

#[cfg(test)]
mod tests;
