//! Exact values of a drawing: beside the marks while a pointer is over them, which takes no
//! script, and in a table below it.

use maud::{Markup, html};

use super::chart::px;

/// How wide a character of a reading is at most, and how far its lines are apart.
const CHARACTER: f64 = 6.9;
const LINE: f64 = 16.0;
const PADDING: f64 = 7.0;

/// Where the marks of a drawing lie, in its units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// What can be read at one place of a drawing.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// The place, in the units of the drawing.
    pub at: f64,
    pub words: Vec<String>,
}

impl Area {
    /// Draws strips that show what is read in them; the ends of each lie halfway to its neighbours.
    pub(super) fn readings(self, mut readings: Vec<Reading>) -> Markup {
        readings.sort_by(|a, b| a.at.total_cmp(&b.at));
        let places: Vec<f64> = readings.iter().map(|it| it.at).collect();
        let halfway = |a: Option<&f64>, b: Option<&f64>| Some(f64::midpoint(*a?, *b?));
        let strips = readings.iter().enumerate().map(|(n, reading)| {
            let before = n.checked_sub(1).and_then(|n| places.get(n));
            let from = halfway(before, places.get(n)).unwrap_or(self.left);
            let to = halfway(places.get(n), places.get(n + 1)).unwrap_or(self.right);
            self.strip(reading, (from, to))
        });
        html! { @for strip in strips { (strip) } }
    }

    fn strip(self, reading: &Reading, (from, to): (f64, f64)) -> Markup {
        let longest = reading.words.iter().map(|it| it.chars().count()).max().unwrap_or(0);
        let count = |n: usize| f64::from(u32::try_from(n).expect("a reading is short"));
        let width = count(longest) * CHARACTER + 2.0 * PADDING;
        let height = count(reading.words.len()) * LINE + PADDING;
        let is_right = f64::midpoint(self.left, self.right) < reading.at;
        let wanted = if is_right { reading.at - width - 8.0 } else { reading.at + 8.0 };
        let x = wanted.min(self.right - width).max(0.0);
        let y = self.top + 4.0;
        html! {
            g.reading {
                rect.hit x=(px(from)) y=(px(self.top)) width=(px(to - from)) height=(px(self.bottom - self.top)) {}
                g.shown {
                    line.guide x1=(px(reading.at)) x2=(px(reading.at)) y1=(px(self.top)) y2=(px(self.bottom)) {}
                    rect.plate x=(px(x)) y=(px(y)) width=(px(width)) height=(px(height)) rx="5" {}
                    @for (n, words) in reading.words.iter().enumerate() {
                        text x=(px(x + PADDING)) y=(px(y + LINE * count(n + 1) - 2.0)) { (words) }
                    }
                }
            }
        }
    }
}

/// The numbers of a drawing, folded away below it.
#[derive(Clone, Debug)]
pub(super) struct Numbers<'a> {
    /// What they are the numbers of; no other table of the page is called so.
    pub of: &'a str,
    pub header: Vec<String>,
    /// The first cell names the row.
    pub rows: Vec<Vec<String>>,
}

impl Numbers<'_> {
    pub(super) fn draw(&self) -> Markup {
        html! {
            details.numbers {
                summary { "The same in numbers" }
                div.scroll tabindex="0" role="region" aria-label=(format!("{}, in numbers", self.of)) { table {
                    thead { tr { @for name in &self.header { th scope="col" { (name) } } } }
                    tbody { @for row in &self.rows {
                        tr { @for (n, cell) in row.iter().enumerate() {
                            @if n == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                        } }
                    } }
                } }
            }
        }
    }
}

/// Makes owned cells of a row.
pub(super) fn cells<const N: usize>(of: [&str; N]) -> Vec<String> {
    of.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { left: 50.0, top: 10.0, right: 450.0, bottom: 210.0 };

    fn drawn(places: &[f64]) -> String {
        let words = || vec!["epoch 3".to_owned(), "val: 97.1\u{a0}%".to_owned()];
        AREA.readings(places.iter().map(|at| Reading { at: *at, words: words() }).collect())
            .into_string()
    }

    /// Returns the numbers a drawing gives for `name` in elements of the class `of`.
    fn values(drawn: &str, of: &str, name: &str) -> Vec<f64> {
        let class = format!("class=\"{of}\"");
        let elements = drawn.split(&class).skip(1);
        let value =
            |it: &str| it.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.parse().ok();
        elements.filter_map(value).collect()
    }

    #[test]
    fn every_place_of_the_area_is_over_one_strip() {
        let drawn = drawn(&[250.0, 50.0, 450.0]);

        assert_eq!(values(&drawn, "hit", "x"), [50.0, 150.0, 350.0]);
        assert_eq!(values(&drawn, "hit", "width"), [100.0, 200.0, 100.0]);
    }

    #[test]
    fn what_is_read_stays_within_the_drawing_and_beside_its_place() {
        let drawn = drawn(&[50.0, 250.0, 450.0]);

        let (x, width) = (values(&drawn, "plate", "x"), values(&drawn, "plate", "width"));
        for (x, width) in x.iter().zip(&width) {
            assert!(AREA.left <= *x && x + width <= AREA.right, "{x} {width}");
        }
        assert!(58.0 <= x[0] && x[2] + width[2] <= 442.0, "{x:?}");
        assert_eq!(drawn.matches("val: 97.1\u{a0}%</text>").count(), 3);
    }
}
