//! What more training pictures would bring.

use super::{ask::AskError, workshop::Workshop};
use crate::{
    domain::learning::growth::{LearningCurve, Point},
    engine::stop::Stop,
    stage::train::curve,
    store::{
        query,
        schema::{Growth, RunName},
    },
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
        let no_model = || AskError::NoModel { dataset: self.pipeline.name.clone() };
        let run = query::current_run(&self.store)?.ok_or_else(no_model)?;
        let training = self.train().ok_or_else(no_model)?;
        let points = curve::points(&training, &self.store, repeats, stop, told).await?;
        let growth = Growth { run: RunName(run.0), points: points.clone() };
        self.store.replace_notes(&[("last".to_owned(), growth)])?;
        Ok(points)
    }

    /// Fits a law to the points of [`Self::learning_curve`].
    pub fn law_of(&self, points: &[Point]) -> Option<LearningCurve> {
        LearningCurve::of(points, self.pipeline.seed)
    }
}
