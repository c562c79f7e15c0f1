use std::{collections::BTreeMap, fs, io::Write};

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::source::{SourceSpec, batch::Unreadable};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nsome more bytes";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0 and the rest";

fn choice(folder: Option<&str>) -> Choice {
    let place = Place(format!("archive:x#{}", folder.unwrap_or_default()));
    Choice { folder: folder.map(str::to_owned), place }
}

/// Lists names with the places that show them and their digests.
fn listed(path: &Path, wanted: &[Choice]) -> (BTreeMap<String, (usize, BlobId)>, Unreadable) {
    let (mut found, mut unreadable) = (BTreeMap::new(), Unreadable::default());
    list(path, wanted, &mut |batch| {
        for (_, post) in batch.posts {
            let Media::Packed { entry, digest, .. } = post.media else {
                panic!("an archive holds packed pictures")
            };
            found.insert(entry, (post.places.len(), digest));
        }
        unreadable.absorb(batch.unreadable);
        ControlFlow::Continue(())
    })
    .unwrap();
    (found, unreadable)
}

fn names(found: &BTreeMap<String, (usize, BlobId)>) -> Vec<&str> {
    found.keys().map(String::as_str).collect()
}

fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Written past the builder, which would refuse a name that leads out.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gzip_of(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// One entry, deflated, as zip programs write it.
fn deflated_zip(name: &str, bytes: &[u8], announced: u32, flags: u16) -> Vec<u8> {
    let mut deflate =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    deflate.write_all(bytes).unwrap();
    let packed = deflate.finish().unwrap();
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let shared = |zip: &mut Vec<u8>| {
        for number in [20, flags, 8, 0, 0x21] {
            zip.extend(u16::to_le_bytes(number));
        }
        for number in [crc.sum(), u32::try_from(packed.len()).unwrap(), announced] {
            zip.extend(u32::to_le_bytes(number));
        }
        zip.extend(u16::to_le_bytes(u16::try_from(name.len()).unwrap()));
        zip.extend([0, 0]);
    };
    let mut zip = b"PK\x03\x04".to_vec();
    shared(&mut zip);
    zip.extend(name.bytes());
    zip.extend(&packed);
    let directory_at = u32::try_from(zip.len()).unwrap();
    zip.extend(b"PK\x01\x02\x14\x00");
    shared(&mut zip);
    zip.extend([0; 14]);
    zip.extend(name.bytes());
    let size = u32::try_from(zip.len()).unwrap() - directory_at;
    zip.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    zip.extend(u32::to_le_bytes(size));
    zip.extend(u32::to_le_bytes(directory_at));
    zip.extend([0, 0]);
    zip
}

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }

    fn scratch(&self) -> PathBuf {
        self.dir.path().join("scratch")
    }
}

const ENTRIES: [(&str, &[u8]); 6] = [
    ("./train/cats/1.png", PNG),
    ("train/cats/deep/2.jpg", JPEG),
    ("train/dogs/3", PNG),
    ("train/dogs/notes.txt", b"hello"),
    ("train/cats/.4.png", PNG),
    ("cats.png", JPEG),
];

fn read(archive: &Opened, entry: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    archive.read(entry, &mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn class_folders_are_found_in_every_kind_of_archive_and_their_bytes_come_back() {
    let bench = Bench::new();
    let tar = tar_of(&ENTRIES);
    let archives = [
        ("a.zip", zip_of(&ENTRIES)),
        ("a.tar.gz", gzip_of(&tar)),
        ("a.tgz", gzip_of(&tar)),
        ("a.TAR.zst", zstd::encode_all(&*tar, 1).unwrap()),
        ("a.tar", tar),
    ];
    let wanted = [choice(Some("cats")), choice(Some("train/dogs")), choice(Some("train"))];

    for (name, bytes) in archives {
        let path = bench.file(name, &bytes);
        let (found, unreadable) = listed(&path, &wanted);
        let expected = ["train/cats/1.png", "train/cats/deep/2.jpg", "train/dogs/3"];
        assert_eq!((names(&found), unreadable.count), (expected.to_vec(), 0), "{name}");
        let archives = Archives::new(bench.scratch());
        for (entry, (n_places, digest)) in found {
            let text = format!("{}#{entry}", path.display());
            let (archive, name) = archives.find(&text).await.unwrap();
            let bytes = read(&archive, name);
            assert_eq!((n_places, BlobId::of(&bytes)), (2, digest), "{name}: {entry}");
            let size_bytes = archive.size_bytes(name).unwrap();
            assert_eq!(usize::try_from(size_bytes).unwrap(), bytes.len(), "{name}: {entry}");
        }
        drop(archives);
        let left = fs::read_dir(bench.scratch()).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{name}: nothing of ours stays behind");
    }
}

#[test]
fn an_archive_without_a_choice_gives_all_its_pictures() {
    let bench = Bench::new();
    let path = bench.file("a.zip", &zip_of(&ENTRIES));

    let (found, _) = listed(&path, &[choice(None)]);

    assert_eq!(
        names(&found),
        ["cats.png", "train/cats/1.png", "train/cats/deep/2.jpg", "train/dogs/3"]
    );
}

#[test]
fn entries_that_lie_are_counted_and_cost_only_themselves() {
    let bench = Bench::new();
    let escaping: [(&str, &[u8]); 5] = [
        ("../../etc/1.png", PNG),
        ("/etc/2.png", PNG),
        ("a/..\\..\\3.png", PNG),
        ("inner.zip", b"PK\x03\x04"),
        ("good.png", PNG),
    ];
    let zeros = vec![0; 64 << 20];
    let size = u32::try_from(zeros.len()).unwrap();
    let archives = [
        ("slip.tar", tar_of(&escaping), 1, 4),
        ("slip.zip", zip_of(&escaping), 1, 4),
        ("bomb.zip", deflated_zip("a.png", &zeros, size, 0), 0, 1),
        ("secret.zip", deflated_zip("a.png", PNG, 23, 1), 0, 1),
        ("short.zip", deflated_zip("a.png", PNG, 99, 0), 0, 1),
        ("long.zip", deflated_zip("a.png", PNG, 3, 0), 0, 1),
        ("good.zip", deflated_zip("a.png", PNG, 23, 0), 1, 0),
    ];

    for (name, bytes, n_good, n_bad) in archives {
        let (found, unreadable) = listed(&bench.file(name, &bytes), &[choice(None)]);
        assert_eq!((found.len(), unreadable.count), (n_good, n_bad), "{name}: {unreadable:?}");
    }
}

#[test]
fn an_archive_that_is_cut_is_good_as_far_as_it_goes() {
    let bench = Bench::new();
    let large: Vec<u8> = PNG.iter().copied().cycle().take(100_000).collect();
    let entries: Vec<(String, &[u8])> =
        (0..9).map(|n| (format!("{n}.png"), large.as_slice())).collect();
    let entries: Vec<(&str, &[u8])> =
        entries.iter().map(|(name, it)| (name.as_str(), *it)).collect();
    let tar = tar_of(&entries);
    let zstd = zstd::encode_all(&*tar, 1).unwrap();
    let paths = [
        bench.file("cut.tar", &tar[..250_000]),
        bench.file("cut.tar.zst", &zstd[..zstd.len() - 9]),
    ];

    for path in paths {
        let (found, unreadable) = listed(&path, &[choice(None)]);
        assert!(2 <= found.len() && 1 <= unreadable.count, "{}: {unreadable:?}", path.display());
    }
}

#[test]
fn what_is_no_archive_or_no_longer_there_is_named() {
    let bench = Bench::new();
    let zip = bench.file("a.zip", b"hello");
    let tar = bench.file("a.tar", &[b'x'; 2000]);
    let good = bench.file("b.zip", &zip_of(&ENTRIES));
    let complaint = |path: &Path| {
        let refusal = list(path, &[choice(None)], &mut |_| ControlFlow::Continue(()));
        refusal.unwrap_err().to_string().replace(&bench.dir.path().display().to_string(), "")
    };
    let opened = Opened::open(&good, &bench.scratch()).unwrap();

    assert_eq!(complaint(&zip), "`/a.zip` is no zip file that can be read");
    assert_eq!(complaint(&tar), "`/a.tar` is no tar file that can be read");
    assert!(complaint(&bench.dir.path().join("c.zip")).starts_with("there is no file `/c.zip`"));
    let gone = opened.read("gone.png", &mut Vec::new());
    assert!(matches!(gone, Err(ArchiveError::NoEntry { .. })));
}

#[tokio::test]
async fn an_entry_is_parted_from_its_archive_where_the_file_ends() {
    let bench = Bench::new();
    let path = bench.file("a#b.zip", &zip_of(&[("cats/#1.png", PNG)]));
    let archives = Archives::new(bench.scratch());
    let missing = format!("{}#1", path.with_file_name("a").display());
    let text = format!("{}#cats/#1.png", path.display());

    assert!(matches!(archives.find(&missing).await, Err(ArchiveError::File(_))));
    for _ in 0..2 {
        let (archive, name) = archives.find(&text).await.unwrap();
        assert_eq!(name, "cats/#1.png");
        assert_eq!(read(&archive, name), PNG);
    }
}

#[test]
fn a_place_names_an_archive_and_perhaps_a_folder() {
    let identity =
        |text: &str| SourceSpec::parse(&Place(text.to_owned())).map(|spec| spec.identity().0).ok();

    assert_eq!(identity("archive:./a.zip#/cats/").as_deref(), Some("archive:a.zip#cats"));
    assert_eq!(identity("archive:a#1.tar.gz").as_deref(), Some("archive:a#1.tar.gz"));
    assert_eq!(identity("archive:a.rar"), None);
    assert_eq!(identity("archive:a.zip.gz"), None);
}

#[test]
fn a_colon_within_a_name_is_part_of_it() {
    assert!(is_safe("cats/12:30.jpg") && is_safe("cats/a:b/1.jpg") && is_safe("12:30.jpg"));
    assert!(!is_safe("C:/1.jpg") && !is_safe("c:1.jpg") && !is_safe("cats/../../1.jpg"));
}
