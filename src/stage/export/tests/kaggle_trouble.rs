//! Trouble while an export is written: the old one stays, and files of others are never touched.

use std::io::{self, Seek, SeekFrom, Write};

use super::{super::grown, *};

#[test]
fn trouble_midway_leaves_the_old_export_and_nothing_half_written() {
    let bench = Bench::new();
    bench.kaggle("exports/kaggle").unwrap();
    let before = tree(&bench.path("exports"));
    let crop = bench.crop_of(2);
    let bytes = fs::read(&crop).unwrap();

    fs::write(&crop, b"other bytes").unwrap();
    let altered = bench.kaggle("exports/kaggle").unwrap_err();
    fs::remove_file(&crop).unwrap();
    let missing = bench.kaggle("exports/kaggle").unwrap_err();

    assert!(matches!(altered, ExportError::Altered { path, .. } if path == crop));
    assert!(matches!(missing, ExportError::Read { path, .. } if path == crop));
    assert_eq!(tree(&bench.path("exports")), before);
    fs::write(&crop, bytes).unwrap();
    bench.kaggle("exports/kaggle").unwrap();
}

#[test]
fn a_crash_at_any_instant_heals_at_the_next_run() {
    let crashes: [Crash; 4] = [
        ("while the new folder was written", |exports| {
            fs::create_dir(exports.join(".kaggle.new")).unwrap();
            fs::write(exports.join(".kaggle.new/test.zip"), "half").unwrap();
        }),
        ("between the two renames", |exports| {
            fs::rename(exports.join("kaggle"), exports.join(".kaggle.old")).unwrap();
            fs::create_dir(exports.join(".kaggle.new")).unwrap();
            fs::write(exports.join(".kaggle.new/train.zip"), "new").unwrap();
        }),
        ("before the old folder was removed", |exports| {
            fs::create_dir(exports.join(".kaggle.old")).unwrap();
            fs::write(exports.join(".kaggle.old/train.zip"), "old").unwrap();
        }),
        ("while the mark was written", |exports| {
            fs::write(exports.join(".kaggle.snapset.new"), "{").unwrap();
        }),
    ];
    for (when, crash) in crashes {
        let bench = Bench::new();
        bench.kaggle("exports/kaggle").unwrap();
        let clean = tree(&bench.path("exports"));

        crash(&bench.path("exports"));
        bench.kaggle("exports/kaggle").unwrap();

        assert_eq!(tree(&bench.path("exports")), clean, "{when}");
    }
}

#[test]
fn after_a_crash_between_the_renames_even_a_failing_run_brings_the_old_export_back() {
    let bench = Bench::new();
    bench.kaggle("exports/kaggle").unwrap();
    let clean = tree(&bench.path("exports"));
    fs::rename(bench.path("exports/kaggle"), bench.path("exports/.kaggle.old")).unwrap();
    fs::remove_file(bench.crop_of(0)).unwrap();

    bench.kaggle("exports/kaggle").unwrap_err();

    assert_eq!(tree(&bench.path("exports")), clean);
}

#[test]
fn an_export_that_was_not_settled_makes_way_for_the_one_before_it() {
    let mut bench = Bench::new();
    bench.kaggle("exports/kaggle").unwrap();
    let clean = tree(&bench.path("exports"));
    bench.add("dogs", Split::Val, "another");
    let dir = bench.path("exports/kaggle");
    bench.with(|it| write_kaggle(it, &recipe(), COVER, None, &dir)).unwrap();
    let unsettled = tree(&bench.path("exports/kaggle"));
    assert!(unsettled != tree(&bench.path("exports/.kaggle.old")), "both are there");
    let crop = fs::read(bench.crop_of(0)).unwrap();
    fs::remove_file(bench.crop_of(0)).unwrap();

    bench.kaggle("exports/kaggle").unwrap_err();

    let old = tree(&bench.path("exports"));
    assert!(
        old.iter()
            .filter(|(name, _)| !name.starts_with('.'))
            .eq(clean.iter().filter(|(name, _)| !name.starts_with('.')))
    );
    fs::write(bench.crop_of(0), crop).unwrap();
    bench.kaggle("exports/kaggle").unwrap();
    assert_eq!(tree(&bench.path("exports/kaggle")), unsettled);
    assert_eq!(hidden_names(&bench.path("exports")), [".kaggle.snapset"]);
}

#[test]
fn somebodys_file_in_an_export_that_was_not_settled_is_not_lost() {
    let mut bench = Bench::new();
    bench.kaggle("exports/kaggle").unwrap();
    bench.add("dogs", Split::Val, "another");
    let dir = bench.path("exports/kaggle");
    bench.with(|it| write_kaggle(it, &recipe(), COVER, None, &dir)).unwrap();
    fs::write(dir.join("notes.txt"), "mine").unwrap();

    swap::settle(&dir).unwrap();
    let refusal = bench.kaggle("exports/kaggle").unwrap_err();

    assert!(matches!(refusal, ExportError::Foreign { path } if path == dir.join("notes.txt")));
    assert_eq!(fs::read(dir.join("notes.txt")).unwrap(), b"mine");
}

#[test]
fn a_first_export_that_crashed_does_not_block_the_next() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("exports/.kaggle.new")).unwrap();
    fs::write(bench.path("exports/.kaggle.new/train.zip"), "half").unwrap();
    fs::write(bench.path("exports/.kaggle.snapset"), r#"{"dataset":"pets","files":[]}"#).unwrap();

    bench.kaggle("exports/kaggle").unwrap();

    assert_eq!(hidden_names(&bench.path("exports")), [".kaggle.snapset"]);
}

#[test]
fn an_export_that_lost_a_split_loses_its_archive() {
    let mut bench = Bench::new();
    bench.kaggle("exports/kaggle").unwrap();
    bench.pictures.retain(|picture| picture.split == Split::Train);

    bench.kaggle("exports/kaggle").unwrap();

    let names: Vec<String> = tree(&bench.path("exports/kaggle")).into_keys().collect();
    assert!(names.contains(&"train.zip".to_owned()) && !names.contains(&"val.zip".to_owned()));
}

#[test]
fn a_folder_that_is_not_ours_is_refused_and_untouched() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("exports/kaggle")).unwrap();
    fs::write(bench.path("exports/kaggle/thesis.txt"), "years of work").unwrap();
    let before = tree(&bench.path("exports"));

    let error = bench.kaggle("exports/kaggle").unwrap_err();

    assert!(matches!(error, ExportError::NotOurs { dir } if dir == bench.path("exports/kaggle")));
    assert_eq!(tree(&bench.path("exports")), before);
}

#[test]
fn a_file_somebody_put_into_our_folder_is_not_lost() {
    let bench = Bench::new();
    bench.kaggle("exports/kaggle").unwrap();
    let note = bench.path("exports/kaggle/notes.txt");
    fs::write(&note, "do not lose").unwrap();

    let error = bench.kaggle("exports/kaggle").unwrap_err();

    assert!(matches!(error, ExportError::Foreign { path } if path == note));
    assert_eq!(fs::read(&note).unwrap(), b"do not lose");
}

#[test]
fn the_export_of_another_dataset_is_refused() {
    let bench = Bench::new();
    bench.kaggle("exports/kaggle").unwrap();

    let error = bench
        .with(|dataset| {
            let cars = Dataset { name: "cars", ..*dataset };
            write_kaggle(&cars, &recipe(), COVER, None, &bench.path("exports/kaggle"))
        })
        .unwrap_err();

    assert!(matches!(error, ExportError::OtherDataset { owner, .. } if owner == "pets"));
}

/// A disk with room for so many bytes.
#[derive(Default)]
struct SmallDisk {
    room: u64,
    position: u64,
    length: u64,
}

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = self.position + u64::try_from(bytes.len()).unwrap();
        if self.room < end {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.position = end;
        self.length = self.length.max(end);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(distance) => self.length.checked_add_signed(distance).unwrap(),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance).unwrap(),
        };
        Ok(self.position)
    }
}

#[test]
fn a_disk_that_is_full_anywhere_in_a_file_is_reported_as_such() {
    let write = |room| {
        let disk = SmallDisk { room, ..SmallDisk::default() };
        let make = |n: &usize, piece: &mut Vec<u8>| {
            piece.resize(*n, 7);
            Ok(())
        };
        let close = |_, _| Ok(vec![8; 100]);
        grown::put_together((disk, Path::new("train.zip")), &[700, 0, 900, 1_100], make, close)
    };

    for room in 0..2_800 {
        let error = write(room).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "the disk is full: could not write train.zip", "{room}");
    }
    let (disk, (_, size)) = write(2_800).unwrap();
    assert_eq!((disk.length, size), (2_800, 2_800));
}
