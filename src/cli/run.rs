//! `snapset run`: every stage that has something to do, and a table of what happened.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use serde_json::json;

use super::{
    Shared, bars,
    complaint::{Complaint, Exit},
    places::Places,
    report, stages,
    table::table,
    talk::{Talk, count, plural},
};
use crate::{
    domain::{
        link::{NotATrouble, Trouble},
        traffic::Traffic,
    },
    engine::{Insistence, Redo, Retry, StageName, Tally, events::Events, stop::Stop},
    pipeline::{
        run::{Ran, Wish},
        workshop::{Ask, Workshop},
    },
    report::PlantedReport,
};

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Pipeline file, such as pipelines/demo.toml
    pipeline: PathBuf,
    #[command(flatten)]
    selection: Selection,
}

/// Which stages, which class, and how insistently.
#[derive(Debug, Default, Args)]
pub(crate) struct Selection {
    /// First stage to look at
    #[arg(long, value_name = "STAGE", value_parser = stages::parser(), conflicts_with = "only")]
    from: Option<StageName>,
    /// Last stage to look at
    #[arg(long, value_name = "STAGE", value_parser = stages::parser(), conflicts_with = "only")]
    to: Option<StageName>,
    /// The one stage to look at
    #[arg(long, value_name = "STAGE", value_parser = stages::parser())]
    only: Option<StageName>,
    /// Collect, fetch and fingerprint only this class; the later stages see all
    #[arg(long, value_name = "LABEL")]
    class: Option<String>,
    /// Do again what is done
    #[arg(long)]
    force: bool,
    /// Try again also what failed for good, or of all that failed only these troubles:
    /// 429, cut, timeout, 5xx, connection, host-down
    #[arg(
        long,
        value_name = "TROUBLE,…",
        num_args = 0..=1,
        require_equals = true,
        value_parser = retry,
        default_missing_value = "all"
    )]
    retry_failed: Option<Retry>,
    /// Read again what the sites answered before, without asking them
    #[arg(long)]
    replay: bool,
}

/// Reads which failures are worth another try.
fn retry(text: &str) -> Result<Retry, NotATrouble> {
    if text == "all" {
        return Ok(Retry::AllFailed);
    }
    let troubles = text.split(',').map(|word| word.trim().parse::<Trouble>());
    Ok(Retry::Only(troubles.collect::<Result<_, _>>()?))
}

impl RunArguments {
    pub(crate) fn only(pipeline: PathBuf, stage: StageName) -> Self {
        Self { pipeline, selection: Selection { only: Some(stage), ..Selection::default() } }
    }
}

/// Opens a dataset and reads what is wanted of it.
pub(crate) fn open(
    pipeline: &Path,
    selection: &Selection,
    shared: &Shared,
) -> Result<(Workshop, Wish), Complaint> {
    let mut workshop = Workshop::open(pipeline, &shared.data, now)?;
    if let Some(class) = &selection.class {
        workshop.select(class)?;
    }
    if selection.replay {
        workshop.ask = Ask::KeptAnswers;
    }
    let insistence = Insistence {
        force: if selection.force { Redo::Everything } else { Redo::WhatChanged },
        retry: selection.retry_failed.clone().unwrap_or_default(),
    };
    let wish = Wish {
        from: selection.from.or(selection.only),
        to: selection.to.or(selection.only),
        insistence,
        ..Wish::default()
    };
    Ok((workshop, wish))
}

/// Seconds since 1970-01-01 UTC.
#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
pub(super) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 is as good as none.
    since.ok().and_then(|it| i64::try_from(it.as_secs()).ok()).unwrap_or_default()
}

pub(crate) async fn run(
    arguments: &RunArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let since = Instant::now();
    let (workshop, wish) = open(&arguments.pipeline, &arguments.selection, shared)?;
    let (events, listener) = Events::channel();
    let (brake, stop) = Stop::channel();
    let working = async {
        let ran = workshop.run(&wish, &events, &stop).await;
        drop(events);
        ran
    };
    let ran = tokio::select! {
        (ran, ()) = async { tokio::join!(working, bars::show(listener, talk)) } => ran?,
        () = interrupted_twice(&brake, talk) => return Ok(Exit::Interrupted),
    };
    // A run that ends before there is a dataset leaves nothing to look at yet.
    let is_for_the_dataset = wish.to.is_none_or(|to| StageName::Export <= to);
    if is_for_the_dataset && (0 < ran.n_done() || !workshop.layout.report().exists()) {
        report::write(&workshop)?;
    }
    workshop.settle()?;
    let planted = crate::report::planted(&workshop.store, &workshop.pipeline.classes)?;
    if talk.is_json() {
        talk.json(&json!({
            "schema": "snapset.run.v1",
            "dataset": workshop.pipeline.name,
            "seconds": since.elapsed().as_secs_f64(),
            "run": ran,
            "places": Places::read(&workshop)?.json(),
            "traffic": workshop.access.statistics(),
            "planted": planted,
            "warnings": workshop.warnings()?,
        }));
    } else {
        conclude(&workshop, &ran, planted.as_ref(), talk)?;
        let seconds = since.elapsed().as_secs_f32();
        talk.result(&format!("\n{} done in {seconds:.1} s", plural(ran.n_done(), "item")));
    }
    Ok(exit(&ran))
}

fn exit(ran: &Ran) -> Exit {
    if ran.is_interrupted {
        Exit::Interrupted
    } else if 0 < ran.n_failed() || !ran.skipped.is_empty() {
        Exit::Partial
    } else {
        Exit::Done
    }
}

/// The first Ctrl-C lets the work under way finish; ends with the second.
pub(super) async fn interrupted_twice(brake: &crate::engine::stop::Brake, talk: &Talk) {
    // Without a way to hear Ctrl-C the process simply ends on it.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    brake.pull();
    talk.aside("finishing what is under way; Ctrl-C again stops at once");
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Says what happened: a line per stage, then what went wrong and where the results lie.
fn conclude(
    workshop: &Workshop,
    ran: &Ran,
    planted: Option<&PlantedReport>,
    talk: &Talk,
) -> Result<(), Complaint> {
    let mut rows: Vec<Vec<String>> =
        ran.tallies.iter().map(|(stage, it)| row(*stage, it, ran.seconds.get(stage))).collect();
    rows.extend(ran.skipped.iter().map(|(stage, why)| {
        let none = || "0".to_owned();
        vec![
            stage.to_string(),
            none(),
            none(),
            none(),
            none(),
            String::new(),
            format!("skipped: {why}"),
        ]
    }));
    let header = ["stage", "done", "unchanged", "rejected", "failed", "time", "result"];
    talk.result(&table(&header, &rows, &[1, 2, 3, 4, 5]));
    for (stage, tally) in &ran.tallies {
        let shown = if talk.is_verbose() { usize::MAX } else { 3 };
        for (message, n) in tally.failures.iter().take(shown) {
            talk.result(&format!("failed in {stage}: {message} ({n} \u{d7})"));
        }
    }
    if ran.n_done() != 0 {
        talk.result("");
        Places::read(workshop)?.tell(talk);
        let traffic = workshop.access.statistics();
        if !traffic.hosts.is_empty() {
            talk.result(&spent(&traffic));
        }
    }
    if let Some(planted) = planted {
        talk.result(&format!("\n{}", troubles(planted)));
    }
    for warning in workshop.warnings()? {
        talk.result(&format!("warning: {warning}"));
    }
    let layout = &workshop.layout;
    let places = [layout.dataset(), layout.exports(), layout.report()];
    let there: Vec<String> =
        places.iter().filter(|it| it.exists()).map(|it| it.display().to_string()).collect();
    talk.result(&format!("\n{}", there.join("\n")));
    if ran.is_interrupted {
        talk.result("interrupted; run again to go on");
    }
    Ok(())
}

fn row(stage: StageName, tally: &Tally, seconds: Option<&f64>) -> Vec<String> {
    let result = tally.summary.clone().unwrap_or_else(|| {
        let kinds: Vec<String> =
            tally.rejects.iter().map(|(kind, n)| format!("{n} \u{d7} {kind}")).collect();
        kinds.join(", ")
    });
    let numbers = [tally.made, tally.unchanged, tally.rejected, tally.failed].map(count);
    let mut row = vec![stage.to_string()];
    row.extend(numbers);
    row.push(seconds.map(|seconds| format!("{seconds:.1} s")).unwrap_or_default());
    row.push(result);
    row
}

/// Says what the pictures cost, and which hosts were in trouble.
#[expect(clippy::cast_precision_loss, reason = "bytes of a run are far below 2^52")]
fn spent(traffic: &Traffic) -> String {
    let total = traffic.total();
    let megabytes = total.received_bytes as f64 / 1e6;
    let n_hosts = u64::try_from(traffic.hosts.len()).expect("a length fits 64 bits");
    let mut text = format!(
        "asked {} {} times: {megabytes:.1} MB, at most {} at once; waited {:.1} s as they asked",
        plural(n_hosts, "host"),
        count(total.requests),
        total.width_reached,
        total.waited_s
    );
    let down = traffic.hosts.iter().filter(|(_, it)| 0 < it.breaker_openings);
    let down: Vec<&str> = down.map(|(host, _)| host.as_str()).collect();
    if !down.is_empty() {
        text = format!("{text}; did not answer for a while: {}", down.join(", "));
    }
    text
}

/// Sets what the demo site planted beside what was found of it.
fn troubles(planted: &PlantedReport) -> String {
    let mut rows: Vec<Vec<String>> = planted
        .rows
        .iter()
        .map(|row| {
            let is_all = row.found == row.planted;
            let mark = if is_all { "" } else { "  <-- not all" };
            vec![row.kind.name().to_owned(), count(row.planted), count(row.found) + mark]
        })
        .collect();
    let n_false = u64::try_from(planted.false_twins.len()).expect("a length fits 64 bits");
    rows.push(vec!["false twins".to_owned(), count(0), count(n_false)]);
    table(&["planted trouble", "planted", "found"], &rows, &[1, 2])
}
