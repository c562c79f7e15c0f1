//! The `[split]` table as people write it → the rule it stands for.

use serde::{Deserialize, Serialize};

use crate::domain::split::{
    Counts, Cuts, Folds, Mode, NotARule, NotFolds, Percent, Rule, Shares, Tiny,
};

/// The `[split]` table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawTable")]
pub struct Table {
    pub rule: Rule,
    pub group: GroupBy,
    pub bucket: Bucket,
}

/// Which pictures stay on one side together, besides twins. Each takes in the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// Only twins.
    Twin,
    /// Pictures of one post, a gallery that shows one thing from many sides, and of its crossposts.
    #[default]
    Post,
    /// Pictures of one author, so that no author is both learned from and tested on.
    Author,
}

/// How close in time pictures of one place must be to stay on one side together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    #[default]
    None,
    Hour,
    Day,
    Week,
}

impl Bucket {
    /// Returns the number of the bucket of a moment, in seconds since 1970-01-01 UTC.
    pub(super) fn of(self, seconds: i64) -> Option<i64> {
        const HOUR_S: i64 = 3600;
        // 1970-01-01 was a Thursday; weeks begin on Mondays.
        const MONDAY_S: i64 = 3 * 24 * HOUR_S;
        match self {
            Self::None => None,
            Self::Hour => Some(seconds.div_euclid(HOUR_S)),
            Self::Day => Some(seconds.div_euclid(24 * HOUR_S)),
            Self::Week => Some((seconds + MONDAY_S).div_euclid(7 * 24 * HOUR_S)),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawTable {
    ratio: Option<Shares>,
    counts: Option<Counts>,
    folds: Option<u8>,
    val_fold: Option<u8>,
    holdout: Option<Percent>,
    newest: Option<Shares>,
    cuts: Option<Cuts>,
    group: GroupBy,
    bucket: Bucket,
    tiny: Tiny,
}

/// The table names no way of splitting.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    #[error("{first} and {second} are two ways of splitting; keep one of them")]
    TwoModes { first: &'static str, second: &'static str },
    #[error("{name} says something of folds; add folds = 5, or leave it out")]
    WithoutFolds { name: &'static str },
    #[error(transparent)]
    Folds(#[from] NotFolds),
    #[error(transparent)]
    Rule(#[from] NotARule),
}

impl TryFrom<RawTable> for Table {
    type Error = TableError;

    fn try_from(raw: RawTable) -> Result<Self, TableError> {
        let folds = match raw.folds {
            Some(n) => {
                let (val, holdout) = (raw.val_fold.unwrap_or(0), raw.holdout.unwrap_or_default());
                Some(Folds::new(n, val, holdout)?)
            }
            None => None,
        };
        let named = [
            ("ratio", raw.ratio.map(Mode::Ratio)),
            ("counts", raw.counts.map(Mode::Counts)),
            ("folds", folds.map(Mode::Folds)),
            ("newest", raw.newest.map(Mode::Newest)),
            ("cuts", raw.cuts.map(Mode::Cuts)),
        ];
        let mut modes = named.into_iter().filter_map(|(name, mode)| Some((name, mode?)));
        let mode = match (modes.next(), modes.next()) {
            (Some((first, _)), Some((second, _))) => {
                return Err(TableError::TwoModes { first, second });
            }
            (Some((_, mode)), None) => mode,
            (None, _) => Mode::default(),
        };
        let of_folds = [("val_fold", raw.val_fold.is_some()), ("holdout", raw.holdout.is_some())];
        let stray = of_folds.into_iter().find(|(_, is_set)| *is_set && folds.is_none());
        if let Some((name, _)) = stray {
            return Err(TableError::WithoutFolds { name });
        }
        Ok(Self { rule: Rule::new(mode, raw.tiny)?, group: raw.group, bucket: raw.bucket })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Table, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn every_way_of_splitting_can_be_written() {
        let mode = |json: &str| read(json).unwrap().rule.mode();

        assert_eq!(read("{}"), Ok(Table::default()));
        let shares = Shares::new(80, 10, 10).unwrap();
        assert_eq!(mode(r#"{"ratio": {"train": 80, "val": 10, "test": 10}}"#), Mode::Ratio(shares));
        assert_eq!(
            mode(r#"{"newest": {"train": 80, "val": 10, "test": 10}}"#),
            Mode::Newest(shares)
        );
        let counts = Counts { val: 50, test: 0 };
        assert_eq!(mode(r#"{"counts": {"val": 50}}"#), Mode::Counts(counts));
        let folds = Folds::new(5, 1, Percent::try_from(10).unwrap()).unwrap();
        assert_eq!(mode(r#"{"folds": 5, "val_fold": 1, "holdout": 10}"#), Mode::Folds(folds));
        assert!(matches!(mode(r#"{"cuts": {"test": "2024-06-01"}}"#), Mode::Cuts(_)));
        let grouped =
            read(r#"{"group": "author", "bucket": "day", "tiny": "train-only"}"#).unwrap();
        assert_eq!((grouped.group, grouped.bucket), (GroupBy::Author, Bucket::Day));
        assert_eq!(grouped.rule.tiny(), Tiny::TrainOnly);
    }

    #[test]
    fn a_table_that_makes_no_sense_says_what_to_change() {
        let told = |json: &str| read(json).unwrap_err();
        assert_eq!(
            told(r#"{"folds": 5, "counts": {"val": 1}}"#),
            "counts and folds are two ways of splitting; keep one of them"
        );
        assert_eq!(
            told(r#"{"val_fold": 1}"#),
            "val_fold says something of folds; add folds = 5, or leave it out"
        );
        assert!(told(r#"{"folds": 1}"#).contains("use 2 to 100"));
        assert!(told(r#"{"folds": 5, "tiny": "train-only"}"#).contains("no meaning with folds"));
        assert!(told(r#"{"fold": 5}"#).contains("unknown field"));
    }

    #[test]
    fn a_week_begins_on_monday() {
        let monday = 1_704_067_200; // 2024-01-01
        assert_ne!(Bucket::Week.of(monday - 1), Bucket::Week.of(monday));
        assert_eq!(Bucket::Week.of(monday), Bucket::Week.of(monday + 7 * 86_400 - 1));
    }
}
