//! How long an audit of a split folder takes, beside imagededup's search for duplicates in it.
//!
//!     cargo bench --profile release --bench check -- [PYTHON] [PICTURES] [--snapset PROGRAM]
//!
//! PYTHON (`python3`) should have what `benches/check/requirements.txt` names; without it there is
//! nothing to compare with. A folder of PICTURES (10,000) drawn photographs of 512×384 pixels is
//! written: four classes in train, val and test; one in a hundred is in test again with the
//! same bytes, and one in a hundred again as a JPEG of quality 60. Then both programs look at it
//! three times in turn, and the medians are told, with how many of the planted pairs each found.
//!
//! `snapset check` is timed as a process and does more than the other: sizes, formats, broken
//! files, classes, equal bytes, and a comparison of the pictures wherever hashes are near. Of
//! imagededup, `PHash().find_duplicates` with its own threshold of 10 is timed, on every core, without
//! starting Python and loading its libraries. The bench fails where ours misses a planted pair, or
//! where it takes more than a third of the other's time.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench talks and may give up"
)]

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use rayon::prelude::*;
use serde_json::Value;
use snapset::{
    domain::random::{Purpose, Random},
    pixels::{Picture, Pixel, encode},
};

const CLASSES: [&str; 4] = ["cats", "dogs", "fish", "frogs"];
const SPLITS: [&str; 10] =
    ["train", "train", "train", "train", "train", "train", "train", "val", "val", "test"];
const N_ROUNDS: usize = 3;

/// Two files that show the same, below the folder.
type Pair = [String; 2];

struct Options {
    python: String,
    n_pictures: usize,
    snapset: PathBuf,
}

fn main() -> ExitCode {
    let options = options();
    let scratch = env::temp_dir().join(format!("snapset-check-{}", std::process::id()));
    let folder = scratch.join("folder");
    let planted = write(&folder, options.n_pictures);
    let (mut ours, mut theirs): (Vec<Duration>, Vec<Duration>) = Default::default();
    let (mut found, mut found_by_peer) = (0, Err(String::new()));
    for _ in 0..N_ROUNDS {
        let (time, pairs) = check(&options.snapset, &folder);
        ours.push(time);
        found = planted.intersection(&pairs).count();
        match imagededup(&options.python, &folder) {
            Ok((time, pairs)) => {
                theirs.push(time);
                found_by_peer = Ok(planted.intersection(&pairs).count());
            }
            Err(reason) => found_by_peer = Err(reason),
        }
    }
    fs::remove_dir_all(scratch).unwrap();
    let n = planted.len();
    let ours = median(ours);
    println!("| {} pictures | seconds | planted pairs found |", options.n_pictures);
    println!("| --- | ---: | ---: |");
    println!("| `snapset check` | {:.2} | {found} of {n} |", ours.as_secs_f64());
    let is_quick = match found_by_peer {
        Ok(found) => {
            let theirs = median(theirs);
            let share = ours.as_secs_f64() / theirs.as_secs_f64();
            println!("| imagededup, `PHash` | {:.2} | {found} of {n} |", theirs.as_secs_f64());
            println!("\nsnapset takes {share:.3} of imagededup's time (at most 0.333 is wanted)");
            share <= 1.0 / 3.0
        }
        Err(reason) => {
            println!("left out: imagededup: {reason}");
            true
        }
    };
    if is_quick && found == n { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn options() -> Options {
    let mut options = Options {
        python: "python3".to_owned(),
        n_pictures: 10_000,
        snapset: option_env!("CARGO_BIN_EXE_snapset").unwrap_or("snapset").into(),
    };
    let mut arguments = env::args().skip(1).filter(|it| it != "--bench");
    while let Some(argument) = arguments.next() {
        if argument == "--snapset" {
            options.snapset = arguments.next().unwrap().into();
        } else if let Ok(n) = argument.parse() {
            options.n_pictures = n;
        } else {
            options.python = argument;
        }
    }
    options
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Writes the folder; returns the pairs that are planted.
fn write(root: &Path, n_pictures: usize) -> BTreeSet<Pair> {
    for split in SPLITS {
        for class in CLASSES {
            fs::create_dir_all(root.join(split).join(class)).unwrap();
        }
    }
    // Of a hundred files two are copies of others.
    let n_drawn = n_pictures - n_pictures / 100 * 2;
    let pairs = (0..n_drawn).into_par_iter().filter_map(|number| {
        let class = CLASSES[number * 7919 % CLASSES.len()];
        // Copies are of pictures that are not in test.
        let is_copied = number < n_pictures / 100 * 2;
        let split = if is_copied { "train" } else { SPLITS[number % SPLITS.len()] };
        let picture = drawn(u64::try_from(number).unwrap());
        let bytes = encode::jpeg(&picture, 90);
        let path = format!("{split}/{class}/{number:06}.jpg");
        fs::write(root.join(&path), &bytes).unwrap();
        is_copied.then(|| {
            let copied = format!("test/{class}/{number:06}-again.jpg");
            let bytes = if number % 2 == 0 { bytes } else { encode::jpeg(&picture, 60) };
            fs::write(root.join(&copied), bytes).unwrap();
            pair(copied, path)
        })
    });
    pairs.collect()
}

fn pair(a: String, b: String) -> Pair {
    if a < b { [a, b] } else { [b, a] }
}

/// Draws something like a photograph: a sky of two colours, things before it, and the noise of a
/// sensor over all.
fn drawn(seed: u64) -> Picture {
    let mut random = Random::new(seed, Purpose::Order);
    let [top, bottom]: [[f32; 3]; 2] = [0; 2].map(|_| [0; 3].map(|_| f32::from(random.level())));
    let things: Vec<([f32; 3], f32, f32, f32, f32)> = (0..12)
        .map(|_| {
            let colour = [0; 3].map(|_| f32::from(random.level()));
            let (x, y) = (random.between(0.0, 512.0), random.between(0.0, 384.0));
            (colour, x, y, random.between(20.0, 140.0), random.between(20.0, 110.0))
        })
        .collect();
    let mut picture = Picture::new(512, 384);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let at = |n: u32| f32::from(u16::try_from(n).unwrap());
        let (x, y) = (at(x), at(y));
        let mut colour: [f32; 3] = [0, 1, 2].map(|c| top[c] + (bottom[c] - top[c]) * y / 384.0);
        for (of_thing, left, up, width, height) in &things {
            let distance = ((x - left) / width).powi(2) + ((y - up) / height).powi(2);
            if distance < 1.0 {
                colour = of_thing.map(|level| level * (1.0 - distance / 3.0));
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

/// Audits the folder with ours; returns the time and the pairs found between splits.
fn check(program: &Path, folder: &Path) -> (Duration, BTreeSet<Pair>) {
    let start = Instant::now();
    let output = Command::new(program).arg("check").arg(folder).arg("--json").output().unwrap();
    let time = start.elapsed();
    // 12: something is wrong, as it should be.
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(12), "{told}");
    let audit: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut pairs = BTreeSet::new();
    for finding in audit["findings"].as_array().unwrap() {
        match finding["kind"].as_str() {
            Some("near_leak") => {
                pairs.insert(pair(text(&finding["a"]), text(&finding["b"])));
            }
            Some("exact_leak") => {
                let paths: Vec<String> =
                    finding["paths"].as_array().unwrap().iter().map(text).collect();
                for (at, a) in paths.iter().enumerate() {
                    pairs.extend(paths[at + 1..].iter().map(|b| pair(a.clone(), b.clone())));
                }
            }
            Some(_) | None => (),
        }
    }
    (time, pairs)
}

/// Searches the folder with imagededup; returns the time it says it took and the pairs it found.
fn imagededup(python: &str, folder: &Path) -> Result<(Duration, BTreeSet<Pair>), String> {
    let mut command = Command::new(python);
    command.args(["-W", "ignore", "-c", include_str!("peers.py")]).arg(folder);
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(text.lines().last().unwrap_or("it failed silently").to_owned());
    }
    let told: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let seconds = told["seconds"].as_f64().ok_or("it told no time")?;
    let pairs: Vec<Pair> =
        serde_json::from_value(told["pairs"].clone()).map_err(|error| error.to_string())?;
    let pairs = pairs.into_iter().map(|[a, b]| pair(a, b)).collect();
    Ok((Duration::from_secs_f64(seconds), pairs))
}
