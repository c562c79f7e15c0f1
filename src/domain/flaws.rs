//! Which measures speak against a picture: one row each, with its setting and its words.
//!
//! The default limits were chosen so that hardly any photograph is lost: of 644 shared web and
//! product photos they strike one, a montage.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{fingerprint::Fingerprint, quality::Share};

/// How far each measure may go; the field is the name of the setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Pixels of the shorter side.
    pub min_side: u32,
    /// Longer side over shorter side.
    pub max_aspect: f64,
    pub min_brightness: u8,
    /// The level only a hundredth is darker than; above, the picture is over-exposed.
    pub max_darkest: u8,
    pub min_contrast: u8,
    /// Hundredths of a bit.
    pub min_entropy: u16,
    pub max_uniform: Share,
    pub max_border: Share,
    pub min_sharpness: u32,
    pub max_text: Share,
    pub max_page: Share,
    pub max_captions: Share,
    pub max_seam: Share,
    pub max_repeats: Share,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_side: 128,
            max_aspect: 4.0,
            min_brightness: 8,
            max_darkest: 200,
            min_contrast: 5,
            min_entropy: 40,
            max_uniform: Share(985),
            max_border: Share(870),
            min_sharpness: 12,
            max_text: Share(700),
            max_page: Share(450),
            max_captions: Share(150),
            max_seam: Share(500),
            max_repeats: Share(400),
        }
    }
}

/// Something measured of a picture that has a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Side,
    Aspect,
    Brightness,
    Contrast,
    Text,
    Page,
    Captions,
    Seam,
    Repeats,
    Darkest,
    Uniform,
    Entropy,
    Border,
    Sharpness,
}

/// A measure of a picture that is beyond its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flaw {
    pub measure: Measure,
    pub found: u32,
    pub limit: u32,
}

/// On which side of its limit a measure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    AtLeast,
    AtMost,
}

/// How a measure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Pixels,
    /// Hundredths.
    Ratio,
    /// A grey level of 255.
    Level,
    Plain,
    /// Hundredths of a bit.
    Bits,
    /// Thousandths.
    Share,
}

/// All there is to know of one measure.
pub struct Row {
    pub measure: Measure,
    /// The name of the field in [`Limits`], as people write it.
    pub setting: &'static str,
    /// What a picture beyond the limit is called; reports count by it.
    pub kind: &'static str,
    /// What the number says.
    pub words: &'static str,
    pub unit: Unit,
    pub bound: Bound,
    pub found: fn(&Fingerprint) -> u32,
    pub limit: fn(&Limits) -> u32,
}

const N_ROWS: usize = 14;

/// The numbers of one picture, in the order of [`ROWS`].
pub type Numbers = [u32; N_ROWS];

/// The measures in the order they are asked: the first one beyond its limit is the reason.
pub static ROWS: [Row; N_ROWS] = [
    Row {
        measure: Measure::Side,
        setting: "min_side",
        kind: "too small",
        words: "shorter side",
        unit: Unit::Pixels,
        bound: Bound::AtLeast,
        found: |print| print.width_px.min(print.height_px),
        limit: |it| it.min_side,
    },
    Row {
        measure: Measure::Aspect,
        setting: "max_aspect",
        kind: "odd aspect",
        words: "longer side over shorter side",
        unit: Unit::Ratio,
        bound: Bound::AtMost,
        found: aspect,
        limit: |it| hundredths(it.max_aspect),
    },
    Row {
        measure: Measure::Brightness,
        setting: "min_brightness",
        kind: "too dark",
        words: "mean level",
        unit: Unit::Level,
        bound: Bound::AtLeast,
        found: |print| print.quality.brightness.into(),
        limit: |it| it.min_brightness.into(),
    },
    Row {
        measure: Measure::Contrast,
        setting: "min_contrast",
        kind: "too plain",
        words: "contrast",
        unit: Unit::Plain,
        bound: Bound::AtLeast,
        found: |print| print.quality.contrast.into(),
        limit: |it| it.min_contrast.into(),
    },
    Row {
        measure: Measure::Text,
        setting: "max_text",
        kind: "mostly text",
        words: "lines of text in what is drawn",
        unit: Unit::Share,
        bound: Bound::AtMost,
        found: |print| print.quality.text.0.into(),
        limit: |it| it.max_text.0.into(),
    },
    Row {
        measure: Measure::Page,
        setting: "max_page",
        kind: "screenshot",
        words: "written page in the height",
        unit: Unit::Share,
        bound: Bound::AtMost,
        found: |print| print.quality.page.0.into(),
        limit: |it| it.max_page.0.into(),
    },
    Row {
        measure: Measure::Captions,
        setting: "max_captions",
        kind: "meme",
        words: "captions in the height",
        unit: Unit::Share,
        bound: Bound::AtMost,
        found: |print| print.quality.captions.0.into(),
        limit: |it| it.max_captions.0.into(),
    },
    Row {
        measure: Measure::Seam,
        setting: "max_seam",
        kind: "collage",
        words: "straight seam from edge to edge",
        unit: Unit::Share,
        bound: Bound::AtMost,
        found: |print| print.quality.seam.0.into(),
        limit: |it| it.max_seam.0.into(),
    },
    Row {
        measure: Measure::Repeats,
        setting: "max_repeats",
        kind: "watermarked all over",
        words: "returning pattern",
        unit: Unit::Share,
        bound: Bound::AtMost,
        found: |print| print.quality.repeats.0.into(),
        limit: |it| it.max_repeats.0.into(),
    },
    Row {
        measure: Measure::Darkest,
        setting: "max_darkest",
        kind: "over-exposed",
        words: "level of the darkest hundredth",
        unit: Unit::Level,
        bound: Bound::AtMost,
        found: |print| print.quality.darkest.into(),
        limit: |it| it.max_darkest.into(),
    },
    Row {
        measure: Measure::Uniform,
        setting: "max_uniform",
        kind: "nearly one level",
        words: "share of one level",
        unit: Unit::Share,
        bound: Bound::AtMost,
        found: |print| print.quality.uniform.0.into(),
        limit: |it| it.max_uniform.0.into(),
    },
    Row {
        measure: Measure::Entropy,
        setting: "min_entropy",
        kind: "little information",
        words: "entropy",
        unit: Unit::Bits,
        bound: Bound::AtLeast,
        found: |print| print.quality.entropy.into(),
        limit: |it| it.min_entropy.into(),
    },
    Row {
        measure: Measure::Border,
        setting: "max_border",
        kind: "mostly border",
        words: "even margin",
        unit: Unit::Share,
        bound: Bound::AtMost,
        found: |print| print.quality.border.0.into(),
        limit: |it| it.max_border.0.into(),
    },
    Row {
        measure: Measure::Sharpness,
        setting: "min_sharpness",
        kind: "blurred",
        words: "sharpness",
        unit: Unit::Plain,
        bound: Bound::AtLeast,
        found: |print| print.quality.sharpness,
        limit: |it| it.min_sharpness,
    },
];

/// Returns hundredths, rounded up, so that whatever is longer than a limit is over it.
fn aspect(print: &Fingerprint) -> u32 {
    let (width, height) = (u64::from(print.width_px), u64::from(print.height_px));
    let hundredths = (width.max(height) * 100).div_ceil(width.min(height).max(1));
    u32::try_from(hundredths).unwrap_or(u32::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion from float saturates, and a ratio is positive"
)]
fn hundredths(ratio: f64) -> u32 {
    (ratio * 100.0).round() as u32
}

impl Limits {
    /// Finds what is wrong with a picture by itself.
    pub fn flaw(&self, print: &Fingerprint) -> Option<Flaw> {
        ROWS.iter().find_map(|row| row.flaw(print, self))
    }

    /// Tells which setting cannot be followed.
    pub fn check(&self) -> Result<(), String> {
        if self.max_aspect < 1.0 || self.max_aspect.is_nan() {
            return Err(format!("clean.max_aspect = {}: use 1.0 or more", self.max_aspect));
        }
        let share = |row: &&Row| row.unit == Unit::Share && 1000 < (row.limit)(self);
        match ROWS.iter().find(share) {
            Some(row) => {
                let (setting, limit) = (row.setting, (row.limit)(self));
                Err(format!("clean.{setting} = {limit}: use 0 to 1000 thousandths"))
            }
            None => Ok(()),
        }
    }
}

/// Reads all that was measured of a picture.
pub fn measured(print: &Fingerprint) -> Numbers {
    ROWS.each_ref().map(|row| (row.found)(print))
}

impl Row {
    fn flaw(&self, print: &Fingerprint, limits: &Limits) -> Option<Flaw> {
        let (found, limit) = ((self.found)(print), (self.limit)(limits));
        let is_beyond = match self.bound {
            Bound::AtLeast => found < limit,
            Bound::AtMost => limit < found,
        };
        is_beyond.then_some(Flaw { measure: self.measure, found, limit })
    }
}

impl Measure {
    pub fn row(self) -> &'static Row {
        let row = ROWS.iter().find(|row| row.measure == self);
        row.expect("a test sees to it that every measure has its row")
    }
}

impl Unit {
    /// Writes a number as people read it.
    pub fn write(self, number: u32) -> String {
        let hundredths = || format!("{}.{:02}", number / 100, number % 100);
        match self {
            Self::Pixels => format!("{number} px"),
            Self::Ratio => hundredths(),
            Self::Level => format!("{number} of 255"),
            Self::Plain => number.to_string(),
            Self::Bits => format!("{} bits", hundredths()),
            Self::Share => format!("{}.{} %", number / 10, number % 10),
        }
    }
}

impl Bound {
    /// Returns how a limit of this side is told.
    pub fn words(self) -> &'static str {
        match self {
            Self::AtLeast => "at least",
            Self::AtMost => "at most",
        }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row { kind, words, unit, bound, .. } = self.measure.row();
        let (found, limit) = (unit.write(self.found), unit.write(self.limit));
        write!(f, "{kind} ({words} {found}, {} {limit} is asked)", bound.words())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::quality::Quality;

    fn photo() -> Fingerprint {
        Fingerprint {
            width_px: 800,
            height_px: 600,
            format: "JPEG".to_owned(),
            views: Vec::new(),
            thumbnail: Vec::new(),
            colours: Vec::new(),
            quality: Quality {
                brightness: 120,
                contrast: 50,
                darkest: 30,
                entropy: 740,
                sharpness: 1500,
                uniform: Share(90),
                seam: Share(180),
                repeats: Share(40),
                ..Quality::default()
            },
        }
    }

    fn changed(change: impl Fn(&mut Fingerprint)) -> Option<String> {
        let mut print = photo();
        change(&mut print);
        Limits::default().flaw(&print).map(|flaw| flaw.to_string())
    }

    #[test]
    fn a_photograph_has_no_flaw() {
        assert_eq!(changed(|_| ()), None);
    }

    #[test]
    fn every_measure_strikes_just_beyond_its_limit() {
        for row in &ROWS {
            let limits = Limits::default();
            let limit = (row.limit)(&limits);
            let strikes = |found: fn(&Fingerprint) -> u32| {
                Row { found, ..*row }.flaw(&photo(), &limits).is_some()
            };
            let (under, over) = (strikes(|_| 0), strikes(|_| u32::MAX));
            let expected = (row.bound == Bound::AtLeast, row.bound == Bound::AtMost);
            assert_eq!((under, over), expected, "{} {limit}", row.setting);
        }
    }

    #[test]
    fn a_flaw_names_the_number_and_the_limit() {
        assert_eq!(
            changed(|it| it.height_px = 100).unwrap(),
            "too small (shorter side 100 px, at least 128 px is asked)"
        );
        assert_eq!(
            changed(|it| it.width_px = 2401).unwrap(),
            "odd aspect (longer side over shorter side 4.01, at most 4.00 is asked)"
        );
        assert_eq!(
            changed(|it| it.quality.page = Share(582)).unwrap(),
            "screenshot (written page in the height 58.2 %, at most 45.0 % is asked)"
        );
        assert_eq!(
            changed(|it| it.quality.entropy = 39).unwrap(),
            "little information (entropy 0.39 bits, at least 0.40 bits is asked)"
        );
    }

    #[test]
    fn every_measure_has_one_row_and_every_row_a_setting_of_its_own() {
        let settings = serde_json::to_value(Limits::default()).unwrap();
        let settings: Vec<&String> = settings.as_object().unwrap().keys().collect();
        let mut rows: Vec<&str> = ROWS.iter().map(|row| row.setting).collect();
        rows.sort_unstable();

        assert_eq!(rows, settings);
        assert!(ROWS.iter().all(|row| std::ptr::eq(row.measure.row(), row)));
    }

    #[test]
    fn limits_that_cannot_be_followed_are_refused_by_name() {
        let aspect = Limits { max_aspect: 0.5, ..Limits::default() }.check().unwrap_err();
        let share = Limits { max_seam: Share(1001), ..Limits::default() }.check().unwrap_err();

        assert!(aspect.starts_with("clean.max_aspect = 0.5"), "{aspect}");
        assert_eq!(share, "clean.max_seam = 1001: use 0 to 1000 thousandths");
        assert_eq!(Limits::default().check(), Ok(()));
    }
}
