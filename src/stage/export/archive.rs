//! Pictures → a zip archive that is the same bytes on every machine and in every run.
//!
//! Stored, not compressed (JPEG and PNG do not shrink), sorted, dated 1980-01-01, without extra
//! fields.

use std::{
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use zip::{
    CompressionMethod, DateTime, System, ZipWriter, result::ZipError, write::SimpleFileOptions,
};

use super::ExportError;

/// An archive in the making; its entries come sorted.
pub(super) struct Archive<W: Write + Seek> {
    zip: ZipWriter<Quiet<W>>,
    path: PathBuf,
}

impl<W: Write + Seek> Archive<W> {
    /// Begins with folders for the classes that have no picture here; `path` is for complaints.
    pub(super) fn begin(out: W, path: &Path, empty_classes: &[&str]) -> Result<Self, ExportError> {
        let mut zip = ZipWriter::new(Quiet { inner: out, position: 0, has_failed: false });
        for class in empty_classes {
            let added = zip.add_directory(*class, options().unix_permissions(0o755));
            added.map_err(|error| ExportError::write(path)(io_error(error)))?;
        }
        Ok(Self { zip, path: path.to_owned() })
    }

    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let begun = self.zip.start_file(name, options().unix_permissions(0o644));
        begun
            .map_err(io_error)
            .and_then(|()| self.zip.write_all(bytes))
            .map_err(ExportError::write(&self.path))
    }

    /// Writes the list of entries and returns what it was written to.
    pub(super) fn finish(self) -> Result<W, ExportError> {
        let Self { zip, path } = self;
        let quiet = zip.finish().map_err(|error| ExportError::write(&path)(io_error(error)))?;
        Ok(quiet.inner)
    }
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
