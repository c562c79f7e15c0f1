//! What is decided of each queue: a flag per item, kept up as decisions come in.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    book::{Book, Change},
    desk::{CardId, Desk},
    queues::Item,
};
use crate::domain::{
    id::BlobId,
    review::{Decision, Question, Queue, Review},
};

/// The queues a person is led through.
pub(super) const SHOWN: [Queue; 6] =
    [Queue::Conflicts, Queue::Twins, Queue::Suspects, Queue::Leaks, Queue::Quality, Queue::Audit];

#[derive(Default)]
pub(super) struct Tally {
    decided: BTreeMap<Queue, Flags>,
}

#[derive(Default)]
struct Flags {
    flags: Vec<bool>,
    n_set: usize,
}

impl Tally {
    pub(super) fn of(desk: &Desk, book: &Book) -> Self {
        let flags = |queue: Queue| {
            let flags: Vec<bool> =
                desk.queue(queue).iter().map(|item| is_decided(desk, book, queue, item)).collect();
            let n_set = flags.iter().filter(|it| **it).count();
            (queue, Flags { flags, n_set })
        };
        Self { decided: SHOWN.into_iter().map(flags).collect() }
    }

    /// Looks again at what a change of the book may have decided.
    pub(super) fn follow(&mut self, desk: &Desk, book: &Book, change: Change) {
        match change {
            Change::Nothing => (),
            Change::Everything => *self = Self::of(desk, book),
            Change::Since(number) => {
                for (queue, at) in touched(desk, book.since(number)) {
                    let (Some(item), Some(flags)) =
                        (desk.queue(queue).get(at), self.decided.get_mut(&queue))
                    else {
                        continue;
                    };
                    if let Some(flag) = flags.flags.get_mut(at) {
                        flags.n_set -= usize::from(*flag);
                        *flag = is_decided(desk, book, queue, item);
                        flags.n_set += usize::from(*flag);
                    }
                }
            }
        }
    }

    pub(super) fn is_decided(&self, queue: Queue, at: usize) -> bool {
        self.decided.get(&queue).and_then(|it| it.flags.get(at)).is_some_and(|it| *it)
    }

    pub(super) fn n_decided(&self, queue: Queue) -> usize {
        self.decided.get(&queue).map_or(0, |it| it.n_set)
    }
}

/// Returns the items that lines may have changed: queue and place.
pub(super) fn touched(desk: &Desk, lines: &[Review]) -> BTreeSet<(Queue, usize)> {
    let mut found = BTreeSet::new();
    for line in lines {
        let other = match line.question() {
            Question::Picture(_) | Question::Keeper(_) => None,
            Question::Pair(a, b) => Some(if a == line.picture { b } else { a }),
        };
        let cards = [Some(line.picture), other].into_iter().flatten();
        for id in cards.filter_map(|blob| desk.find(&blob)) {
            let waits =
                desk.waits(id).filter_map(|(queue, at)| Some((queue, usize::try_from(at).ok()?)));
            found.extend(waits);
        }
    }
    found
}

/// Tells whether an item need not be looked at any more.
fn is_decided(desk: &Desk, book: &Book, queue: Queue, item: &Item) -> bool {
    let blob = |id: CardId| desk.card(id).blob;
    let picture = blob(item.picture);
    let beside = item.beside.map(blob);
    let is_ruled = || book.holds(Question::Picture(picture)).is_some();
    match queue {
        Queue::Conflicts => is_ruled() || beside.is_some_and(|it| are_strangers(book, picture, it)),
        Queue::Twins | Queue::Leaks => beside.is_some_and(|beside| {
            let is_settled =
                |it| book.holds(Question::Keeper(it)).is_some() || is_rejected(book, it);
            are_strangers(book, picture, beside) || is_settled(picture) || is_settled(beside)
        }),
        Queue::Suspects | Queue::Quality => is_ruled(),
        // What was kept elsewhere is still part of what the sample stands for.
        Queue::Audit => book.sample().has(&picture) || book.is_changed(picture),
        Queue::Elsewhere => false,
    }
}

pub(super) fn are_strangers(book: &Book, a: BlobId, b: BlobId) -> bool {
    book.holds(Question::Pair(a.min(b), a.max(b))).is_some()
}

fn is_rejected(book: &Book, picture: BlobId) -> bool {
    let line = book.holds(Question::Picture(picture));
    line.is_some_and(|line| matches!(line.decision, Decision::Reject { .. }))
}
