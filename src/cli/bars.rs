//! What a run shows while it works: one bar per stage on a terminal, one line per finished
//! stage elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
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

fn bar(stage: StageName, due: u64) -> ProgressBar {
    let bar = ProgressBar::new(due);
    let shape = if due == 1 {
        "{prefix:>12} {spinner} {elapsed} {wide_msg}"
    } else {
        "{prefix:>12} [{bar:28}] {pos}/{len} {per_sec:>8}, {eta} left  {wide_msg}"
    };
    let style = ProgressStyle::with_template(shape).expect("the shape is a constant");
    bar.set_style(style.progress_chars("=> "));
    bar.set_prefix(stage.name());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
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
