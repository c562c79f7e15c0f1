//! Levels → levels that use more of what there is between black and white.

use super::{Grey, Picture, rounded};

/// How often each of the 256 levels occurs.
pub(super) fn histogram(levels: impl IntoIterator<Item = u8>) -> [u32; 256] {
    let mut counts = [0; 256];
    for level in levels {
        counts[usize::from(level)] += 1;
    }
    counts
}

/// Makes the percentiles `low` and `high` of brightness black and white. All three colours change
/// alike, so that no hue is lost; a picture of one level stays as it is.
pub(super) fn stretched(picture: &Picture, low: f64, high: f64) -> Picture {
    let counts = histogram(Grey::of(picture).levels);
    let [black, white] = [low, high].map(|percent| percentile(&counts, percent));
    if white <= black {
        return picture.clone();
    }
    let (black, white) = (f32::from(black), f32::from(white));
    let table: [u8; 256] = std::array::from_fn(|level| {
        let level = u8::try_from(level).expect("there are 256 levels");
        rounded((f32::from(level) - black) * 255.0 / (white - black))
    });
    let mut stretched = picture.clone();
    for pixel in stretched.pixels_mut() {
        pixel.0 = pixel.0.map(|level| table[usize::from(level)]);
    }
    stretched
}

/// Returns the lowest level that at least that many percent of all pixels do not exceed.
fn percentile(counts: &[u32; 256], percent: f64) -> u8 {
    let total: u32 = counts.iter().sum();
    let wanted = (f64::from(total) * percent / 100.0).max(1.0);
    let mut seen = 0;
    let level = counts.iter().position(|count| {
        seen += count;
        wanted <= f64::from(seen)
    });
    level.map_or(u8::MAX, |level| u8::try_from(level).expect("there are 256 levels"))
}

/// Spreads levels so that each becomes equally frequent (histogram equalization). The lowest
/// level becomes black, as with `OpenCV`.
pub(super) fn equalized(grey: &Grey) -> Grey {
    let counts = histogram(grey.levels.iter().copied());
    let total: u32 = counts.iter().sum();
    let lowest = counts.iter().copied().find(|count| 0 < *count).unwrap_or(0);
    if lowest == total {
        return grey.clone();
    }
    let scale = 255.0 / wide(total - lowest);
    let mut seen = 0;
    let table = counts.map(|count| {
        seen += count;
        rounded(wide(seen.saturating_sub(lowest)) * scale)
    });
    let levels = grey.levels.iter().map(|level| table[usize::from(*level)]).collect();
    Grey { size: grey.size, levels }
}

#[expect(clippy::cast_precision_loss, reason = "a share of all pixels needs no more digits")]
fn wide(count: u32) -> f32 {
    count as f32
}
