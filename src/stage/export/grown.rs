//! Large files of an export, made of pieces by a few threads each. Whoever made a piece takes its
//! digest, when it is its turn, and writes it while its core still has it at hand: SHA-256 would wait
//! for memory otherwise, and no byte is read again.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    iter, mem,
    path::Path,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use sha2::{Digest as _, Sha256};

use super::ExportError;
use crate::{domain::bytes::hex, store::files as stored};

/// About how large a piece should be: a handful of pictures, which a core has at hand (L2 cache).
pub(super) const PIECE_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 512 << 10 };

/// How many pieces of a file are made at the same time: the digest is a third of the work, and is
/// taken of one after the other.
const THREADS_PER_FILE: usize = 4;

/// How many files are written at the same time at most.
const FILES_MAX: usize = 4;

/// SHA-256, as `sha256sum` prints it, and size of a file.
pub(super) type Sum = (String, u64);

/// Those of files, by their paths within the export.
pub(super) type Summed = BTreeMap<String, Sum>;

/// Writes files at the same time, the first ones first, each by `write`.
pub(super) fn write_all<F: Sync>(
    files: &[F],
    write: impl Fn(&F) -> Result<(String, Sum), ExportError> + Sync,
) -> Result<Summed, ExportError> {
    let n_threads = rayon::current_num_threads().min(FILES_MAX);
    let due = Mutex::new(files.iter());
    let next = || due.lock().unwrap_or_else(PoisonError::into_inner).next();
    let write_next = || iter::from_fn(next).map(&write).collect::<Result<Vec<_>, _>>();
    thread::scope(|scope| {
        let writing: Vec<_> = (0..n_threads).map(|_| scope.spawn(write_next)).collect();
        let joined = writing.into_iter().map(|it| it.join().expect("writing does not panic"));
        let written: Result<Vec<_>, ExportError> = joined.collect();
        Ok(written?.into_iter().flatten().collect())
    })
}

/// Writes the new file `name`, `data/train.parquet`, below `dir`, whose folder is there: `make`
/// appends each of `pieces` to an empty buffer, on a few threads, and `close` returns what comes
/// behind the last, from what `make` told of each piece, the place where it begins in the file, and
/// that where the last one ends.
pub(super) fn write<P: Sync, T: Send>(
    (dir, name): (&Path, &str),
    pieces: &[P],
    make: impl Fn(&P, &mut Vec<u8>) -> Result<T, ExportError> + Sync,
    close: impl FnOnce(Vec<(u64, T)>, u64) -> io::Result<Vec<u8>>,
) -> Result<(String, Sum), ExportError> {
    let path = dir.join(name);
    let file = File::create(&path).map_err(ExportError::write(&path))?;
    let (file, sum) = put_together((file, &path), pieces, make, close)?;
    stored::leave(&file).map_err(ExportError::write(&path))?;
    Ok((name.to_owned(), sum))
}

/// Writes all of the pieces and what comes behind them to `out`.
pub(super) fn put_together<W: Write + Seek + Send, P: Sync, T: Send>(
    (out, path): (W, &Path),
    pieces: &[P],
    make: impl Fn(&P, &mut Vec<u8>) -> Result<T, ExportError> + Sync,
    close: impl FnOnce(Vec<(u64, T)>, u64) -> io::Result<Vec<u8>>,
) -> Result<(W, Sum), ExportError> {
    let work = Work {
        pieces,
        next: AtomicUsize::new(0),
        row: Mutex::new(Row { placed: Vec::new(), end: 0, is_over: false }),
        turned: Condvar::new(),
        hasher: Mutex::new(Sha256::new()),
        out: Mutex::new(out),
        path,
    };
    let result: Result<Vec<()>, ExportError> = thread::scope(|scope| {
        let making: Vec<_> = (0..THREADS_PER_FILE.min(pieces.len()))
            .map(|_| scope.spawn(|| work.make_all(&make)))
            .collect();
        let joined = making.into_iter().map(|it| it.join().expect("making a piece does not panic"));
        joined.collect()
    });
    result?;
    let failed = |error| ExportError::write(path)(error);
    let Row { placed, end, .. } = work.row.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut hasher = work.hasher.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut out = work.out.into_inner().unwrap_or_else(PoisonError::into_inner);
    let last = close(placed, end).map_err(failed)?;
    write_at(&mut out, end, &last).map_err(failed)?;
    hasher.update(&last);
    Ok((out, (hex(&hasher.finalize()), end + length(&last))))
}

fn write_at(out: &mut (impl Write + Seek), place: u64, bytes: &[u8]) -> io::Result<()> {
    out.seek(SeekFrom::Start(place))?;
    out.write_all(bytes)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits 64 bits")
}

/// A file on which a few threads work.
struct Work<'a, P, W, T> {
    pieces: &'a [P],
    /// The piece that is made next.
    next: AtomicUsize,
    row: Mutex<Row<T>>,
    turned: Condvar,
    hasher: Mutex<Sha256>,
    out: Mutex<W>,
    path: &'a Path,
}

/// The pieces whose digest was taken.
struct Row<T> {
    placed: Vec<(u64, T)>,
    end: u64,
    /// One thread gave up.
    is_over: bool,
}

impl<P: Sync, W: Write + Seek, T> Work<'_, P, W, T> {
    /// Makes pieces until there is none left, or one cannot be made or written.
    fn make_all(
        &self,
        make: &(impl Fn(&P, &mut Vec<u8>) -> Result<T, ExportError> + Sync),
    ) -> Result<(), ExportError> {
        let leaving = Leaving(self);
        let mut bytes = Vec::new();
        loop {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = self.pieces.get(at) else { break };
            bytes.clear();
            let told = make(piece, &mut bytes)?;
            let Some(begin) = self.sum(at, &bytes, told) else { break };
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            write_at(&mut *out, begin, &bytes).map_err(ExportError::write(self.path))?;
        }
        mem::forget(leaving);
        Ok(())
    }

    /// Waits for the pieces ahead of this one, and takes its digest; returns where it begins, or
    /// nothing if a thread gave up.
    fn sum(&self, at: usize, bytes: &[u8], told: T) -> Option<u64> {
        let is_ahead = |row: &mut Row<T>| row.placed.len() < at && !row.is_over;
        let row = self.turned.wait_while(self.row(), is_ahead);
        if row.unwrap_or_else(PoisonError::into_inner).is_over {
            return None;
        }
        // Nobody else goes on before this piece is placed.
        self.hasher.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
        let mut row = self.row();
        let begin = row.end;
        row.end += length(bytes);
        row.placed.push((begin, told));
        self.turned.notify_all();
        Some(begin)
    }

    fn row(&self) -> MutexGuard<'_, Row<T>> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the work of all where a thread leaves it undone, whatever the reason.
struct Leaving<'a, 'b, P, W, T>(&'a Work<'b, P, W, T>);

impl<P, W, T> Drop for Leaving<'_, '_, P, W, T> {
    fn drop(&mut self) {
        self.0.row.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        self.0.turned.notify_all();
    }
}

#[cfg(test)]
mod tests;
