//! File → 256×256 crop, on one core, side by side with Pillow on the same files.
//!
//!     cargo bench --profile release --bench prepare -- FOLDER
//!
//! Needs `python3` with Pillow. Both read, decode, turn by EXIF, scale the shorter side to 256
//! with a Lanczos filter, cut the middle square and encode JPEG at quality 90, in memory. Rounds
//! alternate; medians are shown.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench talks and may give up")]

use std::{fs, path::Path, process::Command, time::Instant};

use snapset::{
    domain::picture::FileFormat,
    pixels::{
        crop::{self, Filter},
        decode::{self, Limits},
        encode,
    },
};

const ROUNDS: usize = 5;

const PILLOW: &str = r"
import io, os, sys, time
from PIL import Image, ImageOps
files = sorted(os.path.join(sys.argv[1], name) for name in os.listdir(sys.argv[1]))
since, n = time.perf_counter(), 0
for path in files:
    try:
        with open(path, 'rb') as file:
            picture = ImageOps.exif_transpose(Image.open(io.BytesIO(file.read()))).convert('RGB')
        ImageOps.fit(picture, (256, 256), Image.Resampling.LANCZOS).save(io.BytesIO(), 'JPEG', quality=90)
        n += 1
    except OSError:
        pass
print(n, time.perf_counter() - since)
";

fn main() {
    let folder = std::env::args().skip(1).find(|it| !it.starts_with("--"));
    let Some(folder) = folder else {
        println!("usage: cargo bench --profile release --bench prepare -- FOLDER");
        return;
    };
    let (mut ours, mut pillow) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        ours.push(snapset(Path::new(&folder)));
        pillow.push(peer(&folder));
        println!(
            "round {round}: snapset {:.1} pictures/s, Pillow {:.1} pictures/s",
            ours[round - 1],
            pillow[round - 1]
        );
    }
    let (ours, pillow) = (median(ours), median(pillow));
    println!("median: snapset {ours:.1}, Pillow {pillow:.1}, ratio {:.2}", ours / pillow);
}

/// Returns pictures per second.
fn snapset(folder: &Path) -> f64 {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let (since, mut n) = (Instant::now(), 0_u32);
    for path in paths {
        let bytes = fs::read(path).unwrap();
        let Ok(decoded) = decode::decode(&bytes, Limits::default()) else { continue };
        let square = crop::center_square(&decoded.picture, 256, Filter::Lanczos3);
        assert!(!encode::encode(&square, FileFormat::Jpeg, 90).is_empty());
        n += 1;
    }
    f64::from(n) / since.elapsed().as_secs_f64()
}

fn peer(folder: &str) -> f64 {
    let output = Command::new("python3").args(["-c", PILLOW, folder]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (n, seconds) = text.trim().split_once(' ').unwrap();
    n.parse::<f64>().unwrap() / seconds.parse::<f64>().unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
