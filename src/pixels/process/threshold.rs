//! Grey → black and white.

use super::{Grey, tone::histogram};

/// Makes levels above `level` white and all others black.
pub(super) fn fixed(grey: &Grey, level: u8) -> Grey {
    let levels = grey.levels.iter().map(|it| if level < *it { 255 } else { 0 }).collect();
    Grey { size: grey.size, levels }
}

/// Does the same with the level of [`otsu_level`].
pub(super) fn otsu(grey: &Grey) -> Grey {
    fixed(grey, otsu_level(&histogram(grey.levels.iter().copied())))
}

/// Returns the level whose two sides differ most: the largest variance between them, which is
/// the smallest within (Otsu 1979).
fn otsu_level(counts: &[u32; 256]) -> u8 {
    let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let of_level = |level: u8| f64::from(counts[usize::from(level)]) / total;
    let mean: f64 = (0..=255).map(|level| f64::from(level) * of_level(level)).sum();
    let (mut share, mut sum) = (0.0, 0.0);
    let (mut best, mut largest) = (0, 0.0);
    for level in 0..=255 {
        share += of_level(level);
        sum += f64::from(level) * of_level(level);
        let rest: f64 = 1.0 - share;
        if share.min(rest) < f64::from(f32::EPSILON) {
            continue;
        }
        let apart = sum / share - (mean - sum) / rest;
        let between = share * rest * apart * apart;
        if largest < between {
            (best, largest) = (level, between);
        }
    }
    best
}
