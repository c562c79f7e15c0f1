//! Where the page itself comes from, so that a copy of it can be told from another.

use maud::{Markup, html};

use super::{Section, facts::Facts, places, words};
use crate::{domain::id::BlobId, store::Digest};

pub(super) fn section(facts: &Facts) -> Section {
    let input = facts.input;
    let pictures: Vec<_> =
        facts.pictures.iter().map(|it| (it.blob, &it.crop.file, &it.label, it.split)).collect();
    Section {
        id: "this-file",
        title: "About this file",
        lead: html! {
            "Everything it shows is inside it: it asks nobody for anything, and nothing in it runs. The same "
            "store and the same files make the same page."
        },
        body: html! {
            div.scroll tabindex="0" role="region" aria-label="About this file, as a table" { table.journey {
                tbody {
                    (row("Program", &html! { (input.generated) }))
                    (row("Pipeline", &html! {
                        code { (input.name) ".toml" } ", BLAKE3 " code { (BlobId::of(input.settings_text.as_bytes())) }
                    }))
                    (row("Pictures", &html! {
                        (words::of(words::count(pictures.len()), "picture")) " with their classes and splits, digest "
                        code { (Digest::of(&pictures)) }
                    }))
                    (row("People", &html! { (words::of(words::count(facts.lines.len()), "line")) " of decisions" }))
                    (row("Model", &html! {
                        @match &facts.run {
                            Some((name, _)) => code { (name.0) },
                            None => "none",
                        }
                    }))
                    @if let Some(latest) = latest(facts) {
                        (row("Newest entry", &html! { time { (words::day(latest)) } ", the last day on which anything it tells of was fetched, listed or trained" }))
                    }
                }
            } }
            details.settings {
                summary { "The pipeline file, " code { (input.name) ".toml" } }
                pre tabindex="0" role="region" aria-label="The pipeline file" {
                    code { (input.settings_text) }
                }
            }
        },
    }
}

fn row(name: &str, told: &Markup) -> Markup {
    html! { tr { th scope="row" { (name) } td.text { (told) } } }
}

/// Returns when something was last done, in seconds since 1970-01-01 UTC.
fn latest(facts: &Facts) -> Option<i64> {
    let fetched = facts.downloads.values().map(|it| it.retrieved_at);
    let listed =
        facts.listings.iter().filter_map(|(_, it)| places::made(it).map(|it| it.listed_at));
    let trained = facts.runs.iter().map(|it| it.run.at_s);
    fetched.chain(listed).chain(trained).max().filter(|it| *it != 0)
}
