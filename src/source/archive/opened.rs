//! Any entry of an archive, at the cost of its own bytes.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::OnceCell, task::spawn_blocking};

use super::{
    ArchiveError, Kind,
    entries::{self, Extent},
};
use crate::source::{
    glance::{Glance, PathError},
    packing::{self, Packing},
};

/// The archives of one run, each opened once, when it is first asked for.
pub struct Archives {
    scratch: PathBuf,
    // What one of those who fetch opens serves the others, and they wait for it without a thread.
    known: Mutex<BTreeMap<PathBuf, Arc<OnceCell<Arc<Opened>>>>>,
}

/// An archive with the places of all its entries.
///
/// One that is packed as a whole is unpacked, once, into a file of our own, which goes when this
/// goes.
pub struct Opened {
    path: PathBuf,
    scratch: Option<PathBuf>,
    /// By the digest of the name: names would take several times the room.
    extents: Vec<(u128, Extent)>,
}

impl Archives {
    /// `scratch` is a folder of our own; it is made when it is needed.
    pub fn new(scratch: PathBuf) -> Self {
        Self { scratch, known: Mutex::default() }
    }

    /// Returns the archive that `PATH#ENTRY` lies in, and the name of the entry. Either may hold a
    /// `#`: the path ends at the first that follows a file.
    pub async fn find<'a>(&self, text: &'a str) -> Result<(Arc<Opened>, &'a str), ArchiveError> {
        if let Some(found) = self.find_open(text) {
            return Ok(found);
        }
        let broken_off = |source| ArchiveError::BrokenOff { path: text.into(), source };
        let looking = text.to_owned();
        let length = spawn_blocking(move || parted(&looking).0.as_os_str().len());
        let (path, entry) = text.split_at(length.await.map_err(broken_off)?);
        let path = Path::new(path);
        let archive = Arc::clone(self.known().entry(path.to_owned()).or_default());
        let open = || async {
            let (archive, scratch) = (path.to_owned(), self.scratch.clone());
            let opening = spawn_blocking(move || Opened::open(&archive, &scratch));
            opening.await.map_err(broken_off)?.map(Arc::new)
        };
        let opened = archive.get_or_try_init(open).await?;
        Ok((Arc::clone(opened), entry.strip_prefix('#').unwrap_or_default()))
    }

    /// Looks no file up.
    fn find_open<'a>(&self, text: &'a str) -> Option<(Arc<Opened>, &'a str)> {
        let known = self.known();
        parts(text).find_map(|(path, entry)| Some((Arc::clone(known.get(path)?.get()?), entry)))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Arc<OnceCell<Arc<Opened>>>>> {
        // The map is whole even if somebody panicked while he held it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Opened {
    /// Reads where every entry lies; `scratch` is a folder of our own.
    pub fn open(path: &Path, scratch: &Path) -> Result<Self, ArchiveError> {
        Glance::at(path)?;
        let packing = packing::of(path).0;
        let mut opened = Self { path: path.to_owned(), scratch: None, extents: Vec::new() };
        if packing != Packing::Plain {
            let to = scratch.join(format!("{:032x}.tar", digest(&path.display().to_string())));
            // Known before it is written, so that it is cleared away even if that fails.
            opened.scratch = Some(to.clone());
            unpack(path, &to)?;
        }
        let mut extents = Vec::new();
        let mut visit = |name: Result<String, String>, extent: Result<Extent, String>| {
            if let (Ok(name), Ok(extent)) = (name, extent) {
                extents.push((digest(&name), extent));
            }
            ControlFlow::Continue(())
        };
        match Kind::of(path) {
            Some(Kind::Tar) => entries::each_extent_of_tar(opened.lies_at(), &mut visit)?,
            Some(Kind::Zip) | None => entries::each_extent_of_zip(path, &mut visit)?,
        }
        // Of two entries with one name the later counts: it comes first, and the rest goes.
        extents.reverse();
        extents.sort_by_key(|(name, _)| *name);
        extents.dedup_by_key(|(name, _)| *name);
        opened.extents = extents;
        Ok(opened)
    }

    /// Returns how many bytes an entry has, unpacked.
    pub fn size_bytes(&self, entry: &str) -> Result<u64, ArchiveError> {
        Ok(self.extent(entry)?.size_bytes)
    }

    /// Appends the bytes of an entry to `bytes`.
    pub fn read(&self, entry: &str, bytes: &mut Vec<u8>) -> Result<(), ArchiveError> {
        let extent = self.extent(entry)?;
        let read = extent.open(self.lies_at()).and_then(|mut it| it.read_to_end(bytes));
        let failed = |source| ArchiveError::Entry {
            path: self.path.clone(),
            entry: entry.to_owned(),
            source,
        };
        read.map(drop).map_err(failed)
    }

    fn extent(&self, entry: &str) -> Result<Extent, ArchiveError> {
        let found = self.extents.binary_search_by_key(&digest(entry), |(name, _)| *name);
        let missing = || ArchiveError::NoEntry { path: self.path.clone(), entry: entry.to_owned() };
        Ok(self.extents[found.map_err(|_| missing())?].1)
    }

    fn lies_at(&self) -> &Path {
        self.scratch.as_deref().unwrap_or(&self.path)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(scratch) = &self.scratch {
            // What cannot be removed now is overwritten by the next run.
            _ = fs::remove_file(scratch);
        }
    }
}

/// Unpacks a whole archive. One that is cut is good as far as it goes.
fn unpack(path: &Path, to: &Path) -> Result<(), ArchiveError> {
    let mut packed = packing::open(path).map_err(PathError::read(path))?;
    let failed =
        |source| ArchiveError::Scratch { path: path.to_owned(), to: to.to_owned(), source };
    fs::create_dir_all(to.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    let mut file = File::create(to).map_err(failed)?;
    let mut chunk = vec![0; 1 << 20];
    loop {
        match packed.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => io::Write::write_all(&mut file, &chunk[..n]).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(_) => return Ok(()),
        }
    }
}

/// Parts an archive's path from the name of an entry at the first `#` that follows a file.
fn parted(text: &str) -> (&Path, &str) {
    let found = parts(text).find(|(path, _)| path.is_file()).or_else(|| parts(text).next());
    found.unwrap_or((Path::new(text), ""))
}

/// Parts the text at every `#`.
fn parts(text: &str) -> impl Iterator<Item = (&Path, &str)> {
    text.match_indices('#').map(|(at, _)| (Path::new(&text[..at]), &text[at + 1..]))
}

fn digest(name: &str) -> u128 {
    let digest = blake3::hash(name.as_bytes());
    let half = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    u128::from_le_bytes(*half)
}
