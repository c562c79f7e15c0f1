//! Dataset → a folder to push to the Hugging Face Hub: Parquet files with the pictures in them and
//! a dataset card. `datasets.load_dataset` reads it where it lies, with a `ClassLabel`.
//!
//! Parquet, because the Hub refuses folders of very many files and `imagefolder` takes no labels
//! out of archives.

use std::{fs, path::Path};

use super::{
    Dataset, ExportError, Row, Written,
    card::{self, Part},
    croissant, crops, files,
    grown::{self, Summed},
    papers::{self, README_FILE},
    parquet,
    swap::Staging,
};
use crate::domain::{
    exports::{CroissantRecipe, HuggingFaceRecipe},
    id::Label,
    split::Split,
};

/// The folder of the Parquet files.
pub(super) const DATA_FOLDER: &str = "data";

/// Writes the folder `dir`, or leaves what was there.
pub fn write_huggingface(
    dataset: &Dataset<'_>,
    recipe: &HuggingFaceRecipe,
    croissant: Option<&CroissantRecipe>,
    dir: &Path,
) -> Result<Written, ExportError> {
    let rows = dataset.some_rows()?;
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    let data = new.join(DATA_FOLDER);
    fs::create_dir(&data).map_err(ExportError::write(&data))?;
    let classes = dataset.sorted_classes();
    let ((parts, written, summed), version) =
        papers::write_beside(dataset, &rows, (None, new), || {
            write_shards(dataset, &classes, (&rows, recipe), new)
        })?;
    let shard = |(split, path): (Split, String)| {
        let (sha256, size_bytes) = summed.get(&path).expect("it was summed").clone();
        Shard { split, path, sha256, size_bytes }
    };
    let shards: Vec<Shard> = written.into_iter().map(shard).collect();
    if let Some(croissant) = croissant {
        croissant::write_of_tables(dataset, croissant, (&version, &shards), new)?;
    }
    let download_bytes = shards.iter().map(|it| it.size_bytes).sum();
    let card = card::text(dataset, recipe, &parts, (&version, download_bytes));
    files::create(&new.join(README_FILE), card.as_bytes())?;
    papers::close(staging, &papers::sums_along(&summed), version)
}

type Shards = (Vec<Part>, Vec<(Split, String)>, Summed);

/// Writes the Parquet files of all parts.
fn write_shards(
    dataset: &Dataset<'_>,
    classes: &[&Label],
    (rows, recipe): (&[Row<'_>], &HuggingFaceRecipe),
    new: &Path,
) -> Result<Shards, ExportError> {
    let (mut told, mut shards) = (Vec::new(), Vec::new());
    let parts = crops::parts(rows);
    for (split, own) in &parts {
        let cut = crops::cut(own, usize::MAX, recipe.shard_megabytes * 1_000_000);
        let of = cut.len();
        shards.extend((0..).zip(cut).map(|(at, rows)| {
            (*split, format!("{DATA_FOLDER}/{split}-{at:05}-of-{of:05}.parquet"), rows)
        }));
        let n_bytes = own.iter().map(|row| row.picture.crop.size_bytes).sum();
        let (name, prefix, n_pictures) = (called(*split), split.name(), own.len());
        told.push(Part { name, prefix, n_pictures, n_bytes });
    }
    let summed = grown::write_all(&shards, |(_, name, rows)| {
        parquet::write(dataset, classes, rows, (new, name))
    })?;
    let written = shards.into_iter().map(|(split, name, _)| (split, name)).collect();
    Ok((told, written, summed))
}

/// A Parquet file of the export.
pub(super) struct Shard {
    pub(super) split: Split,
    /// Its path in the export.
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) size_bytes: u64,
}

/// Returns the name Hugging Face has for a part.
fn called(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "validation",
        Split::Test => "test",
    }
}
