//! Compares all with all, a tile of each at a time, so that both stay near the processor.

use std::ops::Range;

use super::{Hash, Hit, Level, Shelf, lanes::LANES};
use crate::domain::fingerprint::Distance;

/// Rows of a tile: 16 KiB of hashes.
const ROWS: usize = 512;

/// Blocks of a tile: 16 KiB of hashes as well.
const BLOCKS: usize = 64;

/// Fewer rows than this are not worth a thread's while.
const ROWS_MIN: usize = 16;

/// Cuts the rows into ranges to be worked on side by side; no picture is parted.
pub(super) fn cut(rows: &Shelf) -> Vec<Range<usize>> {
    let size = (rows.len() / (rayon::current_num_threads() * 8)).clamp(ROWS_MIN, ROWS);
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < rows.len() {
        let last = (start + size).min(rows.len()) - 1;
        let end = rows.first_after(rows.pictures[last]);
        ranges.push(start..end);
        start = end;
    }
    ranges
}

/// Finds the hashes of later pictures that lie near those of `range`.
pub(super) fn join(
    rows: &Shelf,
    range: Range<usize>,
    columns: &Shelf,
    within: Distance,
    level: Level,
) -> Vec<Hit> {
    let queries: Vec<Hash> = range.clone().map(|at| rows.hash(at)).collect();
    let first = columns.first_after(rows.pictures[range.start]) / LANES;
    let mut hits = Vec::new();
    for (n, tile) in columns.blocks[first..].chunks(BLOCKS).enumerate() {
        let before = hits.len();
        level.scan(&queries, tile, within.0, &mut hits);
        for hit in &mut hits[before..] {
            hit.row += range.start;
            hit.column += (first + n * BLOCKS) * LANES;
        }
    }
    hits.retain(|hit| {
        let column = columns.pictures.get(hit.column);
        column.is_some_and(|column| rows.pictures[hit.row] < *column)
    });
    hits
}
