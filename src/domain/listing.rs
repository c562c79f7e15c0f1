//! The angles from which Reddit shows a subreddit: its listings, and searches within it. Each
//! ends at about a thousand posts; together they show more than any of them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

/// How far back an order looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    All,
    Year,
    Month,
    Week,
    Day,
    Hour,
}

impl Period {
    /// From the one that shows most to the one that shows least.
    pub const ALL: [Self; 6] =
        [Self::All, Self::Year, Self::Month, Self::Week, Self::Day, Self::Hour];

    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }
}

/// A listing every subreddit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Sort {
    New,
    Hot,
    Rising,
    Top(Period),
    Controversial(Period),
}

/// The word names no listing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no listing: there are new, hot, rising, top and controversial; the last two also \
     as top-year, top-month, top-week, top-day and top-hour"
)]
pub struct NoSuchListing(String);

impl Sort {
    /// Returns every listing there is, those that show most first.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::New];
        for period in Period::ALL {
            all.push(Self::Top(period));
            all.push(Self::Controversial(period));
        }
        // What these two show has mostly been seen by then.
        all.extend([Self::Hot, Self::Rising]);
        all
    }

    /// Returns the listing's name in an address.
    pub fn path(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Hot => "hot",
            Self::Rising => "rising",
            Self::Top(_) => "top",
            Self::Controversial(_) => "controversial",
        }
    }

    pub fn period(self) -> Option<Period> {
        match self {
            Self::New | Self::Hot | Self::Rising => None,
            Self::Top(period) | Self::Controversial(period) => Some(period),
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.period() {
            None | Some(Period::All) => f.write_str(self.path()),
            Some(period) => write!(f, "{}-{}", self.path(), period.name()),
        }
    }
}

impl FromStr for Sort {
    type Err = NoSuchListing;

    fn from_str(word: &str) -> Result<Self, NoSuchListing> {
        let mut all = Self::all().into_iter();
        let word = word.strip_suffix("-all").filter(|it| !it.contains('-')).unwrap_or(word);
        all.find(|it| it.to_string() == word).ok_or_else(|| NoSuchListing(word.to_owned()))
    }
}

impl From<Sort> for String {
    fn from(sort: Sort) -> Self {
        sort.to_string()
    }
}

impl TryFrom<String> for Sort {
    type Error = NoSuchListing;

    fn try_from(word: String) -> Result<Self, NoSuchListing> {
        word.parse()
    }
}

/// Which angles a dataset is collected from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Listings {
    /// These, in this order.
    These(Vec<Sort>),
    /// All of them, then searches, for as long as they show posts not seen before.
    Everything,
}

impl<'de> Deserialize<'de> for Listings {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> de::Visitor<'de> for Words {
            type Value = Listings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of listings, or \"everything\"")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Listings, E> {
                if word == "everything" {
                    return Ok(Listings::Everything);
                }
                Err(E::invalid_value(de::Unexpected::Str(word), &self))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut from: A) -> Result<Listings, A::Error> {
                let mut these: Vec<Sort> = Vec::new();
                while let Some(sort) = from.next_element()? {
                    if !these.contains(&sort) {
                        these.push(sort);
                    }
                }
                if these.is_empty() {
                    return Err(de::Error::invalid_length(0, &self));
                }
                Ok(Listings::These(these))
            }
        }

        from.deserialize_any(Words)
    }
}

/// A search within one subreddit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Query {
    pub subject: Subject,
    pub order: Order,
    pub period: Period,
}

/// What is looked for: posts with all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    pub flair: Option<String>,
    pub words: Vec<String>,
}

/// The orders a search can be read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    New,
    Top,
    Relevance,
    Comments,
}

impl Order {
    pub const ALL: [Self; 4] = [Self::New, Self::Top, Self::Comments, Self::Relevance];

    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Top => "top",
            Self::Relevance => "relevance",
            Self::Comments => "comments",
        }
    }
}

impl Subject {
    /// Writes the search as Reddit reads it. Quotes cannot be escaped there, so they are left out.
    pub fn text(&self) -> String {
        let flair = self.flair.iter().map(|it| format!("flair:\"{}\"", it.replace('"', " ")));
        let words = self.words.iter().map(|word| word.replace(['"', ':', '(', ')'], " "));
        flair.chain(words).collect::<Vec<_>>().join(" ")
    }
}

/// One way to look at a subreddit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Angle {
    Sort(Sort),
    Search(Query),
}

impl fmt::Display for Angle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sort(sort) => sort.fmt(f),
            Self::Search(Query { subject, order, period }) => {
                write!(f, "search {} by {} of {}", subject.text(), order.name(), period.name())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listing_is_read_by_the_name_it_is_written_with() {
        let all = Sort::all();

        let read: Vec<Sort> = all.iter().map(|it| it.to_string().parse().unwrap()).collect();

        assert_eq!((all.len(), read), (15, all));
        assert_eq!("top-all".parse(), Ok(Sort::Top(Period::All)));
        for odd in ["", "best", "new-week", "top-", "top-decade", "Top"] {
            assert_eq!(odd.parse::<Sort>(), Err(NoSuchListing(odd.to_owned())));
        }
    }

    #[test]
    fn listings_are_a_list_or_the_word_for_all() {
        let read = |json: &str| serde_json::from_str::<Listings>(json).map_err(|it| it.to_string());

        assert_eq!(read("\"everything\""), Ok(Listings::Everything));
        let these = vec![Sort::New, Sort::Top(Period::Week)];
        assert_eq!(read("[\"new\", \"top-week\", \"new\"]"), Ok(Listings::These(these)));
        assert!(read("[]").unwrap_err().contains("a list of listings, or \"everything\""));
        assert!(read("[\"best\"]").unwrap_err().contains("`best` is no listing"));
    }

    #[test]
    fn a_search_cannot_say_more_than_its_subject() {
        let subject =
            Subject { flair: Some("a\" OR \"b".to_owned()), words: vec!["author:x".to_owned()] };
        assert_eq!(subject.text(), "flair:\"a  OR  b\" author x");
    }
}
