//! Grey levels → how much of the picture is written: lines of text, pages, captions.
//!
//! Text is what stands in low bands between rows of even ground and changes often between ink
//! and ground along its rows. It is looked for in upright strips, so that text beside a picture
//! is found too. Letters laid over a picture are found by their dark rims.

use crate::domain::quality::Share;

/// What was found written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) text: Share,
    pub(super) page: Share,
    pub(super) captions: Share,
}

/// About how wide a strip is.
const STRIP_PX: usize = 64;

/// The levels of an even row differ by at most this.
const EVEN: u8 = 12;

/// How far ink is from its ground at least.
const INK: u8 = 48;

/// How high a line of text may be; the shorter side of the picture is 256.
const LINE_PX: std::ops::RangeInclusive<usize> = 2..=40;

/// How often a row of text changes between ink and ground within a strip, at least.
const CHANGES: usize = 3;

/// Fewer lines than this may be chance.
const LINES: usize = 3;

/// What one row of one strip belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Ground,
    Text,
    Picture,
}

/// Rows of a strip that follow each other between even rows; the end lies just outside.
#[derive(Clone, Copy, Debug)]
struct Band {
    start: usize,
    end: usize,
}

pub(super) fn written(levels: &[u8], width: usize) -> Written {
    let height = levels.len() / width;
    let n_strips = (width / STRIP_PX).max(1);
    let rows: Vec<&[u8]> = levels.chunks_exact(width).collect();
    let mut parts = vec![vec![Part::Ground; n_strips]; height];
    let mut n_lines = 0;
    for strip in 0..n_strips {
        let (left, right) = (strip * width / n_strips, (strip + 1) * width / n_strips);
        let rows: Vec<&[u8]> = rows.iter().map(|row| &row[left..right]).collect();
        for band in bands(&rows) {
            let is_text = is_line(&rows, band);
            n_lines += usize::from(is_text);
            for row in &mut parts[band.start..band.end] {
                row[strip] = if is_text { Part::Text } else { Part::Picture };
            }
        }
    }
    let mut is_caption = lettered(&rows);
    let pages = if n_lines < LINES { Vec::new() } else { pages(&parts) };
    for page in pages.iter().filter(|page| page.start == 0 || page.end == height) {
        is_caption[page.start..page.end].fill(true);
    }
    let n = |part: Part| parts.iter().flatten().filter(|it| **it == part).count();
    let (text, picture) = (n(Part::Text), n(Part::Picture));
    let written = pages.iter().map(|page| page.end - page.start).sum();
    Written {
        text: if n_lines < LINES { Share::default() } else { Share::of(text, text + picture) },
        page: Share::of(written, height),
        captions: Share::of(is_caption.iter().filter(|it| **it).count(), height),
    }
}

/// Parts a strip into what stands between its even rows.
fn bands(rows: &[&[u8]]) -> Vec<Band> {
    let mut bands = Vec::new();
    let mut start = None;
    for (y, row) in rows.iter().enumerate() {
        match (is_even(row), start) {
            (true, Some(first)) => {
                bands.push(Band { start: first, end: y });
                start = None;
            }
            (false, None) => start = Some(y),
            (true, None) | (false, Some(_)) => (),
        }
    }
    bands.extend(start.map(|start| Band { start, end: rows.len() }));
    bands
}

fn is_even(row: &[u8]) -> bool {
    let (low, high) = range(row);
    high - low <= EVEN
}

fn range(row: &[u8]) -> (u8, u8) {
    row.iter().fold((u8::MAX, 0), |(low, high), &level| (low.min(level), high.max(level)))
}

fn is_line(rows: &[&[u8]], band: Band) -> bool {
    let Band { start, end } = band;
    let height = end - start;
    if !LINE_PX.contains(&height) || start == 0 || end == rows.len() {
        return false;
    }
    let ground = rows[start - 1][0];
    if EVEN < ground.abs_diff(rows[end][0]) {
        return false;
    }
    let rows = &rows[start..end];
    let depth = rows.iter().flat_map(|row| row.iter()).map(|it| it.abs_diff(ground)).max();
    let depth = depth.unwrap_or(0);
    if depth < INK {
        return false;
    }
    let is_ink = |level: u8| depth / 3 < level.abs_diff(ground);
    let (mut changes, mut ink) = (0, 0);
    for row in rows {
        changes += row.windows(2).filter(|two| is_ink(two[0]) != is_ink(two[1])).count();
        ink += row.iter().filter(|level| is_ink(**level)).count();
    }
    let area = height * rows[0].len();
    CHANGES * height <= changes && ink * 4 < area * 3
}

/// Finds the runs of rows that hold nothing but ground and text, and some text.
fn pages(parts: &[Vec<Part>]) -> Vec<Band> {
    let mut pages = Vec::new();
    let mut start = 0;
    for y in 0..=parts.len() {
        let goes_on = parts.get(y).is_some_and(|row| !row.contains(&Part::Picture));
        if goes_on {
            continue;
        }
        if parts[start..y].iter().any(|row| row.contains(&Part::Text)) {
            pages.push(Band { start, end: y });
        }
        start = y + 1;
    }
    pages
}

/// Light strokes with dark rims, as letters laid over pictures have them.
const LIGHT: u8 = 215;
const DARK: u8 = 70;
const STROKE_PX: std::ops::RangeInclusive<usize> = 2..=16;
const RIM_PX: usize = 3;
const STROKES: usize = 4;

/// Marks the rows in the upper and lower third that are crossed by many rimmed strokes.
fn lettered(rows: &[&[u8]]) -> Vec<bool> {
    let third = rows.len() / 3;
    let is_outside = |y: usize| y < third || rows.len() - third <= y;
    (0..rows.len()).map(|y| is_outside(y) && STROKES <= strokes(rows[y])).collect()
}

fn strokes(row: &[u8]) -> usize {
    let mut n = 0;
    let mut x = 0;
    while x < row.len() {
        let light = row[x..].iter().take_while(|level| LIGHT <= **level).count();
        if light == 0 {
            x += 1;
            continue;
        }
        let end = x + light;
        let is_dark = |some: &[u8]| some.iter().any(|level| *level <= DARK);
        let before = is_dark(&row[x.saturating_sub(RIM_PX)..x]);
        let after = is_dark(&row[end..(end + RIM_PX).min(row.len())]);
        n += usize::from(before && after && STROKE_PX.contains(&light));
        x = end;
    }
    n
}
