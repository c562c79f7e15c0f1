//! The trainings of a dataset, what was changed from one to the next, and whether one of two
//! models is better.

use std::collections::BTreeSet;

use crate::{
    domain::{
        id::BlobId,
        learning::{
            Epoch,
            interval::{RESAMPLING_SEED, Score},
            paired::Paired,
        },
    },
    engine::changes,
    store::{
        Store, StoreError, query,
        schema::{Run, RunName},
    },
};

/// One training, as remembered.
#[derive(Clone, Debug)]
pub struct Remembered {
    pub name: String,
    pub run: Run,
    /// Whether its model is the one that is asked today.
    pub is_current: bool,
}

/// Two models side by side.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Settings of `[train]` that differ, with both values; see [`settings_changed`].
    pub changes: Option<Vec<String>>,
    /// `None` where no test picture was shown to both.
    pub paired: Option<Paired>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no training is called `{name}`; there are {}", list(known))]
    NoSuchRun { name: String, known: Vec<String> },
    #[error("`{name}` can be {}; give more of the name", list(known))]
    Ambiguous { name: String, known: Vec<String> },
    #[error("`{first}` and `{second}` tell apart other classes, so they cannot be compared")]
    OtherClasses { first: String, second: String },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Lists the trainings, the oldest first.
pub fn remembered(store: &Store) -> Result<Vec<Remembered>, StoreError> {
    let current = query::current_run(store)?;
    let mut runs: Vec<Remembered> = store
        .notes::<Run>()?
        .into_iter()
        .map(|(RunName(name), run)| {
            let is_current = current.as_ref().is_some_and(|it| it.0 == name);
            Remembered { name, run, is_current }
        })
        .collect();
    runs.sort_by(|a, b| (a.run.at_s, &a.name).cmp(&(b.run.at_s, &b.name)));
    Ok(runs)
}

impl Remembered {
    /// Returns the epoch whose weights were kept.
    pub fn best(&self) -> Option<&Epoch> {
        self.run.epochs.iter().find(|epoch| epoch.number == self.run.best_epoch)
    }

    /// Returns the number of the last epoch.
    pub fn n_epochs(&self) -> u32 {
        self.run.epochs.last().map_or(0, |epoch| epoch.number)
    }

    /// Returns the share of right answers about test pictures; `None` without test pictures.
    pub fn test_accuracy(&self) -> Option<Score> {
        let answers = &self.run.answers;
        let n_right = answers.iter().filter(|answer| answer.is_right()).count();
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Score::of_share(number(n_right), number(answers.len()))
    }
}

/// Finds a training by its name or the beginning of it.
pub fn find<'a>(runs: &'a [Remembered], name: &str) -> Result<&'a Remembered, RunsError> {
    let found: Vec<&Remembered> = runs.iter().filter(|it| it.name.starts_with(name)).collect();
    let name = name.to_owned();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let known = runs.iter().map(|it| it.name.clone()).collect();
            Err(RunsError::NoSuchRun { name, known })
        }
        many => {
            let known = many.iter().map(|it| it.name.clone()).collect();
            Err(RunsError::Ambiguous { name, known })
        }
    }
}

/// Names the settings of `[train]` that differ between two trainings, with both values; `None` where
/// those of one were not kept.
pub fn settings_changed(first: &Run, second: &Run) -> Option<Vec<String>> {
    let is_known = !first.recipe.is_null() && !second.recipe.is_null();
    is_known.then(|| changes(&first.recipe, &second.recipe))
}

/// Says how the pictures differ between two trainings; nothing where they do not.
pub fn pictures_changed(first: &Run, second: &Run) -> Vec<String> {
    let learned = |run: &Run| run.learned_from.iter().copied().collect::<BTreeSet<BlobId>>();
    let tested = |run: &Run| run.answers.iter().map(|it| it.blob).collect::<BTreeSet<BlobId>>();
    let kinds = [
        ("to learn from", learned(first), learned(second)),
        ("to be tested by", tested(first), tested(second)),
    ];
    let changed = kinds.into_iter().filter(|(_, before, after)| before != after);
    let told = changed.map(|(kind, before, after)| {
        let (new, gone) = (after.difference(&before).count(), before.difference(&after).count());
        format!("pictures {kind}: {new} new, {gone} gone")
    });
    told.collect()
}

/// Compares two models by the test pictures both were asked about.
pub fn compare(first: &Remembered, second: &Remembered) -> Result<Comparison, RunsError> {
    if first.run.classes != second.run.classes {
        let (first, second) = (first.name.clone(), second.name.clone());
        return Err(RunsError::OtherClasses { first, second });
    }
    let n_classes = first.run.classes.len();
    Ok(Comparison {
        changes: settings_changed(&first.run, &second.run),
        paired: Paired::of(&first.run.answers, &second.run.answers, n_classes, RESAMPLING_SEED),
    })
}
