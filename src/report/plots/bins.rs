//! How sure the model was, and how often that was right.

use maud::{Markup, html};

use super::{Frame, Plot, Tick, figure, px, quarters, words};
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
        let n = u64::from(bin.n_right + bin.n_wrong);
        let middle = f64::midpoint(bin.low, bin.high);
        let (left, right) = (frame.x(bin.low) + 1.0, frame.x(bin.high) - 1.0);
        let (top, foot) = (frame.y(score.value), frame.y(0.0));
        Some(html! {
            rect.share x=(px(left)) y=(px(top)) width=(px(right - left)) height=(px(foot - top)) {
                title {
                    (words::of(n, "answer")) ", " (words::percent(bin.confidence.unwrap_or(middle)))
                    " sure, " (words::percent(score.value)) " right"
                }
            }
            @if let Some(it) = score.interval { (frame.whisker(middle, it.low, it.high)) }
        })
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
        },
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
    html! {
        (frame.grid(&quarters(), &ticks))
        @for (at, count) in (0_u32..).zip(counts) {
            @if *count != 0 {
                @let from = f64::from(at) * width;
                @let (left, right) = (frame.x(from) + 1.0, frame.x(from + width) - 1.0);
                @let (top, foot) = (frame.y(f64::from(*count)), frame.y(0.0));
                rect class=(format!("share {kind}")) x=(px(left)) y=(px(top)) width=(px(right - left)) height=(px(foot - top)) {
                    title {
                        (format!("{:.0} to {:.0}\u{a0}% sure: ", from * 100.0, (from + width) * 100.0))
                        (words::of((*count).into(), "answer"))
                    }
                }
            }
        }
    }
}
