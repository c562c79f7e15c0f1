//! Runs a stage that looks at all of its input at once, if any of it has changed.

use std::error::Error;

use serde::Serialize;

use super::{
    Redo, StageName, Tally,
    events::Event,
    items::Work,
    plan::{StagePlan, Why, changed_settings, remember_recipe},
};
use crate::store::{Digest, Stamp, Store, StoreError, schema::SetRun};

/// A step that makes its whole result of its whole input: a pure decision, and writing it down.
pub trait SetStage: Sync {
    const NAME: StageName;
    /// Raise when the same input and recipe give a different output than before.
    const REVISION: u32;

    type Recipe: Serialize;
    type Input: Serialize + Send + Sync;
    type Error: Error + Send + Sync + From<StoreError> + 'static;

    fn recipe(&self) -> &Self::Recipe;

    fn input(&self, store: &Store) -> Result<Self::Input, Self::Error>;

    /// Makes and stores the result; must leave nothing half-made that a second call would keep.
    /// Returns one line on what it did.
    fn apply(
        &self,
        input: Self::Input,
        stamp: Stamp,
        work: Work<'_>,
    ) -> impl Future<Output = Result<String, Self::Error>> + Send;

    /// Tells whether what was made is still there.
    fn is_whole(&self, _store: &Store) -> bool {
        true
    }

    /// For a stage whose result is also part of its input (the lock of the split): the input as
    /// it is once the work is done.
    fn input_afterwards(&self, _store: &Store) -> Result<Option<Self::Input>, Self::Error> {
        Ok(None)
    }
}

/// Why a whole-set stage could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum SetError<E: Error + 'static> {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Stage(E),
}

/// Plans a whole-set stage: one item, due or not.
pub fn plan_set<S: SetStage>(
    stage: &S,
    store: &Store,
    force: Redo,
) -> Result<StagePlan, SetError<S::Error>> {
    let input = stage.input(store).map_err(SetError::Stage)?;
    let (_, due) = due(stage, store, &input, force)?;
    let mut plan = StagePlan::idle(S::NAME);
    match due {
        None => plan.unchanged = 1,
        Some((why, old)) => {
            plan.due = 1;
            plan.why.insert(why, 1);
            if let Some(old) = old.filter(|_| why == Why::RecipeChanged) {
                plan.changed_settings = changed_settings(store, old.recipe, stage.recipe())?;
            }
        }
    }
    Ok(plan)
}

/// Runs a whole-set stage if it is due.
pub async fn run_set<S: SetStage>(stage: &S, work: Work<'_>) -> Result<Tally, SetError<S::Error>> {
    let input = stage.input(work.store).map_err(SetError::Stage)?;
    let (stamp, due) = due(stage, work.store, &input, work.insistence.force)?;
    let name = S::NAME.name().to_owned();
    if due.is_none() {
        let last = work.store.note::<SetRun>(&name)?.map(|last| last.summary);
        return Ok(Tally { unchanged: 1, summary: last, ..Tally::default() });
    }
    remember_recipe(work.store, stage.recipe())?;
    work.events.send(Event::Begun { stage: S::NAME, due: 1 });
    let summary = stage.apply(input, stamp, work).await.map_err(SetError::Stage)?;
    let afterwards = stage.input_afterwards(work.store).map_err(SetError::Stage)?;
    let stamp = afterwards.map_or(stamp, |input| Stamp { input: Digest::of(&input), ..stamp });
    work.store.put_notes(&[(name, SetRun { stamp, summary: summary.clone() })])?;
    let tally = Tally { made: 1, summary: Some(summary), ..Tally::default() };
    work.events.send(Event::Ended { stage: S::NAME, tally: tally.clone() });
    Ok(tally)
}

type DueSet = Option<(Why, Option<Stamp>)>;

fn due<S: SetStage>(
    stage: &S,
    store: &Store,
    input: &S::Input,
    force: Redo,
) -> Result<(Stamp, DueSet), StoreError> {
    let stamp = Stamp {
        revision: S::REVISION,
        recipe: Digest::of(stage.recipe()),
        input: Digest::of(input),
    };
    let last = store.note::<SetRun>(&S::NAME.name().to_owned())?.map(|last| last.stamp);
    let why = match last {
        None => Some(Why::New),
        Some(old) => Why::differing(old, stamp)
            .or_else(|| (force == Redo::Everything).then_some(Why::Forced))
            .or_else(|| (!stage.is_whole(store)).then_some(Why::FileMissing)),
    };
    Ok((stamp, why.map(|why| (why, last))))
}
