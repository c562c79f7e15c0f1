//! From which angle to look next: every listing first, then searches for flairs and words that
//! known posts carry, for as long as they bring posts that were not known. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    listing::{Angle, Order, Period, Query, Sort, Subject},
    post::Post,
    progress::{Done, Ended, Progress, Taken},
};

/// A kind of search is over when as many in a row brought too little.
const PATIENCE: usize = 8;

/// Words shorter than this, or in nearly every title, tell nothing apart.
const WORD_LENGTH_MIN: usize = 2;

/// The site shows no more than this from one angle, and this much to a request.
const SHOWN_MAX: u64 = 1_000;
const PAGE: u64 = 100;

/// What the known posts of a place carry that can be searched for, and in how many of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    pub posts: u64,
    pub flairs: BTreeMap<String, u64>,
    pub words: BTreeMap<String, u64>,
}

impl Vocabulary {
    /// Counts a post that was not known.
    pub fn count(&mut self, post: &Post) {
        self.posts += 1;
        if let Some(flair) = &post.flair {
            *self.flairs.entry(flair.clone()).or_default() += 1;
        }
        let words = post.title.split(|c: char| !c.is_alphanumeric());
        let words = words.filter(|it| WORD_LENGTH_MIN <= it.chars().count());
        for word in words.map(str::to_lowercase).collect::<BTreeSet<_>>() {
            *self.words.entry(word).or_default() += 1;
        }
    }

    /// Returns what can be searched for, the most frequent first.
    fn subjects(&self) -> Vec<Subject> {
        let flairs = self
            .flairs
            .iter()
            .map(|(flair, n)| (*n, Subject { flair: Some(flair.clone()), words: Vec::new() }));
        let words = self
            .words
            .iter()
            .map(|(word, n)| (*n, Subject { flair: None, words: vec![word.clone()] }));
        // Flairs first: there are few of them, and together they show nearly everything.
        let mut subjects: Vec<_> = flairs.collect();
        subjects.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let mut rest: Vec<_> = words.collect();
        rest.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        subjects.into_iter().chain(rest).map(|(_, subject)| subject).collect()
    }
}

/// The least number of new posts a request must bring for its kind to go on; 0 goes on to the
/// end of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor(pub u64);

impl Floor {
    /// Tells whether so many requests brought too little.
    pub fn is_above(self, new: u64, requests: u64) -> bool {
        new < self.0.saturating_mul(requests)
    }
}

/// Returns the next angle, or `None` when no angle is worth a request.
pub fn next(vocabulary: &Vocabulary, done: &[Done], floor: Floor) -> Option<Angle> {
    let asked: BTreeSet<&Angle> = done.iter().map(|it| &it.angle).collect();
    // One angle that showed everything leaves nothing to look for.
    let is_whole = |it: &Done| it.angle == Angle::Sort(Sort::New) && it.ended == Ended::Whole;
    if done.iter().any(is_whole) {
        return None;
    }
    let listing = Sort::all().into_iter().map(Angle::Sort).find(|it| !asked.contains(it));
    if listing.is_some() {
        return listing;
    }
    let capped = capped(done);
    [first_looks(vocabulary), other_orders(&capped), pairs(&capped)]
        .into_iter()
        .zip([Phase::First, Phase::Orders, Phase::Pairs])
        .filter(|(_, phase)| !is_dry(done, *phase, floor))
        .flat_map(|(queries, _)| queries)
        .map(Angle::Search)
        .find(|it| !asked.contains(it))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Each flair and word once, newest first: most show all they have.
    First,
    /// The other orders and periods of those that were cut.
    Orders,
    /// Two that were cut at once.
    Pairs,
}

fn phase(angle: &Angle) -> Option<Phase> {
    match angle {
        Angle::Sort(_) => None,
        Angle::Search(query) => Some(match query {
            Query { subject, .. } if 1 < size(subject) => Phase::Pairs,
            Query { order: Order::New, .. } => Phase::First,
            Query { .. } => Phase::Orders,
        }),
    }
}

fn size(subject: &Subject) -> usize {
    usize::from(subject.flair.is_some()) + subject.words.len()
}

fn is_dry(done: &[Done], of: Phase, floor: Floor) -> bool {
    let last: Vec<Taken> = done
        .iter()
        .rev()
        .filter(|it| phase(&it.angle) == Some(of))
        .take(PATIENCE)
        .map(|it| it.taken)
        .collect();
    let new = last.iter().map(|it| it.new).sum();
    last.len() == PATIENCE && floor.is_above(new, last.iter().map(|it| it.pages).sum())
}

fn first_looks(vocabulary: &Vocabulary) -> Vec<Query> {
    let look = |subject| Query { subject, order: Order::New, period: Period::All };
    vocabulary.subjects().into_iter().map(look).collect()
}

/// Returns the subjects whose first look did not show all they have.
fn capped(done: &[Done]) -> Vec<Subject> {
    let is_cut = |ended: Ended| match ended {
        Ended::Capped | Ended::Looped | Ended::Lost | Ended::Dry => true,
        Ended::Whole | Ended::Met | Ended::Enough => false,
    };
    let cut = done.iter().filter(|it| is_cut(it.ended)).filter_map(|it| match &it.angle {
        Angle::Search(query) if query.order == Order::New && size(&query.subject) == 1 => {
            Some(query.subject.clone())
        }
        Angle::Sort(_) | Angle::Search(_) => None,
    });
    cut.collect()
}

/// Returns every order and period, those that look back furthest first.
fn other_orders(capped: &[Subject]) -> Vec<Query> {
    let mut queries = Vec::new();
    for period in Period::ALL {
        for order in Order::ALL {
            if order == Order::New {
                continue;
            }
            let of = |subject: &Subject| Query { subject: subject.clone(), order, period };
            queries.extend(capped.iter().map(of));
        }
    }
    queries
}

fn pairs(capped: &[Subject]) -> Vec<Query> {
    let mut queries = Vec::new();
    for (n, first) in capped.iter().enumerate() {
        for second in &capped[n + 1..] {
            if first.flair.is_some() && second.flair.is_some() {
                continue;
            }
            let words = first.words.iter().chain(&second.words).cloned().collect();
            let flair = first.flair.clone().or_else(|| second.flair.clone());
            let subject = Subject { flair, words };
            queries.push(Query { subject, order: Order::New, period: Period::All });
        }
    }
    queries
}

/// What a listing of a place will probably take.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Forecast {
    pub requests: u64,
    pub minutes: f64,
    /// New posts.
    pub posts: u64,
    /// Pictures of new posts.
    pub pictures: u64,
}

/// What is known before a place is listed.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    pub progress: &'a Progress,
    /// The listings that will be asked; `None` if the planner decides.
    pub listings: Option<&'a [Sort]>,
    /// Seconds since the place was last listed, and the posts a day it had.
    pub age_s: Option<i64>,
    pub posts_a_day: Option<f64>,
    /// Pictures of a post, as far as this place has told.
    pub pictures_a_post: Option<f64>,
    /// Requests a minute the login is allowed.
    pub requests_a_minute: f64,
}

/// Where a place has no history: six of ten posts show pictures, and some show several.
const PICTURES_A_POST: f64 = 1.1;

/// Tells what listing a place will probably cost and bring.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "estimates of a few thousand"
)]
pub fn forecast(outlook: Outlook<'_>) -> Forecast {
    let Outlook { progress, listings, .. } = outlook;
    let per_listing = SHOWN_MAX / PAGE;
    let (requests, posts) = if progress.watermark.is_some() {
        // `new` again down to where it was, and a few pages of the others to see that nothing
        // in them is new.
        let days = outlook.age_s.unwrap_or(86_400).max(0) as f64 / 86_400.0;
        let come = (outlook.posts_a_day.unwrap_or(0.0) * days).min(SHOWN_MAX as f64) as u64;
        let others = listings.map_or(0, |it| it.iter().filter(|sort| **sort != Sort::New).count());
        (come / PAGE + 1 + 3 * u64::try_from(others).unwrap_or_default(), come)
    } else if let Some(listings) = listings {
        let n = u64::try_from(listings.len()).unwrap_or_default();
        (n * per_listing, SHOWN_MAX + n.saturating_sub(1) * SHOWN_MAX / 2)
    } else {
        let listings = 15 * per_listing;
        // As many again for searches, where nobody has searched before.
        (listings * 2, SHOWN_MAX * 4)
    };
    let open: u64 = progress.open.iter().map(|it| it.taken.pages.min(per_listing)).sum();
    let done: u64 = progress.done.iter().map(|it| it.taken.pages).sum();
    let requests = requests.saturating_sub(open + done).max(1);
    let pictures = posts as f64 * outlook.pictures_a_post.unwrap_or(PICTURES_A_POST);
    Forecast {
        requests,
        minutes: requests as f64 / outlook.requests_a_minute.max(1.0),
        posts,
        pictures: pictures.round() as u64,
    }
}

#[cfg(test)]
mod tests;
