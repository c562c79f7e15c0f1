//! The classes: how many pictures each split holds, and what they look like.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    Section,
    facts::{self, Facts},
    gallery::Size,
    words,
};
use crate::{
    domain::{dataset::Picture, id::Label, split::Split},
    store::funnel::ClassCount,
};

/// Fewer pictures than this say little about a class.
const FEW: u64 = 50;

/// Beyond this the largest class outweighs the smallest in training.
const LOPSIDED: u64 = 3;

/// How many classes are shown in pictures.
const SHEETS_MAX: usize = 48;

pub(super) fn counts(facts: &Facts) -> Section {
    let classes = &facts.journey.classes;
    let widest = classes.iter().map(ClassCount::pictures).max().unwrap_or(0);
    Section {
        id: "classes",
        title: "Classes and splits",
        lead: counts_lead(classes),
        body: html! {
            div.scroll tabindex="0" role="region" aria-label="Pictures by class and split" { table.counts {
                thead { tr {
                    th scope="col" { "Class" }
                    th scope="col" { "Posts" }
                    th scope="col" { "Kept" }
                    @for split in Split::ALL { th scope="col" { span class=(format!("key {split}")) { (split) } } }
                    th scope="col" { "Dataset" }
                    th.wide scope="col" { span.unseen { "Share of the largest class" } }
                } }
                tbody { @for class in classes { (row(class, widest)) } }
                @if 1 < classes.len() { tfoot { (total(classes)) } }
            } }
            @let warnings = warnings(classes);
            @if !warnings.is_empty() {
                ul.notes { @for warning in &warnings { li { (warning) } } }
            }
        },
    }
}

/// Says how large the classes are and how the splits share them.
fn counts_lead(classes: &[ClassCount]) -> Markup {
    let all: u64 = classes.iter().map(ClassCount::pictures).sum();
    let shares = Split::ALL.map(|split| {
        let n = classes.iter().map(|it| it.splits[&split]).sum();
        format!("{:.0}\u{a0}% {split}", words::share(n, all) * 100.0)
    });
    let least = classes.iter().min_by_key(|it| (it.pictures(), &it.label));
    let most = classes.iter().max_by_key(|it| (it.pictures(), &it.label));
    html! {
        @if all == 0 {
            "How many pictures each class brought, and how the splits share them."
        } @else {
            strong { (words::of(all, "picture")) } ": " (words::list(shares)) "."
            @if let (Some(least), Some(most)) = (least, most) {
                @if 1 < classes.len() {
                    " The smallest class is " strong { (least.label) } " with " (words::number(least.pictures()))
                    ", the largest " strong { (most.label) } " with " (words::number(most.pictures())) "."
                }
            }
        }
    }
}

fn row(class: &ClassCount, widest: u64) -> Markup {
    html! {
        tr {
            th scope="row" { (class.label) }
            td { (words::number(class.posts)) }
            td { (words::number(class.kept)) }
            @for n in class.splits.values() { td { (words::number(*n)) } }
            td { strong { (words::number(class.pictures())) } }
            td.wide aria-hidden="true" {
                div.stack {
                    @for (split, n) in &class.splits {
                        @let width = words::share(*n, widest) * 100.0;
                        @let told = format!("{split}: {}", words::of(*n, "picture"));
                        span class=(split.name()) style=(format!("width:{width:.2}%")) title=(told) {}
                    }
                }
            }
        }
    }
}

fn total(classes: &[ClassCount]) -> Markup {
    let sum = |of: &dyn Fn(&ClassCount) -> u64| words::number(classes.iter().map(of).sum());
    html! {
        tr {
            th scope="row" { "All" }
            td { (sum(&|it| it.posts)) }
            td { (sum(&|it| it.kept)) }
            @for split in Split::ALL { td { (sum(&|it| it.splits[&split])) } }
            td { strong { (sum(&ClassCount::pictures)) } }
            td.wide {}
        }
    }
}

/// Says what a person should know before training on these numbers.
fn warnings(classes: &[ClassCount]) -> Vec<String> {
    let mut warnings = Vec::new();
    for class in classes {
        let n = class.pictures();
        if n == 0 {
            warnings.push(format!("{} has no pictures yet.", class.label));
            continue;
        }
        for (split, of_split) in &class.splits {
            let is_wanted = classes.iter().any(|it| it.splits[split] != 0);
            if *of_split == 0 && is_wanted {
                warnings.push(format!("{} has no pictures in {split}.", class.label));
            }
        }
        if n < FEW {
            let few = words::of(n, "picture");
            warnings.push(format!("{} has only {few}: too few to trust its scores.", class.label));
        }
    }
    let filled = || classes.iter().filter(|class| class.pictures() != 0);
    let (small, large) = (
        filled().min_by_key(|class| (class.pictures(), &class.label)),
        filled().max_by_key(|class| (class.pictures(), &class.label)),
    );
    if let (Some(small), Some(large)) = (small, large)
        && LOPSIDED * small.pictures() <= large.pictures()
    {
        let times = words::share(large.pictures(), small.pictures());
        warnings.push(format!("{} is {times:.1} times as large as {}.", large.label, small.label));
    }
    warnings
}

pub(super) fn sheets(facts: &Facts) -> Section {
    let mut by_label: BTreeMap<&Label, Vec<&Picture>> = BTreeMap::new();
    for picture in &facts.pictures {
        by_label.entry(&picture.label).or_default().push(picture);
    }
    // The page stays of one size: more classes, fewer pictures of each.
    let per_split = match by_label.len() {
        0..=8 => 8,
        9..=24 => 5,
        _ => 3,
    };
    Section {
        id: "pictures",
        title: "What the classes look like",
        lead: html! { "Some prepared pictures of every class and split, chosen by their digests." },
        body: html! {
            @if by_label.is_empty() {
                p.empty { "The dataset is still empty, so there is nothing to see." }
            }
            @for (label, pictures) in by_label.iter().take(SHEETS_MAX) {
                h3 { (label) }
                @for split in Split::ALL { (strip(facts, pictures, split, per_split)) }
            }
            @if SHEETS_MAX < by_label.len() {
                p.empty { (words::number(words::count(by_label.len() - SHEETS_MAX))) " more classes are not shown." }
            }
        },
    }
}

fn strip(facts: &Facts, pictures: &[&Picture], split: Split, n_shown: usize) -> Markup {
    let of_split = || pictures.iter().filter(|picture| picture.split == split);
    let n = words::count(of_split().count());
    html! {
        @if n != 0 {
            div.strip {
                p.of { span class=(format!("key {split}")) { (split) } " " span.soft { (words::number(n)) } }
                div.thumbs {
                    @for picture in of_split().take(n_shown) { (thumb(facts, picture)) }
                }
            }
        }
    }
}

/// Shows one prepared picture, leading to its post where there is one.
pub(super) fn thumb(facts: &Facts, picture: &Picture) -> Markup {
    let source = &picture.provenance;
    let alt = facts.alt(&picture.blob);
    let hint =
        format!("{alt} \u{2013} {} in {}", source.author.as_deref().unwrap_or("?"), source.place);
    let image = facts.gallery().crop(&picture.crop, Size::Small, &alt);
    let post = facts.posts.get_key_value(&source.post);
    html! {
        @match post.and_then(|(id, post)| facts::web_address(id, post)) {
            Some(address) => a.thumb href=(address) title=(hint) rel="noopener noreferrer" { (image) },
            None => span.thumb title=(hint) { (image) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(label: &str, [train, val, test]: [u64; 3]) -> ClassCount {
        let splits = [(Split::Train, train), (Split::Val, val), (Split::Test, test)].into();
        ClassCount { label: Label::new(label).unwrap(), posts: 0, kept: 0, splits }
    }

    #[test]
    fn small_lopsided_and_missing_classes_are_warned_of() {
        let classes = [class("a", [700, 0, 150]), class("b", [40, 0, 0]), class("c", [0, 0, 0])];

        let expected = [
            "b has no pictures in test.",
            "b has only 40\u{a0}pictures: too few to trust its scores.",
            "c has no pictures yet.",
            "a is 21.2 times as large as b.",
        ];
        assert_eq!(warnings(&classes), expected);
    }

    #[test]
    fn a_sound_dataset_has_no_warnings() {
        let classes = [class("a", [700, 150, 150]), class("b", [400, 80, 80])];

        assert!(warnings(&classes).is_empty());
    }
}
