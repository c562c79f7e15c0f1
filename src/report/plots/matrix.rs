//! What each class was taken for.

use maud::{Markup, html};

use super::{Plot, cells, px, words};

/// With more classes the cells have no room for numbers.
const NUMBERED_MAX: usize = 10;
const WIDTH: f64 = 440.0;
const LEFT: f64 = 96.0;
const TOP: f64 = 42.0;

/// Draws a confusion matrix: rows are true classes, columns what the model said; each cell has its
/// share of the row, and its count.
pub fn confusion(confusion: &[Vec<u32>], classes: &[String]) -> Markup {
    let n = f64::from(u32::try_from(confusion.len().max(1)).expect("classes are few"));
    let side = (WIDTH - LEFT) / n;
    let is_numbered = confusion.len() <= NUMBERED_MAX;
    let n_letters = match confusion.len() {
        ..=4 => 11,
        5 => 8,
        6 => 6,
        _ => 4,
    };
    let place = |at: usize| f64::from(u32::try_from(at).expect("classes are few")) * side;
    let row = |(truth, (name, row)): (usize, (&String, &Vec<u32>))| {
        let all: u64 = row.iter().map(|n| u64::from(*n)).sum();
        let y = TOP + place(truth);
        let middle = y + side / 2.0;
        let cell = |(said, count): (usize, &u32)| {
            let share = words::share(u64::from(*count), all);
            let x = LEFT + place(said);
            let class = if said == truth { "cell right" } else { "cell wrong" };
            let answer = classes.get(said).map_or("?", String::as_str);
            let centre = x + side / 2.0;
            html! {
                rect class=(class) style=(format!("--heat:{share:.3}")) x=(px(x)) y=(px(y)) width=(px(side)) height=(px(side)) {
                    title { (name) " taken for " (answer) ": " (words::number(u64::from(*count))) ", " (words::percent(share)) }
                }
                @if is_numbered {
                    text class=(if *count == 0 { "inside" } else { "strong" }) x=(px(centre)) y=(px(middle + if all == 0 || n > 6.5 { 4.5 } else { -2.0 })) text-anchor="middle" {
                        (words::number(u64::from(*count)))
                    }
                    @if all != 0 && n < 6.5 {
                        text.inside x=(px(centre)) y=(px(middle + 15.0)) text-anchor="middle" { (words::percent(share)) }
                    }
                }
            }
        };
        html! {
            @if is_numbered {
                text.tick x=(LEFT - 8.0) y=(px(middle + 4.0)) text-anchor="end" { (words::shortened(name, 11)) }
                text.tick x=(px(LEFT + place(truth) + side / 2.0)) y=(TOP - 8.0) text-anchor="middle" {
                    (words::shortened(name, n_letters))
                }
            }
            @for cell in row.iter().enumerate().map(cell) { (cell) }
        }
    };
    let told = classes.iter().zip(confusion).enumerate().map(|(truth, (name, row))| {
        let all: u64 = row.iter().map(|n| u64::from(*n)).sum();
        let right = row.get(truth).map_or(0, |n| u64::from(*n));
        format!("{name}: {} of {} known", words::number(right), words::number(all))
    });
    let told: Vec<String> = told.collect();
    Plot {
        id: "confusion",
        title: "What each class was taken for",
        told: format!("{}.", told.join("; ")),
        width: WIDTH,
        height: TOP + side * n + 4.0,
        drawing: html! {
            text.tick x=(LEFT) y="14" { "what the model said" }
            text.tick x="2" y=(TOP - 8.0) { "true class" }
            @for row in classes.iter().zip(confusion).enumerate().map(row) { (row) }
        },
        keys: html! { p.soft { "The stronger the colour, the larger the share of the row." } },
        numbers: numbers(confusion, classes),
    }
    .draw()
}

fn numbers(confusion: &[Vec<u32>], classes: &[String]) -> (Vec<String>, Vec<Vec<String>>) {
    let mut header = cells(["True class"]);
    header.extend(classes.iter().map(|name| format!("said {name}")));
    let rows = classes.iter().zip(confusion).map(|(name, row)| {
        let counts = row.iter().map(|n| words::number(u64::from(*n)));
        std::iter::once(name.clone()).chain(counts).collect()
    });
    (header, rows.collect())
}
