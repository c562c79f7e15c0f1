//! How near crops come to the best that could be made of their files: a full decode, then a
//! Lanczos filter in exact arithmetic, on levels as they are coded or on the light they stand for.

use std::{fs, path::PathBuf};

use snapset::pixels::{
    Picture,
    decode::{self, Limits},
};

const SIDE: usize = 256;
const LOBES: f64 = 3.0;

/// The ideal crops of one file, by channel, in levels: filtered as coded, and as light.
pub(super) struct Reference {
    coded: Vec<f64>,
    light: Vec<f64>,
}

/// How near the crops of all files come to their references.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quality {
    pub(super) psnr_db: f64,
    /// Only one in twenty is below this.
    pub(super) psnr_worst_db: f64,
    pub(super) ssim: f64,
}

pub(super) fn references(files: &[PathBuf]) -> Vec<Reference> {
    let of = |path: &PathBuf| {
        let picture = decode::decode(&fs::read(path).unwrap(), Limits::default()).unwrap().picture;
        let coded = filtered(&picture, &std::array::from_fn(as_f64));
        let light = filtered(&picture, &std::array::from_fn(|level| to_light(as_f64(level))));
        Reference { coded, light: light.into_iter().map(to_level).collect() }
    };
    files.iter().map(of).collect()
}

/// Judges the crops against references as coded, and as light.
pub(super) fn judge(crops: &[Picture], references: &[Reference]) -> [Quality; 2] {
    let choices: [fn(&Reference) -> &[f64]; 2] = [|it| &it.coded, |it| &it.light];
    choices.map(|choose| {
        let mut psnr = Vec::new();
        let mut ssim = Vec::new();
        for (crop, reference) in crops.iter().zip(references) {
            let levels: Vec<f64> = crop.as_raw().iter().map(|&it| f64::from(it)).collect();
            let reference: Vec<f64> =
                choose(reference).iter().map(|it| it.clamp(0.0, 255.0).round()).collect();
            psnr.push(psnr_db(&levels, &reference));
            ssim.push(similarity(&levels, &reference));
        }
        psnr.sort_by(f64::total_cmp);
        ssim.sort_by(f64::total_cmp);
        let n = psnr.len();
        Quality { psnr_db: psnr[n / 2], psnr_worst_db: psnr[n / 20], ssim: ssim[n / 2] }
    })
}

/// Cuts the middle square and filters it down, rows first.
fn filtered(picture: &Picture, meaning: &[f64; 256]) -> Vec<f64> {
    let (width, height) = picture.dimensions();
    let (width, height) = (width as usize, height as usize);
    let side = width.min(height);
    let across = weights(side, as_f64(width - side) / 2.0, width);
    let down = weights(side, as_f64(height - side) / 2.0, height);
    let mut narrow = vec![0.0; height * SIDE * 3];
    for (row, target) in picture.as_raw().chunks_exact(3 * width).zip(narrow.chunks_mut(3 * SIDE)) {
        for ((start, weights), pixel) in across.iter().zip(target.as_chunks_mut::<3>().0) {
            let (pixels, _) = row[3 * start..].as_chunks::<3>();
            for (weight, from) in weights.iter().zip(pixels) {
                for (sum, &level) in pixel.iter_mut().zip(from) {
                    *sum += weight * meaning[usize::from(level)];
                }
            }
        }
    }
    let mut crop = vec![0.0; SIDE * SIDE * 3];
    for ((start, weights), target) in down.iter().zip(crop.chunks_mut(3 * SIDE)) {
        for (weight, from) in weights.iter().zip(narrow[3 * SIDE * start..].chunks(3 * SIDE)) {
            for (sum, level) in target.iter_mut().zip(from) {
                *sum += weight * level;
            }
        }
    }
    crop
}

/// Returns for each pixel of the crop the first of those it is made of, and their weights.
fn weights(side: usize, offset: f64, length: usize) -> Vec<(usize, Vec<f64>)> {
    let scale = as_f64(side) / as_f64(SIDE);
    let reach = LOBES * scale.max(1.0);
    let of = |n: usize| {
        let centre = offset + (as_f64(n) + 0.5) * scale;
        let inside = |at: &usize| (as_f64(*at) + 0.5 - centre).abs() < reach;
        let places: Vec<usize> = (0..length).filter(inside).collect();
        let weights: Vec<f64> = places
            .iter()
            .map(|&at| lanczos((as_f64(at) + 0.5 - centre) / scale.max(1.0)))
            .collect();
        let sum: f64 = weights.iter().sum();
        (places[0], weights.into_iter().map(|it| it / sum).collect())
    };
    (0..SIDE).map(of).collect()
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        let x = x * std::f64::consts::PI;
        if x == 0.0 { 1.0 } else { x.sin() / x }
    };
    sinc(x) * sinc(x / LOBES)
}

fn psnr_db(one: &[f64], other: &[f64]) -> f64 {
    let error: f64 = one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * as_f64(one.len()) / error.max(1e-9)).log10()
}

/// Structural similarity: the mean over windows of 8×8 pixels, four apart, of each channel.
fn similarity(one: &[f64], other: &[f64]) -> f64 {
    const SMALL: [f64; 2] = [6.5025, 58.5225];
    let starts = || (0..=SIDE - 8).step_by(4);
    let mut sum = 0.0;
    for channel in 0..3 {
        for top in starts() {
            for left in starts() {
                let [mut a, mut b, mut aa, mut bb, mut ab] = [0.0; 5];
                for n in 0..64 {
                    let at = ((top + n / 8) * SIDE + left + n % 8) * 3 + channel;
                    let (x, y) = (one[at], other[at]);
                    a += x / 64.0;
                    b += y / 64.0;
                    aa += x * x / 64.0;
                    bb += y * y / 64.0;
                    ab += x * y / 64.0;
                }
                let means = (2.0 * a * b + SMALL[0]) / (a * a + b * b + SMALL[0]);
                let spread = aa - a * a + bb - b * b + SMALL[1];
                sum += means * (2.0 * (ab - a * b) + SMALL[1]) / spread;
            }
        }
    }
    let n_windows = starts().count().pow(2) * 3;
    sum / as_f64(n_windows)
}

fn to_light(level: f64) -> f64 {
    let value = level / 255.0;
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn to_level(light: f64) -> f64 {
    let light = light.clamp(0.0, 1.0);
    255.0 * if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

#[expect(clippy::cast_precision_loss, reason = "sides and counts are far below 2^52")]
fn as_f64(n: usize) -> f64 {
    n as f64
}
