//! The evidence on twins: how far apart the hashes of compared pictures lie, what the second look
//! said of them, and the pairs that were hardest to tell.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde::Serialize;

use super::{
    chart::{self, Bar},
    facts::Facts,
    gallery::Size,
    words,
};
use crate::{
    domain::{
        fingerprint::{Distance, Similarity},
        id::BlobId,
        picture::FileFormat,
        verdict::TwinPair,
    },
    pixels::{
        contact::{self, Grid},
        encode,
    },
    store::StoreError,
};

/// The width of a bar of the histogram, in bits.
const BAR_BITS: u32 = 4;

const TITLE: &str = "How far apart the hashes of compared pictures are";

/// How many pairs are shown on each side of the limit.
const PAIRS_SHOWN: usize = 4;

/// How the sheet of pairs is laid out.
const GRID: Grid = Grid { columns: 4, cell_px: 176, gap_px: 6 };
const SHEET_QUALITY: u8 = 82;

/// A picture of pairs, and what it shows, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairSheet {
    pub lines: Vec<PairLine>,
    /// Empty where there are no pairs.
    pub jpeg: Vec<u8>,
}

/// One pair of the sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PairLine {
    pub role: &'static str,
    pub a: BlobId,
    pub b: BlobId,
    pub distance: Distance,
    pub similarity: Similarity,
}

/// Draws how many pairs lie at each distance: twins, and what only looked like them.
pub(super) fn histogram(facts: &Facts) -> Markup {
    let limit = facts.input.similarity;
    let mut counts: BTreeMap<u32, [u64; 2]> = BTreeMap::new();
    for pair in &facts.compared {
        let bar = counts.entry(pair.distance.0 / BAR_BITS).or_default();
        bar[usize::from(pair.similarity < limit)] += 1;
    }
    let last = counts.keys().last().copied().unwrap_or(0);
    let bar =
        |at| Bar { from: at * BAR_BITS, counts: counts.get(&at).copied().unwrap_or_default() };
    let bars: Vec<Bar> = (0..=last).map(bar).collect();
    let [twins, strangers] =
        counts.values().fold([0, 0], |sum, bar| [sum[0] + bar[0], sum[1] + bar[1]]);
    html! {
        figure.chart.histogram {
            figcaption {
                strong { (TITLE) }
                span.legend {
                    span.key.kind-0 { (words::of(twins, "twin pair")) }
                    @if strangers != 0 {
                        span.key.kind-1 { (words::of(strangers, "pair")) " kept apart" }
                    }
                }
            }
            (chart::histogram((TITLE, "differing bits of 256"), &bars, BAR_BITS, ["twins", "kept apart"]))
        }
    }
}

/// Shows the pairs nearest to the limit: the least alike twins, and the most alike strangers.
pub(super) fn borderline(facts: &Facts) -> Result<Markup, StoreError> {
    let limit = facts.input.similarity;
    let (twins, strangers) = sides(&facts.compared, limit);
    let draw = |pairs: &[TwinPair], role: &str| -> Result<Vec<Markup>, StoreError> {
        pairs.iter().map(|pair| borderline_pair(facts, pair, role)).collect()
    };
    let (twins, strangers) = (draw(&twins, "twins")?, draw(&strangers, "kept apart")?);
    Ok(html! {
        @if !twins.is_empty() || !strangers.is_empty() {
            h3 { "Hardest to tell" }
            p.soft {
                "The pairs nearest to " code { "clean.similarity = " (limit.0) }
                ". If strangers stand among the twins, raise it; if twins are kept apart, lower it."
            }
            div.pairs {
                @for pair in twins.iter().chain(&strangers) { (pair) }
            }
        }
    })
}

/// Picks the pairs nearest to the limit on both sides, the nearest first.
fn sides(pairs: &[TwinPair], limit: Similarity) -> (Vec<TwinPair>, Vec<TwinPair>) {
    let nearest = |is_wanted: &dyn Fn(&TwinPair) -> bool| {
        let mut side: Vec<TwinPair> = pairs.iter().copied().filter(is_wanted).collect();
        side.sort_by_key(|pair| (pair.similarity.0.abs_diff(limit.0), pair.distance, *pair));
        side.truncate(PAIRS_SHOWN);
        side
    };
    (nearest(&|pair| limit <= pair.similarity), nearest(&|pair| pair.similarity < limit))
}

/// Lays the pairs hardest to tell out in one picture, two pairs in a row, and says which they are.
pub(super) fn sheet(facts: &Facts) -> PairSheet {
    let limit = facts.input.similarity;
    let (twins, strangers) = sides(&facts.compared, limit);
    let mut sheet = PairSheet { lines: Vec::new(), jpeg: Vec::new() };
    let mut pictures = Vec::new();
    for (role, pair) in twins
        .iter()
        .map(|pair| ("twins", pair))
        .chain(strangers.iter().map(|pair| ("kept apart", pair)))
    {
        let both = [&pair.a, &pair.b].map(|blob| facts.gallery().picture(blob));
        let [Some(a), Some(b)] = both else { continue };
        pictures.extend([a, b]);
        let TwinPair { a, b, distance, similarity } = *pair;
        sheet.lines.push(PairLine { role, a, b, distance, similarity });
    }
    if !pictures.is_empty() {
        let drawn = contact::sheet(&pictures, GRID);
        sheet.jpeg = encode::encode(&drawn, FileFormat::Jpeg, SHEET_QUALITY);
    }
    sheet
}

fn borderline_pair(facts: &Facts, pair: &TwinPair, role: &str) -> Result<Markup, StoreError> {
    let side = |blob: &BlobId| -> Result<Markup, StoreError> {
        Ok(html! {
            figure {
                (facts.gallery().original(blob, Size::Large, &facts.alt(blob)))
                figcaption { (facts.caption(blob)?) }
            }
        })
    };
    Ok(html! {
        article.pair {
            p.evidence {
                span.badge { (role) } " "
                strong { (pair.similarity) " alike" } " \u{b7} distance " (pair.distance) " of 256"
            }
            div.sides { (side(&pair.a)?) (side(&pair.b)?) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hardest_pairs_are_those_nearest_to_the_limit_on_both_sides() {
        let pair = |similarity: u16| TwinPair {
            a: BlobId::of(b"a"),
            b: BlobId::of(&similarity.to_be_bytes()),
            distance: Distance(50),
            similarity: Similarity(similarity),
        };
        let pairs: Vec<TwinPair> = (860..=1000).step_by(10).map(pair).collect();

        let (twins, strangers) = sides(&pairs, Similarity(900));

        let numbers =
            |side: Vec<TwinPair>| side.iter().map(|it| it.similarity.0).collect::<Vec<_>>();
        assert_eq!(numbers(twins), [900, 910, 920, 930]);
        assert_eq!(numbers(strangers), [890, 880, 870, 860]);
    }
}
