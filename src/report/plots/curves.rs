//! How well each class is told from all others, at every threshold.

use maud::{Markup, html};

use super::{Frame, Plot, cells, figure, keys, quarters, words};
use crate::domain::learning::{
    Answer,
    interval::Score,
    ranking::Ranking,
    scores::{ClassScores, Scores},
};

/// More lines than these cannot be told apart.
const LINES_MAX: usize = 6;

const FRAME: Frame<'_> =
    Frame { width: 440.0, height: 400.0, across: (0.0, 1.0), along: (0.0, 1.0), names: ("", "") };

/// How many places of the axis are read, from its one end to the other.
const PLACES: u32 = 20;

/// A class and its curve.
struct Line {
    name: String,
    score: Option<Score>,
    points: Vec<(f64, f64)>,
}

/// Draws the ROC curve of each class against the rest.
pub fn roc(answers: &[Answer], classes: &[String], scores: &Scores) -> Markup {
    let lines = lines(
        classes,
        scores,
        |it| it.auc,
        |class| {
            let points = Ranking::one_vs_rest(answers, class).roc()?;
            Some(points.iter().map(|it| (it.false_positive_rate, it.true_positive_rate)).collect())
        },
    );
    let frame = Frame { names: ("others taken for it", "found"), ..FRAME };
    let ground = html! {
        line.mark x1=(frame.x(0.0)) y1=(frame.y(0.0)) x2=(frame.x(1.0)) y2=(frame.y(1.0)) {}
        text.tick x=(frame.x(0.62)) y=(frame.y(0.56)) { "by chance" }
    };
    Curves { id: "roc", title: "ROC curves", what: "area under the curve", frame, ground, lines }
        .draw()
}

/// Draws precision against recall for each class, in steps, as average precision counts it.
pub fn precision_recall(answers: &[Answer], classes: &[String], scores: &Scores) -> Markup {
    let lines = lines(
        classes,
        scores,
        |it| it.average_precision,
        |class| {
            let points = Ranking::one_vs_rest(answers, class).precision_recall()?;
            let mut steps = Vec::new();
            let mut recall = 0.0;
            for point in points.iter().skip(1) {
                steps.extend([(recall, point.precision), (point.recall, point.precision)]);
                recall = point.recall;
                if 1.0 <= recall {
                    break;
                }
            }
            Some(steps)
        },
    );
    let frame = Frame { names: ("recall", "precision"), ..FRAME };
    let (id, title) = ("precision-recall", "Precision and recall");
    Curves { id, title, what: "average precision", frame, ground: html! {}, lines }.draw()
}

/// Returns the classes that have a curve, the hardest first where not all can be shown.
fn lines(
    classes: &[String],
    scores: &Scores,
    score: impl Fn(&ClassScores) -> Option<Score>,
    points: impl Fn(usize) -> Option<Vec<(f64, f64)>>,
) -> Vec<Line> {
    let all = classes.iter().zip(&scores.classes).enumerate();
    let mut lines: Vec<Line> = all
        .filter_map(|(class, (name, it))| {
            Some(Line { name: name.clone(), score: score(it), points: points(class)? })
        })
        .collect();
    if LINES_MAX < lines.len() {
        let value = |line: &Line| line.score.map_or(0.0, |it| it.value);
        lines.sort_by(|a, b| value(a).total_cmp(&value(b)));
    }
    lines
}

struct Curves<'a> {
    id: &'a str,
    title: &'a str,
    /// What the number of a line is.
    what: &'a str,
    frame: Frame<'a>,
    /// What lies below the lines.
    ground: Markup,
    lines: Vec<Line>,
}

impl Curves<'_> {
    fn draw(&self) -> Markup {
        if self.lines.is_empty() {
            return html! {
                p.empty { (self.title) ": none, for no class can be told from others in the test." }
            };
        }
        let shown = &self.lines[..self.lines.len().min(LINES_MAX)];
        let words: Vec<(String, String)> = shown
            .iter()
            .enumerate()
            .map(|(n, it)| {
                (format!("curve curve-{n}"), format!("{} {}", it.name, figure(it.score)))
            })
            .collect();
        let told: Vec<&str> = words.iter().map(|(_, words)| words.as_str()).collect();
        let drawing = html! {
            (self.frame.grid(&quarters(), &quarters()))
            (self.ground)
            @for (n, it) in shown.iter().enumerate().rev() {
                polyline class=(format!("curve curve-{n}")) points=(self.frame.path(it.points.iter().copied())) {}
            }
            (self.frame.readings(places().map(|at| (at, self.read(shown, at)))))
        };
        let mut header = cells([self.frame.names.0]);
        header.extend(shown.iter().map(|it| it.name.clone()));
        let rows = places().map(|at| {
            let values = shown.iter().map(|it| it.at(at).map_or_else(String::new, words::percent));
            std::iter::once(words::percent(at)).chain(values).collect()
        });
        let rows = rows.collect();
        let n_hidden = self.lines.len() - shown.len();
        let keys = html! {
            (keys(&words))
            p.soft {
                "The numbers are the " (self.what) ", in brackets where it lies with 95\u{a0}% confidence."
                @if n_hidden != 0 { " The " (n_hidden) " classes that are told better are left out." }
            }
        };
        Plot {
            id: self.id,
            title: self.title,
            told: format!("One line for each class; {}: {}.", self.what, told.join("; ")),
            width: self.frame.width,
            height: self.frame.height,
            drawing,
            keys,
            numbers: (header, rows),
        }
        .draw()
    }

    /// Writes what all the lines are at one place.
    fn read(&self, lines: &[Line], at: f64) -> Vec<String> {
        let (across, along) = self.frame.names;
        let head = format!("{along} where {across} is {:.0}\u{a0}%", at * 100.0);
        let value = |line: &Line| {
            Some(format!("{}: {}", words::shortened(&line.name, 24), words::percent(line.at(at)?)))
        };
        std::iter::once(head).chain(lines.iter().filter_map(value)).collect()
    }
}

fn places() -> impl Iterator<Item = f64> {
    (0..=PLACES).map(|n| f64::from(n) / f64::from(PLACES))
}

impl Line {
    /// Returns how high the line is at a place; where it goes straight up or down, its upper end.
    fn at(&self, x: f64) -> Option<f64> {
        let part = |pair: &[(f64, f64)]| {
            let [from, to] = pair else { return None };
            if x < from.0 || to.0 < x {
                return None;
            }
            let upright = from.1.max(to.1);
            let span = to.0 - from.0;
            Some(if span == 0.0 { upright } else { from.1 + (to.1 - from.1) * (x - from.0) / span })
        };
        self.points.windows(2).filter_map(part).reduce(f64::max)
    }
}
