use std::{collections::BTreeSet, time::Instant};

use rayon::prelude::*;

use super::*;
use crate::pixels::{
    Picture,
    decode::{self, Decoded, Limits},
    edits::{self, Dice, Edit},
    fingerprint, shared_data,
};

/// A set of fingerprints under names, which tests read more easily than ids.
#[derive(Default)]
struct Album {
    prints: BTreeMap<BlobId, Fingerprint>,
    names: BTreeMap<BlobId, String>,
}

impl Album {
    fn add(&mut self, name: &str, print: Fingerprint) {
        let id = BlobId::of(name.as_bytes());
        self.prints.insert(id, print);
        self.names.insert(id, name.to_owned());
    }

    fn twins(&self) -> BTreeSet<[&str; 2]> {
        let pairs = find(&self.prints, Reach::default());
        let named = pairs.iter().map(|pair| {
            let mut names = [&self.names[&pair.a], &self.names[&pair.b]].map(String::as_str);
            names.sort_unstable();
            names
        });
        named.collect()
    }
}

fn print_of(picture: Picture) -> Fingerprint {
    fingerprint::fingerprint(&Decoded::whole(picture, "JPEG"))
}

/// Decodes all photographs of a folder of the shared data; equal files count once.
fn photographs(folder: &str) -> Vec<(String, Decoded)> {
    let mut seen = BTreeSet::new();
    let mut files = shared_data::files(folder);
    files.retain(|(_, bytes)| seen.insert(BlobId::of(bytes)));
    let decoded = files.into_par_iter().filter_map(|(name, bytes)| {
        decode::decode_at_least(&bytes, Limits::default(), fingerprint::SHORTER_PX)
            .ok()
            .map(|it| (name, it))
    });
    decoded.collect()
}

fn album(photographs: &[(String, Decoded)]) -> Album {
    let mut album = Album::default();
    for (name, decoded) in photographs {
        album.add(name, fingerprint::fingerprint(decoded));
    }
    album
}

/// Twelve drawings and a copy of every third.
fn drawings() -> Album {
    let mut album = Album::default();
    let edits = [Edit::Jpeg(60), Edit::Mirror, Edit::Crop(4), Edit::Frame(7)];
    for seed in 0..12 {
        let picture = edits::drawn(100 + seed, 320, 240);
        if seed % 3 == 0 {
            let edit = edits[usize::try_from(seed / 3).unwrap()];
            let copy = edit.apply(&picture, &mut Dice(seed));
            album.add(&format!("{seed}-copy"), print_of(copy));
        }
        album.add(&format!("{seed}"), print_of(picture));
    }
    album
}

#[test]
fn copies_are_found_and_nothing_else() {
    let expected =
        BTreeSet::from([["0", "0-copy"], ["3", "3-copy"], ["6", "6-copy"], ["9", "9-copy"]]);

    assert_eq!(drawings().twins(), expected);
}

#[test]
fn the_answer_is_sorted_and_does_not_depend_on_threads() {
    let prints = drawings().prints;
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| find(&prints, Reach::default()))
    };

    let (one, four) = (with(1), with(4));

    assert_eq!(one, four);
    assert!(one.is_sorted() && one.iter().all(|pair| pair.a < pair.b));
}

#[test]
fn a_reach_of_nothing_finds_equal_and_mirrored_pictures_alone() {
    let mut album = drawings();
    album.add("0-again", print_of(edits::drawn(100, 320, 240)));
    let reach = Reach { distance: Distance(0), similarity: Similarity(1000) };

    let pairs = find(&album.prints, reach);

    let names: BTreeSet<[&str; 2]> = pairs
        .iter()
        .map(|pair| {
            let mut names = [pair.a, pair.b].map(|id| album.names[&id].as_str());
            names.sort_unstable();
            names
        })
        .collect();
    assert_eq!(names, BTreeSet::from([["0", "0-again"], ["3", "3-copy"]]));
}

/// Besides plain copies: a word written over one picture, and a montage that puts a second
/// kangaroo in a man's place.
#[test]
fn among_web_photographs_the_known_copies_are_found_and_nothing_else() {
    let photographs = photographs("raccoon_kangaroo");
    if photographs.is_empty() {
        return;
    }
    let expected = BTreeSet::from([
        ["kangaroo/00101.jpg", "kangaroo/00118.jpg"],
        ["raccoon/raccoon-21.jpg", "raccoon/raccoon-45.jpg"],
        ["raccoon/raccoon-50.jpg", "raccoon/raccoon-52.jpg"],
        ["raccoon/raccoon-51.jpg", "raccoon/raccoon-85.jpg"],
    ]);

    assert_eq!(album(&photographs).twins(), expected);
}

#[test]
fn product_photographs_that_look_alike_are_not_twins() {
    assert_eq!(album(&photographs("clothing4_cc0")).twins(), BTreeSet::new());
}

/// The search knows hashes alone; which of them meet must be what fingerprints say themselves.
#[test]
fn the_search_finds_just_the_pairs_whose_fingerprints_come_near() {
    let prints: Vec<Fingerprint> = drawings().prints.into_values().collect();
    let (mut first, mut second) = (Hashes::default(), Hashes::default());
    for (picture, print) in prints.iter().enumerate() {
        if picture % 3 == 1 { &mut second } else { &mut first }.push(picture, print);
    }
    let all = first.merged(&second);
    for within in [Distance(20), Distance(90), Distance(110)] {
        let mut expected = Vec::new();
        for (a, print) in prints.iter().enumerate() {
            for (b, other) in prints.iter().enumerate().skip(a + 1) {
                let distance = print.distance(other);
                if distance <= within {
                    expected.push(Near { a, b, distance });
                }
            }
        }

        assert_eq!(all.near(&all, within), expected);
    }
    assert_eq!(all.n_pictures(), prints.len());
}

/// What share of copies must be found after each edit.
const RECALLS: [(Edit, f64); 15] = [
    (Edit::Jpeg(40), 0.99),
    (Edit::Jpeg(90), 0.99),
    (Edit::Resize(40), 0.99),
    (Edit::Resize(80), 0.99),
    (Edit::Crop(2), 0.99),
    (Edit::Crop(5), 0.95),
    (Edit::Crop(10), 0.2),
    (Edit::Mark(3), 0.97),
    (Edit::Mark(6), 0.97),
    (Edit::Brightness(20), 0.99),
    (Edit::Brightness(-20), 0.99),
    (Edit::Contrast(80), 0.99),
    (Edit::Contrast(120), 0.99),
    (Edit::Mirror, 0.99),
    (Edit::Frame(6), 0.85),
];

#[test]
#[expect(clippy::print_stderr, reason = "the table is what the test measures")]
fn edited_photographs_are_found_and_taken_for_no_other() {
    let mut photographs = photographs("clothing4_cc0");
    photographs.extend(self::photographs("raccoon_kangaroo"));
    if photographs.is_empty() {
        return;
    }
    let originals = album(&photographs);
    // Copies of the known twins would rightly be found twice.
    let known: BTreeSet<&str> = originals.twins().into_iter().flatten().collect();
    let chosen: Vec<&(String, Decoded)> =
        photographs.iter().step_by(6).filter(|(name, _)| !known.contains(name.as_str())).collect();
    let own_reach = Reach::default();
    for (edit, wanted) in RECALLS {
        let start = Instant::now();
        let found: Vec<(bool, Vec<&str>)> = (0_u64..)
            .zip(&chosen)
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|(seed, (name, decoded))| {
                let copy = print_of(edit.apply(&decoded.picture, &mut Dice(seed)));
                let is_twin = |id: &&BlobId| is_twin(&copy, &originals.prints[*id], own_reach);
                let twins =
                    originals.prints.keys().filter(is_twin).map(|id| originals.names[id].as_str());
                let (own, strangers): (Vec<&str>, Vec<&str>) = twins.partition(|twin| twin == name);
                (!own.is_empty(), strangers)
            })
            .collect();
        let n_found = found.iter().filter(|(own, _)| *own).count();
        let strangers: Vec<&str> = found.iter().flat_map(|(_, others)| others.clone()).collect();
        let share = |n: usize| f64::from(u32::try_from(n).unwrap());
        let recall = share(n_found) / share(chosen.len());
        let seconds = start.elapsed().as_secs_f32();
        eprintln!("{edit:?}: {n_found} of {} ({recall:.3}), {seconds:.1} s", chosen.len());
        assert!(wanted <= recall, "{edit:?}: {recall:.3}");
        assert_eq!(strangers, Vec::<&str>::new(), "{edit:?}");
    }
}

fn is_twin(copy: &Fingerprint, other: &Fingerprint, reach: Reach) -> bool {
    let nearest = copy.nearest(other);
    let alike = || compare::compare(&Comparable::new(copy), &Comparable::as_hashed(other, nearest));
    nearest.distance <= reach.distance && reach.similarity <= alike()
}
