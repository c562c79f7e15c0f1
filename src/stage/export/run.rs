//! The stage itself: reads the finished dataset from the store and writes what is wanted of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tokio::task::JoinError;

use super::{Dataset, ExportError, folder, kaggle, lists};
use crate::{
    domain::{
        classes::Classes,
        dataset::{Funnel, Picture},
        deletion::Removal,
        id::{BlobId, Label},
        kaggle::KaggleRecipe,
    },
    engine::{SetStage, StageName, Work},
    pixels::{
        contact,
        decode::{self, Limits},
        encode,
    },
    store::{
        Stamp, Store, StoreError,
        files::{self, FileError},
        funnel,
        layout::Layout,
        query,
        schema::{Exported, Fold},
    },
};

/// The work of this room.
pub struct Exporting<'a> {
    pub name: &'a str,
    pub recipe: Recipe,
    pub classes: &'a Classes,
    pub layout: &'a Layout,
}

/// What can change an export besides its pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    pub title: String,
    pub seed: u64,
    /// How every picture was prepared, in words.
    pub transform: String,
    pub kaggle: Option<KaggleRecipe>,
    #[serde(skip_serializing_if = "Lists::are_unwanted")]
    pub lists: Lists,
}

/// Whether lists that even classes out are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lists {
    #[default]
    Unwanted,
    Wanted,
}

impl Lists {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    fn are_unwanted(&self) -> bool {
        *self == Self::Unwanted
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Input {
    classes: Vec<Label>,
    pictures: Vec<Picture>,
    funnel: Funnel,
    removals: Vec<Removal>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    folds: BTreeMap<BlobId, Fold>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("the export was broken off")]
    BrokenOff(#[from] JoinError),
}

impl SetStage for Exporting<'_> {
    const NAME: StageName = StageName::Export;
    const REVISION: u32 = 1;
    type Recipe = Recipe;
    type Input = Input;
    type Error = ExportingError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn input(&self, store: &Store) -> Result<Input, ExportingError> {
        let pictures = query::dataset(store, self.classes)?;
        let folds = match self.recipe.lists {
            Lists::Wanted => store.notes::<Fold>()?.into_iter().collect(),
            Lists::Unwanted => BTreeMap::new(),
        };
        Ok(Input {
            folds,
            classes: self.classes.labels().cloned().collect(),
            funnel: funnel::funnel(store, self.classes)?,
            removals: removals(store, &pictures)?,
            pictures,
        })
    }

    async fn apply(
        &self,
        input: Input,
        _stamp: Stamp,
        work: Work<'_>,
    ) -> Result<String, ExportingError> {
        let (recipe, layout) = (self.recipe.clone(), self.layout.clone());
        let name = self.name.to_owned();
        let n_pictures = input.pictures.len();
        let writing = tokio::task::spawn_blocking(move || write(&name, &recipe, &input, &layout));
        let exported = writing.await??;
        let mut summary = format!("{n_pictures} pictures");
        if let Some(kaggle) = exported {
            summary = format!("{summary}, kaggle version {}", kaggle.version);
            work.store.put_notes::<Exported>(&[("kaggle".to_owned(), kaggle)])?;
        }
        Ok(summary)
    }

    fn is_whole(&self, _store: &Store) -> bool {
        let is_there = |name: &str| self.layout.exports().join(name).exists();
        self.layout.dataset().exists()
            && (self.recipe.kaggle.is_none() || is_there("kaggle"))
            && (self.recipe.lists == Lists::Unwanted || is_there("lists"))
    }
}

/// Lists what left the dataset and has not come back, in an order of its own.
fn removals(store: &Store, pictures: &[Picture]) -> Result<Vec<Removal>, StoreError> {
    let there: BTreeSet<BlobId> = pictures.iter().map(|it| it.blob).collect();
    let noted = store.notes::<Removal>()?.into_iter();
    let mut removals: Vec<Removal> =
        noted.filter(|(blob, _)| !there.contains(blob)).map(|(_, it)| it).collect();
    removals.sort();
    Ok(removals)
}

fn write(
    name: &str,
    recipe: &Recipe,
    input: &Input,
    layout: &Layout,
) -> Result<Option<Exported>, ExportingError> {
    let crops = |picture: &Picture| layout.crop(&picture.crop);
    let dataset = Dataset {
        name,
        title: &recipe.title,
        seed: recipe.seed,
        classes: &input.classes,
        pictures: &input.pictures,
        funnel: &input.funnel,
        removals: &input.removals,
        transform: &recipe.transform,
        crops: &crops,
    };
    folder::write_folder(&dataset, &layout.dataset())?;
    let lists_folder = layout.exports().join("lists");
    match recipe.lists {
        Lists::Wanted => _ = lists::write_lists(&dataset, &input.folds, &lists_folder)?,
        Lists::Unwanted => kaggle::withdraw(name, &lists_folder)?,
    }
    let kaggle_folder = layout.exports().join("kaggle");
    let Some(kaggle) = recipe.kaggle.as_ref().filter(|_| !input.pictures.is_empty()) else {
        kaggle::withdraw(name, &kaggle_folder)?;
        return Ok(None);
    };
    let cover = cover(&input.pictures, layout)?;
    let written = kaggle::write_kaggle(&dataset, kaggle, &cover, &kaggle_folder)?;
    let number = |n: usize| u64::try_from(n).expect("a length fits 64 bits");
    Ok(Some(Exported {
        pictures: number(input.pictures.len()),
        files: number(written.files),
        size_bytes: written.bytes,
        version: written.version,
    }))
}

/// Puts pictures of all classes side by side, the same ones for the same dataset.
fn cover(pictures: &[Picture], layout: &Layout) -> Result<Vec<u8>, FileError> {
    const N_SHOWN: usize = 8;
    let mut labels: Vec<&Label> = pictures.iter().map(|it| &it.label).collect();
    labels.sort();
    labels.dedup();
    let mut rows: Vec<_> =
        labels.iter().map(|label| pictures.iter().filter(move |it| it.label == **label)).collect();
    let mut shown = Vec::new();
    while shown.len() < N_SHOWN {
        let before = shown.len();
        for row in &mut rows {
            if let Some(picture) = row.next() {
                let bytes = files::read(&layout.crop(&picture.crop))?;
                // A prepared file is our own work; one that was damaged is left out of the cover.
                shown.extend(decode::decode(&bytes, Limits::default()).map(|it| it.picture));
            }
        }
        if shown.len() == before {
            break;
        }
    }
    shown.truncate(N_SHOWN);
    let cover = contact::cover(&shown);
    Ok(encode::encode(&cover, crate::domain::picture::FileFormat::Jpeg, 90))
}
