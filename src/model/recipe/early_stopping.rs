//! When to stop, which epoch's weights to keep, and what is better than what.

use serde::{Deserialize, Serialize};

use super::Range;
use crate::domain::learning::Epoch;

/// When to stop, and which epoch's weights to keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EarlyStopping {
    pub monitor: Monitor,
    /// Training ends after this many epochs without a better one, counted anew whenever a fixed
    /// part was asked about further versions of the pictures.
    pub patience: u32,
    /// What an epoch must be better by to count as better.
    pub min_delta: f64,
}

/// What makes one epoch better than another: a figure of the validation pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Monitor {
    ValLoss,
    ValAccuracy,
    /// The mean recall of the classes.
    ValBalancedAccuracy,
    /// The mean F1 of the classes.
    ValF1,
    /// The mean area under the ROC curves of the classes, one against the rest.
    ValAuc,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self { monitor: Monitor::ValLoss, patience: 20, min_delta: 0.0 }
    }
}

impl EarlyStopping {
    /// Lists every number with its key and the lowest and highest value that can be followed.
    pub(super) fn ranges(&self) -> [Range; 2] {
        [
            ("early_stopping.patience", self.patience.into(), 1.0, 1000.0),
            ("early_stopping.min_delta", self.min_delta, 0.0, 10.0),
        ]
    }

    /// Tells whether `now` is better than `best`. Figures other than the loss come in few steps, so
    /// that, without `min_delta`, equals are told apart by their loss.
    pub(in crate::model) fn is_better(&self, now: &Epoch, best: &Epoch) -> bool {
        let gain = self.monitor.gain(now, best);
        let is_tie = gain.total_cmp(&0.0).is_eq() && self.min_delta.total_cmp(&0.0).is_eq();
        self.min_delta < gain || (is_tie && now.val_loss < best.val_loss)
    }
}

impl Monitor {
    /// Returns by how much `now` is better than `before`; not a number where there is no such figure.
    pub(in crate::model) fn gain(self, now: &Epoch, before: &Epoch) -> f64 {
        let more = |of: fn(&Epoch) -> Option<f64>| match (of(now), of(before)) {
            (Some(now), Some(before)) => now - before,
            (None, _) | (_, None) => f64::NAN,
        };
        match self {
            Self::ValLoss => before.val_loss - now.val_loss,
            Self::ValAccuracy => now.val_accuracy - before.val_accuracy,
            Self::ValBalancedAccuracy => more(|it| it.val_balanced_accuracy),
            Self::ValF1 => more(|it| it.val_f1),
            Self::ValAuc => more(|it| it.val_auc),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(val_accuracy: f64, val_loss: f64) -> Epoch {
        Epoch { val_loss, val_accuracy, ..Epoch::default() }
    }

    fn stopping(monitor: Monitor, min_delta: f64) -> EarlyStopping {
        EarlyStopping { monitor, min_delta, ..EarlyStopping::default() }
    }

    #[test]
    fn equal_accuracies_are_told_apart_by_their_loss() {
        let best = epoch(0.9, 0.5);
        let later = [epoch(0.9, 0.4), epoch(0.9, 0.5), epoch(0.95, 0.6), epoch(0.8, 0.1)];

        let by = |monitor| later.map(|now| stopping(monitor, 0.0).is_better(&now, &best));
        assert_eq!(by(Monitor::ValAccuracy), [true, false, true, false]);
        assert_eq!(by(Monitor::ValLoss), [true, false, false, true]);
    }

    #[test]
    fn what_is_better_by_too_little_is_not_better() {
        let best = epoch(0.5, 0.5);
        let later = [epoch(0.5, 0.25), epoch(0.75, 0.375), epoch(1.0, 0.5)];

        let by = |monitor| later.map(|now| stopping(monitor, 0.25).is_better(&now, &best));
        assert_eq!(by(Monitor::ValAccuracy), [false, false, true]);
        assert_eq!(by(Monitor::ValLoss), [false; 3]);
    }

    #[test]
    fn every_figure_can_be_watched() {
        let with = |figure: Option<f64>| Epoch {
            val_balanced_accuracy: figure,
            val_f1: figure,
            val_auc: figure,
            ..Epoch::default()
        };
        for monitor in [Monitor::ValBalancedAccuracy, Monitor::ValF1, Monitor::ValAuc] {
            let stopping = stopping(monitor, 0.0);
            assert!(stopping.is_better(&with(Some(0.75)), &with(Some(0.5))));
            assert!(!stopping.is_better(&with(Some(0.5)), &with(Some(0.75))));
            assert!(!stopping.is_better(&with(None), &with(Some(0.75))));
        }
    }
}
