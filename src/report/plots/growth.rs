//! What more training pictures brought, and what twice as many may bring.

use maud::{Markup, html};

use super::{Frame, Plot, Tick, Unit, cells, keys, px, words};
use crate::{
    domain::learning::{
        growth::{LearningCurve, Point},
        interval::Score,
    },
    report::chart::Axis,
};

/// How many places the line and its band are drawn through.
const N_PLACES: u32 = 40;

/// Draws accuracy against the number of training pictures, up to twice the most that were tried.
pub fn learning_curve(curve: &LearningCurve) -> Markup {
    let (Some(first), Some(last)) = (curve.points.first(), curve.points.last()) else {
        return html! {};
    };
    let ground = Ground::of(curve, (f64::from(first.n_train), f64::from(last.n_train)));
    let twice = curve.at_twice();
    let forecast = format!(
        "With {} pictures about {} may be expected, between {} and {} if the law holds.",
        words::number(2 * u64::from(last.n_train)),
        words::percent(twice.value),
        words::percent(band(&twice).0),
        words::percent(band(&twice).1)
    );
    let told = measured(curve).map(|(point, score)| {
        format!("{}: {}", words::of(point.n_train.into(), "picture"), words::percent(score.value))
    });
    let told: Vec<String> = told.collect();
    let forecast_row = (2 * last.n_train, twice, " (expected)");
    let rows = measured(curve).map(|(point, score)| (point.n_train, score, ""));
    let rows = rows.chain([forecast_row]).map(|(n, score, kind)| {
        let between = score.interval.map_or_else(String::new, |it| {
            format!("{} to {}", words::percent(it.low), words::percent(it.high))
        });
        vec![words::number(n.into()) + kind, words::percent(score.value), between]
    });
    let kinds = [
        ("curve curve-0", format!("fitted: {}", law(curve))),
        ("curve curve-0 ahead", "what the law promises".to_owned()),
    ];
    Plot {
        id: "growth",
        title: "What more training pictures bring",
        told: format!("{}. {forecast}", told.join("; ")),
        width: ground.frame.width,
        height: ground.frame.height,
        drawing: ground.draw(curve),
        keys: html! {
            (keys(&kinds.map(|(class, words)| (class.to_owned(), words))))
            p.soft { (forecast) " The band holds 95\u{a0}% of the curves that other test pictures could have given." }
        },
        numbers: (cells(["Training pictures", "Accuracy", "95 %"]), rows.collect()),
    }
    .draw()
}

/// Where a learning curve is drawn, and the places it is drawn through.
struct Ground {
    frame: Frame<'static>,
    along: Vec<Tick>,
    /// The fewest and the most training pictures that were tried.
    tried: (f64, f64),
    places: Vec<(f64, Score)>,
}

impl Ground {
    fn of(curve: &LearningCurve, tried: (f64, f64)) -> Self {
        let (start, end) = (tried.0.ln(), (2.0 * tried.1).ln());
        let place = |n: u32| start + (end - start) * f64::from(n) / f64::from(N_PLACES);
        let places: Vec<(f64, Score)> =
            (0..=N_PLACES).map(|n| (place(n), curve.at(place(n).exp()))).collect();
        let scores = places.iter().map(|(_, it)| *it).chain(measured(curve).map(|(_, it)| it));
        let low = scores.map(|it| band(&it).0).fold(0.95, f64::min).max(0.0);
        let axis = Axis::covering(low, 1.0, 5.0);
        let along = axis
            .ticks()
            .filter(|at| *at <= 1.0 + 1e-9)
            .map(|at| Tick { at, words: axis.write(at, Unit::Percent) })
            .collect();
        let frame = Frame {
            width: 520.0,
            height: 340.0,
            across: (start, end),
            along: (axis.low, 1.0),
            names: ("training pictures, on a scale of doublings", "accuracy on the test pictures"),
        };
        Self { frame, along, tried, places }
    }

    fn draw(&self, curve: &LearningCurve) -> Markup {
        let last = curve.points.iter().map(|it| it.n_train).max().unwrap_or(0);
        let frame = &self.frame;
        let here = (self.tried.1.ln(), curve.at(self.tried.1).value);
        let (end, twice) = (frame.across.1, curve.at_twice().value);
        let before = self.places.iter().filter(|(at, _)| *at < here.0);
        let after = self.places.iter().filter(|(at, _)| here.0 < *at);
        let before = before.map(|(at, it)| (*at, it.value)).chain([here]);
        let after = [here].into_iter().chain(after.map(|(at, it)| (*at, it.value)));
        let lower = self.places.iter().map(|(at, it)| (*at, band(it).0));
        let upper = self.places.iter().rev().map(|(at, it)| (*at, band(it).1));
        html! {
            (frame.grid(&doublings(self.tried.0, 2.0 * self.tried.1), &self.along))
            polygon.band points=(frame.path(lower.chain(upper))) {}
            polyline class="curve curve-0" points=(frame.path(before)) {}
            polyline class="curve curve-0 ahead" points=(frame.path(after)) {}
            @for (point, score) in measured(curve) {
                @let at = f64::from(point.n_train).ln();
                @if let Some(it) = score.interval { (frame.whisker(at, it.low, it.high)) }
                circle.point cx=(px(frame.x(at))) cy=(px(frame.y(score.value))) r="4.5" {}
            }
            circle class="point forecast" cx=(px(frame.x(end))) cy=(px(frame.y(twice))) r="5" {}
            (frame.readings(measured(curve).map(|(point, score)| read(point.n_train, &score))
                .chain([read(last.saturating_mul(2), &curve.at_twice())])))
        }
    }
}

/// Writes what is known of one number of pictures, and where on the axis.
fn read(n_train: u32, score: &Score) -> (f64, Vec<String>) {
    let between = score
        .interval
        .map(|it| format!("{} to {}", words::percent(it.low), words::percent(it.high)));
    let mut words = vec![words::of(n_train.into(), "picture"), words::percent(score.value)];
    words.extend(between);
    (f64::from(n_train).ln(), words)
}

fn measured(curve: &LearningCurve) -> impl Iterator<Item = (Point, Score)> {
    curve.points.iter().filter_map(|it| Some((*it, it.accuracy()?)))
}

fn band(score: &Score) -> (f64, f64) {
    score.interval.map_or((score.value, score.value), |it| (it.low, it.high))
}

fn law(curve: &LearningCurve) -> String {
    let law = curve.law;
    format!("{:.3} \u{2212} {:.3} \u{b7} n^\u{2212}{:.2}", law.ceiling, law.gap, law.rate)
}

/// Returns ticks at `least` and its doublings, at most seven.
fn doublings(least: f64, end: f64) -> Vec<Tick> {
    let factor = if end / least < 128.5 { 2.0 } else { 4.0 };
    std::iter::successors(Some(least), |n| Some(n * factor))
        .take_while(|n| *n <= end * 1.001)
        .map(|n| Tick { at: n.ln(), words: format!("{n:.0}") })
        .collect()
}
