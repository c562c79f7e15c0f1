//! Large files of an export, written in pieces; a thread of its own takes the digest of each piece
//! while the next is made, so that no byte is read again.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    mem,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender, SyncSender},
    thread::{self, JoinHandle},
};

use sha2::{Digest as _, Sha256};

use super::ExportError;
use crate::{domain::bytes::hex, store::files as stored};

/// After how many bytes a piece is written.
const PIECE_BYTES: usize = if cfg!(test) { 1 << 10 } else { 1 << 20 };

/// How many pieces wait for their digest at most, before who writes waits as well.
const WAITING_MAX: usize = 4;

/// SHA-256 and size of files, by their paths within the export.
pub(super) type Summed = BTreeMap<String, (String, u64)>;

/// Whether who writes a file comes back to what he wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    Onward,
    /// As an archive does, whose entries have in front what is only known at their end: what was
    /// written since he last came back from further up can still be changed.
    ByEntries,
}

/// A file in the making.
pub(super) struct Grown {
    name: String,
    path: PathBuf,
    file: File,
    growth: Growth,
    /// Where the piece begins in the file.
    begun: u64,
    /// What is not in the file yet.
    piece: Vec<u8>,
    /// Where in the piece the next byte goes.
    at: usize,
    tell: SyncSender<Vec<u8>>,
    /// Pieces whose digest was taken, to be filled again.
    spare: Receiver<Vec<u8>>,
    summing: JoinHandle<(String, u64)>,
}

impl Grown {
    /// Begins the file `name`, `data/train.parquet`, below `dir`; its folder is there.
    pub(super) fn create(dir: &Path, name: &str, growth: Growth) -> Result<Self, ExportError> {
        let path = dir.join(name);
        let file = File::create(&path).map_err(ExportError::write(&path))?;
        let (tell, pieces) = mpsc::sync_channel(WAITING_MAX);
        let (give_back, spare) = mpsc::channel();
        let summing = thread::Builder::new().spawn(move || sum(&pieces, &give_back));
        Ok(Self {
            name: name.to_owned(),
            summing: summing.map_err(ExportError::write(&path))?,
            path,
            file,
            growth,
            begun: 0,
            piece: Vec::new(),
            at: 0,
            tell,
            spare,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the rest, and adds the digest of the whole file to `summed`.
    pub(super) fn end(mut self, summed: &mut Summed) -> Result<(), ExportError> {
        self.hand_over()
            .and_then(|()| stored::leave(&self.file))
            .map_err(ExportError::write(&self.path))?;
        drop(self.tell);
        let sum = self.summing.join().expect("taking a digest does not panic");
        summed.insert(self.name, sum);
        Ok(())
    }

    /// Writes the piece, which nobody can change from here on.
    fn hand_over(&mut self) -> io::Result<()> {
        self.file.write_all(&self.piece)?;
        self.begun = self.end_of_piece()?;
        self.at = 0;
        let spare = self.spare.try_recv().unwrap_or_default();
        let full = mem::replace(&mut self.piece, spare);
        _ = self.tell.send(full); // Whoever listens does so until the end.
        Ok(())
    }

    fn end_of_piece(&self) -> io::Result<u64> {
        let n_bytes = u64::try_from(self.piece.len()).map_err(io::Error::other)?;
        Ok(self.begun + n_bytes)
    }
}

impl Write for Grown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_there = self.piece.len() - self.at;
        if self.growth == Growth::Onward && n_there == 0 && PIECE_BYTES <= self.piece.len() {
            self.hand_over()?;
        }
        let (over, new) = bytes.split_at(n_there.min(bytes.len()));
        self.piece[self.at..self.at + over.len()].copy_from_slice(over);
        self.piece.extend_from_slice(new);
        self.at += bytes.len();
        Ok(bytes.len())
    }

    /// Does nothing: what is in the piece may still change, and goes to the file when it is full.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Grown {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let end = self.end_of_piece()?;
        let here = self.begun + u64::try_from(self.at).map_err(io::Error::other)?;
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => end.checked_add_signed(by),
            SeekFrom::Current(by) => here.checked_add_signed(by),
        };
        let place = place
            .filter(|place| (self.begun..=end).contains(place))
            .ok_or_else(|| io::Error::other("what is in the file already stays as it is"))?;
        self.at = usize::try_from(place - self.begun).map_err(io::Error::other)?;
        if here < end && place == end && PIECE_BYTES <= self.piece.len() {
            self.hand_over()?;
        }
        Ok(place)
    }
}

/// Takes the digest of the pieces of a file, as `sha256sum` prints it, and its size.
fn sum(pieces: &Receiver<Vec<u8>>, give_back: &Sender<Vec<u8>>) -> (String, u64) {
    let (mut hasher, mut n_bytes) = (Sha256::new(), 0);
    for mut piece in pieces {
        hasher.update(&piece);
        n_bytes += u64::try_from(piece.len()).expect("a length fits 64 bits");
        piece.clear();
        _ = give_back.send(piece); // Who writes may be done.
    }
    (hex(&hasher.finalize()), n_bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::{TempDir, tempdir};

    use super::{super::files, *};

    fn grown(growth: Growth) -> (TempDir, Grown) {
        let dir = tempdir().unwrap();
        let grown = Grown::create(dir.path(), "a", growth).unwrap();
        (dir, grown)
    }

    /// Ends the file; returns its bytes, whose digest must be that which was told.
    fn ended(dir: &TempDir, grown: Grown) -> Vec<u8> {
        let mut summed = Summed::new();
        grown.end(&mut summed).unwrap();
        let path = dir.path().join("a");
        assert_eq!(summed, [("a".to_owned(), files::sha256(&path).unwrap())].into());
        fs::read(path).unwrap()
    }

    #[test]
    fn the_digest_is_that_of_the_file_however_it_was_cut() {
        let n_max = 5 * PIECE_BYTES; // More than may wait.
        for sizes in [&[][..], &[0, 1], &[PIECE_BYTES], &[700; 30], &[n_max, 3, n_max]] {
            let (dir, mut file) = grown(Growth::Onward);
            let mut meant = Vec::new();
            for (n, size) in (0..).zip(sizes) {
                let bytes = vec![n; *size];
                file.write_all(&bytes).unwrap();
                meant.extend(bytes);
            }
            assert_eq!(ended(&dir, file), meant, "{sizes:?}");
        }
    }

    #[test]
    fn entries_of_any_size_are_changed_until_the_next_begins() {
        let (dir, mut file) = grown(Growth::ByEntries);
        let mut meant = Vec::new();
        for size in [0, 10, PIECE_BYTES, 3 * PIECE_BYTES, 500, 600, 700] {
            let front = file.stream_position().unwrap();
            file.write_all(b"????").unwrap();
            file.write_all(&vec![7; size]).unwrap();
            let end = file.stream_position().unwrap();
            file.seek(SeekFrom::Start(front)).unwrap();
            file.write_all(b"size").unwrap();
            assert_eq!(file.seek(SeekFrom::Start(end)).unwrap(), end);
            meant.extend(b"size");
            meant.extend(vec![7; size]);
        }
        assert!(file.seek(SeekFrom::Start(0)).is_err(), "that is in the file");
        assert_eq!(ended(&dir, file), meant);
    }

    #[test]
    fn a_file_written_onward_is_not_kept_in_memory() {
        let (dir, mut file) = grown(Growth::Onward);

        for _ in 0..100 {
            file.write_all(&[7; 100]).unwrap();
        }

        let n_there = fs::metadata(dir.path().join("a")).unwrap().len();
        assert!(10_000 - PIECE_BYTES <= usize::try_from(n_there).unwrap(), "{n_there}");
    }

    #[test]
    fn what_goes_over_the_end_of_the_piece_makes_it_longer() {
        let (dir, mut file) = grown(Growth::ByEntries);
        file.write_all(b"abc").unwrap();
        file.seek(SeekFrom::End(-1)).unwrap();
        file.write_all(b"xyz").unwrap();
        file.seek(SeekFrom::Current(-5)).unwrap();
        file.write_all(b"A").unwrap();
        assert_eq!(ended(&dir, file), b"Abxyz");
    }
}
