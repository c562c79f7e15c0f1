//! Dataset → plain class folders with their papers, for `torchvision`'s `ImageFolder`, for Keras
//! and for the `imagefolder` of Hugging Face.
//!
//! The manifest is not called `metadata.csv`: beside a file of that name Hugging Face infers no
//! labels from folders.

use std::path::Path;

use super::{
    Dataset, ExportError, Written,
    crops::{self, Put},
    files,
    papers::{self, README_FILE},
    readme::{self, Page},
    swap::Staging,
};

/// Writes the folder `dir`, or leaves what was there.
pub fn write_class_folders(dataset: &Dataset<'_>, dir: &Path) -> Result<Written, ExportError> {
    let rows = dataset.some_rows()?;
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    crops::make_class_folders(dataset, new)?;
    let ((), version) = papers::write_beside(dataset, &rows, (None, new), || {
        crops::copy_all(dataset, &rows, (new, Put::Plainly))
    })?;
    let page = Page {
        title: dataset.title,
        lead: Vec::new(),
        files: format!("{}\n{}", readme::folders_line(), readme::manifest_line()),
        loading: loading(),
    };
    files::create(&new.join(README_FILE), page.text(dataset, &version).as_bytes())?;
    papers::close(staging, &papers::sums_of(&rows), version)
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
