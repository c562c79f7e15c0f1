//! The pictures of the large subreddit: random patches, stretched until they run into each other.

use super::{super::dice::Dice, form::Form, raster::Raster};

/// Patches along the longer and the shorter side.
const PATCHES: (u32, u32) = (8, 6);

/// Sews a picture of the size `form` announces.
pub(super) fn sew(form: Form, dice: &mut Dice) -> Raster {
    let is_upright = form.width_px < form.height_px;
    let (width_px, height_px) = if is_upright { (PATCHES.1, PATCHES.0) } else { PATCHES };
    let patches = (0..width_px * height_px).flat_map(|_| {
        let [red, green, blue, ..] = dice.word().to_le_bytes();
        [red, green, blue, u8::MAX]
    });
    let bytes = patches.collect();
    Raster { width_px, height_px, bytes }.resized(form.width_px, form.height_px)
}
