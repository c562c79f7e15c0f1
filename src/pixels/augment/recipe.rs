//! The `[train.augment]` table of the pipeline file: how far pictures may be changed.

use serde::{Deserialize, Serialize};

/// How far training pictures are changed, at random, each time they are seen.
///
/// A table that is written does what it lists and nothing else; the default is what is done where
/// there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default = "Augment::nothing")]
pub struct Augment {
    pub flip_horizontal: bool,
    pub flip_vertical: bool,
    /// Turned by up to this many degrees to either side.
    pub rotate_deg: f64,
    /// Moved by up to this share of the side, along each axis.
    pub shift: f64,
    /// Moved sideways by up to this share of the width, instead of `shift`.
    pub shift_x: Option<f64>,
    /// Moved up or down by up to this share of the height, instead of `shift`.
    pub shift_y: Option<f64>,
    /// Rows slid over each other, so that upright edges lean by up to this many degrees.
    pub shear_deg: f64,
    /// Grown or shrunk by up to this share.
    pub zoom: f64,
    /// A part of the picture, scaled to all of it.
    pub crop: Option<ResizedCrop>,
    /// Made lighter or darker by up to this share.
    pub brightness: f64,
    /// Contrast raised or lowered by up to this share.
    pub contrast: f64,
    /// Colours made stronger or weaker by up to this share.
    pub saturation: f64,
    /// Colours turned by up to this many degrees; 180 says that colour tells nothing.
    pub hue_deg: f64,
    /// Bent like rubber.
    pub elastic: Option<Elastic>,
    /// Blurred by a Gaussian whose standard deviation is up to this share of the shorter side.
    pub blur: f64,
    /// Every level moved by a normal number whose standard deviation is up to this share of
    /// all levels.
    pub noise: f64,
    /// A rectangle taken out.
    pub erase: Option<Erase>,
    /// What is seen beyond the edge.
    pub fill: Fill,
    /// Red, green and blue beyond the edge where `fill` is `constant`.
    pub fill_colour: [u8; 3],
}

/// A part of the picture, scaled to all of it (`RandomResizedCrop` of torchvision).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResizedCrop {
    /// The smallest and the largest share of the area.
    pub scale: [f64; 2],
    /// The narrowest and the widest shape: width by height, as shares of the picture's own.
    pub ratio: [f64; 2],
}

/// A smooth random field that moves every point (Simard, Steinkraus and Platt 2003).
///
/// Both numbers are shares of the shorter side, so that they mean the same at every size. Simard's
/// alpha and sigma, in pixels, are `alpha / (2 · sqrt(3π) · sigma · side)` and `sigma / side` here:
/// 34 and 4 on 29 pixels are 0.048 and 0.138.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Elastic {
    /// How far points move along each axis: the standard deviation.
    pub alpha: f64,
    /// How wide the waves are: the standard deviation of the bell the noise is smoothed by.
    pub sigma: f64,
}

/// A rectangle taken out of some pictures (random erasing, Zhong et al. 2017).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Erase {
    /// The share of pictures it happens to.
    pub probability: f64,
    /// The smallest and the largest share of the area.
    pub area: [f64; 2],
    /// The lowest and the highest shape: height by width.
    pub ratio: [f64; 2],
    pub with: ErasedWith,
}

/// What a rectangle taken out is filled with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasedWith {
    /// Levels drawn for every pixel.
    #[default]
    Noise,
    /// The mean colour of the picture.
    Mean,
    Black,
}

/// What is seen beyond the edge of a picture, named as in Keras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// Its last pixels go on.
    #[default]
    Nearest,
    /// One colour, `fill_colour`.
    Constant,
    /// The picture mirrored, its last pixel twice.
    Reflect,
    /// The picture again.
    Wrap,
}

/// A value of the table cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{key} = {value}` is out of range; choose {low} to {high}")]
pub struct AugmentError {
    pub key: &'static str,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            flip_horizontal: true,
            rotate_deg: 10.0,
            shift: 0.1,
            zoom: 0.1,
            brightness: 0.1,
            contrast: 0.1,
            saturation: 0.1,
            ..Self::NOTHING
        }
    }
}

impl Default for ResizedCrop {
    fn default() -> Self {
        Self { scale: [0.08, 1.0], ratio: [0.75, 4.0 / 3.0] }
    }
}

impl Default for Elastic {
    fn default() -> Self {
        Self { alpha: 0.02, sigma: 0.1 }
    }
}

impl Default for Erase {
    fn default() -> Self {
        Self {
            probability: 0.5,
            area: [0.02, 0.33],
            ratio: [0.3, 3.3],
            with: ErasedWith::default(),
        }
    }
}

impl Augment {
    /// Leaves every picture as it is.
    pub const NOTHING: Self = Self {
        flip_horizontal: false,
        flip_vertical: false,
        rotate_deg: 0.0,
        shift: 0.0,
        shift_x: None,
        shift_y: None,
        shear_deg: 0.0,
        zoom: 0.0,
        crop: None,
        brightness: 0.0,
        contrast: 0.0,
        saturation: 0.0,
        hue_deg: 0.0,
        elastic: None,
        blur: 0.0,
        noise: 0.0,
        erase: None,
        fill: Fill::Nearest,
        fill_colour: [0; 3],
    };

    fn nothing() -> Self {
        Self::NOTHING
    }

    /// Finds the first value that cannot be followed.
    pub fn check(&self) -> Result<(), AugmentError> {
        // Written so that a value that is not a number is outside too.
        match self.ranges().find(|(_, value, low, high)| !(low..=high).contains(&value)) {
            Some((key, value, low, high)) => Err(AugmentError { key, value, low, high }),
            None => Ok(()),
        }
    }

    /// Lists every number with its key and the lowest and highest value that can be followed.
    pub fn ranges(&self) -> impl Iterator<Item = (&'static str, f64, f64, f64)> {
        let crop = self.crop.unwrap_or_default();
        let elastic = self.elastic.unwrap_or_default();
        let erase = self.erase.unwrap_or_default();
        // The lower end of a range must not lie above the upper one.
        [
            ("augment.rotate_deg", self.rotate_deg, 0.0, 180.0),
            ("augment.shift", self.shift, 0.0, 0.5),
            ("augment.shift_x", self.shift_x.unwrap_or_default(), 0.0, 0.5),
            ("augment.shift_y", self.shift_y.unwrap_or_default(), 0.0, 0.5),
            ("augment.shear_deg", self.shear_deg, 0.0, 60.0),
            ("augment.zoom", self.zoom, 0.0, 0.5),
            ("augment.crop.scale[1]", crop.scale[1], 0.01, 1.0),
            ("augment.crop.scale[0]", crop.scale[0], 0.01, crop.scale[1]),
            ("augment.crop.ratio[1]", crop.ratio[1], 0.1, 10.0),
            ("augment.crop.ratio[0]", crop.ratio[0], 0.1, crop.ratio[1]),
            ("augment.brightness", self.brightness, 0.0, 0.9),
            ("augment.contrast", self.contrast, 0.0, 0.9),
            ("augment.saturation", self.saturation, 0.0, 1.0),
            ("augment.hue_deg", self.hue_deg, 0.0, 180.0),
            ("augment.elastic.alpha", elastic.alpha, 0.0, 0.2),
            ("augment.elastic.sigma", elastic.sigma, 0.02, 1.0),
            ("augment.blur", self.blur, 0.0, 0.1),
            ("augment.noise", self.noise, 0.0, 1.0),
            ("augment.erase.probability", erase.probability, 0.0, 1.0),
            ("augment.erase.area[1]", erase.area[1], 0.001, 1.0),
            ("augment.erase.area[0]", erase.area[0], 0.001, erase.area[1]),
            ("augment.erase.ratio[1]", erase.ratio[1], 0.1, 10.0),
            ("augment.erase.ratio[0]", erase.ratio[0], 0.1, erase.ratio[1]),
        ]
        .into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_does_what_it_lists_and_nothing_else() {
        let read = |text: &str| serde_json::from_str::<Augment>(text).unwrap();

        assert_eq!(read("{}"), Augment::NOTHING);
        let turned = Augment { rotate_deg: 72.0, ..Augment::NOTHING };
        assert_eq!(read(r#"{"rotate_deg": 72.0}"#), turned);
        for recipe in [Augment::NOTHING, Augment::default()] {
            let written = serde_json::to_string(&recipe).unwrap();
            assert_eq!(read(&written), recipe);
            assert_eq!(recipe.check(), Ok(()));
        }
    }

    #[test]
    fn tables_in_the_table_have_defaults_of_their_own() {
        let text = r#"{"crop": {"scale": [0.5, 1.0]}, "elastic": {}, "fill": "constant",
            "fill_colour": [255, 0, 9], "erase": {"with": "mean"}, "shift_y": 0.0}"#;

        let recipe: Augment = serde_json::from_str(text).unwrap();

        let expected = Augment {
            crop: Some(ResizedCrop { scale: [0.5, 1.0], ..ResizedCrop::default() }),
            elastic: Some(Elastic::default()),
            fill: Fill::Constant,
            fill_colour: [255, 0, 9],
            erase: Some(Erase { with: ErasedWith::Mean, ..Erase::default() }),
            shift_y: Some(0.0),
            ..Augment::NOTHING
        };
        assert_eq!(recipe, expected);
        assert_eq!(recipe.check(), Ok(()));
    }

    #[test]
    fn an_unknown_key_or_word_is_refused_by_name() {
        let refusals = [
            (r#"{"shear": 1.0}"#, "`shear`"),
            (r#"{"crop": {"size": 3}}"#, "`size`"),
            (r#"{"fill": "mirror"}"#, "`nearest`, `constant`, `reflect`, `wrap`"),
        ];
        for (text, named) in refusals {
            let error = serde_json::from_str::<Augment>(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_range() {
        let crop = ResizedCrop { scale: [0.8, 0.4], ..ResizedCrop::default() };
        let recipe = Augment { crop: Some(crop), ..Augment::default() };

        let text = "`augment.crop.scale[0] = 0.8` is out of range; choose 0.01 to 0.4";
        assert_eq!(recipe.check().unwrap_err().to_string(), text);
    }

    #[test]
    fn every_number_has_a_range() {
        let bad = f64::NAN;
        let keys = |recipe: Augment| recipe.check().map_err(|error| error.key);
        let still = Augment::NOTHING;
        let crop =
            |scale, ratio| keys(Augment { crop: Some(ResizedCrop { scale, ratio }), ..still });
        let elastic =
            |alpha, sigma| keys(Augment { elastic: Some(Elastic { alpha, sigma }), ..still });
        let erase = |erase| keys(Augment { erase: Some(erase), ..still });
        let usual = Erase::default();

        let refused = [
            keys(Augment { rotate_deg: 181.0, ..still }),
            keys(Augment { shift: -0.1, ..still }),
            keys(Augment { shift_x: Some(0.6), ..still }),
            keys(Augment { shift_y: Some(bad), ..still }),
            keys(Augment { shear_deg: 80.0, ..still }),
            keys(Augment { zoom: f64::INFINITY, ..still }),
            crop([0.5, 1.5], [1.0, 1.0]),
            crop([0.0, 0.5], [1.0, 1.0]),
            crop([0.5, 1.0], [1.0, 11.0]),
            crop([0.5, 1.0], [1.2, 1.1]),
            keys(Augment { brightness: 1.0, ..still }),
            keys(Augment { contrast: 1.0, ..still }),
            keys(Augment { saturation: 1.1, ..still }),
            keys(Augment { hue_deg: 200.0, ..still }),
            elastic(bad, 0.1),
            elastic(0.1, 0.0),
            keys(Augment { blur: 0.2, ..still }),
            keys(Augment { noise: -1.0, ..still }),
            erase(Erase { probability: 1.1, ..usual }),
            erase(Erase { area: [0.1, 2.0], ..usual }),
            erase(Erase { area: [0.2, 0.1], ..usual }),
            erase(Erase { ratio: [0.3, 20.0], ..usual }),
            erase(Erase { ratio: [0.0, 2.0], ..usual }),
        ];

        let expected: Vec<_> = still.ranges().map(|(key, ..)| Err(key)).collect();
        assert_eq!(refused.to_vec(), expected);
    }
}
