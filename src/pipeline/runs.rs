//! The trainings of a dataset, and whether one of two models is better.

use super::workshop::Workshop;
use crate::{
    domain::learning::paired::Paired,
    engine::changes,
    store::{
        StoreError, query,
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
    /// Settings that differ, with both values.
    pub changes: Vec<String>,
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

impl Workshop {
    /// Lists the trainings, the oldest first.
    pub fn runs(&self) -> Result<Vec<Remembered>, StoreError> {
        let current = query::current_run(&self.store)?;
        let mut runs: Vec<Remembered> = self
            .store
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

/// Compares two models by the test pictures both were asked about; `seed` draws the resamples.
pub fn compare(
    first: &Remembered,
    second: &Remembered,
    seed: u64,
) -> Result<Comparison, RunsError> {
    if first.run.classes != second.run.classes {
        let (first, second) = (first.name.clone(), second.name.clone());
        return Err(RunsError::OtherClasses { first, second });
    }
    let n_classes = first.run.classes.len();
    Ok(Comparison {
        changes: changes(&first.run.recipe, &second.run.recipe),
        paired: Paired::of(&first.run.answers, &second.run.answers, n_classes, seed),
    })
}
