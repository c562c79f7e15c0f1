//! The stage itself: reads the finished dataset from the store and writes what is wanted of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    thread,
};

use serde::Serialize;
use tokio::task::JoinError;

use super::{
    Dataset, ExportError, Written, class_folders, folder, huggingface, hydrate, kaggle, lists,
    settling::{Settling, Unsettled},
    swap, tabular, webdataset,
};
use crate::{
    domain::{
        classes::Classes,
        dataset::{Funnel, Picture},
        deletion::Removal,
        exports::ExportTable,
        id::{BlobId, Label},
        review::purity::{Purity, purity},
        verdict::Verdict,
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
        reviews::{self, ReviewsError},
        schema::{Exported, Fold},
    },
};

/// The work of this room.
pub struct Exporting<'a> {
    pub name: &'a str,
    pub recipe: Recipe,
    pub classes: &'a Classes,
    pub layout: &'a Layout,
    /// The file of what people decided, if there is one.
    pub reviews: PathBuf,
    /// Sees what was written to the disk, beside what is done next.
    pub settling: &'a Settling,
}

/// What can change an export besides its pictures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recipe {
    pub title: String,
    pub seed: u64,
    /// How every picture was prepared, in words.
    pub transform: String,
    pub export: ExportTable,
    /// The tables of the pipeline file that decide what becomes of a picture, for the list from
    /// which others fetch; empty where none is written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rebuilding: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Input {
    classes: Vec<Label>,
    pictures: Vec<Picture>,
    funnel: Funnel,
    removals: Vec<Removal>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    folds: BTreeMap<BlobId, Fold>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    purity: BTreeMap<Label, Purity>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Reviews(#[from] ReviewsError),
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error("the export was broken off")]
    BrokenOff(#[from] JoinError),
}

impl SetStage for Exporting<'_> {
    const NAME: StageName = StageName::Export;
    const REVISION: u32 = 4;
    type Recipe = Recipe;
    type Input = Input;
    type Error = ExportingError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn input(&self, store: &Store) -> Result<Input, ExportingError> {
        let (pictures, funnel) = rayon::join(
            || query::dataset(store, self.classes),
            || funnel::funnel(store, self.classes),
        );
        let (pictures, funnel) = (pictures?, funnel?);
        let folds = match self.recipe.export.lists {
            Some(_) => store.notes::<Fold>()?.into_iter().collect(),
            None => BTreeMap::new(),
        };
        let mut lines = Vec::new();
        for line in reviews::read(&self.reviews)? {
            if store.note::<Verdict>(&line.picture)?.is_some() {
                lines.push(line);
            }
        }
        let mut purity = purity(&lines);
        purity.retain(|label, _| self.classes.labels().any(|listed| listed == label));
        Ok(Input {
            folds,
            purity,
            classes: self.classes.labels().cloned().collect(),
            funnel,
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
        self.settling.end()?;
        let mut unsettled = Unsettled::begin(&layout)?;
        let writing = tokio::task::spawn_blocking(move || {
            (write(&name, &recipe, (&input, &layout), &mut unsettled), unsettled)
        });
        let (exported, unsettled) = writing.await?;
        // Also after trouble: what was swapped in until then is to stay.
        let settling = self.settling.begin(unsettled);
        let exported = exported?;
        settling?;
        let mut summary = format!("{n_pictures} pictures");
        if let Some((_, first)) = exported.first() {
            let names: Vec<&str> = exported.iter().map(|(name, _)| name.as_str()).collect();
            summary = format!("{summary}, {} version {}", names.join(", "), first.version);
        }
        work.store.replace_notes::<Exported>(&exported)?;
        Ok(summary)
    }

    fn is_whole(&self, _store: &Store) -> bool {
        let exports = self.layout.exports();
        !self.layout.unsettled().exists()
            && self.layout.dataset().exists()
            && Form::ALL
                .into_iter()
                .filter(|form| form.is_wanted(&self.recipe.export))
                .all(|form| exports.join(form.name()).exists())
    }
}

/// A form the dataset is exported in: a folder of that name below `exports/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Kaggle,
    KaggleDirs,
    Folder,
    HuggingFace,
    WebDataset,
    Hydrate,
    Csv,
    Lists,
}

impl Form {
    const ALL: [Self; 8] = [
        Self::Kaggle,
        Self::KaggleDirs,
        Self::Folder,
        Self::HuggingFace,
        Self::WebDataset,
        Self::Hydrate,
        Self::Csv,
        Self::Lists,
    ];

    /// Returns the name of its table in the pipeline file and of its folder.
    fn name(self) -> &'static str {
        match self {
            Self::Kaggle => "kaggle",
            Self::KaggleDirs => "kaggle-dirs",
            Self::Folder => "folder",
            Self::HuggingFace => "huggingface",
            Self::WebDataset => "webdataset",
            Self::Hydrate => "hydrate",
            Self::Csv => "csv",
            Self::Lists => "lists",
        }
    }

    fn is_wanted(self, table: &ExportTable) -> bool {
        match self {
            Self::Kaggle => table.kaggle.is_some(),
            Self::KaggleDirs => table.kaggle_dirs.is_some(),
            Self::Folder => table.folder.is_some(),
            Self::HuggingFace => table.huggingface.is_some(),
            Self::WebDataset => table.webdataset.is_some(),
            Self::Hydrate => table.hydrate.is_some(),
            Self::Csv => table.csv.is_some(),
            Self::Lists => table.lists.is_some(),
        }
    }

    /// Writes the form, if it is wanted.
    fn write(
        self,
        dataset: &Dataset<'_>,
        table: &ExportTable,
        (cover, folds): (&[u8], &BTreeMap<BlobId, Fold>),
        dir: &Path,
    ) -> Result<Option<Written>, ExportError> {
        let croissant = table.croissant.as_ref();
        match self {
            Self::Kaggle => table
                .kaggle
                .as_ref()
                .map(|recipe| kaggle::write_kaggle(dataset, recipe, cover, croissant, dir)),
            Self::KaggleDirs => table
                .kaggle_dirs
                .as_ref()
                .map(|recipe| kaggle::write_kaggle_dirs(dataset, recipe, cover, dir)),
            Self::Folder => {
                table.folder.as_ref().map(|_| class_folders::write_class_folders(dataset, dir))
            }
            Self::HuggingFace => table
                .huggingface
                .as_ref()
                .map(|recipe| huggingface::write_huggingface(dataset, recipe, croissant, dir)),
            Self::WebDataset => table
                .webdataset
                .as_ref()
                .map(|recipe| webdataset::write_webdataset(dataset, recipe, dir)),
            Self::Hydrate => table.hydrate.as_ref().map(|_| hydrate::write_hydrate(dataset, dir)),
            Self::Csv => table.csv.as_ref().map(|_| tabular::write_csv(dataset, dir)),
            Self::Lists => table.lists.as_ref().map(|_| lists::write_lists(dataset, folds, dir)),
        }
        .transpose()
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
    (input, layout): (&Input, &Layout),
    unsettled: &mut Unsettled,
) -> Result<Vec<(String, Exported)>, ExportingError> {
    let table = &recipe.export;
    let crops = |picture: &Picture| layout.crop(&picture.crop);
    let blobs = |blob: &BlobId| layout.blob(blob);
    let dataset = Dataset {
        name,
        title: &recipe.title,
        seed: recipe.seed,
        classes: &input.classes,
        pictures: &input.pictures,
        funnel: &input.funnel,
        removals: &input.removals,
        transform: &recipe.transform,
        rebuilding: &recipe.rebuilding,
        license: table.license(),
        contact: table.contact.as_deref(),
        answers: &table.datasheet,
        purity: &input.purity,
        crops: &crops,
        blobs: &blobs,
    };
    // The two have nothing to do with each other, and what was taken back leaves each of them
    // whatever the other is refused.
    thread::scope(|scope| {
        let filling = scope.spawn(|| folder::write_folder(&dataset, &layout.dataset()));
        let mut swapped = Vec::new();
        let exported = write_forms(&dataset, (recipe, input), layout, &mut swapped);
        for dir in swapped {
            unsettled.swapped(dir);
        }
        unsettled.filled(filling.join().expect("filling a folder does not panic")?);
        exported
    })
}

/// Writes all forms that are wanted; names the folders that were swapped in.
fn write_forms(
    dataset: &Dataset<'_>,
    (recipe, input): (&Recipe, &Input),
    layout: &Layout,
    swapped: &mut Vec<PathBuf>,
) -> Result<Vec<(String, Exported)>, ExportingError> {
    let (name, table) = (dataset.name, &recipe.export);
    let is_empty = input.pictures.is_empty();
    if table.strict
        && !is_empty
        && let Err(error) = dataset.check_answers()
    {
        if !input.removals.is_empty() {
            for form in Form::ALL {
                swap::withdraw(name, &layout.exports().join(form.name()))?;
            }
        }
        return Err(error.into());
    }
    let wants_cover = table.kaggle.is_some() || table.kaggle_dirs.is_some();
    let cover = if wants_cover { cover(&input.pictures, layout)? } else { Vec::new() };
    let number = |n: usize| u64::try_from(n).expect("a length fits 64 bits");
    let mut first_error = None;
    let mut exported = Vec::new();
    // One form that cannot be written does not keep deleted pictures in the others.
    for form in Form::ALL {
        let dir = layout.exports().join(form.name());
        if is_empty || !form.is_wanted(table) {
            swap::withdraw(name, &dir)?;
            continue;
        }
        let written =
            form.write(dataset, table, (&cover, &input.folds), &dir).unwrap_or_else(|error| {
                first_error.get_or_insert(error);
                None
            });
        if let Some(written) = written {
            swapped.push(dir);
            let facts = Exported {
                pictures: number(input.pictures.len()),
                files: number(written.files),
                size_bytes: written.bytes,
                version: written.version,
            };
            exported.push((form.name().to_owned(), facts));
        }
    }
    if let Some(error) = first_error {
        return Err(error.into());
    }
    Ok(exported)
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
