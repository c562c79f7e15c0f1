//! What is done with the files of an export while more of them is written: the disk is given them,
//! and the digests of large ones are taken, on threads of their own beside those that read and
//! write.

use std::{
    collections::BTreeMap,
    fs::File,
    iter,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender, TryRecvError},
    },
    thread::{self, JoinHandle},
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
    /// Hears how many bytes of the file that grows are as they will stay.
    tell: Option<Sender<u64>>,
    /// Of the pictures in it.
    n_bytes: u64,
    summing: Vec<(String, Summing)>,
}

type Summing = JoinHandle<Result<(String, u64), ExportError>>;

/// A file that grows, and its path.
pub(super) struct Grown {
    pub(super) file: File,
    pub(super) path: PathBuf,
}

/// Lets `work` write files below `dir` and takes their digests along, a thread for each: bytes are
/// read again soon after they were written, while the system still holds them. The disk is given
/// them as [`sync_along`] does.
pub(super) fn sum_along(
    (dir, disk): (&Path, &Disk),
    work: impl FnOnce(&mut Growing<'_>) -> Result<(), ExportError>,
) -> Result<Summed, ExportError> {
    sync_along(disk, |along| {
        let mut growing = Growing { dir, along, tell: None, n_bytes: 0, summing: Vec::new() };
        let done = work(&mut growing);
        let summed = growing.summed(); // Waited for in any case: the folder may be about to go.
        done.and(summed)
    })
}

impl Growing<'_> {
    /// Begins the next file, `data/train.parquet`, whose folder is there.
    pub(super) fn create(&mut self, name: &str) -> Result<Grown, ExportError> {
        let path = self.dir.join(name);
        let file = File::create(&path).map_err(ExportError::write(&path))?;
        let ((tell, told), read) = (mpsc::channel(), path.clone());
        let summing = thread::Builder::new().spawn(move || sum(&read, &told));
        self.summing.push((name.to_owned(), summing.map_err(ExportError::read(&path))?));
        (self.tell, self.n_bytes) = (Some(tell), 0);
        Ok(Grown { file, path })
    }

    /// Hears that a picture of so many bytes was written. What lies before it is then as it will
    /// stay; of itself, an archive may still have a word to put in front.
    pub(super) fn wrote(&mut self, n_bytes: u64) {
        let before = self.n_bytes;
        self.n_bytes += n_bytes;
        if before / SUM_BYTES < self.n_bytes / SUM_BYTES
            && let Some(tell) = &self.tell
        {
            _ = tell.send(before); // Nobody listens after trouble, which is told in the end.
        }
        self.along.wrote(n_bytes);
    }

    /// Hears that the whole file was written, and gives it to the disk.
    pub(super) fn end(&mut self, Grown { file, path }: &Grown) -> Result<(), ExportError> {
        self.tell = None;
        stored::leave(file).map_err(ExportError::write(path))
    }

    fn summed(self) -> Result<Summed, ExportError> {
        drop(self.tell);
        let ended = self.summing.into_iter().map(|(name, summing)| {
            let sum = summing.join().expect("taking a digest does not panic");
            sum.map(|sum| (name, sum))
        });
        let ended: Vec<_> = ended.collect(); // All of them, whatever became of the first.
        ended.into_iter().collect()
    }
}

/// Takes the digest of a file as far as it is told to, and of all of it when nothing more is told.
fn sum(path: &Path, told: &Receiver<u64>) -> Result<(String, u64), ExportError> {
    let mut sum = Sum::begin(path)?;
    told.iter().try_for_each(|n_bytes| sum.take_until(n_bytes))?;
    sum.take_until(u64::MAX)?;
    Ok(sum.end())
}

#[cfg(test)]
mod tests {
    use std::io::BufWriter;

    use tempfile::tempdir;

    use super::{super::archive::Archive, *};

    #[test]
    fn digests_along_are_those_of_the_files() {
        let dir = tempdir().unwrap();
        let disk = files::disk_below(dir.path()).unwrap();

        let summed = sum_along((dir.path(), &disk), |growing| {
            // More than a buffer holds, nothing, and less than is told of.
            for (name, n) in [("a.zip", 300), ("b.zip", 0), ("c.zip", 1)] {
                let Grown { file, path } = growing.create(name)?;
                let mut archive = Archive::begin(BufWriter::new(file), &path, &["empty"])?;
                for at in 0..n {
                    let bytes = vec![7; at];
                    archive.add(&at.to_string(), &bytes)?;
                    growing.wrote(u64::try_from(bytes.len()).unwrap());
                }
                let file = archive.finish()?.into_inner().unwrap();
                growing.end(&Grown { file, path })?;
            }
            Ok(())
        });

        let summed = summed.unwrap();
        assert_eq!(summed.keys().collect::<Vec<_>>(), ["a.zip", "b.zip", "c.zip"]);
        for (name, sum) in summed {
            assert_eq!(files::sha256(&dir.path().join(&name)).unwrap(), sum, "{name}");
        }
    }

    #[test]
    fn what_is_told_of_ends_before_the_last_picture() {
        let dir = tempdir().unwrap();
        let (tell, told) = mpsc::channel();
        let along = Along { n_bytes: AtomicU64::new(0), tell: mpsc::channel().0 };
        let summing = Vec::new();
        let tell = Some(tell);
        let mut growing = Growing { dir: dir.path(), along: &along, tell, n_bytes: 0, summing };

        for n_bytes in [SUM_BYTES - 1, 1, 5, 2 * SUM_BYTES, 3] {
            growing.wrote(n_bytes);
        }
        drop(growing);

        assert_eq!(told.iter().collect::<Vec<_>>(), [SUM_BYTES - 1, SUM_BYTES + 5]);
    }

    #[test]
    fn what_is_told_of_is_read_before_the_rest_is_there() {
        let dir = tempdir().unwrap();
        let [path, meant] = ["a", "meant"].map(|name| dir.path().join(name));
        stored::write_plainly(&path, b"first").unwrap();
        let mut sum = Sum::begin(&path).unwrap();
        sum.take_until(3).unwrap();

        stored::write_plainly(&path, b"XXXst and more").unwrap();
        sum.take_until(u64::MAX).unwrap();

        stored::write_plainly(&meant, b"first and more").unwrap();
        assert_eq!(sum.end(), files::sha256(&meant).unwrap());
    }

    #[test]
    fn trouble_with_a_digest_is_told() {
        let dir = tempdir().unwrap();
        let disk = files::disk_below(dir.path()).unwrap();
        let missing = dir.path().join("missing");

        let summed = sum_along((dir.path(), &disk), |growing| {
            let (_, told) = mpsc::channel();
            let summing = thread::spawn(move || sum(&missing, &told));
            growing.summing.push(("missing".to_owned(), summing));
            Ok(())
        });

        assert!(matches!(summed, Err(ExportError::Read { .. })), "{summed:?}");
    }
}
