//! The numbers of one measure → a small drawing of how they are spread, with the limit as a line.

use maud::{Markup, html};

use super::{
    reading::{Numbers, cells},
    words,
};
use crate::domain::flaws::Unit;

/// How one measure is spread over the pictures.
pub(super) struct Spread<'a> {
    pub numbers: Vec<u32>,
    pub limit: u32,
    pub unit: Unit,
    pub label: &'a str,
}

const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 64.0;
const FOOT: f64 = 16.0;
const BARS: usize = 32;

/// A bar of a few among thousands is still seen.
const BAR_MIN: f64 = 1.5;

/// How many numbers are in a bar, and between which two they lie.
#[derive(Clone, Copy, Debug)]
struct Bar {
    count: u32,
    least: u32,
    most: u32,
}

impl Spread<'_> {
    /// Writes the least and the greatest number.
    pub(super) fn range(&self) -> (String, String) {
        let written = |it: Option<&u32>| it.map(|it| self.unit.write(*it)).unwrap_or_default();
        (written(self.numbers.iter().min()), written(self.numbers.iter().max()))
    }

    fn bars(&self) -> [Option<Bar>; BARS] {
        let mut bars: [Option<Bar>; BARS] = [None; BARS];
        for &number in &self.numbers {
            let bar = &mut bars[bar(place(self.unit, number))];
            let Bar { count, least, most } =
                bar.get_or_insert(Bar { count: 0, least: number, most: number });
            *count += 1;
            *least = number.min(*least);
            *most = number.max(*most);
        }
        bars
    }

    /// Writes which of the numbers that were found are in a bar.
    fn range_of(&self, bar: Bar) -> String {
        let least = self.unit.write(bar.least);
        if bar.least == bar.most {
            least
        } else {
            format!("{least} to {}", self.unit.write(bar.most))
        }
    }

    /// Lists what is drawn.
    pub(super) fn table(&self) -> Markup {
        let row = |bar: Bar| vec![self.range_of(bar), words::number(bar.count.into())];
        let header = cells(["Found", "Pictures"]);
        let rows = self.bars().into_iter().flatten().map(row).collect();
        Numbers { of: self.label, header, rows }.draw()
    }

    pub(super) fn draw(&self) -> Markup {
        let bars = self.bars();
        let most = f64::from(bars.iter().flatten().map(|bar| bar.count).max().unwrap_or(1));
        let (step, full) = (WIDTH / 32.0, HEIGHT - FOOT);
        let at = place(self.unit, self.limit) * WIDTH;
        let (least, greatest) = self.range();
        let (low, high) = ends(self.unit);
        html! {
            svg.spread viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img"
                aria-label=(format!("{}: {} to {}", self.label, least, greatest)) {
                line.grid x1="0" x2=(WIDTH) y1=(full) y2=(full) {}
                @for (n, bar) in (0_u32..).zip(bars) {
                    @if let Some(bar) = bar {
                        @let height = (f64::from(bar.count) / most * (full - 4.0)).max(BAR_MIN);
                        @let left = step * f64::from(n);
                        rect.bar x=(format!("{:.1}", left + 0.5)) y=(format!("{:.1}", full - height))
                            width=(format!("{:.1}", step - 1.0)) height=(format!("{height:.1}")) {}
                        rect.hit x=(format!("{left:.1}")) y="0" width=(format!("{step:.1}")) height=(full) {
                            title { (self.range_of(bar)) ": " (words::of(bar.count.into(), "picture")) }
                        }
                    }
                }
                line.limit x1=(format!("{at:.1}")) x2=(format!("{at:.1}")) y1="0" y2=(full) {}
                text.tick x="0" y=(HEIGHT - 2.0) { (self.unit.write(low)) }
                text.tick x=(WIDTH) y=(HEIGHT - 2.0) text-anchor="end" { (self.unit.write(high)) }
            }
        }
    }
}

/// Returns the ends of the scale a measure is drawn on.
fn ends(unit: Unit) -> (u32, u32) {
    match unit {
        Unit::Level => (0, 255),
        Unit::Bits => (0, 800),
        Unit::Share => (0, 1000),
        Unit::Pixels => (16, 16_384),
        Unit::Ratio => (100, 1600),
        Unit::Plain => (1, 32_768),
    }
}

/// Returns where a number lies between 0 and 1. What has no end is laid out in doublings.
fn place(unit: Unit, number: u32) -> f64 {
    let (low, high) = ends(unit);
    let number = f64::from(number.clamp(low, high));
    let (low, high) = (f64::from(low), f64::from(high));
    if low == 0.0 { number / high } else { (number / low).log2() / (high / low).log2() }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place lies between 0 and 1"
)]
fn bar(place: f64) -> usize {
    ((place * 32.0) as usize).min(BARS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_within_the_drawing_and_in_their_order() {
        for unit in [Unit::Level, Unit::Bits, Unit::Share, Unit::Pixels, Unit::Ratio, Unit::Plain] {
            let places = [0, 1, 100, 300, 900, 40_000, u32::MAX].map(|it| place(unit, it));
            assert!(places.is_sorted() && places[0] >= 0.0 && places[6] <= 1.0, "{places:?}");
        }
    }

    #[test]
    fn every_number_is_in_a_bar_and_the_limit_is_drawn() {
        let spread = Spread {
            numbers: vec![0, 500, 500, 1000],
            limit: 250,
            unit: Unit::Share,
            label: "text",
        };

        let drawn = spread.draw().into_string();

        let bars = drawn.matches("<rect class=\"bar\"").count();
        assert!(bars == 3 && drawn.contains("<title>50.0 %: 2\u{a0}pictures</title>"), "{drawn}");
        let rows = spread.table().into_string();
        assert!(rows.contains("<th scope=\"row\">100.0 %</th><td>1</td>"), "{rows}");
        assert!(drawn.contains("x1=\"80.0\" x2=\"80.0\""), "{drawn}");
    }
}
