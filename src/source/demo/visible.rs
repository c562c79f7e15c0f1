//! Which posts of a large subreddit anything can show: the truth a collector is measured by. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    catalogue::Entry,
    listing::{self, DEPTH_MAX, Order, PERIODS, Sorting},
    words,
};

/// The posts that a listing or a search can show, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Full names, `t3_1abcde`.
    pub names: BTreeSet<String>,
    pub total: usize,
}

const LISTINGS: [Order; 3] = [Order::New, Order::Hot, Order::Rising];
const LISTINGS_WITH_PERIOD: [Order; 2] = [Order::Top, Order::Controversial];
const SEARCHES: [Order; 5] =
    [Order::New, Order::Hot, Order::Top, Order::Comments, Order::Relevance];

/// Unites all listings, and the searches for every flair and every word of a title.
pub(super) fn of(row: &[Entry]) -> Visible {
    let all: Vec<&Entry> = row.iter().collect();
    let now = listing::now(&all);
    let mut names = BTreeSet::new();
    let mut show = |entries: &[&Entry], orders: &[Order], periods: &[listing::Period]| {
        for order in orders {
            for period in periods {
                let sorting = Sorting { order: *order, period: *period };
                let shown = listing::sorted(entries, sorting, now);
                names.extend(shown.iter().map(|entry| entry.name()));
            }
        }
    };
    let periods = PERIODS.map(|(_, period)| period);
    show(&all, &LISTINGS, &[None]);
    show(&all, &LISTINGS_WITH_PERIOD, &periods);
    for entries in findable(&all).values() {
        // Where a search shows all it finds, one order is as good as another.
        if entries.len() <= DEPTH_MAX {
            show(entries, &[Order::New], &[None]);
        } else {
            show(entries, &SEARCHES, &periods);
        }
    }
    Visible { names, total: row.len() }
}

/// Sorts posts by what finds them: a flair, or one word.
fn findable<'a>(all: &[&'a Entry]) -> BTreeMap<(&'static str, String), Vec<&'a Entry>> {
    let mut found: BTreeMap<_, Vec<&Entry>> = BTreeMap::new();
    for entry in all {
        let words: BTreeSet<String> = words::searchable(&entry.title).collect();
        let words = words.into_iter().map(|word| ("title", word));
        let flair = entry.flair.map(|flair| ("flair", flair.to_owned()));
        for term in words.chain(flair) {
            found.entry(term).or_default().push(entry);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{super::big, *};

    #[test]
    fn some_posts_of_a_large_subreddit_can_be_seen_by_nobody() {
        let row = big::write(5_000, 0);

        let visible = of(&row);

        let hidden: Vec<&Entry> =
            row.iter().filter(|entry| !visible.names.contains(&entry.name())).collect();
        assert_eq!((visible.total, hidden.len()), (5_000, 94));
        // No search for several terms at once could do better: the hidden ones have nothing to
        // search for, or only the most common flair.
        let is_wordless = |entry: &&Entry| words::searchable(&entry.title).next().is_none();
        assert!(hidden.iter().all(is_wordless));
    }

    #[test]
    fn listings_alone_show_a_part_of_a_large_subreddit() {
        let row = big::write(5_000, 0);
        let all: Vec<&Entry> = row.iter().collect();
        let mut names = BTreeSet::new();
        for order in LISTINGS.into_iter().chain(LISTINGS_WITH_PERIOD) {
            let shown = listing::sorted(&all, Sorting { order, period: None }, listing::now(&all));
            names.extend(shown.iter().map(|entry| entry.name()));
        }

        assert_eq!(names.len(), 2_469);
    }

    #[test]
    fn a_longer_subreddit_begins_with_the_same_posts() {
        let (short, long) = (big::write(5_000, 40), big::write(5_100, 40));

        assert_eq!(short, long[..5_000]);
        let week = long[5_099].created_utc - long[4_999].created_utc;
        assert!((6 * 86_400..8 * 86_400).contains(&week), "{week}");
    }
}
