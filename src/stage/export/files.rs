//! Single files of an export, written, replaced and summed.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use super::ExportError;
use crate::{
    domain::bytes::hex,
    store::files::{self as stored, FileError},
};

const BUFFER_BYTES: usize = 64 * 1024;

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
    let mut file = File::open(path).map_err(ExportError::read(path))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut n_bytes = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((hex(&hasher.finalize()), n_bytes)),
            Ok(n_read) => {
                hasher.update(&buffer[..n_read]);
                n_bytes += u64::try_from(n_read).expect("a buffer is small");
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(ExportError::read(path)(error)),
        }
    }
}
