//! Prepared files → their bytes, in order, read and checked on all cores, a handful in memory.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use rayon::prelude::*;

use super::{Dataset, ExportError, Row};
use crate::{
    domain::id::BlobId,
    store::files::{self as stored, FileError},
};

/// What is in memory at a time, but for a single picture that is larger.
const BATCH_BYTES: u64 = 8 << 20;

/// After how many bytes the disk is given what was copied.
const SYNC_BYTES: u64 = 64 << 20;

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
/// sees to it that the disk has everything ([`sync`]) before anything speaks of it; it is given
/// what was copied while more is.
///
/// A link would be cheaper, but then an edit of an export would be an edit of what it is made of.
pub(super) fn copy_all<'a, 'b: 'a>(
    dataset: &Dataset<'_>,
    rows: impl IntoParallelIterator<Item = &'a Row<'b>>,
    (dir, put): (&Path, Put),
) -> Result<(), ExportError> {
    let n_bytes = AtomicU64::new(0);
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let syncing = scope.spawn(move || {
            told.iter().try_for_each(|()| {
                while told.try_recv().is_ok() {} // One wait does for all that were asked for.
                sync(dir)
            })
        });
        let copied = rows.into_par_iter().try_for_each(|row| {
            copy(dataset, row, (dir, put))?;
            let size_bytes = row.picture.crop.size_bytes;
            let before = n_bytes.fetch_add(size_bytes, Ordering::Relaxed);
            if before / SYNC_BYTES < (before + size_bytes) / SYNC_BYTES {
                _ = tell.send(()); // Nobody listens after trouble, which is told below.
            }
            Ok(())
        });
        drop(tell);
        let synced = syncing.join().expect("a wait for the disk does not panic");
        copied.and(synced)
    })
}

fn copy(dataset: &Dataset<'_>, row: &Row<'_>, (dir, put): (&Path, Put)) -> Result<(), ExportError> {
    let bytes = checked(dataset, row)?;
    let path = dir.join(&row.path);
    match put {
        Put::Whole => stored::write_unsynced(&path, &bytes),
        Put::Plainly => stored::write_plainly(&path, &bytes),
    }
    .map_err(told)
}

/// Does some work while the disk is given what was written in and below `dir` so far.
pub(super) fn sync_meanwhile<T>(
    dir: &Path,
    work: impl FnOnce() -> Result<T, ExportError> + Send,
) -> Result<T, ExportError>
where
    T: Send,
{
    let (synced, done) = rayon::join(|| sync(dir), work);
    synced.and(done)
}

/// Waits until the disk has everything that was written in and below `dir`.
pub(super) fn sync(dir: &Path) -> Result<(), ExportError> {
    stored::sync_all_below(dir).map_err(told)
}

pub(super) fn told(error: FileError) -> ExportError {
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
    // Both digests were taken of the same bytes, and this one is taken in a fraction of the time.
    if BlobId::of(&bytes) == row.picture.crop.file {
        Ok(bytes)
    } else {
        let expected = row.picture.crop.file.to_string();
        Err(ExportError::Altered { path, expected })
    }
}
