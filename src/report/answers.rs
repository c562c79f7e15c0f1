//! What the model said of single test pictures: its errors first, for they are often the labels'.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{facts::Facts, gallery::Size, words};
use crate::{
    domain::{dataset::Picture, id::BlobId, learning::Answer, split::Split},
    store::schema::Run,
};

const WRONG_SHOWN: usize = 24;
const RIGHT_SHOWN: usize = 8;

/// An answer about a picture that is still a test picture.
struct Told<'a> {
    picture: &'a Picture,
    answer: &'a Answer,
    /// The probability of the class the model chose.
    certainty: f32,
}

/// Shows the answers to look at; nothing where the model was asked nothing.
pub(super) fn pictures(facts: &Facts, run: &Run) -> Markup {
    if run.answers.is_empty() {
        return html! {};
    }
    let is_test = |picture: &&Picture| picture.split == Split::Test;
    let test: BTreeMap<BlobId, &Picture> =
        facts.pictures.iter().filter(is_test).map(|picture| (picture.blob, picture)).collect();
    let told = run.answers.iter().filter_map(|answer| {
        let certainty = answer.probabilities.get(answer.predicted()).copied()?;
        Some(Told { picture: test.get(&answer.blob)?, answer, certainty })
    });
    let (mut right, mut wrong): (Vec<Told>, Vec<Told>) =
        told.partition(|told| told.answer.predicted() == told.answer.truth);
    wrong.sort_by(|a, b| {
        b.certainty.total_cmp(&a.certainty).then_with(|| a.answer.blob.cmp(&b.answer.blob))
    });
    right.sort_by(|a, b| {
        a.certainty.total_cmp(&b.certainty).then_with(|| a.answer.blob.cmp(&b.answer.blob))
    });
    let n_sure = right.len().saturating_sub(RIGHT_SHOWN).min(RIGHT_SHOWN);
    let mut sure = right.split_off(right.len() - n_sure);
    sure.reverse();
    html! {
        (outdated(facts, run, &test))
        h3 { "Wrong, the most certain first" }
        @if wrong.is_empty() {
            p.empty { "Every test picture was recognised." }
        } @else {
            p { "A certain error is often a wrong label: look at the picture before blaming the model." }
            (row(facts, run, &wrong, WRONG_SHOWN))
            @if WRONG_SHOWN < wrong.len() {
                p.soft { "and " (words::number(words::count(wrong.len() - WRONG_SHOWN))) " more" }
            }
        }
        @if !right.is_empty() {
            h3 { "Right, but only just" }
            (row(facts, run, &right, RIGHT_SHOWN))
        }
        @if !sure.is_empty() {
            h3 { "Right and most certain" }
            (row(facts, run, &sure, RIGHT_SHOWN))
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

fn row(facts: &Facts, run: &Run, answers: &[Told], n_shown: usize) -> Markup {
    let class = |number: usize| run.classes.get(number).map_or("?", String::as_str);
    let shown = answers.iter().take(n_shown).map(|told| {
        let (truth, said) = (class(told.answer.truth), class(told.answer.predicted()));
        let alt = format!("labelled {truth}, taken for {said}: {}", facts.alt(&told.picture.blob));
        html! {
            figure.thumb {
                (facts.gallery().crop(&told.picture.crop, Size::Small, &alt))
                figcaption {
                    @if truth == said {
                        span.good { "\u{2713} " (said) }
                    } @else {
                        span.bad { "\u{2717} " (said) } span.soft { " labelled " (truth) }
                    }
                    span.soft { (words::percent(f64::from(told.certainty))) " sure" }
                }
            }
        }
    });
    html! { div.thumbs.told { @for figure in shown { (figure) } } }
}
