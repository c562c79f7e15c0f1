//! Pictures that lie on this machine: real photographs where they are at hand, small drawn ones
//! otherwise.

use std::fs;

use snapset::pixels::{Picture, encode};

use super::support::{Bench, done, put, shared};

/// Draws a picture that is unlike every other number's.
fn drawn(n: u32) -> Picture {
    Picture::from_fn(200, 160, |x, y| {
        let wave = |by: u32| f64::from((x * by + y * (n % 7 + 1)) % 97) * 2.6;
        let level = |value: f64| u8::try_from(value.clamp(0.0, 255.0).round() as i64).unwrap();
        image_rgb(level(wave(n + 1)), level(wave(n * 3 + 2)), level(f64::from((x ^ y) % 255)))
    })
}

fn image_rgb(red: u8, green: u8, blue: u8) -> snapset::pixels::Pixel {
    snapset::pixels::Pixel::from([red, green, blue])
}

fn bench_with_folders() -> Bench {
    let bench = Bench::with(
        "title = \"Folders\"\n[classes]\na = [\"folder:photos/a\"]\nb = [\"folder:photos/b\"]\n\
         [prepare]\nsize = 64\n[train]\nepochs = 1\nimage_size = 32\n",
    );
    for (class, first) in [("a/deep/er", 0), ("b", 100)] {
        let folder = bench.path("photos").join(class);
        fs::create_dir_all(&folder).unwrap();
        for n in first..first + 12 {
            put(&folder.join(format!("{n}.jpg")), &encode::jpeg(&drawn(n), 90));
        }
    }
    bench
}

#[test]
fn folders_go_through_all_stages_and_are_left_as_they_were() {
    let bench = bench_with_folders();
    bench.write("photos/b/notes.txt", "not a picture");
    bench.write("photos/b/broken.jpg", "<html>gone</html>");
    let before = bench.files("photos");

    let ran = bench.run();

    assert_eq!(bench.files("photos"), before);
    assert_eq!(bench.sides().len(), 24);
    assert_eq!(done(&ran)["fetch"], 25);
    let idle = bench.run();
    assert_eq!(done(&idle).len(), 0);
}

#[test]
fn a_changed_a_new_and_a_removed_file_are_all_noticed() {
    let bench = bench_with_folders();
    bench.run();
    put(&bench.path("photos/b/100.jpg"), &encode::jpeg(&drawn(500), 90));
    put(&bench.path("photos/b/777.jpg"), &encode::jpeg(&drawn(777), 90));
    fs::remove_file(bench.path("photos/b/101.jpg")).unwrap();

    let ran = bench.run();

    let done = done(&ran);
    assert_eq!((done["collect"], done["resolve"], done["fetch"]), (1, 2, 2));
    assert_eq!(bench.sides().len(), 24);
}

#[test]
fn real_photographs_become_a_dataset_without_losing_a_healthy_one() {
    let Some(photos) = shared("raccoon_kangaroo") else { return };
    let bench = Bench::with(&format!(
        "title = \"Raccoons\"\n[classes]\nraccoon = [\"folder:{0}/raccoon\"]\n\
         kangaroo = [\"folder:{0}/kangaroo\"]\n[prepare]\nsize = 128\n",
        photos.display()
    ));

    let ran = bench.run();

    let tallies = &ran["run"]["tallies"];
    assert_eq!(tallies["fetch"]["made"], 364);
    // kangaroo/00090.jpg ends in the middle; nothing else is broken.
    assert_eq!(tallies["fingerprint"]["rejected"], 1);
    // Eight pairs of real twins, five of them byte for byte.
    let summary = tallies["dedupe"]["summary"].as_str().unwrap();
    assert!(summary.contains("3 \u{d7} twin"), "{summary}");
    assert_eq!(bench.sides().len(), 364 - 1 - 8);
}
