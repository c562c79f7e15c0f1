//! Pictures that show the same: which copy was kept, by what evidence, and what could not be
//! settled because the copies were posted under different classes.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use maud::{Markup, html};

use super::{Section, evidence, facts::Facts, gallery::Size, words};
use crate::{
    domain::{
        fingerprint::{Distance, Similarity},
        id::BlobId,
        verdict::{self, DropReason},
    },
    store::{
        StoreError,
        funnel::{Reason, StepName},
    },
};

/// How many pairs, conflicts and much-posted pictures are shown.
const PAIRS_SHOWN: usize = 8;
const CONFLICTS_SHOWN: usize = 6;
const COPIES_SHOWN: usize = 4;
const REPOSTED_SHOWN: usize = 8;

/// Two pictures that are said to show the same.
pub(super) struct Pair {
    pub keeper: BlobId,
    pub dropped: BlobId,
    pub distance: Distance,
    pub similarity: Similarity,
}

pub(super) fn twins(facts: &Facts) -> Result<Section, StoreError> {
    let pairs: Vec<Pair> = facts
        .twins()
        .filter_map(|(dropped, reason)| match reason {
            DropReason::Twin { of, distance, similarity } => {
                let (keeper, distance, similarity) = (*of, *distance, *similarity);
                Some(Pair { keeper, dropped, distance, similarity })
            }
            DropReason::LabelConflict { .. }
            | DropReason::TakenBack { .. }
            | DropReason::Flawed(_)
            | DropReason::Reviewed { .. }
            | DropReason::TwinOfRejected { .. } => None,
        })
        .collect();
    let same_address = facts.n_lost(StepName::Links, &Reason::SameAddress);
    let same_bytes = facts.n_lost(StepName::Fetched, &Reason::SameBytes);
    let n_pairs = words::count(pairs.len());
    let borderline = evidence::borderline(facts)?;
    let shown = spread(pairs).iter().map(|it| pair(facts, it)).collect::<Result<Vec<_>, _>>()?;
    Ok(Section {
        id: "duplicates",
        title: "Duplicates",
        lead: html! {
            strong { (words::number(same_address)) } " links led to an address already known, "
            strong { (words::number(same_bytes)) } " addresses brought bytes already fetched, and "
            strong { (words::of(n_pairs, "picture")) } " showed the same as a better copy."
        },
        body: html! {
            @if facts.pairs.is_empty() {
                p.empty { "No two pictures were found to show the same." }
            }
            div.beside {
                @if !facts.compared.is_empty() { (evidence::histogram(facts)) }
                (reposted(facts))
            }
            @if !shown.is_empty() {
                h3 { "Kept and dropped, from the least alike to the most" }
                div.pairs { @for pair in &shown { (pair) } }
            }
            (borderline)
        },
    })
}

/// Picks pairs evenly from the farthest to the nearest, so that the doubtful ones are seen too.
fn spread(mut pairs: Vec<Pair>) -> Vec<Pair> {
    pairs.sort_by_key(|pair| (pair.similarity, Reverse(pair.distance), pair.dropped));
    let n = pairs.len();
    if n <= PAIRS_SHOWN {
        return pairs;
    }
    let chosen: BTreeSet<usize> =
        (0..PAIRS_SHOWN).map(|at| at * (n - 1) / (PAIRS_SHOWN - 1)).collect();
    let numbered = pairs.into_iter().enumerate();
    numbered.filter(|(at, _)| chosen.contains(at)).map(|(_, pair)| pair).collect()
}

/// Shows the kept and the dropped copy side by side, with the evidence.
pub(super) fn pair(facts: &Facts, pair: &Pair) -> Result<Markup, StoreError> {
    let side = |blob: &BlobId, role: &str| -> Result<Markup, StoreError> {
        let alt = format!("{role}: {}", facts.alt(blob));
        Ok(html! {
            figure class=(role) {
                (facts.gallery().original(blob, Size::Large, &alt))
                figcaption { span.badge { (role) } (facts.caption(blob)?) }
            }
        })
    };
    Ok(html! {
        article.pair {
            p.evidence {
                strong { (pair.similarity) " alike" } " \u{b7} distance " (pair.distance) " of 256"
            }
            div.sides { (side(&pair.keeper, "kept")?) (side(&pair.dropped, "dropped")?) }
        }
    })
}

/// Shows the pictures most often posted in just the same bytes.
fn reposted(facts: &Facts) -> Markup {
    let mut often: Vec<(usize, &BlobId)> =
        facts.sightings.iter().map(|(blob, seen)| (seen.len(), blob)).collect();
    often.retain(|(n, _)| 1 < *n);
    often.sort_by_key(|(n, blob)| (Reverse(*n), **blob));
    html! {
        @if !often.is_empty() {
            div {
                h3 { "Posted most often, byte for byte" }
                div.thumbs {
                    @for (n, blob) in often.iter().take(REPOSTED_SHOWN) {
                        @let alt = facts.alt(blob);
                        figure.thumb {
                            (facts.gallery().original(blob, Size::Small, &alt))
                            figcaption { (n) "\u{a0}\u{d7}" }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn conflicts(facts: &Facts) -> Result<Section, StoreError> {
    let groups = conflict_groups(facts);
    let n_groups = words::count(groups.len());
    let cards = groups.iter().take(CONFLICTS_SHOWN).map(|group| conflict(facts, group));
    let cards = cards.collect::<Result<Vec<_>, _>>()?;
    Ok(Section {
        id: "conflicts",
        title: "Label conflicts",
        lead: html! {
            @if !groups.is_empty() {
                strong { (words::of(n_groups, "picture")) } " appeared under two classes or more. "
            }
            "The same picture posted under two classes teaches nothing: all its copies are left out "
            "until a person settles the matter."
        },
        body: html! {
            @if groups.is_empty() {
                p.empty { "No picture was posted under two classes." }
            } @else {
                div.pairs { @for card in &cards { (card) } }
            }
            @if CONFLICTS_SHOWN < groups.len() {
                p.soft { "and " (words::number(n_groups - words::count(CONFLICTS_SHOWN))) " more" }
            }
        },
    })
}

/// Gathers the pictures in conflict with those they are twins of.
fn conflict_groups(facts: &Facts) -> Vec<Vec<BlobId>> {
    let blobs: BTreeSet<BlobId> = facts
        .dropped()
        .filter(|(_, reason)| matches!(reason, DropReason::LabelConflict { .. }))
        .map(|(blob, _)| blob)
        .collect();
    let edges = facts.pairs.iter().map(|pair| (pair.a, pair.b));
    let mut groups: BTreeMap<BlobId, Vec<BlobId>> = BTreeMap::new();
    for (blob, group) in verdict::components(blobs.iter(), edges) {
        groups.entry(group).or_default().push(blob);
    }
    groups.into_values().collect()
}

fn conflict(facts: &Facts, group: &[BlobId]) -> Result<Markup, StoreError> {
    let figures = group.iter().take(COPIES_SHOWN).map(|blob| -> Result<Markup, StoreError> {
        let seen = facts.sightings.get(blob).map_or(&[][..], Vec::as_slice);
        let labels: BTreeSet<&str> = seen.iter().map(|it| it.label.as_str()).collect();
        let alt = format!("posted as {}: {}", joined(&labels), facts.alt(blob));
        Ok(html! {
            figure {
                (facts.gallery().original(blob, Size::Large, &alt))
                figcaption {
                    @for label in &labels { span.badge { (label) } " " }
                    (facts.caption(blob)?)
                }
            }
        })
    });
    let figures = figures.collect::<Result<Vec<_>, _>>()?;
    let seen = group.iter().filter_map(|blob| facts.sightings.get(blob)).flatten();
    let labels: BTreeSet<&str> = seen.map(|it| it.label.as_str()).collect();
    let similarity = facts
        .pairs
        .iter()
        .filter(|pair| group.contains(&pair.a) && group.contains(&pair.b))
        .map(|pair| pair.similarity)
        .min();
    Ok(html! {
        article.pair {
            p.evidence {
                strong { (joined(&labels)) "?" }
                @match similarity {
                    Some(similarity) => { " \u{b7} " (similarity) " alike" },
                    None => " \u{b7} the same bytes",
                }
            }
            div.sides { @for figure in &figures { (figure) } }
            @if COPIES_SHOWN < group.len() {
                p.soft { "and " (group.len() - COPIES_SHOWN) " more copies" }
            }
        }
    })
}

fn joined(labels: &BTreeSet<&str>) -> String {
    labels.iter().copied().collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pairs_shown_reach_from_the_least_alike_to_the_most() {
        let pair = |n: u16| Pair {
            keeper: BlobId::of(b"keeper"),
            dropped: BlobId::of(&n.to_be_bytes()),
            distance: Distance(u32::from(n)),
            similarity: Similarity(700 + n * 7 % 100),
        };

        let shown: Vec<u16> =
            spread((0..100).map(pair).collect()).iter().map(|it| it.similarity.0).collect();

        assert_eq!(shown.len(), PAIRS_SHOWN);
        assert_eq!((shown[0], shown[PAIRS_SHOWN - 1]), (700, 799));
        assert!(shown.is_sorted());
    }
}
