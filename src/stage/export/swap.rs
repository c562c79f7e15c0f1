//! A whole folder, replaced at once.
//!
//! The new folder grows beside the old one, `.kaggle.new`, and takes its place by two renames;
//! the old one waits as `.kaggle.old` in between. A mark beside them, `.kaggle.snapset`, names
//! every file we ever put there and is always written first, so anything else is known to be
//! somebody's and refused. The mark is outside, so it is never uploaded.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{ExportError, files};
use crate::store::files::Disk;

/// A folder in the making; dropped without `commit`, it vanishes.
#[derive(Debug)]
pub(super) struct Staging {
    dir: PathBuf,
    parent: PathBuf,
    new: PathBuf,
    old: PathBuf,
    mark_path: PathBuf,
    mark: Mark,
    disk: Disk,
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
        let no_place = || ExportError::NoPlace { dir: dir.to_owned() };
        let name = dir.file_name().and_then(|name| name.to_str()).ok_or_else(no_place)?;
        let parent = match dir.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_owned(),
            None => return Err(no_place()),
        };
        let beside = |suffix: &str| parent.join(format!(".{name}.{suffix}"));
        let (new, old, mark_path) = (beside("new"), beside("old"), beside("snapset"));
        let known = read_mark(&mark_path)?;
        refuse_foreign(dir, known.as_ref(), dataset)?;
        refuse_foreign(&old, known.as_ref(), dataset)?;
        if known.is_none() {
            refuse_foreign(&new, None, dataset)?; // With a mark beside it, it is ours as a whole.
        }

        fs::create_dir_all(&parent).map_err(ExportError::write(&parent))?;
        let files = known.map(|mark| mark.files).unwrap_or_default();
        let mark = Mark { dataset: dataset.to_owned(), files };
        let disk = files::disk_below(&parent)?;
        let staging = Self { dir: dir.to_owned(), parent, new, old, mark_path, mark, disk };
        staging.heal()?;
        staging.write_mark(&staging.mark)?;
        fs::create_dir(&staging.new).map_err(ExportError::write(&staging.new))?;
        Ok(staging)
    }

    /// Returns the folder to write into.
    pub(super) fn path(&self) -> &Path {
        &self.new
    }

    /// Returns the disk it lies on.
    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Puts the new folder in the place of the old one, once the disk has all of it.
    pub(super) fn commit(mut self) -> Result<(), ExportError> {
        files::sync(&self.disk)?;
        let now: BTreeSet<String> = names(&self.new)?.into_iter().collect();
        let above = now.iter().flat_map(|it| Path::new(it).ancestors().skip(1));
        let folders: BTreeSet<&Path> = above.collect();
        folders.into_iter().try_for_each(|folder| files::sync_dir(&self.new.join(folder)))?;
        self.mark.files.extend(now.iter().cloned());
        self.write_mark(&self.mark)?;

        let had_one = move_away(&self.dir, &self.old)?;
        if let Err(error) = fs::rename(&self.new, &self.dir) {
            if had_one {
                _ = fs::rename(&self.old, &self.dir); // The next run tries again; told is the cause.
            }
            return Err(ExportError::write(&self.dir)(error));
        }
        files::sync_dir(&self.parent)?;
        remove(&self.old)?;
        self.mark.files = now;
        self.write_mark(&self.mark)
    }

    /// Undoes half a swap: the old folder is complete, the new one perhaps not.
    fn heal(&self) -> Result<(), ExportError> {
        if !self.dir.exists() && self.old.exists() {
            fs::rename(&self.old, &self.dir).map_err(ExportError::write(&self.dir))?;
        }
        remove(&self.old)?;
        remove(&self.new)
    }

    fn write_mark(&self, mark: &Mark) -> Result<(), ExportError> {
        let text = serde_json::to_string_pretty(mark).expect("a mark is plain text");
        files::replace(&self.mark_path, text.as_bytes())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.new); // After `commit` it is gone; else the next run tries again.
    }
}

/// Takes back an export that is no longer wanted or has no picture left: what is ours goes, and
/// a folder without a mark of ours is left alone.
pub(super) fn withdraw(dataset: &str, dir: &Path) -> Result<(), ExportError> {
    let has_mark = dir
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| dir.with_file_name(format!(".{name}.snapset")).exists());
    if !(has_mark && dir.exists()) {
        return Ok(());
    }
    let staging = Staging::begin(dir, dataset)?;
    let mark_path = staging.mark_path.clone();
    staging.commit()?;
    fs::remove_dir(dir).map_err(ExportError::write(dir))?;
    // Last, so that what a crash leaves is still known to be ours.
    fs::remove_file(&mark_path).map_err(ExportError::write(&mark_path))
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
