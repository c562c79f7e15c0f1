//! Posts in the order of a listing, cut into pages. Pure.

use std::cmp::Reverse;

use super::catalogue::Entry;

/// The orders posts can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    New,
    Hot,
    Rising,
    Top,
    Controversial,
    /// Of searches only, like the next.
    Comments,
    Relevance,
}

/// An order and how far back it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sorting {
    pub(super) order: Order,
    pub(super) period: Period,
}

/// How far back a listing looks, in seconds; `None` is for ever.
pub(super) type Period = Option<u32>;

/// Where a page begins and how long it is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut<'a> {
    pub(super) after: Option<&'a str>,
    pub(super) before: Option<&'a str>,
    /// How many posts the client says it has seen.
    pub(super) count: usize,
    pub(super) limit: usize,
}

/// One page: its posts and the names to go on from.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<'a> {
    pub(super) entries: Vec<&'a Entry>,
    pub(super) after: Option<String>,
    pub(super) before: Option<String>,
}

/// No listing reaches deeper, however many posts there are.
pub(super) const DEPTH_MAX: usize = 1_000;
const RISING_MAX: usize = 100;

const DAY_S: u32 = 86_400;
/// How far back listings and searches can be asked to look.
pub(super) const PERIODS: [(&str, Period); 6] = [
    ("hour", Some(3_600)),
    ("day", Some(DAY_S)),
    ("week", Some(7 * DAY_S)),
    ("month", Some(30 * DAY_S)),
    ("year", Some(365 * DAY_S)),
    ("all", None),
];

impl Sorting {
    /// Reads the last part of a listing's path and its period.
    pub(super) fn of_listing(name: &str, period: Option<&str>) -> Option<Self> {
        let order = match name.strip_suffix(".json").unwrap_or(name) {
            "new" => Order::New,
            "hot" => Order::Hot,
            "rising" => Order::Rising,
            "top" => Order::Top,
            "controversial" => Order::Controversial,
            _ => return None,
        };
        let period = match order {
            Order::Top | Order::Controversial => read_period(period).unwrap_or(Some(DAY_S)),
            Order::New | Order::Hot | Order::Rising | Order::Comments | Order::Relevance => None,
        };
        Some(Self { order, period })
    }

    /// Reads the order of a search and its period.
    pub(super) fn of_search(sort: Option<&str>, period: Option<&str>) -> Self {
        let order = match sort {
            Some("new") => Order::New,
            Some("hot") => Order::Hot,
            Some("top") => Order::Top,
            Some("comments") => Order::Comments,
            Some(_) | None => Order::Relevance,
        };
        Self { order, period: read_period(period).unwrap_or_default() }
    }
}

fn read_period(name: Option<&str>) -> Option<Period> {
    PERIODS.iter().find(|(known, _)| Some(*known) == name).map(|(_, period)| *period)
}

/// Tells when the newest of `entries` was posted: the site's own present.
pub(super) fn now(entries: &[&Entry]) -> u32 {
    entries.iter().map(|entry| entry.created_utc).max().unwrap_or_default()
}

/// Sorts posts as `sorting` says, newer before older among equals, as deep as a listing goes.
pub(super) fn sorted<'a>(entries: &[&'a Entry], sorting: Sorting, now: u32) -> Vec<&'a Entry> {
    let is_recent =
        |entry: &&&Entry| sorting.period.is_none_or(|period| now - entry.created_utc < period);
    let mut sorted: Vec<&Entry> = entries.iter().filter(is_recent).copied().collect();
    sorted.sort_by_key(|entry| Reverse((entry.created_utc, &entry.id)));
    // The weights are positive, so that their bits are in the same order.
    let heaviest_first = |sorted: &mut Vec<&Entry>, weight: fn(&Entry) -> f64| {
        sorted.sort_by_cached_key(|entry| Reverse(weight(entry).to_bits()));
    };
    match sorting.order {
        Order::New => (),
        Order::Hot => heaviest_first(&mut sorted, heat),
        Order::Rising => {
            sorted.truncate(RISING_MAX);
            heaviest_first(&mut sorted, heat);
            sorted.truncate(RISING_MAX / 4);
        }
        Order::Top => sorted.sort_by_key(|entry| Reverse(entry.score)),
        Order::Controversial => heaviest_first(&mut sorted, strife),
        Order::Comments => sorted.sort_by_key(|entry| Reverse(entry.comments)),
        Order::Relevance => heaviest_first(&mut sorted, fame),
    }
    sorted.truncate(DEPTH_MAX);
    sorted
}

/// Weighs votes against age: ten times the score is worth half a day.
fn heat(entry: &Entry) -> f64 {
    f64::from(entry.score.max(1)).log10() + f64::from(entry.created_utc) / 45_000.0
}

/// Weighs how many voted by how evenly they did.
fn strife(entry: &Entry) -> f64 {
    let percent = f64::from(entry.upvote_percent.clamp(51, 99)) / 100.0;
    let votes = f64::from(entry.score) / (2.0 * percent - 1.0) + 1.0;
    votes.powf((1.0 - percent) / percent)
}

/// Weighs votes and talk together; half a year takes a tenth off.
fn fame(entry: &Entry) -> f64 {
    let echo = f64::from(entry.score.max(1)).ln() + f64::from(entry.comments.max(1)).ln();
    echo + f64::from(entry.created_utc) / (150.0 * 86_400.0)
}

/// Cuts one page; beside a post that is not there nothing is found.
pub(super) fn page<'a>(sorted: &[&'a Entry], cut: Cut) -> Page<'a> {
    let limit = cut.limit.clamp(1, 100);
    let find = |name: &str| {
        let id = name.strip_prefix("t3_")?;
        sorted.iter().position(|entry| entry.id == id)
    };
    let nowhere = sorted.len()..sorted.len();
    let range = match (cut.after, cut.before) {
        (Some(after), _) => find(after).map(|at| at + 1..sorted.len().min(at + 1 + limit)),
        (None, Some(before)) => find(before).map(|at| at.saturating_sub(limit)..at),
        (None, None) => Some(0..sorted.len().min(limit)),
    };
    let range = range.unwrap_or(nowhere);
    let entries = sorted[range.clone()].to_vec();
    let has_more = range.end < sorted.len();
    let has_less = 0 < range.start && (0 < cut.count || cut.before.is_some());
    let after = entries.last().filter(|_| has_more).map(|entry| entry.name());
    let before = entries.first().filter(|_| has_less).map(|entry| entry.name());
    Page { entries, after, before }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{catalogue, draw::Class},
        *,
    };

    fn all_time(order: Order) -> Sorting {
        Sorting { order, period: None }
    }

    fn names(sorting: Sorting, limit: usize) -> Vec<Vec<String>> {
        let entries = catalogue::of_class(Class::Fish, 230);
        let entries: Vec<&Entry> = entries.iter().collect();
        let sorted = sorted(&entries, sorting, now(&entries));
        let mut pages = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let cut = Cut { after: after.as_deref(), limit, ..Cut::default() };
            let page = page(&sorted, cut);
            pages.push(page.entries.iter().map(|entry| entry.name()).collect());
            after = page.after;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pages_hold_every_post_once_newest_first() {
        let entries = catalogue::of_class(Class::Fish, 230);
        let newest_first: Vec<String> = entries.iter().rev().map(Entry::name).collect();

        let pages = names(all_time(Order::New), 500);

        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 30]);
        assert_eq!(pages.concat(), newest_first);
    }

    #[test]
    fn other_orders_hold_the_same_posts() {
        let mut newest = names(all_time(Order::New), 100).concat();
        newest.sort();
        let others =
            [Order::Hot, Order::Top, Order::Controversial, Order::Comments, Order::Relevance];
        for order in others {
            let mut others = names(all_time(order), 70).concat();
            others.sort();
            assert_eq!(others, newest, "{order:?}");
        }
    }

    #[test]
    fn a_week_holds_less_than_all_time() {
        let count = |period| names(Sorting { order: Order::Top, period }, 100).concat().len();
        // Four posts a day, and the newest came early enough to see one more.
        assert_eq!([count(Some(7 * 86_400)), count(None)], [29, 230]);
    }

    #[test]
    fn a_page_beside_an_unknown_post_is_empty() {
        let entries = catalogue::of_class(Class::Fish, 9);
        let entries: Vec<&Entry> = entries.iter().collect();
        let nothing = Page { entries: vec![], after: None, before: None };
        let cut = Cut { limit: 5, ..Cut::default() };

        assert_eq!(page(&entries, Cut { after: Some("t3_gone"), ..cut }), nothing);
        assert_eq!(page(&entries, Cut { before: Some("t3_gone"), ..cut }), nothing);
    }

    #[test]
    fn the_page_before_a_post_ends_just_above_it() {
        let entries = catalogue::of_class(Class::Fish, 9);
        let entries: Vec<&Entry> = entries.iter().collect();
        let before = entries[6].name();

        let page = page(&entries, Cut { before: Some(&before), limit: 2, ..Cut::default() });

        assert_eq!(page.entries, entries[4..6]);
        assert_eq!((page.before, page.after), (Some(entries[4].name()), Some(entries[5].name())));
    }
}
