//! Store → what people read of a dataset: one HTML page that holds everything it shows, and the
//! comparison with what a demo site planted. Nothing here prints, and nothing is changed.

use std::path::PathBuf;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rayon::prelude::*;

use crate::{
    domain::{classes::Classes, fingerprint::Similarity, flaws::Limits},
    store::{Store, StoreError, layout::Layout, reviews::ReviewsError},
};

mod answers;
mod beside;
mod chart;
mod classes;
mod concentration;
mod doubted;
mod duplicates;
mod evidence;
mod explain;
mod facts;
mod gallery;
mod losses;
mod origin;
mod overview;
mod places;
mod planted;
pub mod plots;
mod provenance;
mod quality;
mod reading;
mod reviewed;
pub mod runs;
mod spread;
mod style;
mod training;
mod trainings;
mod truth;
mod words;

pub use beside::{Measured, Side, page as explained};
pub use evidence::{PairLine, PairSheet};
pub use explain::{ExplainInput, Journey, Step, explain};
pub use planted::{FalseTwin, PlantedReport, PlantedRow, planted};

/// What a page is made of.
pub struct ReportInput<'a> {
    pub store: &'a Store,
    pub layout: &'a Layout,
    pub classes: &'a Classes,
    pub title: &'a str,
    /// The name of the pipeline.
    pub name: &'a str,
    /// When and with what the page was made, for its foot.
    pub generated: &'a str,
    /// The pipeline file.
    pub settings_text: &'a str,
    /// What pictures are measured against.
    pub limits: &'a Limits,
    /// The least likeness of twins.
    pub similarity: Similarity,
    /// The file of what people decided, if there is one.
    pub reviews: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Reviews(#[from] ReviewsError),
}

/// Nothing may be loaded from anywhere, whatever a title from the net tries.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'";

/// Writes the whole page. Equal stores and files give equal pages.
pub fn html(input: &ReportInput<'_>) -> Result<String, ReportError> {
    let facts = facts::Facts::read(input)?;
    // Most of the time goes into the pictures of some of them.
    let sections: [&Drawing<'_>; _] = [
        &|| Ok(Some(overview::funnel(&facts))),
        &|| Ok(Some(classes::counts(&facts))),
        &|| Ok(reviewed::section(&facts)),
        &|| Ok(facts.planted.as_ref().map(|it| truth::section(&facts, it)).transpose()?),
        &|| Ok(Some(duplicates::twins(&facts)?)),
        &|| Ok(Some(duplicates::conflicts(&facts)?)),
        &|| Ok(doubted::section(&facts)),
        &|| Ok(Some(quality::measures(&facts))),
        &|| Ok(Some(quality::outliers(&facts))),
        &|| Ok(Some(losses::left_out(&facts))),
        &|| Ok(Some(classes::sheets(&facts))),
        &|| Ok(Some(training::section(&facts))),
        &|| Ok(trainings::section(&facts)),
        &|| Ok(Some(places::section(&facts))),
        &|| Ok(Some(origin::section(&facts))),
        &|| Ok(Some(concentration::section(&facts))),
        &|| Ok(Some(losses::troubles(&facts))),
        &|| Ok(Some(provenance::section(&facts))),
    ];
    let sections = sections.into_par_iter().with_max_len(1).map(|draw| draw());
    let sections: Vec<Option<Section>> = sections.collect::<Result<_, ReportError>>()?;
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { (input.title) " \u{2013} snapset report" }
                style { (PreEscaped(style::CSS)) }
            }
            body {
                a.skip href="#main" { "Skip to the contents" }
                (overview::headline(&facts))
                nav aria-label="Sections" {
                    @for section in &sections {
                        a href=(format!("#{}", section.id)) { (section.title) }
                    }
                }
                main id="main" {
                    @for section in &sections {
                        (section.draw())
                    }
                }
                footer { p { (input.generated) } }
            }
        }
    };
    Ok(page.into_string())
}

/// Draws the pairs that were hardest to tell, for whoever chooses a threshold.
pub fn pairs(input: &ReportInput<'_>) -> Result<PairSheet, ReportError> {
    Ok(evidence::sheet(&facts::Facts::read(input)?))
}

/// Draws one part of the page, where there is something to draw.
type Drawing<'a> = dyn Fn() -> Result<Option<Section>, ReportError> + Sync + 'a;

/// One part of the page.
struct Section {
    id: &'static str,
    title: &'static str,
    /// One or two sentences on what is seen here.
    lead: Markup,
    body: Markup,
}

impl Section {
    fn draw(&self) -> Markup {
        html! {
            section id=(self.id) aria-labelledby=(format!("{}-title", self.id)) {
                h2 id=(format!("{}-title", self.id)) { (self.title) }
                p.lead { (self.lead) }
                (self.body)
            }
        }
    }
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod tests;
