//! Any entry of an archive, at the cost of its own bytes.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

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
    // Shared by all who fetch: what one of them opens serves the others.
    opened: Mutex<BTreeMap<PathBuf, Arc<Opened>>>,
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
        Self { scratch, opened: Mutex::default() }
    }

    /// Returns the bytes of an entry, unless there are more than `limit_bytes`.
    pub fn bytes(
        &self,
        archive: &Path,
        entry: &str,
        limit_bytes: u64,
    ) -> Result<Vec<u8>, ArchiveError> {
        self.open(archive)?.bytes(entry, limit_bytes)
    }

    fn open(&self, archive: &Path) -> Result<Arc<Opened>, ArchiveError> {
        // The map is whole even if somebody panicked while he held it.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = opened.get(archive) {
            return Ok(Arc::clone(found));
        }
        let new = Arc::new(Opened::open(archive, &self.scratch)?);
        opened.insert(archive.to_owned(), Arc::clone(&new));
        Ok(new)
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

    /// Returns the bytes of an entry, unless there are more than `limit_bytes`.
    pub fn bytes(&self, entry: &str, limit_bytes: u64) -> Result<Vec<u8>, ArchiveError> {
        let found = self.extents.binary_search_by_key(&digest(entry), |(name, _)| *name);
        let (path, entry) = (self.path.clone(), entry.to_owned());
        let Ok(found) = found else { return Err(ArchiveError::NoEntry { path, entry }) };
        let extent = self.extents[found].1;
        let size_bytes = extent.size_bytes;
        if limit_bytes < size_bytes {
            return Err(ArchiveError::TooLarge { path, entry, size_bytes });
        }
        let mut bytes = Vec::new();
        match extent.open(self.lies_at()).and_then(|mut it| it.read_to_end(&mut bytes)) {
            Ok(_) => Ok(bytes),
            Err(source) => Err(ArchiveError::Entry { path, entry, source }),
        }
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

fn digest(name: &str) -> u128 {
    let digest = blake3::hash(name.as_bytes());
    let half = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    u128::from_le_bytes(*half)
}
