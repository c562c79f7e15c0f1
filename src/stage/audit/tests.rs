#![expect(clippy::disallowed_methods, reason = "a test's own files need no safety from crashes")]

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{
        audit::Finding,
        picture::FileFormat,
        random::{Purpose, Random},
    },
    pixels::{
        Picture, Pixel,
        crop::{self, Filter},
        encode,
    },
};

/// Draws rectangles by chance; equal seeds draw equal pictures.
fn drawn(seed: u64) -> Picture {
    let mut random = Random::new(seed, Purpose::Augment);
    let mut picture = Picture::from_pixel(400, 300, Pixel::from([random.level(); 3]));
    for _ in 0..14 {
        let colour = Pixel::from([0; 3].map(|_: u8| random.level()));
        let (left, top) = (random.below(380), random.below(280));
        let (width, height) = (30 + random.below(120), 30 + random.below(90));
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            let is_in = |at: u32, from: usize, n: usize| {
                usize::try_from(at).is_ok_and(|at| (from..from + n).contains(&at))
            };
            if is_in(x, left, width) && is_in(y, top, height) {
                *pixel = colour;
            }
        }
    }
    picture
}

fn write(dir: &TempDir, path: &str, bytes: &[u8]) {
    let path = dir.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn jpeg(picture: &Picture, quality: u8) -> Vec<u8> {
    encode::encode(picture, FileFormat::Jpeg, quality)
}

/// Drawn pictures, two of each class in each split.
fn clean() -> TempDir {
    let dir = TempDir::new().unwrap();
    let mut number = 0;
    for split in ["train", "valid", "test"] {
        for class in ["cats", "dogs"] {
            for _ in 0..2 {
                number += 1;
                let bytes = jpeg(&drawn(number), 90);
                write(&dir, &format!("{split}/{class}/{number}.jpg"), &bytes);
            }
        }
    }
    dir
}

fn findings(dir: &TempDir) -> Vec<Finding> {
    audit(dir.path(), Reach::default()).unwrap().findings
}

#[test]
fn nothing_is_said_of_a_clean_folder_and_nothing_is_written() {
    let dir = clean();
    write(&dir, ".cache/train/1.jpg", b"hidden");

    let audit = audit(dir.path(), Reach::default()).unwrap();

    assert_eq!(audit.findings, []);
    assert_eq!(audit.pictures.keys().collect::<Vec<_>>(), ["test", "train", "valid"]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
}

#[test]
fn planted_leaks_are_found_and_nothing_else() {
    let dir = clean();
    let first = drawn(1);
    write(&dir, "test/cats/same.jpg", &jpeg(&first, 90));
    write(&dir, "valid/cats/coded.jpg", &jpeg(&drawn(2), 60));
    let square = crop::center_square(&drawn(4), 256, Filter::Lanczos3);
    write(&dir, "test/dogs/square.jpg", &jpeg(&square, 90));

    let found = findings(&dir);

    let paths = ["test/cats/same.jpg", "train/cats/1.jpg"].map(str::to_owned).to_vec();
    assert!(found.contains(&Finding::ExactLeak { paths }), "{found:?}");
    let near: Vec<(&str, &str)> = found
        .iter()
        .filter_map(|it| {
            let Finding::NearLeak { a, b, .. } = it else { return None };
            Some((a.as_str(), b.as_str()))
        })
        .collect();
    let expected = [
        ("test/dogs/square.jpg", "train/dogs/4.jpg"),
        ("train/cats/2.jpg", "valid/cats/coded.jpg"),
    ];
    assert_eq!(near, expected);
    assert_eq!(found.iter().filter(|it| it.is_wrong()).count(), 3, "{found:?}");
}

#[test]
fn a_file_is_judged_by_its_bytes() {
    let dir = clean();
    let picture = drawn(40);
    write(&dir, "train/cats/png.jpg", &encode::encode(&picture, FileFormat::Png, 0));
    write(&dir, "train/cats/half.jpg", &jpeg(&drawn(41), 90)[..2000]);
    write(&dir, "train/cats/notes.txt", b"mine");
    write(&dir, "train/fish/.keep", b"");

    let told: Vec<String> = findings(&dir).iter().map(ToString::to_string).collect();

    assert!(told.iter().any(|it| it == "train/cats/png.jpg is PNG by its bytes"), "{told:?}");
    assert!(told.iter().any(|it| it.starts_with("train/cats/half.jpg cannot be read")), "{told:?}");
    assert!(told.iter().any(|it| it == "train/cats/notes.txt is no picture"), "{told:?}");
    assert!(told.iter().any(|it| it == "class fish has no picture in train"), "{told:?}");
    assert_eq!(told.len(), 6, "{told:?}");
}

#[test]
fn class_folders_without_splits_are_audited_too() {
    let dir = TempDir::new().unwrap();
    let picture = jpeg(&drawn(1), 90);
    write(&dir, "cats/a/1.jpg", &picture);
    write(&dir, "dogs/2.jpg", &picture);

    let found = findings(&dir);

    let classes = ["cats", "dogs"].map(str::to_owned).into();
    let paths = ["cats/a/1.jpg", "dogs/2.jpg"].map(str::to_owned).to_vec();
    assert_eq!(found, [Finding::LabelConflict { paths, classes }]);
}

#[test]
fn what_is_no_dataset_is_refused_with_its_name() {
    let dir = TempDir::new().unwrap();
    write(&dir, "1.jpg", b"x");
    let told = |path: &Path| audit(path, Reach::default()).unwrap_err().to_string();

    assert!(told(dir.path()).contains("has no folders of classes"));
    assert!(told(&dir.path().join("1.jpg")).ends_with("is no folder"));
}

/// Splits real photographs, then plants every kind of leak among them.
#[test]
fn planted_leaks_among_photographs_are_found_and_nothing_else() {
    let Some(photos) = photographs() else { return };
    let dir = TempDir::new().unwrap();
    for (number, (class, bytes)) in photos.iter().enumerate() {
        let split = ["train", "train", "val", "test"][number % 4];
        write(&dir, &format!("{split}/{class}/{number:03}.jpg"), bytes);
    }
    let before: Vec<Finding> = findings(&dir).into_iter().filter(Finding::is_wrong).collect();
    assert_eq!(before, []);
    let mut expected = Vec::new();
    for (number, (class, bytes)) in photos.iter().enumerate().step_by(9) {
        let from = ["train", "train", "val", "test"][number % 4];
        let to = if from == "test" { "train" } else { "test" };
        let picture = decode::decode(bytes, decode::Limits::default()).unwrap().picture;
        let (planted, how) = match number / 9 % 3 {
            0 => (bytes.clone(), "same"),
            1 => (jpeg(&picture, 70), "coded"),
            _ => (jpeg(&trimmed(&picture), 90), "cropped"),
        };
        let copy = format!("{to}/{class}/{number:03}-{how}.jpg");
        write(&dir, &copy, &planted);
        let mut paths = vec![format!("{from}/{class}/{number:03}.jpg"), copy];
        paths.sort();
        expected.push(paths);
    }

    let after = findings(&dir);

    let mut found: Vec<Vec<String>> = after
        .iter()
        .filter_map(|it| {
            if let Finding::ExactLeak { paths } = it {
                Some(paths.clone())
            } else if let Finding::NearLeak { a, b, .. } = it {
                Some(vec![a.clone(), b.clone()])
            } else {
                it.is_wrong().then(|| vec![it.to_string()])
            }
        })
        .collect();
    found.sort();
    expected.sort();
    let missed: Vec<_> = expected.iter().filter(|it| !found.contains(it)).collect();
    let false_alarms: Vec<_> = found.iter().filter(|it| !expected.contains(it)).collect();
    assert_eq!((missed, false_alarms), (Vec::new(), Vec::new()));
}

/// Cuts a twelfth off every side.
fn trimmed(picture: &Picture) -> Picture {
    let (width, height) = picture.dimensions();
    let (left, top) = (width / 12, height / 12);
    Picture::from_fn(width - 2 * left, height - 2 * top, |x, y| {
        *picture.get_pixel(left + x, top + y)
    })
}

/// Reads the photographs beside the repository, with their classes.
#[expect(clippy::print_stderr, reason = "a skipped test must say that it proved nothing")]
fn photographs() -> Option<Vec<(String, Vec<u8>)>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from);
    let root = shared.join("data/clothing4_cc0");
    if !root.is_dir() {
        eprintln!("skipped: no photographs beside the repository");
        return None;
    }
    let mut photos = Vec::new();
    for (class, path) in folders(&root).unwrap() {
        let mut files = entries(&path).unwrap();
        files.sort();
        photos.extend(files.iter().take(60).map(|it| (class.clone(), fs::read(it).unwrap())));
    }
    Some(photos)
}
