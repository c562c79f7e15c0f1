//! Prepared files → their bytes, in order, read and checked on all cores, a handful in memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{Dataset, ExportError, Row};
use crate::{
    domain::bytes::hex,
    store::files::{self as stored, FileError},
};

/// What is in memory at a time, but for a single picture that is larger.
const BATCH_BYTES: u64 = 8 << 20;

/// Hands over the bytes of every picture in the order of `rows`, each checked against the digest
/// that was recorded when it was prepared.
pub(super) fn each(
    dataset: &Dataset<'_>,
    rows: &[&Row<'_>],
    mut take: impl FnMut(&Row<'_>, Vec<u8>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    for batch in batches(rows) {
        let read: Vec<Vec<u8>> =
            batch.par_iter().map(|row| checked(dataset, row)).collect::<Result<_, _>>()?;
        batch.iter().zip(read).try_for_each(|(row, bytes)| take(row, bytes))?;
    }
    Ok(())
}

/// Copies every picture to the path its row has below `dir`. The folders are made; the caller
/// sees to it that the disk has everything ([`sync`]) before anything speaks of it.
pub(super) fn copy_all(
    dataset: &Dataset<'_>,
    rows: &[Row<'_>],
    dir: &Path,
) -> Result<(), ExportError> {
    for folder in dataset.class_folders(dir) {
        fs::create_dir_all(&folder).map_err(ExportError::write(&folder))?;
    }
    rows.par_iter().try_for_each(|row| {
        let bytes = checked(dataset, row)?;
        let path = dir.join(&row.path);
        stored::write_unsynced(&path, &bytes).map_err(told)
    })
}

/// Waits until the disk has everything that was written in and below `dir`.
pub(super) fn sync(dir: &Path) -> Result<(), ExportError> {
    stored::sync_all_below(dir).map_err(told)
}

fn told(error: FileError) -> ExportError {
    match error {
        FileError::Write { path, source } | FileError::MakeFolder { path, source } => {
            ExportError::write(&path)(source)
        }
        FileError::Read { path, source } => ExportError::read(&path)(source),
    }
}

fn batches<'a, 'b>(rows: &'b [&'a Row<'a>]) -> impl Iterator<Item = &'b [&'a Row<'a>]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut size_bytes = 0;
        let fits = |row: &&Row<'_>| {
            size_bytes += row.picture.crop.size_bytes;
            size_bytes <= BATCH_BYTES
        };
        let n = rest.iter().copied().take_while(fits).count().max(1).min(rest.len());
        let (batch, after) = rest.split_at(n);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

fn checked(dataset: &Dataset<'_>, row: &Row<'_>) -> Result<Vec<u8>, ExportError> {
    let path: PathBuf = (dataset.crops)(row.picture);
    let bytes = fs::read(&path).map_err(ExportError::read(&path))?;
    let expected = &row.picture.crop.sha256;
    if hex(&Sha256::digest(&bytes)) == *expected {
        Ok(bytes)
    } else {
        Err(ExportError::Altered { path, expected: expected.clone() })
    }
}
