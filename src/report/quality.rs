//! How the pictures fare by each measure: the spread of its numbers, its limit, and what lies
//! just on both sides of it; and the pictures that look unlike the rest of their class.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::{Section, facts::Facts, gallery::Size, spread::Spread, words};
use crate::domain::{
    flaws::{Bound, Measure, ROWS, Row},
    id::{BlobId, Label},
    outliers::Outlier,
    verdict::{DropReason, Ruling},
};

/// How many pictures are shown on each side of a limit.
const EXAMPLES: usize = 4;

/// How many outliers of a class are shown, and of how many classes.
const OUTLIERS_SHOWN: usize = 8;
const CLASSES_SHOWN: usize = 12;

/// What one measure found: the pictures it dropped and those that were kept, both with their
/// numbers, nearest to the limit first.
struct Sides {
    dropped: Vec<(u32, BlobId)>,
    kept: Vec<(u32, BlobId)>,
}

pub(super) fn measures(facts: &Facts) -> Section {
    let is_flawed = |(_, reason): &(BlobId, &DropReason)| matches!(reason, DropReason::Flawed(_));
    let n_flawed = words::count(facts.dropped().filter(is_flawed).count());
    let n_measured = words::count(facts.measures.len());
    Section {
        id: "quality",
        title: "Quality, measure by measure",
        lead: html! {
            strong { (words::number(n_flawed)) " of " (words::of(n_measured, "picture")) }
            " were left out for what they are by themselves. The line is the limit of the pipeline "
            "file; the pictures are those nearest to it."
        },
        body: html! {
            @if facts.measures.is_empty() {
                p.empty { "No picture has been measured yet." }
            } @else {
                div.measures {
                    @for (at, row) in ROWS.iter().enumerate() { (card(facts, at, row)) }
                }
            }
        },
    }
}

fn card(facts: &Facts, at: usize, row: &Row) -> Markup {
    let limit = (row.limit)(facts.input.limits);
    let Sides { dropped, kept } = sides(facts, at, row, limit);
    let numbers = facts.measures.values().map(|numbers| numbers[at]).collect();
    let spread = Spread { numbers, limit, unit: row.unit, label: row.words };
    let (least, greatest) = spread.range();
    html! {
        article.measure {
            h3 { (row.words) }
            p.evidence {
                code { "clean." (row.setting) } ", "
                (row.bound.words()) " " strong { (row.unit.write(limit)) } ": "
                @if dropped.is_empty() { "none left out" } @else {
                    strong { (words::number(words::count(dropped.len()))) } " left out as \u{201c}"
                    (row.kind) "\u{201d}"
                }
            }
            (spread.draw())
            p.side { "found " (least) " to " (greatest) }
            (spread.table())
            @if !dropped.is_empty() { (examples(facts, row, ("just left out", &dropped))) }
            @if !kept.is_empty() { (examples(facts, row, ("just kept", &kept))) }
        }
    }
}

fn sides(facts: &Facts, at: usize, row: &Row, limit: u32) -> Sides {
    let mut sides = Sides { dropped: Vec::new(), kept: Vec::new() };
    for (blob, numbers) in &facts.measures {
        match facts.rulings.get(blob) {
            Some(Ruling::Drop(reason)) if is_struck(reason, row.measure) => {
                sides.dropped.push((numbers[at], *blob));
            }
            Some(Ruling::Keep { .. }) => sides.kept.push((numbers[at], *blob)),
            Some(Ruling::Drop(_)) | None => (),
        }
    }
    for side in [&mut sides.dropped, &mut sides.kept] {
        side.sort_unstable_by_key(|(number, blob)| (number.abs_diff(limit), *blob));
    }
    // A picture without any text says nothing about the limit of text.
    let is_telling = |number: u32| match row.bound {
        Bound::AtLeast => number < limit.saturating_mul(8).max(limit + 24),
        Bound::AtMost => limit / 4 < number,
    };
    sides.kept.retain(|(number, _)| is_telling(*number));
    sides
}

fn is_struck(reason: &DropReason, measure: Measure) -> bool {
    match reason {
        DropReason::Flawed(flaw) => flaw.measure == measure,
        DropReason::Twin { .. }
        | DropReason::LabelConflict { .. }
        | DropReason::TakenBack { .. }
        | DropReason::Reviewed { .. }
        | DropReason::TwinOfRejected { .. } => false,
    }
}

fn examples(facts: &Facts, row: &Row, (title, side): (&str, &[(u32, BlobId)])) -> Markup {
    html! {
        p.side { (title) }
        div.thumbs.told {
            @for (number, blob) in side.iter().take(EXAMPLES) {
                figure.thumb {
                    (facts.gallery().original(blob, Size::Small, &facts.alt(blob)))
                    figcaption { (row.unit.write(*number)) }
                }
            }
        }
    }
}

pub(super) fn outliers(facts: &Facts) -> Section {
    let n: usize = facts.outliers.values().map(Vec::len).sum();
    let mut classes: Vec<(&Label, &Vec<Outlier>)> = facts.outliers.iter().collect();
    classes.sort_by_key(|(label, outliers)| (Reverse(outliers.len()), *label));
    Section {
        id: "outliers",
        title: "Unlike the rest of their class",
        lead: html! {
            "Suggestions for a look, nothing more: all of these are in the dataset. Light, colour, "
            "shape and texture of "
            strong { (words::of(words::count(n), "picture")) }
            " lie far from everything else in the class."
        },
        body: html! {
            @if classes.is_empty() {
                p.empty { "No picture stands out from its class." }
            }
            @for (label, outliers) in classes.iter().take(CLASSES_SHOWN) {
                h3 { (label) }
                div.thumbs.told {
                    @for outlier in outliers.iter().take(OUTLIERS_SHOWN) { (stranger(facts, *outlier)) }
                }
                @if OUTLIERS_SHOWN < outliers.len() {
                    p.soft { "and " (outliers.len() - OUTLIERS_SHOWN) " more" }
                }
            }
            @if CLASSES_SHOWN < classes.len() {
                p.soft { "and " (classes.len() - CLASSES_SHOWN) " more classes" }
            }
        },
    }
}

fn stranger(facts: &Facts, outlier: Outlier) -> Markup {
    let Outlier { blob, strangeness } = outlier;
    html! {
        figure.thumb {
            (facts.gallery().original(&blob, Size::Small, &facts.alt(&blob)))
            figcaption {
                (strangeness / 100) "." (strangeness / 10 % 10) " \u{d7} as far as usual"
                span { code { (blob.short()) } }
            }
        }
    }
}
