//! What every place gave, what became of it, and what of it was never seen.

use maud::{Markup, html};

use super::{Section, facts::Facts, words};
use crate::{
    domain::{id::Place, outcome::Outcome, progress::Gap},
    store::{
        Settled,
        ledger::{Account, Counts},
        schema::Listing,
    },
};

pub(super) fn section(facts: &Facts) -> Section {
    Section {
        id: "places",
        title: "What every place gave",
        lead: lead(facts),
        body: html! {
            div.scroll tabindex="0" role="region" aria-label="Places, as a table" { table.places {
                thead { tr {
                    th scope="col" { "Place" } th scope="col" { "Class" } th scope="col" { "Posts" }
                    th scope="col" { "Links" } th scope="col" { "Fetched" } th scope="col" { "Duplicates" }
                    th scope="col" { "Rejected" } th scope="col" { "Failed" } th scope="col" { "Kept" }
                    th.wide scope="col" { span.key.kept { "kept" } " " span.key.lost { "of the links" } }
                    th scope="col" { "Kept for 100 posts" } th scope="col" { "Waited" }
                } }
                tbody { @for account in &facts.accounts { (row(facts, account)) } }
            } }
            @for account in &facts.accounts { (reasons(account)) }
            (unseen(facts))
        },
    }
}

fn per_100(account: &Account) -> f64 {
    words::share(account.kept, account.posts) * 100.0
}

/// Names the places that gave the most and the least for what was read of them.
fn lead(facts: &Facts) -> Markup {
    let mut read: Vec<&Account> = facts.accounts.iter().filter(|it| it.posts != 0).collect();
    read.sort_by(|a, b| per_100(b).total_cmp(&per_100(a)));
    let told = |it: &Account| html! { strong { (it.place) } " gave " strong { (format!("{:.0}", per_100(it))) } };
    html! {
        @match read.as_slice() {
            [] => "Nothing was read of any place yet. ",
            [one] => { (told(one)) " pictures for 100 posts. " },
            [most, .., least] => {
                "For 100 posts " (told(most)) " pictures, the most of all places; " (told(least)) ", the fewest. "
            },
        }
        "All are counted once: a picture shown twice counts for the post that came first."
    }
}

fn row(facts: &Facts, account: &Account) -> Markup {
    let listing = listing(facts, account);
    let waited_ms = listing.map_or(0, |it| it.asked.waited_ms);
    html! {
        tr {
            th scope="row" { (account.place) }
            td.text { (account.class.as_ref().map_or("\u{2013}", |label| label.as_str())) }
            @for number in [account.posts, account.links, account.fetched, account.duplicates.all()] {
                td { (words::number(number)) }
            }
            @for number in [account.n_rejected(), account.n_failed(), account.kept] {
                td { (words::number(number)) }
            }
            td.wide aria-hidden="true" {
                @let width = words::share(account.kept, account.links.max(account.kept)) * 100.0;
                div.stack title=(format!("{} of {}", words::number(account.kept), words::of(account.links, "link"))) {
                    span.kept style=(format!("width:{width:.2}%")) {}
                }
            }
            td { (format!("{:.0}", per_100(account))) }
            td { (waited_ms / 1000) " s" }
        }
    }
}

/// Tells why pictures of a place were left out, and how its duplicates were known.
fn reasons(account: &Account) -> Markup {
    let counts = |counts: &Counts| {
        words::list(counts.iter().map(|(kind, n)| format!("{} {kind}", words::number(*n))))
    };
    let duplicates = account.duplicates;
    html! {
        @if account.n_rejected() + account.n_failed() + duplicates.all() != 0 {
            p.soft {
                strong { (account.place) } ": "
                @if account.n_rejected() != 0 { "left out " (counts(&account.rejected)) "; " }
                @if account.n_failed() != 0 { "failed " (counts(&account.failed)) "; " }
                "duplicates " (words::number(duplicates.same_address)) " by address, "
                (words::number(duplicates.same_bytes)) " by bytes, "
                (words::number(duplicates.twins)) " by looks."
            }
        }
    }
}

/// Tells of posts that no listing showed, and of gaps between what was seen.
fn unseen(facts: &Facts) -> Markup {
    let estimates = facts.listings.iter().filter_map(|(place, settled)| {
        let listing = made(settled)?;
        let estimate = listing.unseen.as_ref().filter(|it| 0 < it.unseen)?;
        Some((place, estimate))
    });
    let estimates: Vec<_> = estimates.collect();
    html! {
        @if !estimates.is_empty() || !facts.gaps.is_empty() {
            ul.plain {
                @for (place, estimate) in estimates {
                    li {
                        (place) ": about " (words::number(estimate.unseen))
                        " posts that no listing shows (" (estimate.method.in_words()) ")."
                    }
                }
                @for gap in &facts.gaps { (hole(gap)) }
            }
        }
    }
}

fn hole(gap: &Gap) -> Markup {
    html! {
        li {
            "Gap in " (gap.place) ": "
            @match gap.posts {
                Some(n) => { "about " (words::number(n)) " posts" },
                None => { "an unknown number of posts" },
            }
            " between "
            @match &gap.older {
                Some(older) => { (words::day(older.created_utc)) },
                None => { "the beginning" },
            }
            " and " (words::day(gap.newer.created_utc)) " were not seen."
        }
    }
}

fn listing<'a>(facts: &'a Facts, account: &Account) -> Option<&'a Listing> {
    let is_it = |(place, _): &&(Place, Settled<Listing>)| place.0 == account.place;
    facts.listings.iter().find(is_it).and_then(|(_, settled)| made(settled))
}

pub(super) fn made(settled: &Settled<Listing>) -> Option<&Listing> {
    match &settled.outcome {
        Outcome::Made(listing) => Some(listing),
        Outcome::Rejected(_) | Outcome::Failed(_) => None,
    }
}
