//! The entries of a zip or tar file in the order they lie, each with its bytes or the reason it
//! has none. The only file that knows `zip` and `tar` as readers.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::ControlFlow,
    path::Path,
};

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::{ArchiveError, ENTRY_BYTES_MAX};
use crate::source::glance::PathError;

/// Beyond this, an entry that unpacks to more than `RATIO_MAX` times its packed size is a trap;
/// pictures hardly pack at all.
const SUSPICIOUS_BYTES: u64 = 16 << 20;
const RATIO_MAX: u64 = 200;

pub(super) enum Entry<'a> {
    File {
        name: String,
        bytes: Result<Box<dyn Read + 'a>, String>,
    },
    /// Something that is not even an entry.
    Broken(String),
}

/// Where the bytes of an entry lie, and how they are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    at: u64,
    packed_bytes: u64,
    pub(super) size_bytes: u64,
    packed: Packed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packed {
    Stored,
    Deflated,
    Zstd,
}

impl Extent {
    /// Opens the bytes of an entry; reading fails if there are fewer or more than announced.
    pub(super) fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let packed = file.take(self.packed_bytes);
        let bytes: Box<dyn Read> = match self.packed {
            Packed::Stored => Box::new(packed),
            Packed::Deflated => Box::new(DeflateDecoder::new(packed)),
            Packed::Zstd => Box::new(zstd::stream::read::Decoder::new(packed)?),
        };
        Ok(Box::new(Exactly { bytes, left: self.size_bytes }))
    }
}

/// Bytes that must be as many as announced.
struct Exactly<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(to)?;
        if n == 0 && self.left != 0 && !to.is_empty() {
            let why = format!("{} bytes are missing", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
        }
        let read = u64::try_from(n).expect("a length fits 64 bits");
        self.left = self.left.checked_sub(read).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "there are more bytes than announced")
        })?;
        Ok(n)
    }
}

/// Visits the entries of a zip file in the order of its directory.
pub(super) fn of_zip(
    path: &Path,
    visit: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
) -> Result<(), ArchiveError> {
    each_extent_of_zip(path, &mut |name, extent| {
        let open = |extent: Extent| {
            extent.open(path).map_err(|error| format!("cannot be opened: {error}"))
        };
        visit(match name {
            Ok(name) => Entry::File { name, bytes: extent.and_then(open) },
            Err(why) => Entry::Broken(why),
        })
    })
}

/// A name and where its bytes are, or what is wrong with either.
type Visit<'a> =
    &'a mut dyn FnMut(Result<String, String>, Result<Extent, String>) -> ControlFlow<()>;

pub(super) fn each_extent_of_zip(path: &Path, visit: Visit<'_>) -> Result<(), ArchiveError> {
    let file = File::open(path).map_err(PathError::read(path))?;
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|source| ArchiveError::NotAZip { path: path.to_owned(), source })?;
    for index in 0..archive.len() {
        let entry = match archive.by_index_raw(index) {
            Ok(entry) => entry,
            Err(error) => {
                let why = format!("entry {index}: {error}");
                if visit(Err(why.clone()), Err(why)).is_break() {
                    break;
                }
                continue;
            }
        };
        let name = entry.name().map(|name| tidy(&name));
        if entry.is_dir() {
            continue;
        }
        let extent = extent_of(&entry);
        if visit(name.map_err(|error| format!("entry {index}: {error}")), extent).is_break() {
            break;
        }
    }
    Ok(())
}

fn extent_of(entry: &zip::read::ZipFile<'_, BufReader<File>>) -> Result<Extent, String> {
    if entry.encrypted() {
        return Err("is encrypted".to_owned());
    }
    let method = entry.compression();
    let known = [
        (CompressionMethod::STORE, Packed::Stored),
        (CompressionMethod::DEFLATE, Packed::Deflated),
        (CompressionMethod::ZSTD, Packed::Zstd),
    ];
    let packed = known.into_iter().find(|(known, _)| *known == method).map(|(_, packed)| packed);
    let packed = packed.ok_or_else(|| format!("is packed by an unknown method ({method})"))?;
    let at = entry.data_start().ok_or("has no bytes")?;
    let (packed_bytes, size_bytes) = (entry.compressed_size(), entry.size());
    Ok(Extent { at, packed_bytes, size_bytes, packed }).and_then(sensible)
}

fn sensible(extent: Extent) -> Result<Extent, String> {
    let size_bytes = extent.size_bytes;
    let is_trap =
        SUSPICIOUS_BYTES < size_bytes && extent.packed_bytes.saturating_mul(RATIO_MAX) < size_bytes;
    if ENTRY_BYTES_MAX < size_bytes || is_trap {
        return Err(format!("claims to unpack to {size_bytes} bytes"));
    }
    Ok(extent)
}

/// Visits the files of a tar archive in the order they lie.
pub(super) fn of_tar<R: Read>(
    path: &Path,
    found: tar::Entries<'_, R>,
    visit: &mut dyn FnMut(Entry<'_>) -> ControlFlow<()>,
) -> Result<(), ArchiveError> {
    each_tar_entry(path, found, &mut |name, extent, bytes| {
        visit(match name {
            Ok(name) => Entry::File { name, bytes: extent.map(|_| Box::new(bytes) as _) },
            Err(why) => Entry::Broken(why),
        })
    })
}

/// Visits where the files of a tar archive lie that is not packed.
pub(super) fn each_extent_of_tar(path: &Path, visit: Visit<'_>) -> Result<(), ArchiveError> {
    let file = File::open(path).map_err(PathError::read(path))?;
    let mut archive = tar::Archive::new(file);
    let found = archive.entries_with_seek();
    let found = found.map_err(|source| ArchiveError::NotATar { path: path.to_owned(), source })?;
    each_tar_entry(path, found, &mut |name, extent, _| visit(name, extent))
}

/// The same, and the bytes themselves.
type VisitBytes<'a> = &'a mut dyn FnMut(
    Result<String, String>,
    Result<Extent, String>,
    &mut dyn Read,
) -> ControlFlow<()>;

fn each_tar_entry<R: Read>(
    path: &Path,
    found: tar::Entries<'_, R>,
    visit: VisitBytes<'_>,
) -> Result<(), ArchiveError> {
    let mut n = 0_u64;
    for entry in found {
        n += 1;
        let mut entry = match entry {
            Ok(entry) => entry,
            // A file that is no archive fails at once; one that is cut has told its beginning.
            Err(source) if n == 1 => {
                return Err(ArchiveError::NotATar { path: path.to_owned(), source });
            }
            Err(error) => {
                let why = format!("the archive cannot be read beyond its entry {}: {error}", n - 1);
                _ = visit(Err(why.clone()), Err(why), &mut io::empty()); // It is the last visit.
                break;
            }
        };
        let kind = entry.header().entry_type();
        if !kind.is_file() && !kind.is_contiguous() {
            continue;
        }
        let name = String::from_utf8(entry.path_bytes().into_owned());
        let name =
            name.map(|name| tidy(&name)).map_err(|_| format!("entry {n}: its name is not UTF-8"));
        let size_bytes = entry.size();
        let at = entry.raw_file_position();
        let extent = Extent { at, packed_bytes: size_bytes, size_bytes, packed: Packed::Stored };
        let mut bytes = Exactly { bytes: &mut entry, left: size_bytes };
        if visit(name, sensible(extent), &mut bytes).is_break() {
            break;
        }
    }
    Ok(())
}

/// Takes the `./` away that tar puts before its names.
fn tidy(name: &str) -> String {
    name.trim_start_matches("./").to_owned()
}
