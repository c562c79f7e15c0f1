//! Dataset → plain class folders with their papers, for `torchvision`'s `ImageFolder`, for Keras
//! and for the `imagefolder` of Hugging Face.
//!
//! The manifest is not called `metadata.csv`: beside a file of that name Hugging Face infers no
//! labels from folders.

use std::path::{Path, PathBuf};

use super::{
    Dataset, ExportError, Row, Written,
    crops::{self, Put},
    files,
    papers::{self, Listed, README_FILE},
    readme::{self, Page},
    swap::Staging,
};
use crate::domain::split::Split;

/// Writes the folder `dir`, or leaves what was there.
pub fn write_class_folders(dataset: &Dataset<'_>, dir: &Path) -> Result<Written, ExportError> {
    let rows = dataset.some_rows()?;
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    crops::make_class_folders(dataset, new)?;
    crops::copy_all(dataset, &rows, (new, Put::Plainly), staging.disk())?;
    let written = files::sync_meanwhile(staging.disk(), || describe(dataset, &rows, new))?;
    staging.commit()?;
    Ok(written)
}

/// Writes all but the pictures.
fn describe(dataset: &Dataset<'_>, rows: &[Row<'_>], new: &Path) -> Result<Written, ExportError> {
    let version = papers::version(dataset, rows);
    papers::write(dataset, rows, (Listed::InManifest, &version), new)?;
    let page = Page {
        title: dataset.title,
        lead: Vec::new(),
        files: format!("{}\n{}", readme::folders_line(), readme::manifest_line()),
        loading: loading(),
    };
    files::create(&new.join(README_FILE), page.text(dataset, &version).as_bytes())?;
    papers::write_checksums(new, &papers::sums_of(rows), version)
}

impl Dataset<'_> {
    /// Lists the folder of every class in every part, also of those without a picture: a class
    /// missing in one would shift the numbers of the rest.
    pub(super) fn class_folders<'a>(&'a self, dir: &'a Path) -> impl Iterator<Item = PathBuf> + 'a {
        Split::ALL.into_iter().flat_map(move |split| {
            self.classes.iter().map(move |label| dir.join(split.name()).join(label.as_str()))
        })
    }
}

fn loading() -> String {
    format!(
        "```python\n\
         from pathlib import Path\n\n\
         root = Path(\".\")  # where the files are\n\
         ```\n\n\
         {}\n\n\
         With Keras, or with Hugging Face:\n\n\
         ```python\n\
         import keras\n\n\
         train = keras.utils.image_dataset_from_directory(root / \"train\")\n\
         ```\n\n\
         ```python\n\
         from datasets import load_dataset\n\n\
         parts = load_dataset(\"imagefolder\", data_dir=str(root))\n\
         ```",
        readme::loading_folders()
    )
}
