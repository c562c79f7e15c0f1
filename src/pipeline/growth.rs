//! What more training pictures would bring.

use super::{ask::AskError, workshop::Workshop};
use crate::{
    domain::learning::{
        growth::{LearningCurve, Point},
        interval::RESAMPLING_SEED,
    },
    engine::{Redo, SetError, plan_set, stop::Stop},
    stage::train::curve,
    store::{query, schema::Growth},
};

impl Workshop {
    /// Trains with ever larger parts of the training pictures, `repeats` times each, and keeps
    /// what came of it for the report; `told` hears how many trainings are done, of how many.
    pub async fn learning_curve(
        &self,
        repeats: u32,
        stop: &Stop,
        told: impl FnMut(usize, usize) + Send + 'static,
    ) -> Result<Vec<Point>, AskError> {
        let dataset = || self.pipeline.name.clone();
        let training = self.train().ok_or_else(|| AskError::NoRecipe { dataset: dataset() })?;
        let run = query::current_run(&self.store)?
            .ok_or_else(|| AskError::NoModel { dataset: dataset() })?;
        // The curve stands beside the model in the report, so it must be of the same pictures.
        let plan =
            plan_set(&training, &self.store, Redo::WhatChanged).map_err(|error| match error {
                SetError::Store(error) => AskError::Store(error),
                SetError::Stage(error) => AskError::Train(error),
            })?;
        if plan.due != 0 {
            return Err(AskError::Stale { dataset: dataset() });
        }
        let points = curve::points(&training, &self.store, repeats, stop, told).await?;
        let points = points.ok_or_else(|| AskError::NothingToTest { dataset: dataset() })?;
        let growth = Growth { run, points: points.clone() };
        self.store.replace_notes(&[("last".to_owned(), growth)])?;
        Ok(points)
    }

    /// Fits a law to the points of [`Self::learning_curve`].
    pub fn law_of(points: &[Point]) -> Option<LearningCurve> {
        LearningCurve::of(points, RESAMPLING_SEED)
    }
}
