//! Writes the finished dataset down: as class folders, and in the form of each place datasets are
//! published at, a file here for each.
//!
//! In come the list of pictures and the place of their prepared files; out go files that depend
//! on nothing else: no clock, no machine, no order of arrival. Folders that are not ours are
//! never touched.

pub mod class_folders;
pub mod compare;
pub mod croissant;
pub mod folder;
pub mod huggingface;
pub mod hydrate;
pub mod kaggle;
pub mod lists;
pub mod run;
pub mod settling;
pub mod tabular;
pub mod webdataset;

mod archive;
mod card;
mod crops;
mod datasheet;
mod files;
mod grown;
mod metadata;
mod papers;
mod parquet;
mod readme;
mod swap;
mod tables;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use crate::domain::{
    dataset::{Funnel, Picture},
    datasheet::{Answers, Question},
    deletion::Removal,
    id::{BlobId, Label},
    kaggle::KaggleFault,
    review::purity::Purity,
    split::Split,
};

/// All that an export is made from.
#[derive(Clone, Copy)]
pub struct Dataset<'a> {
    /// The name of the pipeline; a folder of another dataset is refused.
    pub name: &'a str,
    pub title: &'a str,
    pub seed: u64,
    /// Every class, also those without a picture.
    pub classes: &'a [Label],
    pub pictures: &'a [Picture],
    pub funnel: &'a Funnel,
    /// Pictures that were in the dataset and were taken back since.
    pub removals: &'a [Removal],
    /// How each picture was prepared, in words: `center-crop to 256×256, lanczos3, jpeg q90`.
    pub transform: &'a str,
    /// Tables of a pipeline file, with which the pictures as they were fetched become this
    /// dataset again.
    pub rebuilding: &'a str,
    /// The licence stated for the dataset, by its name in `domain::license`.
    pub license: &'a str,
    /// Whom people turn to who want a picture removed.
    pub contact: Option<&'a str>,
    /// What people answered of the datasheet.
    pub answers: &'a Answers,
    /// How right an audit found the labels, class by class.
    pub purity: &'a BTreeMap<Label, Purity>,
    /// Tells where the prepared file of a picture lies.
    pub crops: &'a (dyn Fn(&Picture) -> PathBuf + Sync),
    /// Tells where a file lies as it was fetched.
    pub blobs: &'a (dyn Fn(&BlobId) -> PathBuf + Sync),
}

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub files: usize,
    pub bytes: u64,
    /// Digits of the manifest's digest: equal pictures and provenance, equal version, in whatever
    /// form they are exported.
    pub version: String,
}

/// An export could not be written; what was there before is still there.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("Kaggle would refuse this: {}", listed(.0))]
    Kaggle(Vec<KaggleFault>),
    #[error("the dataset has no picture to export")]
    Empty,
    #[error(
        "the datasheet has {} open questions; answer them below [export.datasheet]: {}",
        .0.len(), keys(.0)
    )]
    OpenQuestions(Vec<Question>),
    #[error("no picture of the dataset has a web address, so nobody could fetch them again")]
    NoAddress,
    #[error("picture {file_name} is of class `{label}`, which is not a class of the dataset")]
    UnlistedClass { file_name: String, label: Label },
    #[error("picture {file_name} is in the dataset twice")]
    Twice { file_name: String },
    #[error("prepared file {} is not what was recorded: its BLAKE3 is not {expected}", path.display())]
    Altered { path: PathBuf, expected: String },
    #[error("folder {} has files but no mark of ours; name an empty folder or move it away", dir.display())]
    NotOurs { dir: PathBuf },
    #[error("{} is not ours and would be lost; move it away", path.display())]
    Foreign { path: PathBuf },
    #[error("folder {} belongs to dataset `{owner}`", dir.display())]
    OtherDataset { dir: PathBuf, owner: String },
    #[error("mark {} cannot be understood; restore it or move its folder away", path.display())]
    Mark { path: PathBuf, source: serde_json::Error },
    #[error("mark {} names `{file}`, which is not a file of the folder", path.display())]
    MarkEscapes { path: PathBuf, file: String },
    #[error("folder {} has no name or no parent to be swapped in", dir.display())]
    NoPlace { dir: PathBuf },
    #[error("could not read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("the disk is full: could not write {}", path.display())]
    DiskFull { path: PathBuf, source: io::Error },
}

fn listed(faults: &[KaggleFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn keys(questions: &[Question]) -> String {
    questions.iter().map(|it| it.key()).collect::<Vec<_>>().join(", ")
}

impl ExportError {
    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    /// Turns trouble with writing `path` into an error that tells a full disk from the rest.
    fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        move |source| {
            let path = path.to_owned();
            if matches!(source.kind(), StorageFull | QuotaExceeded) {
                Self::DiskFull { path, source }
            } else {
                Self::Write { path, source }
            }
        }
    }
}

/// A picture and its path in the dataset, `train/cats/cats-0123456789abcdef.jpg`.
struct Row<'a> {
    picture: &'a Picture,
    path: String,
}

impl<'a> Dataset<'a> {
    /// Lists the pictures by split, then path, whatever order they came in.
    fn rows(&self) -> Result<Vec<Row<'a>>, ExportError> {
        let row = |picture: &'a Picture| {
            let Picture { label, split, .. } = picture;
            let file_name = picture.file_name();
            if self.classes.contains(label) {
                Ok(Row { picture, path: format!("{split}/{label}/{file_name}") })
            } else {
                Err(ExportError::UnlistedClass { file_name, label: label.clone() })
            }
        };
        let mut rows = self.pictures.par_iter().map(row).collect::<Result<Vec<_>, _>>()?;
        rows.par_sort_unstable_by(|a, b| {
            (a.picture.split, &a.path).cmp(&(b.picture.split, &b.path))
        });
        let mut names: Vec<&str> =
            rows.iter().filter_map(|row| row.path.rsplit('/').next()).collect();
        names.par_sort_unstable();
        if let Some(twice) = names.windows(2).find(|next| next[0] == next[1]) {
            return Err(ExportError::Twice { file_name: twice[0].to_owned() });
        }
        Ok(rows)
    }

    /// Lists the questions of the datasheet that neither people nor an audit answered.
    fn open_questions(&self) -> Vec<Question> {
        let mut open = self.answers.open();
        open.retain(|question| *question != Question::LabelErrors || self.purity.is_empty());
        open
    }

    /// Refuses a dataset with open questions in its datasheet.
    pub fn check_answers(&self) -> Result<(), ExportError> {
        let open = self.open_questions();
        if open.is_empty() { Ok(()) } else { Err(ExportError::OpenQuestions(open)) }
    }

    /// Returns the rows of an export, which must have some.
    fn some_rows(&self) -> Result<Vec<Row<'_>>, ExportError> {
        let rows = self.rows()?;
        if rows.is_empty() { Err(ExportError::Empty) } else { Ok(rows) }
    }

    /// Returns the classes in the order every loader numbers them in.
    fn sorted_classes(&self) -> Vec<&Label> {
        let mut classes: Vec<&Label> = self.classes.iter().collect();
        classes.sort();
        classes
    }

    fn count(&self, label: &Label, split: Split) -> usize {
        self.pictures.iter().filter(|p| p.label == *label && p.split == split).count()
    }

    /// Returns the places the pictures were posted at, each once.
    fn places(&self) -> BTreeSet<String> {
        let of = |picture: &Picture| tables::shareable(&picture.provenance.place).into_owned();
        self.pictures.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests;
