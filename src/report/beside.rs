//! A dropped picture beside the one kept in its place: for the terminal in words, for the eye as
//! a page of its own.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use super::{
    POLICY,
    explain::Journey,
    gallery::{Gallery, Size},
    style, words,
};
use crate::{
    domain::{
        flaws::ROWS,
        id::BlobId,
        review::reasons,
        verdict::{DropReason, Ruling, Verdict},
    },
    store::{Store, StoreError, layout::Layout, query},
};

/// One of the two pictures of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Side {
    pub role: &'static str,
    pub blob: BlobId,
    /// Size and format.
    pub looks: String,
    /// Where its bytes lie.
    pub file: String,
}

/// A measure of a picture, as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measured {
    pub name: &'static str,
    pub number: String,
    pub setting: &'static str,
}

/// Returns the picture itself and, if it was dropped because of another, that one before it.
pub(super) fn sides(
    store: &Store,
    layout: &Layout,
    blob: &BlobId,
) -> Result<Vec<Side>, StoreError> {
    let side = |role, blob: &BlobId| -> Result<Side, StoreError> {
        let print = query::fingerprint(store, blob)?;
        let looks = print.map_or_else(String::new, |print| {
            format!("{}\u{d7}{} {}", print.width_px, print.height_px, print.format)
        });
        let file = layout.blob(blob).display().to_string();
        Ok(Side { role, blob: *blob, looks, file })
    };
    Ok(match store.note::<Verdict>(blob)?.map(|verdict| verdict.ruling) {
        Some(Ruling::Drop(DropReason::Twin { of, .. })) => {
            vec![side("kept", &of)?, side("dropped", blob)?]
        }
        Some(Ruling::Drop(DropReason::TwinOfRejected { of, .. })) => {
            vec![side("rejected", &of)?, side("dropped", blob)?]
        }
        Some(Ruling::Drop(DropReason::Reviewed { reason })) if reason == reasons::OFFENSIVE => {
            Vec::new()
        }
        Some(Ruling::Drop(
            DropReason::LabelConflict { .. }
            | DropReason::TakenBack { .. }
            | DropReason::Flawed(_)
            | DropReason::Reviewed { .. },
        )) => vec![side("dropped", blob)?],
        Some(Ruling::Keep { .. }) => vec![side("kept", blob)?],
        None => Vec::new(),
    })
}

/// Lists what was measured of a picture.
pub(super) fn measured(store: &Store, blob: &BlobId) -> Result<Vec<Measured>, StoreError> {
    let Some(print) = query::fingerprint(store, blob)? else { return Ok(Vec::new()) };
    let measured = ROWS.iter().map(|row| Measured {
        name: row.words,
        number: row.unit.write((row.found)(&print)),
        setting: row.setting,
    });
    Ok(measured.collect())
}

/// Writes a page that shows each journey with its pictures side by side.
pub fn page(journeys: &[Journey], layout: &Layout) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { "snapset explains" }
                style { (PreEscaped(style::CSS)) }
            }
            body {
                header.page { h1 { "What became of " (words::of(words::count(journeys.len()), "picture")) } }
                main id="main" { @for journey in journeys { (section(journey, layout)) } }
            }
        }
    };
    page.into_string()
}

fn section(journey: &Journey, layout: &Layout) -> Markup {
    let gallery = Gallery { layout };
    html! {
        section {
            h2 { (journey.name) }
            p.lead { (journey.conclusion) }
            @if !journey.sides.is_empty() {
                div.sides.alone[journey.sides.len() == 1] {
                    @for side in &journey.sides {
                        figure class=(side.role) {
                            (gallery.original(&side.blob, Size::Whole, side.role))
                            figcaption {
                                span.badge { (side.role) }
                                span.measures { (side.looks) }
                                code { (side.file) }
                            }
                        }
                    }
                }
            }
            table.journey {
                tbody { @for step in &journey.steps {
                    tr { th scope="row" { (step.stage) } td.text { (step.text) } }
                } }
            }
            @if !journey.measured.is_empty() {
                details {
                    summary { "What was measured" }
                    table.journey { tbody { @for it in &journey.measured {
                        tr { th scope="row" { (it.name) } td.text { (it.number) } td.text { code { "clean." (it.setting) } } }
                    } } }
                }
            }
        }
    }
}
