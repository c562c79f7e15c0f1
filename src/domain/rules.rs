//! The rules a post must satisfy to belong to a class: flair, title, votes, dates, authors. Pure.

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{
    day::Day,
    outcome::Reject,
    post::{GalleryItem, Media, Post},
};

/// What a post must be like; what is not said is not asked. A rule about votes, dates or authors
/// passes posts whose source does not tell any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// One of these, in whatever case.
    pub flair: Option<Vec<String>>,
    pub not_flair: Option<Vec<String>>,
    /// Found anywhere in the title.
    pub title: Option<Pattern>,
    pub not_title: Option<Pattern>,
    pub min_score: Option<i64>,
    pub max_score: Option<i64>,
    /// Votes for the post among all votes, 0 to 1.
    pub min_ratio: Option<Ratio>,
    /// The first day, in UTC.
    pub since: Option<Day>,
    /// The first day that is too late.
    pub until: Option<Day>,
    pub authors: Option<Vec<String>>,
    pub not_authors: Option<Vec<String>>,
    pub nsfw: Option<Choice>,
    pub crossposts: Option<Choice>,
    pub galleries: Option<Galleries>,
    /// Found in a gallery picture's own words; pictures without such words are left out.
    pub caption: Option<Pattern>,
}

/// What to do with posts of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    Skip,
    Keep,
    /// Leave out all others.
    Only,
}

/// Which pictures of a gallery are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Galleries {
    #[default]
    All,
    First,
    None,
}

/// The rule a post did not satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    Flair,
    Title,
    Score,
    Ratio,
    Date,
    Author,
    Nsfw,
    Crosspost,
    Gallery,
    Caption,
}

impl Rule {
    /// Returns the short name reports count by.
    pub fn refusal(self) -> &'static str {
        match self {
            Self::Flair => "flair not wanted",
            Self::Title => "title not wanted",
            Self::Score => "score not wanted",
            Self::Ratio => "too few of the votes",
            Self::Date => "outside the dates",
            Self::Author => "author not wanted",
            Self::Nsfw => "nsfw post",
            Self::Crosspost => "crosspost not wanted",
            Self::Gallery => "gallery not wanted",
            Self::Caption => "caption not wanted",
        }
    }
}

impl Rules {
    /// Fills what is not said here from `defaults`.
    #[must_use]
    pub fn or(&self, defaults: &Self) -> Self {
        let (own, other) = (self.clone(), defaults.clone());
        Self {
            flair: own.flair.or(other.flair),
            not_flair: own.not_flair.or(other.not_flair),
            title: own.title.or(other.title),
            not_title: own.not_title.or(other.not_title),
            min_score: own.min_score.or(other.min_score),
            max_score: own.max_score.or(other.max_score),
            min_ratio: own.min_ratio.or(other.min_ratio),
            since: own.since.or(other.since),
            until: own.until.or(other.until),
            authors: own.authors.or(other.authors),
            not_authors: own.not_authors.or(other.not_authors),
            nsfw: own.nsfw.or(other.nsfw),
            crossposts: own.crossposts.or(other.crossposts),
            galleries: own.galleries.or(other.galleries),
            caption: own.caption.or(other.caption),
        }
    }

    /// Tells whether a post can satisfy these rules and not the others, and the other way round,
    /// by what it says or when it was posted.
    pub fn can_part_from(&self, other: &Self) -> bool {
        let words = |it: &Self| {
            let asks = [&it.flair, &it.not_flair, &it.authors, &it.not_authors].map(Clone::clone);
            (asks, [it.title.clone(), it.not_title.clone(), it.caption.clone()])
        };
        let is_none = |it: &Self| words(it) == words(&Self::default());
        let differ_in_words = words(self) != words(other) && !is_none(self) && !is_none(other);
        let is_either_or = |own: Option<Choice>, others: Option<Choice>| {
            let (only, skip) = (Some(Choice::Only), Some(Choice::Skip));
            (own, others) == (only, skip) || (own, others) == (skip, only)
        };
        let are_apart = |a: &Self, b: &Self| {
            let is_beyond = a.max_score.zip(b.min_score).is_some_and(|(most, least)| most < least);
            is_beyond || a.until.zip(b.since).is_some_and(|(until, since)| until <= since)
        };
        differ_in_words
            || is_either_or(self.nsfw, other.nsfw)
            || is_either_or(self.crossposts, other.crossposts)
            || are_apart(self, other)
            || are_apart(other, self)
    }

    /// Returns the rules that look into a gallery, without the others.
    #[must_use]
    pub fn of_galleries(&self) -> Self {
        let (galleries, caption) = (self.galleries, self.caption.clone());
        Self { galleries, caption, ..Self::default() }
    }

    /// Names the first rule a post does not satisfy; what is removed is told before all else.
    pub fn accept(&self, post: &Post) -> Result<(), Reject> {
        if let Media::Removed { by } = &post.media {
            return Err(Reject::Removed { by: by.clone() });
        }
        self.words(post)?;
        self.votes(post)?;
        self.kinds(post)
    }

    fn words(&self, post: &Post) -> Result<(), Reject> {
        let flair = post.flair.as_deref().unwrap_or_default();
        let is_in = |pattern: &Pattern| pattern.is_in(&post.title);
        let names_flair = |any: &Vec<String>| names(any, flair);
        first_broken([
            (Rule::Flair, flair, self.flair.as_ref().is_none_or(names_flair)),
            (Rule::Flair, flair, !self.not_flair.as_ref().is_some_and(names_flair)),
            (Rule::Title, "", self.title.as_ref().is_none_or(is_in)),
            (Rule::Title, "", !self.not_title.as_ref().is_some_and(is_in)),
        ])?;
        let Some(author) = &post.author else { return Ok(()) };
        let names_author = |any: &Vec<String>| names(any, author);
        first_broken([
            (Rule::Author, author, self.authors.as_ref().is_none_or(names_author)),
            (Rule::Author, author, !self.not_authors.as_ref().is_some_and(names_author)),
        ])
    }

    fn votes(&self, post: &Post) -> Result<(), Reject> {
        if let Some(score) = post.score {
            let is_enough = self.min_score.is_none_or(|least| least <= score);
            let is_within = self.max_score.is_none_or(|most| score <= most);
            first_broken([(Rule::Score, &score.to_string(), is_enough && is_within)])?;
        }
        if let (Some(least), Some(percent)) = (self.min_ratio, post.upvote_percent) {
            first_broken([(Rule::Ratio, &format!("{percent} %"), least.percent() <= percent)])?;
        }
        if let Some(at) = post.created_utc {
            let is_late_enough = self.since.is_none_or(|day| day.begins_at() <= at);
            let is_early_enough = self.until.is_none_or(|day| at < day.begins_at());
            let day = Day::of(at).to_string();
            first_broken([(Rule::Date, &day, is_late_enough && is_early_enough)])?;
        }
        Ok(())
    }

    fn kinds(&self, post: &Post) -> Result<(), Reject> {
        let nsfw = self.nsfw.unwrap_or(Choice::Skip);
        let crossposts = self.crossposts.unwrap_or(Choice::Keep);
        let is_crosspost = matches!(post.media, Media::Crosspost { .. });
        let is_gallery = post.media.gallery().is_some();
        first_broken([
            (Rule::Nsfw, "", nsfw.admits()[usize::from(post.over_18)]),
            (Rule::Crosspost, "", crossposts.admits()[usize::from(is_crosspost)]),
            (Rule::Gallery, "", !is_gallery || self.galleries != Some(Galleries::None)),
        ])
    }

    /// Tells whether picture number `index` of a gallery is taken.
    pub fn accept_item(&self, index: usize, item: &GalleryItem) -> Result<(), Reject> {
        let words = item.caption.as_deref().unwrap_or_default();
        first_broken([
            (Rule::Gallery, "", self.galleries != Some(Galleries::First) || index == 0),
            (Rule::Caption, words, self.caption.as_ref().is_none_or(|it| it.is_in(words))),
        ])
    }
}

/// Of rules, what was found, and whether it is as the rule wants it: the first that is not.
fn first_broken<const N: usize>(checks: [(Rule, &str, bool); N]) -> Result<(), Reject> {
    match checks.into_iter().find(|(_, _, is_fine)| !is_fine) {
        Some((rule, found, _)) => Err(Reject::Filtered { rule, found: found.to_owned() }),
        None => Ok(()),
    }
}

impl Choice {
    /// Tells whether all others are admitted, and whether those of this kind are.
    fn admits(self) -> [bool; 2] {
        match self {
            Self::Skip => [true, false],
            Self::Keep => [true, true],
            Self::Only => [false, true],
        }
    }
}

fn names(any: &[String], text: &str) -> bool {
    let text = text.trim().to_lowercase();
    any.iter().any(|name| name.trim().to_lowercase() == text)
}

/// A regular expression, in the syntax of the `regex` crate; `(?i)` in front ignores case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Pattern(Regex);

#[derive(Debug, thiserror::Error)]
#[error("`{text}` is no regular expression: {cause}")]
pub struct NotAPattern {
    text: String,
    cause: String,
}

impl Pattern {
    pub fn new(text: &str) -> Result<Self, NotAPattern> {
        Regex::new(text).map(Self).map_err(|error| {
            // The last line says what is wrong; those above draw it.
            let cause = error.to_string().lines().last().unwrap_or_default().trim().to_owned();
            NotAPattern { text: text.to_owned(), cause }
        })
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl TryFrom<String> for Pattern {
    type Error = NotAPattern;

    fn try_from(text: String) -> Result<Self, NotAPattern> {
        Self::new(&text)
    }
}

/// A share of the votes, 0 to 1, in whole percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "f64", try_from = "f64")]
pub struct Ratio(u8);

#[derive(Debug, thiserror::Error)]
#[error("{0} is no share of votes: use 0 to 1, such as 0.8")]
pub struct NotARatio(f64);

impl Ratio {
    fn percent(self) -> u8 {
        self.0
    }
}

impl From<Ratio> for f64 {
    fn from(ratio: Ratio) -> Self {
        Self::from(ratio.0) / 100.0
    }
}

impl TryFrom<f64> for Ratio {
    type Error = NotARatio;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    fn try_from(share: f64) -> Result<Self, NotARatio> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self((share * 100.0).round() as u8))
        } else {
            Err(NotARatio(share))
        }
    }
}

#[cfg(test)]
mod tests;
