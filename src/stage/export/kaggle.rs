//! Dataset → a folder that `kaggle datasets create -p` takes as it is.
//!
//! The same dataset and recipe give the same bytes on every machine and in every run. The folder
//! is written beside its place and swapped in whole, so a crash leaves the old one or the new.

use std::{collections::BTreeSet, fmt::Write as _, fs::File, io::BufWriter, path::Path};

use super::{
    Dataset, ExportError, Row, archive,
    archive::Entry,
    files,
    metadata::{
        ATTRIBUTION_FILE, CHECKSUMS_FILE, MANIFEST_FILE, README_FILE, REMOVALS_FILE, archive_name,
        metadata,
    },
    readme,
    swap::{self, Staging},
    tables,
};
use crate::domain::{
    id::Label,
    kaggle::{COVER_FILE, KaggleRecipe, METADATA_FILE},
    split::Split,
};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub files: usize,
    pub bytes: u64,
    /// Digits of the manifest's digest: equal pictures and provenance, equal version.
    pub version: String,
}

/// Writes the folder `dir`, or leaves what was there; `cover` is a JPEG of 560×280.
pub fn write_kaggle(
    dataset: &Dataset<'_>,
    recipe: &KaggleRecipe,
    cover: &[u8],
    dir: &Path,
) -> Result<Written, ExportError> {
    recipe.check().map_err(ExportError::Kaggle)?;
    let rows = dataset.rows()?;
    if rows.is_empty() {
        return Err(ExportError::Empty);
    }
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    for split in Split::ALL {
        write_archive(dataset, split, &rows, new)?;
    }
    let manifest = new.join(MANIFEST_FILE);
    tables::write_manifest(&manifest, &rows, &recipe.license, dataset.transform)?;
    tables::write_attribution(&new.join(ATTRIBUTION_FILE), &rows, &recipe.license)?;
    if !dataset.removals.is_empty() {
        tables::write_removals(&new.join(REMOVALS_FILE), dataset.removals)?;
    }
    let version = files::sha256(&manifest)?.0[..12].to_owned();
    let body = readme::body(dataset, recipe, &version);
    files::create(&new.join(README_FILE), (readme::heading(recipe) + &body).as_bytes())?;
    files::create(&new.join(COVER_FILE), cover)?;

    let mut names: BTreeSet<String> = swap::names(new)?.into_iter().collect();
    names.extend([CHECKSUMS_FILE, METADATA_FILE].map(str::to_owned));
    let json = metadata(dataset, recipe, (&body, &version), &names)?;
    files::create(&new.join(METADATA_FILE), json.as_bytes())?;
    let bytes = write_checksums(new, &names)?;
    staging.commit()?;
    Ok(Written { files: names.len(), bytes, version })
}

/// Takes back an export that is no longer wanted or has no picture left: what is ours goes.
pub fn withdraw(dataset: &str, dir: &Path) -> Result<(), ExportError> {
    if dir.exists() { Staging::begin(dir, dataset)?.commit() } else { Ok(()) }
}

/// Writes the pictures of one split; none if it has no picture.
fn write_archive(
    dataset: &Dataset<'_>,
    split: Split,
    rows: &[Row<'_>],
    dir: &Path,
) -> Result<(), ExportError> {
    let prefix = format!("{split}/");
    let rows: Vec<&Row<'_>> = rows.iter().filter(|row| row.picture.split == split).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let mut empty: Vec<&str> = dataset
        .classes
        .iter()
        .filter(|label| rows.iter().all(|row| row.picture.label != **label))
        .map(Label::as_str)
        .collect();
    empty.sort_unstable();
    let entries = rows.iter().map(|row| Entry {
        name: row.path.strip_prefix(&prefix).expect("a path begins with its split"),
        file: (dataset.crops)(row.picture),
        sha256: &row.picture.crop.sha256,
    });
    let path = dir.join(archive_name(split));
    let file = File::create(&path).map_err(ExportError::write(&path))?;
    let buffered = BufWriter::with_capacity(files::BUFFER_BYTES, file);
    let buffered = archive::write(buffered, &path, &empty, entries)?;
    buffered
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .map_err(ExportError::write(&path))
}

/// Writes the digests of all other files; returns the size of everything.
fn write_checksums(dir: &Path, names: &BTreeSet<String>) -> Result<u64, ExportError> {
    let mut text = String::new();
    let mut size_bytes = 0;
    for name in names.iter().filter(|name| *name != CHECKSUMS_FILE) {
        let (digest, n_bytes) = files::sha256(&dir.join(name))?;
        writeln!(text, "{digest}  {name}").expect("writing to a string cannot fail");
        size_bytes += n_bytes;
    }
    files::create(&dir.join(CHECKSUMS_FILE), text.as_bytes())?;
    Ok(size_bytes + u64::try_from(text.len()).expect("a list of names is small"))
}
