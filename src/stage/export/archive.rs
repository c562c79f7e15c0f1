//! Pictures → a zip archive that is the same bytes on every machine and in every run.
//!
//! Stored, not compressed (JPEG and PNG do not shrink), sorted, dated 1980-01-01, without extra
//! fields. Every picture is checked against its recorded digest on the way.

use std::{
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use zip::{
    CompressionMethod, DateTime, System, ZipWriter, result::ZipError, write::SimpleFileOptions,
};

use super::{ExportError, files};
use crate::domain::bytes::hex;

/// One picture of an archive.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) file: PathBuf,
    pub(super) sha256: &'a str,
}

/// Writes `entries`, already sorted, behind folders for the classes that have no picture here.
pub(super) fn write<'a, W: Write + Seek>(
    out: W,
    path: &Path,
    empty_classes: &[&str],
    entries: impl Iterator<Item = Entry<'a>>,
) -> Result<W, ExportError> {
    let mut zip = ZipWriter::new(Quiet { inner: out, position: 0, has_failed: false });
    for class in empty_classes {
        let added = zip.add_directory(*class, options().unix_permissions(0o755));
        added.map_err(|error| ExportError::write(path)(io_error(error)))?;
    }
    for entry in entries {
        add(&mut zip, path, &entry)?;
    }
    let quiet = zip.finish().map_err(|error| ExportError::write(path)(io_error(error)))?;
    Ok(quiet.inner)
}

/// Takes the trouble with the disk out of its wrapping; the rest are mistakes of ours.
fn io_error(error: ZipError) -> io::Error {
    if let ZipError::Io(source) = error { source } else { error.into() }
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::DEFAULT
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
}

fn add<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    path: &Path,
    entry: &Entry<'_>,
) -> Result<(), ExportError> {
    zip.start_file(entry.name, options().unix_permissions(0o644))
        .map_err(|error| ExportError::write(path)(io_error(error)))?;
    let mut hasher = Sha256::new();
    files::each_chunk(&entry.file, |chunk| {
        hasher.update(chunk);
        zip.write_all(chunk).map_err(ExportError::write(path))
    })?;
    if hex(&hasher.finalize()) == entry.sha256 {
        Ok(())
    } else {
        let expected = entry.sha256.to_owned();
        Err(ExportError::Altered { path: entry.file.clone(), expected })
    }
}

/// A writer that fails once and from then on pretends.
///
/// A dropped `ZipWriter` tries to finish its archive and complains on stderr when that fails
/// too; the first failure has been told by then and the file is about to be removed.
struct Quiet<W> {
    inner: W,
    position: u64,
    has_failed: bool,
}

impl<W> Quiet<W> {
    fn noting<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        self.has_failed =
            result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        result
    }
}

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_bytes = if self.has_failed {
            bytes.len()
        } else {
            let result = self.inner.write(bytes);
            self.noting(result)?
        };
        self.position += u64::try_from(n_bytes).map_err(io::Error::other)?;
        Ok(n_bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.has_failed {
            return Ok(());
        }
        let result = self.inner.flush();
        self.noting(result)
    }
}

impl<W: Seek> Seek for Quiet<W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // Where a writer stands is known here; asking a buffered one would empty its buffer.
        if to == SeekFrom::Current(0) {
            return Ok(self.position);
        }
        if self.has_failed {
            if let SeekFrom::Start(position) = to {
                self.position = position;
            }
            return Ok(self.position);
        }
        let result = self.inner.seek(to);
        self.position = self.noting(result)?;
        Ok(self.position)
    }
}
