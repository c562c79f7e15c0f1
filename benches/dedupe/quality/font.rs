//! Letters of five by seven dots, for captions, marks and pages of text.

use snapset::pixels::{Picture, Pixel};

/// Columns from the left, the lowest bit on top: A to Z.
const LETTERS: [[u8; 5]; 26] = [
    [0x7E, 0x11, 0x11, 0x11, 0x7E],
    [0x7F, 0x49, 0x49, 0x49, 0x36],
    [0x3E, 0x41, 0x41, 0x41, 0x22],
    [0x7F, 0x41, 0x41, 0x22, 0x1C],
    [0x7F, 0x49, 0x49, 0x49, 0x41],
    [0x7F, 0x09, 0x09, 0x09, 0x01],
    [0x3E, 0x41, 0x49, 0x49, 0x7A],
    [0x7F, 0x08, 0x08, 0x08, 0x7F],
    [0x00, 0x41, 0x7F, 0x41, 0x00],
    [0x20, 0x40, 0x41, 0x3F, 0x01],
    [0x7F, 0x08, 0x14, 0x22, 0x41],
    [0x7F, 0x40, 0x40, 0x40, 0x40],
    [0x7F, 0x02, 0x0C, 0x02, 0x7F],
    [0x7F, 0x04, 0x08, 0x10, 0x7F],
    [0x3E, 0x41, 0x41, 0x41, 0x3E],
    [0x7F, 0x09, 0x09, 0x09, 0x06],
    [0x3E, 0x41, 0x51, 0x21, 0x5E],
    [0x7F, 0x09, 0x19, 0x29, 0x46],
    [0x46, 0x49, 0x49, 0x49, 0x31],
    [0x01, 0x01, 0x7F, 0x01, 0x01],
    [0x3F, 0x40, 0x40, 0x40, 0x3F],
    [0x1F, 0x20, 0x40, 0x20, 0x1F],
    [0x3F, 0x40, 0x38, 0x40, 0x3F],
    [0x63, 0x14, 0x08, 0x14, 0x63],
    [0x07, 0x08, 0x70, 0x08, 0x07],
    [0x61, 0x51, 0x49, 0x45, 0x43],
];

/// Where and how a line is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) left: u32,
    pub(super) top: u32,
    /// The side of one dot.
    pub(super) dot_px: u32,
    pub(super) ink: Pixel,
    /// How much of the ink covers what lies below, in per cent.
    pub(super) percent: u32,
}

/// How wide `n_letters` letters are.
pub(super) fn width_px(n_letters: u32, dot_px: u32) -> u32 {
    n_letters * 6 * dot_px
}

/// Writes small letters as capitals; anything else is a gap. What lies outside is cut off.
pub(super) fn write(picture: &mut Picture, text: &str, line: Line) {
    let mut left = line.left;
    for letter in text.bytes() {
        if letter.is_ascii_lowercase() {
            for (column, bits) in (0_u32..).zip(LETTERS[usize::from(letter - b'a')]) {
                for row in (0..7_u32).filter(|row| bits >> row & 1 == 1) {
                    dot(picture, left + column * line.dot_px, line.top + row * line.dot_px, line);
                }
            }
        }
        left += 6 * line.dot_px;
    }
}

fn dot(picture: &mut Picture, left: u32, top: u32, line: Line) {
    let (width, height) = picture.dimensions();
    for y in top..(top + line.dot_px).min(height) {
        for x in left..(left + line.dot_px).min(width) {
            let below = picture.get_pixel_mut(x, y);
            for (level, ink) in below.0.iter_mut().zip(line.ink.0) {
                let mixed =
                    u32::from(*level) * (100 - line.percent) + u32::from(ink) * line.percent;
                *level = u8::try_from(mixed / 100).expect("a mean of two levels is a level");
            }
        }
    }
}
