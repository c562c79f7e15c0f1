//! How many labels are right, class by class, as far as an audit tells.
//!
//! An audit draws from all that is kept by chance, so the share that a person finds right is an
//! estimate of the share in the whole class. What is met in other queues was not drawn by chance
//! and says nothing of the whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Decision, Queue, Review};
use crate::domain::{
    id::{BlobId, Label},
    learning::interval::Score,
};

/// An audit that knows the share this well to either side is done: two points of a hundred.
const REACH_MAX: f64 = 0.02;

/// What an audit found of one class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Purity {
    /// Pictures a person said something of.
    pub seen: u32,
    /// Those of them that show the class.
    pub right: u32,
    /// `right / seen` with Wilson's 95 % interval.
    pub share: Score,
    /// Pictures to look at until the interval reaches two points to either side, if the share
    /// stays what it is.
    pub more_for_two_points: u32,
}

/// Measures each class by the lines of its audit; classes without one are left out.
///
/// A picture counts once, under the class it was shown as, by its latest line in the audit: right
/// are those kept, and those given the very class they were shown as. One that is undecided again
/// does not count.
pub fn purity(lines: &[Review]) -> BTreeMap<Label, Purity> {
    let mut latest: BTreeMap<BlobId, &Review> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.queue == Queue::Audit && line.is_of_picture()) {
        let held = latest.entry(line.picture).or_insert(line);
        *held = line.max(held);
    }
    let mut counts: BTreeMap<&Label, (u32, u32)> = BTreeMap::new();
    for line in latest.into_values() {
        let Some(label) = &line.shown_as else { continue };
        let is_right = match &line.decision {
            Decision::Keep => true,
            Decision::Relabel { label: given } => given == label,
            Decision::Reject { .. } => false,
            Decision::Undecide
            | Decision::Keeper
            | Decision::NoKeeper
            | Decision::NotTwins { .. }
            | Decision::UndecideTwins { .. } => continue,
        };
        let (seen, right) = counts.entry(label).or_default();
        *seen += 1;
        *right += u32::from(is_right);
    }
    let measured = counts.into_iter().filter_map(|(label, (seen, right))| {
        let share = Score::of_share(right, seen)?;
        let more_for_two_points = Score::more_until(right, seen, REACH_MAX)?;
        Some((label.clone(), Purity { seen, right, share, more_for_two_points }))
    });
    measured.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at_ms: u64, picture: u32, shown_as: &str, decision: Decision) -> Review {
        Review {
            at_ms,
            picture: BlobId::of(&picture.to_le_bytes()),
            decision,
            queue: Queue::Audit,
            shown_as: Label::new(shown_as).ok(),
            by: None,
        }
    }

    fn reject() -> Decision {
        Decision::Reject { reason: "wrong-subject".to_owned() }
    }

    fn relabel(label: &str) -> Decision {
        Decision::Relabel { label: Label::new(label).unwrap() }
    }

    fn counts(lines: &[Review]) -> Vec<(String, u32, u32)> {
        let found = purity(lines).into_iter();
        found.map(|(label, it)| (label.to_string(), it.seen, it.right)).collect()
    }

    #[test]
    fn right_is_what_was_kept_or_given_its_own_class_again() {
        let lines = [
            line(1, 1, "cats", Decision::Keep),
            line(1, 2, "cats", relabel("cats")),
            line(1, 3, "cats", relabel("dogs")),
            line(1, 4, "cats", reject()),
            line(1, 5, "cats", relabel("fish")),
            line(1, 6, "dogs", Decision::Keep),
        ];
        assert_eq!(counts(&lines), [("cats".to_owned(), 5, 2), ("dogs".to_owned(), 1, 1)]);
    }

    #[test]
    fn the_latest_line_of_a_picture_counts_and_one_taken_back_does_not() {
        let mut lines = vec![
            line(1, 1, "cats", Decision::Keep),
            line(2, 1, "cats", reject()),
            line(1, 2, "cats", reject()),
            line(2, 2, "cats", Decision::Undecide),
            line(9, 1, "cats", Decision::Keeper),
            line(1, 3, "cats", Decision::Keep),
        ];
        assert_eq!(counts(&lines), [("cats".to_owned(), 2, 1)]);
        lines.reverse();
        assert_eq!(counts(&lines), [("cats".to_owned(), 2, 1)]);
    }

    #[test]
    fn what_was_not_drawn_by_chance_says_nothing_of_the_whole() {
        let mut lines = vec![line(1, 1, "cats", Decision::Keep), line(1, 2, "cats", reject())];
        for queue in Queue::ALL.into_iter().filter(|it| *it != Queue::Audit) {
            lines.push(Review { queue, at_ms: 2, ..line(2, 2, "cats", Decision::Keep) });
        }
        lines.push(Review { shown_as: None, ..line(1, 3, "cats", reject()) });
        assert_eq!(counts(&lines), [("cats".to_owned(), 2, 1)]);
    }

    #[test]
    fn a_share_comes_with_its_interval_and_with_what_is_still_to_do() {
        let mut lines: Vec<Review> = (0..94).map(|n| line(1, n, "cats", Decision::Keep)).collect();
        lines.extend((94..100).map(|n| line(1, n, "cats", reject())));

        let found = purity(&lines)[&Label::new("cats").unwrap()];

        let interval = found.share.interval.unwrap();
        assert!((found.share.value - 0.94).abs() < 1e-12);
        // proportion_confint(94, 100, 0.05, "wilson") of statsmodels 0.15.0
        assert!((interval.low - 0.875_231_845_541_040_6).abs() < 1e-9, "{interval:?}");
        assert!((interval.high - 0.972_213_876_036_811_8).abs() < 1e-9, "{interval:?}");
        assert_eq!(found.more_for_two_points, 451);
        assert_eq!(purity(&[]), BTreeMap::new());
    }
}
