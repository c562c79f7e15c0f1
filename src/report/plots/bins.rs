//! How sure the model was, and how often that was right.

use maud::{Markup, html};

use super::{Frame, Plot, Tick, cells, figure, px, quarters, words};
use crate::domain::learning::{
    Answer,
    interval::Score,
    reliability::{Bin, Reliability, confidence_histogram},
};

const N_BARS: usize = 20;

/// Draws the accuracy of the answers by how sure the model was of them; `error` is their
/// expected calibration error.
pub fn reliability(reliability: &Reliability, error: Option<Score>) -> Markup {
    let frame = Frame {
        width: 440.0,
        height: 400.0,
        across: (0.0, 1.0),
        along: (0.0, 1.0),
        names: ("how sure the model was", "how often it was right"),
    };
    let bar = |bin: &Bin| {
        let score = bin.accuracy?;
        let middle = f64::midpoint(bin.low, bin.high);
        let (left, right) = (frame.x(bin.low) + 1.0, frame.x(bin.high) - 1.0);
        let (top, foot) = (frame.y(score.value), frame.y(0.0));
        Some(html! {
            rect.share x=(px(left)) y=(px(top)) width=(px(right - left)) height=(px(foot - top)) {}
            @if let Some(it) = score.interval { (frame.whisker(middle, it.low, it.high)) }
        })
    };
    let read = |bin: &Bin| {
        let words = vec![
            words::of(u64::from(bin.n_right + bin.n_wrong), "answer"),
            format!("{} sure", words::percent(bin.confidence?)),
            format!("{} right", words::percent(bin.accuracy?.value)),
        ];
        Some((f64::midpoint(bin.low, bin.high), words))
    };
    let row = |bin: &Bin| {
        let between = bin.accuracy?.interval.map_or_else(String::new, |it| {
            format!("{} to {}", words::percent(it.low), words::percent(it.high))
        });
        Some(vec![
            format!("{} to {}", words::percent(bin.low), words::percent(bin.high)),
            words::number(u64::from(bin.n_right + bin.n_wrong)),
            words::percent(bin.confidence?),
            words::percent(bin.accuracy?.value),
            between,
        ])
    };
    let told = reliability.bins.iter().filter_map(|bin| {
        let (sure, right) = (words::percent(bin.confidence?), words::percent(bin.accuracy?.value));
        Some(format!("{sure} sure, {right} right"))
    });
    let told: Vec<String> = told.collect();
    Plot {
        id: "reliability",
        title: "Is it as often right as it is sure?",
        told: format!("Expected calibration error {}. {}.", figure(error), told.join("; ")),
        width: frame.width,
        height: frame.height,
        drawing: html! {
            (frame.grid(&quarters(), &quarters()))
            @for bar in reliability.bins.iter().filter_map(bar) { (bar) }
            line.mark x1=(frame.x(0.0)) y1=(frame.y(0.0)) x2=(frame.x(1.0)) y2=(frame.y(1.0)) {}
            (frame.readings(reliability.bins.iter().filter_map(read)))
        },
        numbers: (
            cells(["How sure", "Answers", "Sure on average", "Right", "95 %"]),
            reliability.bins.iter().filter_map(row).collect(),
        ),
        keys: html! {
            p.soft {
                "Bars that end at the dashed line are honest; below it the model is too sure, above it not sure "
                "enough. Expected calibration error " (figure(error)) "."
            }
        },
    }
    .draw()
}

/// Draws how sure the model was of its right and of its wrong answers, one above the other.
pub fn confidence(answers: &[Answer]) -> Markup {
    let bins = confidence_histogram(answers, N_BARS);
    let counted = |kind: usize| -> Vec<u32> { bins.iter().map(|it| it[kind]).collect() };
    let kinds = [("right", counted(0)), ("wrong", counted(1))];
    let sums = [0, 1].map(|kind: usize| bins.iter().map(|it| u64::from(it[kind])).sum::<u64>());
    let sure = |is_right: bool| {
        let of: Vec<f64> =
            answers.iter().filter(|it| it.is_right() == is_right).map(Answer::confidence).collect();
        match u32::try_from(of.len()) {
            Ok(0) | Err(_) => "none".to_owned(),
            Ok(n) => words::percent(of.iter().sum::<f64>() / f64::from(n)),
        }
    };
    let rows = bins.iter().zip(0_u32..).map(|(count, at)| {
        let [right, wrong] = count.map(|n| words::number(n.into()));
        (count, vec![range(at, N_BARS), right, wrong])
    });
    let told = format!(
        "{} right answers, {} sure on average; {} wrong answers, {} sure on average.",
        sums[0],
        sure(true),
        sums[1],
        sure(false)
    );
    Plot {
        id: "confidence",
        title: "How sure it was of right and of wrong answers",
        told: told.clone(),
        width: 440.0,
        height: 360.0,
        drawing: html! {
            @for (n, (kind, counts)) in kinds.iter().enumerate() {
                g transform=(format!("translate(0 {})", if n == 0 { 0 } else { 180 })) {
                    (bars(kind, counts, sums[n]))
                }
            }
        },
        keys: html! { p.soft { (told) } },
        numbers: (
            cells(["How sure", "Right answers", "Wrong answers"]),
            rows.filter(|(count, _)| **count != [0, 0]).map(|(_, row)| row).collect(),
        ),
    }
    .draw()
}

fn bars(kind: &str, counts: &[u32], sum: u64) -> Markup {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let name = format!("{kind}: {}", words::of(sum, "answer"));
    let frame = Frame {
        width: 440.0,
        height: 180.0,
        across: (0.0, 1.0),
        along: (0.0, f64::from(most)),
        names: ("how sure the model was", &name),
    };
    let ticks = [0, most].map(|n| Tick { at: f64::from(n), words: words::number(n.into()) });
    let width = 1.0 / f64::from(u32::try_from(counts.len().max(1)).expect("bars are few"));
    let read = |(at, count): (u32, &u32)| {
        let words =
            vec![format!("{} sure", range(at, counts.len())), words::of((*count).into(), "answer")];
        ((f64::from(at) + 0.5) * width, words)
    };
    html! {
        (frame.grid(&quarters(), &ticks))
        @for (at, count) in (0_u32..).zip(counts) {
            @if *count != 0 {
                @let from = f64::from(at) * width;
                @let (left, right) = (frame.x(from) + 1.0, frame.x(from + width) - 1.0);
                @let (top, foot) = (frame.y(f64::from(*count)), frame.y(0.0));
                rect class=(format!("share {kind}")) x=(px(left)) y=(px(top)) width=(px(right - left)) height=(px(foot - top)) {}
            }
        }
        (frame.readings((0_u32..).zip(counts).map(read)))
    }
}

/// Writes between what the bar `at` of `n` lies.
fn range(at: u32, n: usize) -> String {
    let width = 100.0 / f64::from(u32::try_from(n.max(1)).expect("bars are few"));
    let from = f64::from(at) * width;
    format!("{from:.0} to {:.0}\u{a0}%", from + width)
}
