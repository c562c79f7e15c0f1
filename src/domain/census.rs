//! How many posts were not seen, estimated from how often those that were seen turned up: what
//! many angles show is well known, what a single one shows hints at more that none did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    id::PostId,
    listing::{Angle, Sort},
};

/// How many posts no angle showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    pub seen: u64,
    /// At least so many more; 0 means none.
    pub unseen: u64,
    pub method: Method,
}

/// How a number of unseen posts was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// `new` came to its own end: it showed all there is.
    Counted,
    /// Chao's lower bound from posts seen by one and by two kinds of angle.
    Chao,
}

impl Method {
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Counted => "counted: `new` came to its own end",
            Self::Chao => "at least, by Chao's estimator over listings and searches",
        }
    }
}

/// Which kinds of angle have shown a post; beyond two it does not matter which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sighting {
    Once(u32),
    Twice(u32, u32),
    Often,
}

/// With fewer kinds of angle an estimate says nothing; listings alone are three.
const KINDS_MIN: usize = 8;

/// With fewer posts seen twice the estimate is a matter of luck.
const TWICE_MIN: u64 = 20;

/// The sightings of one round.
#[derive(Debug, Default)]
pub struct Census {
    kinds: BTreeMap<String, u32>,
    sightings: BTreeMap<PostId, Sighting>,
}

impl Census {
    /// Counts a post that was seen from `angle`.
    pub fn count(&mut self, angle: &Angle, post: &PostId) {
        let n_kinds = u32::try_from(self.kinds.len()).expect("searches are far fewer");
        let kind = *self.kinds.entry(kind(angle)).or_insert(n_kinds);
        let sighting = self.sightings.entry(post.clone()).or_insert(Sighting::Once(kind));
        *sighting = match *sighting {
            Sighting::Once(first) if first != kind => Sighting::Twice(first, kind),
            Sighting::Twice(first, second) if first != kind && second != kind => Sighting::Often,
            Sighting::Once(_) | Sighting::Twice(..) | Sighting::Often => *sighting,
        };
    }

    /// Estimates what was not seen; `None` where there were too few witnesses for it, or they
    /// saw too little of the same.
    pub fn estimate(&self) -> Option<Estimate> {
        if self.kinds.len() < KINDS_MIN {
            return None;
        }
        let number = |n: usize| u64::try_from(n).expect("a length fits 64 bits");
        let count =
            |is: fn(&Sighting) -> bool| number(self.sightings.values().filter(|it| is(it)).count());
        let once = count(|it| matches!(it, Sighting::Once(_)));
        let twice = count(|it| matches!(it, Sighting::Twice(..)));
        if twice < TWICE_MIN {
            return None;
        }
        let unseen = once.saturating_mul(once.saturating_sub(1)) / (2 * (twice + 1));
        Some(Estimate { seen: number(self.sightings.len()), unseen, method: Method::Chao })
    }
}

/// Names the angles that order by the same thing alike: they show the same posts again and
/// again, and would count as many witnesses while they are one.
fn kind(angle: &Angle) -> String {
    match angle {
        Angle::Sort(Sort::New | Sort::Hot | Sort::Rising) => "by time".to_owned(),
        Angle::Sort(Sort::Top(_)) => "by score".to_owned(),
        Angle::Sort(Sort::Controversial(_)) => "by discord".to_owned(),
        Angle::Search(query) => query.subject.text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::listing::{Order, Period, Query, Subject};

    #[test]
    fn a_population_seen_in_part_by_many_is_estimated_well() {
        // Every post has a word of its own for each of 12 searches, which show a third of all.
        let mut census = Census::default();
        let angle = |n: u64| {
            let subject = Subject { flair: None, words: vec![format!("w{n}")] };
            Angle::Search(Query { subject, order: Order::New, period: Period::All })
        };
        for n in 0..12_u64 {
            for post in 0..5_000_u64 {
                let dice = (post.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    ^ (n + 1).wrapping_mul(0xd1b5_4a32_d192_ed03))
                .wrapping_mul(0xff51_afd7_ed55_8ccd);
                if (dice >> 33) % 10 == 0 {
                    census.count(&angle(n), &PostId(format!("{post}")));
                }
            }
        }

        let estimate = census.estimate().unwrap();

        assert!((3_300..3_900).contains(&estimate.seen), "{estimate:?}");
        let total = estimate.seen + estimate.unseen;
        assert!((4_600..5_400).contains(&total), "{estimate:?}");
    }

    /// Shows 100 posts to so many searches, and to three kinds of listings, each post to two.
    fn shown_twice(n_searches: u64) -> Census {
        let search = |n: u64| {
            let subject = Subject { flair: None, words: vec![format!("w{n}")] };
            Angle::Search(Query { subject, order: Order::New, period: Period::All })
        };
        let sorts = [Sort::New, Sort::Top(Period::All), Sort::Controversial(Period::All)];
        let mut angles: Vec<Angle> = sorts.map(Angle::Sort).to_vec();
        angles.extend((0..n_searches).map(search));
        let mut census = Census::default();
        for post in 0..100_usize {
            for angle in [post % angles.len(), (post + 1) % angles.len()] {
                census.count(&angles[angle], &PostId(format!("{post}")));
            }
        }
        census
    }

    #[test]
    fn few_witnesses_prove_nothing() {
        assert_eq!(shown_twice(0).estimate(), None, "listings alone");
        assert_eq!(shown_twice(4).estimate(), None, "seven kinds");
        assert!(shown_twice(5).estimate().is_some());
    }

    #[test]
    fn witnesses_that_hardly_saw_the_same_prove_nothing() {
        let mut census = Census::default();
        for n in 0..20 {
            let subject = Subject { flair: None, words: vec![format!("w{n}")] };
            let query = Query { subject, order: Order::New, period: Period::All };
            for post in 0..50 {
                census.count(&Angle::Search(query.clone()), &PostId(format!("{n}/{post}")));
            }
        }
        assert_eq!(census.estimate(), None);
    }
}
