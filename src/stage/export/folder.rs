//! Dataset → class folders, `train/cats/cats-….jpg`, as trainers and people like them.
//!
//! Files are copies, so that nothing done to them reaches the prepared ones. What is there
//! already stays, what changed is replaced, and of what is no longer in the dataset only files
//! go that we put there: the mark `.snapset` names them, and is written before they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    path::{Component, Path, PathBuf},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    Dataset, ExportError, Row,
    crops::{self, Put},
    files, swap,
};
use crate::{
    domain::{
        id::{BlobId, Label},
        split::Split,
    },
    store::files as stored,
};

const MARK_FILE: &str = ".snapset";
const EARLIER_TEMPORARY: &str = ".snapset-link";

/// A folder that holds the dataset, as far as the disk goes along.
#[derive(Debug)]
pub struct Filled {
    pub changes: Changes,
    /// The folder, and what its mark says once the disk has all of it; none if that stands there.
    due: Option<(PathBuf, Mark)>,
}

impl Filled {
    /// Takes the doubt out of the mark, once the disk has all that was written before.
    pub fn settle(&self) -> Result<(), ExportError> {
        let Some((dir, mark)) = &self.due else { return Ok(()) };
        let folders = crops::class_folders(dir, &mark.classes);
        folders.into_iter().try_for_each(|folder| files::sync_dir(&folder))?;
        Split::ALL.into_iter().try_for_each(|split| files::sync_dir(&dir.join(split.name())))?;
        write_mark(dir, mark)
    }
}

/// What became of the files of the folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub n_added: usize,
    pub n_replaced: usize,
    pub n_removed: usize,
    pub n_kept: usize,
}

/// What the mark file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    dataset: String,
    classes: BTreeSet<Label>,
    files: BTreeMap<String, Held>,
}

/// What the file at a path of ours is known to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Held {
    Crop(BlobId),
    /// A run began to write or remove it; only a look could tell how far it came.
    Unsure,
}

/// Makes `dir` hold the dataset: every class in every split, and every picture in its place. Its mark
/// is unsure of what was put there until [`Filled::settle`].
pub fn write_folder(dataset: &Dataset<'_>, dir: &Path) -> Result<Filled, ExportError> {
    let (rows, before) = rayon::join(|| dataset.rows(), || open(dir, dataset.name));
    let (rows, before) = (rows?, before?);
    let after = Mark {
        dataset: dataset.name.to_owned(),
        classes: dataset.classes.iter().cloned().collect(),
        files: rows
            .iter()
            .map(|row| (row.path.clone(), Held::Crop(row.picture.crop.file)))
            .collect(),
    };
    let (kept, due): (Vec<&Row<'_>>, Vec<_>) =
        rows.par_iter().partition(|row| is_there(dir, &before, row));
    let unclaimed: Vec<&String> =
        before.files.keys().filter(|path| !after.files.contains_key(*path)).collect();
    for row in &due {
        refuse_foreign(dir, &before, row)?;
    }

    fs::create_dir_all(dir).map_err(ExportError::write(dir))?;
    if before != after || !due.is_empty() {
        let unsure = due.iter().map(|row| &row.path).chain(unclaimed.iter().copied());
        write_mark(dir, &during(&before, unsure, &after.classes))?;
    }
    remove_temporaries(dir, &before)?;
    let mut changes = Changes { n_kept: kept.len(), ..Changes::default() };
    crops::make_class_folders(dataset, dir)?;
    for path in unclaimed {
        changes.n_removed += remove(&dir.join(path))?;
    }
    // What is there without being known to us was refused above.
    let is_known = |row: &&&Row<'_>| before.files.contains_key(&row.path);
    let known = due.iter().filter(is_known);
    changes.n_replaced = known.filter(|row| dir.join(&row.path).exists()).count();
    changes.n_added = due.len() - changes.n_replaced;
    crops::copy_all(dataset, due, (dir, Put::Whole))?;
    if before == after && changes.n_added + changes.n_replaced == 0 {
        return Ok(Filled { changes, due: None });
    }
    remove_empty_folders(dir, before.classes.difference(&after.classes))?;
    Ok(Filled { changes, due: Some((dir.to_owned(), after)) })
}

/// Reads the mark; a folder without one must be empty or not there.
fn open(dir: &Path, dataset: &str) -> Result<Mark, ExportError> {
    let path = dir.join(MARK_FILE);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let is_free = swap::names(dir)?.is_empty();
            let not_ours = ExportError::NotOurs { dir: dir.to_owned() };
            let fresh = Mark { dataset: dataset.to_owned(), ..Mark::default() };
            return if is_free { Ok(fresh) } else { Err(not_ours) };
        }
        Err(error) => return Err(ExportError::read(&path)(error)),
    };
    let mark: Mark = serde_json::from_slice(&text)
        .map_err(|source| ExportError::Mark { path: path.clone(), source })?;
    if mark.dataset != dataset {
        return Err(ExportError::OtherDataset { dir: dir.to_owned(), owner: mark.dataset });
    }
    match mark.files.keys().find(|file| !stays_inside(file)) {
        Some(file) => Err(ExportError::MarkEscapes { path, file: file.clone() }),
        None => Ok(mark),
    }
}

/// Tells whether a path of the mark is `split/class/file`: files elsewhere are never removed.
fn stays_inside(path: &str) -> bool {
    let parts: Vec<Component<'_>> = Path::new(path).components().collect();
    parts.len() == 3 && parts.iter().all(|part| matches!(part, Component::Normal(_)))
}

/// The mark while the folder changes: all that may be ours, and doubt where work is going on.
fn during<'a>(
    before: &Mark,
    unsure: impl Iterator<Item = &'a String>,
    classes: &BTreeSet<Label>,
) -> Mark {
    let mut mark = before.clone();
    mark.classes.extend(classes.iter().cloned());
    mark.files.extend(unsure.map(|path| (path.clone(), Held::Unsure)));
    mark
}

/// Tells whether the right file is in its place, as far as a look at its size can tell.
fn is_there(dir: &Path, before: &Mark, row: &Row<'_>) -> bool {
    let crop = &row.picture.crop;
    before.files.get(&row.path) == Some(&Held::Crop(crop.file))
        && fs::metadata(dir.join(&row.path))
            .is_ok_and(|file| file.is_file() && file.len() == crop.size_bytes)
}

/// Fails if somebody else's file is where ours is to be.
fn refuse_foreign(dir: &Path, before: &Mark, row: &Row<'_>) -> Result<(), ExportError> {
    let path = dir.join(&row.path);
    if !before.files.contains_key(&row.path) && path.exists() {
        return Err(ExportError::Foreign { path });
    }
    Ok(())
}

fn write_mark(dir: &Path, mark: &Mark) -> Result<(), ExportError> {
    let text = serde_json::to_string_pretty(mark).expect("a mark is plain text");
    files::replace(&dir.join(MARK_FILE), text.as_bytes())
}

/// Removes what a run that was killed left between copying and renaming, which only one does that
/// left its mark unsure.
fn remove_temporaries(dir: &Path, before: &Mark) -> Result<(), ExportError> {
    let doubted = before.files.iter().filter(|(_, held)| **held == Held::Unsure);
    let folders: BTreeSet<&Path> =
        doubted.filter_map(|(path, _)| Path::new(path).parent()).collect();
    if !folders.is_empty() {
        // Earlier versions had theirs in the folder itself.
        sweep(dir, |name| name.starts_with(EARLIER_TEMPORARY))?;
    }
    folders.into_iter().try_for_each(|folder| sweep(&dir.join(folder), stored::is_under_way))
}

/// Removes the files of a folder with such names.
fn sweep(folder: &Path, is_ours: impl Fn(&str) -> bool) -> Result<(), ExportError> {
    for path in stored::entries(folder).map_err(files::told)? {
        let is_named = path.file_name().and_then(OsStr::to_str).is_some_and(&is_ours);
        if is_named && path.is_file() {
            remove(&path)?;
        }
    }
    Ok(())
}

/// Removes a file that may be gone already; returns how many that were.
fn remove(path: &Path) -> Result<usize, ExportError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(1),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(ExportError::write(path)(error)),
    }
}

/// Removes the folders of classes that are no more, unless somebody keeps something there.
fn remove_empty_folders<'a>(
    dir: &Path,
    classes: impl Iterator<Item = &'a Label>,
) -> Result<(), ExportError> {
    for label in classes {
        for split in Split::ALL {
            let folder = dir.join(split.name()).join(label.as_str());
            match fs::remove_dir(&folder) {
                Err(error)
                    if ![io::ErrorKind::NotFound, io::ErrorKind::DirectoryNotEmpty]
                        .contains(&error.kind()) =>
                {
                    return Err(ExportError::write(&folder)(error));
                }
                Ok(()) | Err(_) => (),
            }
        }
    }
    Ok(())
}
