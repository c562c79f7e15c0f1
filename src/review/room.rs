//! What the requests share: the desk, the pictures, the book. Every answer to a request for data
//! is made here, after a look at what others added to the file.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Deserialize;

use super::{
    Reviewer,
    answers::{self, Page, Shown, Standing, Written},
    book::{Book, BookError, Made},
    desk::{Card, Desk},
    shelf::Shelf,
    tally::{self, Tally},
};
use crate::{
    domain::{
        id::{BlobId, Label},
        review::{Decision, Queue, Review},
    },
    store::reviews::Follower,
};

/// The most decisions of one request.
const SAID_MAX: usize = 500;

/// The longest reason of a rejection, in bytes.
const REASON_MAX: usize = 200;

/// How many answers are remembered for requests that are sent again.
const ANSWERED_MAX: usize = 256;

pub(super) struct Room {
    pub desk: Arc<Desk>,
    pub shelf: Shelf,
    reviewer: Reviewer,
    // All requests read and write the one book.
    ledger: Mutex<Ledger>,
}

struct Ledger {
    book: Book,
    tally: Tally,
    /// What was answered to which request, by the name the page gave it.
    answered: VecDeque<(String, Written)>,
}

/// Which part of a queue is wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part {
    /// The first place looked at.
    #[serde(default)]
    pub from: usize,
    /// Looks backwards from before this place instead.
    pub before: Option<usize>,
    pub n: usize,
    /// Words that must all be found in titles, places, classes or the digest.
    #[serde(default)]
    pub filter: String,
    /// Whether what is decided is wanted as well.
    #[serde(default)]
    pub decided: Decided,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Decided {
    #[default]
    Left,
    All,
}

/// Decisions of one moment. The name makes sending them twice harmless.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    pub name: String,
    pub said: Vec<Said>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Said {
    pub picture: BlobId,
    #[serde(flatten)]
    pub decision: Decision,
}

/// Decisions to take back, the last first.
#[derive(Debug, Deserialize)]
pub(super) struct Regret {
    pub name: String,
    pub made: Vec<Made>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum RoomError {
    #[error(transparent)]
    Book(#[from] BookError),
    #[error("picture {0} is not of this dataset, or is no longer seen; load the page again")]
    NoSuchPicture(BlobId),
    #[error("there is no class `{0}` in the pipeline file; load the page again after it is added")]
    NoSuchClass(Label),
    #[error("a rejection gives a reason of 1 to {REASON_MAX} bytes")]
    Reason,
    #[error("picture {0} was posted under several classes: say which one it shows")]
    Ambiguous(BlobId),
    #[error("a picture is no pair with itself")]
    Alone,
    #[error("at most {SAID_MAX} decisions at a time")]
    TooMany,
}

/// What a page is told after a change: the whole, and the changed items of its queue.
#[derive(Debug, serde::Serialize)]
pub(super) struct News {
    #[serde(flatten)]
    standing: Standing,
    /// The file was rewritten: everything is to be asked for anew.
    anew: bool,
    items: Vec<Shown>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    written: Option<Written>,
}

/// The queue a page shows, and the state of the book it last heard of.
type Asked = (Queue, (u64, usize));

impl Room {
    pub(super) fn open(desk: Desk, reviewer: Reviewer) -> Result<Self, BookError> {
        let desk = Arc::new(desk);
        let book = Book::open(Follower::new(desk.reviews.clone()), reviewer.clock)?;
        let tally = Tally::of(&desk, &book);
        let shelf = Shelf::of(Arc::clone(&desk));
        let ledger = Mutex::new(Ledger { book, tally, answered: VecDeque::new() });
        Ok(Self { desk, shelf, reviewer, ledger })
    }

    /// Opens the book after a look at what others wrote.
    fn ledger(&self) -> Result<MutexGuard<'_, Ledger>, BookError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.refresh(&self.desk)?;
        Ok(ledger)
    }

    pub(super) fn desk_card(&self) -> Result<serde_json::Value, RoomError> {
        let ledger = self.ledger()?;
        let card = answers::desk_card(&self.desk, &ledger.book, &ledger.tally);
        Ok(serde_json::to_value(card).expect("an answer has text keys"))
    }

    /// Returns a part of a queue, with where the next one begins.
    pub(super) fn page(&self, queue: Queue, part: &Part) -> Result<Page, RoomError> {
        let ledger = self.ledger()?;
        let Ledger { book, tally, .. } = &*ledger;
        let words: Vec<String> = part.filter.split_whitespace().map(str::to_lowercase).collect();
        let items = self.desk.queue(queue);
        let is_wanted = |at: &usize| {
            let is_open = part.decided == Decided::All || !tally.is_decided(queue, *at);
            is_open && (words.is_empty() || self.has_words(queue, *at, &words))
        };
        let n = part.n.clamp(1, 200);
        let mut found: Vec<usize> = match part.before {
            None => (part.from..items.len()).filter(is_wanted).take(n + 1).collect(),
            Some(before) => {
                let before = before.min(items.len());
                let mut found: Vec<usize> = (0..before).rev().filter(is_wanted).take(n).collect();
                found.reverse();
                found
            }
        };
        let next = if found.len() <= n { None } else { found.pop() };
        let first = found.first().copied().unwrap_or(part.from.min(items.len()));
        let previous = (0..first).rev().find(is_wanted);
        let show = |at| answers::shown(&self.desk, book, tally, (queue, at));
        Ok(Page {
            standing: answers::standing(&self.desk, book, tally),
            items: found.into_iter().filter_map(show).collect(),
            next,
            previous,
        })
    }

    /// Tells whether each word is found in what is known of an item.
    fn has_words(&self, queue: Queue, at: usize, words: &[String]) -> bool {
        let Some(item) = self.desk.queue(queue).get(at) else { return false };
        let cards = [Some(item.picture), item.beside].into_iter().flatten();
        let cards: Vec<&Card> = cards.map(|id| self.desk.card(id)).collect();
        words.iter().all(|word| cards.iter().any(|card| self.has_word(card, word)))
    }

    fn has_word(&self, card: &Card, word: &str) -> bool {
        if let Some(class) = word.strip_prefix("class:") {
            return self.desk.posted_as(card).iter().any(|label| label.as_str() == class);
        }
        let has = |text: &str| text.to_lowercase().contains(word);
        card.posts.iter().any(|post| {
            has(&post.title)
                || has(self.desk.place_name(post.place))
                || self.desk.label(post.label).is_some_and(|label| has(label.as_str()))
        }) || card.blob.to_string().starts_with(word)
    }

    /// Tells what changed since a page last heard; `None` where nothing did.
    pub(super) fn news(&self, (queue, heard): Asked) -> Result<Option<News>, RoomError> {
        let ledger = self.ledger()?;
        Ok((ledger.book.state() != heard).then(|| self.news_since(&ledger, (queue, heard))))
    }

    fn news_since(&self, ledger: &Ledger, (queue, (edition, lines)): Asked) -> News {
        let Ledger { book, tally, .. } = ledger;
        let anew = book.state().0 != edition;
        let changed = if anew { &[] } else { book.since(lines) };
        let touched = tally::touched(&self.desk, changed).into_iter();
        let touched = touched.filter(|(of, _)| *of == queue);
        News {
            standing: answers::standing(&self.desk, book, tally),
            anew,
            items: touched
                .filter_map(|place| answers::shown(&self.desk, book, tally, place))
                .collect(),
            written: None,
        }
    }

    /// Writes decisions, all or none. The answer tells all that is new to a page that last heard
    /// at `heard`, also what others decided.
    pub(super) fn decide(&self, (queue, heard): Asked, wish: Wish) -> Result<News, RoomError> {
        let mut ledger = self.ledger()?;
        if let Some(written) = ledger.answer_to(&wish.name) {
            return Ok(News { written: Some(written), ..self.news_since(&ledger, (queue, heard)) });
        }
        if SAID_MAX < wish.said.len() {
            return Err(RoomError::TooMany);
        }
        let lines = wish.said.into_iter().map(|said| self.line(queue, said));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let made = ledger.book.write(lines)?;
        ledger.remember(wish.name, Written { made, passed_over: 0 });
        self.after_writing(&mut ledger, (queue, heard))
    }

    /// Takes decisions back; those that no longer hold are passed over.
    pub(super) fn undo(&self, (queue, heard): Asked, regret: Regret) -> Result<News, RoomError> {
        let mut ledger = self.ledger()?;
        if let Some(written) = ledger.answer_to(&regret.name) {
            return Ok(News { written: Some(written), ..self.news_since(&ledger, (queue, heard)) });
        }
        if SAID_MAX < regret.made.len() {
            return Err(RoomError::TooMany);
        }
        let (mut lines, mut passed_over) = (Vec::new(), 0);
        for made in &regret.made {
            let Made { line, before } = made;
            let said = Said { picture: line.picture, decision: line.decision.clone() };
            self.line(line.queue, said)?;
            // What held before may have come from elsewhere, by other rules; it has to be there.
            let is_known = |it: &Review| ledger.book.has(it) && it.question() == line.question();
            if !before.as_ref().is_none_or(is_known) {
                passed_over += 1;
                continue;
            }
            match ledger.book.taking_back(made) {
                Some(back) => lines.extend(back),
                None => passed_over += 1,
            }
        }
        let made = if lines.is_empty() { Vec::new() } else { ledger.book.write(lines)? };
        ledger.remember(regret.name, Written { made, passed_over });
        self.after_writing(&mut ledger, (queue, heard))
    }

    fn after_writing(&self, ledger: &mut Ledger, asked: Asked) -> Result<News, RoomError> {
        ledger.refresh(&self.desk)?;
        let written = ledger.answered.back().map(|(_, written)| written.clone());
        Ok(News { written, ..self.news_since(ledger, asked) })
    }

    /// Checks a decision and makes it a line.
    fn line(&self, queue: Queue, said: Said) -> Result<Review, RoomError> {
        let Said { picture, decision } = said;
        let find = |blob: BlobId| {
            let found = self.desk.find(&blob).map(|id| self.desk.card(id));
            found.ok_or(RoomError::NoSuchPicture(blob))
        };
        let card = find(picture)?;
        let shown_as = self.desk.shown_as(card).cloned();
        let is_posted_so = shown_as.as_ref().is_some_and(|it| self.desk.is_posted_as(card, it));
        match &decision {
            Decision::Keep if !is_posted_so => return Err(RoomError::Ambiguous(picture)),
            Decision::Reject { reason } if !(1..=REASON_MAX).contains(&reason.trim().len()) => {
                return Err(RoomError::Reason);
            }
            Decision::Relabel { label } if self.desk.labels.binary_search(label).is_err() => {
                return Err(RoomError::NoSuchClass(label.clone()));
            }
            Decision::NotTwins { other } | Decision::UndecideTwins { other } => {
                find(*other)?;
                if *other == picture {
                    return Err(RoomError::Alone);
                }
            }
            Decision::Keep
            | Decision::Reject { .. }
            | Decision::Relabel { .. }
            | Decision::Undecide
            | Decision::Keeper
            | Decision::NoKeeper => (),
        }
        let by = self.reviewer.name.clone();
        Ok(Review { at_ms: 0, picture, decision, queue, shown_as, by })
    }
}

impl Ledger {
    fn refresh(&mut self, desk: &Desk) -> Result<(), BookError> {
        let change = self.book.refresh()?;
        self.tally.follow(desk, &self.book, change);
        Ok(())
    }

    fn answer_to(&self, name: &str) -> Option<Written> {
        let found = self.answered.iter().find(|(known, _)| known == name);
        found.map(|(_, written)| written.clone())
    }

    fn remember(&mut self, name: String, written: Written) {
        self.answered.push_back((name, written));
        let n_too_many = self.answered.len().saturating_sub(ANSWERED_MAX);
        self.answered.drain(..n_too_many);
    }
}
