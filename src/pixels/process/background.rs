//! Picture → what stands out from its surroundings.

use super::{Picture, from_levels, gaussian, levels, sides};

/// The level of what is as bright as its surroundings.
const MIDDLE: f32 = 128.0;

/// Returns the difference to the picture smoothed by a Gaussian of `width` shares of its shorter
/// side, times `gain`, on middle grey.
pub(super) fn taken_off(picture: &Picture, width: f32, gain: f32) -> Picture {
    let shorter_px = picture.width().min(picture.height());
    let levels = levels(picture);
    let around = gaussian::blur(&levels, sides(picture), (width * wide(shorter_px)).max(0.5));
    from_levels(
        picture,
        levels.iter().zip(&around).map(|(level, around)| {
            std::array::from_fn(|at| MIDDLE + gain * (level[at] - around[at]))
        }),
    )
}

#[expect(clippy::cast_precision_loss, reason = "a side has fewer than 2^24 pixels")]
fn wide(side_px: u32) -> f32 {
    side_px as f32
}
