//! Contrast limited adaptive histogram equalization (Zuiderveld, Graphics Gems IV, 1994), with the
//! rounding of `OpenCV`.

use super::{Grey, rounded, sides_of, tone::histogram};

/// What each level becomes in the middle of one tile.
type Table = [u8; 256];

/// Equalizes within `tiles` × `tiles` parts and blends between their middles. In no part counts
/// a level for more than `clip` times its even share; what is cut off is spread over all levels.
pub(super) fn equalized(grey: &Grey, clip: f64, tiles: u32) -> Grey {
    let [width, height] = sides_of(grey.size);
    let tiles = usize::try_from(tiles).expect("a few tiles");
    let (across, down) = (tiles.min(width), tiles.min(height));
    // Tiles are equally large: where they do not fit, the picture goes on, mirrored.
    let is_even = width.is_multiple_of(across) && height.is_multiple_of(down);
    let (tile_width, tile_height) = if is_even {
        (width / across, height / down)
    } else {
        (width / across + 1, height / down + 1)
    };
    let tables: Vec<Table> = (0..across * down)
        .map(|tile| {
            let (left, top) = (tile % across * tile_width, tile / across * tile_height);
            let level =
                |x: usize, y: usize| grey.levels[mirrored(y, height) * width + mirrored(x, width)];
            let rows = top..top + tile_height;
            table(rows.flat_map(|y| (left..left + tile_width).map(move |x| level(x, y))), clip)
        })
        .collect();
    let columns: Vec<Between> = (0..width).map(|x| Between::of(x, tile_width, across)).collect();
    let mut levels = Vec::with_capacity(grey.levels.len());
    for (y, row) in grey.levels.chunks_exact(width).enumerate() {
        let rows = Between::of(y, tile_height, down);
        let (upper, lower) = (&tables[rows.before * across..], &tables[rows.after * across..]);
        for (level, columns) in row.iter().zip(&columns) {
            let blend = |tables: &[Table]| {
                let at = |tile: usize| f32::from(tables[tile][usize::from(*level)]);
                at(columns.before) * (1.0 - columns.way) + at(columns.after) * columns.way
            };
            levels.push(rounded(blend(upper) * (1.0 - rows.way) + blend(lower) * rows.way));
        }
    }
    Grey { size: grey.size, levels }
}

/// The tiles whose middles lie on both sides of a place, and the way between them.
#[derive(Clone, Copy, Debug)]
struct Between {
    before: usize,
    after: usize,
    way: f32,
}

impl Between {
    #[expect(clippy::cast_precision_loss, reason = "a side has fewer than 2^24 pixels")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped at zero")]
    fn of(at: usize, tile_px: usize, n_tiles: usize) -> Self {
        let place = at as f32 * (1.0 / tile_px as f32) - 0.5;
        let low = place.floor();
        let tile = |number: f32| (number.max(0.0) as usize).min(n_tiles - 1);
        Self { before: tile(low), after: tile(low + 1.0), way: place - low }
    }
}

/// Finds the pixel seen at `at` when a side is mirrored about its last pixel.
fn mirrored(at: usize, side: usize) -> usize {
    if at < side { at } else { (2 * (side - 1)).saturating_sub(at) }
}

#[expect(clippy::cast_precision_loss, reason = "a share of the tile needs no more digits")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "far below 2^32")]
fn table(levels: impl Iterator<Item = u8>, clip: f64) -> Table {
    let mut counts = histogram(levels);
    let total: u32 = counts.iter().sum();
    let limit = ((clip * f64::from(total) / 256.0) as u32).max(1);
    let cut_off: u32 = counts.iter().map(|count| count.saturating_sub(limit)).sum();
    let (each, rest) = (cut_off / 256, cut_off % 256);
    counts = counts.map(|count| count.min(limit) + each);
    // What is left over goes to single levels, as far apart as it reaches.
    let step = usize::try_from(256_u32.checked_div(rest).unwrap_or(1)).expect("at most 256");
    let n = usize::try_from(rest).expect("below 256");
    counts.iter_mut().step_by(step).take(n).for_each(|count| *count += 1);
    let scale = 255.0 / total as f32;
    let mut seen = 0;
    counts.map(|count| {
        seen += count;
        rounded(seen as f32 * scale)
    })
}
