//! The head of the page: the numbers that matter, and the narrowing from posts to the dataset.

use maud::{Markup, html};

use super::{Section, facts::Facts, words};
use crate::{
    domain::verdict::DropReason,
    store::funnel::{Reason, Step, StepName},
};

/// How many reasons stand beside a step; the rest unfolds.
const REASONS_SHOWN: usize = 5;

/// One number of the headline.
struct Card {
    name: &'static str,
    value: String,
    note: String,
}

pub(super) fn headline(facts: &Facts) -> Markup {
    let input = facts.input;
    let n_classes = words::count(input.classes.labels().count());
    let (posts, pictures) = (facts.count(StepName::Posts), facts.count(StepName::Dataset));
    let places = words::of(words::count(input.classes.places().len()), "place");
    html! {
        header.page {
            p.kicker { "snapset report \u{b7} " code { (input.name) } }
            h1 { (input.title) }
            p.lead {
                @if pictures == 0 {
                    "The dataset is still empty. So far " (words::of(posts, "post"))
                    " from " (places) " were read."
                } @else {
                    (words::of(pictures, "picture")) " in " (class_count(n_classes)) ", made from "
                    (words::of(posts, "post")) " of " (places) "."
                }
            }
            dl.cards {
                @for card in cards(facts) {
                    div {
                        dt { (card.name) }
                        dd.value { (card.value) }
                        dd.sub { (card.note) }
                    }
                }
            }
        }
    }
}

fn class_count(n: u64) -> String {
    if n == 1 { "1\u{a0}class".to_owned() } else { format!("{}\u{a0}classes", words::number(n)) }
}

fn cards(facts: &Facts) -> Vec<Card> {
    let (posts, pictures) = (facts.count(StepName::Posts), facts.count(StepName::Dataset));
    let exact = facts.n_lost(StepName::Links, &Reason::SameAddress)
        + facts.n_lost(StepName::Fetched, &Reason::SameBytes);
    let twins = words::count(facts.twins().count());
    let conflicts =
        facts.dropped().filter(|(_, it)| matches!(it, DropReason::LabelConflict { .. }));
    let readable = facts.count(StepName::Readable);
    let mut cards = vec![
        Card {
            name: "Pictures",
            value: words::number(pictures),
            note: format!("of {} readable ones", words::number(readable)),
        },
        Card {
            name: "Posts",
            value: words::number(posts),
            note: if posts == 0 {
                "none has been read yet".to_owned()
            } else {
                format!("{:.0} pictures for 100 posts", words::share(pictures, posts) * 100.0)
            },
        },
        Card {
            name: "Duplicates removed",
            value: words::number(exact + twins),
            note: format!("{} exact, {} near-equal", words::number(exact), words::number(twins)),
        },
        Card {
            name: "Label conflicts",
            value: words::number(words::count(conflicts.count())),
            note: "pictures posted under two classes".to_owned(),
        },
    ];
    cards.push(match facts.run.as_ref().map(|(_, run)| run) {
        Some(run) => Card {
            name: "Test accuracy",
            value: run
                .test
                .as_ref()
                .map_or("\u{2013}".to_owned(), |it| words::percent(it.accuracy)),
            note: match &run.test {
                Some(test) => format!("{}, macro F1 {:.3}", run.architecture, test.macro_f1()),
                None => "the dataset has no test pictures".to_owned(),
            },
        },
        None => Card {
            name: "Test accuracy",
            value: "\u{2013}".to_owned(),
            note: "no model has been trained yet".to_owned(),
        },
    });
    cards
}

pub(super) fn funnel(facts: &Facts) -> Section {
    let steps = &facts.journey.steps;
    let widest = steps.iter().map(|step| step.count).max().unwrap_or(0);
    Section {
        id: "funnel",
        title: "From posts to the dataset",
        lead: html! {
            @if let Some((reason, n)) = largest_loss(steps) {
                "Most were lost to \u{201c}" strong { (words::shortened(&reason, 80)) } "\u{201d}: "
                strong { (words::number(n)) } ". "
            }
            "The pale end of a bar is what was lost at that step, the reasons stand beside it."
        },
        body: html! {
            @if widest == 0 {
                p.empty { "No post has been read yet: " code { "snapset run" } " begins with that." }
            } @else {
                ol.funnel {
                    @for step in steps { (funnel_step(step, widest)) }
                }
            }
        },
    }
}

/// Returns the reason that cost the most, over all steps; what is only not done yet costs nothing.
fn largest_loss(steps: &[Step]) -> Option<(String, u64)> {
    let lost = steps.iter().flat_map(Step::largest);
    let lost = lost.filter(|(reason, ..)| **reason != Reason::NotDoneYet);
    let (reason, n, _) = lost.max_by_key(|(reason, n, _)| (*n, std::cmp::Reverse(*reason)))?;
    Some((reason.to_string(), n))
}

fn funnel_step(step: &Step, widest: u64) -> Markup {
    let lost: u64 = step.largest().map(|(_, n, _)| n).sum();
    let width = words::share(step.count, widest) * 100.0;
    let told = format!(
        "{} {}: {} went on, {} were lost here",
        words::number(step.count),
        step.name.name(),
        words::number(step.count.saturating_sub(lost)),
        words::number(lost)
    );
    let gone = words::share(lost.min(step.count), step.count) * 100.0;
    let reasons: Vec<(String, u64)> =
        step.largest().map(|(reason, n, _)| (reason.to_string(), n)).collect();
    let shown = if reasons.len() <= REASONS_SHOWN + 1 { reasons.len() } else { REASONS_SHOWN };
    html! {
        li {
            div.step { strong { (words::number(step.count)) } " " (step.name.name()) }
            div.track aria-hidden="true" title=(told) {
                div.fill style=(format!("width:{width:.2}%")) {
                    div.goes style=(format!("width:{:.2}%", 100.0 - gone)) {}
                }
            }
            div.reasons {
                @if reasons.is_empty() {
                    @if step.name != StepName::Dataset && step.count != 0 { span.none { "all went on" } }
                } @else {
                    ul { @for reason in &reasons[..shown] { (lost_line(reason)) } }
                    @if shown < reasons.len() {
                        details {
                            summary { (words::of(words::count(reasons.len() - shown), "more reason")) }
                            ul { @for reason in &reasons[shown..] { (lost_line(reason)) } }
                        }
                    }
                }
            }
        }
    }
}

fn lost_line((reason, n): &(String, u64)) -> Markup {
    html! {
        li { span.n { "\u{2212}" (words::number(*n)) } " " (words::shortened(reason, 140)) }
    }
}
