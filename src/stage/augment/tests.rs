//! Folders of a few drawn pictures, altered and made equal.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::pixels::Pixel;

fn recipe() -> Recipe {
    Recipe { limits: Augment::default(), seed: 7, side_px: None }
}

fn picture(level: u8) -> Picture {
    Picture::from_fn(24, 16, |x, y| {
        let x = u8::try_from(x * 9).unwrap();
        Pixel::from([x, u8::try_from(y * 12).unwrap(), level])
    })
}

/// Writes class folders with that many pictures each.
fn folders(dir: &Path, classes: &[(&str, u8)]) {
    for (class, n) in classes {
        fs::create_dir_all(dir.join(class)).unwrap();
        for number in 0..*n {
            let path = dir.join(class).join(format!("{number}.jpg"));
            files::write_atomic(&path, &encode::jpeg(&picture(number), 90)).unwrap();
        }
    }
}

/// Returns every file below `dir` but the mark, with its bytes.
fn held(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let paths = files::two_levels_below(dir).unwrap();
    let name = |path: &Path| path.strip_prefix(dir).unwrap().display().to_string();
    let mut held: BTreeMap<_, _> =
        paths.iter().map(|path| (name(path), files::read(path).unwrap())).collect();
    held.remove(MARK_FILE);
    held
}

fn bench() -> (TempDir, PathBuf, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let (source, out) = (dir.path().join("in"), dir.path().join("out"));
    (dir, source, out)
}

#[test]
fn classes_are_filled_up_with_altered_copies_and_the_source_stays() {
    let (_dir, source, out) = bench();
    folders(&source, &[("cats", 7), ("dogs", 3)]);
    files::write_atomic(&source.join("dogs/notes.txt"), b"not a picture").unwrap();
    let before = held(&source);

    let made = level(&source, &out, None, &recipe()).unwrap();

    let of = |n_found, n_copied, n_altered| Made { n_found, n_copied, n_altered };
    let expected = [("cats".to_owned(), of(7, 7, 0)), ("dogs".to_owned(), of(3, 3, 4))];
    assert_eq!(made, BTreeMap::from(expected));
    assert_eq!(held(&source), before);
    let after = held(&out);
    let of_class = |class: &str| after.keys().filter(|name| name.starts_with(class)).count();
    assert_eq!((of_class("cats/"), of_class("dogs/"), after.len()), (7, 7, 14));
    let originals: Vec<_> = before.iter().filter(|(name, _)| !name.ends_with("txt")).collect();
    assert!(originals.iter().all(|(name, bytes)| after.get(*name) == Some(bytes)));
    let different: BTreeSet<&Vec<u8>> =
        after.iter().filter(|(name, _)| name.starts_with("dogs")).map(|(_, bytes)| bytes).collect();
    assert_eq!(different.len(), 7, "every altered copy differs");
}

#[test]
fn a_second_call_gives_the_same_files_and_removes_only_its_own() {
    let (_dir, source, out) = bench();
    folders(&source, &[("cats", 5), ("dogs", 2)]);
    level(&source, &out, Some(6), &recipe()).unwrap();
    let first = held(&out);
    files::write_atomic(&out.join("cats/mine.jpg"), b"somebody's").unwrap();

    level(&source, &out, Some(6), &recipe()).unwrap();
    let mut again = held(&out);
    assert_eq!(again.remove("cats/mine.jpg").as_deref(), Some(b"somebody's".as_slice()));
    assert_eq!(again, first);

    level(&source, &out, Some(2), &recipe()).unwrap();
    assert_eq!(held(&out).len(), 5, "two of each class and the foreign file");
}

#[test]
fn one_picture_becomes_many_of_the_size_asked_for() {
    let (_dir, source, out) = bench();
    let path = source.join("spot.png");
    files::write_atomic(&path, &encode::png(&picture(4))).unwrap();
    let small = Recipe { side_px: Some(8), ..recipe() };

    let made = multiply(&path, &out, 3, &small).unwrap();

    assert_eq!(made, Made { n_found: 1, n_copied: 0, n_altered: 3 });
    let names: Vec<String> = held(&out).into_keys().collect();
    assert_eq!(names, ["spot-aug001.png", "spot-aug002.png", "spot-aug003.png"]);
    let (_, altered) = open(&out.join("spot-aug002.png")).unwrap();
    assert_eq!(altered.dimensions(), (8, 8));
    let drawing = source.join("sheet.png");
    sheet(&path, &drawing, (4, 2), &small).unwrap();
    assert_eq!(open(&drawing).unwrap().1.dimensions(), (4 * 11 + 3, 2 * 11 + 3));
}

#[test]
fn pictures_of_one_stem_do_not_overwrite_each_other() {
    let (_dir, source, out) = bench();
    folders(&source, &[("big", 6)]);
    files::write_atomic(&source.join("few/a.jpg"), &encode::jpeg(&picture(1), 90)).unwrap();
    files::write_atomic(&source.join("few/a.png"), &encode::png(&picture(2))).unwrap();
    files::write_atomic(&source.join("few/a-aug001.jpg"), &encode::jpeg(&picture(3), 90)).unwrap();

    level(&source, &out, None, &recipe()).unwrap();

    assert_eq!(held(&out).len(), 12);
}

#[test]
fn what_must_not_be_written_to_or_read_is_refused_with_its_name() {
    let (dir, source, out) = bench();
    folders(&source, &[("cats", 2), ("dogs", 1)]);
    let refusal = |source: &Path, out: &Path, target| {
        level(source, out, target, &recipe()).unwrap_err().to_string()
    };

    assert!(refusal(&source, &source.join("cats/more"), None).contains("lie in one another"));
    assert!(refusal(&source, dir.path(), None).contains("lie in one another"));
    files::write_atomic(&out.join("letter.txt"), b"mine").unwrap();
    assert!(refusal(&source, &out, None).contains("is not empty and was not made by"));
    assert!(
        refusal(&source.join("cats"), &dir.path().join("new"), None)
            .contains("no folder of a class")
    );
    assert!(refusal(&source, &dir.path().join("new"), Some(0)).contains("choose 1 or more"));
    fs::create_dir(source.join("birds")).unwrap();
    assert!(
        refusal(&source, &dir.path().join("new"), None).contains("class `birds` has no picture")
    );
    fs::remove_dir(source.join("birds")).unwrap();
    files::write_atomic(&source.join("dogs/0.jpg"), b"\xFF\xD8\xFF\xE0 torn").unwrap();
    assert!(refusal(&source, &dir.path().join("new"), None).contains("0.jpg` is no picture"));
}
