//! Single files, written so that a crash leaves all of them or nothing.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

use super::ExportError;
use crate::domain::bytes::hex;

pub(super) const BUFFER_BYTES: usize = 64 * 1024;

/// Writes a new file and waits until the disk has it.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(ExportError::write(path))
}

/// Replaces a file by a rename: whoever looks sees the old bytes or the new.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let temporary = path.with_added_extension("new");
    create(&temporary, bytes)
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
