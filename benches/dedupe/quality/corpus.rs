//! Photographs of the shared data → files to be told apart, in two halves: originals and
//! negatives, and for every original a copy by each edit. Thresholds may be chosen by looking at
//! the first half; the second is held out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use image::{Rgb, imageops, imageops::FilterType};
use rayon::prelude::*;
use snapset::pixels::{
    Picture,
    decode::{self, Limits},
    encode,
};

use super::{
    dice::Dice,
    edits::{self, EDITS},
    font::{self, Line},
};

/// The half thresholds are chosen on, and the half they are judged on.
pub(super) const HALVES: [&str; 2] = ["tuning", "held out"];

/// Copies are made from pictures no larger than posted ones are.
const LONGER_PX_MAX: u32 = 1280;

/// Folders whose pictures get copies, and folders of pictures that merely look alike.
const PHOTOGRAPHS: [&str; 3] = [
    "raccoon_kangaroo",
    "robustness_dedup/imagededup_ukbench/base_images",
    "robustness_dedup/big_photos_cc0",
];
const LOOK_ALIKES: &str = "clothing4_cc0";

/// Pictures of which the data holds a second one; they would rightly be found.
const KNOWN_TWINS: [&str; 9] = [
    "kangaroo/00101.jpg",
    "kangaroo/00118.jpg",
    "raccoon/raccoon-21.jpg",
    "raccoon/raccoon-45.jpg",
    "raccoon/raccoon-50.jpg",
    "raccoon/raccoon-52.jpg",
    "raccoon/raccoon-51.jpg",
    "raccoon/raccoon-85.jpg",
    "kangaroo/00090.jpg",
];

/// How many pages of text, dark pictures and plain pictures are drawn for each half.
const N_DRAWN: u32 = 24;

/// Files of one half.
#[derive(Debug)]
pub(super) struct Half {
    /// Pictures of which no two are twins.
    pub(super) base: Vec<PathBuf>,
    /// For each edit, the copies: the place of the original in `base`, and the copy's file.
    pub(super) copies: Vec<Vec<(usize, PathBuf)>>,
}

/// Makes both halves below `scratch`; what lies there already is taken as it is.
pub(super) fn make(shared: &Path, scratch: &Path, n_originals: usize) -> [Half; 2] {
    let mut photographs: Vec<PathBuf> =
        PHOTOGRAPHS.iter().flat_map(|folder| pictures(&shared.join(folder))).collect();
    photographs.retain(|path| !KNOWN_TWINS.iter().any(|twin| path.ends_with(twin)));
    let look_alikes = pictures(&shared.join(LOOK_ALIKES));
    [0, 1].map(|half| {
        let folder = scratch.join(HALVES[half].replace(' ', "-"));
        let of_half = |paths: &[PathBuf]| -> Vec<PathBuf> {
            paths.iter().skip(half).step_by(2).cloned().collect()
        };
        let photographs = of_half(&photographs);
        let mut base = photographs.clone();
        base.extend(of_half(&look_alikes));
        base.extend(drawn(&folder.join("drawn"), half));
        let every = photographs.len().div_ceil(n_originals.max(1)).max(1);
        let originals: Vec<usize> = (0..photographs.len()).step_by(every).collect();
        Half { copies: copies(&folder, &base, &originals), base }
    })
}

/// All decodable files below a folder, each content once, sorted by path.
fn pictures(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    let mut met = BTreeSet::new();
    found.retain(|path| {
        let is_picture = path.extension().is_some_and(|it| it == "jpg" || it == "png");
        is_picture && met.insert(fs::read(path).unwrap())
    });
    found
}

fn copies(folder: &Path, base: &[PathBuf], originals: &[usize]) -> Vec<Vec<(usize, PathBuf)>> {
    for (name, _) in EDITS {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let path = |name: &str, at: usize| folder.join(name).join(format!("{at:04}.jpg"));
    originals.par_iter().for_each(|&at| {
        if EDITS.iter().all(|(name, _)| path(name, at).exists()) {
            return;
        }
        let bytes = fs::read(&base[at]).unwrap();
        let decoded = decode::decode(&bytes, Limits::default()).unwrap();
        let picture = reduced(decoded.picture);
        for (n, (name, steps)) in (0_u64..).zip(EDITS) {
            let seed = u64::try_from(at).unwrap() * 1000 + n;
            let copy = edits::apply(&picture, steps, &mut Dice::new(seed));
            fs::write(path(name, at), encode::jpeg(&copy, 85)).unwrap();
        }
    });
    let of_edit = |(name, _): &(&str, _)| {
        originals.iter().map(|&at| (at, path(name, at))).collect::<Vec<_>>()
    };
    EDITS.iter().map(of_edit).collect()
}

fn reduced(picture: Picture) -> Picture {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= LONGER_PX_MAX {
        return picture;
    }
    let scaled = |px: u32| (px * LONGER_PX_MAX / longer).max(1);
    imageops::resize(&picture, scaled(width), scaled(height), FilterType::Triangle)
}

/// Draws what confuses hashes: pages of text, nearly black and nearly plain pictures.
fn drawn(folder: &Path, half: usize) -> Vec<PathBuf> {
    fs::create_dir_all(folder).unwrap();
    let mut paths = Vec::new();
    for n in 0..N_DRAWN {
        let mut dice = Dice::new(u64::from(n) * 2 + u64::try_from(half).unwrap());
        let pages =
            [("page", page(&mut dice)), ("dark", dark(&mut dice)), ("plain", plain(&mut dice))];
        for (name, picture) in pages {
            let path = folder.join(format!("{name}-{n}.jpg"));
            fs::write(&path, encode::jpeg(&picture, 85)).unwrap();
            paths.push(path);
        }
    }
    paths
}

fn page(dice: &mut Dice) -> Picture {
    let (paper, ink) = [(255, 10), (20, 235)][usize::try_from(dice.below(2)).unwrap()];
    let mut page = Picture::from_pixel(540, 720, Rgb([paper; 3]));
    for n in 0..26 {
        let n_letters = if dice.below(4) == 0 { 12 } else { 40 };
        let text = dice.words(n_letters);
        let line = Line { left: 20, top: 24 + n * 26, dot_px: 2, ink: Rgb([ink; 3]), percent: 100 };
        font::write(&mut page, &text, line);
    }
    page
}

/// A few dim lights at night.
fn dark(dice: &mut Dice) -> Picture {
    let mut night = Picture::from_pixel(480, 360, Rgb([6, 6, 10]));
    for _ in 0..3 {
        let (x, y, radius) = (dice.below(480), dice.below(360), 5 + dice.below(20));
        for (px, py, pixel) in night.enumerate_pixels_mut() {
            if px.abs_diff(x).pow(2) + py.abs_diff(y).pow(2) < radius * radius {
                *pixel = Rgb([70, 66, 50]);
            }
        }
    }
    night
}

/// A plain wall or sky: one colour that grows lighter to one side.
fn plain(dice: &mut Dice) -> Picture {
    let colour = [0; 3].map(|_: u8| 40 + dice.below(150));
    let (right, down) = (dice.below(40), dice.below(40));
    Picture::from_fn(480, 360, |x, y| {
        let lighter = right * x / 480 + down * y / 360;
        Rgb(colour.map(|level| u8::try_from(level + lighter).unwrap()))
    })
}
