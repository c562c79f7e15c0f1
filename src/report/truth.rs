//! What the demo site planted beside what was found.

use maud::{Markup, html};

use super::{
    PlantedReport, PlantedRow, Section,
    duplicates::{self, Pair},
    facts::Facts,
    words,
};
use crate::{domain::planted::Plant, store::StoreError};

/// How many missed plants and false twins are listed.
const SHOWN: usize = 12;

pub(super) fn section(facts: &Facts, planted: &PlantedReport) -> Result<Section, StoreError> {
    let rows = || planted.rows.iter().filter(|row| row.planted != 0);
    let all: u64 = rows().map(|row| row.planted).sum();
    let found: u64 = rows().map(|row| row.found).sum();
    let false_twins = words::count(planted.false_twins.len());
    let pairs = planted.false_twins.iter().take(SHOWN).map(|twin| {
        let (keeper, dropped) = (twin.keeper, twin.dropped);
        duplicates::pair(
            facts,
            &Pair { keeper, dropped, distance: twin.distance, similarity: twin.similarity },
        )
    });
    let pairs = pairs.collect::<Result<Vec<Markup>, _>>()?;
    Ok(Section {
        id: "planted",
        title: "Planted and found",
        lead: html! {
            "The demo site plants trouble and knows the truth: "
            strong { (words::number(found)) " of " (words::number(all)) } " were found, with "
            strong { (words::of(false_twins, "false twin")) } "."
            @if let Some(recall) = planted.twin_recall {
                " Of the edited copies " strong { (words::percent(recall)) } " were recognised."
            }
        },
        body: html! {
            div.scroll tabindex="0" role="region" aria-label="What was planted, as a table" { table.planted {
                thead { tr {
                    th scope="col" { "Trouble" } th scope="col" { "Planted" } th scope="col" { "Found" }
                    th.wide scope="col" { span.unseen { "Share found" } } th scope="col" { span.unseen { "Verdict" } }
                } }
                tbody { @for row in rows() { (row_of(row)) } }
            } }
            @if !planted.missed.is_empty() {
                h3 { "Missed" }
                ul.plain {
                    @for plant in planted.missed.iter().take(SHOWN) { (missed(facts, plant)) }
                }
                (more(planted.missed.len()))
            }
            @if !pairs.is_empty() {
                h3 { "False twins" }
                div.pairs { @for pair in &pairs { (pair) } }
                (more(planted.false_twins.len()))
            }
        },
    })
}

fn row_of(row: &PlantedRow) -> Markup {
    let share = words::share(row.found, row.planted) * 100.0;
    let is_whole = row.found == row.planted;
    html! {
        tr {
            th scope="row" { (row.kind.name()) }
            td { (words::number(row.planted)) }
            td { (words::number(row.found)) }
            td.wide aria-hidden="true" {
                div.stack { span class=(if is_whole { "good" } else { "bad" }) style=(format!("width:{share:.2}%")) {} }
            }
            @if is_whole {
                td.good { "\u{2713} all" }
            } @else {
                td.bad { "\u{2717} " (words::number(row.planted - row.found)) " missed" }
            }
        }
    }
}

fn missed(facts: &Facts, plant: &Plant) -> Markup {
    html! {
        li {
            (plant.kind.name()) " in " code { (plant.post) }
            @if let Some(url) = &plant.url { ": " code { (url) } }
            @if let Some(url) = &plant.original { ", made from " code { (url) } }
            @if !facts.posts.contains_key(&plant.post) { " (the post was not collected)" }
        }
    }
}

fn more(n: usize) -> Markup {
    html! {
        @if SHOWN < n { p.soft { "and " (words::number(words::count(n - SHOWN))) " more" } }
    }
}
