//! Levels as files hold them ↔ amounts of light. sRGB levels are not proportional to light: a mean
//! of levels is darker than the mean of what they show.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What is averaged where pixels mix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Light {
    /// The levels of the file, as nearly every program does.
    #[default]
    Coded,
    /// The light they stand for, as an eye or a camera would.
    Linear,
}

/// All the light there is.
pub(super) const FULL: u16 = u16::MAX;

static LINEAR: LazyLock<[u16; 256]> = LazyLock::new(|| {
    std::array::from_fn(|level| {
        let level = u8::try_from(level).expect("there are 256 levels");
        sixteen_bits(shown(f64::from(level) / 255.0))
    })
});

static CODED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    (0..=FULL)
        .map(|light| {
            let level = (stored(f64::from(light) / f64::from(FULL)) * 255.0).round();
            u8::try_from(sixteen_bits(level / f64::from(FULL))).expect("a share of 255")
        })
        .collect()
});

/// Returns how much light a level shows.
pub(super) fn linear(level: u8) -> u16 {
    LINEAR[usize::from(level)]
}

/// Returns the level that shows that much light.
pub(super) fn coded(light: u16) -> u8 {
    CODED[usize::from(light)]
}

/// Rounds a share of one to a share of 65,535.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value was brought into the range of its type"
)]
pub(super) fn sixteen_bits(share: f64) -> u16 {
    (share.clamp(0.0, 1.0) * f64::from(FULL)).round() as u16
}

/// The curve of sRGB (IEC 61966-2-1), from stored to shown.
fn shown(stored: f64) -> f64 {
    if stored <= 0.04045 { stored / 12.92 } else { ((stored + 0.055) / 1.055).powf(2.4) }
}

/// The same curve, from shown to stored.
fn stored(shown: f64) -> f64 {
    if shown <= 0.003_130_8 { shown * 12.92 } else { 1.055 * shown.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_comes_back_from_its_light() {
        for level in 0..=255 {
            assert_eq!(coded(linear(level)), level);
        }
    }

    #[test]
    fn half_the_light_is_stored_far_above_the_middle() {
        assert_eq!(coded(FULL / 2), 188);
        assert_eq!(linear(128), 14_146);
    }
}
