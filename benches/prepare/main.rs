//! Photograph → 256×256 crop, side by side with other tools on the same files.
//!
//!     cargo bench --profile release --bench prepare -- [FOLDER] [PYTHON]
//!
//! FOLDER holds JPEG photographs; without it those beside the repository are taken. Variants of
//! 2 to 33 megapixels are made of each: plain and progressive, with whole and halved colour
//! planes, qualities 75 to 95. PYTHON (`python3`) should have `Pillow`, `opencv-python-headless`,
//! `img2dataset`, `pyvips` with `pyvips-binary`, and `simplejpeg`; what is missing is left out.
//!
//! Every route reads, decodes, scales the shorter side to 256, cuts the middle square and encodes
//! JPEG at quality 90, in a process and on a thread of its own. Rounds alternate; medians of
//! processor time are shown. Quality is that of the pixels before they are encoded, against a
//! full decode and a Lanczos filter in exact arithmetic, on levels as coded and on light.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench talks and may give up"
)]

mod quality;
mod routes;
mod variants;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use quality::Quality;
use routes::{Cost, Routes};

const ROUNDS: usize = 5;

/// One core and two cores take turns this often: what else runs on the machine weighs most here.
const TURNS: usize = 15;

/// What one route costs and gives.
struct Row {
    route: &'static str,
    costs: Vec<Cost>,
    coded: Quality,
    light: Quality,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|it| it != "--bench").collect();
    if let [word, rest @ ..] = arguments.as_slice()
        && word == routes::WORK
    {
        routes::work(rest);
        return;
    }
    let mut arguments = arguments.into_iter();
    let shared = "../shared/data/robustness_dedup/big_photos_cc0";
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join(shared).display().to_string();
    let folder = PathBuf::from(arguments.next().unwrap_or_else(beside));
    let python = arguments.next().unwrap_or_else(|| "python3".to_owned());
    if !folder.is_dir() {
        println!("skipped: no photographs at {}", folder.display());
        return;
    }
    let scratch = env::temp_dir().join(format!("snapset-prepare-{}", std::process::id()));
    fs::create_dir_all(&scratch).unwrap();
    let files = variants::make(&folder, &scratch);
    println!("{} photographs, {:.0} megapixels", files.len(), variants::megapixels(&files));
    compare(&Routes { python, scratch: scratch.clone(), files: files.clone() });
    fs::remove_dir_all(scratch).unwrap();
}

fn compare(routes: &Routes) {
    let references = quality::references(&routes.files);
    let mut rows = Vec::new();
    for route in routes::ALL {
        match routes.crops(route) {
            Ok(crops) => {
                let [coded, light] = quality::judge(&crops, &references);
                rows.push(Row { route, costs: Vec::new(), coded, light });
            }
            Err(reason) => println!("left out: {route}: {reason}"),
        }
    }
    for round in 1..=ROUNDS {
        for row in &mut rows {
            row.costs.push(routes.cost(row.route));
        }
        println!("round {round} of {ROUNDS} done");
    }
    print(&rows, routes.files.len());
    let clock = |route| routes.cost(route).wall_s;
    let mut ratios: Vec<f64> =
        (0..TURNS).map(|_| clock(routes::ONE_CORE) / clock(routes::TWO_CORES)).collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "two cores against one: {:.2} times as fast, by the clock (median of {})",
        ratios[TURNS / 2],
        ratios.iter().map(|it| format!("{it:.2}")).collect::<Vec<_>>().join(", ")
    );
}

fn print(rows: &[Row], n_files: usize) {
    println!(
        "{:22} {:>8} {:>6} {:>8} {:>8} {:>8} {:>7} {:>10}",
        "route", "crops/s", "ours x", "peak MB", "PSNR", "worst5%", "SSIM", "PSNR light"
    );
    let cpu = |row: &Row| median(row.costs.iter().map(|it| it.cpu_s));
    for row in rows {
        let peak = row.costs.iter().map(|it| it.peak_mb).fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "thousands of files at most")]
        let per_second = n_files as f64 / cpu(row);
        println!(
            "{:22} {per_second:>8.1} {:>6.2} {peak:>8.0} {:>8.1} {:>8.1} {:>7.4} {:>10.1}",
            row.route,
            cpu(row) / cpu(&rows[0]),
            row.coded.psnr_db,
            row.coded.psnr_worst_db,
            row.coded.ssim,
            row.light.psnr_db,
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
