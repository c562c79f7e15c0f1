//! What a run shows while it works: one bar per stage on a terminal, one line per finished
//! stage elsewhere.

use std::{
    fmt,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use tokio::sync::mpsc::UnboundedReceiver;

use super::talk::{Talk, count};
use crate::engine::{StageName, Tally, events::Event};

/// Shows events until their sender is gone.
pub(crate) async fn show(mut events: UnboundedReceiver<Event>, talk: &Talk) {
    let mut current: Option<Current> = None;
    while let Some(event) = events.recv().await {
        match event {
            Event::Begun { stage, due } => {
                let bar = if talk.has_bars() { bar(stage, due) } else { ProgressBar::hidden() };
                current = Some(Current { bar, since: Instant::now() });
            }
            Event::Advanced { tally, .. } => {
                if let Some(Current { bar, .. }) = &current {
                    bar.set_position(tally.done());
                    bar.set_message(trouble(&tally));
                }
            }
            Event::Portion { done, of, .. } => {
                if let Some(Current { bar, .. }) = &current {
                    if bar.length() != Some(of) {
                        bar.set_length(of);
                        bar.set_style(style(SHAPE_OF_MANY));
                    }
                    bar.set_position(done);
                }
            }
            Event::Word { text, .. } => {
                if let Some(Current { bar, .. }) = &current {
                    bar.set_message(text);
                }
            }
            Event::Ended { stage, tally } => {
                if let Some(Current { bar, since }) = current.take() {
                    bar.finish_and_clear();
                    talk.aside(&line(stage, &tally, since.elapsed()));
                }
            }
        }
    }
}

struct Current {
    bar: ProgressBar,
    since: Instant,
}

const SHAPE_OF_ONE: &str = "{prefix:>12} {spinner} {elapsed} {wide_msg}";
const SHAPE_OF_MANY: &str = "{prefix:>12} [{bar:28}] {pos}/{len} {rate:>9}, {eta} left  {wide_msg}";
const SHAPE_OF_BYTES: &str =
    "{prefix} [{bar:28}] {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";

fn bar(stage: StageName, due: u64) -> ProgressBar {
    let bar = ProgressBar::new(due);
    bar.set_style(style(if due == 1 { SHAPE_OF_ONE } else { SHAPE_OF_MANY }));
    bar.set_prefix(stage.name());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Returns a bar for so many things to do, beside `name`.
pub(crate) fn of_many(name: &'static str, n: usize, talk: &Talk) -> ProgressBar {
    if !talk.has_bars() || n < 2 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(n).unwrap_or(u64::MAX));
    bar.set_style(style(SHAPE_OF_MANY));
    bar.set_prefix(name);
    bar
}

/// Returns a bar for trainings, and what moves it: how many are done, and of how many.
pub(crate) fn of_trainings(
    talk: &Talk,
) -> (ProgressBar, impl FnMut(usize, usize) + Send + 'static) {
    let bar = if talk.has_bars() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    bar.set_style(style(SHAPE_OF_MANY));
    bar.set_prefix("trainings");
    let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let moved = bar.clone();
    let told = move |done, of| {
        moved.set_length(number(of));
        moved.set_position(number(done));
    };
    (bar, told)
}

/// Returns a bar for the bytes of a file.
pub(crate) fn of_bytes(name: &'static str, talk: &Talk) -> ProgressBar {
    if !talk.has_bars() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    bar.set_style(style(SHAPE_OF_BYTES));
    bar.set_prefix(name);
    bar
}

fn style(shape: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, text: &mut dyn fmt::Write| {
        _ = write!(text, "{:.1}/s", state.per_sec()); // A bar without its rate is still a bar.
    };
    let style = ProgressStyle::with_template(shape).expect("the shapes are constants");
    style.with_key("rate", rate).progress_chars("=> ")
}

fn trouble(tally: &Tally) -> String {
    let part = |n: u64, word: &str| (0 < n).then(|| format!("{} {word}", count(n)));
    let parts = [part(tally.rejected, "rejected"), part(tally.failed, "failed")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn line(stage: StageName, tally: &Tally, elapsed: Duration) -> String {
    let what = tally.summary.clone().unwrap_or_else(|| {
        let trouble = trouble(tally);
        let comma = if trouble.is_empty() { "" } else { ", " };
        format!("{} made{comma}{trouble}", count(tally.made))
    });
    format!("{:>12} {what} ({:.1} s)", stage.name(), elapsed.as_secs_f32())
}
