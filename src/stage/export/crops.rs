//! Prepared files → their bytes, read and checked, a handful in memory.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use rayon::{ThreadPoolBuilder, prelude::*};

use super::{Dataset, ExportError, Row, files, grown::PIECE_BYTES};
use crate::{
    domain::{id::Label, split::Split},
    store::files as stored,
};

/// Pictures copied at the same time, for each core: most wait for the disk.
const THREADS_PER_CORE: usize = 4;

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
            bytes.clear();
            append(dataset, row, bytes)?;
            let path = dir.join(&row.path);
            match put {
                Put::Whole => stored::write_unsynced(&path, bytes),
                Put::Plainly => stored::write_plainly(&path, bytes),
            }
            .map_err(files::told)
        })
    })
}

/// Lists the splits that have pictures, each with its rows.
pub(super) fn parts<'a, 'b>(rows: &'b [Row<'a>]) -> Vec<(Split, Vec<&'b Row<'a>>)> {
    let of = |split| rows.iter().filter(move |row| row.picture.split == split).collect();
    let mut parts: Vec<(Split, Vec<_>)> = Split::ALL.map(|split| (split, of(split))).into();
    parts.retain(|(_, rows)| !rows.is_empty());
    parts
}

/// Cuts the rows into pieces of a file that is made of their pictures.
pub(super) fn pieces<'a, 'b>(rows: &'b [&'a Row<'a>]) -> Vec<&'b [&'a Row<'a>]> {
    cut(rows, usize::MAX, PIECE_BYTES)
}

/// Cuts the rows where there would be more than `n_max` of them, or more than `bytes_max` of
/// pictures.
pub(super) fn cut<'a, 'b>(
    rows: &'b [&'a Row<'a>],
    n_max: usize,
    bytes_max: u64,
) -> Vec<&'b [&'a Row<'a>]> {
    let mut cut = Vec::new();
    let (mut start, mut size_bytes) = (0, 0);
    for (at, row) in rows.iter().enumerate() {
        let own = row.picture.crop.size_bytes;
        if start < at && (at - start == n_max || bytes_max < size_bytes + own) {
            cut.push(&rows[start..at]);
            (start, size_bytes) = (at, 0);
        }
        size_bytes += own;
    }
    if start < rows.len() {
        cut.push(&rows[start..]);
    }
    cut
}

/// Reads a prepared file to the end of `bytes`, and checks it against what was recorded when it was
/// prepared.
pub(super) fn append(
    dataset: &Dataset<'_>,
    row: &Row<'_>,
    bytes: &mut Vec<u8>,
) -> Result<(), ExportError> {
    let path: PathBuf = (dataset.crops)(row.picture);
    let crop = &row.picture.crop;
    let begin = bytes.len();
    // A byte more than there should be: who asks how many there are asks once more of each file.
    File::open(&path)
        .and_then(|file| file.take(crop.size_bytes + 1).read_to_end(bytes))
        .map_err(ExportError::read(&path))?;
    if crop.is_of(&bytes[begin..]) {
        Ok(())
    } else {
        Err(ExportError::Altered { path, expected: crop.file.to_string() })
    }
}
