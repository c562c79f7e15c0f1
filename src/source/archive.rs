//! `archive:PATH` and `archive:PATH#FOLDER`: pictures within a zip or tar file, as a rule in one
//! folder per class. The archive is read where it lies; nothing of it is ever laid out by the
//! names it gives.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use tokio::task::JoinError;

use super::{
    batch::{Batches, Sink},
    folder,
    glance::{self, Glance, PathError},
    packing::{self, Packing},
};
use crate::domain::{
    id::{BlobId, Place, PostId},
    post::{Media, Post, Teller},
};

mod entries;
mod opened;

use entries::Entry;
pub use opened::{Archives, Opened};

/// The largest entry that is looked at.
const ENTRY_BYTES_MAX: u64 = 1 << 30;

/// An archive, or one of its folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    path: PathBuf,
    folder: Option<String>,
}

/// Which entries of an archive a place asks for: those below the folder, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub folder: Option<String>,
    pub place: Place,
}

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    File(#[from] PathError),
    #[error("`{}` is no zip file that can be read", path.display())]
    NotAZip { path: PathBuf, source: zip::result::ZipError },
    #[error("`{}` is no tar file that can be read", path.display())]
    NotATar { path: PathBuf, source: io::Error },
    #[error("`{}` holds no entry `{entry}` any more", path.display())]
    NoEntry { path: PathBuf, entry: String },
    #[error("could not unpack entry `{entry}` of `{}`", path.display())]
    Entry { path: PathBuf, entry: String, source: io::Error },
    #[error("the opening of `{}` was broken off", path.display())]
    BrokenOff { path: PathBuf, source: JoinError },
    #[error("could not unpack `{}` to `{}`", path.display(), to.display())]
    Scratch { path: PathBuf, to: PathBuf, source: io::Error },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let (packing, within) = packing::of(path);
        match within.as_str() {
            "tar" => Some(Self::Tar),
            "zip" if packing == Packing::Plain => Some(Self::Zip),
            _ => None,
        }
    }
}

impl Archive {
    /// Reads `PATH` or `PATH#FOLDER`; `None` if the path does not name an archive.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (path, folder) = glance::choice(text, |path| Kind::of(path).is_some())?;
        let folder = folder.map(|it| it.trim_matches('/').to_owned()).filter(|it| !it.is_empty());
        Some(Self { path: glance::one_name(Path::new(path)), folder })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn folder(&self) -> Option<&str> {
        self.folder.as_deref()
    }

    pub(super) fn identity(&self) -> String {
        let folder = self.folder.as_deref().map(|it| format!("#{it}")).unwrap_or_default();
        format!("archive:{}{folder}", self.path.display())
    }

    pub fn glance(&self) -> Result<Glance, PathError> {
        Glance::at(&self.path)
    }

    /// Lists the pictures this place asks for.
    pub fn list(&self, place: &Place, sink: Sink<'_>) -> Result<(), ArchiveError> {
        let choice = Choice { folder: self.folder.clone(), place: place.clone() };
        list(&self.path, &[choice], sink)
    }
}

/// Lists an archive once for all places that choose from it, each picture with the digest of its
/// bytes. Of two entries with one name the later counts.
pub fn list(path: &Path, wanted: &[Choice], sink: Sink<'_>) -> Result<(), ArchiveError> {
    Glance::at(path)?;
    let mut listing = Listing { path, wanted, batches: Batches::new(sink) };
    match Kind::of(path) {
        Some(Kind::Tar) => match packing::of(path).0 {
            Packing::Plain => {
                let file = File::open(path).map_err(PathError::read(path))?;
                let failed = |source| ArchiveError::NotATar { path: path.to_owned(), source };
                let mut tar = tar::Archive::new(file);
                let found = tar.entries_with_seek().map_err(failed)?;
                entries::of_tar(path, found, &mut |entry| listing.entry(entry))?;
            }
            Packing::Gzip | Packing::Zstd => {
                let text = packing::open(path).map_err(PathError::read(path))?;
                let failed = |source| ArchiveError::NotATar { path: path.to_owned(), source };
                let mut tar = tar::Archive::new(text);
                let found = tar.entries().map_err(failed)?;
                entries::of_tar(path, found, &mut |entry| listing.entry(entry))?;
            }
        },
        Some(Kind::Zip) | None => entries::of_zip(path, &mut |entry| listing.entry(entry))?,
    }
    listing.batches.finish();
    Ok(())
}

struct Listing<'a> {
    path: &'a Path,
    wanted: &'a [Choice],
    batches: Batches<'a>,
}

impl Listing<'_> {
    fn entry(&mut self, entry: Entry<'_>) -> ControlFlow<()> {
        let (name, bytes) = match entry {
            Entry::Broken(why) => {
                self.batches.unreadable(|| why);
                return ControlFlow::Continue(());
            }
            Entry::File { name, bytes } => (name, bytes),
        };
        if !is_safe(&name) {
            self.batches.unreadable(|| format!("`{name}` leads out of the archive"));
            return ControlFlow::Continue(());
        }
        let below = |it: &&Choice| it.folder.as_deref().is_none_or(|it| is_below(&name, it));
        let places: BTreeSet<Place> =
            self.wanted.iter().filter(below).map(|it| it.place.clone()).collect();
        if places.is_empty() || name.split(['/', '\\']).any(|part| part.starts_with('.')) {
            return ControlFlow::Continue(());
        }
        let is_named_like_picture = folder::is_named_like_picture(Path::new(&name));
        if !is_named_like_picture && Kind::of(Path::new(&name)).is_some() {
            self.batches.unreadable(|| format!("`{name}` is an archive within the archive"));
            return ControlFlow::Continue(());
        }
        match bytes.and_then(|mut bytes| digest_if_picture(&name, &mut bytes)) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(digest)) => {
                let (id, post) = self.post(&name, places, digest);
                self.batches.post(id, post)
            }
            Err(why) => {
                // Of an entry that cannot be read only the name can tell that it was a picture.
                if is_named_like_picture {
                    self.batches.unreadable(|| format!("`{name}`: {why}"));
                }
                ControlFlow::Continue(())
            }
        }
    }

    fn post(&self, name: &str, places: BTreeSet<Place>, digest: BlobId) -> (PostId, Post) {
        let archive = self.path.display().to_string();
        let title = Path::new(name).file_stem().and_then(|stem| stem.to_str());
        let post = Post {
            places,
            title: title.unwrap_or_default().to_owned(),
            author: None,
            permalink: format!("archive:{archive}#{name}"),
            created_utc: None,
            score: None,
            upvote_percent: None,
            flair: None,
            over_18: false,
            media: Media::Packed { archive: archive.clone(), entry: name.to_owned(), digest },
            preview: None,
            told_by: Teller::Archive,
        };
        (PostId(format!("archive:{archive}//{name}")), post)
    }
}

/// Digests an entry whose first bytes or name claim that it is a picture.
fn digest_if_picture(name: &str, bytes: &mut dyn Read) -> Result<Option<BlobId>, String> {
    let failed = |error: io::Error| format!("cannot be unpacked: {error}");
    let mut start = Vec::new();
    bytes.take(16).read_to_end(&mut start).map_err(failed)?;
    if !folder::looks_like_picture(&start) && !folder::is_named_like_picture(Path::new(name)) {
        return Ok(None);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&start).update_reader(bytes).map_err(failed)?;
    Ok(BlobId::from_bytes(hasher.finalize().as_bytes()))
}

/// Tells whether a name stays within the archive, were it laid out.
fn is_safe(name: &str) -> bool {
    let leads_out = |part: &str| part == ".." || part.contains('\0');
    // A letter and a colon before all else name a drive; further on they are part of a name.
    let is_on_a_drive = matches!(name.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z', b':', ..]);
    !name.is_empty()
        && !is_on_a_drive
        && !name.starts_with(['/', '\\'])
        && !name.split(['/', '\\']).any(leads_out)
}

/// Tells whether an entry lies below a folder of this name, or of this path, at any depth.
fn is_below(name: &str, folder: &str) -> bool {
    let parts: Vec<&str> = name.split(['/', '\\']).collect();
    let folder: Vec<&str> = folder.split('/').collect();
    parts[..parts.len() - 1].windows(folder.len()).any(|window| window == folder)
}

#[cfg(test)]
mod tests;
