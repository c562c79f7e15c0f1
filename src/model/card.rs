//! What must be known of a model to use it: stored beside the weights as `model.json`.

use serde::{Deserialize, Serialize};

use super::{
    head::Head,
    nets::Style,
    recipe::{Architecture, IMAGE_SIZES},
};
use crate::{
    domain::{id::BlobId, learning::calibration::Calibration},
    pixels::{crop, process::Step},
};

/// The number of the layout of [`ModelCard`]; raised when an older snapset could not read it.
pub const FORMAT: u32 = 3;

/// The description of a trained network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    pub format: u32,
    /// The version of the program that trained it.
    pub snapset: String,
    pub architecture: Architecture,
    /// Class names in the order of the probabilities.
    pub classes: Vec<String>,
    pub image_size: u32,
    /// What lies behind the body of a pretrained network.
    #[serde(default)]
    pub head: Head,
    /// How the body was built.
    #[serde(default)]
    pub style: Style,
    /// How a picture of any shape is prepared before it is scaled to `image_size`.
    pub prepare: crop::Recipe,
    pub preprocessing: Preprocessing,
    /// How many numbers training could move.
    pub parameters: u64,
    pub seed: u64,
    /// What makes a thing easier to see, done to every picture before the network sees it.
    #[serde(default)]
    pub process: Vec<Step>,
    /// How sure the model may claim to be, as the validation pictures taught.
    #[serde(default)]
    pub calibration: Option<Calibration>,
    /// The digest of `model.safetensors`.
    pub weights: BlobId,
}

/// What happens to a picture before the network sees it, the same in training and prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// How the prepared picture got its size, in words; the caller does this.
    pub fit: String,
    /// What the levels 0 to 255 become before the mean is taken off, in words.
    pub scale: String,
    /// Of the training pictures, for red, green and blue, on the scaled levels.
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl ModelCard {
    /// Tells whether a row of probabilities, one per class, is an answer rather than "none of
    /// these". Without a threshold every row is one.
    pub fn knows(&self, probabilities: &[f32]) -> bool {
        let threshold = self.calibration.and_then(|it| it.threshold);
        threshold.is_none_or(|threshold| threshold.allows(probabilities))
    }

    /// Tells whether any training could have written this card.
    pub fn is_plausible(&self) -> bool {
        let spread = self.preprocessing.std.iter().all(|std| 0.0 < *std);
        2 <= self.classes.len() && IMAGE_SIZES.contains(&self.image_size) && spread
    }
}

impl Preprocessing {
    /// Measures the training pictures.
    pub fn of(pictures: &[&[u8]], image_size: u32) -> Self {
        let mut n = 0_u64;
        let mut sums = [0_u64; 3];
        let mut squares = [0_u64; 3];
        for pixel in pictures.iter().flat_map(|rgb| rgb.as_chunks::<3>().0) {
            n += 1;
            for (channel, level) in pixel.iter().enumerate() {
                sums[channel] += u64::from(*level);
                squares[channel] += u64::from(*level) * u64::from(*level);
            }
        }
        let mean = sums.map(|sum| mean_of(sum, n) / 255.0);
        let std = std::array::from_fn(|channel| {
            let mean_square = mean_of(squares[channel], n) / (255.0 * 255.0);
            // A colour that never changes must not be divided by nothing.
            (mean_square - mean[channel] * mean[channel]).max(0.0).sqrt().max(1.0 / 255.0)
        });
        Self::with(mean.map(narrow), std.map(narrow), image_size)
    }

    /// Takes off a given mean and divides by a given spread.
    pub(super) fn with(mean: [f32; 3], std: [f32; 3], image_size: u32) -> Self {
        let fit = format!("shortest side to {image_size}, centre crop");
        Self { fit, scale: "0 to 1".to_owned(), mean, std }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sums of bytes stay far below 2^53")]
fn mean_of(sum: u64, n: u64) -> f64 {
    sum as f64 / n.max(1) as f64
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are plenty for a picture")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_spread_are_measured_for_each_colour() {
        let (dark, light) = ([0, 51, 255], [255, 51, 0]);

        let preprocessing = Preprocessing::of(&[&dark, &light, &dark, &light], 1);

        let expected = Preprocessing {
            fit: "shortest side to 1, centre crop".to_owned(),
            scale: "0 to 1".to_owned(),
            mean: [0.5, 0.2, 0.5],
            std: [0.5, 1.0 / 255.0, 0.5],
        };
        assert_eq!(preprocessing, expected);
    }
}
