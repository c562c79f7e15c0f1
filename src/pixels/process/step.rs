//! One step, as the pipeline file and the card of a model write it: a word, `"clahe"`, or a table,
//! `{ step = "clahe", clip = 3.0 }`.

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A way of making a thing easier to see. Lengths in pixels are those of the picture given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Brightness alone, in all three colours.
    Grey,
    /// The percentiles `low` and `high` of brightness become black and white.
    Stretch { low: f64, high: f64 },
    /// Every brightness becomes equally frequent.
    Equalize,
    /// The same in each of `tiles` × `tiles` parts, where no brightness counts for more than
    /// `clip` times its even share (contrast limited adaptive histogram equalization, Zuiderveld 1994).
    Clahe { clip: f64, tiles: u32 },
    /// What a blur of `sigma` pixels takes away is added `amount` times (unsharp masking).
    Sharpen { sigma: f64, amount: f64 },
    /// White above `level`, black up to it.
    Threshold { level: u8 },
    /// A threshold chosen for each picture so that both sides vary least (Otsu 1979).
    Otsu,
    /// How steeply brightness changes: the length of Sobel's gradient, times `gain`.
    Sobel { gain: f64 },
    /// Lines one pixel wide where brightness changes by more than `high`, and on along them while
    /// it changes by more than `low` (Canny 1986); both in sums of Sobel's two gradients.
    Canny { low: f64, high: f64 },
    /// The difference to the picture smoothed by a Gaussian of `width` shares of its shorter side,
    /// times `gain`, on middle grey: uneven light goes, spots stay.
    Background { width: f64, gain: f64 },
}

/// A value of a step cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{key} = {value}` of the step `{step}` is out of range; choose {low} to {high}")]
pub struct ProcessError {
    pub step: &'static str,
    pub key: &'static str,
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Finds the first value that cannot be followed.
pub fn check(steps: &[Step]) -> Result<(), ProcessError> {
    steps.iter().try_for_each(|step| {
        let wrong =
            step.ranges().into_iter().find(|(_, value, low, high)| !(low..=high).contains(&value));
        match wrong {
            Some((key, value, low, high)) => {
                Err(ProcessError { step: step.name(), key, value, low, high })
            }
            None => Ok(()),
        }
    })
}

impl Step {
    /// Every step, with the values it has where none are given.
    pub const ALL: [Self; 10] = [
        Self::Grey,
        Self::Stretch { low: 1.0, high: 99.0 },
        Self::Equalize,
        Self::Clahe { clip: 2.0, tiles: 8 },
        Self::Sharpen { sigma: 1.0, amount: 1.0 },
        Self::Threshold { level: 127 },
        Self::Otsu,
        Self::Sobel { gain: 0.5 },
        Self::Canny { low: 100.0, high: 200.0 },
        Self::Background { width: 0.05, gain: 2.0 },
    ];

    /// Returns the word that stands for the step.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Stretch { .. } => "stretch",
            Self::Equalize => "equalize",
            Self::Clahe { .. } => "clahe",
            Self::Sharpen { .. } => "sharpen",
            Self::Threshold { .. } => "threshold",
            Self::Otsu => "otsu",
            Self::Sobel { .. } => "sobel",
            Self::Canny { .. } => "canny",
            Self::Background { .. } => "background",
        }
    }

    fn ranges(&self) -> Vec<(&'static str, f64, f64, f64)> {
        match *self {
            Self::Grey | Self::Equalize | Self::Threshold { .. } | Self::Otsu => Vec::new(),
            Self::Stretch { low, high } => {
                vec![("low", low, 0.0, 49.0), ("high", high, 51.0, 100.0)]
            }
            Self::Clahe { clip, tiles } => {
                vec![("clip", clip, 1.0, 100.0), ("tiles", f64::from(tiles), 1.0, 64.0)]
            }
            Self::Sharpen { sigma, amount } => {
                vec![("sigma", sigma, 0.1, 100.0), ("amount", amount, 0.0, 10.0)]
            }
            Self::Sobel { gain } => vec![("gain", gain, 0.01, 10.0)],
            Self::Canny { low, high } => {
                vec![("high", high, 1.0, 2040.0), ("low", low, 0.0, high)]
            }
            Self::Background { width, gain } => {
                vec![("width", width, 0.001, 1.0), ("gain", gain, 0.1, 20.0)]
            }
        }
    }

    /// Returns the step of that name with the values given in `table`; the others are usual.
    fn of(table: &Table) -> Result<Self, String> {
        let names = Self::ALL.map(|step| format!("`{}`", step.name())).join(", ");
        let step = Self::ALL.into_iter().find(|step| step.name() == table.step);
        let step =
            step.ok_or_else(|| format!("unknown step `{}`, choose one of {names}", table.step))?;
        let keys: Vec<&str> = match step {
            Self::Threshold { .. } => vec!["level"],
            Self::Grey
            | Self::Stretch { .. }
            | Self::Equalize
            | Self::Clahe { .. }
            | Self::Sharpen { .. }
            | Self::Otsu
            | Self::Sobel { .. }
            | Self::Canny { .. }
            | Self::Background { .. } => step.ranges().iter().map(|(key, ..)| *key).collect(),
        };
        if let Some(key) = table.given().find(|key| !keys.contains(key)) {
            return Err(match keys.as_slice() {
                [] => format!("the step `{}` has no key `{key}`; it has none", step.name()),
                _ => format!(
                    "the step `{}` has no key `{key}`, only {}",
                    step.name(),
                    keys.join(", ")
                ),
            });
        }
        Ok(table.over(step))
    }
}

/// A step as a table, before it is known which keys belong to it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    step: String,
    low: Option<f64>,
    high: Option<f64>,
    clip: Option<f64>,
    tiles: Option<u32>,
    sigma: Option<f64>,
    amount: Option<f64>,
    level: Option<u8>,
    gain: Option<f64>,
    width: Option<f64>,
}

impl Table {
    fn given(&self) -> impl Iterator<Item = &'static str> {
        [
            ("low", self.low.is_some()),
            ("high", self.high.is_some()),
            ("clip", self.clip.is_some()),
            ("tiles", self.tiles.is_some()),
            ("sigma", self.sigma.is_some()),
            ("amount", self.amount.is_some()),
            ("level", self.level.is_some()),
            ("gain", self.gain.is_some()),
            ("width", self.width.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, is_given)| is_given.then_some(key))
    }

    /// Puts what is given over the values of `usual`.
    fn over(&self, usual: Step) -> Step {
        match usual {
            Step::Grey | Step::Equalize | Step::Otsu => usual,
            Step::Stretch { low, high } => {
                Step::Stretch { low: self.low.unwrap_or(low), high: self.high.unwrap_or(high) }
            }
            Step::Clahe { clip, tiles } => {
                Step::Clahe { clip: self.clip.unwrap_or(clip), tiles: self.tiles.unwrap_or(tiles) }
            }
            Step::Sharpen { sigma, amount } => Step::Sharpen {
                sigma: self.sigma.unwrap_or(sigma),
                amount: self.amount.unwrap_or(amount),
            },
            Step::Threshold { level } => Step::Threshold { level: self.level.unwrap_or(level) },
            Step::Sobel { gain } => Step::Sobel { gain: self.gain.unwrap_or(gain) },
            Step::Canny { low, high } => {
                Step::Canny { low: self.low.unwrap_or(low), high: self.high.unwrap_or(high) }
            }
            Step::Background { width, gain } => Step::Background {
                width: self.width.unwrap_or(width),
                gain: self.gain.unwrap_or(gain),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable)
    }
}

struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Step;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a step, or a table with the key `step`")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Step, E> {
        Step::of(&Table { step: word.to_owned(), ..Table::default() }).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        Step::of(&table).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Step>, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_step_is_read_from_a_word_and_from_a_table() {
        let text = r#"["grey", "clahe", {"step": "clahe", "clip": 3, "tiles": 4},
            {"step": "threshold", "level": 90}, {"step": "canny", "low": 20.5}]"#;

        let expected = [
            Step::Grey,
            Step::Clahe { clip: 2.0, tiles: 8 },
            Step::Clahe { clip: 3.0, tiles: 4 },
            Step::Threshold { level: 90 },
            Step::Canny { low: 20.5, high: 200.0 },
        ];
        assert_eq!(read(text), Ok(expected.to_vec()));
    }

    #[test]
    fn every_step_comes_back_from_what_is_written_of_it() {
        let text = serde_json::to_string(&Step::ALL).unwrap();

        assert_eq!(read(&text), Ok(Step::ALL.to_vec()));
        let words = serde_json::to_string(&Step::ALL.map(|step| step.name())).unwrap();
        assert_eq!(read(&words), Ok(Step::ALL.to_vec()));
        assert_eq!(check(&Step::ALL), Ok(()));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let refusals = [
            (r#"["sharper"]"#, "unknown step `sharper`, choose one of `grey`, `stretch`"),
            (
                r#"[{"step": "otsu", "clip": 1.0}]"#,
                "the step `otsu` has no key `clip`; it has none",
            ),
            (r#"[{"step": "clahe", "level": 1}]"#, "`clahe` has no key `level`, only clip, tiles"),
            (r#"[{"step": "clahe", "size": 1}]"#, "unknown field `size`"),
            ("[7]", "the name of a step, or a table with the key `step`"),
        ];
        for (text, named) in refusals {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_step_and_range() {
        let text = "`clip = 0.5` of the step `clahe` is out of range; choose 1 to 100";
        let steps = [Step::Grey, Step::Clahe { clip: 0.5, tiles: 8 }];
        assert_eq!(check(&steps).unwrap_err().to_string(), text);

        let refused = [
            Step::Stretch { low: 50.0, high: 99.0 },
            Step::Stretch { low: 1.0, high: f64::NAN },
            Step::Clahe { clip: 2.0, tiles: 0 },
            Step::Sharpen { sigma: 0.0, amount: 1.0 },
            Step::Sharpen { sigma: 1.0, amount: -1.0 },
            Step::Sobel { gain: 0.0 },
            Step::Canny { low: 10.0, high: 5.0 },
            Step::Canny { low: 10.0, high: 5000.0 },
            Step::Background { width: 0.0, gain: 1.0 },
            Step::Background { width: 0.1, gain: 100.0 },
        ];
        let keys = refused.map(|step| check(&[step]).map_err(|error| error.key));
        let expected =
            ["low", "high", "tiles", "sigma", "amount", "gain", "low", "high", "width", "gain"];
        assert_eq!(keys, expected.map(Err));
    }
}
