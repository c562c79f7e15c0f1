//! `snapset plan`: what `run` would do, and why.

use clap::Args;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    places,
    run::{self, Selection},
    table::table,
    talk::{Talk, count, plural},
};
use crate::engine::{StageName, plan::StagePlan};

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    one: OnePipeline,
    #[command(flatten)]
    selection: Selection,
    /// Exit with 10 if there is work, 0 if there is none
    #[arg(long)]
    exit_code: bool,
}

pub(crate) fn plan(
    arguments: &PlanArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, wish) = run::open(&arguments.one.pipeline, &arguments.selection, shared)?;
    let plans = workshop.plan(&wish)?;
    let lists = plans.iter().any(|it| it.stage == StageName::Collect && 0 < it.due);
    let forecasts = if lists { workshop.forecast()? } else { Vec::new() };
    let is_pending = plans.iter().any(StagePlan::has_work);
    if talk.is_json() {
        talk.json(&json!({
            "schema": "snapset.plan.v1",
            "dataset": workshop.pipeline.name,
            "pending": is_pending,
            "stages": plans,
            "listing": forecasts,
        }));
    } else if is_pending {
        let busy = plans.iter().filter(|plan| plan.has_work());
        let rows: Vec<Vec<String>> = busy.map(row).collect();
        talk.result(&table(&["stage", "due", "unchanged", "why"], &rows, &[1, 2]));
        if !forecasts.is_empty() {
            talk.result(&format!("\n{}", places::forecast(&forecasts)));
        }
    } else {
        talk.result("nothing to do");
    }
    Ok(if is_pending && arguments.exit_code { Exit::Pending } else { Exit::Done })
}

fn row(plan: &StagePlan) -> Vec<String> {
    let mut why: Vec<String> =
        plan.why.iter().map(|(why, n)| format!("{} {why}", count(*n))).collect();
    if plan.due == 1 {
        why = plan.why.keys().map(ToString::to_string).collect();
    }
    why.extend(plan.changed_settings.iter().cloned());
    if !plan.follows.is_empty() {
        let stages: Vec<&str> = plan.follows.iter().map(|stage| stage.name()).collect();
        why.push(format!("follows {}", stages.join(" and ")));
    }
    let due = if plan.due == 0 { "?".to_owned() } else { count(plan.due) };
    vec![plan.stage.to_string(), due, count(plan.unchanged), why.join("; ")]
}

/// Says in a sentence what a plan comes to.
pub(crate) fn in_short(plans: &[StagePlan]) -> String {
    let due: u64 = plans.iter().map(|plan| plan.due).sum();
    let stages: Vec<&str> =
        plans.iter().filter(|plan| plan.has_work()).map(|plan| plan.stage.name()).collect();
    if stages.is_empty() {
        "nothing to do".to_owned()
    } else {
        format!("{} due in {}", plural(due, "item"), stages.join(", "))
    }
}
