//! The class folders: what is right stays, what is ours and unclaimed goes, the rest is not touched.

use super::*;

fn pictures_in(bench: &Bench) -> Vec<String> {
    let mut names: Vec<String> = tree(&bench.path("dataset")).into_keys().collect();
    names.retain(|name| name != ".snapset");
    names
}

fn expected(bench: &Bench) -> Vec<String> {
    let mut names: Vec<String> = bench
        .pictures
        .iter()
        .map(|p| format!("{}/{}/{}", p.split, p.label, p.file_name()))
        .collect();
    for split in Split::ALL {
        names.push(format!("{split}/"));
        names.extend(bench.classes.iter().map(|label| format!("{split}/{label}/")));
    }
    names.sort_unstable();
    names
}

#[test]
fn every_class_is_in_every_split_and_every_picture_in_its_place() {
    let bench = Bench::new();

    let changes = bench.folder().unwrap();

    assert_eq!(changes, Changes { n_added: 4, ..Changes::default() });
    assert_eq!(pictures_in(&bench), expected(&bench));
    let cat = &bench.pictures[2];
    let path = bench.path("dataset/val/cats").join(cat.file_name());
    assert_eq!(fs::read(path).unwrap(), fs::read(bench.crop_of(2)).unwrap());
}

#[test]
fn a_picture_edited_in_the_dataset_leaves_its_crop_alone() {
    let bench = Bench::new();
    bench.folder().unwrap();
    let cat = &bench.pictures[2];
    let before = fs::read(bench.crop_of(2)).unwrap();

    fs::write(bench.path("dataset/val/cats").join(cat.file_name()), "painted over").unwrap();

    assert_eq!(fs::read(bench.crop_of(2)).unwrap(), before);
}

#[test]
fn a_second_run_changes_nothing() {
    let bench = Bench::new();
    bench.folder().unwrap();
    let mark = fs::metadata(bench.path("dataset/.snapset")).unwrap().modified().unwrap();

    let changes = bench.folder().unwrap();

    assert_eq!(changes, Changes { n_kept: 4, ..Changes::default() });
    assert_eq!(fs::metadata(bench.path("dataset/.snapset")).unwrap().modified().unwrap(), mark);
}

#[test]
fn an_incremental_run_leaves_what_a_clean_one_would() {
    let mut bench = Bench::new();
    bench.folder().unwrap();
    bench.pictures[0].split = Split::Test;
    bench.add("dogs", Split::Val, "another");
    bench.pictures.remove(2);
    let bytes = drawn(9);
    bench.pictures[1].crop = Crop::of(&bytes, (16, 16), FileFormat::Jpeg);
    fs::write(bench.crop_of(1), bytes).unwrap();

    let changes = bench.folder().unwrap();

    assert_eq!(changes, Changes { n_added: 2, n_replaced: 1, n_removed: 2, n_kept: 1 });
    let incremental = tree(&bench.path("dataset"));
    fs::remove_dir_all(bench.path("dataset")).unwrap();
    bench.folder().unwrap();
    assert_eq!(incremental, tree(&bench.path("dataset")));
}

#[test]
fn a_file_that_was_lost_or_shortened_is_put_back() {
    let bench = Bench::new();
    bench.folder().unwrap();
    let lost = bench.path("dataset/train/cats").join(bench.pictures[0].file_name());
    let short = bench.path("dataset/train/cats").join(bench.pictures[1].file_name());
    fs::remove_file(&lost).unwrap();
    fs::remove_file(&short).unwrap();
    fs::write(&short, "short").unwrap();

    let changes = bench.folder().unwrap();

    assert_eq!(changes, Changes { n_added: 1, n_replaced: 1, n_kept: 2, ..Changes::default() });
    assert_eq!(fs::read(short).unwrap(), fs::read(bench.crop_of(1)).unwrap());
}

#[test]
fn a_class_that_is_no_more_goes_with_its_pictures_but_not_with_others_files() {
    let mut bench = Bench::new();
    bench.folder().unwrap();
    let note = bench.path("dataset/val/dogs/notes.txt");
    fs::write(&note, "mine").unwrap();
    bench.pictures.remove(3);
    bench.classes.remove(0);

    bench.folder().unwrap();

    let mut names = expected(&bench);
    names.extend(["val/dogs/", "val/dogs/notes.txt"].map(str::to_owned));
    names.sort_unstable();
    assert_eq!(pictures_in(&bench), names);
}

#[test]
fn a_crash_midway_heals_at_the_next_run() {
    let mut bench = Bench::new();
    fs::remove_file(bench.crop_of(3)).unwrap();
    bench.folder().unwrap_err();
    for half in ["train/dogs/.snapset-9-0", ".snapset-link-1"] {
        fs::write(bench.path("dataset").join(half), "half a picture").unwrap();
    }
    let others = ["train/dogs/.snapset-notes", ".snapset-9-0", ".snapset-backup"];
    for other in others {
        fs::write(bench.path("dataset").join(other), "mine").unwrap();
    }
    fs::write(bench.crop_of(3), drawn(3)).unwrap();
    bench.pictures.remove(0);

    let changes = bench.folder().unwrap();

    assert_eq!(changes.n_removed, 1);
    for other in others {
        fs::remove_file(bench.path("dataset").join(other)).unwrap();
    }
    assert_eq!(pictures_in(&bench), expected(&bench));
}

#[test]
fn a_folder_without_our_mark_is_refused_and_untouched() {
    let bench = Bench::new();
    fs::create_dir_all(bench.path("dataset/train/cats")).unwrap();
    fs::write(bench.path("dataset/train/cats/mine.jpg"), "mine").unwrap();
    let before = tree(&bench.path("dataset"));

    let error = bench.folder().unwrap_err();

    assert!(matches!(error, ExportError::NotOurs { dir } if dir == bench.path("dataset")));
    assert_eq!(tree(&bench.path("dataset")), before);
}

#[test]
fn somebodys_file_in_the_place_of_a_picture_is_not_overwritten() {
    let mut bench = Bench::new();
    bench.folder().unwrap();
    bench.add("dogs", Split::Test, "new");
    let taken = bench.path("dataset/test/dogs").join(bench.pictures[4].file_name());
    fs::write(&taken, "mine").unwrap();
    let before = tree(&bench.path("dataset"));

    let error = bench.folder().unwrap_err();

    assert!(matches!(error, ExportError::Foreign { path } if path == taken));
    assert_eq!(tree(&bench.path("dataset")), before);
}

#[test]
fn a_mark_that_points_outside_is_refused() {
    let bench = Bench::new();
    bench.folder().unwrap();
    fs::write(bench.path("precious"), "x").unwrap();
    for outside in ["../../precious", "/etc/passwd", "precious", "a/../../precious"] {
        let mark = format!(r#"{{"dataset":"pets","classes":[],"files":{{"{outside}":"unsure"}}}}"#);
        fs::write(bench.path("dataset/.snapset"), mark).unwrap();

        let error = bench.folder().unwrap_err();

        assert!(matches!(error, ExportError::MarkEscapes { .. }), "{outside}");
    }
    assert!(bench.path("precious").exists());
}

#[test]
fn the_folder_of_another_dataset_is_refused() {
    let bench = Bench::new();
    bench.folder().unwrap();

    let error = bench
        .with(|dataset| write_folder(&Dataset { name: "cars", ..*dataset }, &bench.path("dataset")))
        .unwrap_err();

    assert!(matches!(error, ExportError::OtherDataset { owner, .. } if owner == "pets"));
}
