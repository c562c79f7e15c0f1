//! Asking the trained model of a dataset: about its own test pictures, or about any picture.

use std::path::Path;

use super::workshop::Workshop;
use crate::{
    domain::learning::{self, Evaluation, interval::RESAMPLING_SEED, scores::Scores},
    model::{ModelError, classifier::Classifier},
    stage::{
        predict,
        train::{self, TrainError},
    },
    store::{StoreError, query, reviews::ReviewsError},
};

pub use crate::stage::predict::{Answer, PredictError, Prediction, Subject, judge_bytes};

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("dataset `{dataset}` has no trained model yet")]
    NoModel { dataset: String },
    #[error("the pipeline file of `{dataset}` has no [train] table, so nothing can be trained")]
    NoRecipe { dataset: String },
    #[error("the settings or pictures of `{dataset}` have changed since its model was trained")]
    Stale { dataset: String },
    #[error(
        "dataset `{dataset}` has no test pictures to judge models by; give `[split]` a share for test"
    )]
    NothingToTest { dataset: String },
    #[error("dataset `{dataset}` has no pictures yet")]
    NoPictures { dataset: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Reviews(#[from] ReviewsError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Predict(#[from] PredictError),
}

/// How a model does on the test pictures of today.
#[derive(Clone, Debug)]
pub struct Tested {
    pub run: String,
    pub classes: Vec<String>,
    pub answers: Vec<learning::Answer>,
    pub evaluation: Evaluation,
    pub scores: Scores,
}

impl Workshop {
    /// Loads the model the last training made.
    pub fn model(&self) -> Result<(String, Classifier), AskError> {
        let name = query::current_run(&self.store)?
            .ok_or_else(|| AskError::NoModel { dataset: self.pipeline.name.clone() })?;
        let model = Classifier::load(&self.layout.models().join(&name.0))?;
        Ok((name.0, model))
    }

    /// Tests the model on the test pictures as they are now.
    pub fn evaluate(&self) -> Result<Tested, AskError> {
        let (run, model) = self.model()?;
        let answers = train::evaluate(&self.store, &self.pipeline.classes, &self.layout, &model)?;
        let classes = model.card().classes.clone();
        let evaluation = Evaluation::of(&answers, classes.len());
        let scores = Scores::of(&answers, classes.len(), RESAMPLING_SEED);
        Ok(Tested { run, classes, answers, evaluation, scores })
    }

    /// Lists the pictures that `what` leads to; see [`predict::subjects`].
    pub fn subjects(what: &[String]) -> Result<Vec<Subject>, AskError> {
        let mut stdin = std::io::stdin();
        let mut found = Vec::new();
        for what in what {
            found.extend(predict::subjects(what, &mut stdin)?);
        }
        Ok(found)
    }

    /// Asks the model about pictures; see [`predict::predict`].
    pub async fn predict(
        &self,
        subjects: Vec<Subject>,
        cams: Option<&Path>,
        told: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<Prediction>, AskError> {
        let (_, model) = self.model()?;
        Ok(predict::predict(&model, subjects, &self.access, cams, told).await?)
    }
}
