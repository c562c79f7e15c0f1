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
    let is_worth = |phase: Phase| !is_dry(done, phase, floor);
    let first_looks = is_worth(Phase::First).then(|| first_looks(vocabulary));
    // As many as the square of what was cut: made one by one, and only until one is new.
    let other_orders = is_worth(Phase::Orders).then(|| other_orders(&capped));
    let pairs = is_worth(Phase::Pairs).then(|| pairs(&capped));
    let first_looks = first_looks.into_iter().flatten();
    let queries = first_looks.chain(other_orders.into_iter().flatten());
    let queries = queries.chain(pairs.into_iter().flatten());
    queries.map(Angle::Search).find(|it| !asked.contains(it))
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
    // What failed before its first page has cost a request as well.
    let pages = last.iter().map(|it| it.pages.max(1)).sum();
    last.len() == PATIENCE && floor.is_above(new, pages)
}

fn first_looks(vocabulary: &Vocabulary) -> impl Iterator<Item = Query> {
    let look = |subject| Query { subject, order: Order::New, period: Period::All };
    vocabulary.subjects().into_iter().map(look)
}

/// Returns the subjects whose first look did not show all they have.
fn capped(done: &[Done]) -> Vec<Subject> {
    let is_cut = |ended: Ended| match ended {
        Ended::Capped | Ended::Looped | Ended::Lost | Ended::Dry => true,
        // What failed has shown nothing of how much there is.
        Ended::Whole | Ended::Met | Ended::Enough | Ended::Broken => false,
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
fn other_orders(capped: &[Subject]) -> impl Iterator<Item = Query> {
    let orders = Order::ALL.into_iter().filter(|order| *order != Order::New);
    let ways = Period::ALL
        .into_iter()
        .flat_map(move |period| orders.clone().map(move |order| (period, order)));
    ways.flat_map(|(period, order)| {
        capped.iter().map(move |subject| Query { subject: subject.clone(), order, period })
    })
}

/// Returns two subjects at once; no post has two flairs.
fn pairs(capped: &[Subject]) -> impl Iterator<Item = Query> {
    let both = |(first, second): (&Subject, &Subject)| {
        if first.flair.is_some() && second.flair.is_some() {
            return None;
        }
        let flair = first.flair.clone().or_else(|| second.flair.clone());
        let words = first.words.iter().chain(&second.words).cloned().collect();
        let subject = Subject { flair, words };
        Some(Query { subject, order: Order::New, period: Period::All })
    };
    let rest = |n: usize| &capped[n + 1..];
    let all = capped.iter().enumerate();
    all.flat_map(move |(n, first)| rest(n).iter().map(move |second| (first, second)))
        .filter_map(both)
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

/// From where a place will be looked at.
#[derive(Clone, Copy, Debug)]
pub enum Angles<'a> {
    These(&'a [Sort]),
    /// All of them, as the planner decides.
    Everything,
    /// `new` alone, as it has kept up since all of them were tried.
    NewAlone,
}

/// What is known before a place is listed.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    pub progress: &'a Progress,
    pub angles: Angles<'a>,
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
    let Outlook { progress, angles, .. } = outlook;
    let per_listing = SHOWN_MAX / PAGE;
    let days = outlook.age_s.unwrap_or(86_400).max(0) as f64 / 86_400.0;
    let come = (outlook.posts_a_day.unwrap_or(0.0) * days).min(SHOWN_MAX as f64) as u64;
    // `new` again down to where it was.
    let (again, come) = match progress.watermark {
        Some(_) => (come / PAGE + 1, come),
        None => (per_listing, SHOWN_MAX),
    };
    let number = |n: usize| u64::try_from(n).unwrap_or_default();
    let (requests, posts) = match angles {
        Angles::NewAlone => (again, come),
        Angles::These(sorts) if progress.watermark.is_some() => {
            // A few pages of the others to see that nothing in them is new.
            let others = sorts.iter().filter(|sort| **sort != Sort::New).count();
            (again + 3 * number(others), come)
        }
        Angles::These(sorts) => {
            let n = number(sorts.len());
            (n * per_listing, SHOWN_MAX + n.saturating_sub(1) * SHOWN_MAX / 2)
        }
        // All listings, and as many requests again for searches where nobody has searched before.
        Angles::Everything if progress.last.is_empty() => {
            let n_sorts = number(Sort::all().len());
            (again + (2 * n_sorts - 1) * per_listing, come + SHOWN_MAX * 3)
        }
        Angles::Everything => {
            let others = progress.last.iter().filter(|it| it.angle != Angle::Sort(Sort::New));
            (again + others.map(|it| it.taken.pages).sum::<u64>(), come)
        }
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
