//! What was measured, as lines for people.

use std::fmt::Write;

use crate::{Found, Run, gauge::Cost, tools::Tool};

/// Says what a tool just did, and how much the server worked for it.
pub(super) fn progress(latency_ms: u64, tool: &Tool, run: &Run, server_cpu_seconds: f64) -> String {
    format!(
        "{latency_ms} ms, {}: {} valid and {} corrupt in {:.2} s, {:.2} s of processor time, {} \
         requests; the server {server_cpu_seconds:.2} s",
        tool.name(),
        run.found.valid,
        run.found.corrupt,
        run.cost.seconds,
        run.cost.cpu_seconds,
        run.traffic.requests
    )
}

/// Shows the medians of all rounds at one delay, and how often snapset is as good.
pub(super) fn rates(latency_ms: u64, tools: &[Tool], runs: &[Vec<Run>]) -> String {
    let rate = |run: &Run| float(run.found.valid) / run.cost.seconds;
    let cpu_ms = |run: &Run| run.cost.cpu_seconds * 1e3 / float(run.found.valid);
    let medians = |of: &dyn Fn(&Run) -> f64| -> Vec<f64> {
        runs.iter().map(|runs| median(runs.iter().map(of).collect())).collect()
    };
    let (rate, cpu_ms) = (medians(&rate), medians(&cpu_ms));
    let peak = medians(&|run| megabytes(run.cost.peak_bytes));
    let (valid, corrupt) =
        (medians(&|run| float(run.found.valid)), medians(&|run| float(run.found.corrupt)));
    let sent = medians(&|run| megabytes(run.traffic.body_bytes));
    let ours = tools.iter().position(|it| matches!(it, Tool::Snapset(_)));
    let times = |ours: Option<f64>, theirs: f64| {
        ours.map_or_else(|| "–".to_owned(), |ours| format!("{:.2}", ours / theirs))
    };
    let mut text = format!(
        "{latency_ms} ms to the first byte, medians of {} rounds\n{:<20} {:>10} {:>9} {:>14} {:>9} \
         {:>8} {:>6} {:>8} {:>8}\n",
        runs[0].len(),
        "tool",
        "pictures/s",
        "snapset ×",
        "CPU ms/picture",
        "snapset ×",
        "peak MB",
        "valid",
        "corrupt",
        "MB sent"
    );
    for (at, tool) in tools.iter().enumerate() {
        writeln!(
            text,
            "{:<20} {:>10.1} {:>9} {:>14.3} {:>9} {:>8.0} {:>6} {:>8} {:>8.1}",
            tool.name(),
            rate[at],
            times(ours.map(|ours| rate[ours]), rate[at]),
            cpu_ms[at],
            times(ours.map(|ours| cpu_ms[ours]), cpu_ms[at]),
            peak[at],
            valid[at],
            corrupt[at],
            sent[at]
        )
        .unwrap();
    }
    text
}

/// Shows what running again cost.
pub(super) fn second_runs(tools: &[Tool], runs: &[Vec<Run>]) -> String {
    let mut text =
        format!("{:<20} {:>10} {:>11} {:>9}\n", "second run", "requests", "body bytes", "seconds");
    for (tool, runs) in tools.iter().zip(runs) {
        let most = runs.iter().max_by_key(|it| it.traffic.body_bytes).unwrap();
        writeln!(
            text,
            "{:<20} {:>10} {:>11} {:>9.2}",
            tool.name(),
            most.traffic.requests,
            most.traffic.body_bytes,
            median(runs.iter().map(|it| it.cost.seconds).collect())
        )
        .unwrap();
    }
    text
}

/// Shows what lay under a picture's name after each kill, and after one more run to the end.
pub(super) fn kills(rows: &[(&str, Vec<usize>, Found)]) -> String {
    let mut text = format!(
        "{:<20} {:>20} {:>16} {:>8}\n",
        "kill -9", "corrupt after each", "valid at the end", "corrupt"
    );
    for (name, corrupt, end) in rows {
        let each = corrupt.iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        writeln!(text, "{name:<20} {each:>20} {:>16} {:>8}", end.valid, end.corrupt).unwrap();
    }
    text
}

/// Says what a number of posts cost.
pub(super) fn memory(posts: u32, cost: Cost, requests: u64) -> String {
    format!(
        "{posts} posts: {:.0} MB at most, {:.1} s, {:.0} posts/s, {requests} requests",
        megabytes(cost.peak_bytes),
        cost.seconds,
        f64::from(posts) / cost.seconds
    )
}

fn megabytes(bytes: u64) -> f64 {
    float(usize::try_from(bytes).unwrap()) / 1e6
}

fn float(number: usize) -> f64 {
    number.to_string().parse().unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
