//! How much of each class comes from how few authors.

use maud::html;

use super::{Frame, Markup, Plot, cells, keys, quarters, words};

/// More lines than these cannot be told apart.
const LINES_MAX: usize = 6;

/// How many places of the axis are read, from its one end to the other.
const PLACES: u32 = 20;

/// A class, and how many pictures each of its authors gave, the most first.
pub(in crate::report) struct Shares {
    pub name: String,
    pub by_author: Vec<u64>,
}

impl Shares {
    fn all(&self) -> u64 {
        self.by_author.iter().sum()
    }

    /// Returns the share of the pictures that the `n` largest authors gave.
    pub(in crate::report) fn of_largest(&self, n: usize) -> f64 {
        words::share(self.by_author.iter().take(n).sum(), self.all())
    }

    /// Returns how few authors gave at least half of the pictures.
    pub(in crate::report) fn half(&self) -> usize {
        let is_less = |n: &usize| 2 * self.by_author.iter().take(*n).sum::<u64>() < self.all();
        (0..self.by_author.len()).take_while(is_less).count()
    }

    /// Returns, from the first author to the last, the share of authors and that of pictures.
    fn points(&self) -> Vec<(f64, f64)> {
        let n = words::count(self.by_author.len());
        let given = self.by_author.iter().scan(0, |sum, n| {
            *sum += n;
            Some(*sum)
        });
        let place = |(at, sum)| (words::share(at, n), words::share(sum, self.all()));
        std::iter::once((0.0, 0.0)).chain((1..).zip(given).map(place)).collect()
    }

    /// Returns the share of the pictures given by this share of the authors, the largest first.
    fn at(&self, authors: f64) -> f64 {
        let points = self.points();
        let part = points.windows(2).find_map(|pair| match pair {
            [from, to] if authors <= to.0 => {
                let way = if from.0 < to.0 { (authors - from.0) / (to.0 - from.0) } else { 1.0 };
                Some(from.1 + way * (to.1 - from.1))
            }
            _ => None,
        });
        part.unwrap_or(1.0)
    }
}

/// Draws the share of the pictures against the share of the authors, the largest first; of many
/// classes those that hang most on few. Nothing where no author is known.
pub(in crate::report) fn authors(classes: &[Shares]) -> Markup {
    let mut shown: Vec<&Shares> = classes.iter().filter(|it| !it.by_author.is_empty()).collect();
    if shown.is_empty() {
        return html! {};
    }
    if LINES_MAX < shown.len() {
        shown.sort_by(|a, b| b.of_largest(1).total_cmp(&a.of_largest(1)));
        shown.truncate(LINES_MAX);
    }
    let frame = Frame {
        width: 440.0,
        height: 360.0,
        across: (0.0, 1.0),
        along: (0.0, 1.0),
        names: ("authors, those who gave most first", "pictures of the class"),
    };
    let places = || (0..=PLACES).map(|n| f64::from(n) / f64::from(PLACES));
    let read = |at: f64| {
        let head = format!("{:.0}\u{a0}% of the authors gave", at * 100.0);
        let value = |it: &&Shares| {
            format!("{}: {}", words::shortened(&it.name, 24), words::percent(it.at(at)))
        };
        (at, std::iter::once(head).chain(shown.iter().map(value)).collect())
    };
    let told: Vec<String> = shown
        .iter()
        .map(|it| {
            let (half, all) = (words::count(it.half()), words::count(it.by_author.len()));
            let pictures = words::number(half);
            format!("{}: half from {pictures} of {}", it.name, words::of(all, "author"))
        })
        .collect();
    let lines: Vec<(String, String)> =
        told.iter().enumerate().map(|(n, it)| (format!("curve curve-{n}"), it.clone())).collect();
    let mut header = cells(["Authors"]);
    header.extend(shown.iter().map(|it| it.name.clone()));
    let row = |at: f64| {
        let shares = shown.iter().map(|it| words::percent(it.at(at)));
        std::iter::once(words::percent(at)).chain(shares).collect()
    };
    Plot {
        id: "authors",
        title: "How much comes from how few authors",
        told: format!("{}.", told.join("; ")),
        width: frame.width,
        height: frame.height,
        drawing: html! {
            (frame.grid(&quarters(), &quarters()))
            line.mark x1=(frame.x(0.0)) y1=(frame.y(0.0)) x2=(frame.x(1.0)) y2=(frame.y(1.0)) {}
            @for (n, it) in shown.iter().enumerate().rev() {
                polyline class=(format!("curve curve-{n}")) points=(frame.path(it.points())) {}
            }
            (frame.readings(places().map(read)))
        },
        keys: html! {
            (keys(&lines))
            p.soft { "On the dashed line every author would have given as much as every other." }
        },
        numbers: (header, places().map(row).collect()),
    }
    .draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(by_author: &[u64]) -> Shares {
        Shares { name: "cats".to_owned(), by_author: by_author.to_vec() }
    }

    #[test]
    fn half_of_the_pictures_come_from_the_fewest_authors_that_gave_them() {
        assert_eq!(
            [&[5, 3, 1, 1][..], &[4, 3, 2, 1], &[1; 7], &[9], &[]].map(|it| shares(it).half()),
            [1, 2, 4, 1, 0]
        );
    }

    #[test]
    fn shares_of_authors_between_two_are_read_off_the_line() {
        let shares = shares(&[6, 2, 1, 1]);

        let read = [0.0, 0.25, 0.375, 0.5, 1.0].map(|it| words::percent(shares.at(it)));
        assert_eq!(read, ["0.0", "60.0", "70.0", "80.0", "100.0"].map(|it| format!("{it}\u{a0}%")));
        assert!((shares.of_largest(2) - 0.8).abs() < 1e-12);
    }

    #[test]
    fn classes_without_a_named_author_have_no_line() {
        assert_eq!(authors(&[shares(&[])]).into_string(), "");

        let drawn = authors(&[shares(&[]), shares(&[3, 1])]).into_string();

        assert_eq!(drawn.matches("<polyline").count(), 1);
        assert!(drawn.contains("cats: half from 1 of 2\u{a0}authors"), "{drawn}");
    }
}
