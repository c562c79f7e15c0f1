//! Dataset → a folder that `kaggle datasets create -p` takes as it is: with an archive for each
//! part, or with plain class folders, which Kaggle's tool packs itself if told to.
//!
//! The same dataset and recipe give the same bytes on every machine and in every run. The folder
//! is written beside its place and swapped in whole, so a crash leaves the old one or the new.

use std::{collections::BTreeSet, path::Path};

use super::{
    Dataset, ExportError, Row, Written, archive, croissant,
    crops::{self, Put},
    files,
    grown::{self, Sum},
    metadata::{archive_name, metadata},
    papers::{self, CHECKSUMS_FILE, README_FILE, Sums},
    readme::{self, Page},
    swap::Staging,
};
use crate::domain::{
    exports::CroissantRecipe,
    id::Label,
    kaggle::{COVER_FILE, KaggleRecipe, METADATA_FILE},
    split::Split,
};

/// Writes the folder `dir` with an archive for each part, or leaves what was there; `cover` is a
/// JPEG of 560×280.
pub fn write_kaggle(
    dataset: &Dataset<'_>,
    recipe: &KaggleRecipe,
    cover: &[u8],
    croissant: Option<&CroissantRecipe>,
    dir: &Path,
) -> Result<Written, ExportError> {
    recipe.check().map_err(ExportError::Kaggle)?;
    let rows = dataset.some_rows()?;
    let told = told_version(dataset, recipe, &rows);
    let dataset = &of(dataset, recipe);
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    let (summed, version) = papers::write_beside(dataset, &rows, (told, new), || {
        grown::write_all(&crops::parts(&rows), |(split, rows)| {
            write_archive(dataset, *split, rows, new)
        })
    })?;
    let sums = papers::sums_along(&summed);
    if let Some(croissant) = croissant {
        croissant::write_of_archives(dataset, croissant, (&version, &sums), new)?;
    }
    let page = page(recipe, archives_line(), loading_archives(recipe));
    describe(dataset, recipe, (&page, cover), (version, &sums), staging)
}

/// Writes the folder `dir` with plain class folders. Kaggle's tool uploads them only with
/// `--dir-mode zip`, and then needs as much room again for archives of its own.
pub fn write_kaggle_dirs(
    dataset: &Dataset<'_>,
    recipe: &KaggleRecipe,
    cover: &[u8],
    dir: &Path,
) -> Result<Written, ExportError> {
    recipe.check().map_err(ExportError::Kaggle)?;
    let rows = dataset.some_rows()?;
    let told = told_version(dataset, recipe, &rows);
    let dataset = &of(dataset, recipe);
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    crops::make_class_folders(dataset, new)?;
    let ((), version) = papers::write_beside(dataset, &rows, (told, new), || {
        crops::copy_all(dataset, &rows, (new, Put::Plainly))
    })?;
    let page = page(recipe, readme::folders_line(), loading_folders(recipe));
    let sums = papers::sums_of(&rows);
    describe(dataset, recipe, (&page, cover), (version, &sums), staging)
}

/// Returns the command that publishes the folder for the first time, and the one that adds a
/// version to it.
pub fn upload_commands(dir: &Path, layout: Layout) -> [Vec<String>; 2] {
    let folder = dir.display().to_string();
    ["create", "version"].map(|action| {
        let mut command: Vec<String> =
            ["kaggle", "datasets", action, "-p", &folder].map(str::to_owned).to_vec();
        if layout == Layout::Folders {
            command.extend(["--dir-mode", "zip"].map(str::to_owned));
        }
        command
    })
}

/// In what form the pictures lie in a folder for Kaggle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    Archives,
    Folders,
}

/// Returns the version that all forms have, where the manifest written here has another: under
/// another licence.
fn told_version(dataset: &Dataset<'_>, recipe: &KaggleRecipe, rows: &[Row<'_>]) -> Option<String> {
    let is_own = of(dataset, recipe).license == dataset.license;
    (!is_own).then(|| papers::version(dataset, rows))
}

/// The dataset under the licence that is stated on Kaggle.
fn of<'a>(dataset: &Dataset<'a>, recipe: &'a KaggleRecipe) -> Dataset<'a> {
    Dataset { license: recipe.license.as_deref().unwrap_or(dataset.license), ..*dataset }
}

fn page<'a>(recipe: &'a KaggleRecipe, line: &str, loading: String) -> Page<'a> {
    let description = recipe.description.as_ref().map(|text| text.trim().to_owned());
    Page {
        title: &recipe.title,
        lead: recipe.subtitle.clone().into_iter().chain(description).collect(),
        files: format!("{line}\n{}", readme::manifest_line()),
        loading,
    }
}

/// Writes what tells Kaggle and people of the folder, the last files of all, and puts it in its place.
fn describe(
    dataset: &Dataset<'_>,
    recipe: &KaggleRecipe,
    (page, cover): (&Page<'_>, &[u8]),
    (version, sums): (String, &Sums<'_>),
    staging: Staging,
) -> Result<Written, ExportError> {
    let new = staging.path();
    let body = page.body(dataset, &version);
    files::create(&new.join(README_FILE), (page.heading() + &body).as_bytes())?;
    files::create(&new.join(COVER_FILE), cover)?;
    let mut names: BTreeSet<String> = staging.names()?.into_iter().collect();
    names.extend([CHECKSUMS_FILE, METADATA_FILE].map(str::to_owned));
    let json = metadata(dataset, recipe, (&body, &version), &names)?;
    files::create(&new.join(METADATA_FILE), json.as_bytes())?;
    papers::close(staging, sums, version)
}

/// A piece of an archive.
enum Part<'a> {
    /// Classes without a picture.
    Empty(Vec<&'a str>),
    Pictures(&'a [&'a Row<'a>]),
}

/// Writes the pictures of one split.
fn write_archive(
    dataset: &Dataset<'_>,
    split: Split,
    rows: &[&Row<'_>],
    new: &Path,
) -> Result<(String, Sum), ExportError> {
    let prefix = format!("{split}/");
    let filled: BTreeSet<&Label> = rows.iter().map(|row| &row.picture.label).collect();
    let empty: BTreeSet<&Label> = dataset.classes.iter().collect();
    let empty = empty.difference(&filled).map(|label| label.as_str()).collect();
    let name = archive_name(split);
    let path = new.join(&name);
    let make = |part: &Part<'_>, piece: &mut Vec<u8>| match part {
        Part::Empty(classes) => classes
            .iter()
            .map(|class| archive::add_folder(piece, class).map_err(ExportError::write(&path)))
            .collect(),
        Part::Pictures(rows) => rows
            .iter()
            .map(|row| {
                let name = row.path.strip_prefix(&prefix).expect("a path begins with its split");
                let read = |piece: &mut Vec<u8>| crops::append(dataset, row, piece);
                archive::add(piece, name, read, |error| ExportError::write(&path)(error))
            })
            .collect::<Result<Vec<_>, _>>(),
    };
    let mut pieces = vec![Part::Empty(empty)];
    pieces.extend(crops::pieces(rows).into_iter().map(Part::Pictures));
    let close = |placed: Vec<_>, end| archive::directory(&placed, end);
    grown::write((new, &name), &pieces, make, close)
}

fn archives_line() -> &'static str {
    "- `train.zip`, `val.zip`, `test.zip`: one folder per class; a part without pictures has no \
     archive."
}

fn slug(recipe: &KaggleRecipe) -> &str {
    recipe.id.split_once('/').map_or("", |(_, slug)| slug)
}

fn loading_archives(recipe: &KaggleRecipe) -> String {
    format!(
        "On Kaggle the archives are unpacked already. Elsewhere:\n\n\
         ```python\n\
         import zipfile\n\
         from pathlib import Path\n\n\
         root = Path(\".\")  # where the files are; on Kaggle: Path(\"/kaggle/input/{}\")\n\
         for archive in root.glob(\"*.zip\"):\n\
         \x20   zipfile.ZipFile(archive).extractall(root / archive.stem)\n\
         ```\n\n\
         {}",
        slug(recipe),
        readme::loading_folders()
    )
}

fn loading_folders(recipe: &KaggleRecipe) -> String {
    format!(
        "```python\n\
         from pathlib import Path\n\n\
         root = Path(\".\")  # where the files are; on Kaggle: Path(\"/kaggle/input/{}\")\n\
         ```\n\n\
         {}",
        slug(recipe),
        readme::loading_folders()
    )
}
