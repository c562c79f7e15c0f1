//! The tables of an export: where every picture comes from and whom to thank.
//!
//! Text goes out as people wrote it, but for what would run as a formula in a spreadsheet or
//! tell about the machine the dataset was made on.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Write},
    iter,
    path::Path,
};

use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{ExportError, Row};
use crate::{
    domain::{
        bytes::hex,
        deletion::Removal,
        kaggle::{
            Column,
            ColumnType::{self, Integer, Text},
        },
    },
    store::files as stored,
};

/// How many rows are put into words before they are written: some megabytes of them.
const BLOCK_ROWS: usize = 8192;

/// How many of them one thread does at a time.
const PART_ROWS: usize = 256;

pub(super) const MANIFEST: [Column; 22] = [
    column("file_name", Text, "Path of the picture once the archives are unpacked."),
    column("label", Text, "The class."),
    column("split", Text, "The part of the dataset: train, val or test."),
    column("sha256", Text, "SHA-256 of the file."),
    column(
        "phash",
        Text,
        "256-bit perceptual hash of the source picture; near pictures differ little.",
    ),
    column("width", Integer, "Width of the file in pixels."),
    column("height", Integer, "Height of the file in pixels."),
    column("bytes", Integer, "Size of the file in bytes."),
    column("source_w", Integer, "Width of the source picture in pixels."),
    column("source_h", Integer, "Height of the source picture in pixels."),
    column("post_id", Text, "The post, as its source names it."),
    column("permalink", Text, "Where the post can be read."),
    column("image_url", Text, "Where the picture was fetched."),
    column("gallery_index", Integer, "Place of the picture in its post, counted from 0."),
    column("place", Text, "Where it was posted."),
    column("title", Text, "Title of the post; a leading ' keeps spreadsheets from running it."),
    column("author", Text, "Who posted it; empty if the account is gone."),
    column("created_utc", Integer, "When it was posted, in seconds since 1970-01-01 UTC."),
    column("score", Integer, "Score of the post when it was collected."),
    column(
        "group_id",
        Text,
        "Pictures that show the same have the same group, always in one split.",
    ),
    column("license", Text, "Licence stated for the dataset."),
    column("transform", Text, "How the file was made from the source picture."),
];

pub(super) const ATTRIBUTION: [Column; 7] = [
    column("file_name", Text, "Path of the picture once the archives are unpacked."),
    column("title", Text, "Title of the post; a leading ' keeps spreadsheets from running it."),
    column("author", Text, "Who posted it; empty if the account is gone."),
    column("place", Text, "Where it was posted."),
    column("permalink", Text, "Where the post can be read."),
    column("image_url", Text, "Where the picture was fetched."),
    column("license", Text, "Licence stated for the dataset."),
];

pub(super) const REMOVALS: [Column; 5] = [
    column("file_name", Text, "Path the picture had once the archives were unpacked."),
    column("label", Text, "The class it was in."),
    column("split", Text, "The part of the dataset it was in."),
    column("reason", Text, "Why it is not in the dataset any more."),
    column("noticed_on", Text, "The day it was noticed, in UTC."),
];

pub(super) const HYDRATE: [Column; 10] = [
    column("url", Text, "Where the picture can be fetched."),
    column("label", Text, "The class."),
    column("split", Text, "The part of the dataset: train, val or test."),
    column("sha256", Text, "SHA-256 of the file at the address."),
    column("blake3", Text, "BLAKE3 of the file at the address."),
    column("file_name", Text, "Path of the prepared picture in the dataset."),
    column("post_id", Text, "The post, as its source names it."),
    column("gallery_index", Integer, "Place of the picture in its post, counted from 0."),
    column("permalink", Text, "Where the post can be read."),
    column("place", Text, "Where it was posted."),
];

const fn column(name: &'static str, kind: ColumnType, description: &'static str) -> Column {
    Column { name, kind, description }
}

/// One cell of a table, as it is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Cell<'a> {
    Text(Cow<'a, str>),
    /// A number that may be unknown.
    Integer(Option<i64>),
}

impl<'a> Cell<'a> {
    /// Writes the cell so that no spreadsheet runs it.
    fn printed(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => cell(text),
            Self::Integer(number) => number.map(|it| it.to_string()).unwrap_or_default().into(),
        }
    }
}

/// Writes the row of every picture with all that is known of it; returns the SHA-256 of the file.
pub(super) fn write_manifest(
    path: &Path,
    rows: &[Row<'_>],
    license: &str,
    transform: &str,
) -> Result<String, ExportError> {
    let file = File::create(path).map_err(ExportError::write(path))?;
    let mut sum = Sum { hasher: Sha256::new(), file: Some(&file) };
    write_records(&mut sum, MANIFEST.map(|it| it.name), rows, |row| {
        manifest_cells(row, license, transform).map(Cell::printed)
    })
    .and_then(|()| stored::leave(&file))
    .map_err(ExportError::write(path))?;
    Ok(hex(&sum.hasher.finalize()))
}

/// Returns the SHA-256 the manifest has or would have.
pub(super) fn manifest_digest(rows: &[Row<'_>], license: &str, transform: &str) -> String {
    let mut sum = Sum { hasher: Sha256::new(), file: None };
    write_records(&mut sum, MANIFEST.map(|it| it.name), rows, |row| {
        manifest_cells(row, license, transform).map(Cell::printed)
    })
    .expect("a sum takes everything");
    hex(&sum.hasher.finalize())
}

/// A writer that takes the digest of what goes to the file, if there is one.
struct Sum<'a> {
    hasher: Sha256,
    file: Option<&'a File>,
}

impl Write for Sum<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_bytes = self.file.map_or(Ok(bytes.len()), |mut file| file.write(bytes))?;
        self.hasher.update(&bytes[..n_bytes]);
        Ok(n_bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns all that is known of a picture, in the order of [`MANIFEST`].
pub(super) fn manifest_cells<'a>(
    Row { picture, path }: &'a Row<'_>,
    license: &'a str,
    transform: &'a str,
) -> [Cell<'a>; MANIFEST.len()] {
    let from = &picture.provenance;
    let crop = &picture.crop;
    let text = |text: &'a str| Cell::Text(text.into());
    let number = |n: i64| Cell::Integer(Some(n));
    [
        text(path),
        text(picture.label.as_str()),
        text(picture.split.name()),
        text(&crop.sha256),
        Cell::Text(picture.hash.to_string().into()),
        number(crop.width_px.into()),
        number(crop.height_px.into()),
        Cell::Integer(i64::try_from(crop.size_bytes).ok()), // A size beyond that is no file's.
        number(picture.source_width_px.into()),
        number(picture.source_height_px.into()),
        Cell::Text(shareable(&from.post.0)),
        Cell::Text(shareable(&from.permalink)),
        Cell::Text(shareable(&from.url.0)),
        number(from.index.into()),
        Cell::Text(shareable(&from.place)),
        text(&from.title),
        text(from.author.as_deref().unwrap_or_default()),
        Cell::Integer(from.created_utc),
        number(from.score),
        Cell::Text(picture.leak_group.short().into()),
        text(license),
        text(transform),
    ]
}

/// Writes whom every picture is owed to.
pub(super) fn write_attribution(
    path: &Path,
    rows: &[Row<'_>],
    license: &str,
) -> Result<(), ExportError> {
    write(path, ATTRIBUTION.map(|it| it.name), rows, |Row { picture, path }| {
        let from = &picture.provenance;
        [
            path.into(),
            cell(from.title.as_str().into()),
            cell(from.author.as_deref().unwrap_or_default().into()),
            cell(shareable(&from.place)),
            cell(shareable(&from.permalink)),
            cell(shareable(&from.url.0)),
            license.into(),
        ]
    })
}

/// A picture of the list from which others fetch it.
pub(super) struct HydrateRow<'a> {
    pub(super) row: &'a Row<'a>,
    pub(super) url: Cow<'a, str>,
    /// Of the file as it was fetched.
    pub(super) sha256: String,
}

/// Writes where every picture can be fetched and how it is known again.
pub(super) fn write_hydrate(path: &Path, listed: &[HydrateRow<'_>]) -> Result<(), ExportError> {
    write(
        path,
        HYDRATE.map(|it| it.name),
        listed,
        |HydrateRow { row: Row { picture, path }, url, sha256 }| {
            let from = &picture.provenance;
            [
                Cow::Borrowed(&**url),
                picture.label.as_str().into(),
                picture.split.name().into(),
                sha256.into(),
                picture.blob.to_string().into(),
                path.into(),
                cell(shareable(&from.post.0)),
                from.index.to_string().into(),
                cell(shareable(&from.permalink)),
                cell(shareable(&from.place)),
            ]
        },
    )
}

/// Writes what was taken back, for those who have an earlier version.
pub(super) fn write_removals(path: &Path, removals: &[Removal]) -> Result<(), ExportError> {
    write(path, REMOVALS.map(|it| it.name), removals, |removal| {
        [
            format!("{}/{}/{}", removal.split, removal.label, removal.file_name),
            removal.label.to_string(),
            removal.split.to_string(),
            removal.why.name().to_owned(),
            removal.noticed_on.to_string(),
        ]
    })
}

/// Writes a table, a record for each of `rows`.
pub(super) fn write<'a, T: Sync, C: AsRef<str>, const N: usize>(
    path: &Path,
    columns: [&str; N],
    rows: &'a [T],
    record: impl Fn(&'a T) -> [C; N] + Sync,
) -> Result<(), ExportError> {
    let file = File::create(path).map_err(ExportError::write(path))?;
    let written = write_records(&file, columns, rows, record);
    written.and_then(|()| stored::leave(&file)).map_err(ExportError::write(path))
}

/// Puts records into words on all cores, and writes them in their order.
fn write_records<'a, T: Sync, C: AsRef<str>, const N: usize>(
    mut out: impl Write,
    columns: [&str; N],
    rows: &'a [T],
    record: impl Fn(&'a T) -> [C; N] + Sync,
) -> io::Result<()> {
    out.write_all(&lines(iter::once(columns)))?;
    let part = |rows: &'a [T]| lines(rows.iter().map(&record));
    for block in rows.chunks(BLOCK_ROWS) {
        let parts: Vec<Vec<u8>> = block.par_chunks(PART_ROWS).map(part).collect();
        parts.iter().try_for_each(|part| out.write_all(part))?;
    }
    Ok(())
}

fn lines<C: AsRef<str>, const N: usize>(records: impl Iterator<Item = [C; N]>) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for record in records {
        csv.write_record(record.iter().map(AsRef::as_ref)).expect("memory takes every record");
    }
    csv.into_inner().expect("memory takes every record")
}

/// Makes `text` harmless in a spreadsheet: what begins like a formula gets a `'` in front.
fn cell(text: Cow<'_, str>) -> Cow<'_, str> {
    const STARTS: [char; 11] =
        ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    let is_harmful = |c: char| c.is_control() && !matches!(c, '\t' | '\r' | '\n');
    let text =
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) || !text.contains(is_harmful) {
            text
        } else {
            text.replace(is_harmful, "").into()
        };
    if text.starts_with(STARTS) { format!("'{text}").into() } else { text }
}

/// Returns an address as it may be published: without the demo site's mark, and of a file on
/// this machine only the name.
pub(super) fn shareable(address: &str) -> Cow<'_, str> {
    let address = address.strip_prefix("demo+").unwrap_or(address);
    if address.starts_with("https://") || address.starts_with("http://") {
        return address.into();
    }
    // One letter before the colon is a drive, not a kind.
    let (kind, rest) = match address.split_once(':') {
        Some((kind, rest)) if 1 < kind.len() && !kind.contains(['/', '\\']) => (kind, rest),
        Some(_) | None => ("", address),
    };
    let (path, tail) = match rest.rsplit_once('#') {
        Some((path, place)) if matches!(kind, "dump" | "urls" | "archive") => {
            (path, format!("#{place}"))
        }
        Some(_) | None => (rest, String::new()),
    };
    let is_absolute = path.starts_with(['/', '\\', '~']) || path.get(1..2) == Some(":");
    if !is_absolute {
        return address.into();
    }
    let name = path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or_default();
    let colon = if kind.is_empty() { "" } else { ":" };
    format!("{kind}{colon}{name}{tail}").into()
}

#[cfg(test)]
mod tests;
