//! Where the pictures came from, whose they are, and what was made of them.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{
    Section,
    facts::{self, Facts},
    words,
};
use crate::{
    domain::{dataset::Picture, id::Place},
    store::schema::Exported,
};

/// Beyond this share of a place's pictures one author colours the whole class.
const DOMINANT: f64 = 0.2;

/// What one place gave.
#[derive(Default)]
struct Source<'a> {
    posts: u64,
    first: Option<i64>,
    last: Option<i64>,
    pictures: u64,
    by_author: BTreeMap<&'a str, u64>,
}

pub(super) fn section(facts: &Facts) -> Section {
    let sources = sources(facts);
    let authors: BTreeSet<&str> = facts.pictures.iter().filter_map(author).collect();
    let credited = words::count(facts.pictures.iter().filter_map(author).count());
    let pictures = words::count(facts.pictures.len());
    Section {
        id: "origin",
        title: "Where it came from",
        lead: html! {
            "The pictures belong to those who made them. This program cannot grant permission: before "
            "publishing, see to the rights, and honour what people delete."
        },
        body: html! {
            div.scroll tabindex="0" role="region" aria-label="Where pictures came from" { table.sources {
                thead { tr {
                    th scope="col" { "Place" } th scope="col" { "Class" } th scope="col" { "Posts" }
                    th scope="col" { "Pictures" } th scope="col" { "Authors" }
                    th scope="col" { "Largest author" } th scope="col" { "Posted" }
                } }
                tbody { @for (place, source) in &sources { (row(facts, place, source)) } }
            } }
            @if pictures != 0 {
                p {
                    strong { (words::number(credited)) " of " (words::of(pictures, "picture")) }
                    " can be attributed to " (words::of(words::count(authors.len()), "named author"))
                    "; every picture keeps its post, its address and the day it was fetched."
                }
            }
            (exports(&facts.exports))
        },
    }
}

fn author(picture: &Picture) -> Option<&str> {
    picture.provenance.author.as_deref()
}

fn sources<'a>(facts: &'a Facts) -> BTreeMap<&'a Place, Source<'a>> {
    let mut sources: BTreeMap<&Place, Source> =
        facts.input.classes.places().into_iter().map(|it| (it, Source::default())).collect();
    for post in facts.posts.values() {
        for place in &post.places {
            let Some(source) = sources.get_mut(place) else { continue };
            source.posts += 1;
            source.first = [source.first, post.created_utc].into_iter().flatten().min();
            source.last = source.last.max(post.created_utc);
        }
    }
    for picture in &facts.pictures {
        let place = Place(picture.provenance.place.clone());
        let Some(source) = sources.get_mut(&place) else { continue };
        source.pictures += 1;
        if let Some(author) = author(picture) {
            *source.by_author.entry(author).or_default() += 1;
        }
    }
    sources
}

fn row(facts: &Facts, place: &Place, source: &Source) -> Markup {
    let largest = source.by_author.iter().max_by_key(|(name, n)| (**n, std::cmp::Reverse(**name)));
    let is_listed = facts.listings.iter().any(|(listed, _)| listed == place);
    html! {
        tr {
            th scope="row" { (place) }
            td.text { (words::list(facts.input.classes.labels_of(place))) }
            td { @if is_listed || source.posts != 0 { (words::number(source.posts)) } @else { "not read yet" } }
            td { (words::number(source.pictures)) }
            td { (words::number(words::count(source.by_author.len()))) }
            td.text {
                @if let Some((name, n)) = largest {
                    @let share = words::share(*n, source.pictures);
                    (name) ", " (words::percent(share))
                    @if DOMINANT < share && 1 < *n { " " span.badge.warn { "much from one" } }
                } @else { "\u{2013}" }
            }
            td.text {
                @if let (Some(first), Some(last)) = (source.first, source.last) {
                    (facts::day(first)) " to " (facts::day(last))
                } @else { "\u{2013}" }
            }
        }
    }
}

fn exports(exports: &[(String, Exported)]) -> Markup {
    html! {
        h3 { "Exports" }
        @if exports.is_empty() {
            p.empty { "Nothing has been exported yet." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Exports" { table.exports {
                thead { tr {
                    th scope="col" { "Export" } th scope="col" { "Pictures" } th scope="col" { "Files" }
                    th scope="col" { "Size" } th scope="col" { "Version" }
                } }
                tbody { @for (name, export) in exports {
                    tr {
                        th scope="row" { (name) } td { (words::number(export.pictures)) }
                        td { (words::number(export.files)) } td { (words::bytes(export.size_bytes)) }
                        td.text { code { (export.version) } }
                    }
                } }
            } }
        }
    }
}
