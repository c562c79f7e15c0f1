//! Two exports → what changed from the one to the other, read from their manifests.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::{hydrate::HYDRATE_FILE, papers::MANIFEST_FILE};
use crate::domain::manifest::{Changes, Entry, diff};

/// Why two exports could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    #[error(
        "`{}` is neither a manifest nor a folder with {MANIFEST_FILE} or {HYDRATE_FILE}",
        path.display()
    )]
    NoManifest { path: PathBuf },
    #[error("could not read `{}`", path.display())]
    Read { path: PathBuf, source: csv::Error },
    #[error("`{}` has no column `{column}`", path.display())]
    NoColumn { path: PathBuf, column: &'static str },
    #[error("`{}`, line {line}: `{file_name}` names no picture", path.display())]
    NoPicture { path: PathBuf, line: u64, file_name: String },
}

/// Compares two exports: folders, or the manifests in them. Of one dataset any two may be
/// compared, but digests in a list to fetch from are of other files than those in a manifest.
pub fn compare(old: &Path, new: &Path) -> Result<Changes, CompareError> {
    Ok(diff(&read(old)?, &read(new)?))
}

fn read(path: &Path) -> Result<Vec<Entry>, CompareError> {
    let path = if path.is_dir() {
        let files = [MANIFEST_FILE, HYDRATE_FILE].map(|name| path.join(name));
        files.into_iter().find(|file| file.is_file())
    } else {
        path.is_file().then(|| path.to_owned())
    }
    .ok_or_else(|| CompareError::NoManifest { path: path.to_owned() })?;
    let failed = |source| CompareError::Read { path: path.clone(), source };
    let file = File::open(&path).map_err(|error| failed(error.into()))?;
    let mut csv = csv::Reader::from_reader(file);
    let names = csv.headers().map_err(failed)?.clone();
    let column = |column: &'static str| {
        let at = names.iter().position(|name| name == column);
        at.ok_or_else(|| CompareError::NoColumn { path: path.clone(), column })
    };
    let at = [column("file_name")?, column("label")?, column("split")?, column("sha256")?];
    let mut entries = Vec::new();
    for record in csv.records() {
        let record = record.map_err(failed)?;
        let [file_name, label, split, sha256] =
            at.map(|at| record.get(at).unwrap_or_default().to_owned());
        let Some(picture) = Entry::picture_of(&file_name) else {
            let line = record.position().map_or(0, csv::Position::line);
            return Err(CompareError::NoPicture { path, line, file_name });
        };
        entries.push(Entry { picture, label, split, sha256 });
    }
    Ok(entries)
}
