//! What the model said of single test pictures: its errors first, for they are often the labels'.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use maud::{Markup, html};

use super::{
    facts::Facts,
    gallery::{Gallery, Size},
    words,
};
use crate::{
    domain::{
        dataset::Picture,
        id::BlobId,
        learning::{self, Answer, MISTAKES_SHOWN},
        split::Split,
    },
    store::schema::{Run, RunName},
};

const RIGHT_SHOWN: usize = 8;

/// How many kinds of mistakes are shown, and how many pictures of each.
const KINDS_SHOWN: usize = 12;
const OF_KIND_SHOWN: usize = 4;

/// An answer about a picture that is still a test picture.
#[derive(Clone, Copy)]
struct Told<'a> {
    picture: &'a Picture,
    answer: &'a Answer,
}

/// What a model said, where the pictures still are test pictures.
pub(super) struct Answers<'a> {
    facts: &'a Facts<'a>,
    name: &'a RunName,
    run: &'a Run,
    test: BTreeMap<BlobId, &'a Picture>,
    /// The most certain first.
    wrong: Vec<Told<'a>>,
}

impl<'a> Answers<'a> {
    pub(super) fn of(facts: &'a Facts<'a>, (name, run): (&'a RunName, &'a Run)) -> Self {
        let is_test = |picture: &&Picture| picture.split == Split::Test;
        let test: BTreeMap<BlobId, &Picture> =
            facts.pictures.iter().filter(is_test).map(|picture| (picture.blob, picture)).collect();
        let told = |answer: &'a Answer| Some(Told { picture: test.get(&answer.blob)?, answer });
        let wrong = learning::mistakes(&run.answers).into_iter().filter_map(told).collect();
        Self { facts, name, run, test, wrong }
    }

    /// Shows the answers to look at; nothing where the model was asked nothing.
    pub(super) fn pictures(&self) -> Markup {
        if self.run.answers.is_empty() {
            return html! {};
        }
        let (right, sure) = self.right();
        let wrong = &self.wrong[..self.wrong.len().min(MISTAKES_SHOWN)];
        let maps: Vec<Option<Markup>> = wrong.iter().map(|told| self.map(told)).collect();
        let is_mapped = maps.iter().any(Option::is_some);
        html! {
            (outdated(self.facts, self.run, &self.test))
            h3 { "Wrong, the most certain first" }
            @if wrong.is_empty() {
                p.empty { "Every test picture was recognised." }
            } @else {
                p {
                    "A certain error is often a wrong label: look at the picture before blaming the model."
                    @if is_mapped {
                        " Beside it is the same picture where the model looked: the brighter a place, "
                        "the more it spoke for the wrong class."
                    }
                }
                div.thumbs.told.looked[is_mapped] {
                    @for (told, map) in wrong.iter().zip(&maps) { (self.figure(*told, map.as_ref())) }
                }
                @if wrong.len() < self.wrong.len() {
                    p.soft { "and " (words::number(words::count(self.wrong.len() - wrong.len()))) " more" }
                }
            }
            (self.row("Right, but only just", &right))
            (self.row("Right and most certain", &sure))
        }
    }

    /// Returns the least and the most certain of the right answers.
    fn right(&self) -> (Vec<Told<'a>>, Vec<Told<'a>>) {
        let told =
            |answer: &'a Answer| Some(Told { picture: self.test.get(&answer.blob)?, answer });
        let right = self.run.answers.iter().filter(|it| it.is_right());
        let mut right: Vec<Told> = right.filter_map(told).collect();
        right.sort_by(|a, b| {
            let (a, b) = (a.answer, b.answer);
            a.confidence().total_cmp(&b.confidence()).then_with(|| a.blob.cmp(&b.blob))
        });
        let n_sure = right.len().saturating_sub(RIGHT_SHOWN).min(RIGHT_SHOWN);
        let mut sure = right.split_off(right.len() - n_sure);
        sure.reverse();
        right.truncate(RIGHT_SHOWN);
        (right, sure)
    }

    /// Shows what was taken for what, the most frequent first, with some of the pictures.
    pub(super) fn confusions(&self) -> Markup {
        let mut counts: BTreeMap<(usize, usize), u64> = BTreeMap::new();
        let mut of_class: BTreeMap<usize, u64> = BTreeMap::new();
        for answer in &self.run.answers {
            *of_class.entry(answer.truth).or_default() += 1;
            if !answer.is_right() {
                *counts.entry((answer.truth, answer.predicted())).or_default() += 1;
            }
        }
        let mut kinds: Vec<((usize, usize), u64)> = counts.into_iter().collect();
        kinds.sort_by_key(|(kind, n)| (Reverse(*n), *kind));
        let card = |&((truth, said), n): &((usize, usize), u64)| {
            let all = of_class.get(&truth).copied().unwrap_or(0);
            let is_it =
                |told: &&Told| told.answer.truth == truth && told.answer.predicted() == said;
            html! {
                div.kind {
                    p {
                        strong { (self.class(truth)) } " taken for " strong { (self.class(said)) } ": "
                        (words::number(n)) " of " (words::number(all))
                        span.soft { " (" (words::percent(words::share(n, all))) ")" }
                    }
                    div.thumbs {
                        @for told in self.wrong.iter().filter(is_it).take(OF_KIND_SHOWN) {
                            span.thumb title=(words::percent(told.answer.confidence()) + " sure") {
                                (self.image(*told))
                            }
                        }
                    }
                }
            }
        };
        html! {
            @if !kinds.is_empty() {
                h3 { "What was taken for what" }
                div.kinds { @for kind in kinds.iter().take(KINDS_SHOWN) { (card(kind)) } }
                @if KINDS_SHOWN < kinds.len() {
                    p.soft { "and " (words::of(words::count(kinds.len() - KINDS_SHOWN), "rarer kind")) }
                }
            }
        }
    }

    fn class(&self, number: usize) -> &'a str {
        self.run.classes.get(number).map_or("?", String::as_str)
    }

    fn image(&self, told: Told<'_>) -> Markup {
        let (truth, said) = (self.class(told.answer.truth), self.class(told.answer.predicted()));
        let alt =
            format!("labelled {truth}, taken for {said}: {}", self.facts.alt(&told.picture.blob));
        self.facts.gallery().crop(&told.picture.crop, Size::Small, &alt)
    }

    /// Shows where the model looked, if its training noted that.
    fn map(&self, told: &Told<'_>) -> Option<Markup> {
        let path = self.facts.input.layout.mistake(self.name, &told.picture.blob);
        let alt = format!("where the model saw {}", self.class(told.answer.predicted()));
        Gallery::if_any(&path, Size::Small, &alt)
    }

    fn row(&self, title: &str, told: &[Told<'_>]) -> Markup {
        html! {
            @if !told.is_empty() {
                h3 { (title) }
                div.thumbs.told { @for told in told { (self.figure(*told, None)) } }
            }
        }
    }

    fn figure(&self, told: Told<'_>, map: Option<&Markup>) -> Markup {
        let (truth, said) = (self.class(told.answer.truth), self.class(told.answer.predicted()));
        html! {
            figure.thumb {
                @match map {
                    Some(map) => div.both { (self.image(told)) (map) },
                    None => (self.image(told)),
                }
                figcaption {
                    @if truth == said {
                        span.good { "\u{2713} " (said) }
                    } @else {
                        span.bad { "\u{2717} " (said) } span.soft { " labelled " (truth) }
                    }
                    span.soft { (words::percent(told.answer.confidence())) " sure" }
                }
            }
        }
    }
}

/// Says so if the model was judged by other pictures than the dataset holds today.
fn outdated(facts: &Facts, run: &Run, test: &BTreeMap<BlobId, &Picture>) -> Markup {
    let asked: BTreeSet<BlobId> = run.answers.iter().map(|answer| answer.blob).collect();
    let today: BTreeSet<BlobId> = facts.pictures.iter().map(|picture| picture.blob).collect();
    let new = words::count(test.keys().filter(|blob| !asked.contains(*blob)).count());
    let gone = words::count(asked.difference(&today).count());
    html! {
        @if new != 0 || gone != 0 {
            p.note {
                "The dataset has changed since this model was judged: "
                (words::of(gone, "picture")) " left it, "
                (words::of(new, "test picture")) " came in. " code { "snapset run" } " trains anew."
            }
        }
    }
}

#[cfg(test)]
mod tests;
