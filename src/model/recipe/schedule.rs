//! How the learning rate changes, as the pipeline file writes it: a word, `"step"`, or a table,
//! `{ kind = "step", step_size = 5 }`.

use std::{fmt, iter};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{
        self, MapAccess, Visitor,
        value::{MapAccessDeserializer, MapDeserializer},
    },
};

use super::{Monitor, Range};

/// How the learning rate changes over a training. `learning_rate` is what it begins with, or its
/// peak where it rises first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "kind", rename_all = "kebab-case")]
pub enum Schedule {
    Constant,
    /// Rises over the first twentieth of all steps, then falls along half a cosine.
    Cosine,
    /// A fall every few epochs (`PyTorch`'s `StepLR`).
    Step(StepDecay),
    /// A fall after every epoch (`PyTorch`'s `ExponentialLR`).
    Exponential(Exponential),
    /// Up and down once over all steps (Smith 2018; `PyTorch`'s `OneCycleLR` with
    /// `cycle_momentum = False`).
    OneCycle(OneCycle),
    /// A fall where nothing has got better for a while (Keras' `ReduceLROnPlateau`).
    ReduceOnPlateau(ReduceOnPlateau),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StepDecay {
    /// The rate falls each time so many epochs are over.
    pub step_size: u32,
    /// What it is multiplied by.
    pub gamma: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exponential {
    /// What the rate is multiplied by after every epoch.
    pub gamma: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OneCycle {
    /// The share of all steps in which the rate rises.
    pub pct_start: f64,
    /// The first rate is the peak divided by this.
    pub div_factor: f64,
    /// The last rate is the first divided by this.
    pub final_div_factor: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReduceOnPlateau {
    pub monitor: Monitor,
    /// What the rate is multiplied by.
    pub factor: f64,
    /// The rate falls after so many epochs without a better one.
    pub patience: u32,
    /// Less than this is no improvement.
    pub min_delta: f64,
    /// So many epochs after a fall are not judged.
    pub cooldown: u32,
    /// The rate never falls below this.
    pub min_lr: f64,
}

impl Default for StepDecay {
    fn default() -> Self {
        Self { step_size: 10, gamma: 0.1 }
    }
}

impl Default for Exponential {
    fn default() -> Self {
        Self { gamma: 0.95 }
    }
}

impl Default for OneCycle {
    fn default() -> Self {
        Self { pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        let monitor = Monitor::ValLoss;
        Self { monitor, factor: 0.1, patience: 10, min_delta: 1e-4, cooldown: 0, min_lr: 0.0 }
    }
}

impl Schedule {
    /// Lists every number with its key and the lowest and highest value that can be followed.
    pub(super) fn ranges(&self, learning_rate: f64) -> Vec<Range> {
        match self {
            Self::Constant | Self::Cosine => Vec::new(),
            Self::Step(step) => vec![
                ("schedule.step_size", step.step_size.into(), 1.0, 1000.0),
                ("schedule.gamma", step.gamma, 1e-4, 1.0),
            ],
            Self::Exponential(it) => vec![("schedule.gamma", it.gamma, 0.01, 1.0)],
            Self::OneCycle(cycle) => vec![
                ("schedule.pct_start", cycle.pct_start, 0.0, 1.0),
                ("schedule.div_factor", cycle.div_factor, 1.0, 1e6),
                ("schedule.final_div_factor", cycle.final_div_factor, 1.0, 1e12),
            ],
            Self::ReduceOnPlateau(plateau) => vec![
                ("schedule.factor", plateau.factor, 1e-4, 0.99),
                ("schedule.patience", plateau.patience.into(), 1.0, 1000.0),
                ("schedule.min_delta", plateau.min_delta, 0.0, 10.0),
                ("schedule.cooldown", plateau.cooldown.into(), 0.0, 1000.0),
                ("schedule.min_lr", plateau.min_lr, 0.0, learning_rate),
            ],
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant => serializer.serialize_str("constant"),
            Self::Cosine => serializer.serialize_str("cosine"),
            Self::Step(_) | Self::Exponential(_) | Self::OneCycle(_) | Self::ReduceOnPlateau(_) => {
                Self::serialize(self, serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrTable)
    }
}

struct WordOrTable;

impl<'de> Visitor<'de> for WordOrTable {
    type Value = Schedule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a schedule, or a table with the key `kind`")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Schedule, E> {
        Schedule::deserialize(MapDeserializer::new(iter::once(("kind", word))))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Schedule, A::Error> {
        Schedule::deserialize(MapAccessDeserializer::new(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Schedule, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn all() -> [Schedule; 6] {
        [
            Schedule::Constant,
            Schedule::Cosine,
            Schedule::Step(StepDecay::default()),
            Schedule::Exponential(Exponential::default()),
            Schedule::OneCycle(OneCycle::default()),
            Schedule::ReduceOnPlateau(ReduceOnPlateau::default()),
        ]
    }

    #[test]
    fn a_schedule_is_read_from_a_word_and_from_a_table() {
        let words = ["constant", "cosine", "step", "exponential", "one-cycle", "reduce-on-plateau"];
        assert_eq!(words.map(|word| read(&format!("\"{word}\""))), all().map(Ok));

        let step = r#"{"step_size": 3, "kind": "step"}"#;
        assert_eq!(read(step), Ok(Schedule::Step(StepDecay { step_size: 3, gamma: 0.1 })));
        let plateau = r#"{"kind": "reduce-on-plateau", "monitor": "val-f1", "patience": 2}"#;
        let expected =
            ReduceOnPlateau { monitor: Monitor::ValF1, patience: 2, ..ReduceOnPlateau::default() };
        assert_eq!(read(plateau), Ok(Schedule::ReduceOnPlateau(expected)));
    }

    #[test]
    fn a_schedule_comes_back_from_what_is_written_of_it() {
        let written = all().map(|it| serde_json::to_string(&it).unwrap());

        assert_eq!(written.each_ref().map(|it| read(it)), all().map(Ok));
        assert_eq!(written[1], "\"cosine\"");
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let refusals = [
            ("\"steps\"", "unknown variant `steps`, expected one of `constant`, `cosine`, `step`"),
            (r#"{"kind": "step", "factor": 0.5}"#, "unknown field `factor`, expected `step_size`"),
            (r#"{"step_size": 5}"#, "missing field `kind`"),
            ("7", "the name of a schedule, or a table with the key `kind`"),
        ];
        for (text, named) in refusals {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
