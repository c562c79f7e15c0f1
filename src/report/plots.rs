//! Answers to the test pictures → drawings that show when a classifier can be trusted. Each is an
//! SVG that follows light and dark, says in words what it shows, and tells its lines apart by
//! their dashes as well as by their colours.

use maud::{Markup, html};

use super::{
    chart::{Unit, px},
    reading::{Numbers, Reading, cells},
    words,
};
use crate::domain::learning::{
    Answer, Evaluation, interval::Score, reliability::Reliability, scores::Scores,
};

mod authors;
mod bins;
mod curves;
mod frame;
mod growth;
mod matrix;
mod months;

pub use bins::{confidence, reliability};
pub use curves::{precision_recall, roc};
pub use growth::learning_curve;
pub use matrix::confusion;

pub(super) use authors::{Shares, authors};
pub(super) use months::{busiest, months};

use frame::{Frame, Tick};

/// Draws everything that the answers to the test pictures show; nothing where there is none.
/// `scores` are those of the same answers.
pub fn of_answers(answers: &[Answer], classes: &[String], scores: &Scores) -> Markup {
    if answers.is_empty() {
        return html! {};
    }
    let evaluation = Evaluation::of(answers, classes.len());
    html! {
        div.plots {
            (confusion(&evaluation.confusion, classes))
            (reliability(&Reliability::of(answers), scores.calibration_error))
            (roc(answers, classes, scores))
            (precision_recall(answers, classes, scores))
            (confidence(answers))
        }
    }
}

/// A drawing with its words.
struct Plot<'a> {
    /// Names the drawing within the page.
    id: &'a str,
    title: &'a str,
    /// What a person who cannot see it should know.
    told: String,
    width: f64,
    height: f64,
    drawing: Markup,
    keys: Markup,
    /// Header and rows of the table of what is drawn.
    numbers: (Vec<String>, Vec<Vec<String>>),
}

impl Plot<'_> {
    fn draw(&self) -> Markup {
        let (title, desc) = (format!("plot-{}-title", self.id), format!("plot-{}-desc", self.id));
        html! {
            figure.plot id=(format!("plot-{}", self.id)) {
                figcaption { strong { (self.title) } }
                svg viewBox=(format!("0 0 {} {}", self.width, self.height)) role="img"
                    aria-labelledby=(format!("{title} {desc}")) {
                    title id=(title) { (self.title) }
                    desc id=(desc) { (self.told) }
                    (self.drawing)
                }
                (self.keys)
                (Numbers { of: self.title, header: self.numbers.0.clone(), rows: self.numbers.1.clone() }.draw())
            }
        }
    }
}

/// Explains lines, each drawn as it is in the plot.
fn keys(lines: &[(String, String)]) -> Markup {
    html! {
        ul.keys {
            @for (class, words) in lines {
                li {
                    svg.swatch viewBox="0 0 40 14" aria-hidden="true" {
                        line class=(class) x1="0" x2="40" y1="7" y2="7" {}
                    }
                    (words)
                }
            }
        }
    }
}

/// Writes a figure with its interval: `0.957 (0.931–0.978)`.
fn figure(score: Option<Score>) -> String {
    let Some(Score { value, interval }) = score else { return "none".to_owned() };
    match interval {
        Some(it) => format!("{value:.3} ({:.3}\u{2013}{:.3})", it.low, it.high),
        None => format!("{value:.3}"),
    }
}

fn quarters() -> Vec<Tick> {
    let tick = |at: f64| Tick { at, words: format!("{:.0}\u{a0}%", at * 100.0) };
    [0.0, 0.25, 0.5, 0.75, 1.0].map(tick).to_vec()
}

#[cfg(test)]
mod tests;
