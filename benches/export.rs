//! Exports of one dataset beside `cp -r` of its pictures.
//!
//!     cargo bench --profile release --bench export -- [PICTURES] [--scratch FOLDER]
//!
//! Draws so many pictures (50,000 unless told) of 256×256 pixels, has the program prepare and split
//! them (by the plainest hash: twins are not the matter), and then lets it write every form of
//! export alone, in turn with `cp -r` of the same pictures, three times. The time of an export ends
//! when its folder is in its place, as that of `cp` does: the program waits for the disk after that,
//! and what `sync` takes behind `cp` is told as well.
//! What either reads is read once before, so that neither waits for a disk the other did not wait
//! for. Ahead of that the system is told to forget what it holds of files, so that none finds its
//! memory fuller than the one before: where it is full, each page must be won first, and `cp` takes
//! twice as long. Only root may tell it so; for others what was written is forgotten file by file,
//! which leaves large files at a disadvantage. What was written is moved out of the way and removed at the very end
//! (some 35 GB for 50,000 pictures): ext4 gives no inode out again for a minute, and whoever makes
//! files meanwhile looks at every one it may not have, which is then most of what `cp` does. With
//! `--scratch`, what was prepared in FOLDER is used again. Every figure is told as it is taken.
//! Medians are shown, with the most memory the program had; the bench fails where a form is written
//! at less than four fifths of the speed of `cp` alone.
//! Linux only: peak memory comes from `/proc`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a bench talks, may give up, and may lose its files"
)]

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread,
    time::Duration,
};

use rayon::prelude::*;
use serde_json::Value;
use snapset::{
    domain::random::{Purpose, Random},
    pixels::{Picture, Pixel, encode},
};

#[expect(dead_code, reason = "the bench of fetching also measures a server of its own")]
#[path = "fetch/gauge.rs"]
mod gauge;

const ROUNDS: usize = 3;
/// Longer than ext4 keeps back an inode that was given up and is on disk.
const PAUSE: Duration = Duration::from_secs(65);
const SIDE_PX: u32 = 256;
const CLASSES: [&str; 2] = ["left", "right"];

/// What stands in the pipeline file for each form; the first writes `dataset/` alone.
const FORMS: [(&str, &str); 7] = [
    ("dataset", ""),
    ("kaggle", "[export.kaggle]\nid = \"bench/export\"\ntitle = \"Export bench\"\n"),
    ("kaggle-dirs", "[export.kaggle-dirs]\nid = \"bench/export\"\ntitle = \"Export bench\"\n"),
    ("folder", "[export.folder]\n"),
    ("huggingface", "[export.huggingface]\n"),
    ("webdataset", "[export.webdataset]\n"),
    ("csv", "[export.csv]\n"),
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    let kept = args.iter().position(|it| it == "--scratch").and_then(|at| args.get(at + 1));
    let n_pictures =
        args.first().filter(|it| !it.starts_with("--")).map_or(50_000, |it| it.parse().unwrap());
    let scratch = kept.map_or_else(|| env::temp_dir().join("snapset-bench-export"), PathBuf::from);
    let bench = Bench { scratch };
    if kept.is_none() || !bench.scratch.join("data").exists() {
        let is_free = fs::read_dir(&bench.scratch).is_ok_and(|mut it| it.next().is_none());
        let is_free = is_free || !bench.scratch.exists() || kept.is_none();
        assert!(is_free, "{} is not empty and no folder of this bench", bench.scratch.display());
        bench.draw(n_pictures);
        eprintln!("{n_pictures} pictures are drawn");
    }
    bench.run("", "split");
    drop(fs::remove_dir_all(bench.scratch.join("data/export/exports"))); // There may be none.
    bench.run("", "export");
    let aside = bench.scratch.join("aside");
    drop(fs::remove_dir_all(&aside)); // There is none unless a bench was stopped.
    gauge::run(Command::new("sync").arg("-f").arg(&bench.scratch), |_| false);
    thread::sleep(PAUSE);

    let data = bench.scratch.join("data/export");
    let (dataset, crops) = (data.join("dataset"), data.join("crops"));
    let (mut copied, mut synced) = (Vec::new(), Vec::new());
    let mut written = vec![Vec::new(); FORMS.len()];
    for round in 0..ROUNDS {
        let aside = aside.join(round.to_string());
        fs::create_dir_all(&aside).unwrap();
        let copy = aside.join("copy");
        start_afresh(&[&dataset]);
        let cost = gauge::run(Command::new("cp").arg("-r").args([&dataset, &copy]), |_| false);
        let wait = gauge::run(Command::new("sync").arg("-f").arg(&copy), |_| false);
        copied.push(cost.seconds);
        synced.push(cost.seconds + wait.seconds);
        forget(&copy);
        eprintln!("cp -r: {:.1} s, sync: {:.1} s", cost.seconds, wait.seconds);
        for ((name, table), times) in FORMS.iter().zip(&mut written) {
            if *name == "dataset" {
                fs::rename(&dataset, aside.join(name)).unwrap();
            }
            start_afresh(&[&crops, &data.join("store")]);
            look(&dataset);
            let (seconds, peak) = bench.run(table, "export");
            eprintln!("{name}: {seconds:.1} s, {} MB", peak / 1_000_000);
            times.push((seconds, peak));
            // The first form leaves none, and each of the others one of its name.
            if *name != "dataset" {
                fs::rename(bench.scratch.join("data/export/exports"), aside.join(name)).unwrap();
            }
            forget(&aside.join(name));
        }
    }
    let copy = aside.join("0/copy");
    let n = read(&copy);
    let bytes = Command::new("du").args(["-sb"]).arg(&copy).output().unwrap();
    let bytes = String::from_utf8(bytes.stdout).unwrap();
    let (cp, synced) = (median(copied), median(synced));
    let bytes = bytes.split_whitespace().next().unwrap();
    println!("{n} files, {bytes} bytes; cp -r: {cp:.1} s, with sync: {synced:.1} s\n");
    println!("| form | s | speed of cp | of cp and sync | MB |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let mut is_slow = false;
    for ((name, _), times) in FORMS.iter().zip(written) {
        let peak = times.iter().map(|(_, peak)| *peak).max().unwrap();
        let seconds = median(times.into_iter().map(|(seconds, _)| seconds).collect());
        let (alone, synced, mb) = (cp / seconds, synced / seconds, peak / 1_000_000);
        println!("| {name} | {seconds:.1} | {alone:.2} | {synced:.2} | {mb} |");
        is_slow |= cp / seconds < 0.8;
    }
    drop(fs::remove_dir_all(if kept.is_some() { &aside } else { &bench.scratch }));
    if is_slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

struct Bench {
    scratch: PathBuf,
}

impl Bench {
    fn draw(&self, n_pictures: u64) {
        drop(fs::remove_dir_all(&self.scratch)); // There may be none.
        for class in CLASSES {
            fs::create_dir_all(self.scratch.join("pictures").join(class)).unwrap();
        }
        (0..n_pictures).into_par_iter().for_each(|n| {
            let class = CLASSES[usize::from(n % 2 == 1)];
            let path = self.scratch.join("pictures").join(class).join(format!("{n:06}.jpg"));
            fs::write(path, encode::jpeg(&drawn(n), 90)).unwrap();
        });
    }

    /// Runs the program up to stage `to`, or that of the exports alone; returns the seconds of that
    /// stage and the most memory the program had, in bytes.
    fn run(&self, table: &str, to: &str) -> (f64, u64) {
        let places = CLASSES.map(|it| format!("{it} = [\"folder:pictures/{it}\"]\n"));
        let text = format!(
            "[classes]\n{}[clean]\nhash = \"phash\"\n[prepare]\nsize = {SIDE_PX}\n{table}",
            places.concat()
        );
        fs::create_dir_all(self.scratch.join("pipelines")).unwrap();
        fs::write(self.scratch.join("pipelines/export.toml"), text).unwrap();
        let said = self.scratch.join("said.json");
        let mut command = Command::new(env!("CARGO_BIN_EXE_snapset"));
        // The stages before an export hold far more than it does.
        let until = if to == "export" { "--only" } else { "--to" };
        command.args(["run", "pipelines/export.toml", "--json", "--quiet", until, to]);
        command.current_dir(&self.scratch).stdout(fs::File::create(&said).unwrap());
        let cost = gauge::run(&mut command, |_| false);
        let json: Value = serde_json::from_slice(&fs::read(&said).unwrap()).unwrap();
        (json["run"]["seconds"][to].as_f64().unwrap(), cost.peak_bytes)
    }
}

/// Draws a few discs of any colour on a slope, with noise as cameras have it.
fn drawn(seed: u64) -> Picture {
    let mut random = Random::new(seed, Purpose::Order);
    let [top, bottom]: [[f32; 3]; 2] = [0; 2].map(|_| [0; 3].map(|_| f32::from(random.level())));
    let discs: Vec<([f32; 3], f32, f32, f32)> = (0..10)
        .map(|_| {
            let colour = [0; 3].map(|_| f32::from(random.level()));
            let (x, y) = (random.between(0.0, 256.0), random.between(0.0, 256.0));
            (colour, x, y, random.between(15.0, 80.0))
        })
        .collect();
    let mut picture = Picture::new(SIDE_PX, SIDE_PX);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let [x, y] = [x, y].map(|n| f32::from(u16::try_from(n).unwrap()));
        let mut colour = [0, 1, 2].map(|c: usize| top[c] + (bottom[c] - top[c]) * y / 256.0);
        for (of_disc, left, up, reach) in &discs {
            if (x - left).hypot(y - up) < *reach {
                colour = *of_disc;
            }
        }
        let noise = random.around_zero(12.0);
        *pixel = Pixel::from(colour.map(|level| level_of(level + noise)));
    }
    picture
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
fn level_of(level: f32) -> u8 {
    level.round().clamp(0.0, 255.0) as u8
}

/// Reads every file below a folder; returns how many there are.
fn read(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let n_read = |path: PathBuf| {
        if path.is_dir() {
            return read(&path);
        }
        io::copy(&mut fs::File::open(&path).unwrap(), &mut io::sink()).unwrap();
        1
    };
    entries.map(n_read).sum()
}

/// Lets the system forget all files, where it may be told to, and reads those below `folders`.
fn start_afresh(folders: &[&Path]) {
    gauge::run(&mut Command::new("sync"), |_| false);
    drop(fs::write("/proc/sys/vm/drop_caches", "3")); // Refused to all but root.
    for folder in folders {
        read(folder);
    }
}

/// Looks at every file below a folder, which may not be there.
fn look(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        if entry.metadata().unwrap().is_dir() {
            look(&entry.path());
        }
    }
}

/// Lets go of what the system holds in memory of the files below a folder, which the disk has.
fn forget(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            forget(&path);
            continue;
        }
        #[cfg(target_os = "linux")]
        rustix::fs::fadvise(fs::File::open(&path).unwrap(), 0, None, rustix::fs::Advice::DontNeed)
            .unwrap();
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
