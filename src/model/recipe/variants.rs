//! How many altered versions of every training picture a frozen part is asked about, and when it
//! is asked about the next.

use serde::{Deserialize, Serialize};

use super::{Augment, TrainRecipe};
use crate::domain::learning::Epoch;

/// So many versions of every picture beside the picture itself, or `"auto"`: as many as help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "`feature_variants` takes a number, or \"auto\"")]
pub enum Variants {
    Exactly(u32),
    AsNeeded(AsNeeded),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AsNeeded {
    Auto,
}

/// So many there are at most where as many are made as help.
const HELPFUL_MAX: u32 = 3;

/// After so many epochs without a better one it is time for further versions, or sooner where
/// training would stop sooner.
const STALLED: u32 = 5;

/// What a frozen part is asked about between two epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) struct Versions {
    /// How many altered versions of every picture there are.
    pub(in crate::model) n: u32,
    /// The epoch after which the last of them came.
    pub(in crate::model) since: u32,
}

impl Variants {
    /// The most there may be.
    pub(in crate::model) fn most(self) -> u32 {
        match self {
            Self::Exactly(n) => n,
            Self::AsNeeded(AsNeeded::Auto) => HELPFUL_MAX,
        }
    }

    /// Leaves none where the recipe alters nothing.
    pub(in crate::model) fn settled(self, recipe: &TrainRecipe) -> Self {
        match self {
            Self::AsNeeded(AsNeeded::Auto) if recipe.augment == Augment::NOTHING => {
                Self::Exactly(0)
            }
            Self::Exactly(_) | Self::AsNeeded(AsNeeded::Auto) => self,
        }
    }

    /// All there may be from the beginning: for a fixed part that costs nothing to ask.
    pub(in crate::model) fn at_once(self) -> Self {
        Self::Exactly(self.most())
    }

    /// Tells what is there after these epochs. Where as many are made as help, every picture is
    /// altered once more whenever no better epoch comes, unless the last versions gave none either,
    /// no validation picture is mistaken any more, or the training ends soon.
    pub(in crate::model) fn after(self, epochs: &[Epoch], recipe: &TrainRecipe) -> Versions {
        let mut now = Versions { n: 0, since: 0 };
        match self {
            Self::Exactly(n) => return Versions { n, ..now },
            Self::AsNeeded(AsNeeded::Auto) => (),
        }
        let stopping = &recipe.early_stopping;
        let wait = STALLED.min(stopping.patience);
        let mut best: Option<&Epoch> = None;
        for epoch in epochs.iter().filter(|epoch| 0 < epoch.number) {
            let mut so_far = *best.get_or_insert(epoch);
            if stopping.is_better(epoch, so_far) {
                so_far = epoch;
            }
            best = Some(so_far);
            let have_helped = now.since < so_far.number;
            let is_stalled = wait <= epoch.number - so_far.number.max(now.since);
            let is_faultless = 1.0 <= so_far.val_accuracy;
            let is_early = epoch.number + STALLED <= recipe.epochs;
            if is_stalled && have_helped && !is_faultless && is_early && now.n < HELPFUL_MAX {
                now = Versions { n: now.n + 1, since: epoch.number };
            }
        }
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recipe::EarlyStopping;

    const AUTO: Variants = Variants::AsNeeded(AsNeeded::Auto);

    /// What is there after epochs of these validation losses, `accuracy` of the answers right.
    fn after(variants: Variants, losses: &[f64], accuracy: f64) -> (u32, u32) {
        following(&TrainRecipe::default(), variants, losses, accuracy)
    }

    fn following(
        recipe: &TrainRecipe,
        variants: Variants,
        losses: &[f64],
        accuracy: f64,
    ) -> (u32, u32) {
        let epoch = |(number, loss): (u32, &f64)| Epoch {
            number,
            val_loss: *loss,
            val_accuracy: accuracy,
            ..Epoch::default()
        };
        let epochs: Vec<Epoch> = (0..).zip(losses).map(epoch).collect();
        let versions = variants.after(&epochs, recipe);
        (versions.n, versions.since)
    }

    #[test]
    fn a_version_comes_when_nothing_gets_better_and_no_other_after_one_that_gave_nothing() {
        let mut losses = vec![0.1, 0.9, 0.8, 0.85, 0.8, 0.9, 0.8];
        assert_eq!(after(AUTO, &losses, 0.9), (0, 0), "four epochs without a better one");
        losses.push(0.8);
        assert_eq!(after(AUTO, &losses, 0.9), (1, 7), "the untrained network counts for nothing");
        assert_eq!(after(AUTO, &[&losses[..], &[0.9; 40]].concat(), 0.9), (1, 7));

        losses.extend([0.7, 0.7, 0.7, 0.7, 0.7, 0.7]);
        assert_eq!(after(AUTO, &losses, 0.9), (2, 13));
        for _ in 0..9 {
            let better = losses[losses.len() - 1] * 0.9;
            losses.extend([better; 6]);
        }
        assert_eq!(after(AUTO, &losses, 0.9).0, HELPFUL_MAX);
    }

    #[test]
    fn none_comes_where_nothing_is_mistaken_and_a_number_is_a_number() {
        assert_eq!(after(AUTO, &[0.5; 30], 1.0), (0, 0));
        assert_eq!(after(Variants::Exactly(7), &[0.5; 30], 0.5), (7, 0));
        assert_eq!(after(Variants::Exactly(7), &[], 0.5), (7, 0));
    }

    #[test]
    fn a_short_patience_and_a_near_end_are_minded() {
        let early_stopping = EarlyStopping { patience: 3, ..EarlyStopping::default() };
        let impatient = TrainRecipe { early_stopping, ..TrainRecipe::default() };
        assert_eq!(following(&impatient, AUTO, &[0.5; 4], 0.9), (0, 0));
        assert_eq!(following(&impatient, AUTO, &[0.5; 5], 0.9), (1, 4));

        let with = |epochs| TrainRecipe { epochs, ..TrainRecipe::default() };
        assert_eq!(following(&with(11), AUTO, &[0.5; 7], 0.9), (1, 6));
        assert_eq!(following(&with(10), AUTO, &[0.5; 7], 0.9), (0, 0));
    }

    #[test]
    fn what_alters_nothing_has_no_versions_and_what_costs_nothing_has_all_at_once() {
        let altered = TrainRecipe::default();
        let plain = TrainRecipe { augment: Augment::NOTHING, ..altered.clone() };

        assert_eq!(AUTO.settled(&altered), AUTO);
        assert_eq!(AUTO.settled(&altered).at_once(), Variants::Exactly(HELPFUL_MAX));
        assert_eq!(AUTO.settled(&plain).at_once(), Variants::Exactly(0));
        assert_eq!(Variants::Exactly(7).settled(&plain).at_once(), Variants::Exactly(7));
    }
}
