//! What models say of pictures they never saw: the dataset is dealt to folds, and each fold is
//! judged by a training with the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{
    Input, Recipe, TrainError, Training,
    pictures::{Loaded, load, rgb},
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

/// So many pictures that are no twins a class needs: with one in each part, one is left to learn
/// from while a fold is held out and another part chooses.
const GROUPS_MIN: usize = PARTS_OF_FOLD + 2;

/// Deals all pictures of the dataset, whatever their split, to `n_folds` folds and asks about each
/// a model trained with the settings of the pipeline on the others. Twins share a fold; classes too
/// small to be dealt are left out. `told`
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

/// The pictures of the classes that are large enough, and the part each is in.
struct Dealt {
    /// Their classes are numbered anew.
    loaded: Vec<Loaded>,
    parts: Vec<usize>,
    /// The old numbers of the classes, by the new ones.
    classes: Vec<usize>,
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
        let dealt = self.deal(loaded, n_folds * PARTS_OF_FOLD)?;
        let mut said = Vec::with_capacity(dealt.loaded.len());
        for fold in 0..n_folds {
            told(fold, n_folds);
            said.extend(self.ask_fold(&dealt, fold, n_folds, (pretrained.as_ref(), stop))?);
        }
        told(n_folds, n_folds);
        said.sort_by_key(|it| it.blob);
        Ok(said)
    }

    /// Deals the pictures of classes of which something is left to learn from whichever fold is
    /// held out.
    fn deal(&self, mut loaded: Vec<Loaded>, n_parts: usize) -> Result<Dealt, TrainError> {
        let group = |it: &Loaded| self.groups.get(&it.blob).copied().unwrap_or(it.blob);
        let mut groups: BTreeMap<usize, BTreeSet<BlobId>> = BTreeMap::new();
        for it in &loaded {
            groups.entry(it.example.class).or_default().insert(group(it));
        }
        groups.retain(|_, groups| GROUPS_MIN <= groups.len());
        if groups.len() < 2 {
            return Err(TrainError::Unfoldable { groups: GROUPS_MIN });
        }
        let classes: Vec<usize> = groups.into_keys().collect();
        loaded.retain_mut(|it| match classes.binary_search(&it.example.class) {
            Ok(number) => {
                it.example.class = number;
                true
            }
            Err(_) => false,
        });
        let grouped: Vec<_> = loaded.iter().map(|it| (group(it), it.example.class)).collect();
        let parts = deal(&grouped, n_parts);
        Ok(Dealt { loaded, parts, classes })
    }

    fn ask_fold(
        &self,
        dealt: &Dealt,
        fold: usize,
        n_folds: usize,
        (pretrained, stop): (Option<&Pretrained>, &Stop),
    ) -> Result<Vec<OutOfFold>, TrainError> {
        let Dealt { loaded, parts, classes } = dealt;
        let own = fold * PARTS_OF_FOLD..(fold + 1) * PARTS_OF_FOLD;
        let chooser = own.end % (n_folds * PARTS_OF_FOLD);
        let of = |wanted: &dyn Fn(usize) -> bool| -> Vec<&Loaded> {
            let of = loaded.iter().zip(parts).filter(|(_, part)| wanted(**part));
            of.map(|(it, _)| it).collect()
        };
        let held_out = of(&|part| own.contains(&part));
        let examples = |of: Vec<&Loaded>| of.iter().map(|it| it.example.clone()).collect();
        let names = classes.iter().filter_map(|class| self.input.classes.get(*class));
        let sets = Sets {
            train: examples(of(&|part| !own.contains(&part) && part != chooser)),
            val: examples(of(&|part| part == chooser)),
            classes: names.map(|it| it.as_str().to_owned()).collect(),
            prepare: self.recipe.prepare.clone(),
        };
        let places = Places { checkpoint: None, features: &self.features };
        let (nobody, _) = Events::channel();
        let (train, seed) = (&self.recipe.train, self.recipe.seed);
        let mut watch = Watch::new(train.epochs, (&nobody, stop), places, None);
        let trained = train::train(train, seed, &sets, pretrained, &mut watch);
        if let Some(error) = watch.error.take() {
            return Err(error.into());
        }
        let rows = trained?.model.probabilities(&rgb(&held_out))?;
        let told = |(it, row): (&&Loaded, Vec<f32>)| {
            // A class that was left out is believed of nobody.
            let mut probabilities = vec![0.0; self.input.classes.len()];
            for (class, p) in classes.iter().zip(row) {
                probabilities[*class] = p;
            }
            let given = classes[it.example.class];
            OutOfFold { blob: it.blob, given, probabilities }
        };
        Ok(held_out.iter().zip(rows).map(told).collect())
    }
}
