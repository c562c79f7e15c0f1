//! How much each side of the dataset should get: by shares, by number, in folds, or by time.

use serde::{Deserialize, Serialize};

use super::{Side, Split};
use crate::domain::day::Day;

/// How the dataset is split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rule {
    mode: Mode,
    tiny: Tiny,
}

/// Folds have no part that is always for training.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("tiny = \"train-only\" has no meaning with folds, each of which is val in its turn")]
pub struct NotARule;

impl Rule {
    pub fn new(mode: Mode, tiny: Tiny) -> Result<Self, NotARule> {
        if matches!((mode, tiny), (Mode::Folds(_), Tiny::TrainOnly)) {
            return Err(NotARule);
        }
        Ok(Self { mode, tiny })
    }

    pub fn mode(self) -> Mode {
        self.mode
    }

    pub fn tiny(self) -> Tiny {
        self.tiny
    }
}

impl From<Shares> for Rule {
    fn from(shares: Shares) -> Self {
        Self { mode: Mode::Ratio(shares), tiny: Tiny::default() }
    }
}

/// What decides how many pictures each side gets, class by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Ratio(Shares),
    Counts(Counts),
    Folds(Folds),
    /// Shares as well, but the newest pictures go to test and the next to val.
    Newest(Shares),
    /// Dates alone.
    Cuts(Cuts),
}

/// What becomes of a class with fewer groups of pictures than there are sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tiny {
    /// It goes to as many sides as it has groups.
    #[default]
    Spread,
    TrainOnly,
    /// It is left out.
    Drop,
    /// Nothing is split until it has more.
    Error,
}

impl Mode {
    /// Returns the sides that are to hold anything.
    pub fn sides(self) -> Vec<Side> {
        let of_shares = |shares: Shares| shares.wanted().map(Side::Part).collect();
        match self {
            Self::Ratio(shares) | Self::Newest(shares) => of_shares(shares),
            Self::Counts(Counts { val, test }) => {
                let wanted = [(Side::TRAIN, 1), (Side::VAL, val), (Side::TEST, test)];
                wanted.into_iter().filter(|(_, n)| 0 < *n).map(|(side, _)| side).collect()
            }
            Self::Folds(folds) => {
                let test = (0 < folds.holdout.0).then_some(Side::TEST);
                (0..folds.n).map(Side::Fold).chain(test).collect()
            }
            Self::Cuts(Cuts { val, .. }) => {
                let val = val.is_some().then_some(Side::VAL);
                [Side::TRAIN].into_iter().chain(val).chain([Side::TEST]).collect()
            }
        }
    }

    /// Returns the parts of the dataset that are to hold anything.
    pub fn wanted(self) -> impl Iterator<Item = Split> {
        let sides = self.sides();
        Split::ALL
            .into_iter()
            .filter(move |split| sides.iter().any(|side| self.split(*side) == *split))
    }

    /// Returns the part of the dataset a side is now: one fold is val, the others are train.
    pub fn split(self, side: Side) -> Split {
        match (side, self) {
            (Side::Part(split), _) => split,
            (Side::Fold(fold), Self::Folds(folds)) if fold == folds.val => Split::Val,
            (Side::Fold(_), _) => Split::Train,
        }
    }

    /// Tells whether a lock made in this way can hold `side`.
    pub(super) fn knows(self, side: Side) -> bool {
        match (self, side) {
            (Self::Folds(folds), Side::Fold(fold)) => fold < folds.n,
            (Self::Folds(_), Side::Part(split)) => split == Split::Test,
            (_, Side::Fold(_)) => false,
            (_, Side::Part(_)) => true,
        }
    }

    /// Returns how many of `n` pictures of one class each of [`Self::sides`] should hold, at
    /// least `least` outside train; `None` where dates decide.
    pub(super) fn targets(self, n: f64, least: f64) -> Option<Vec<f64>> {
        let parts = match self {
            Self::Ratio(shares) | Self::Newest(shares) => {
                let of = |split| f64::from(shares.of(split)) / 100.0 * n;
                (of(Split::Val), of(Split::Test))
            }
            Self::Counts(Counts { val, test }) => {
                let (val, test) = (f64::from(val), f64::from(test));
                // A class that would have nothing left to train on trains on half.
                let scale = if val + test < n { 1.0 } else { n / 2.0 / (val + test).max(1.0) };
                (val * scale, test * scale)
            }
            Self::Folds(Folds { n: n_folds, holdout, .. }) => {
                let test = f64::from(holdout.0) / 100.0 * n;
                let test = if holdout.0 == 0 { 0.0 } else { test.max(least) };
                let fold = (n - test) / f64::from(n_folds);
                return Some(self.at_sides(|side| match side {
                    Side::Fold(_) => fold,
                    Side::Part(_) => test,
                }));
            }
            Self::Cuts(_) => return None,
        };
        let sides = self.sides();
        let at_least = |side, n: f64| if sides.contains(&side) { n.max(least) } else { 0.0 };
        let (val, test) = (at_least(Side::VAL, parts.0), at_least(Side::TEST, parts.1));
        Some(self.at_sides(|side| match side {
            Side::Part(Split::Val) => val,
            Side::Part(Split::Test) => test,
            Side::Part(Split::Train) | Side::Fold(_) => n - val - test,
        }))
    }

    fn at_sides(self, of: impl Fn(Side) -> f64) -> Vec<f64> {
        self.sides().into_iter().map(of).collect()
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self::Ratio(Shares::default())
    }
}

/// Shares of the whole in percent; what `val` and `test` leave is `train`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawShares")]
pub struct Shares {
    train: u8,
    val: u8,
    test: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawShares {
    train: u8,
    val: u8,
    test: u8,
}

/// The three shares are not a whole with something to train on.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("train ({train}) + val ({val}) + test ({test}) must be 100, and train at least 1")]
pub struct NotShares {
    train: u8,
    val: u8,
    test: u8,
}

impl Shares {
    pub fn new(train: u8, val: u8, test: u8) -> Result<Self, NotShares> {
        let sum = u16::from(train) + u16::from(val) + u16::from(test);
        if sum == 100 && 1 <= train {
            Ok(Self { train, val, test })
        } else {
            Err(NotShares { train, val, test })
        }
    }

    /// Returns the percentage of one part.
    pub fn of(self, split: Split) -> u8 {
        match split {
            Split::Train => self.train,
            Split::Val => self.val,
            Split::Test => self.test,
        }
    }

    /// Returns the splits that are to hold anything.
    pub fn wanted(self) -> impl Iterator<Item = Split> {
        Split::ALL.into_iter().filter(move |split| 0 < self.of(*split))
    }
}

impl Default for Shares {
    fn default() -> Self {
        Self { train: 70, val: 15, test: 15 }
    }
}

impl TryFrom<RawShares> for Shares {
    type Error = NotShares;

    fn try_from(raw: RawShares) -> Result<Self, NotShares> {
        Self::new(raw.train, raw.val, raw.test)
    }
}

/// How many pictures of each class are for val and for test; the rest is train. A class that
/// would have none left trains on half of what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Counts {
    pub val: u32,
    pub test: u32,
}

/// A whole percentage below 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Percent(u8);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} percent leave nothing to train on; use 0 to 99")]
pub struct NotAPercentage(u8);

impl TryFrom<u8> for Percent {
    type Error = NotAPercentage;

    fn try_from(percent: u8) -> Result<Self, NotAPercentage> {
        if percent < 100 { Ok(Self(percent)) } else { Err(NotAPercentage(percent)) }
    }
}

/// Folds of equal size: one is val, the others are train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Folds {
    n: u8,
    val: u8,
    /// Kept out of all folds, as test.
    holdout: Percent,
}

/// There are no such folds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFolds {
    #[error("folds = {0}: use 2 to 100")]
    Number(u8),
    #[error("val_fold = {val}: of {n} folds, the first is 0 and the last {last}", last = n - 1)]
    Val { n: u8, val: u8 },
}

impl Folds {
    pub fn new(n: u8, val: u8, holdout: Percent) -> Result<Self, NotFolds> {
        if !(2..=100).contains(&n) {
            return Err(NotFolds::Number(n));
        }
        if val < n { Ok(Self { n, val, holdout }) } else { Err(NotFolds::Val { n, val }) }
    }
}

/// Days from which pictures are for val and for test; what has no date is for train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawCuts")]
pub struct Cuts {
    #[serde(skip_serializing_if = "Option::is_none")]
    val: Option<Day>,
    test: Day,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCuts {
    val: Option<Day>,
    test: Day,
}

/// Val would begin after test.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("val from {val} on must begin before test, from {test} on")]
pub struct NotCuts {
    val: Day,
    test: Day,
}

impl Cuts {
    pub fn new(val: Option<Day>, test: Day) -> Result<Self, NotCuts> {
        match val {
            Some(val) if test <= val => Err(NotCuts { val, test }),
            Some(_) | None => Ok(Self { val, test }),
        }
    }

    /// Returns the part of something first shown at `shown_at`.
    pub(super) fn split(self, shown_at: Option<i64>) -> Split {
        let is_from = |day: Day| shown_at.is_some_and(|at| day.begins_at() <= at);
        if is_from(self.test) {
            Split::Test
        } else if self.val.is_some_and(is_from) {
            Split::Val
        } else {
            Split::Train
        }
    }
}

impl TryFrom<RawCuts> for Cuts {
    type Error = NotCuts;

    fn try_from(raw: RawCuts) -> Result<Self, NotCuts> {
        Self::new(raw.val, raw.test)
    }
}
