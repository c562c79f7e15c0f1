//! The parts of a zip archive that is the same bytes on every machine and in every run.
//!
//! Stored, not compressed (JPEG and PNG do not shrink), sorted, dated 1980-01-01, without extra
//! fields unless it is too large for the plain ones (ZIP64). After PKWARE's APPNOTE 6.3.10: what is
//! ahead of the bytes of an entry is known once these are, so entries are made on all cores; the
//! directory behind them tells where they came to lie.

use std::io;

use super::ExportError;

/// 1980-01-01, the first day the format can tell, as MS-DOS writes it.
const DATE: u16 = 1 << 5 | 1;
const UNIX: u16 = 3 << 8;
/// Names are UTF-8; not said of plain ASCII.
const UTF_8: u16 = 1 << 11;

/// What the fields of the plain format cannot hold, and who reads what is in the others instead.
const TOO_LARGE: u32 = u32::MAX;
const TOO_MANY: u16 = u16::MAX;
const ZIP64_VERSION: u16 = 45;

/// What the directory tells of an entry.
pub(super) struct Entry {
    name: String,
    kind: Kind,
    crc32: u32,
    size_bytes: u32,
    /// Where it begins in its piece of the file.
    begin: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
}

impl Kind {
    /// Returns the version of the format that a reader needs.
    fn version(self) -> u16 {
        match self {
            Self::File => 10,
            Self::Folder => 20,
        }
    }

    /// Returns type and permissions as Unix has them.
    fn mode(self) -> u32 {
        match self {
            Self::File => 0o100_644,
            Self::Folder => 0o040_755,
        }
    }
}

/// Appends an empty folder to a piece of an archive.
pub(super) fn add_folder(piece: &mut Vec<u8>, name: &str) -> io::Result<Entry> {
    let begin = number(piece.len())?;
    let (name, kind) = (format!("{name}/"), Kind::Folder);
    let entry = Entry { name, kind, crc32: 0, size_bytes: 0, begin };
    entry.header(piece)?;
    Ok(entry)
}

/// Appends a file, whose bytes `read` appends, to a piece of an archive; `failed` tells of one that
/// does not fit.
pub(super) fn add(
    piece: &mut Vec<u8>,
    name: &str,
    read: impl FnOnce(&mut Vec<u8>) -> Result<(), ExportError>,
    failed: impl Fn(io::Error) -> ExportError,
) -> Result<Entry, ExportError> {
    let at = piece.len();
    let begin = number(at).map_err(&failed)?;
    let (name, kind) = (name.to_owned(), Kind::File);
    let mut entry = Entry { name, kind, crc32: 0, size_bytes: 0, begin };
    entry.header(piece).map_err(&failed)?;
    let within = piece.len();
    read(piece)?;
    let bytes = &piece[within..];
    entry.crc32 = crc32fast::hash(bytes);
    entry.size_bytes = fitting(bytes.len()).map_err(&failed)?;
    let mut header = Vec::with_capacity(within - at);
    entry.header(&mut header).map_err(&failed)?;
    piece[at..within].copy_from_slice(&header);
    Ok(entry)
}

/// Returns what stands behind the entries of an archive: its directory. The entries come by their
/// pieces, each with the place where it begins; the last one ends at `end`.
pub(super) fn directory(pieces: &[(u64, Vec<Entry>)], end: u64) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let (mut n, mut version) = (0_u64, Kind::File.version());
    for (place, entries) in pieces {
        for entry in entries {
            version = version.max(entry.listed(&mut out, place + entry.begin)?);
            n += 1;
        }
    }
    let size = number(out.len())?;
    let [plain_size, plain_end] = [size, end].map(|it| u32::try_from(it).unwrap_or(TOO_LARGE));
    let plain_n = u16::try_from(n).unwrap_or(TOO_MANY);
    if plain_n == TOO_MANY || plain_size == TOO_LARGE || plain_end == TOO_LARGE {
        let version = version.max(ZIP64_VERSION);
        out.extend(b"PK\x06\x06");
        out.extend(44_u64.to_le_bytes()); // Bytes of this record from here on.
        out.extend((UNIX | version).to_le_bytes());
        out.extend(version.to_le_bytes());
        out.extend([0; 8]); // All is on one disk.
        out.extend([n, n, size, end].map(u64::to_le_bytes).concat());
        out.extend(b"PK\x06\x07");
        out.extend([0; 4]);
        out.extend((end + size).to_le_bytes());
        out.extend(1_u32.to_le_bytes()); // Disks.
    }
    out.extend(b"PK\x05\x06");
    out.extend([0; 4]);
    out.extend([plain_n, plain_n].map(u16::to_le_bytes).concat());
    out.extend([plain_size, plain_end].map(u32::to_le_bytes).concat());
    out.extend([0; 2]); // No comment.
    Ok(out)
}

impl Entry {
    /// Appends what stands ahead of the bytes.
    fn header(&self, out: &mut Vec<u8>) -> io::Result<()> {
        out.extend(b"PK\x03\x04");
        self.facts(out, self.kind.version())?;
        out.extend([0; 2]); // No extra fields.
        out.extend(self.name.as_bytes());
        Ok(())
    }

    /// Appends the line of the directory for an entry that begins at `place`; returns the version of
    /// the format that a reader needs.
    fn listed(&self, out: &mut Vec<u8>, place: u64) -> io::Result<u16> {
        let plain = u32::try_from(place).unwrap_or(TOO_LARGE);
        let mut extra = Vec::new();
        let mut version = self.kind.version();
        if plain == TOO_LARGE {
            version = ZIP64_VERSION;
            extra.extend([1_u16, 8].map(u16::to_le_bytes).concat());
            extra.extend(place.to_le_bytes());
        }
        out.extend(b"PK\x01\x02");
        out.extend((UNIX | version).to_le_bytes());
        self.facts(out, version)?;
        out.extend(u16::try_from(extra.len()).map_err(io::Error::other)?.to_le_bytes());
        out.extend([0; 6]); // No comment, the first disk, no text.
        out.extend((self.kind.mode() << 16).to_le_bytes());
        out.extend(plain.to_le_bytes());
        out.extend(self.name.as_bytes());
        out.extend(extra);
        Ok(version)
    }

    /// Appends what both tell.
    fn facts(&self, out: &mut Vec<u8>, version: u16) -> io::Result<()> {
        let flags = if self.name.is_ascii() { 0 } else { UTF_8 };
        let n_name = u16::try_from(self.name.len()).map_err(io::Error::other)?;
        out.extend([version, flags, 0, 0, DATE].map(u16::to_le_bytes).concat());
        out.extend([self.crc32, self.size_bytes, self.size_bytes].map(u32::to_le_bytes).concat());
        out.extend(n_name.to_le_bytes());
        Ok(())
    }
}

fn number(n: usize) -> io::Result<u64> {
    u64::try_from(n).map_err(io::Error::other)
}

/// Fails for what no picture has: a size of 4 GiB.
fn fitting(n: usize) -> io::Result<u32> {
    let size = u32::try_from(n).ok().filter(|it| *it != TOO_LARGE);
    size.ok_or_else(|| io::Error::new(io::ErrorKind::FileTooLarge, "a picture of 4 GiB or more"))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write};

    use zip::{
        CompressionMethod, DateTime, System, ZipArchive, ZipWriter, write::SimpleFileOptions,
    };

    use super::*;

    /// Puts an archive together, a piece for each slice of files; folders come first.
    fn archive(folders: &[&str], pieces: &[&[(&str, &[u8])]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut told = vec![(0, Vec::new())];
        for name in folders {
            told[0].1.push(add_folder(&mut out, name).unwrap());
        }
        for files in pieces {
            let mut piece = Vec::new();
            let entries = files.iter().map(|(name, bytes)| {
                let read = |piece: &mut Vec<u8>| {
                    piece.extend(*bytes);
                    Ok(())
                };
                add(&mut piece, name, read, |error| panic!("{error}")).unwrap()
            });
            let entries = entries.collect();
            told.push((number(out.len()).unwrap(), entries));
            out.extend(piece);
        }
        let end = number(out.len()).unwrap();
        out.extend(directory(&told, end).unwrap());
        out
    }

    #[test]
    fn the_bytes_are_those_that_the_zip_crate_writes() {
        let options = SimpleFileOptions::DEFAULT
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::DEFAULT)
            .system(System::Unix);
        let mut theirs = ZipWriter::new(Cursor::new(Vec::new()));
        theirs.add_directory("birds", options.unix_permissions(0o755)).unwrap();
        let files = [("cats/1.jpg", &b"a cat"[..]), ("dogs/2.jpg", b""), ("hůň/3.jpg", b"\0\xff")];
        for (name, bytes) in files {
            theirs.start_file(name, options.unix_permissions(0o644)).unwrap();
            theirs.write_all(bytes).unwrap();
        }
        let theirs = theirs.finish().unwrap().into_inner();

        assert_eq!(archive(&["birds"], &[&files[..2], &[], &files[2..]]), theirs);
        let empty = ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
        assert_eq!(archive(&[], &[]), empty);
    }

    #[test]
    fn more_files_than_the_plain_format_counts_are_all_there() {
        let names: Vec<String> = (0..70_000).map(|n| format!("cats/{n}.jpg")).collect();
        let files: Vec<(&str, &[u8])> =
            names.iter().map(|name| (name.as_str(), name.as_bytes())).collect();

        let mut read = ZipArchive::new(Cursor::new(archive(&[], &[&files]))).unwrap();

        assert_eq!(read.len(), 70_000);
        for (at, name) in
            [(0, "cats/0.jpg"), (65_535, "cats/65535.jpg"), (69_999, "cats/69999.jpg")]
        {
            let mut file = read.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, name);
        }
    }

    #[test]
    fn what_lies_behind_the_first_four_gibibytes_is_found() {
        let far = 5 << 30;
        let mut piece = Vec::new();
        let read = |piece: &mut Vec<u8>| {
            piece.extend(b"far away");
            Ok(())
        };
        let entry = add(&mut piece, "cats/1.jpg", read, |error| panic!("{error}")).unwrap();
        let end = far + number(piece.len()).unwrap();
        let mut file = tempfile::tempfile().unwrap(); // Nothing is written of what is ahead.
        file.seek(SeekFrom::Start(far)).unwrap();
        file.write_all(&piece).unwrap();
        file.write_all(&directory(&[(far, vec![entry])], end).unwrap()).unwrap();

        let mut read = ZipArchive::new(file).unwrap();

        let mut text = String::new();
        read.by_name("cats/1.jpg").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "far away");
    }

    #[test]
    fn a_file_of_four_gibibytes_is_refused() {
        assert_eq!(fitting(4_294_967_294).unwrap(), 4_294_967_294);
        for n in [4_294_967_295, 4_294_967_296] {
            assert_eq!(fitting(n).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        }
    }
}
