//! On how few people and days the dataset hangs, and what each day of work on it brought.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{
    Section,
    facts::Facts,
    places,
    plots::{self, Shares},
    words,
};
use crate::domain::{dataset::Picture, id::BlobId};

/// How many classes, and how many days of work, are listed.
const CLASSES_SHOWN: usize = 48;
const DAYS_SHOWN: usize = 60;

pub(super) fn section(facts: &Facts) -> Section {
    let pictures: Vec<&Picture> = facts.pictures.iter().collect();
    let whole = shares("all classes", &pictures);
    let mut by_class: BTreeMap<&str, Vec<&Picture>> = BTreeMap::new();
    for picture in &facts.pictures {
        by_class.entry(picture.label.as_str()).or_default().push(picture);
    }
    let classes: Vec<Shares> = by_class.iter().map(|(name, of)| shares(name, of)).collect();
    let posted: Vec<(i64, &str)> = facts
        .pictures
        .iter()
        .filter_map(|it| Some((it.provenance.created_utc?, it.label.as_str())))
        .collect();
    Section {
        id: "concentration",
        title: "Authors and time",
        lead: lead(&pictures, &whole, &posted),
        body: html! {
            @if pictures.is_empty() {
                p.empty { "The dataset is still empty, so nobody has given to it." }
            } @else {
                div.plots {
                    (plots::authors(&classes))
                    (plots::months(&posted))
                }
                (table(&by_class, &classes))
            }
            (days(facts))
        },
    }
}

fn author(picture: &Picture) -> Option<&str> {
    picture.provenance.author.as_deref()
}

/// Counts what each named author gave, the most first.
fn shares(name: &str, pictures: &[&Picture]) -> Shares {
    let mut given: BTreeMap<&str, u64> = BTreeMap::new();
    for name in pictures.iter().filter_map(|it| author(it)) {
        *given.entry(name).or_default() += 1;
    }
    let mut by_author: Vec<u64> = given.into_values().collect();
    by_author.sort_unstable_by(|a, b| b.cmp(a));
    Shares { name: name.to_owned(), by_author }
}

fn lead(pictures: &[&Picture], whole: &Shares, posted: &[(i64, &str)]) -> Markup {
    let n_authors = words::count(whole.by_author.len());
    let named = words::count(pictures.iter().filter(|it| author(it).is_some()).count());
    html! {
        @if n_authors == 0 {
            "Nobody is named as the author of a picture. "
        } @else {
            strong { (words::of(n_authors, "author")) } " gave " (words::of(named, "picture")) ": half of them came from "
            strong { (words::number(words::count(whole.half()))) } ", and "
            strong { (words::percent(whole.of_largest(1))) } " from a single one. "
        }
        @if let Some((noun, name, n)) = plots::busiest(posted) {
            "The busiest " (noun) " was " strong { (name) } " with " (words::of(n, "picture")) ". "
        }
        "A model may learn the hand of one author, or the light of one season, in place of the class."
    }
}

fn table(by_class: &BTreeMap<&str, Vec<&Picture>>, classes: &[Shares]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Authors and days of each class" { table.authors {
            thead { tr {
                th scope="col" { "Class" } th scope="col" { "Pictures" } th scope="col" { "Named authors" }
                th scope="col" { "Largest" } th scope="col" { "Ten largest" } th scope="col" { "Half come from" }
                th scope="col" { "Posted" }
            } }
            tbody { @for ((name, pictures), shares) in by_class.iter().zip(classes).take(CLASSES_SHOWN) {
                tr {
                    th scope="row" { (name) }
                    td { (words::number(words::count(pictures.len()))) }
                    td { (words::number(words::count(shares.by_author.len()))) }
                    td { (words::percent(shares.of_largest(1))) }
                    td { (words::percent(shares.of_largest(10))) }
                    td { (words::number(words::count(shares.half()))) }
                    td { (span(pictures)) }
                }
            } }
        } }
        @if CLASSES_SHOWN < classes.len() {
            p.soft { "and " (classes.len() - CLASSES_SHOWN) " more classes" }
        }
    }
}

fn span(pictures: &[&Picture]) -> Markup {
    let posted = || pictures.iter().filter_map(|it| it.provenance.created_utc);
    html! {
        @match (posted().min(), posted().max()) {
            (Some(first), Some(last)) => { time { (words::day(first)) } " to " time { (words::day(last)) } },
            (_, _) => "\u{2013}",
        }
    }
}

/// What was done on one day.
#[derive(Default)]
struct Work {
    fetched: u64,
    /// How many of these are in the dataset today.
    kept: u64,
    /// The places that were last listed then.
    listed: u64,
    trainings: u64,
}

/// Lists what each day of work brought, the latest first.
fn days(facts: &Facts) -> Markup {
    let kept: BTreeSet<BlobId> = facts.pictures.iter().map(|it| it.blob).collect();
    let mut days: BTreeMap<String, Work> = BTreeMap::new();
    for (blob, download) in &facts.downloads {
        let day = days.entry(words::day(download.retrieved_at)).or_default();
        day.fetched += 1;
        day.kept += u64::from(kept.contains(blob));
    }
    for (_, settled) in &facts.listings {
        if let Some(listing) = places::made(settled).filter(|it| it.listed_at != 0) {
            days.entry(words::day(listing.listed_at)).or_default().listed += 1;
        }
    }
    for it in facts.runs.iter().filter(|it| it.run.at_s != 0) {
        days.entry(words::day(it.run.at_s)).or_default().trainings += 1;
    }
    html! {
        @if !days.is_empty() {
            h3 { "What each day of work brought" }
            div.scroll tabindex="0" role="region" aria-label="Days of work" { table.days {
                thead { tr {
                    th scope="col" { "Day" } th scope="col" { "Files fetched" }
                    th scope="col" { "Of these in the dataset" } th scope="col" { "Places last listed" }
                    th scope="col" { "Trainings" }
                } }
                tbody { @for (day, work) in days.iter().rev().take(DAYS_SHOWN) {
                    tr {
                        th scope="row" { (day) }
                        @for n in [work.fetched, work.kept, work.listed, work.trainings] { td { (words::number(n)) } }
                    }
                } }
            } }
            @if DAYS_SHOWN < days.len() {
                p.soft { "and " (days.len() - DAYS_SHOWN) " earlier days" }
            }
        }
    }
}
