//! What every place gave and what it cost, in numbers: the table that closes a run, and the same
//! as JSON.

use serde_json::{Value, json};

use super::{
    table::table,
    talk::{Talk, count},
};
use crate::{
    domain::{day::Day, id::Place, outcome::Outcome, planner::Forecast, progress::Gap},
    pipeline::workshop::Workshop,
    store::{
        StoreError,
        ledger::{self, Account, Counts},
        schema::Listing,
    },
};

/// Everything there is to say about the places.
pub(crate) struct Places {
    accounts: Vec<Account>,
    listings: Vec<(Place, Listing)>,
    gaps: Vec<Gap>,
}

impl Places {
    pub(crate) fn read(workshop: &Workshop) -> Result<Self, StoreError> {
        let classes = &workshop.pipeline.classes;
        let mut listings = Vec::new();
        for (place, settled) in workshop.store.settled::<Listing>()? {
            match settled.outcome {
                Outcome::Made(listing) if classes.lists_place(&place) => {
                    listings.push((place, listing));
                }
                Outcome::Made(_) | Outcome::Rejected(_) | Outcome::Failed(_) => (),
            }
        }
        let mut gaps: Vec<Gap> =
            workshop.store.notes::<Gap>()?.into_iter().map(|(_, gap)| gap).collect();
        gaps.retain(|gap| classes.lists_place(&gap.place));
        Ok(Self { accounts: ledger::accounts(&workshop.store, classes)?, listings, gaps })
    }

    pub(crate) fn json(&self) -> Value {
        let listings: serde_json::Map<String, Value> =
            self.listings.iter().map(|(place, it)| (place.to_string(), json!(it))).collect();
        json!({ "accounts": self.accounts, "listings": listings, "gaps": self.gaps })
    }

    /// Prints a line per place, then what of it was not seen.
    pub(crate) fn tell(&self, talk: &Talk) {
        let header = [
            "class",
            "place",
            "posts",
            "links",
            "fetched",
            "duplicates",
            "rejected",
            "failed",
            "pending",
            "kept",
            "waited",
        ];
        let rows: Vec<Vec<String>> = self.accounts.iter().map(|it| self.row(it)).collect();
        talk.result(&table(&header, &rows, &[2, 3, 4, 5, 6, 7, 8, 9, 10]));
        if talk.is_verbose() {
            for account in &self.accounts {
                talk.result(&details(account));
            }
        }
        for (place, listing) in &self.listings {
            if let Some(estimate) = listing.unseen.as_ref().filter(|it| 0 < it.unseen) {
                talk.result(&format!(
                    "{place}: {} posts seen, about {} more that no listing shows ({})",
                    count(estimate.seen),
                    count(estimate.unseen),
                    estimate.method.in_words()
                ));
            }
            if 0 < listing.asked.unreadable {
                let n = count(listing.asked.unreadable);
                let first = listing.unreadable.first().map_or("", String::as_str);
                talk.result(&format!("{place}: {n} entries could not be read, such as: {first}"));
            }
        }
        for gap in &self.gaps {
            talk.result(&in_words(gap));
        }
    }

    fn row(&self, account: &Account) -> Vec<String> {
        let listing = self.listings.iter().find(|(place, _)| place.0 == account.place);
        let waited_ms = listing.map_or(0, |(_, listing)| listing.asked.waited_ms);
        let mut row = vec![
            account.class.as_ref().map_or("\u{2013}".to_owned(), ToString::to_string),
            account.place.clone(),
        ];
        let numbers = [
            account.posts,
            account.links,
            account.fetched,
            account.duplicates.all(),
            account.n_rejected(),
            account.n_failed(),
            account.pending,
            account.kept,
        ];
        row.extend(numbers.map(count));
        row.push(format!("{}.{} s", waited_ms / 1000, waited_ms % 1000 / 100));
        row
    }
}

fn details(account: &Account) -> String {
    let counts = |counts: &Counts| {
        let parts: Vec<String> =
            counts.iter().map(|(kind, n)| format!("{} {kind}", count(*n))).collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    let duplicates = account.duplicates;
    format!(
        "{}: rejected {}; failed {}; duplicates {} by address, {} by bytes, {} twins",
        account.place,
        counts(&account.rejected),
        counts(&account.failed),
        count(duplicates.same_address),
        count(duplicates.same_bytes),
        count(duplicates.twins)
    )
}

/// Says where posts may be missing, and how to fill the hole.
fn in_words(gap: &Gap) -> String {
    let from = gap.older.as_ref().map_or_else(
        || "the beginning".to_owned(),
        |older| format!("{} ({})", older.post, Day::of(older.created_utc)),
    );
    let to = format!("{} ({})", gap.newer.post, Day::of(gap.newer.created_utc));
    let n = gap
        .posts
        .map_or("an unknown number of posts".to_owned(), |n| format!("about {} posts", count(n)));
    format!(
        "gap in {}: {n} between {from} and {to} were not seen; a dump: or arctic: place of the \
         same subreddit fills it",
        gap.place
    )
}

/// Lays out what listing will cost.
pub(crate) fn forecast(forecasts: &[(Place, Forecast)]) -> String {
    let rows: Vec<Vec<String>> = forecasts
        .iter()
        .map(|(place, it)| {
            let minutes = format!("{:.1}", it.minutes);
            vec![
                place.to_string(),
                count(it.requests),
                minutes,
                count(it.posts),
                count(it.pictures),
            ]
        })
        .collect();
    let header = ["to list", "requests", "minutes", "new posts", "new pictures"];
    table(&header, &rows, &[1, 2, 3, 4])
}
