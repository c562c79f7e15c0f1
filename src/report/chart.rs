//! Numbers → drawings in SVG. Colours come from the page, so a drawing follows light and dark.

use maud::{Markup, html};

/// A drawing of lines over whole numbers, such as the epochs of a training.
pub(super) struct LineChart<'a> {
    pub title: &'a str,
    /// Lines with their names, in the order of the colours.
    pub lines: Vec<(&'a str, Vec<(f64, f64)>)>,
    /// A place on the x axis to point at, and what is there.
    pub mark: Option<(f64, String)>,
    pub unit: Unit,
}

/// What the y axis shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Plain,
    /// Shares, written in per cent; never above 1.
    Percent,
}

/// One bar of a histogram, of two kinds stacked.
pub(super) struct Bar {
    pub from: u32,
    pub counts: [u64; 2],
}

/// What an axis spans, and how far its lines are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub step: f64,
}

/// Where the drawing area lies within the picture.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 270.0;

impl Axis {
    /// Chooses round numbers that cover `low` to `high` in about `n` steps.
    pub(super) fn covering(low: f64, high: f64, n: f64) -> Self {
        let span = if low < high { high - low } else { low.abs().max(1.0) };
        let power = 10_f64.powf((span / n).log10().floor());
        let rough = span / n / power;
        let step = power * [1.0, 2.0, 5.0].into_iter().find(|it| rough <= *it).unwrap_or(10.0);
        let low = (low / step).floor() * step;
        let top = (high / step).ceil() * step;
        Self { low, high: if low < top { top } else { low + step }, step }
    }

    pub(super) fn place(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    pub(super) fn ticks(self) -> impl Iterator<Item = f64> {
        let steps = std::iter::successors(Some(0.0), |n: &f64| Some(n + 1.0));
        let ticks = steps.map(move |n| self.low + n * self.step);
        ticks.take_while(move |tick| *tick <= self.high + self.step / 1e6)
    }

    pub(super) fn write(self, value: f64, unit: Unit) -> String {
        let (value, step) = match unit {
            Unit::Plain => (value, self.step),
            Unit::Percent => (value * 100.0, self.step * 100.0),
        };
        let ending = match unit {
            Unit::Plain => "",
            Unit::Percent => "\u{a0}%",
        };
        let decimals = if step < 0.0995 { 2 } else { usize::from(step < 0.995) };
        format!("{value:.decimals$}{ending}")
    }
}

impl LineChart<'_> {
    pub(super) fn draw(&self) -> Markup {
        let lines = self.lines.iter().map(|(name, points)| {
            let finite = |(x, y): &&(f64, f64)| x.is_finite() && y.is_finite();
            (*name, points.iter().filter(finite).copied().collect::<Vec<_>>())
        });
        let lines: Vec<(&str, Vec<(f64, f64)>)> = lines.collect();
        let all = || lines.iter().flat_map(|(_, points)| points);
        if all().next().is_none() {
            return html! { p.empty { "There are no numbers to draw." } };
        }
        let range = |value: fn(&(f64, f64)) -> f64| {
            let values = all().map(value);
            values.fold((f64::MAX, f64::MIN), |(low, high), it| (low.min(it), high.max(it)))
        };
        let (x, y) = (range(|point| point.0), range(|point| point.1));
        let across = Axis {
            low: x.0,
            high: x.1.max(x.0 + 1.0),
            step: Axis::covering(x.0, x.1, 8.0).step.max(1.0),
        };
        let along = match self.unit {
            Unit::Plain => Axis::covering(y.0.min(0.0), y.1, 5.0),
            Unit::Percent => Axis { high: 1.0, ..Axis::covering(y.0.min(0.9), 1.0, 5.0) },
        };
        html! {
            figure.chart {
                figcaption {
                    strong { (self.title) }
                    span.legend {
                        @for (n, (name, _)) in lines.iter().enumerate() {
                            span class=(format!("key line-{n}")) { (name) }
                        }
                    }
                }
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                    aria-label=(format!("{} by epoch; the numbers are in the table below", self.title)) {
                    (self.grid(across, along))
                    @for (n, (name, points)) in lines.iter().enumerate() {
                        (line(n, name, points, (across, along), self.unit))
                    }
                }
            }
        }
    }

    fn grid(&self, across: Axis, along: Axis) -> Markup {
        let bottom = HEIGHT - BOTTOM;
        html! {
            @for tick in along.ticks() {
                @let y = y_at(along, tick);
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y)) y2=(px(y)) {}
                text.tick x=(LEFT - 8.0) y=(px(y + 4.0)) text-anchor="end" { (along.write(tick, self.unit)) }
            }
            @for tick in (Axis { low: (across.low / across.step).ceil() * across.step, ..across }).ticks() {
                text.tick x=(px(x_at(across, tick))) y=(bottom + 18.0) text-anchor="middle" { (tick) }
            }
            text.tick x=(px(f64::midpoint(LEFT, WIDTH - RIGHT))) y=(HEIGHT - 4.0) text-anchor="middle" { "epoch" }
            @if let Some((at, words)) = &self.mark {
                @let x = x_at(across, *at);
                // Beside the line, on the side where there is room.
                @let is_right = LEFT + (WIDTH - LEFT) * 0.7 < x;
                line.mark x1=(px(x)) x2=(px(x)) y1=(TOP) y2=(bottom) {}
                text.mark x=(px(if is_right { x - 6.0 } else { x + 6.0 })) y=(bottom - 8.0)
                    text-anchor=(if is_right { "end" } else { "start" }) { (words) }
            }
        }
    }
}

fn line(n: usize, name: &str, points: &[(f64, f64)], axes: (Axis, Axis), unit: Unit) -> Markup {
    let (across, along) = axes;
    let place = |(x, y): &(f64, f64)| format!("{},{}", px(x_at(across, *x)), px(y_at(along, *y)));
    let path = points.iter().map(place).collect::<Vec<_>>().join(" ");
    html! {
        polyline class=(format!("line line-{n}")) points=(path) {}
        @for (x, y) in points {
            circle class=(format!("dot line-{n}")) cx=(px(x_at(across, *x))) cy=(px(y_at(along, *y))) r="3" {
                title { (name) ", epoch " (x) ": " (precise(*y, unit)) }
            }
        }
    }
}

fn precise(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Plain => format!("{value:.3}"),
        Unit::Percent => super::words::percent(value),
    }
}

fn x_at(axis: Axis, value: f64) -> f64 {
    LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)
}

fn y_at(axis: Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)
}

/// Writes a place in the drawing with one decimal: enough for the eye, short in the file.
pub(super) fn px(value: f64) -> String {
    format!("{value:.1}")
}

/// Draws how often each range of values occurs; `width` is the range of one bar.
pub(super) fn histogram(label: &str, bars: &[Bar], width: u32) -> Markup {
    let Some(last) = bars.last() else { return html! { p.empty { "There is nothing to count." } } };
    let end = f64::from(last.from + width);
    let across = Axis {
        low: 0.0,
        high: end,
        step: f64::from(width) * (end / f64::from(width) / 8.0).ceil().max(1.0),
    };
    let most = bars.iter().map(|bar| bar.counts[0] + bar.counts[1]).max().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^52")]
    let float = |n: u64| n as f64;
    let whole = Axis::covering(0.0, float(most).max(1.0), 4.0);
    let along = if whole.step < 1.0 {
        Axis { low: 0.0, high: float(most).max(1.0), step: 1.0 }
    } else {
        whole
    };
    let (bottom, gap) = (HEIGHT - BOTTOM, 1.5);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
            @for tick in along.ticks() {
                @let y = y_at(along, tick);
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y)) y2=(px(y)) {}
                text.tick x=(LEFT - 8.0) y=(px(y + 4.0)) text-anchor="end" { (along.write(tick, Unit::Plain)) }
            }
            @for (bar, kind) in bars.iter().flat_map(|bar| [(bar, 0), (bar, 1)]) {
                @let count = bar.counts[kind];
                @let below = if kind == 0 { 0 } else { bar.counts[0] };
                @if count != 0 {
                    @let (from, to) = (x_at(across, f64::from(bar.from)), x_at(across, f64::from(bar.from + width)));
                    @let (top, foot) = (y_at(along, float(below + count)), y_at(along, float(below)));
                    rect class=(format!("bar kind-{kind}")) x=(px(from + gap)) y=(px(top)) width=(px(to - from - 2.0 * gap)) height=(px(foot - top)) rx="1.5" {
                        title { "distance " (bar.from) " to " (bar.from + width - 1) ": " (count) }
                    }
                }
            }
            @for tick in across.ticks() {
                text.tick x=(px(x_at(across, tick))) y=(bottom + 18.0) text-anchor="middle" { (tick) }
            }
            text.tick x=(px(f64::midpoint(LEFT, WIDTH - RIGHT))) y=(HEIGHT - 4.0) text-anchor="middle" { (label) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_steps_and_covers_its_values() {
        let axis = Axis::covering(0.03, 0.71, 5.0);

        assert_eq!((axis.low, axis.step), (0.0, 0.2));
        let written: Vec<String> = axis.ticks().map(|it| axis.write(it, Unit::Percent)).collect();
        assert_eq!(written, ["0\u{a0}%", "20\u{a0}%", "40\u{a0}%", "60\u{a0}%", "80\u{a0}%"]);
    }

    #[test]
    fn numbers_that_are_none_and_a_single_epoch_are_drawn_all_the_same() {
        let chart = |points| {
            let lines = vec![("train", points)];
            LineChart { title: "Loss", lines, mark: None, unit: Unit::Plain }.draw().into_string()
        };

        let drawn = chart(vec![(1.0, 0.7), (2.0, f64::NAN), (3.0, f64::INFINITY)]);

        assert_eq!(drawn.matches("<circle").count(), 1);
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        assert!(chart(vec![(1.0, f64::NAN)]).contains("no numbers"));
    }

    #[test]
    fn a_bar_of_two_kinds_stands_in_two_colours_on_top_of_each_other() {
        let drawn = histogram("distance", &[Bar { from: 0, counts: [3, 1] }], 4).into_string();

        let places: Vec<&str> =
            drawn.split(" y=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
        let rects = drawn.matches("<rect").count();
        assert!(rects == 2 && drawn.contains("kind-0") && drawn.contains("kind-1"), "{drawn}");
        assert!(places.contains(&"68.0") && places.contains(&"14.0"), "{places:?}");
    }

    #[test]
    fn a_histogram_leaves_out_empty_bars_and_keeps_their_room() {
        let bars = [0, 4, 8].map(|from| Bar { from, counts: [u64::from(from == 8) * 7, 0] });

        let drawn = histogram("distance", &bars, 4).into_string();

        assert_eq!(drawn.matches("<rect").count(), 1);
        assert!(drawn.contains("distance 8 to 11: 7"), "{drawn}");
    }
}
