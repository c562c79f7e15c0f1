//! How many copies are found, and how many strangers are taken for copies.
//!
//!     cargo bench --profile release --bench dedupe -- quality --scratch FOLDER
//!         [--shared ../shared/data] [--originals 90] [--peers phash,ahash,dhash,whash,cnn,czkawka]
//!         [--python python3] [--czkawka czkawka_cli] [--doubtful FILE]
//!
//! Each original gets one copy by each edit. For each edit the base pictures and its copies are
//! one set, and every pair of it that is called a twin and is not an original and its copy is
//! false. Thresholds were chosen on the first half of the pictures; the second is held out.
//! The peers see the same sets: `pip install imagededup`, `cargo install czkawka_cli`. The network
//! of `cnn` is `MobileNetV2` with the shared weights, as imagededup's own have to be fetched.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rayon::prelude::*;
use snapset::{
    domain::{
        fingerprint::{Fingerprint, Similarity},
        id::BlobId,
    },
    pixels::{
        decode::{self, Limits},
        fingerprint,
        twins::{self, Reach},
    },
};

mod corpus;
mod dice;
mod edits;
mod font;
mod peers;
mod speed;
mod table;

use corpus::{HALVES, Half};
use edits::EDITS;
use table::{Score, Table};

/// The shorter side a picture is decoded for.
const SHORTER_PX: u32 = 256;

/// Pairs found in the set of one edit.
type Pairs = Vec<[PathBuf; 2]>;

/// Runs the measurement with the words after `quality`.
pub(crate) fn run(args: &[String]) {
    let option = |name: &str| {
        args.iter().position(|it| it == name).and_then(|at| args.get(at + 1)).map(String::as_str)
    };
    let Some(scratch) = option("--scratch") else {
        println!("quality --scratch FOLDER: copies of the shared photographs are made there");
        return;
    };
    let shared = PathBuf::from(option("--shared").unwrap_or("../shared/data"));
    if !shared.is_dir() {
        println!("skipped: no shared data at {}", shared.display());
        return;
    }
    let n_originals = option("--originals").map_or(90, |it| it.parse().unwrap());
    let halves = corpus::make(&shared, Path::new(scratch), n_originals);
    let (ours, doubtful) = ours(&halves);
    if let Some(path) = option("--doubtful") {
        fs::write(path, doubtful).unwrap();
    }
    speed::print(&halves[0].base, SHORTER_PX);
    let mut table = Table::new(&halves);
    table.add("snapset", &ours);
    let weights = shared.join("weights/mobilenet_v2_1.0_224_dequant_f16.safetensors");
    for peer in option("--peers").into_iter().flat_map(|it| it.split(',')) {
        let tools = peers::Tools {
            python: option("--python").unwrap_or("python3"),
            czkawka: option("--czkawka").unwrap_or("czkawka_cli"),
            scratch: Path::new(scratch),
            weights: &weights,
        };
        match peers::scores(peer, &tools, &halves) {
            Ok(scores) => table.add(peer, &scores),
            Err(why) => println!("{peer}: left out: {why}"),
        }
    }
    table.print();
}

/// Fingerprints all files, finds twins in every set, and lists the doubtful pairs.
fn ours(halves: &[Half; 2]) -> ([Vec<Score>; 2], String) {
    let reach = Reach::default();
    let mut doubtful = String::new();
    let scores = [0, 1].map(|half| {
        let since = Instant::now();
        let files = &halves[half];
        let base = prints(&files.base);
        let copies: Vec<Vec<Fingerprint>> =
            files.copies.iter().map(|copies| prints(copies.iter().map(|(_, path)| path))).collect();
        let decoded = since.elapsed();
        let of_edit = |edit: usize| {
            let names: Vec<&Path> = names(files, edit);
            let ids: BTreeMap<BlobId, usize> = (names.iter().enumerate())
                .map(|(at, name)| (BlobId::of(name.as_os_str().as_encoded_bytes()), at))
                .collect();
            let prints = base.iter().chain(&copies[edit]).cloned().collect::<Vec<_>>();
            let prints = ids.iter().map(|(id, at)| (*id, prints[*at].clone())).collect();
            let wide = Reach { similarity: Similarity(500), ..reach };
            let mut text = String::new();
            let mut pairs = Pairs::new();
            for pair in twins::find(&prints, wide) {
                let found = [pair.a, pair.b].map(|id| names[ids[&id]].to_owned());
                let verdict = if files.is_copy(edit, &found) { "true" } else { "false" };
                let [a, b] = [&found[0], &found[1]].map(|it| it.display().to_string());
                writeln!(
                    text,
                    "{}\t{}\t{verdict}\t{}\t{}\t{a}\t{b}",
                    HALVES[half], EDITS[edit].0, pair.distance.0, pair.similarity.0
                )
                .unwrap();
                if reach.similarity <= pair.similarity {
                    pairs.push(found);
                }
            }
            (Score::of(files, edit, &pairs), text)
        };
        let (scores, texts): (Vec<Score>, Vec<String>) = (0..EDITS.len()).map(of_edit).unzip();
        doubtful.extend(texts);
        println!(
            "{}: decoding and fingerprints {:.1} s, search and comparison {:.1} s",
            HALVES[half],
            decoded.as_secs_f32(),
            since.elapsed().saturating_sub(decoded).as_secs_f32()
        );
        scores
    });
    (scores, doubtful)
}

/// The files of the set of one edit, base pictures first.
fn names(half: &Half, edit: usize) -> Vec<&Path> {
    let copies = half.copies[edit].iter().map(|(_, path)| path);
    half.base.iter().chain(copies).map(PathBuf::as_path).collect()
}

fn prints<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<Fingerprint> {
    let paths: Vec<&PathBuf> = paths.into_iter().collect();
    let print = |path: &&PathBuf| {
        let bytes = fs::read(path).unwrap();
        let decoded = decode::decode_at_least(&bytes, Limits::default(), SHORTER_PX);
        fingerprint::fingerprint(&decoded.unwrap_or_else(|why| panic!("{}: {why}", path.display())))
    };
    paths.par_iter().map(print).collect()
}
