//! Scores → a table of recall for each edit, and of false pairs and F1 over all.

use std::path::PathBuf;

use super::{
    corpus::{HALVES, Half},
    edits::EDITS,
};

/// What one tool made of the set of one edit.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_field_names, reason = "all are counts, and the house names counts so")]
pub(super) struct Score {
    n_copies: usize,
    n_found: usize,
    n_false: usize,
    n_pictures: usize,
}

impl Half {
    /// Tells whether a pair of files is an original and its copy by this edit.
    pub(super) fn is_copy(&self, edit: usize, pair: &[PathBuf; 2]) -> bool {
        let [a, b] = pair;
        self.copies[edit].iter().any(|(at, copy)| {
            let original = &self.base[*at];
            (a == original && b == copy) || (b == original && a == copy)
        })
    }
}

impl Score {
    pub(super) fn of(half: &Half, edit: usize, pairs: &[[PathBuf; 2]]) -> Self {
        let n_found = pairs.iter().filter(|pair| half.is_copy(edit, pair)).count();
        let n_copies = half.copies[edit].len();
        let n_pictures = half.base.len() + n_copies;
        Self { n_copies, n_found, n_false: pairs.len() - n_found, n_pictures }
    }

    fn sum(scores: &[Self]) -> Self {
        scores.iter().fold(Self::default(), |sum, score| Self {
            n_copies: sum.n_copies + score.n_copies,
            n_found: sum.n_found + score.n_found,
            n_false: sum.n_false + score.n_false,
            n_pictures: sum.n_pictures + score.n_pictures,
        })
    }

    fn recall(&self) -> f64 {
        ratio(self.n_found, self.n_copies)
    }

    fn f1(&self) -> f64 {
        ratio(2 * self.n_found, self.n_found + self.n_false + self.n_copies)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).expect("a count of pictures"));
    number(part) / number(whole.max(1))
}

/// A column for each tool and half.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(String, Vec<Score>)>,
}

impl Table {
    pub(super) fn new(halves: &[Half; 2]) -> Self {
        for (name, half) in HALVES.iter().zip(halves) {
            let n_copies: usize = half.copies.iter().map(Vec::len).sum();
            println!("{name}: {} base pictures, {n_copies} copies", half.base.len());
        }
        Self { columns: Vec::new() }
    }

    /// Adds a tool, and says at once what it did over all: the table comes last.
    pub(super) fn add(&mut self, tool: &str, scores: &[Vec<Score>; 2]) {
        for (half, scores) in HALVES.iter().zip(scores) {
            let name = format!("{tool}, {half}");
            let all = Score::sum(scores);
            let (recall, f1, n_false) = (all.recall(), all.f1(), all.n_false);
            println!("{name}: recall {recall:.3}, F1 {f1:.3}, {n_false} false pairs");
            self.columns.push((name, scores.clone()));
        }
    }

    pub(super) fn print(&self) {
        let names = self.columns.iter().map(|(name, _)| name.as_str());
        println!("| recall (false pairs) | {} |", names.collect::<Vec<_>>().join(" | "));
        println!("| --- |{}", " --- |".repeat(self.columns.len()));
        for (at, (edit, _)) in EDITS.iter().enumerate() {
            self.row(edit, |scores| {
                let score = scores[at];
                match score.n_false {
                    0 => format!("{:.2}", score.recall()),
                    n => format!("{:.2} ({n})", score.recall()),
                }
            });
        }
        self.row("**recall**", |scores| format!("{:.3}", Score::sum(scores).recall()));
        self.row("**F1**", |scores| format!("{:.3}", Score::sum(scores).f1()));
        self.row("**false pairs per 1,000 pictures**", |scores| {
            let all = Score::sum(scores);
            format!("{:.2}", ratio(1000 * all.n_false, all.n_pictures))
        });
    }

    fn row(&self, name: &str, cell: impl Fn(&[Score]) -> String) {
        let cells: Vec<String> = self.columns.iter().map(|(_, scores)| cell(scores)).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}
