//! Prepared files → their bytes, in order, read and checked on all cores, a handful in memory.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    mem,
    path::{Path, PathBuf},
};

use rayon::{ThreadPoolBuilder, prelude::*};

use super::{Dataset, ExportError, Row, files};
use crate::{
    domain::{id::Label, split::Split},
    store::files as stored,
};

/// What is read together: twice as much is in memory, or two pictures that are larger.
const BATCH_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 8 << 20 };

/// Pictures copied at the same time, for each core: most wait for the disk.
const THREADS_PER_CORE: usize = 4;

/// Hands over the bytes of every picture in the order of `rows`, each checked against what
/// was recorded when it was prepared. The next are read meanwhile. Bytes that are left where
/// they were handed over make room for others.
pub(super) fn each(
    dataset: &Dataset<'_>,
    rows: &[&Row<'_>],
    mut take: impl FnMut(&Row<'_>, &mut Vec<u8>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let read = |batch: &[&Row<'_>], mut room: Vec<Vec<u8>>| {
        room.resize_with(batch.len(), Vec::new);
        let pairs = batch.par_iter().zip(&mut room);
        let read = pairs.try_for_each(|(row, bytes)| checked(dataset, row, bytes));
        read.map(|()| room)
    };
    let mut room = Vec::new();
    let mut batches = batches(rows);
    let mut next = batches.next().map(|batch| (batch, read(batch, Vec::new())));
    while let Some((batch, bytes)) = next.take() {
        let mut bytes = bytes?;
        let spare = mem::take(&mut room);
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| next = batches.next().map(|batch| (batch, read(batch, spare))));
            batch.iter().zip(&mut bytes).try_for_each(|(row, bytes)| take(row, bytes))
        })?;
        room = bytes;
    }
    Ok(())
}

/// Makes the folder of every class in every split.
pub(super) fn make_class_folders(dataset: &Dataset<'_>, dir: &Path) -> Result<(), ExportError> {
    class_folders(dir, dataset.classes)
        .into_iter()
        .try_for_each(|folder| fs::create_dir_all(&folder).map_err(ExportError::write(&folder)))
}

/// Lists the folder of every class in every split, also of those without a picture: a class missing
/// in one would shift the numbers of the rest.
pub(super) fn class_folders<'a>(
    dir: &Path,
    classes: impl IntoIterator<Item = &'a Label>,
) -> Vec<PathBuf> {
    let of = |label: &Label| Split::ALL.map(|split| dir.join(split.name()).join(label.as_str()));
    classes.into_iter().flat_map(of).collect()
}

/// How a picture is put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// In one step, so a kill leaves no half of it.
    Whole,
    /// In a folder nobody looks into before it is whole.
    Plainly,
}

/// Copies every picture to the path its row has below `dir`, whose folders are there. That the disk
/// has them is seen to later (`settling`).
///
/// A link would be cheaper, but then an edit of an export would be an edit of what it is made of.
pub(super) fn copy_all<'a, 'b: 'a>(
    dataset: &Dataset<'_>,
    rows: impl IntoParallelIterator<Item = &'a Row<'b>> + Send,
    (dir, put): (&Path, Put),
) -> Result<(), ExportError> {
    let n_threads = rayon::current_num_threads() * THREADS_PER_CORE;
    let threads = ThreadPoolBuilder::new().num_threads(n_threads).build();
    let failed = |error| ExportError::write(dir)(io::Error::other(error));
    threads.map_err(failed)?.install(|| {
        rows.into_par_iter().try_for_each_init(Vec::new, |bytes, row| {
            checked(dataset, row, bytes)?;
            let path = dir.join(&row.path);
            match put {
                Put::Whole => stored::write_unsynced(&path, bytes),
                Put::Plainly => stored::write_plainly(&path, bytes),
            }
            .map_err(files::told)
        })
    })
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

/// Reads a prepared file into `bytes`, in the place of what is there.
fn checked(dataset: &Dataset<'_>, row: &Row<'_>, bytes: &mut Vec<u8>) -> Result<(), ExportError> {
    let path: PathBuf = (dataset.crops)(row.picture);
    let crop = &row.picture.crop;
    bytes.clear();
    // A byte more than there should be: who asks how many there are asks once more of each file.
    File::open(&path)
        .and_then(|file| file.take(crop.size_bytes + 1).read_to_end(bytes))
        .map_err(ExportError::read(&path))?;
    if crop.is_of(bytes) {
        Ok(())
    } else {
        Err(ExportError::Altered { path, expected: crop.file.to_string() })
    }
}
