//! Grey levels → the rectangle inside margins and bars: letterboxes, frames, captions, the
//! screen around a picture.

use std::borrow::Cow;

/// Levels this near to the paper of a bar belong to it; JPEG leaves rings around letters.
const PAPER_GAP_MAX: u8 = 14;

/// A line of a picture whose levels are to this per cent paper is empty paper.
const EMPTY_PERCENT: usize = 96;

/// A line of a bar with letters on it still shows so much of its paper.
const WRITTEN_PERCENT: usize = 35;

/// A picture is never cut to less than a third of its height or width.
const PARTS_MIN: usize = 3;

/// Bars of this many colours may lie on each other.
const N_BARS_MAX: usize = 3;

/// A rectangle of pixels; right and bottom lie just outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

/// Finds what lies inside margins and bars; the whole picture if nearly all of it is margin.
pub(super) fn inner(levels: &[u8], width: usize) -> Inner {
    let height = levels.len() / width;
    let whole = Inner { left: 0, top: 0, right: width, bottom: height };
    let mut inner = whole;
    // Twice, because bars above and below hide the bars at the sides.
    for _ in 0..2 {
        let row = |y: usize, it: Inner| {
            Line(Cow::Borrowed(&levels[y * width + it.left..y * width + it.right]))
        };
        let column = |x: usize, it: Inner| {
            let rows = levels[it.top * width..it.bottom * width].chunks_exact(width);
            Line(rows.map(|row| row[x]).collect())
        };
        let it = inner;
        let n_rows = it.bottom - it.top;
        inner.top = it.top + bar(n_rows, |at| row(it.top + at, it));
        inner.bottom = it.bottom - bar(n_rows, |at| row(it.bottom - 1 - at, it));
        if inner.bottom.saturating_sub(inner.top) * PARTS_MIN <= height {
            return whole;
        }
        let it = inner;
        let n_columns = it.right - it.left;
        inner.left = it.left + bar(n_columns, |at| column(it.left + at, it));
        inner.right = it.right - bar(n_columns, |at| column(it.right - 1 - at, it));
        if inner.right.saturating_sub(inner.left) * PARTS_MIN <= width {
            return whole;
        }
    }
    inner
}

/// The levels of a row or column.
struct Line<'a>(Cow<'a, [u8]>);

impl Line<'_> {
    /// The level in the middle of all.
    fn paper(&self) -> u8 {
        let mut counts = [0_usize; 256];
        self.0.iter().for_each(|level| counts[usize::from(*level)] += 1);
        let mut n_before = 0;
        let middle = (0..=255_u8).find(|level| {
            n_before += counts[usize::from(*level)];
            self.0.len() <= 2 * n_before
        });
        middle.unwrap_or(0)
    }

    /// Counts the levels that are paper, as many at a time as a byte can count.
    fn n_paper(&self, paper: u8) -> usize {
        let is_paper = |level: &u8| u8::from(level.abs_diff(paper) <= PAPER_GAP_MAX);
        let n_of = |levels: &[u8]| usize::from(levels.iter().map(is_paper).sum::<u8>());
        self.0.chunks(255).map(n_of).sum()
    }
}

/// Counts the lines of the bars at one end: bars begin and end with empty paper, and between
/// their letters the paper shows.
fn bar<'a>(n_lines: usize, line: impl Fn(usize) -> Line<'a>) -> usize {
    let mut end = 0;
    for _ in 0..N_BARS_MAX {
        if n_lines <= end {
            break;
        }
        let paper = line(end).paper();
        let mut n_empty = 0;
        for at in end..n_lines {
            let line = line(at);
            let n_paper = line.n_paper(paper);
            let is_at_least = |percent: usize| line.0.len() * percent <= n_paper * 100;
            if is_at_least(EMPTY_PERCENT) {
                n_empty = at + 1 - end;
            } else if !is_at_least(WRITTEN_PERCENT) {
                break;
            }
        }
        if n_empty == 0 {
            break;
        }
        end += n_empty;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_and_a_full_picture_has_none() {
        let framed: Vec<u8> = (0..400_usize)
            .map(|at| match (at % 20, at / 20) {
                (x @ 3..18, y @ 2..15) => u8::try_from(x * y * 5 % 256).unwrap(),
                _ => 255,
            })
            .collect();
        assert_eq!(inner(&framed, 20), Inner { left: 3, top: 2, right: 18, bottom: 15 });

        let full: Vec<u8> = (0..400_usize).map(|at| u8::try_from(at * 7 % 256).unwrap()).collect();
        assert_eq!(inner(&full, 20), Inner { left: 0, top: 0, right: 20, bottom: 20 });
    }

    #[test]
    fn a_plain_picture_is_not_all_border() {
        assert_eq!(inner(&[7; 100], 10), Inner { left: 0, top: 0, right: 10, bottom: 10 });
    }

    /// A grey bar with letters, a white bar, and a picture of noise below.
    #[test]
    fn bars_with_letters_are_cut_off() {
        let level = |at: usize| -> u8 {
            match (at % 40, at / 40) {
                (x @ 4..30, 3 | 4 | 6 | 7) if x % 3 == 0 => 20,
                (_, 0..10) => 200,
                (_, 10..13) => 255,
                (x, y) => u8::try_from((x * 37 + y * 91 + x * y * 13) % 256).unwrap(),
            }
        };
        let levels: Vec<u8> = (0..40 * 60).map(level).collect();

        assert_eq!(inner(&levels, 40), Inner { left: 0, top: 13, right: 40, bottom: 60 });
    }

    #[test]
    fn a_picture_of_one_row_has_no_border() {
        assert_eq!(inner(&[9, 80, 200, 3], 4), Inner { left: 0, top: 0, right: 4, bottom: 1 });
    }
}
