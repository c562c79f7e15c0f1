//! Single files of an export, written, replaced and summed.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
};

use sha2::{Digest as _, Sha256};

use super::ExportError;
use crate::{
    domain::bytes::hex,
    store::files::{self as stored, Disk, FileError},
};

pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Writes a file into a folder in the making, which is seen to the disk as a whole.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    stored::write_plainly(path, bytes).map_err(told)
}

/// Replaces a file by a rename, and waits until the disk has it: whoever looks sees the old bytes
/// or the new.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let temporary = path.with_added_extension("new");
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .map_err(ExportError::write(&temporary))
        .and_then(|()| fs::rename(&temporary, path).map_err(ExportError::write(path)))
        .inspect_err(|_| {
            _ = fs::remove_file(&temporary); // The trouble that led here is the one to tell.
        })?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Does some work while the disk is given what was written so far.
pub(super) fn sync_meanwhile<T>(
    disk: &Disk,
    work: impl FnOnce() -> Result<T, ExportError>,
) -> Result<T, ExportError> {
    thread::scope(|scope| {
        // A thread of its own: one of those that work would be missed while it waits.
        let syncing = scope.spawn(|| sync(disk));
        let done = work();
        syncing.join().expect("a wait for the disk does not panic").and(done)
    })
}

/// Waits until the disk has everything that was written.
pub(super) fn sync(disk: &Disk) -> Result<(), ExportError> {
    disk.sync().map_err(told)
}

/// Opens the disk that `dir` lies on, before anything is written there.
pub(super) fn disk_below(dir: &Path) -> Result<Disk, ExportError> {
    Disk::below(dir).map_err(told)
}

/// Waits until the disk has the names in `dir`, where the system offers that.
pub(super) fn sync_dir(dir: &Path) -> Result<(), ExportError> {
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(ExportError::write(dir))?;
    }
    Ok(())
}

pub(super) fn told(error: FileError) -> ExportError {
    match error {
        FileError::Write { path, source } | FileError::MakeFolder { path, source } => {
            ExportError::write(&path)(source)
        }
        FileError::Read { path, source } => ExportError::read(&path)(source),
    }
}

/// Returns the SHA-256 of a file as `sha256sum` prints it, and its size.
pub(super) fn sha256(path: &Path) -> Result<(String, u64), ExportError> {
    let mut sum = Sum::begin(path)?;
    sum.take_until(u64::MAX)?;
    Ok(sum.end())
}

/// The SHA-256 of a file, or of what is there of it by now, taken piece by piece.
pub(super) struct Sum {
    file: File,
    path: PathBuf,
    hasher: Sha256,
    n_bytes: u64,
    buffer: Vec<u8>,
}

impl Sum {
    pub(super) fn begin(path: &Path) -> Result<Self, ExportError> {
        let file = File::open(path).map_err(ExportError::read(path))?;
        let (path, buffer) = (path.to_owned(), vec![0; BUFFER_BYTES]);
        Ok(Self { file, path, hasher: Sha256::new(), n_bytes: 0, buffer })
    }

    /// Goes on until so many bytes are taken, or to the end of what is there.
    pub(super) fn take_until(&mut self, n_bytes: u64) -> Result<(), ExportError> {
        while self.n_bytes < n_bytes {
            let room = usize::try_from(n_bytes - self.n_bytes).unwrap_or(usize::MAX);
            let piece = &mut self.buffer[..room.min(BUFFER_BYTES)];
            match self.file.read(piece) {
                Ok(0) => break,
                Ok(n_read) => {
                    self.hasher.update(&piece[..n_read]);
                    self.n_bytes += u64::try_from(n_read).expect("a piece is small");
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(ExportError::read(&self.path)(error)),
            }
        }
        Ok(())
    }

    /// Returns the digest of what was taken as `sha256sum` prints it, and how many bytes it was.
    pub(super) fn end(self) -> (String, u64) {
        (hex(&self.hasher.finalize()), self.n_bytes)
    }
}
