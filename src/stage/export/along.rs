//! What is done with the files of an export while more of them is written: the disk is given them,
//! and the digests of large ones are taken. Either is done on a thread of its own, beside those that
//! read and write.

use std::{
    collections::BTreeMap,
    fs::File,
    iter,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread,
};

use super::{
    ExportError,
    files::{self, Sum},
};
use crate::store::files::{self as stored, Disk};

/// After how many bytes the disk is given what was written.
const SYNC_BYTES: u64 = if cfg!(test) { 4 << 10 } else { 64 << 20 };

/// After how many bytes more of a file is read for its digest.
const SUM_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 4 << 20 };

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
                files::sync(disk)?;
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

/// SHA-256 and size of files, by their paths within the export.
pub(super) type Summed = BTreeMap<String, (String, u64)>;

/// Large files below a folder, written one after the other from their beginnings to their ends.
pub(super) struct Growing<'a> {
    dir: &'a Path,
    along: &'a Along,
    tell: Sender<Told>,
    /// Of the pictures in the file that grows.
    n_bytes: u64,
}

/// A file that grows, and its path.
pub(super) struct Grown {
    pub(super) file: File,
    pub(super) path: PathBuf,
}

/// What is told of the files.
enum Told {
    Begun {
        name: String,
        path: PathBuf,
    },
    /// So many bytes are as they will stay.
    Reached(u64),
    Ended,
}

/// Lets `work` write files below `dir` and takes their digests along: bytes are read again as soon
/// as they are written, while the system still holds them. The disk is given them as
/// [`sync_along`] does.
pub(super) fn sum_along(
    (dir, disk): (&Path, &Disk),
    work: impl FnOnce(&mut Growing<'_>) -> Result<(), ExportError>,
) -> Result<Summed, ExportError> {
    sync_along(disk, |along| {
        thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            let summing = scope.spawn(move || sum(&told));
            let mut growing = Growing { dir, along, tell, n_bytes: 0 };
            let done = work(&mut growing);
            drop(growing);
            let summed = summing.join().expect("taking a digest does not panic");
            done.and(summed)
        })
    })
}

impl Growing<'_> {
    /// Begins the next file, `data/train.parquet`, whose folder is there.
    pub(super) fn create(&mut self, name: &str) -> Result<Grown, ExportError> {
        let path = self.dir.join(name);
        let file = File::create(&path).map_err(ExportError::write(&path))?;
        self.n_bytes = 0;
        self.tell(Told::Begun { name: name.to_owned(), path: path.clone() });
        Ok(Grown { file, path })
    }

    /// Hears that a picture of so many bytes was written. What lies before it is then as it will
    /// stay; of itself, an archive may still have a word to put in front.
    pub(super) fn wrote(&mut self, n_bytes: u64) {
        let before = self.n_bytes;
        self.n_bytes += n_bytes;
        if before / SUM_BYTES < self.n_bytes / SUM_BYTES {
            self.tell(Told::Reached(before));
        }
        self.along.wrote(n_bytes);
    }

    /// Hears that the whole file was written, and gives it to the disk.
    pub(super) fn end(&mut self, Grown { file, path }: &Grown) -> Result<(), ExportError> {
        self.tell(Told::Ended);
        stored::leave(file).map_err(ExportError::write(path))
    }

    fn tell(&self, told: Told) {
        _ = self.tell.send(told); // Nobody listens after trouble, which is told in the end.
    }
}

/// Takes the digests of the files that are told of, one after the other.
fn sum(told: &Receiver<Told>) -> Result<Summed, ExportError> {
    let mut summed = Summed::new();
    let mut under_way = None;
    for told in told {
        match told {
            Told::Begun { name, path } => under_way = Some((name, Sum::begin(&path)?)),
            Told::Reached(n_bytes) => {
                under_way.iter_mut().try_for_each(|(_, sum)| sum.take_until(n_bytes))?;
            }
            Told::Ended => {
                if let Some((name, mut sum)) = under_way.take() {
                    sum.take_until(u64::MAX)?;
                    summed.insert(name, sum.end());
                }
            }
        }
    }
    Ok(summed)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};

    use tempfile::tempdir;

    use super::*;

    #[test]
    fn digests_along_are_those_of_the_files() {
        let dir = tempdir().unwrap();
        let disk = files::disk_below(dir.path()).unwrap();
        let piece = vec![7; usize::try_from(SUM_BYTES / 3).unwrap()];

        let summed = sum_along((dir.path(), &disk), |growing| {
            for (name, n) in [("a", 20), ("b", 0), ("c", 1)] {
                let Grown { mut file, path } = growing.create(name)?;
                for at in 0..n {
                    // As in an archive: what stands before a picture is known after it.
                    let begin = file.stream_position().unwrap();
                    file.write_all(b"????").unwrap();
                    file.write_all(&piece).unwrap();
                    growing.wrote(u64::try_from(piece.len()).unwrap());
                    thread::yield_now();
                    file.seek(SeekFrom::Start(begin)).unwrap();
                    file.write_all(format!("{at:04}").as_bytes()).unwrap();
                    file.seek(SeekFrom::End(0)).unwrap();
                }
                growing.end(&Grown { file, path })?;
            }
            Ok(())
        });

        let summed = summed.unwrap();
        assert_eq!(summed.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        for (name, sum) in summed {
            assert_eq!(files::sha256(&dir.path().join(&name)).unwrap(), sum, "{name}");
        }
    }

    #[test]
    fn bytes_are_read_before_the_file_is_whole() {
        let dir = tempdir().unwrap();
        let disk = files::disk_below(dir.path()).unwrap();
        let read = |path: &Path| {
            let mut sum = Sum::begin(path).unwrap();
            sum.take_until(SUM_BYTES).unwrap();
            sum.end()
        };
        let n_bytes = SUM_BYTES - 10;

        let summed = sum_along((dir.path(), &disk), |growing| {
            let Grown { mut file, path } = growing.create("a")?;
            let half = vec![1; usize::try_from(n_bytes).unwrap()];
            file.write_all(&half).unwrap();
            growing.wrote(n_bytes);
            growing.wrote(n_bytes); // Not written yet, and all before it is.
            thread::sleep(std::time::Duration::from_millis(300));
            file.seek(SeekFrom::Start(0)).unwrap();
            file.write_all(b"late").unwrap(); // Which nobody may do.
            growing.end(&Grown { file, path })
        });

        let (digest, n_read) = summed.unwrap().remove("a").unwrap();
        assert_eq!(n_read, n_bytes);
        assert_ne!(digest, read(&dir.path().join("a")).0);
    }

    #[test]
    fn trouble_with_the_work_is_the_one_that_is_told() {
        let dir = tempdir().unwrap();
        let disk = files::disk_below(dir.path()).unwrap();

        let summed = sum_along((dir.path(), &disk), |growing| {
            let Grown { path, .. } = growing.create("a")?;
            std::fs::remove_file(&path).unwrap();
            Err(ExportError::write(&path)(std::io::ErrorKind::StorageFull.into()))
        });

        assert!(matches!(summed, Err(ExportError::Write { .. })), "{summed:?}");
    }
}
