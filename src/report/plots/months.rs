//! When the pictures were posted.

use std::collections::BTreeMap;

use maud::html;

use super::{Frame, Markup, Plot, Tick, Unit, cells, px, words};
use crate::report::chart::Axis;

/// The longest spans that have a bar for each day, and one for each month.
const DAYS_MAX: i64 = 92;
const MONTHS_MAX: i64 = 3_660;
const DAY_S: i64 = 86_400;

/// How many words stand below the axis at most.
const TICKS: usize = 4;

/// What one bar counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Day,
    Month,
    Year,
}

/// A stretch of time and the pictures of each class that were posted in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stretch {
    name: String,
    by_class: BTreeMap<String, u64>,
}

impl Span {
    fn of(first: i64, last: i64) -> Self {
        match (last - first) / DAY_S {
            ..DAYS_MAX => Self::Day,
            DAYS_MAX..MONTHS_MAX => Self::Month,
            MONTHS_MAX.. => Self::Year,
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// Names the stretch a moment is in: `2026-11-21`, `2026-11` or `2026`.
    fn name(self, seconds: i64) -> String {
        let parts = match self {
            Self::Day => 3,
            Self::Month => 2,
            Self::Year => 1,
        };
        words::day(seconds).splitn(parts + 1, '-').take(parts).collect::<Vec<_>>().join("-")
    }
}

impl Stretch {
    fn all(&self) -> u64 {
        self.by_class.values().sum()
    }
}

/// Counts what was posted in each stretch between the first and the last, also where that is none.
fn stretches(posted: &[(i64, &str)]) -> Option<(Span, Vec<Stretch>)> {
    let first = posted.iter().map(|(at, _)| *at).min()?;
    let last = posted.iter().map(|(at, _)| *at).max()?;
    let span = Span::of(first, last);
    let days =
        std::iter::successors(Some(first), |at| Some(at + DAY_S)).take_while(|at| *at < last);
    let mut found: BTreeMap<String, BTreeMap<String, u64>> =
        days.chain([last]).map(|at| (span.name(at), BTreeMap::new())).collect();
    for (at, class) in posted {
        let of = found.entry(span.name(*at)).or_default();
        *of.entry((*class).to_owned()).or_default() += 1;
    }
    let stretch = |(name, by_class)| Stretch { name, by_class };
    Some((span, found.into_iter().map(stretch).collect()))
}

/// Names the stretch in which most was posted, and how much: the first of equals.
pub(in crate::report) fn busiest(posted: &[(i64, &str)]) -> Option<(&'static str, String, u64)> {
    let (span, stretches) = stretches(posted)?;
    let busiest = stretches.into_iter().rev().max_by_key(Stretch::all)?;
    let all = busiest.all();
    Some((span.noun(), busiest.name, all))
}

/// Draws how many pictures were posted when, from moments in seconds since 1970-01-01 UTC with the
/// class of the picture; nothing where no moment is known.
pub(in crate::report) fn months(posted: &[(i64, &str)]) -> Markup {
    let Some((span, stretches)) = stretches(posted) else { return html! {} };
    #[expect(clippy::cast_precision_loss, reason = "counts of pictures are far below 2^52")]
    let float = |n: u64| n as f64;
    let most = stretches.iter().map(Stretch::all).max().unwrap_or(1);
    let axis = Axis { low: 0.0, ..Axis::covering(0.0, float(most).max(4.0), 4.0) };
    let n = words::count(stretches.len());
    let what = format!("pictures posted each {}", span.noun());
    let frame = Frame {
        width: 520.0,
        height: 300.0,
        across: (0.0, float(n)),
        along: (0.0, axis.high),
        names: ("", &what),
    };
    let step = stretches.len().div_ceil(TICKS);
    let middle = |at: usize| float(words::count(at)) + 0.5;
    let named = stretches.iter().enumerate().step_by(step);
    let across: Vec<Tick> =
        named.map(|(at, it)| Tick { at: middle(at), words: it.name.clone() }).collect();
    let along: Vec<Tick> =
        axis.ticks().map(|at| Tick { at, words: axis.write(at, Unit::Plain) }).collect();
    let read = |(at, it): (usize, &Stretch)| {
        let counts = it
            .by_class
            .iter()
            .map(|(class, n)| format!("{}: {}", words::shortened(class, 24), words::number(*n)));
        let head = format!("{}: {}", it.name, words::of(it.all(), "picture"));
        (middle(at), std::iter::once(head).chain(counts.take(8)).collect())
    };
    let full = || stretches.iter().filter(|it| it.all() != 0);
    let row = |it: &Stretch| {
        let counts = it.by_class.iter().map(|(class, n)| format!("{class} {}", words::number(*n)));
        vec![it.name.clone(), words::number(it.all()), words::list(counts)]
    };
    let told = busiest(posted).map_or_else(String::new, |(noun, name, n)| {
        format!("The busiest {noun} was {name} with {}.", words::of(n, "picture"))
    });
    let gap = if n < 100 { 0.08 } else { 0.0 };
    Plot {
        id: "posted",
        title: "When the pictures were posted",
        told: told.clone(),
        width: frame.width,
        height: frame.height,
        drawing: html! {
            (frame.grid(&across, &along))
            @for (at, it) in stretches.iter().enumerate().filter(|(_, it)| it.all() != 0) {
                @let (left, right) = (frame.x(middle(at) - 0.5 + gap), frame.x(middle(at) + 0.5 - gap));
                @let (top, foot) = (frame.y(float(it.all())), frame.y(0.0));
                rect.bar x=(px(left)) y=(px(top)) width=(px(right - left)) height=(px(foot - top)) {}
            }
            (frame.readings(stretches.iter().enumerate().map(read)))
        },
        keys: html! { p.soft { (told) } },
        numbers: (cells(["Posted", "Pictures", "By class"]), full().map(row).collect()),
    }
    .draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_780_000_000; // 2026-05-28

    #[test]
    fn a_few_weeks_have_bars_for_days_and_empty_days_have_their_room() {
        let (span, days) = stretches(&[(START, "cats"), (START + 2 * DAY_S, "dogs")]).unwrap();

        let named: Vec<(&str, u64)> = days.iter().map(|it| (it.name.as_str(), it.all())).collect();
        assert_eq!(span, Span::Day);
        assert_eq!(named, [("2026-05-28", 1), ("2026-05-29", 0), ("2026-05-30", 1)]);
    }

    #[test]
    fn years_have_bars_for_months_and_decades_for_years() {
        let over = |days: i64| stretches(&[(START, "a"), (START + days * DAY_S, "a")]).unwrap();

        assert_eq!((over(400).0, over(400).1.len()), (Span::Month, 15));
        assert_eq!((over(5000).0, over(5000).1.len()), (Span::Year, 15));
    }

    #[test]
    fn the_busiest_day_is_told_and_every_class_can_be_read() {
        let posted = [(START, "cats"), (START + DAY_S, "cats"), (START + DAY_S + 1, "dogs")];

        let drawn = months(&posted).into_string();

        assert!(drawn.contains("The busiest day was 2026-05-29 with 2\u{a0}pictures."), "{drawn}");
        assert!(drawn.contains("cats: 1</text>") && drawn.contains("dogs: 1</text>"), "{drawn}");
        assert_eq!(
            (drawn.matches("<rect class=\"bar\"").count(), months(&[]).into_string()),
            (2, String::new())
        );
    }
}
