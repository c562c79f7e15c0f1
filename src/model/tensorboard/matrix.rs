//! A confusion matrix → a picture. Classes are numbered, for there is no room for names.

use crate::pixels::Picture;

/// Digits of three by five dots, a row after the other; the highest of three bits is the left dot.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 1, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

const PAPER: [u8; 3] = [255, 255, 255];
const INK: [u8; 3] = [30, 34, 40];
const RIGHT: [u8; 3] = [60, 165, 110];
const WRONG: [u8; 3] = [225, 105, 85];

/// With more classes a cell is too small for its number.
const NUMBERED_MAX: usize = 25;

/// Draws a confusion matrix: rows are true classes, columns what was said, the colour its share of
/// the row. Up to 25 classes carry their numbers and each cell its count.
pub fn confusion_picture(confusion: &[Vec<u32>]) -> Picture {
    let n = confusion.len().max(1);
    let is_numbered = n <= NUMBERED_MAX;
    let cell_px = if is_numbered { 64_u32 } else { 8 };
    let margin_px = if is_numbered { 40 } else { 4 };
    let place = |at: usize| margin_px + cell_px * u32::try_from(at).expect("classes are few");
    let side_px = place(n) + 4;
    let mut picture = Picture::new(side_px, side_px);
    fill(&mut picture, (0, 0), side_px, PAPER);
    for (truth, row) in confusion.iter().enumerate() {
        let all: f64 = row.iter().map(|it| f64::from(*it)).sum();
        for (said, count) in row.iter().enumerate() {
            let share = if 0.0 < all { f64::from(*count) / all } else { 0.0 };
            let full = if said == truth { RIGHT } else { WRONG };
            let at = (place(said), place(truth));
            fill(&mut picture, at, cell_px - 1, std::array::from_fn(|it| mix(full[it], share)));
            if is_numbered {
                let middle = (at.0 + cell_px / 2, at.1 + cell_px / 2);
                write(&mut picture, middle, *count);
            }
        }
        if is_numbered {
            let number = u32::try_from(truth).expect("classes are few");
            let middle = place(truth) + cell_px / 2;
            write(&mut picture, (margin_px / 2, middle), number);
            write(&mut picture, (middle, margin_px / 2), number);
        }
    }
    picture
}

fn fill(picture: &mut Picture, (left, top): (u32, u32), side_px: u32, colour: [u8; 3]) {
    for y in top..top + side_px {
        for x in left..left + side_px {
            picture.get_pixel_mut(x, y).0 = colour;
        }
    }
}

/// Lays a colour over light grey, the stronger the larger the share.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two levels")]
fn mix(full: u8, share: f64) -> u8 {
    (238.0 + (f64::from(full) - 238.0) * share).round() as u8
}

/// Writes a number around `middle`, as large as six digits fit into a cell.
fn write(picture: &mut Picture, (x, y): (u32, u32), number: u32) {
    let digits: Vec<u32> = number.to_string().chars().filter_map(|it| it.to_digit(10)).collect();
    let n = u32::try_from(digits.len()).expect("ten digits at most");
    let dot = if n <= 4 { 3 } else { 1 };
    let left = x.saturating_sub((4 * n - 1) * dot / 2);
    let top = y.saturating_sub(5 * dot / 2);
    for (at, digit) in (0..n).zip(digits) {
        let rows = DIGITS[usize::try_from(digit).expect("a digit is below ten")];
        for (row, bits) in (0..).zip(rows) {
            for column in (0..3).filter(|column| bits & (4 >> column) != 0) {
                let place = (left + (4 * at + column) * dot, top + row * dot);
                fill(picture, place, dot, INK);
            }
        }
    }
}
