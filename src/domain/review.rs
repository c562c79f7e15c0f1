//! What people decided about pictures: the lines of `pipelines/<name>.reviews.jsonl`, and what
//! holds after all of them.
//!
//! A line names its picture by content, so it survives every recollection. Lines are only ever
//! added: what is taken back is said anew. Of two lines about the same question the later holds,
//! in whatever order they stand, so that files of two people can be merged line by line.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::id::{BlobId, Label};

pub mod purity;
pub mod reasons;

/// One line: what was decided about one picture, or about a pair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Review {
    /// When, in milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    pub picture: BlobId,
    #[serde(flatten)]
    pub decision: Decision,
    /// Where the picture was met.
    pub queue: Queue,
    /// The class it was shown under; none where it had several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_as: Option<Label>,
    /// Who says so, as they wish to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What a line says. The first four are about the picture, then its place among its twins, then
/// a pair; each group is one question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "kebab-case")]
pub enum Decision {
    /// It is good, and shows the class it was posted under.
    Keep,
    /// It does not belong in the dataset.
    Reject { reason: String },
    /// It shows another class than it was posted under.
    Relabel { label: Label },
    /// Nothing is decided about the picture any more.
    Undecide,
    /// It is the copy to keep of all that show the same.
    Keeper,
    /// It is no longer the copy to keep whatever the others are.
    NoKeeper,
    /// It does not show the same as `other`.
    NotTwins { other: BlobId },
    /// Nothing is decided about the pair any more.
    UndecideTwins { other: BlobId },
}

/// Where a picture waits to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// Posted under several classes, or twins of two classes.
    Conflicts,
    /// Pairs near the line between twins and strangers.
    Twins,
    /// Labels the model does not believe.
    Suspects,
    /// Alike pictures on two sides of the split.
    Leaks,
    /// Dark, blurred, tiny, text, screenshots, and what is unlike its class.
    Quality,
    /// Drawn by chance from all that is kept: what is said of these measures the labels.
    Audit,
    /// Said of a picture outside any queue, for example in a CSV file.
    Elsewhere,
}

impl Queue {
    /// In the order in which looking is worth the most.
    pub const ALL: [Self; 7] = [
        Self::Conflicts,
        Self::Twins,
        Self::Suspects,
        Self::Leaks,
        Self::Quality,
        Self::Audit,
        Self::Elsewhere,
    ];
}

/// What holds of one picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ruled {
    Keep,
    Reject { reason: String },
    Relabel { label: Label },
}

/// Everything that holds after all lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviews {
    pub pictures: BTreeMap<BlobId, Ruled>,
    /// Copies to keep of all that show the same.
    pub keepers: BTreeSet<BlobId>,
    /// Pairs that do not show the same, the smaller blob first.
    pub strangers: BTreeSet<(BlobId, BlobId)>,
}

/// What a line answers; the latest line of each question holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    Picture(BlobId),
    Keeper(BlobId),
    /// The smaller blob first.
    Pair(BlobId, BlobId),
}

impl Review {
    /// Tells whether it says something of the picture itself, or takes that back.
    pub(super) fn is_of_picture(&self) -> bool {
        matches!(self.question(), Question::Picture(_))
    }

    fn takes_back(&self) -> bool {
        match self.decision {
            Decision::Undecide | Decision::NoKeeper | Decision::UndecideTwins { .. } => true,
            Decision::Keep
            | Decision::Reject { .. }
            | Decision::Relabel { .. }
            | Decision::Keeper
            | Decision::NotTwins { .. } => false,
        }
    }

    /// Returns what the line answers.
    pub fn question(&self) -> Question {
        let picture = self.picture;
        match self.decision {
            Decision::Keep
            | Decision::Reject { .. }
            | Decision::Relabel { .. }
            | Decision::Undecide => Question::Picture(picture),
            Decision::Keeper | Decision::NoKeeper => Question::Keeper(picture),
            Decision::NotTwins { other } | Decision::UndecideTwins { other } => {
                Question::Pair(picture.min(other), picture.max(other))
            }
        }
    }
}

/// Returns the latest line of each question. Of two lines of the same instant the greater one
/// holds, so that the answer is the same everywhere.
pub fn latest<'a>(lines: impl IntoIterator<Item = &'a Review>) -> BTreeMap<Question, &'a Review> {
    let mut latest: BTreeMap<Question, &Review> = BTreeMap::new();
    for line in lines {
        let held = latest.entry(line.question()).or_insert(line);
        *held = line.max(held);
    }
    latest
}

/// Returns the lines that hold: of each question the latest, unless it takes back what was said.
pub fn held<'a>(lines: impl IntoIterator<Item = &'a Review>) -> Vec<&'a Review> {
    latest(lines).into_values().filter(|line| !line.takes_back()).collect()
}

impl Reviews {
    /// Settles what holds after `lines`, whatever their order; see [`held`].
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Review>) -> Self {
        let mut reviews = Self::default();
        for line in held(lines) {
            let picture = line.picture;
            match &line.decision {
                Decision::Keep => {
                    reviews.pictures.insert(picture, Ruled::Keep);
                }
                Decision::Reject { reason } => {
                    let reason = reason.clone();
                    reviews.pictures.insert(picture, Ruled::Reject { reason });
                }
                Decision::Relabel { label } => {
                    let label = label.clone();
                    reviews.pictures.insert(picture, Ruled::Relabel { label });
                }
                Decision::Keeper => {
                    reviews.keepers.insert(picture);
                }
                Decision::NotTwins { other } => {
                    reviews.strangers.insert((picture.min(*other), picture.max(*other)));
                }
                Decision::Undecide | Decision::NoKeeper | Decision::UndecideTwins { .. } => (),
            }
        }
        reviews
    }

    /// Tells whether nothing at all holds.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Tells whether a person said that two pictures do not show the same.
    pub fn are_strangers(&self, a: BlobId, b: BlobId) -> bool {
        self.strangers.contains(&(a.min(b), a.max(b)))
    }

    /// Tells whether a person decided about a picture, or chose it among its twins.
    pub fn has_decided(&self, blob: &BlobId) -> bool {
        self.pictures.contains_key(blob) || self.keepers.contains(blob)
    }

    /// Leaves only what concerns pictures that are known.
    #[must_use]
    pub fn about(mut self, is_known: impl Fn(&BlobId) -> bool) -> Self {
        self.pictures.retain(|blob, _| is_known(blob));
        self.keepers.retain(|blob| is_known(blob));
        self.strangers.retain(|(a, b)| is_known(a) && is_known(b));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(at_ms: u64, picture: &str, decision: Decision) -> Review {
        let picture = BlobId::of(picture.as_bytes());
        Review { at_ms, picture, decision, queue: Queue::Audit, shown_as: None, by: None }
    }

    #[test]
    fn the_latest_line_of_each_question_holds_in_any_order() {
        let (a, b) = (BlobId::of(b"a"), BlobId::of(b"b"));
        let dog = Label::new("dog").unwrap();
        let mut lines = vec![
            line(1, "a", Decision::Keep),
            line(2, "a", Decision::Relabel { label: dog.clone() }),
            line(1, "b", Decision::Reject { reason: "blurred".to_owned() }),
            line(3, "b", Decision::Undecide),
            line(1, "a", Decision::Keeper),
            line(1, "b", Decision::Keeper),
            line(2, "b", Decision::NoKeeper),
            line(1, "a", Decision::NotTwins { other: b }),
            line(5, "c", Decision::NotTwins { other: b }),
            line(6, "b", Decision::UndecideTwins { other: BlobId::of(b"c") }),
        ];
        let expected = Reviews {
            pictures: [(a, Ruled::Relabel { label: dog })].into(),
            keepers: [a].into(),
            strangers: [(a.min(b), a.max(b))].into(),
        };
        assert_eq!(Reviews::of(&lines), expected);
        lines.reverse();
        assert_eq!(Reviews::of(&lines), expected);
    }

    #[test]
    fn what_is_taken_back_does_not_hold() {
        let b = BlobId::of(b"b");
        let lines = [
            line(1, "a", Decision::Keep),
            line(1, "b", Decision::Keep),
            line(2, "b", Decision::Undecide),
            line(1, "a", Decision::NotTwins { other: b }),
            line(2, "a", Decision::UndecideTwins { other: b }),
            line(1, "b", Decision::NoKeeper),
        ];
        assert_eq!(held(&lines), [&lines[0]]);
    }

    #[test]
    fn only_what_concerns_known_pictures_is_left() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|name| BlobId::of(name));
        let lines = [
            line(1, "a", Decision::Keep),
            line(1, "c", Decision::Keep),
            line(1, "b", Decision::Keeper),
            line(1, "c", Decision::Keeper),
            line(1, "a", Decision::NotTwins { other: b }),
            line(1, "a", Decision::NotTwins { other: c }),
        ];
        let expected = Reviews {
            pictures: [(a, Ruled::Keep)].into(),
            keepers: [b].into(),
            strangers: [(a.min(b), a.max(b))].into(),
        };
        assert_eq!(Reviews::of(&lines).about(|blob| *blob != c), expected);
        assert!(Reviews::of(&lines).about(|_| false).is_empty());
    }

    #[test]
    fn a_line_is_flat_text_that_reads_back() {
        let mut said = line(7, "a", Decision::Reject { reason: "screenshot".to_owned() });
        said.shown_as = Label::new("cat").ok();
        let text = serde_json::to_string(&said).unwrap();
        let picture = said.picture;
        assert_eq!(
            text,
            format!(
                "{{\"at_ms\":7,\"picture\":\"{picture}\",\"decision\":\"reject\",\
                 \"reason\":\"screenshot\",\"queue\":\"audit\",\"shown_as\":\"cat\"}}"
            )
        );
        assert_eq!(serde_json::from_str::<Review>(&text).unwrap(), said);
    }
}
