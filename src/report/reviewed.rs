//! What people decided, in words, and how right the labels are as far as an audit tells.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Section, facts::Facts, words};
use crate::{
    domain::{
        day::Day,
        id::{BlobId, Label},
        review::{
            Decision, Queue, Review, held,
            purity::{Purity, purity},
            reasons,
        },
        verdict::TwinPair,
    },
    store::{Store, StoreError},
};

/// Writes a line of the review: what was decided, by whom, when, and where the picture was met.
pub(super) fn told(line: &Review) -> String {
    format!("{}, {}", decision(line), whence(line))
}

/// Writes who decided, when, and where the picture was met.
pub(super) fn whence(line: &Review) -> String {
    let by = line.by.as_deref().map(|by| format!("by {by} ")).unwrap_or_default();
    format!("{by}on {}, {}", day(line), met(line.queue))
}

fn day(line: &Review) -> Day {
    Day::of(i64::try_from(line.at_ms / 1000).expect("a thousandth of 64 bits fits 63"))
}

fn decision(line: &Review) -> String {
    match &line.decision {
        Decision::Keep => "keep".to_owned(),
        Decision::Reject { reason } => format!("reject: {}", reasons::words(reason)),
        Decision::Relabel { label } => format!("relabel as {label}"),
        Decision::Undecide => "nothing any more".to_owned(),
        Decision::Keeper => "this is the copy to keep".to_owned(),
        Decision::NoKeeper => "not the copy to keep any more".to_owned(),
        Decision::NotTwins { other } => format!("does not show the same as {}", other.short()),
        Decision::UndecideTwins { other } => {
            format!("nothing any more of it and {}", other.short())
        }
    }
}

fn met(queue: Queue) -> &'static str {
    match queue {
        Queue::Conflicts => "among the label conflicts",
        Queue::Twins => "among the borderline twins",
        Queue::Suspects => "among the doubted labels",
        Queue::Leaks => "among the suspected leaks",
        Queue::Quality => "among the outliers of quality",
        Queue::Audit => "in the audit",
        Queue::Elsewhere => "outside the queues",
    }
}

/// Lists what people said of a picture and of its twins, as far as it holds.
pub(super) fn about(
    store: &Store,
    lines: &[Review],
    blob: &BlobId,
) -> Result<Vec<String>, StoreError> {
    let held = held(lines);
    if held.is_empty() {
        return Ok(Vec::new());
    }
    let mut said = Vec::new();
    for line in &held {
        let said_here = match &line.decision {
            Decision::NotTwins { other } if other == blob => {
                let decision = Decision::NotTwins { other: line.picture };
                told(&Review { decision, ..(*line).clone() })
            }
            Decision::NotTwins { .. }
            | Decision::Keep
            | Decision::Reject { .. }
            | Decision::Relabel { .. }
            | Decision::Undecide
            | Decision::Keeper
            | Decision::NoKeeper
            | Decision::UndecideTwins { .. } => {
                if line.picture != *blob {
                    continue;
                }
                told(line)
            }
        };
        said.push(format!("a person said: {said_here}"));
    }
    for (_, pair) in store.notes::<TwinPair>()? {
        let twin = match (pair.a == *blob, pair.b == *blob) {
            (true, _) => pair.b,
            (_, true) => pair.a,
            (false, false) => continue,
        };
        for line in held.iter().filter(|line| line.picture == twin) {
            if !matches!(line.decision, Decision::NotTwins { .. }) {
                said.push(format!("a person said of its twin {}: {}", twin.short(), told(line)));
            }
        }
    }
    Ok(said)
}

/// Shows how right an audit found the labels, and how much was decided; nothing where nobody
/// decided anything.
pub(super) fn section(facts: &Facts) -> Option<Section> {
    let held = held(&facts.lines);
    if facts.lines.is_empty() {
        return None;
    }
    let known = facts.lines.iter().filter(|line| facts.rulings.contains_key(&line.picture));
    let purity = purity(&known.cloned().collect::<Vec<_>>());
    let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut queues: BTreeMap<Queue, u64> = BTreeMap::new();
    for line in &held {
        *kinds.entry(kind(&line.decision)).or_default() += 1;
        *queues.entry(line.queue).or_default() += 1;
    }
    let kinds = words::list(kinds.iter().map(|(kind, n)| format!("{} {kind}", words::number(*n))));
    let queues = words::list(
        queues.iter().map(|(queue, n)| format!("{} {}", words::number(*n), met(*queue))),
    );
    Some(Section {
        id: "reviews",
        title: "What people decided",
        lead: html! {
            strong { (words::of(words::count(held.len()), "decision")) }
            " of people hold. They come before every rule, except that nothing brings back what was "
            "deleted."
        },
        body: html! {
            @if !held.is_empty() {
                p { "What: " (kinds) "." }
                p { "Where: " (queues) "." }
            }
            h3 { "How many labels are right" }
            @if purity.is_empty() {
                p.empty { "No audit has been made: it takes pictures by chance and asks of each whether it shows its class." }
            } @else {
                (audit(&purity))
            }
        },
    })
}

fn kind(decision: &Decision) -> &'static str {
    match decision {
        Decision::Keep => "kept",
        Decision::Reject { .. } => "rejected",
        Decision::Relabel { .. } => "relabelled",
        Decision::Keeper => "chosen among twins",
        Decision::NotTwins { .. } => "told apart",
        Decision::Undecide | Decision::NoKeeper | Decision::UndecideTwins { .. } => "taken back",
    }
}

fn audit(purity: &BTreeMap<Label, Purity>) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Right labels, class by class" { table.purity {
            thead { tr {
                th scope="col" { "Class" } th scope="col" { "Looked at" } th scope="col" { "Right" }
                th scope="col" { "Share" } th scope="col" { "95\u{a0}% interval" }
                th scope="col" { "More for \u{b1}2\u{a0}%" }
            } }
            tbody { @for (label, found) in purity {
                tr {
                    th scope="row" { (label) }
                    td { (words::number(found.seen.into())) } td { (words::number(found.right.into())) }
                    td { (words::percent(found.share.value)) }
                    td {
                        @if let Some(interval) = found.share.interval {
                            (words::percent(interval.low)) " to " (words::percent(interval.high))
                        }
                    }
                    td { (words::number(found.more_for_two_points.into())) }
                }
            } }
        } }
        p.soft {
            "Of the pictures drawn by chance from all that was kept; the interval is Wilson's. The last "
            "column says how many more to look at until it reaches two points to either side."
        }
    }
}

#[cfg(test)]
mod tests;
