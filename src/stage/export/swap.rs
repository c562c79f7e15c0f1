//! A whole folder, replaced at once.
//!
//! The new folder grows beside the old one, `.kaggle.new`, and takes its place by two renames;
//! the old one waits as `.kaggle.old` until the disk has all of the new one ([`settle`]). A mark
//! beside them, `.kaggle.snapset`, names every file we ever put there and is always written first,
//! so anything else is known to be somebody's and refused. The mark is outside, so it is never
//! uploaded.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{ExportError, files};

/// A folder in the making; dropped without `commit`, it vanishes.
#[derive(Debug)]
pub(super) struct Staging {
    dir: PathBuf,
    parent: PathBuf,
    new: PathBuf,
    old: PathBuf,
    mark_path: PathBuf,
    mark: Mark,
}

/// What the mark file says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    dataset: String,
    files: BTreeSet<String>,
}

impl Staging {
    /// Heals what a crash left, makes sure that `dir` is ours to replace, and begins anew.
    pub(super) fn begin(dir: &Path, dataset: &str) -> Result<Self, ExportError> {
        let [new, old, mark_path] = beside(dir)?;
        let parent = new.parent().map(Path::to_owned).unwrap_or_default();
        let known = read_mark(&mark_path)?;
        refuse_foreign(dir, known.as_ref(), dataset)?;
        refuse_foreign(&old, known.as_ref(), dataset)?;
        if known.is_none() {
            refuse_foreign(&new, None, dataset)?; // With a mark beside it, it is ours as a whole.
        }

        fs::create_dir_all(&parent).map_err(ExportError::write(&parent))?;
        let files = known.map(|mark| mark.files).unwrap_or_default();
        let mark = Mark { dataset: dataset.to_owned(), files };
        let staging = Self { dir: dir.to_owned(), parent, new, old, mark_path, mark };
        staging.heal()?;
        write_mark(&staging.mark_path, &staging.mark)?;
        fs::create_dir(&staging.new).map_err(ExportError::write(&staging.new))?;
        Ok(staging)
    }

    /// Returns the folder to write into.
    pub(super) fn path(&self) -> &Path {
        &self.new
    }

    /// Lists what was written so far, by the paths in the folder, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>, ExportError> {
        names(&self.new)
    }

    /// Puts the new folder, which holds files of these names, in the place of the old one. The old
    /// one is kept until [`settle`]: a power cut may still take some of the new one.
    pub(super) fn commit(mut self, names: Vec<String>) -> Result<(), ExportError> {
        self.mark.files.extend(names);
        write_mark(&self.mark_path, &self.mark)?;

        let had_one = move_away(&self.dir, &self.old)?;
        if let Err(error) = fs::rename(&self.new, &self.dir) {
            if had_one {
                _ = fs::rename(&self.old, &self.dir); // The next run tries again; told is the cause.
            }
            return Err(ExportError::write(&self.dir)(error));
        }
        files::sync_dir(&self.parent)
    }

    /// Undoes a swap that was not settled: the old folder is complete, the new one perhaps not.
    fn heal(&self) -> Result<(), ExportError> {
        remove(&self.new)?;
        if self.old.exists() {
            remove(&self.dir)?;
            fs::rename(&self.old, &self.dir).map_err(ExportError::write(&self.dir))?;
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.new); // After `commit` it is gone; else the next run tries again.
    }
}

/// Lets go of the folder that was in the place of `dir` before, once the disk has all of the new one.
pub(super) fn settle(dir: &Path) -> Result<(), ExportError> {
    let [new, old, mark_path] = beside(dir)?;
    let Some(mark) = read_mark(&mark_path)? else { return Ok(()) };
    let files: BTreeSet<String> = names(dir)?.into_iter().collect();
    let files: BTreeSet<String> = mark.files.intersection(&files).cloned().collect();
    let above = files.iter().flat_map(|it| Path::new(it).ancestors().skip(1));
    let folders: BTreeSet<&Path> = above.collect();
    folders.into_iter().try_for_each(|folder| files::sync_dir(&dir.join(folder)))?;
    if move_away(&old, &new)? {
        // What is called new is removed by the next run if this one is killed meanwhile.
        remove(&new)?;
    }
    if files != mark.files {
        write_mark(&mark_path, &Mark { files, ..mark })?;
    }
    Ok(())
}

/// Takes back an export that is no longer wanted or has no picture left: what is ours goes, and
/// a folder without a mark of ours is left alone.
pub(super) fn withdraw(dataset: &str, dir: &Path) -> Result<(), ExportError> {
    let [_, _, mark_path] = beside(dir)?;
    if !mark_path.exists() {
        return Ok(());
    }
    Staging::begin(dir, dataset)?.commit(Vec::new())?;
    settle(dir)?;
    fs::remove_dir(dir).map_err(ExportError::write(dir))?;
    // Last, so that what a crash leaves is still known to be ours.
    fs::remove_file(&mark_path).map_err(ExportError::write(&mark_path))
}

fn write_mark(path: &Path, mark: &Mark) -> Result<(), ExportError> {
    let text = serde_json::to_string_pretty(mark).expect("a mark is plain text");
    files::replace(path, text.as_bytes())
}

fn read_mark(path: &Path) -> Result<Option<Mark>, ExportError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ExportError::read(path)(error)),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|source| ExportError::Mark { path: path.to_owned(), source })
}

/// Fails if `dir` holds anything that an earlier export of this dataset did not put there.
fn refuse_foreign(dir: &Path, mark: Option<&Mark>, dataset: &str) -> Result<(), ExportError> {
    let present = names(dir)?;
    let Some(mark) = mark else {
        let is_free = present.is_empty();
        return if is_free { Ok(()) } else { Err(ExportError::NotOurs { dir: dir.to_owned() }) };
    };
    if mark.dataset != dataset {
        let owner = mark.dataset.clone();
        return Err(ExportError::OtherDataset { dir: dir.to_owned(), owner });
    }
    match present.iter().find(|name| !mark.files.contains(*name)) {
        Some(name) => Err(ExportError::Foreign { path: dir.join(name) }),
        None => Ok(()),
    }
}

/// Returns where what belongs to the folder `dir` lies beside it: the new one, the old one, the mark.
fn beside(dir: &Path) -> Result<[PathBuf; 3], ExportError> {
    let no_place = || ExportError::NoPlace { dir: dir.to_owned() };
    let name = dir.file_name().and_then(|name| name.to_str()).ok_or_else(no_place)?;
    let parent = match dir.parent() {
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
        None => return Err(no_place()),
    };
    Ok(["new", "old", "snapset"].map(|suffix| parent.join(format!(".{name}.{suffix}"))))
}

/// Lists the files in and below `dir` by their paths, `data/train.parquet`, sorted; none if there
/// is no such folder. What a link points at is not looked into.
pub(super) fn names(dir: &Path) -> Result<Vec<String>, ExportError> {
    let mut found = Vec::new();
    let mut due = vec![(dir.to_owned(), String::new())];
    while let Some((folder, prefix)) = due.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(ExportError::read(&folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(ExportError::read(&folder))?;
            let kind = entry.file_type().map_err(ExportError::read(&entry.path()))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if kind.is_dir() {
                due.push((entry.path(), name + "/"));
            } else {
                found.push(name);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Renames a folder out of the way; tells whether there was one.
fn move_away(dir: &Path, to: &Path) -> Result<bool, ExportError> {
    match fs::rename(dir, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ExportError::write(dir)(error)),
    }
}

fn remove(dir: &Path) -> Result<(), ExportError> {
    match fs::remove_dir_all(dir) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ExportError::write(dir)(error)),
    }
}
