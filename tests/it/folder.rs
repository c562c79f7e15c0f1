//! Pictures that lie on this machine: real photographs where they are at hand, small drawn ones
//! otherwise.

use std::fs;

use snapset::{
    domain::id::BlobId,
    pixels::{Picture, Pixel, encode},
};

use super::support::{Bench, done, put, shared};

/// Draws boxes in colours (whose edges some take for the seams of a collage) and places drawn from `n`: unlike every other number's picture.
pub(crate) fn drawn(n: u32) -> Picture {
    let mut picture = Picture::from_pixel(200, 160, Pixel::from([128, 128, 128]));
    for layer in 0_u32..24 {
        let dice = BlobId::of(&[n.to_le_bytes(), layer.to_le_bytes()].concat());
        let [left, top, width, height, red, green, blue, ..] = dice.as_bytes().map(u32::from);
        let level = |value: u32| u8::try_from(value).unwrap();
        for y in (top % 140)..(top % 140 + height % 60 + 8).min(160) {
            for x in (left % 180)..(left % 180 + width % 80 + 8).min(200) {
                picture.put_pixel(x, y, Pixel::from([red, green, blue].map(level)));
            }
        }
    }
    picture
}

fn bench_with_folders() -> Bench {
    let bench = Bench::with(
        "title = \"Folders\"\n[classes]\na = [\"folder:photos/a\"]\nb = [\"folder:photos/b\"]\n\
         [clean]\nmax_seam = 1000\n[prepare]\nsize = 64\n[train]\nepochs = 1\nimage_size = 32\n",
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
    // Five pairs are equal byte for byte; four more show the same scene: 21/45, 50/52 and 51/85
    // of the raccoons, and 101/118 of the kangaroos, where a man was replaced by a kangaroo.
    // kangaroo/00154.jpg is put together of several photographs.
    assert_eq!(tallies["dedupe"]["summary"], "353 kept, 1 \u{d7} collage, 4 \u{d7} twin");
    assert_eq!(bench.sides().len(), 364 - 1 - 5 - 4 - 1);
}

#[test]
fn a_file_below_two_classes_is_a_conflict_and_in_neither() {
    let bench = bench_with_folders();
    let text = bench.read("pipelines/small.toml").replace("photos/a\"", "photos\"");
    bench.write("pipelines/small.toml", &text);

    let ended = bench.snapset(&["run", "pipelines/small.toml", "--json"]);

    // Class `b` has nothing left to learn from, which is said and no success.
    ended.expect_code(11);
    let ran = ended.json();
    let summary = ran["run"]["tallies"]["dedupe"]["summary"].as_str().unwrap();
    assert!(summary.contains("12 \u{d7} label conflict"), "{summary}");
}
