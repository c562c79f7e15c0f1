//! What comes behind the body of a pretrained network, as the recipe lists it.

use serde::{Deserialize, Serialize};

use super::recipe::{RecipeError, check_ranges};

/// The layers between the last feature maps and the layer to the classes, which is always there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Head(pub Vec<HeadLayer>);

/// One layer of a head: a word or a table, as in `["flatten", { dense = 1024 }]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadLayer {
    /// The mean of every feature over the picture.
    GlobalAverage,
    /// Every feature at every place.
    Flatten,
    BatchNorm,
    Relu,
    /// A fully connected layer of this width, with `ReLU` behind it.
    Dense(u32),
    /// Hides this share of the values in each step.
    Dropout(f64),
}

impl Default for Head {
    fn default() -> Self {
        Self(vec![HeadLayer::GlobalAverage, HeadLayer::Dropout(0.2)])
    }
}

impl Head {
    /// Finds the first number that cannot be used.
    pub(super) fn check(&self) -> Result<(), RecipeError> {
        let ranges = self.0.iter().filter_map(|layer| match layer {
            HeadLayer::Dense(width) => Some(("head.dense", f64::from(*width), 1.0, 65_536.0)),
            HeadLayer::Dropout(share) => Some(("head.dropout", *share, 0.0, 0.9)),
            HeadLayer::GlobalAverage
            | HeadLayer::Flatten
            | HeadLayer::BatchNorm
            | HeadLayer::Relu => None,
        });
        check_ranges(ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_words_and_tables() {
        let text = r#"["flatten", "batch-norm", {"dense": 1024}, "relu", {"dropout": 0.5},
            "global-average"]"#;

        let head: Head = serde_json::from_str(text).unwrap();

        let expected = vec![
            HeadLayer::Flatten,
            HeadLayer::BatchNorm,
            HeadLayer::Dense(1024),
            HeadLayer::Relu,
            HeadLayer::Dropout(0.5),
            HeadLayer::GlobalAverage,
        ];
        assert_eq!(head, Head(expected));
    }

    #[test]
    fn a_number_out_of_range_is_named() {
        let check = |layer| Head(vec![HeadLayer::Flatten, layer]).check();
        let refused = |layer| check(layer).unwrap_err().to_string();

        assert!(refused(HeadLayer::Dense(0)).starts_with("`head.dense = 0`"));
        assert!(refused(HeadLayer::Dropout(f64::NAN)).starts_with("`head.dropout = NaN`"));
        assert_eq!(check(HeadLayer::Dropout(0.9)), Ok(()));
    }
}
