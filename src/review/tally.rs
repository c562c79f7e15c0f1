//! What is decided of each queue: a flag per item, kept up as decisions come in.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    book::{Book, Change},
    desk::{Card, CardId, Desk},
    queues::Item,
};
use crate::domain::{
    id::{BlobId, Label},
    review::{Decision, Question, Queue, Review},
    verdict::{DropReason, Ruling},
};

/// The queues a person is led through.
pub(super) const SHOWN: [Queue; 6] =
    [Queue::Conflicts, Queue::Twins, Queue::Suspects, Queue::Leaks, Queue::Quality, Queue::Audit];

#[derive(Default)]
pub(super) struct Tally {
    decided: BTreeMap<Queue, Flags>,
    to_audit: BTreeMap<Label, usize>,
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
        let decided: BTreeMap<Queue, Flags> = SHOWN.into_iter().map(flags).collect();
        let mut to_audit: BTreeMap<Label, usize> = BTreeMap::new();
        let audit = decided.get(&Queue::Audit).map_or(&[][..], |it| it.flags.as_slice());
        for (item, _) in desk.queue(Queue::Audit).iter().zip(audit).filter(|(_, flag)| !**flag) {
            if let Some(class) = desk.shown_as(desk.card(item.picture)) {
                *to_audit.entry(class.clone()).or_default() += 1;
            }
        }
        Self { decided, to_audit }
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
                        let was = std::mem::replace(flag, is_decided(desk, book, queue, item));
                        flags.n_set = flags.n_set + usize::from(*flag) - usize::from(was);
                        let class = desk.shown_as(desk.card(item.picture));
                        if let (Queue::Audit, Some(class)) = (queue, class) {
                            let left = self.to_audit.entry(class.clone()).or_default();
                            *left = *left + usize::from(was) - usize::from(*flag);
                        }
                    }
                }
            }
        }
    }

    pub(super) fn is_decided(&self, queue: Queue, at: usize) -> bool {
        self.decided.get(&queue).and_then(|it| it.flags.get(at)).is_some_and(|it| *it)
    }

    /// Counts the pictures of a class that the audit has yet to look at.
    pub(super) fn n_to_audit(&self, class: &Label) -> usize {
        self.to_audit.get(class).copied().unwrap_or_default()
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
            // A copy that was picked speaks of pairs one of which gave way to the other.
            let is_picked = |it| book.holds(Question::Keeper(it)).is_some();
            let is_pair = item.beside.is_some_and(|it| gave_way(desk, item.picture, it));
            are_strangers(book, picture, beside)
                || [picture, beside].into_iter().any(|it| is_rejected(book, it))
                || is_pair && (is_picked(picture) || is_picked(beside))
        }),
        Queue::Suspects | Queue::Quality => is_ruled(),
        // What was kept elsewhere is still part of what the sample stands for.
        Queue::Audit => book.sample().has(&picture) || book.is_changed(picture),
        Queue::Elsewhere => false,
    }
}

/// Tells whether one of two pictures was dropped for the other.
fn gave_way(desk: &Desk, one: CardId, other: CardId) -> bool {
    let (one, other) = (desk.card(one), desk.card(other));
    let to = |it: &Card, to: &Card| matches!(&it.ruling, Some(Ruling::Drop(DropReason::Twin { of, .. })) if *of == to.blob);
    to(one, other) || to(other, one)
}

pub(super) fn are_strangers(book: &Book, a: BlobId, b: BlobId) -> bool {
    book.holds(Question::Pair(a.min(b), a.max(b))).is_some()
}

fn is_rejected(book: &Book, picture: BlobId) -> bool {
    let line = book.holds(Question::Picture(picture));
    line.is_some_and(|line| matches!(line.decision, Decision::Reject { .. }))
}
