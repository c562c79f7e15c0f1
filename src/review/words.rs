//! Why something is there, in words with numbers.

use super::{
    desk::{Card, Desk},
    queues::{Item, Why},
};
use crate::domain::{
    fingerprint::Likeness,
    flaws::Flaw,
    id::Label,
    review::Queue,
    verdict::{DropReason, Ruling},
};

/// Names a queue, and says what is in it.
pub(super) fn queue(queue: Queue) -> (&'static str, &'static str) {
    match queue {
        Queue::Conflicts => (
            "Conflicts",
            "The same picture was posted under several classes. All of them were dropped; say what \
             each shows.",
        ),
        Queue::Twins => (
            "Twins",
            "Pairs near the line between twins and strangers, the nearest first. Pick the copy to \
             keep, or say that they are not twins.",
        ),
        Queue::Suspects => (
            "Suspects",
            "Labels that models doubt which never saw the picture, the most doubtful first.",
        ),
        Queue::Leaks => (
            "Leaks",
            "Pictures on two sides of the split that are almost alike enough to be twins.",
        ),
        Queue::Quality => (
            "Quality",
            "Dropped or almost dropped for a measure, nearest to its limit first, and what is \
             unlike the rest of its class.",
        ),
        Queue::Audit => (
            "Audit",
            "Drawn by chance from all that is kept. What you say here measures how pure the labels \
             are.",
        ),
        Queue::Elsewhere => ("Elsewhere", "Decided outside any queue."),
    }
}

/// Says why an item is there.
pub(super) fn why(desk: &Desk, item: &Item) -> String {
    let card = desk.card(item.picture);
    let limit = desk.similarity;
    match &item.why {
        Why::Conflict { likeness } => conflict(desk, card, item, *likeness),
        Why::Twins(likeness) => {
            format!("Taken for the same picture: {}; {limit} is asked of twins.", alike(*likeness))
        }
        Why::Strangers(likeness) => {
            format!("Kept apart: {}; {limit} is asked of twins.", alike(*likeness))
        }
        Why::Suspect(suspect) => format!(
            "In {} with a probability of {}; models that never saw it say {}, {}. Doubt number {}.",
            suspect.given,
            percent(suspect.p_given),
            suspect.likely,
            percent(suspect.p_likely),
            suspect.rank.saturating_add(1)
        ),
        Why::Leak(likeness) => {
            let sides = [Some(item.picture), item.beside].into_iter().flatten();
            let sides: Vec<&str> = sides
                .filter_map(|id| desk.card(id).split)
                .map(crate::domain::split::Split::name)
                .collect();
            let sides = sides.join(" and in ");
            format!("In {sides}: {}; {limit} is asked of twins.", alike(*likeness))
        }
        Why::Flawed(flaw) => format!("Dropped: {flaw}."),
        Why::Near(flaw) => near(*flaw),
        Why::Outlier { strangeness } => format!(
            "Unlike its class: {}.{:02} times as far from its nearest neighbours as is usual there.",
            strangeness / 100,
            strangeness % 100
        ),
        Why::Drawn => "Drawn by chance from all that is kept.".to_owned(),
    }
}

fn conflict(desk: &Desk, card: &Card, item: &Item, likeness: Option<Likeness>) -> String {
    let own = listed(desk.posted_as(card));
    let beside = item.beside.map(|id| listed(desk.posted_as(desk.card(id))));
    match (beside, likeness) {
        (Some(beside), Some(likeness)) => {
            format!("Posted as {own}; beside it a twin posted as {beside}: {}.", alike(likeness))
        }
        _ => match &card.ruling {
            Some(Ruling::Drop(DropReason::LabelConflict { labels })) if 1 < labels.len() => {
                let all = listed(labels.iter());
                format!("Posted as {own}; all that shows the same was posted as {all}.")
            }
            Some(Ruling::Drop(_) | Ruling::Keep { .. }) | None => format!("Posted as {own}."),
        },
    }
}

fn near(flaw: Flaw) -> String {
    let row = flaw.measure.row();
    let [found, limit] = [flaw.found, flaw.limit].map(|it| row.unit.write(it));
    let bound = row.bound.words();
    format!("Kept, but almost {}: {} {found}, {bound} {limit} is asked.", row.kind, row.words)
}

fn alike(likeness: Likeness) -> String {
    format!("{} alike, hashes {} of 256 bits apart", likeness.similarity, likeness.distance)
}

/// Writes a probability with one decimal.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Names classes: `cat`, `cat and dog`, `cat, dog and fish`.
pub(super) fn listed<'a>(labels: impl IntoIterator<Item = &'a Label>) -> String {
    let names: Vec<&str> = labels.into_iter().map(Label::as_str).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "no class".to_owned(),
    }
}

/// Says what became of a picture.
pub(super) fn fate(card: &Card) -> String {
    match &card.ruling {
        Some(Ruling::Keep { label }) => format!("kept as {label}"),
        Some(Ruling::Drop(reason)) => format!("dropped: {}", reason.kind()),
        None => "not judged yet".to_owned(),
    }
}
