//! Prepared files → their bytes, in order, read and checked on all cores, a handful in memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{
    Dataset, ExportError, Row,
    along::{self, Growing},
    files,
};
use crate::{
    domain::id::BlobId,
    store::files::{self as stored, Disk},
};

/// What is read together: twice as much is in memory, or two pictures that are larger.
const BATCH_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 8 << 20 };

/// Hands over the bytes of every picture in the order of `rows`, each checked against the digest
/// that was recorded when it was prepared. The next are read meanwhile.
pub(super) fn each(
    dataset: &Dataset<'_>,
    rows: &[&Row<'_>],
    growing: &mut Growing<'_>,
    mut take: impl FnMut(&Row<'_>, Vec<u8>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let read = |batch: &[&Row<'_>]| -> Result<Vec<Vec<u8>>, ExportError> {
        batch.par_iter().map(|row| checked(dataset, row)).collect()
    };
    let mut batches = batches(rows);
    let mut next = batches.next().map(|batch| (batch, read(batch)));
    while let Some((batch, bytes)) = next.take() {
        let bytes = bytes?;
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = batches.next().map(|batch| (batch, read(batch))));
            batch.iter().zip(bytes).try_for_each(|(row, bytes)| {
                let n_bytes = u64::try_from(bytes.len()).expect("a length fits 64 bits");
                take(row, bytes)?;
                growing.wrote(n_bytes);
                Ok(())
            })
        })?;
    }
    Ok(())
}

/// Makes every class in every split: a class missing in one would shift the numbers of the rest.
pub(super) fn make_class_folders(dataset: &Dataset<'_>, dir: &Path) -> Result<(), ExportError> {
    for folder in dataset.class_folders(dir) {
        fs::create_dir_all(&folder).map_err(ExportError::write(&folder))?;
    }
    Ok(())
}

/// How a picture is put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// In one step, so a kill leaves no half of it.
    Whole,
    /// In a folder nobody looks into before it is whole.
    Plainly,
}

/// Copies every picture to the path its row has below `dir`, whose folders are there. The caller
/// sees to it that the disk has everything before anything speaks of it ([`files::sync`]).
///
/// A link would be cheaper, but then an edit of an export would be an edit of what it is made of.
pub(super) fn copy_all<'a, 'b: 'a>(
    dataset: &Dataset<'_>,
    rows: impl IntoParallelIterator<Item = &'a Row<'b>>,
    (dir, put): (&Path, Put),
    disk: &Disk,
) -> Result<(), ExportError> {
    along::sync_along(disk, |along| {
        rows.into_par_iter().try_for_each(|row| {
            copy(dataset, row, (dir, put))?;
            along.wrote(row.picture.crop.size_bytes);
            Ok(())
        })
    })
}

fn copy(dataset: &Dataset<'_>, row: &Row<'_>, (dir, put): (&Path, Put)) -> Result<(), ExportError> {
    let bytes = checked(dataset, row)?;
    let path = dir.join(&row.path);
    match put {
        Put::Whole => stored::write_unsynced(&path, &bytes),
        Put::Plainly => stored::write_plainly(&path, &bytes),
    }
    .map_err(files::told)
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
    // Both digests were taken of the same bytes, and this one is taken in a fraction of the time.
    if BlobId::of(&bytes) == row.picture.crop.file {
        Ok(bytes)
    } else {
        let expected = row.picture.crop.file.to_string();
        Err(ExportError::Altered { path, expected })
    }
}
