//! How many labels are right, told from a sample that people looked at, and when the sample is
//! large enough.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Decision, Queue, Review};
use crate::domain::{
    id::{BlobId, Label},
    learning::interval::Score,
};

/// An audit may end once the share is known to within so much, above or below.
pub const HALF_WIDTH: f64 = 0.02;

/// No stop rule asks for more: even for the evenest share 2,398 pictures are enough.
const SAMPLE_MAX: u32 = 1 << 20;

/// What an audit saw of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    pub n_seen: u32,
    /// Kept, or given the label they already had.
    pub n_right: u32,
}

/// What an audit tells of one class.
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
pub fn purity(lines: &[Review]) -> BTreeMap<Label, Purity> {
    let mut sample = Sample::default();
    for line in lines {
        sample.hear(line);
    }
    let measured = sample.classes.into_iter().filter_map(|(label, audited)| {
        let purity = Purity {
            seen: audited.n_seen,
            right: audited.n_right,
            share: audited.purity()?,
            more_for_two_points: audited.n_more(HALF_WIDTH),
        };
        Some((label, purity))
    });
    measured.collect()
}

/// The pictures an audit looked at, and the latest it said of each. What was decided of a picture
/// in another queue does not count: it was met there for a reason, and a sample of such pictures
/// tells nothing of the rest. A picture that was taken back anywhere has to be looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    latest: BTreeMap<BlobId, Review>,
    classes: BTreeMap<Label, Audited>,
}

impl Sample {
    /// Takes one more line in, in any order.
    pub fn hear(&mut self, line: &Review) {
        if !bears_on_audit(line) || self.latest.get(&line.picture).is_some_and(|it| line < it) {
            return;
        }
        if let Some(before) = self.latest.insert(line.picture, line.clone())
            && let Some((class, is_right)) = told(&before)
            && let Some(audited) = self.classes.get_mut(class)
        {
            audited.n_seen -= 1;
            audited.n_right -= u32::from(is_right);
        }
        if let Some((class, is_right)) = told(line) {
            let audited = self.classes.entry(class.clone()).or_default();
            audited.n_seen += 1;
            audited.n_right += u32::from(is_right);
        }
    }

    /// Tells whether the place of a picture in the sample is taken.
    pub fn has(&self, picture: &BlobId) -> bool {
        self.latest.get(picture).is_some_and(|line| is_right(line).is_some())
    }

    /// Returns what was seen of a class.
    pub fn of(&self, class: &Label) -> Audited {
        self.classes.get(class).copied().unwrap_or_default()
    }
}

impl Audited {
    /// Returns the share of right labels with Wilson's interval, `None` of nothing.
    pub fn purity(self) -> Option<Score> {
        Score::of_share(self.n_right, self.n_seen)
    }

    /// Returns how many more pictures must be looked at until Wilson's interval reaches at most
    /// `half_width` to either side, should the share stay what it is; of an unseen class, should
    /// it be the evenest.
    pub fn n_more(self, half_width: f64) -> u32 {
        let is_enough = |n_seen: u32| self.half_width_at(n_seen) <= half_width;
        let (mut short, mut enough) = (self.n_seen.max(1), SAMPLE_MAX);
        if is_enough(short) && self.n_seen != 0 {
            return 0;
        }
        while short + 1 < enough {
            let middle = short + (enough - short) / 2;
            if is_enough(middle) { enough = middle } else { short = middle }
        }
        enough - self.n_seen
    }

    /// Returns half the width of the interval in a sample of `n_seen` with the same share.
    fn half_width_at(self, n_seen: u32) -> f64 {
        let share =
            if self.n_seen == 0 { 0.5 } else { f64::from(self.n_right) / f64::from(self.n_seen) };
        let score = Score::of_portion(share, n_seen);
        score.interval.map_or(1.0, |it| (it.high - it.low) / 2.0)
    }
}

/// Returns the class a line tells of, and whether the label is right.
fn told(line: &Review) -> Option<(&Label, bool)> {
    Some((line.shown_as.as_ref()?, is_right(line)?))
}

/// Tells whether a line puts a picture into the sample or takes it out.
fn bears_on_audit(line: &Review) -> bool {
    line.is_of_picture() && (line.queue == Queue::Audit || line.decision == Decision::Undecide)
}

/// Tells whether a line says that the label is right; `None` where it says nothing.
fn is_right(line: &Review) -> Option<bool> {
    match &line.decision {
        Decision::Keep => Some(true),
        Decision::Reject { .. } => Some(false),
        Decision::Relabel { label } => Some(line.shown_as.as_ref() == Some(label)),
        Decision::Undecide
        | Decision::Keeper
        | Decision::NoKeeper
        | Decision::NotTwins { .. }
        | Decision::UndecideTwins { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str) -> Label {
        Label::new(name).unwrap()
    }

    fn line(at_ms: u64, picture: &str, decision: Decision, queue: Queue) -> Review {
        let picture = BlobId::of(picture.as_bytes());
        Review { at_ms, picture, decision, queue, shown_as: Some(label("cat")), by: None }
    }

    #[test]
    fn only_the_latest_word_of_the_audit_counts_and_only_once() {
        let reject = || Decision::Reject { reason: "blurred".to_owned() };
        let relabel = |name| Decision::Relabel { label: label(name) };
        let lines = [
            line(1, "right", Decision::Keep, Queue::Audit),
            line(2, "right", reject(), Queue::Quality),
            line(3, "changed", reject(), Queue::Audit),
            line(4, "changed", Decision::Keep, Queue::Audit),
            line(5, "wrong", reject(), Queue::Audit),
            line(6, "same label", relabel("cat"), Queue::Audit),
            line(7, "other label", relabel("dog"), Queue::Audit),
            line(8, "back", Decision::Keep, Queue::Audit),
            line(9, "back", Decision::Undecide, Queue::Elsewhere),
            line(10, "elsewhere", Decision::Keep, Queue::Suspects),
            line(11, "copy", Decision::Keeper, Queue::Audit),
        ];
        let heard = |lines: &mut dyn Iterator<Item = &Review>| {
            let mut sample = Sample::default();
            lines.for_each(|line| sample.hear(line));
            sample
        };

        let sample = heard(&mut lines.iter());

        assert_eq!(sample.of(&label("cat")), Audited { n_seen: 5, n_right: 3 });
        assert_eq!(sample.of(&label("dog")), Audited::default());
        assert_eq!(heard(&mut lines.iter().rev()).of(&label("cat")), sample.of(&label("cat")));
        let names = ["right", "changed", "wrong", "same label", "other label", "back", "elsewhere"];
        let taken = names.map(|name| sample.has(&BlobId::of(name.as_bytes())));
        assert_eq!(taken, [true, true, true, true, true, false, false]);
    }

    #[test]
    fn the_sample_asked_for_is_the_smallest_that_is_wide_enough() {
        // tests/judges/purity.py, which searches with proportion_confint of statsmodels.
        let known = [
            (0, 0, 2398),
            (1, 1, 92),
            (50, 50, 43),
            (95, 100, 369),
            (150, 200, 1599),
            (940, 1000, 0),
        ];
        for (n_right, n_seen, n_more) in known {
            assert_eq!(
                Audited { n_seen, n_right }.n_more(HALF_WIDTH),
                n_more,
                "{n_right}/{n_seen}"
            );
        }
    }

    #[test]
    fn a_share_comes_with_its_interval_and_with_what_is_still_to_do() {
        let said = |n: u32, decision: Decision| Review {
            picture: BlobId::of(&n.to_le_bytes()),
            ..line(1, "", decision, Queue::Audit)
        };
        let reject = || Decision::Reject { reason: "wrong-subject".to_owned() };
        let mut lines: Vec<Review> = (0..94).map(|n| said(n, Decision::Keep)).collect();
        lines.extend((94..100).map(|n| said(n, reject())));

        let found = purity(&lines)[&lines[0].shown_as.clone().unwrap()];

        assert_eq!((found.seen, found.right, found.more_for_two_points), (100, 94, 451));
        let interval = found.share.interval.unwrap();
        // proportion_confint(94, 100, 0.05, "wilson") of statsmodels 0.15.0
        assert!((interval.low - 0.875_231_845_541_040_6).abs() < 1e-9, "{interval:?}");
        assert!((interval.high - 0.972_213_876_036_811_8).abs() < 1e-9, "{interval:?}");
        assert_eq!(purity(&[]), BTreeMap::new());
    }
}
