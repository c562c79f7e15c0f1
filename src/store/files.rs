//! Files that are there whole or not at all: written aside, synced, renamed into place.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("could not write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("could not read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("could not make folder `{}`", path.display())]
    MakeFolder { path: PathBuf, source: io::Error },
}

/// Names of files under way begin like this; what a kill left of them is swept by
/// `store::takedown` and by the export.
pub const UNDER_WAY: &str = ".snapset-";

/// Tells whether a file of this name was under way.
pub fn is_under_way(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let parts = name.strip_prefix(UNDER_WAY).and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(process, n)| is_number(process) && is_number(n))
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Writes `bytes` to `path`, making its folder. After a crash the file is old, new or absent,
/// never half.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_aside(path, bytes, Care::Synced)
}

/// Writes `bytes` to `path` as [`write_atomic`] does, but leaves it to [`sync_all_below`] to see
/// them to the disk: until then a power cut may leave a file of the right name and the wrong
/// length, so no record may speak of it.
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_aside(path, bytes, Care::unhurried())
}

/// Writes `bytes` to `path` where it belongs, for a folder that is swapped in whole: a crash may
/// leave half of it. [`sync_all_below`] sees it to the disk.
pub fn write_plainly(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_new(path, bytes, Care::unhurried())
        .map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Leaves a file that was written piece by piece to [`sync_all_below`], as [`write_plainly`] does.
pub fn leave(file: &File) -> io::Result<()> {
    see(file, Care::unhurried())
}

/// Sees everything to the disk that [`write_unsynced`] and [`write_plainly`] wrote in or below
/// `folder`, and what was left to it ([`leave`]).
pub fn sync_all_below(folder: &Path) -> Result<(), FileError> {
    Disk::below(folder)?.sync()
}

/// The disk that a folder lies on. Trouble with what is written there is told to everybody once
/// who had it open at the time: whoever writes for longer opens it first.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    #[cfg(target_os = "linux")]
    opened: File,
}

impl Disk {
    /// Opens the disk below a folder that is there.
    pub fn below(folder: &Path) -> Result<Self, FileError> {
        #[cfg(target_os = "linux")]
        let opened = File::open(folder)
            .map_err(|source| FileError::Read { path: folder.to_owned(), source })?;
        Ok(Self {
            folder: folder.to_owned(),
            #[cfg(target_os = "linux")]
            opened,
        })
    }

    /// Waits until it has everything that was written; elsewhere than on Linux each file was
    /// synced by itself. Linux before 5.8 does not tell of trouble here.
    pub fn sync(&self) -> Result<(), FileError> {
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(&self.opened).map_err(|errno| FileError::Write {
            path: self.folder.clone(),
            source: errno.into(),
        })?;
        Ok(())
    }
}

/// Tells whether `path` is a file of `size_bytes`.
pub fn has_size(path: &Path, size_bytes: u64) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == size_bytes)
}

pub fn make_folder(path: &Path) -> Result<(), FileError> {
    fs::create_dir_all(path)
        .map_err(|source| FileError::MakeFolder { path: path.to_owned(), source })
}

pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })
}

pub fn remove_if_any(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::Write { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Moves a file that is whole into its place, in the same folder.
pub fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(|source| FileError::Write { path: to.to_owned(), source })
}

/// Lists the files in the folders directly below `folder`, and in itself; none if there is none.
pub fn two_levels_below(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            found.extend(entries(&path)?.into_iter().filter(|path| path.is_file()));
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Lists what lies in `folder`; nothing if there is no such folder.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let unread = |source| FileError::Read { path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(unread(source)),
        Ok(entries) => entries.map(|entry| entry.map(|it| it.path()).map_err(unread)).collect(),
    }
}

/// Reads a text file; `None` if there is none.
pub fn read_text_if_any(path: &Path) -> Result<Option<String>, FileError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FileError::Read { path: path.to_owned(), source }),
    }
}

/// Whether a file is seen to the disk at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    Synced,
    Later,
}

impl Care {
    /// Where the disk can be told to take everything at once, that is left for later.
    fn unhurried() -> Self {
        if cfg!(target_os = "linux") { Self::Later } else { Self::Synced }
    }
}

fn write_aside(path: &Path, bytes: &[u8], care: Care) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let aside = folder.join(format!("{UNDER_WAY}{}-{number}", process::id()));
    let mut written = write_new(&aside, bytes, care);
    // Most folders are there, so they are made only when one is missed.
    if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        make_folder(folder)?;
        written = write_new(&aside, bytes, care);
    }
    written.and_then(|()| fs::rename(&aside, path)).map_err(|source| {
        drop(fs::remove_file(&aside)); // What could not be written may not exist either.
        FileError::Write { path: path.to_owned(), source }
    })
}

fn write_new(path: &Path, bytes: &[u8], care: Care) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    see(&file, care)
}

fn see(file: &File, care: Care) -> io::Result<()> {
    if care == Care::Synced { file.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_fails_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        write_atomic(&path, b"old").unwrap();
        let blocked = dir.path().join("a").join("b");

        let refusal = write_atomic(&blocked, b"new");

        assert!(matches!(refusal, Err(FileError::Write { .. })));
        assert_eq!(read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
