//! What is worth looking at, in the order in which looking is worth the most. Pure rules on what
//! the desk has read.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::desk::{Card, CardId};
use crate::domain::{
    fingerprint::{Likeness, Similarity},
    flaws::{Bound, Flaw, Limits, Numbers, ROWS},
    id::{BlobId, Label},
    learning::suspects::Suspect,
    outliers::Outlier,
    review::Queue,
    verdict::{DropReason, Ruling},
};

/// How far from the least likeness of twins a pair is still doubtful, in thousandths.
const BORDER: u16 = 100;

/// The most pairs of a queue: nobody looks at more, and there may be millions.
const PAIRS_MAX: usize = 20_000;

/// A kept picture is close to a limit if it is within so many hundredths of it.
const NEAR_PERCENT: u64 = 15;

/// One thing to look at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub picture: CardId,
    /// What it is held against.
    pub beside: Option<CardId>,
    pub why: Why,
}

/// Why it is there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Why {
    /// Posted under several classes, or as alike as this to a picture of another class.
    Conflict {
        likeness: Option<Likeness>,
    },
    /// Just alike enough to be twins.
    Twins(Likeness),
    /// Almost alike enough to be twins.
    Strangers(Likeness),
    Suspect(Suspect),
    Leak(Likeness),
    /// Dropped.
    Flawed(Flaw),
    /// Kept, and almost dropped for this.
    Near(Flaw),
    /// In hundredths of what is usual in its class.
    Outlier {
        strangeness: u32,
    },
    /// Drawn by chance.
    Drawn,
}

/// Two pictures that were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub a: CardId,
    pub b: CardId,
    pub likeness: Likeness,
}

/// The limit a kept picture is closest to, and how close, in hundredths of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NearLimit {
    pub flaw: Flaw,
    pub percent: u64,
}

/// What the queues are made from.
pub(super) struct Sources<'a> {
    pub cards: &'a [Card],
    pub labels: &'a [Label],
    /// The least likeness of twins.
    pub limit: Similarity,
    pub seed: u64,
    pub twins: Vec<Pair>,
    pub strangers: Vec<Pair>,
    pub suspects: Vec<(CardId, Suspect)>,
    pub near: Vec<(CardId, NearLimit)>,
    pub outliers: Vec<Outlier>,
}

/// Tells whether a likeness is no twins', but close to it.
pub(super) fn is_just_below(similarity: Similarity, limit: Similarity) -> bool {
    (limit.0.saturating_sub(BORDER)..limit.0).contains(&similarity.0)
}

/// Finds the limit a sound picture is closest to, if it is close to any.
pub(super) fn nearest(numbers: &Numbers, limits: &Limits) -> Option<NearLimit> {
    let near = ROWS.iter().zip(numbers).filter_map(|(row, found)| {
        let limit = (row.limit)(limits);
        let is_good = match row.bound {
            Bound::AtLeast => limit <= *found,
            Bound::AtMost => *found <= limit,
        };
        let percent = percent_off(*found, limit)?;
        let flaw = Flaw { measure: row.measure, found: *found, limit };
        (is_good && percent <= NEAR_PERCENT).then_some(NearLimit { flaw, percent })
    });
    near.min_by_key(|it| (it.percent, it.flaw.measure))
}

/// Returns how far a number is from its limit, in hundredths of the limit; `None` of no limit.
fn percent_off(found: u32, limit: u32) -> Option<u64> {
    (u64::from(found.abs_diff(limit)) * 100).checked_div(u64::from(limit))
}

/// Makes all queues.
pub(super) fn all(sources: &Sources<'_>) -> BTreeMap<Queue, Vec<Item>> {
    [
        (Queue::Conflicts, conflicts(sources)),
        (Queue::Twins, twins(sources)),
        (Queue::Suspects, suspects(sources)),
        (Queue::Leaks, leaks(sources)),
        (Queue::Quality, quality(sources)),
        (Queue::Audit, audit(sources)),
    ]
    .into()
}

impl Sources<'_> {
    fn ruling(&self, id: CardId) -> Option<&Ruling> {
        self.cards.get(id.place()).and_then(|card| card.ruling.as_ref())
    }

    fn is_kept(&self, id: CardId) -> bool {
        matches!(self.ruling(id), Some(Ruling::Keep { .. }))
    }

    fn is_flawed(&self, id: CardId) -> bool {
        matches!(self.ruling(id), Some(Ruling::Drop(DropReason::Flawed(_))))
    }

    /// Returns the classes a picture was posted under, by their places.
    fn posted_as(&self, id: CardId) -> BTreeSet<u32> {
        let posts = self.cards.get(id.place()).map_or(&[][..], |card| card.posts.as_slice());
        posts.iter().map(|post| post.label).collect()
    }
}

/// Lists every picture in conflict beside its most alike twin of another class; pictures that
/// show the same follow each other.
fn conflicts(sources: &Sources<'_>) -> Vec<Item> {
    let mut against: BTreeMap<CardId, (Likeness, CardId)> = BTreeMap::new();
    let is_closer = |it: &Likeness, known: &Likeness| {
        (Reverse(it.similarity), it.distance) < (Reverse(known.similarity), known.distance)
    };
    for Pair { a, b, likeness } in &sources.twins {
        if sources.posted_as(*a) == sources.posted_as(*b) {
            continue;
        }
        for (one, other) in [(*a, *b), (*b, *a)] {
            let known = against.entry(one).or_insert((*likeness, other));
            if is_closer(likeness, &known.0) {
                *known = (*likeness, other);
            }
        }
    }
    let mut items = Vec::new();
    let mut listed = BTreeSet::new();
    for (place, card) in sources.cards.iter().enumerate() {
        if !matches!(card.ruling, Some(Ruling::Drop(DropReason::LabelConflict { .. }))) {
            continue;
        }
        let picture = CardId::of(place);
        let found = against.get(&picture);
        let item = Item {
            picture,
            beside: found.map(|(_, other)| *other),
            why: Why::Conflict { likeness: found.map(|(likeness, _)| *likeness) },
        };
        listed.insert(picture);
        items.push(item);
    }
    // Two that contradict each other are next to each other, the firmest contradiction first.
    items.sort_by_key(|item| {
        let alike = found_likeness(item).map_or(1000, |it| it.similarity.0);
        let beside = item.beside.filter(|it| listed.contains(it)).unwrap_or(item.picture);
        (Reverse(alike), item.picture.min(beside), item.picture)
    });
    items
}

fn found_likeness(item: &Item) -> Option<Likeness> {
    match &item.why {
        Why::Conflict { likeness } => *likeness,
        Why::Twins(likeness) | Why::Strangers(likeness) | Why::Leak(likeness) => Some(*likeness),
        Why::Suspect(_) | Why::Flawed(_) | Why::Near(_) | Why::Outlier { .. } | Why::Drawn => None,
    }
}

/// Lists pairs on both sides of the line, those nearest to it first. Where the hash alone
/// decides, every likeness is the same and the most different hashes come first.
fn twins(sources: &Sources<'_>) -> Vec<Item> {
    let limit = sources.limit.0;
    let is_doubtful = |pair: &&Pair| {
        let off = pair.likeness.similarity.0.abs_diff(limit);
        let is_sound = !sources.is_flawed(pair.a) && !sources.is_flawed(pair.b);
        // Where both gave way to a third, that is the copy to speak of.
        let is_sound = is_sound && (sources.is_kept(pair.a) || sources.is_kept(pair.b));
        is_sound && (limit == 0 || off <= BORDER)
    };
    let both = sources.twins.iter().map(|pair| (pair, Why::Twins(pair.likeness)));
    let both =
        both.chain(sources.strangers.iter().map(|pair| (pair, Why::Strangers(pair.likeness))));
    nearest_first(both.filter(|(pair, _)| is_doubtful(pair)).collect(), sources.limit)
}

/// Lists pairs just below the line whose pictures are on two sides of the split.
fn leaks(sources: &Sources<'_>) -> Vec<Item> {
    let split = |id: CardId| sources.cards.get(id.place()).and_then(|card| card.split);
    let is_parted = |pair: &&Pair| match (split(pair.a), split(pair.b)) {
        (Some(a), Some(b)) => a != b,
        (None, _) | (_, None) => false,
    };
    let parted = sources.strangers.iter().filter(is_parted);
    nearest_first(parted.map(|pair| (pair, Why::Leak(pair.likeness))).collect(), sources.limit)
}

fn nearest_first(mut pairs: Vec<(&Pair, Why)>, limit: Similarity) -> Vec<Item> {
    pairs.sort_by_key(|(pair, _)| {
        let off = pair.likeness.similarity.0.abs_diff(limit.0);
        (off, Reverse(pair.likeness.distance), pair.a, pair.b)
    });
    pairs.truncate(PAIRS_MAX);
    let item = |(pair, why): (&Pair, Why)| Item { picture: pair.a, beside: Some(pair.b), why };
    pairs.into_iter().map(item).collect()
}

/// Lists the labels models doubt, as they are ranked.
fn suspects(sources: &Sources<'_>) -> Vec<Item> {
    let mut suspects: Vec<&(CardId, Suspect)> = sources.suspects.iter().collect();
    suspects.sort_by_key(|(id, suspect)| (suspect.rank, *id));
    let item = |(picture, suspect): &(CardId, Suspect)| Item {
        picture: *picture,
        beside: None,
        why: Why::Suspect(suspect.clone()),
    };
    suspects.into_iter().map(item).collect()
}

/// Lists what a measure dropped and what it almost dropped, nearest to the limit first, and in
/// between what is unlike its class, the strangest first.
fn quality(sources: &Sources<'_>) -> Vec<Item> {
    let mut measured: Vec<(u64, CardId, Why)> = Vec::new();
    for (place, card) in sources.cards.iter().enumerate() {
        if let Some(Ruling::Drop(DropReason::Flawed(flaw))) = &card.ruling {
            let percent = percent_off(flaw.found, flaw.limit).unwrap_or(u64::MAX);
            measured.push((percent, CardId::of(place), Why::Flawed(*flaw)));
        }
    }
    let near = sources.near.iter().map(|(id, it)| (it.percent, *id, Why::Near(it.flaw)));
    measured.extend(near);
    measured.sort_by_key(|(percent, id, _)| (*percent, *id));
    let mut strange: Vec<&Outlier> = sources.outliers.iter().collect();
    strange.sort_by_key(|it| (Reverse(it.strangeness), it.blob));
    let strange = strange.into_iter().filter_map(|it| {
        let place = sources.cards.binary_search_by_key(&it.blob, |card| card.blob).ok()?;
        Some((CardId::of(place), Why::Outlier { strangeness: it.strangeness }))
    });
    let mut strange = strange.peekable();
    let mut measured = measured.into_iter().map(|(_, id, why)| (id, why)).peekable();
    let mut listed = BTreeSet::new();
    let mut items = Vec::new();
    while measured.peek().is_some() || strange.peek().is_some() {
        for (picture, why) in [measured.next(), strange.next()].into_iter().flatten() {
            if listed.insert(picture) {
                items.push(Item { picture, beside: None, why });
            }
        }
    }
    items
}

/// Lists everything kept in an order drawn from the seed. The place of a picture depends on its
/// own digest alone, so the first of them are a uniform sample, also after more were collected.
fn audit(sources: &Sources<'_>) -> Vec<Item> {
    let key = blake3::derive_key("snapset 2026-11 order of the audit", &sources.seed.to_le_bytes());
    let drawn = |blob: &BlobId| *blake3::keyed_hash(&key, blob.as_bytes()).as_bytes();
    let kept = sources.cards.iter().enumerate().filter(|(_, card)| match &card.ruling {
        Some(Ruling::Keep { label }) => sources.labels.binary_search(label).is_ok(),
        Some(Ruling::Drop(_)) | None => false,
    });
    let mut order: Vec<([u8; 32], CardId)> =
        kept.map(|(place, card)| (drawn(&card.blob), CardId::of(place))).collect();
    order.sort_unstable();
    let item = |(_, picture)| Item { picture, beside: None, why: Why::Drawn };
    order.into_iter().map(item).collect()
}

#[cfg(test)]
mod tests;
