//! A folder of pictures → a finished dataset: the time of every stage, and what a rerun costs.
//!
//!     cargo bench --profile release --bench whole -- [PICTURES]
//!     cargo bench --profile release --bench whole -- huge
//!
//! Makes so many pictures (10,000 unless told) of 0.3 to 3 megapixels out of the shared
//! photographs: two windows of two photographs each, so that no two pictures are twins. They are
//! kept for the next time. Then the program itself is run on them: from nothing; once more; with
//! another duplicate threshold; with another crop size; and from nothing on one core, where
//! `taskset` is at hand. `huge` runs it on photographs of 33 megapixels instead. Linux only: peak
//! memory comes from `/proc`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench talks, may give up, and may lose its files"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use image::imageops::{self, FilterType};
use rayon::prelude::*;
use serde_json::Value;
use snapset::{
    domain::id::BlobId,
    pixels::{
        Picture,
        decode::{self, Limits},
        encode::{self, JpegLayout, Scans},
    },
};

#[expect(dead_code, reason = "the bench of fetching also measures a server of its own")]
#[path = "fetch/gauge.rs"]
mod gauge;

use gauge::Cost;

/// What people post: phones upright and lying, screens, older cameras.
const SIZES: [(u32, u32); 6] =
    [(640, 480), (1080, 1350), (1280, 960), (1920, 1080), (960, 1280), (2048, 1536)];

const CLASSES: [&str; 2] = ["left", "right"];

/// Photographs are held in memory at this size while pictures are made of them.
const HELD_PX: u32 = 1600;

fn main() {
    let wish = env::args().skip(1).find(|it| !it.starts_with("--"));
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = env::var_os("SNAPSET_SHARED").map_or_else(beside, PathBuf::from).join("data");
    if !shared.is_dir() {
        println!("skipped: the shared photographs are not beside this checkout");
        return;
    }
    let scratch = env::temp_dir().join("snapset-bench-whole");
    match wish.as_deref() {
        Some("huge") => huge(&shared, &scratch),
        wish => many(&shared, &scratch, wish.map_or(10_000, |it| it.parse().unwrap())),
    }
}

fn many(shared: &Path, scratch: &Path, n_pictures: u32) {
    let pictures = scratch.join(format!("pictures-{n_pictures}"));
    make_many(shared, &pictures, n_pictures);
    let bench = Bench::new(scratch, pictures);
    let usual = "[prepare]\nsize = 256\n";
    let first = bench.run("from nothing", usual, &[]);
    println!("{:.0} pictures/s", f64::from(n_pictures) / first.cost.seconds);
    bench.run("once more", usual, &[]);
    bench.run("another threshold", &format!("{usual}[clean]\nsimilarity = 950\n"), &[]);
    bench.run("another crop size", "[prepare]\nsize = 224\n[clean]\nsimilarity = 950\n", &[]);

    if Command::new("taskset").arg("--version").output().is_ok() {
        bench.forget();
        let alone = bench.run("from nothing, one core", usual, &["taskset", "-c", "0"]);
        let ratio = alone.seconds("fingerprint") / first.seconds("fingerprint");
        println!("fingerprint: {ratio:.2} times as fast on all cores as on one");
    }
    bench.forget();
}

fn huge(shared: &Path, scratch: &Path) {
    let pictures = scratch.join("huge");
    let mut n_pictures = 0;
    for (name, bytes) in photographs(&shared.join("robustness_dedup/big_photos_cc0")) {
        let picture = decode::decode(&bytes, Limits::default()).unwrap().picture;
        let picture = imageops::resize(&picture, 7040, 4688, FilterType::Nearest);
        for (scans, class) in [Scans::Baseline, Scans::Progressive].into_iter().zip(CLASSES) {
            for turn in [imageops::flip_horizontal, |it: &Picture| it.clone()] {
                n_pictures += 1;
                let layout = JpegLayout { scans, ..JpegLayout::default() };
                let bytes = encode::jpeg_as(&turn(&picture), 85, layout);
                let path = pictures.join(class).join(format!("{n_pictures}-{name}"));
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
    }
    println!("{n_pictures} pictures of 33 megapixels");
    let bench = Bench::new(scratch, pictures);
    bench.run("from nothing", "[prepare]\nsize = 256\n", &[]);
    bench.forget();
}

/// A pipeline over one folder of pictures.
struct Bench {
    scratch: PathBuf,
    pictures: PathBuf,
}

/// What one run did and cost.
struct Ran {
    cost: Cost,
    json: Value,
}

impl Ran {
    fn seconds(&self, stage: &str) -> f64 {
        self.json["run"]["seconds"][stage].as_f64().unwrap()
    }
}

impl Bench {
    fn new(scratch: &Path, pictures: PathBuf) -> Self {
        let bench = Self { scratch: scratch.to_owned(), pictures };
        bench.forget();
        bench
    }

    fn forget(&self) {
        drop(fs::remove_dir_all(self.scratch.join("data"))); // There may be none.
        drop(fs::remove_file(self.scratch.join("pipelines/whole.lock")));
    }

    fn run(&self, name: &str, settings: &str, prefix: &[&str]) -> Ran {
        let places =
            CLASSES.map(|it| format!("{it} = [\"folder:{}/{it}\"]\n", self.pictures.display()));
        let pipeline = self.scratch.join("pipelines/whole.toml");
        fs::create_dir_all(pipeline.parent().unwrap()).unwrap();
        fs::write(&pipeline, format!("[classes]\n{}{settings}", places.concat())).unwrap();
        let said = self.scratch.join("said.json");
        let words = prefix.iter().copied().chain([env!("CARGO_BIN_EXE_snapset")]);
        let words: Vec<&str> = words.collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(["run", "pipelines/whole.toml", "--json", "--quiet"]);
        command.current_dir(&self.scratch).stdout(fs::File::create(&said).unwrap());
        let cost = gauge::run(&mut command, |_| false);
        let json = serde_json::from_slice(&fs::read(&said).unwrap()).unwrap();
        let ran = Ran { cost, json };
        ran.tell(name);
        ran
    }
}

impl Ran {
    #[expect(clippy::cast_precision_loss, reason = "megabytes are shown without decimals")]
    fn tell(&self, name: &str) {
        let Cost { seconds, cpu_seconds, peak_bytes } = self.cost;
        println!(
            "\n{name}: {seconds:.1} s, {cpu_seconds:.1} s of processors, {:.0} MB at most",
            peak_bytes as f64 / 1e6
        );
        for (stage, tally) in self.json["run"]["tallies"].as_object().unwrap() {
            let number = |name: &str| tally[name].as_u64().unwrap();
            let done = number("made") + number("rejected") + number("failed");
            let took = self.seconds(stage);
            println!(
                "  {stage:12} {done:6} done {:6} unchanged {took:8.2} s {:5.1} %  {}",
                number("unchanged"),
                took / seconds * 100.0,
                tally["summary"].as_str().unwrap_or_default()
            );
        }
    }
}

/// Makes pictures that are not there yet.
fn make_many(shared: &Path, folder: &Path, n_pictures: u32) {
    let path =
        |n: u32| folder.join(CLASSES[n as usize % CLASSES.len()]).join(format!("{n:06}.jpg"));
    let missing: Vec<u32> = (0..n_pictures).filter(|n| !path(*n).exists()).collect();
    if missing.is_empty() {
        return;
    }
    for class in CLASSES {
        fs::create_dir_all(folder.join(class)).unwrap();
    }
    let roots = [
        "raccoon_kangaroo/raccoon",
        "raccoon_kangaroo/kangaroo",
        "robustness_dedup/big_photos_cc0",
        "robustness_dedup/imagededup_ukbench/base_images",
    ];
    let files: Vec<Vec<u8>> =
        roots.iter().flat_map(|it| photographs(&shared.join(it))).map(|(_, bytes)| bytes).collect();
    let sources: Vec<Picture> = files
        .par_iter()
        .filter_map(|bytes| decode::decode_at_least(bytes, Limits::default(), HELD_PX / 2).ok())
        .map(|decoded| decoded.picture)
        .collect();
    println!("making {} pictures of {} photographs", missing.len(), sources.len());
    missing.par_iter().for_each(|&n| {
        let (picture, quality) = drawn(&sources, n);
        fs::write(path(n), encode::jpeg(&picture, quality)).unwrap();
    });
}

/// Lays a window of one photograph beside or above a window of another.
fn drawn(sources: &[Picture], n: u32) -> (Picture, u8) {
    let dice = *BlobId::of(&n.to_le_bytes()).as_bytes();
    let (width, height) = SIZES[usize::from(dice[0]) % SIZES.len()];
    let half = if dice[1].is_multiple_of(2) { (width / 2, height) } else { (width, height / 2) };
    let mut picture = Picture::new(width, height);
    for (part, dice) in dice[4..20].chunks_exact(8).enumerate() {
        let number = |at: usize| u32::from(u16::from_le_bytes([dice[at], dice[at + 1]]));
        let source = &sources[number(0) as usize % sources.len()];
        let share = 40 + number(2) % 50;
        let (across, down) = (source.width() * share / 100, source.height() * share / 100);
        let (left, top) =
            (number(4) % (source.width() - across + 1), number(6) % (source.height() - down + 1));
        let window = imageops::crop_imm(source, left, top, across, down).to_image();
        let window = imageops::resize(&window, half.0, half.1, FilterType::Triangle);
        let (x, y) = if part == 0 { (0, 0) } else { (width - half.0, height - half.1) };
        imageops::replace(&mut picture, &window, x.into(), y.into());
    }
    (picture, 75 + dice[2] % 18)
}

/// Reads the JPEG files of a folder in the order of their names.
fn photographs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|it| it.unwrap().path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|it| it.extension().is_some_and(|it| it == "jpg" || it == "JPG")).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.into_iter().map(|path| (name(&path), fs::read(&path).unwrap())).collect()
}
