//! The papers beside the pictures of every export: where each comes from, whom to thank, what was
//! taken back, on what terms, the datasheet, and the digests of it all.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, thread};

use rayon::prelude::*;

use super::{
    Dataset, ExportError, Row, Written, datasheet, files, grown::Summed, swap::Staging, tables,
};
use crate::domain::license;

pub(super) const MANIFEST_FILE: &str = "manifest.csv";
pub(super) const ATTRIBUTION_FILE: &str = "ATTRIBUTION.csv";
pub(super) const REMOVALS_FILE: &str = "REMOVALS.csv";
pub(super) const DATASHEET_FILE: &str = "DATASHEET.md";
pub(super) const LICENSE_FILE: &str = "LICENSE.md";
pub(super) const README_FILE: &str = "README.md";
pub(super) const CHECKSUMS_FILE: &str = "CHECKSUMS.sha256";

/// How many digits of the manifest's digest name a version.
const VERSION_DIGITS: usize = 12;

/// Whether an export lists its pictures in `manifest.csv` or in a table of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    InManifest,
    Elsewhere,
}

/// Returns the version of the dataset: the first digits of the digest of its manifest, under the
/// licence of the dataset whatever one form states.
pub(super) fn version(dataset: &Dataset<'_>, rows: &[Row<'_>]) -> String {
    first_digits(&tables::manifest_digest(rows, dataset.license, dataset.transform))
}

fn first_digits(digest: &str) -> String {
    digest[..VERSION_DIGITS].to_owned()
}

/// Writes all papers but the README and the checksums while `pictures` are written; returns what
/// became of these, and the version.
pub(super) fn write_beside<T>(
    dataset: &Dataset<'_>,
    rows: &[Row<'_>],
    (version, dir): (Option<String>, &Path),
    pictures: impl FnOnce() -> Result<T, ExportError>,
) -> Result<(T, String), ExportError> {
    thread::scope(|scope| {
        let papers = || write(dataset, rows, Listed::InManifest, (version, dir));
        let writing = scope.spawn(papers);
        let pictures = pictures();
        let version = writing.join().expect("writing papers does not panic");
        Ok((pictures?, version?))
    })
}

/// Writes all papers but the README and the checksums; returns the version, which is that of the
/// manifest unless another is told.
pub(super) fn write(
    dataset: &Dataset<'_>,
    rows: &[Row<'_>],
    listed: Listed,
    (told, dir): (Option<String>, &Path),
) -> Result<String, ExportError> {
    let (license, transform) = (dataset.license, dataset.transform);
    let own = match listed {
        Listed::InManifest => {
            let manifest = dir.join(MANIFEST_FILE);
            first_digits(&tables::write_manifest(&manifest, rows, license, transform)?)
        }
        Listed::Elsewhere => version(dataset, rows),
    };
    let version = told.unwrap_or(own);
    tables::write_attribution(&dir.join(ATTRIBUTION_FILE), rows, license)?;
    if !dataset.removals.is_empty() {
        tables::write_removals(&dir.join(REMOVALS_FILE), dataset.removals)?;
    }
    files::create(&dir.join(LICENSE_FILE), license_text(dataset).as_bytes())?;
    let datasheet = datasheet::text(dataset, &version);
    files::create(&dir.join(DATASHEET_FILE), datasheet.as_bytes())?;
    Ok(version)
}

/// The SHA-256 and the size of files that were told before, by their names.
pub(super) type Sums<'a> = BTreeMap<&'a str, (&'a str, u64)>;

/// Returns those of the pictures, which are copies of the prepared files.
pub(super) fn sums_of<'a>(rows: &'a [Row<'_>]) -> Sums<'a> {
    let sum = |row: &'a Row<'_>| {
        let crop = &row.picture.crop;
        (row.path.as_str(), (crop.sha256.as_str(), crop.size_bytes))
    };
    rows.iter().map(sum).collect()
}

/// Returns those of files that were summed while they were written.
pub(super) fn sums_along(summed: &Summed) -> Sums<'_> {
    let sums = summed.iter();
    sums.map(|(name, (digest, size_bytes))| (name.as_str(), (digest.as_str(), *size_bytes)))
        .collect()
}

/// Writes `CHECKSUMS.sha256`, the digests of all other files of the export, and puts it in its place;
/// those in `known` were taken before: when the files were written, or of the prepared files they are
/// copies of.
pub(super) fn close(
    staging: Staging,
    known: &Sums<'_>,
    version: String,
) -> Result<Written, ExportError> {
    let dir = staging.path();
    let mut names = staging.names()?;
    let sums: Vec<(String, u64)> = names
        .par_iter()
        .map(|name| match known.get(name.as_str()) {
            Some((digest, size_bytes)) => Ok(((*digest).to_owned(), *size_bytes)),
            None => files::sha256(&dir.join(name)),
        })
        .collect::<Result<_, ExportError>>()?;
    let mut text = String::new();
    let mut bytes = 0;
    for (name, (digest, size_bytes)) in names.iter().zip(&sums) {
        writeln!(text, "{digest}  {name}").expect("writing to a string cannot fail");
        bytes += size_bytes;
    }
    files::create(&dir.join(CHECKSUMS_FILE), text.as_bytes())?;
    bytes += u64::try_from(text.len()).expect("a list of names is small");
    names.push(CHECKSUMS_FILE.to_owned());
    let written = Written { files: names.len(), bytes, version };
    staging.commit(names)?;
    Ok(written)
}

/// Says on what terms the dataset may be used, and that it cannot speak for the pictures.
fn license_text(dataset: &Dataset<'_>) -> String {
    let name = dataset.license;
    let text = license::find(name).and_then(|it| it.url).map_or_else(
        || format!("The licence stated for this dataset is `{name}`: there is no general licence."),
        |url| format!("The licence stated for this dataset is `{name}`: <{url}>."),
    );
    format!(
        "# Licence\n\n{text}\n\n\
         It covers what the makers of the dataset made: the selection, the labels, the tables and \
         the texts. The pictures remain the property of those who made them; nobody granted \
         rights by posting them, and this dataset cannot grant any. `{ATTRIBUTION_FILE}` names \
         the poster and the post of every picture.\n\n{}\n",
        removal_request(dataset)
    )
}

/// Says how to have a picture removed.
pub(super) fn removal_request(dataset: &Dataset<'_>) -> String {
    let whom = dataset.contact.map_or_else(|| "the maintainer".to_owned(), |it| format!("`{it}`"));
    format!(
        "Whoever finds a picture of theirs here and wants it removed is asked to say so to \
         {whom}, with its `file_name`."
    )
}
