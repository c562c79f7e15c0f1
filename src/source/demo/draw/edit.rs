//! Copies people make of a picture: smaller, a little cropped, with a mark of theirs.

use super::{
    super::dice::Dice,
    Edit,
    form::Form,
    raster::{Raster, Window},
};

/// Makes the copy of `original` that `form` announces.
pub(super) fn apply(original: Raster, edit: Edit, form: Form, dice: &mut Dice) -> Raster {
    match edit {
        Edit::None | Edit::Reencoded => original,
        Edit::Resized => original.resized(form.width_px, form.height_px),
        Edit::Cropped => {
            let mut offset = |old: u32, new: u32| {
                let slack = usize::try_from(old - new).expect("a side fits an address");
                u32::try_from(dice.below(slack + 1)).expect("it is at most a side")
            };
            let left = offset(original.width_px, form.width_px);
            let top = offset(original.height_px, form.height_px);
            original.cut(Window { left, top, width: form.width_px, height: form.height_px })
        }
        Edit::Watermarked => watermarked(original, dice),
    }
}

/// The size of one letter, in dots.
const LETTER: (u32, u32) = (4, 6);

/// Writes a name in an unknown alphabet into a corner or along the lower edge.
fn watermarked(mut picture: Raster, dice: &mut Dice) -> Raster {
    let letters = 6 + u32::try_from(dice.below(5)).expect("it is below 5");
    let columns = letters * (LETTER.0 + 1);
    let (width, height) = (picture.width_px, picture.height_px);
    // The name takes at most two thirds of the width and 6 % of the area.
    let mut dot = (width * 2 / 3 / columns).max(1);
    while 1 < dot && width * height * 6 / 100 < columns * LETTER.1 * dot * dot {
        dot -= 1;
    }
    let (long, high) = (columns * dot, LETTER.1 * dot);
    let margin = (width.min(height) / 40).min(width - long).min(height - high);
    let left = dice.pick(&[margin, width - long - margin, (width - long) / 2]);
    let top = height - high - margin;
    let top = if left != (width - long) / 2 && dice.happens(0.4) { margin } else { top };
    let ink = dice.pick(&[(255, 110), (255, 140), (235, 120), (20, 110)]);
    for letter in 0..letters {
        let strokes = dice.word() | dice.word();
        for cell in 0..LETTER.0 * LETTER.1 {
            if strokes >> cell & 1 == 0 {
                continue;
            }
            let x = left + (letter * (LETTER.0 + 1) + cell % LETTER.0) * dot;
            let y = top + cell / LETTER.0 * dot;
            for dy in 0..dot {
                for dx in 0..dot {
                    picture.mark(x + dx, y + dy, ink);
                }
            }
        }
    }
    picture
}
