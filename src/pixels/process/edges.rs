//! How brightness changes from pixel to pixel (Sobel's operator, 3×3).

use super::{Grey, rounded, sides_of};

/// What lies beyond the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beyond {
    /// The picture, mirrored about its last pixel.
    Mirror,
    /// Its last pixel.
    Last,
}

/// Returns the length of the gradient times `gain`, cut off at white.
pub(super) fn sobel(grey: &Grey, gain: f32) -> Grey {
    let levels = gradients(grey, Beyond::Mirror)
        .iter()
        .map(|[right, down]| {
            let [right, down] = [f32::from(*right), f32::from(*down)];
            rounded((right * right + down * down).sqrt() * gain)
        })
        .collect();
    Grey { size: grey.size, levels }
}

/// Returns Sobel's two sums for each pixel: how levels rise to the right and downwards.
pub(super) fn gradients(grey: &Grey, beyond: Beyond) -> Vec<[i16; 2]> {
    let [width, height] = sides_of(grey.size);
    let around = |at: usize, side: usize| {
        let last = side - 1;
        let (before, after) = match beyond {
            Beyond::Last => (0, last),
            Beyond::Mirror => (1.min(last), last.saturating_sub(1)),
        };
        [at.checked_sub(1).unwrap_or(before), if at < last { at + 1 } else { after }]
    };
    let mut found = Vec::with_capacity(grey.levels.len());
    for y in 0..height {
        let [above, below] = around(y, height);
        let rows = [above, y, below].map(|y| &grey.levels[y * width..(y + 1) * width]);
        for x in 0..width {
            let [left, right] = around(x, width);
            let level = |row: usize, x: usize| i16::from(rows[row][x]);
            let column = |x: usize| level(0, x) + 2 * level(1, x) + level(2, x);
            let row = |row: usize| level(row, left) + 2 * level(row, x) + level(row, right);
            found.push([column(right) - column(left), row(2) - row(0)]);
        }
    }
    found
}
