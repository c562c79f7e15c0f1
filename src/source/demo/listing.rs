//! Posts in the order of a listing, cut into pages. Pure.

use std::cmp::Reverse;

use super::catalogue::Entry;

/// The orders a subreddit can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    New,
    Hot,
    Rising,
    Top(Period),
    Controversial(Period),
}

/// How far back `top` and `controversial` look, in seconds; `None` is for ever.
pub(super) type Period = Option<u32>;

/// One page: its posts and the name to continue after.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<'a> {
    pub(super) entries: Vec<&'a Entry>,
    pub(super) after: Option<String>,
}

/// No listing reaches deeper, however many posts there are.
const DEPTH_MAX: usize = 1_000;
const RISING_MAX: usize = 100;

impl Order {
    /// Reads the last part of a listing's path and its period.
    pub(super) fn read(name: &str, period: Option<&str>) -> Option<Self> {
        let day = 86_400;
        let period = match period.unwrap_or("day") {
            "hour" => Some(3_600),
            "week" => Some(7 * day),
            "month" => Some(30 * day),
            "year" => Some(365 * day),
            "all" => None,
            _ => Some(day),
        };
        match name.strip_suffix(".json").unwrap_or(name) {
            "new" => Some(Self::New),
            "hot" => Some(Self::Hot),
            "rising" => Some(Self::Rising),
            "top" => Some(Self::Top(period)),
            "controversial" => Some(Self::Controversial(period)),
            _ => None,
        }
    }
}

/// Sorts all posts as `order` says, newer before older among equals.
pub(super) fn sorted<'a>(entries: &[&'a Entry], order: Order) -> Vec<&'a Entry> {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|entry| Reverse((entry.created_utc, &entry.id)));
    let now = sorted.first().map_or(0, |newest| newest.created_utc);
    let recent = |period: Period| {
        move |entry: &&Entry| period.is_none_or(|period| now - entry.created_utc < period)
    };
    match order {
        Order::New => (),
        Order::Hot => sorted.sort_by(|a, b| heat(b).total_cmp(&heat(a))),
        Order::Rising => {
            sorted.truncate(RISING_MAX);
            sorted.sort_by(|a, b| heat(b).total_cmp(&heat(a)));
            sorted.truncate(RISING_MAX / 4);
        }
        Order::Top(period) => {
            sorted.retain(recent(period));
            sorted.sort_by_key(|entry| Reverse(entry.score));
        }
        Order::Controversial(period) => {
            sorted.retain(recent(period));
            sorted.sort_by_key(|entry| entry.upvote_percent.abs_diff(50));
        }
    }
    sorted.truncate(DEPTH_MAX);
    sorted
}

/// Weighs votes against age: ten times the score is worth half a day.
fn heat(entry: &Entry) -> f64 {
    f64::from(entry.score.max(1)).log10() + f64::from(entry.created_utc) / 45_000.0
}

/// Cuts the page after the post named `after`; a post that is not there gives an empty page.
pub(super) fn page<'a>(sorted: &[&'a Entry], after: Option<&str>, limit: usize) -> Page<'a> {
    let start = match after {
        None => Some(0),
        Some(name) => sorted.iter().position(|entry| entry.name() == name).map(|at| at + 1),
    };
    let rest = start.map_or(&[][..], |start| &sorted[start..]);
    let entries: Vec<&Entry> = rest.iter().take(limit.clamp(1, 100)).copied().collect();
    let is_last = entries.len() == rest.len();
    let after = entries.last().filter(|_| !is_last).map(|entry| entry.name());
    Page { entries, after }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{catalogue, draw::Class},
        *,
    };

    fn names(order: Order, limit: usize) -> Vec<Vec<String>> {
        let entries = catalogue::of_class(Class::Fish, 230);
        let entries: Vec<&Entry> = entries.iter().collect();
        let sorted = sorted(&entries, order);
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = page(&sorted, after.as_deref(), limit);
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

        let pages = names(Order::New, 500);

        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 30]);
        assert_eq!(pages.concat(), newest_first);
    }

    #[test]
    fn other_orders_hold_the_same_posts() {
        let mut newest = names(Order::New, 100).concat();
        newest.sort();
        for order in [Order::Hot, Order::Top(None), Order::Controversial(None)] {
            let mut others = names(order, 70).concat();
            others.sort();
            assert_eq!(others, newest, "{order:?}");
        }
    }

    #[test]
    fn a_week_holds_less_than_all_time() {
        let count = |period| names(Order::Top(period), 100).concat().len();
        // Four posts a day, and the newest came early enough to see one more.
        assert_eq!([count(Some(7 * 86_400)), count(None)], [29, 230]);
    }

    #[test]
    fn a_page_after_an_unknown_post_is_empty() {
        let entries = catalogue::of_class(Class::Fish, 9);
        let entries: Vec<&Entry> = entries.iter().collect();
        assert_eq!(page(&entries, Some("t3_gone"), 5), Page { entries: vec![], after: None });
    }
}
