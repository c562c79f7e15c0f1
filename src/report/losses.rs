//! Everything that is not in the dataset, reason by reason, with examples; and what went wrong.

use std::{cmp::Reverse, collections::BTreeMap};

use maud::{Markup, html};

use super::{
    Section,
    facts::{self, Facts},
    gallery::Size,
    reviewed, words,
};
use crate::{
    domain::{
        flaws::Flaw,
        id::BlobId,
        link::Trouble,
        outcome::Outcome,
        review::reasons,
        verdict::{DropReason, Ruling},
    },
    store::funnel::{Loss, Reason, Step, StepName, Thing},
};

const TEXTS_SHOWN: usize = 3;
const PICTURES_SHOWN: usize = 8;
const FAILURES_SHOWN: usize = 30;

pub(super) fn left_out(facts: &Facts) -> Section {
    let mut rows: Vec<(&Step, &Reason, u64, &[Loss])> = Vec::new();
    for step in &facts.journey.steps {
        let told = step.largest().filter(|(reason, ..)| is_told_here(reason));
        rows.extend(told.map(|(reason, n, lost)| (step, reason, n, lost)));
    }
    rows.sort_by_key(|(step, reason, n, _)| (Reverse(*n), step.name, *reason));
    Section {
        id: "left-out",
        title: "Left out, and why",
        lead: html! {
            @if let Some((_, reason, n, _)) = rows.first() {
                strong { (words::of(rows.iter().map(|(_, _, n, _)| n).sum(), "time")) } " something was left out for "
                (words::of(words::count(rows.len()), "reason")) ", most often \u{201c}" (words::shortened(&reason.to_string(), 80)) "\u{201d} ("
                (words::number(*n)) "). "
            }
            "Duplicates and conflicts have their own parts above."
        },
        body: html! {
            @if rows.is_empty() {
                p.empty { "Nothing was left out." }
            } @else {
                dl.reasons {
                    @for (step, reason, n, lost) in &rows {
                        div {
                            dt { strong { (words::number(*n)) } " " (reason) span.soft { " \u{b7} " (at(step.name)) } }
                            dd { (examples(facts, reason, lost)) }
                        }
                    }
                }
            }
        },
    }
}

/// Tells whether a reason belongs into this list: a finding about the data that no other part
/// of the page is about.
fn is_told_here(reason: &Reason) -> bool {
    let twin = Reason::Dropped("twin");
    let conflict = Reason::Dropped("label conflict");
    match reason {
        Reason::Rejected(_) | Reason::InGallery(_) | Reason::Leak | Reason::TinyClass => true,
        Reason::Dropped(_) => *reason != twin && *reason != conflict,
        Reason::SameAddress | Reason::SameBytes | Reason::Failed(_) | Reason::NotDoneYet => false,
    }
}

fn at(step: StepName) -> &'static str {
    match step {
        StepName::Posts => "seen in the post",
        StepName::Links | StepName::Addresses => "seen when fetching",
        StepName::Fetched | StepName::Files => "seen in the file",
        StepName::Readable => "seen in the picture",
        StepName::Kept | StepName::Dataset => "seen when preparing",
    }
}

fn examples(facts: &Facts, reason: &Reason, lost: &[Loss]) -> Markup {
    let with_picture = |loss: &&Loss| match &loss.thing {
        Thing::Blob(blob) => facts.rulings.get(blob).is_some_and(is_shown),
        Thing::Post(_) | Thing::Link(_) | Thing::Address(_) => false,
    };
    let pictures: Vec<&Loss> = lost.iter().filter(with_picture).take(PICTURES_SHOWN).collect();
    html! {
        @if pictures.is_empty() {
            ul.plain {
                @for loss in lost.iter().take(TEXTS_SHOWN) {
                    @let detail = words::shortened(&loss.detail, 160);
                    li {
                        @match facts.post_of(&loss.thing) {
                            Some((id, post)) => {
                                (facts::post_link(id, post))
                                @if detail != reason.to_string() { span.soft { " \u{2013} " (detail) } }
                            },
                            None => (detail),
                        }
                    }
                }
            }
        } @else {
            div.thumbs.told {
                @for loss in pictures {
                    @if let Thing::Blob(blob) = &loss.thing {
                        figure.thumb {
                            (facts.gallery().original(blob, Size::Small, &facts.alt(blob)))
                            figcaption { (measure(facts, loss)) }
                        }
                    }
                }
            }
        }
    }
}

/// Nothing is shown of what was taken back, nor of what a person calls offensive.
fn is_shown(ruling: &Ruling) -> bool {
    match ruling {
        Ruling::Drop(
            DropReason::Reviewed { reason } | DropReason::TwinOfRejected { reason, .. },
        ) => reason != reasons::OFFENSIVE,
        Ruling::Drop(DropReason::TakenBack { .. }) => false,
        Ruling::Keep { .. }
        | Ruling::Drop(
            DropReason::Twin { .. } | DropReason::LabelConflict { .. } | DropReason::Flawed(_),
        ) => true,
    }
}

/// Writes what was measured, without the words of the reason it stands under.
fn measure(facts: &Facts, loss: &Loss) -> String {
    let Thing::Blob(blob) = &loss.thing else { return loss.detail.clone() };
    match facts.rulings.get(blob) {
        Some(Ruling::Drop(reason)) => match reason {
            DropReason::Flawed(Flaw { measure, found, .. }) => {
                let row = measure.row();
                format!("{} {}", row.words, row.unit.write(*found))
            }
            DropReason::Reviewed { .. } => rejection(facts, blob, reason.to_string()),
            DropReason::TwinOfRejected { of, .. } => rejection(facts, of, reason.to_string()),
            DropReason::Twin { .. }
            | DropReason::TakenBack { .. }
            | DropReason::LabelConflict { .. } => reason.to_string(),
        },
        Some(Ruling::Keep { .. }) | None => loss.detail.clone(),
    }
}

/// Adds to the words of a rejection who said it, when and where.
fn rejection(facts: &Facts, rejected: &BlobId, reason: String) -> String {
    match facts.rejection(rejected) {
        Some(line) => format!("{reason}; {}", reviewed::whence(line)),
        None => reason,
    }
}

/// One kind of trouble: where, what, how often, and what will be done about it.
struct Row {
    at: String,
    message: String,
    count: u64,
    end: String,
}

pub(super) fn troubles(facts: &Facts) -> Section {
    let rows = failures(facts);
    let healed = healed(facts);
    let pending: Vec<(&'static str, u64)> = facts
        .journey
        .steps
        .iter()
        .map(|step| (step.name.name(), step.n_lost(&Reason::NotDoneYet)))
        .filter(|(_, n)| *n != 0)
        .collect();
    Section {
        id: "troubles",
        title: "Troubles",
        lead: html! { "What failed for reasons of ours or of the net, apart from the data." },
        body: html! {
            @if rows.is_empty() {
                p.empty { "Nothing is in the state of failure." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Troubles" { table.troubles {
                    thead { tr {
                        th scope="col" { "Where" } th scope="col" { "Times" }
                        th scope="col" { "What happened" } th scope="col" { "What now" }
                    } }
                    tbody { @for row in rows.iter().take(FAILURES_SHOWN) {
                        tr {
                            th scope="row" { (row.at) } td { (words::number(row.count)) }
                            td.text { (words::shortened(&row.message, 300)) } td.text { (row.end) }
                        }
                    } }
                } }
                @if FAILURES_SHOWN < rows.len() {
                    p.soft { "and " (rows.len() - FAILURES_SHOWN) " other kinds" }
                }
            }
            @if !pending.is_empty() {
                p { "Not done yet: "
                    @for (n, (name, count)) in pending.iter().enumerate() {
                        @if n != 0 { ", " } (words::number(*count)) " of the " (name)
                    }
                    ". " code { "snapset run" } " goes on where it stopped."
                }
            }
            @if !healed.is_empty() {
                p { "Healed by trying again: "
                    @for (n, (name, count)) in healed.iter().enumerate() {
                        @if n != 0 { ", " } (words::number(*count)) " \u{d7} " (name)
                    }
                    "."
                }
            }
        },
    }
}

fn failures(facts: &Facts) -> Vec<Row> {
    let mut rows = Vec::new();
    for (place, settled) in &facts.listings {
        match &settled.outcome {
            Outcome::Failed(failure) => rows.push(Row {
                at: format!("listing {place}"),
                message: failure.message.clone(),
                count: 1,
                end: if failure.transient { "will be tried again" } else { "given up" }.to_owned(),
            }),
            Outcome::Made(listing) if !listing.unreadable.is_empty() => rows.push(Row {
                at: format!("listing {place}"),
                message: listing.unreadable.first().cloned().unwrap_or_default(),
                count: words::count(listing.unreadable.len()),
                end: "posts that could not be read, the first one shown".to_owned(),
            }),
            Outcome::Rejected(reject) => rows.push(Row {
                at: format!("listing {place}"),
                message: reject.to_string(),
                count: 1,
                end: "given up".to_owned(),
            }),
            Outcome::Made(_) => (),
        }
    }
    for step in &facts.journey.steps {
        for (reason, count, lost) in step.largest() {
            if let Reason::Failed(message) = reason {
                let end = lost.first().map(|loss| loss.detail.clone()).unwrap_or_default();
                rows.push(Row {
                    at: step.name.name().to_owned(),
                    message: message.clone(),
                    count,
                    end,
                });
            }
        }
    }
    rows
}

/// Counts the passing troubles that pictures came through.
fn healed(facts: &Facts) -> BTreeMap<&'static str, u64> {
    let mut healed = BTreeMap::new();
    for trouble in facts.downloads.values().flat_map(|download| &download.troubles) {
        let name = match trouble {
            Trouble::Throttled => "told to wait (429)",
            Trouble::Truncated => "cut off",
            Trouble::Stalled => "stalled",
            Trouble::ServerError => "server error",
            Trouble::Connection => "broken connection",
            Trouble::HostDown => "host down",
        };
        *healed.entry(name).or_default() += 1;
    }
    healed
}
