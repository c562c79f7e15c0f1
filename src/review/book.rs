//! What was decided so far: the lines of the file, what holds of each question, and how to take
//! a decision back. The file is the truth; nothing holds here that is not in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        bytes::hex,
        id::BlobId,
        review::{Decision, Question, Review, purity::Sample},
    },
    store::{
        files::FileError,
        reviews::{self, Follower, News, ReviewsError},
    },
};

/// Tells the milliseconds since 1970-01-01 UTC.
pub type Clock = fn() -> u64;

#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error(transparent)]
    Reviews(#[from] ReviewsError),
    #[error("the decision was not saved")]
    Write(#[source] FileError),
}

pub(super) struct Book {
    follower: Follower,
    clock: Clock,
    /// In the order of the file.
    lines: Vec<Review>,
    /// Which line holds of each question.
    held: BTreeMap<Question, usize>,
    sample: Sample,
    /// Counts how often the file was rewritten by others.
    edition: u64,
    /// The latest moment of any line.
    latest_ms: u64,
}

/// A decision that was written, and what held before; enough to take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    pub line: Review,
    pub before: Option<Review>,
}

/// What a reading of the file changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// Lines from this one on are new.
    Since(usize),
    Everything,
}

impl Book {
    /// Opens the book of a file, which need not be there yet.
    pub(super) fn open(follower: Follower, clock: Clock) -> Result<Self, BookError> {
        let mut book = Self {
            follower,
            clock,
            lines: Vec::new(),
            held: BTreeMap::new(),
            sample: Sample::default(),
            edition: 0,
            latest_ms: 0,
        };
        book.refresh()?;
        Ok(book)
    }

    /// Reads what anybody added to the file.
    pub(super) fn refresh(&mut self) -> Result<Change, BookError> {
        Ok(match self.follower.news()? {
            News::Nothing => Change::Nothing,
            News::Added(lines) => {
                let from = self.lines.len();
                self.hear_all(lines);
                Change::Since(from)
            }
            News::Anew(lines) => {
                self.lines.clear();
                self.held.clear();
                self.sample = Sample::default();
                self.edition += 1;
                self.hear_all(lines);
                Change::Everything
            }
        })
    }

    fn hear_all(&mut self, lines: Vec<Review>) {
        for line in lines {
            self.hear(line);
        }
    }

    fn hear(&mut self, line: Review) {
        let number = self.lines.len();
        let question = line.question();
        let is_later = self.said_last(question).is_none_or(|known| *known <= line);
        if is_later {
            self.held.insert(question, number);
        }
        self.sample.hear(&line);
        self.latest_ms = self.latest_ms.max(line.at_ms);
        self.lines.push(line);
    }

    /// Returns the latest line of a question, also one that takes back.
    fn said_last(&self, question: Question) -> Option<&Review> {
        self.held.get(&question).and_then(|number| self.lines.get(*number))
    }

    /// Returns what holds of a question; nothing where it was taken back.
    pub(super) fn holds(&self, question: Question) -> Option<&Review> {
        self.said_last(question).filter(|line| !is_taking_back(&line.decision))
    }

    /// Tells whether a line was ever written.
    pub(super) fn has(&self, line: &Review) -> bool {
        self.lines.iter().rev().any(|it| it == line)
    }

    pub(super) fn sample(&self) -> &Sample {
        &self.sample
    }

    /// Returns the lines from one on.
    pub(super) fn since(&self, number: usize) -> &[Review] {
        self.lines.get(number..).unwrap_or_default()
    }

    /// Names the file: the first digits of a digest of where it lies.
    pub(super) fn name(&self) -> String {
        let path = self.follower.path();
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let digest = blake3::hash(path.as_os_str().as_encoded_bytes());
        hex(digest.as_bytes().first_chunk::<8>().expect("a digest is longer"))
    }

    /// Names the state of the book: edition and number of lines.
    pub(super) fn state(&self) -> (u64, usize) {
        (self.edition, self.lines.len())
    }

    /// Writes decisions, all or none, each later than every line there is. Their moments are set
    /// here. Returns them with what held before each.
    pub(super) fn write(&mut self, mut said: Vec<Review>) -> Result<Vec<Made>, BookError> {
        let first_ms = (self.clock)().max(self.latest_ms.saturating_add(1));
        for (line, at_ms) in said.iter_mut().zip(first_ms..) {
            line.at_ms = at_ms;
        }
        let mut before: BTreeMap<Question, Review> = BTreeMap::new();
        let made = said.iter().map(|line| {
            let question = line.question();
            let earlier = before.insert(question, line.clone());
            let earlier = earlier.or_else(|| self.said_last(question).cloned());
            let earlier = earlier.filter(|line| !is_taking_back(&line.decision));
            Made { line: line.clone(), before: earlier }
        });
        let made = made.collect();
        reviews::append(self.follower.path(), &said).map_err(BookError::Write)?;
        Ok(made)
    }

    /// Returns the lines that take a decision back: what held before holds again. `None` where
    /// something else was decided since, perhaps by somebody else.
    pub(super) fn taking_back(&self, made: &Made) -> Option<Vec<Review>> {
        let line = &made.line;
        if self.said_last(line.question()) != Some(line) {
            return None;
        }
        let decision = match line.decision {
            Decision::Keep
            | Decision::Reject { .. }
            | Decision::Relabel { .. }
            | Decision::Undecide => Decision::Undecide,
            Decision::Keeper | Decision::NoKeeper => Decision::NoKeeper,
            Decision::NotTwins { other } | Decision::UndecideTwins { other } => {
                Decision::UndecideTwins { other }
            }
        };
        let back = Review { decision, ..line.clone() };
        Some([Some(back), made.before.clone()].into_iter().flatten().collect())
    }

    /// Tells whether a picture was rejected or given another label.
    pub(super) fn is_changed(&self, picture: BlobId) -> bool {
        self.holds(Question::Picture(picture)).is_some_and(|line| line.decision != Decision::Keep)
    }
}

/// Tells whether a line says that nothing is decided.
fn is_taking_back(decision: &Decision) -> bool {
    match decision {
        Decision::Undecide | Decision::NoKeeper | Decision::UndecideTwins { .. } => true,
        Decision::Keep
        | Decision::Reject { .. }
        | Decision::Relabel { .. }
        | Decision::Keeper
        | Decision::NotTwins { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        id::Label,
        review::{Queue, Reviews},
    };

    fn said(picture: &[u8], decision: Decision) -> Review {
        Review {
            at_ms: 0,
            picture: BlobId::of(picture),
            decision,
            queue: Queue::Audit,
            shown_as: Label::new("cat").ok(),
            by: None,
        }
    }

    fn book(path: &std::path::Path) -> Book {
        Book::open(Follower::new(path.to_owned()), || 7).unwrap()
    }

    #[test]
    fn many_decisions_are_taken_back_one_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        let mut book = book(&path);
        let mut stack = Vec::new();
        let mut states = Vec::new();
        let other = BlobId::of(b"b");
        let reject = || Decision::Reject { reason: "blurred".to_owned() };
        for decision in
            [Decision::Keep, reject(), Decision::Keeper, Decision::NotTwins { other }, reject()]
        {
            states.push(Reviews::of(book.since(0)));
            stack.extend(book.write(vec![said(b"a", decision)]).unwrap());
            book.refresh().unwrap();
        }
        while let Some(made) = stack.pop() {
            let lines = book.taking_back(&made).unwrap();
            let restored = book.write(lines).unwrap();
            book.refresh().unwrap();
            // What was restored stands for the line it restores.
            if let (Some(before), Some(now)) = (made.before, restored.get(1)) {
                for it in stack.iter_mut().filter(|it| it.line == before) {
                    it.line = now.line.clone();
                }
            }
            assert_eq!(Reviews::of(book.since(0)), states.pop().unwrap());
        }
        assert_eq!(Reviews::of(&reviews::read(&path).unwrap()), Reviews::default());
    }

    #[test]
    fn what_somebody_else_decided_since_is_not_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        let (mut mine, mut theirs) = (book(&path), book(&path));
        let made = mine.write(vec![said(b"a", Decision::Keep)]).unwrap().remove(0);
        theirs.refresh().unwrap();
        theirs.write(vec![said(b"a", Decision::Reject { reason: "dark".to_owned() })]).unwrap();

        assert_eq!(mine.refresh().unwrap(), Change::Since(0));

        assert_eq!(mine.state(), (0, 2));
        assert_eq!(mine.taking_back(&made), None);
        assert!(mine.is_changed(BlobId::of(b"a")));
    }

    #[test]
    fn two_things_said_at_once_of_one_picture_hold_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut book = book(&dir.path().join("pets.reviews.jsonl"));
        let reject = Decision::Reject { reason: "dark".to_owned() };
        let made = book.write(vec![said(b"a", reject), said(b"a", Decision::Keep)]).unwrap();
        book.refresh().unwrap();

        assert_eq!(made[1].before.as_ref(), Some(&made[0].line));
        assert_eq!(book.holds(Question::Picture(BlobId::of(b"a"))), Some(&made[1].line));
    }
}
