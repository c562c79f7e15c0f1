//! Levels → lighter, darker, stronger or turned colours.

use super::{Levels, narrow};

/// How levels change, whatever their place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tone {
    pub(super) brightness: f32,
    pub(super) contrast: f32,
    /// Makes new colours of old ones.
    pub(super) colours: [[f32; 3]; 3],
}

const SAME_COLOURS: [[f32; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

impl Tone {
    pub(super) const NONE: Self = Self { brightness: 1.0, contrast: 1.0, colours: SAME_COLOURS };

    /// Turns colours, moves levels away from the mean of the picture, then lightens them.
    pub(super) fn apply(&self, levels: &mut [Levels]) {
        let mean = mean_level(levels);
        let toned = |level: f32| {
            let contrasted = (level - mean) * self.contrast + mean;
            (contrasted * self.brightness).clamp(0.0, 255.0)
        };
        if self.colours == SAME_COLOURS {
            for level in levels.as_flattened_mut() {
                *level = toned(*level);
            }
            return;
        }
        for pixel in levels {
            let old = *pixel;
            *pixel = self
                .colours
                .map(|[red, green, blue]| toned(red * old[0] + green * old[1] + blue * old[2]));
        }
    }
}

/// Turns colours around grey by the angle `hue` and moves them away from it by `saturation`.
///
/// Grey stays as it is, and so does every pixel's mean level.
pub(super) fn colours(hue: f32, saturation: f32) -> [[f32; 3]; 3] {
    let (sin, cos) = hue.sin_cos();
    let grey = (1.0 - saturation * cos) / 3.0;
    let side = saturation * sin / 3_f32.sqrt();
    let own = grey + saturation * cos;
    [
        [own, grey - side, grey + side],
        [grey + side, own, grey - side],
        [grey - side, grey + side, own],
    ]
}

fn mean_level(levels: &[Levels]) -> f32 {
    // A sum for each colour, as one sum would have to wait for each addition.
    let mut sums = [0.0_f64; 3];
    for pixel in levels {
        for (sum, level) in sums.iter_mut().zip(pixel) {
            *sum += f64::from(*level);
        }
    }
    let n_pixels = u32::try_from(levels.len()).expect("a picture has fewer than 2^32 pixels");
    narrow((sums[0] + sums[1] + sums[2]) / (3.0 * f64::from(n_pixels)))
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use super::*;

    #[test]
    fn brightness_and_contrast_change_levels_around_the_mean() {
        let mut levels = [[100.0; 3], [200.0; 3], [100.0; 3], [200.0; 3]];

        Tone { brightness: 1.5, contrast: 0.5, ..Tone::NONE }.apply(&mut levels);

        assert_eq!(levels, [[187.5; 3], [255.0; 3], [187.5; 3], [255.0; 3]]);
    }

    #[test]
    fn turned_colours_keep_their_mean_and_leave_grey_alone() {
        let third = colours(std::f32::consts::TAU / 3.0, 1.0);
        let apply = |colours: [[f32; 3]; 3], rgb: [f32; 3]| {
            colours.map(|row| {
                (row.iter().zip(rgb).map(|(part, level)| part * level).sum::<f32>()).round()
            })
        };

        assert_eq!(apply(third, [10.0, 20.0, 30.0]), [30.0, 10.0, 20.0]);
        assert_eq!(apply(colours(0.0, 0.0), [10.0, 20.0, 30.0]), [20.0; 3]);
        assert_eq!(apply(colours(1.0, 1.7), [90.0; 3]), [90.0; 3]);
    }
}
