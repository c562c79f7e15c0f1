//! Numbers → drawings in SVG. Colours come from the page, so a drawing follows light and dark.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{
    reading::{Area, Numbers, Reading, cells},
    words,
};

/// A drawing of lines over whole numbers, such as the epochs of a training.
pub(super) struct LineChart<'a> {
    pub title: &'a str,
    /// Lines with their names, in the order of the colours and dashes.
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

/// How far the names of lines are apart at least.
const NAMES_APART: f64 = 14.0;

/// More places than these are not read one by one.
const PLACES_MAX: usize = 150;

/// What an axis spans, and how far its lines are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub step: f64,
}

/// Where the drawing area lies within the picture.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 42.0;
const TOP: f64 = 26.0;
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
                figcaption { strong { (self.title) } }
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                    aria-label=(format!("{} by epoch; the numbers are in the table below", self.title)) {
                    (self.grid(across, along))
                    @for (n, (_, points)) in lines.iter().enumerate().rev() {
                        (line(n, points, (across, along)))
                    }
                    (names(&lines, (across, along)))
                    (Area { left: LEFT, top: TOP, right: WIDTH - RIGHT, bottom: HEIGHT - BOTTOM }
                        .readings(readings(&lines, across, self.unit)))
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
                line.mark x1=(px(x)) x2=(px(x)) y1=(TOP - 8.0) y2=(bottom) {}
                text.mark x=(px(x)) y=(TOP - 12.0) text-anchor="middle" { (words) }
            }
        }
    }
}

fn line(n: usize, points: &[(f64, f64)], (across, along): (Axis, Axis)) -> Markup {
    let place = |(x, y): &(f64, f64)| format!("{},{}", px(x_at(across, *x)), px(y_at(along, *y)));
    let path = points.iter().map(place).collect::<Vec<_>>().join(" ");
    html! {
        polyline class=(format!("curve curve-{n}")) points=(path) {}
        @if let [(x, y)] = points {
            circle.point cx=(px(x_at(across, *x))) cy=(px(y_at(along, *y))) r="3" {}
        }
    }
}

/// Writes the name of each line beside its end, one below the other where they meet.
fn names(lines: &[(&str, Vec<(f64, f64)>)], (across, along): (Axis, Axis)) -> Markup {
    let end = |(name, points): &(&str, Vec<(f64, f64)>)| {
        let (x, y) = *points.last()?;
        Some((y_at(along, y), x_at(across, x), (*name).to_owned()))
    };
    let mut ends: Vec<(f64, f64, String)> = lines.iter().filter_map(end).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lowest = f64::MIN;
    for (y, ..) in &mut ends {
        *y = y.max(lowest + NAMES_APART);
        lowest = *y;
    }
    // What was pushed below the drawing pushes back.
    let mut highest = HEIGHT - BOTTOM + NAMES_APART;
    for (y, ..) in ends.iter_mut().rev() {
        *y = y.min(highest - NAMES_APART);
        highest = *y;
    }
    html! {
        @for (y, x, name) in &ends {
            text.name x=(px(x + 5.0)) y=(px(y + 4.0)) { (name) }
        }
    }
}

fn readings(lines: &[(&str, Vec<(f64, f64)>)], across: Axis, unit: Unit) -> Vec<Reading> {
    // Epochs are whole numbers, so their bits are in their order.
    let mut places: BTreeMap<u64, (f64, Vec<String>)> = BTreeMap::new();
    for (name, points) in lines {
        for (x, y) in points {
            let place = places.entry(x.to_bits());
            let (_, words) = place.or_insert_with(|| (*x, vec![format!("epoch {x}")]));
            words.push(format!("{name}: {}", precise(*y, unit)));
        }
    }
    let step = places.len().div_ceil(PLACES_MAX).max(1);
    let read = |(x, words)| Reading { at: x_at(across, x), words };
    places.into_values().step_by(step).map(read).collect()
}

fn precise(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Plain => format!("{value:.3}"),
        Unit::Percent => words::percent(value),
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

/// Draws how often each range of values occurs; `width` is the range of one bar, `kinds` are the
/// names of the two kinds of a bar.
pub(super) fn histogram(
    (title, label): (&str, &str),
    bars: &[Bar],
    width: u32,
    kinds: [&str; 2],
) -> Markup {
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
    let range = |bar: &Bar| format!("{} to {}", bar.from, bar.from + width - 1);
    let told =
        |bar: &Bar, kind: usize| format!("{}: {}", kinds[kind], words::number(bar.counts[kind]));
    let full = || bars.iter().filter(|bar| bar.counts != [0, 0]);
    let readings = full().map(|bar| Reading {
        at: x_at(across, f64::from(bar.from) + f64::from(width) / 2.0),
        words: vec![range(bar), told(bar, 0), told(bar, 1)],
    });
    let rows = full().map(|bar| {
        let [first, second] = bar.counts.map(words::number);
        vec![range(bar), first, second]
    });
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
                    rect class=(format!("bar kind-{kind}")) x=(px(from + gap)) y=(px(top)) width=(px(to - from - 2.0 * gap)) height=(px(foot - top)) rx="1.5" {}
                }
            }
            @for tick in across.ticks() {
                text.tick x=(px(x_at(across, tick))) y=(bottom + 18.0) text-anchor="middle" { (tick) }
            }
            text.tick x=(px(f64::midpoint(LEFT, WIDTH - RIGHT))) y=(HEIGHT - 4.0) text-anchor="middle" { (label) }
            (Area { left: LEFT, top: TOP, right: WIDTH - RIGHT, bottom }.readings(readings.collect()))
        }
        (Numbers { of: title, header: cells([label, kinds[0], kinds[1]]), rows: rows.collect() }.draw())
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
    fn lines_that_end_at_one_place_have_names_apart() {
        let lines = ["a", "b", "c"].map(|name| (name, vec![(0.0, 0.2), (4.0, 0.9)])).to_vec();

        let drawn = LineChart { title: "Accuracy", lines, mark: None, unit: Unit::Percent }.draw();

        let drawn = drawn.into_string();
        let names = drawn.split("class=\"name\"").skip(1);
        let y = |it: &str| -> f64 {
            it.split(" y=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
        };
        let places: Vec<f64> = names.map(y).collect();
        assert!(
            places.len() == 3 && places.windows(2).all(|it| 13.9 < it[1] - it[0]),
            "{places:?}"
        );
        assert!(drawn.contains("epoch 4") && drawn.contains("b: 90.0\u{a0}%"), "{drawn}");
    }

    #[test]
    fn a_bar_of_two_kinds_stands_in_two_colours_on_top_of_each_other() {
        let drawn = histogram(("Bits", "bits"), &[Bar { from: 0, counts: [3, 1] }], 4, ["a", "b"])
            .into_string();

        let places: Vec<&str> = drawn
            .split("class=\"bar")
            .skip(1)
            .filter_map(|it| it.split(" y=\"").nth(1))
            .filter_map(|it| it.split('"').next())
            .collect();
        let rects = drawn.matches("<rect class=\"bar").count();
        assert!(rects == 2 && drawn.contains("kind-0") && drawn.contains("kind-1"), "{drawn}");
        assert!(places == ["77.0", "26.0"], "{places:?}");
    }

    #[test]
    fn a_histogram_leaves_out_empty_bars_and_keeps_their_room() {
        let bars = [0, 4, 8].map(|from| Bar { from, counts: [u64::from(from == 8) * 7, 0] });

        let drawn = histogram(("Bits", "bits"), &bars, 4, ["twins", "others"]).into_string();

        assert_eq!(drawn.matches("<rect class=\"bar").count(), 1);
        assert!(drawn.contains("8 to 11") && drawn.contains("twins: 7"), "{drawn}");
    }
}
