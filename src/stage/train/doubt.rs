//! What models say of pictures they never saw: the dataset is dealt to folds, and each fold is
//! judged by a training with the others.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    Input, Loaded, Recipe, TrainError, Training, load, rgb,
    watch::{Places, Watch},
};
use crate::{
    domain::{
        id::BlobId,
        learning::suspects::{OutOfFold, deal},
    },
    engine::{SetStage as _, events::Events, stop::Stop},
    model::{
        pretrained::Pretrained,
        train::{self, Sets},
    },
    store::{Store, query},
};

/// A fold is two parts; the part after it chooses the best epoch of its training.
const PARTS_OF_FOLD: usize = 2;

/// Deals all pictures of the dataset, whatever their split, to `n_folds` folds and asks about each
/// a model trained with the settings of the pipeline on the others. Twins share a fold. `told`
/// hears how many trainings are done, and of how many. In the order of the pictures' ids; nothing
/// of an empty dataset.
pub async fn out_of_fold(
    training: &Training<'_>,
    store: &Store,
    n_folds: usize,
    stop: &Stop,
    mut told: impl FnMut(usize, usize) + Send + 'static,
) -> Result<Vec<OutOfFold>, TrainError> {
    let input = training.input(store)?;
    if input.pictures.is_empty() {
        return Ok(Vec::new());
    }
    told(0, n_folds);
    let groups = query::dataset(store, training.classes)?;
    let groups = groups.iter().map(|it| (it.blob, it.leak_group)).collect();
    let weights = training.weights_at_hand(&mut |_, _| ()).await?;
    let (recipe, features) = (training.recipe.clone(), training.layout.features());
    let material = Material { recipe, input, groups, weights, features };
    let stop = stop.clone();
    let work = move || material.ask_all(n_folds, &stop, &mut told);
    tokio::task::spawn_blocking(work).await?
}

/// What all the trainings share.
struct Material {
    recipe: Recipe,
    input: Input,
    groups: BTreeMap<BlobId, BlobId>,
    weights: Option<PathBuf>,
    features: PathBuf,
}

impl Material {
    fn ask_all(
        &self,
        n_folds: usize,
        stop: &Stop,
        told: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<OutOfFold>, TrainError> {
        let train = &self.recipe.train;
        let loaded = load(&self.input, train)?;
        let pretrained = match &self.weights {
            Some(path) => Some(Pretrained::load(train.architecture, train.side_px(), path)?),
            None => None,
        };
        let group = |it: &Loaded| self.groups.get(&it.blob).copied().unwrap_or(it.blob);
        let grouped: Vec<_> = loaded.iter().map(|it| (group(it), it.example.class)).collect();
        let n_parts = n_folds * PARTS_OF_FOLD;
        let parts = deal(&grouped, n_parts);
        let (nobody, _) = Events::channel();
        let mut said = Vec::with_capacity(loaded.len());
        for fold in 0..n_folds {
            told(fold, n_folds);
            let own = fold * PARTS_OF_FOLD..(fold + 1) * PARTS_OF_FOLD;
            let chooser = own.end % n_parts;
            let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<&Loaded> {
                let of = loaded.iter().zip(&parts).filter(|(_, part)| wanted(**part));
                of.map(|(it, _)| it).collect()
            };
            let held_out = of(&|part| own.contains(&part));
            let examples = |of: Vec<&Loaded>| of.iter().map(|it| it.example.clone()).collect();
            let sets = Sets {
                train: examples(of(&|part| !own.contains(&part) && part != chooser)),
                val: examples(of(&|part| part == chooser)),
                classes: self.input.classes.iter().map(|it| it.as_str().to_owned()).collect(),
                prepare: self.recipe.prepare.clone(),
            };
            let places = Places { checkpoint: None, features: &self.features };
            let mut watch = Watch::new(train.epochs, (&nobody, stop), places, None);
            let seed = self.recipe.seed;
            let trained = train::train(train, seed, &sets, pretrained.as_ref(), &mut watch);
            if let Some(error) = watch.error.take() {
                return Err(error.into());
            }
            let probabilities = trained?.model.probabilities(&rgb(&held_out))?;
            said.extend(held_out.iter().zip(probabilities).map(|(it, probabilities)| OutOfFold {
                blob: it.blob,
                given: it.example.class,
                probabilities,
            }));
        }
        told(n_folds, n_folds);
        said.sort_by_key(|it| it.blob);
        Ok(said)
    }
}
