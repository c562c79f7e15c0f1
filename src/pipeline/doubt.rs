//! Which labels the trained kind of model does not believe.

use super::{ask::AskError, workshop::Workshop};
use crate::{
    domain::{
        id::BlobId,
        learning::suspects::{self, OutOfFold, Suspect},
        review::Reviews,
    },
    engine::stop::Stop,
    stage::train::doubt,
    store::reviews,
};

/// What trainings with parts of the dataset said of the rest of it.
#[derive(Clone, Debug)]
pub struct Doubts {
    /// What was said of every picture, in the order of their ids.
    pub said: Vec<OutOfFold>,
    /// The pictures that are probably in the wrong class and that no person has settled, the most
    /// doubtful first.
    pub suspects: Vec<(BlobId, Suspect)>,
}

impl Workshop {
    /// Trains `n_folds` times without a part of the dataset, asks each model about its part, and
    /// keeps the suspects for the review and the report; `told` hears how many trainings are done.
    pub async fn suspects(
        &self,
        n_folds: usize,
        stop: &Stop,
        told: impl FnMut(usize, usize) + Send + 'static,
    ) -> Result<Doubts, AskError> {
        let dataset = || self.pipeline.name.clone();
        let training = self.train().ok_or_else(|| AskError::NoRecipe { dataset: dataset() })?;
        let said = doubt::out_of_fold(&training, &self.store, n_folds, stop, told).await?;
        if said.is_empty() {
            return Err(AskError::NoPictures { dataset: dataset() });
        }
        let classes: Vec<_> = self.pipeline.classes.labels().cloned().collect();
        let mut suspects = suspects::suspects(&said, &classes);
        // A person who looked knows better.
        let settled = Reviews::of(&reviews::read(&self.pipeline.reviews())?).pictures;
        suspects.retain(|(blob, _)| !settled.contains_key(blob));
        for (rank, (_, suspect)) in (0..).zip(&mut suspects) {
            suspect.rank = rank;
        }
        self.store.replace_notes(&suspects)?;
        Ok(Doubts { said, suspects })
    }
}
