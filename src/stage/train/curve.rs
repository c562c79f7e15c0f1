//! What more training pictures would bring: the same training with ever larger parts of them,
//! each judged by the same test pictures.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    Input, Recipe, TrainError, Training,
    pictures::{Loaded, load, rgb},
    watch::{Places, Watch},
};
use crate::{
    domain::{
        learning::growth::Point,
        random::{Purpose, Random},
        split::Split,
    },
    engine::{SetStage as _, events::Events, stop::Stop},
    model::{
        pretrained::Pretrained,
        train::{self, Example, Sets},
    },
    store::Store,
};

/// The parts of the training pictures that are tried.
pub const SHARES: [f64; 5] = [0.1, 0.2, 0.4, 0.7, 1.0];

/// Trains with every one of [`SHARES`], `repeats` times with other pictures and another seed;
/// `told` hears how many trainings are done, and of how many. `None` where no test picture could
/// judge them.
pub async fn points(
    training: &Training<'_>,
    store: &Store,
    repeats: u32,
    stop: &Stop,
    mut told: impl FnMut(usize, usize) + Send + 'static,
) -> Result<Option<Vec<Point>>, TrainError> {
    let input = training.input(store)?;
    if !input.pictures.values().any(|(_, _, split)| *split == Split::Test) {
        return Ok(None);
    }
    told(0, n_trainings(repeats));
    let weights = training.weights_at_hand(&mut |_, _| ()).await?;
    let (recipe, features) = (training.recipe.clone(), training.layout.features());
    let material = Material { recipe, input, weights, features };
    let stop = stop.clone();
    let work = move || measure(&material, repeats, &stop, &mut told);
    tokio::task::spawn_blocking(work).await?.map(Some)
}

fn n_trainings(repeats: u32) -> usize {
    SHARES.len() * usize::try_from(repeats).unwrap_or(usize::MAX)
}

/// What all the trainings share.
struct Material {
    recipe: Recipe,
    input: Input,
    weights: Option<PathBuf>,
    features: PathBuf,
}

fn measure(
    material: &Material,
    repeats: u32,
    stop: &Stop,
    told: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Point>, TrainError> {
    let Material { recipe, input, weights, features } = material;
    let loaded = load(input, &recipe.train)?;
    let (architecture, side_px) = (recipe.train.architecture, recipe.train.side_px());
    let pretrained = match weights {
        Some(path) => Some(Pretrained::load(architecture, side_px, path)?),
        None => None,
    };
    let part = |split: Split| loaded.iter().filter(move |it| it.split == split);
    let examples =
        |of: &[&Loaded]| of.iter().map(|it| it.example.clone()).collect::<Vec<Example>>();
    let (val, test): (Vec<_>, Vec<_>) = (part(Split::Val).collect(), part(Split::Test).collect());
    let n_trainings = n_trainings(repeats);
    let mut points = Vec::new();
    let (nobody, _) = Events::channel();
    for repeat in 0..repeats {
        // Another seed for each: it shuffles the pictures, and begins with other weights.
        let seed = recipe.seed.wrapping_add(u64::from(repeat) << 32);
        let order = shuffled(&part(Split::Train).collect::<Vec<_>>(), seed);
        for share in SHARES {
            told(points.len(), n_trainings);
            let chosen = first_of_each(&order, share);
            let sets = Sets {
                train: examples(&chosen),
                val: examples(&val),
                classes: input.classes.iter().map(|it| it.as_str().to_owned()).collect(),
                prepare: recipe.prepare.clone(),
            };
            let places = Places { checkpoint: None, features };
            let mut watch = Watch::new(recipe.train.epochs, (&nobody, stop), places, None);
            let trained = train::train(&recipe.train, seed, &sets, pretrained.as_ref(), &mut watch);
            if let Some(error) = watch.error.take() {
                return Err(error.into());
            }
            let said = trained?.model.probabilities(&rgb(&test))?;
            let right = said.iter().zip(&test).filter(|(row, it)| best(row) == it.example.class);
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            points.push(Point {
                n_train: count(chosen.len()),
                n_right: count(right.count()),
                n_test: count(test.len()),
            });
        }
    }
    told(n_trainings, n_trainings);
    Ok(points)
}

fn best(row: &[f32]) -> usize {
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(class, _)| class)
}

/// Orders pictures by draws of a stream of their own.
fn shuffled<'a>(pictures: &[&'a Loaded], seed: u64) -> Vec<&'a Loaded> {
    let order = Random::new(seed, Purpose::Growth).order(pictures.len());
    order.into_iter().filter_map(|at| pictures.get(at).copied()).collect()
}

/// Takes the first `share` of each class, at least two pictures where it has them. A larger share
/// holds all that a smaller one does.
fn first_of_each<'a>(order: &[&'a Loaded], share: f64) -> Vec<&'a Loaded> {
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    for it in order {
        *sizes.entry(it.example.class).or_insert(0) += 1;
    }
    let mut left: BTreeMap<usize, usize> =
        sizes.into_iter().map(|(class, n)| (class, part_of(n, share))).collect();
    let mut take = |it: &&&Loaded| {
        let left = left.get_mut(&it.example.class).filter(|left| 0 < **left);
        left.is_some_and(|left| {
            *left -= 1;
            true
        })
    };
    order.iter().filter(|it| take(it)).copied().collect()
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of pictures is a smaller count"
)]
fn part_of(n: usize, share: f64) -> usize {
    ((n as f64 * share).round() as usize).max(2).min(n)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::id::BlobId;

    fn pictures(n: [usize; 2]) -> Vec<Loaded> {
        let loaded = |(class, at): (usize, usize)| Loaded {
            blob: BlobId::of(format!("{class} {at}").as_bytes()),
            split: Split::Train,
            example: Example { rgb: Arc::default(), class },
        };
        (0..n[0]).map(|at| (0, at)).chain((0..n[1]).map(|at| (1, at))).map(loaded).collect()
    }

    #[test]
    fn larger_parts_hold_the_smaller_ones_and_every_class_its_share() {
        let pictures = pictures([50, 10]);
        let all: Vec<&Loaded> = pictures.iter().collect();
        let order = shuffled(&all, 7);
        let parts = SHARES.map(|share| first_of_each(&order, share));

        for (part, n) in parts.iter().zip([[5, 2], [10, 2], [20, 4], [35, 7], [50, 10]]) {
            let of = |class| part.iter().filter(|it| it.example.class == class).count();
            assert_eq!([of(0), of(1)], n);
        }
        for pair in parts.windows(2) {
            assert!(pair[0].iter().all(|it| pair[1].iter().any(|other| other.blob == it.blob)));
        }
        let other = shuffled(&all, 8);
        assert!(order.iter().zip(&other).any(|(a, b)| a.blob != b.blob));
    }
}
