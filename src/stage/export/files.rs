//! Single files of an export, written, replaced and summed.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    iter,
    path::Path,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Sender, TryRecvError},
    },
    thread,
};

use sha2::{Digest as _, Sha256};

use super::ExportError;
use crate::{
    domain::bytes::hex,
    store::files::{self as stored, Disk, FileError},
};

pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// After how many bytes the disk is given what was written.
const SYNC_BYTES: u64 = if cfg!(test) { 4 << 10 } else { 64 << 20 };

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

/// Hears how much was written.
pub(super) struct Along {
    n_bytes: AtomicU64,
    tell: Sender<()>,
}

impl Along {
    pub(super) fn wrote(&self, n_bytes: u64) {
        let before = self.n_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        if before / SYNC_BYTES < (before + n_bytes) / SYNC_BYTES {
            _ = self.tell.send(()); // Nobody listens after trouble, which is told in the end.
        }
    }
}

/// Gives the disk what `work` writes while it writes more: left to itself the system waits for
/// gigabytes, and then everybody waits for the disk. The last of it is left to who comes after.
pub(super) fn sync_along<T>(
    disk: &Disk,
    work: impl FnOnce(&Along) -> Result<T, ExportError>,
) -> Result<T, ExportError> {
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let syncing = scope.spawn(move || {
            while told.recv().is_ok() {
                // One wait does for all that were asked for, and none is needed at the end.
                let last = iter::repeat_with(|| told.try_recv()).find(Result::is_err);
                if last == Some(Err(TryRecvError::Disconnected)) {
                    break;
                }
                sync(disk)?;
            }
            Ok(())
        });
        let along = Along { n_bytes: AtomicU64::new(0), tell };
        let done = work(&along);
        drop(along);
        let synced = syncing.join().expect("a wait for the disk does not panic");
        done.and_then(|done| synced.map(|()| done))
    })
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
    let mut hasher = Sha256::new();
    let mut size_bytes = 0;
    each_chunk(path, |chunk| {
        hasher.update(chunk);
        size_bytes += u64::try_from(chunk.len()).expect("a chunk is small");
        Ok(())
    })?;
    Ok((hex(&hasher.finalize()), size_bytes))
}

/// Hands the file over piece by piece, so that its size does not matter.
fn each_chunk(
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut file = File::open(path).map_err(ExportError::read(path))?;
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n_bytes) => take(&buffer[..n_bytes])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(ExportError::read(path)(error)),
        }
    }
}
