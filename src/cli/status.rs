//! `snapset status`: how far a dataset is, and where its pictures went.

use serde::Serialize;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    places::Places,
    plan,
    run::{self, Selection},
    table::table,
    talk::{Talk, count},
};
use crate::{
    domain::{
        dataset::Funnel,
        fingerprint::Fingerprint,
        link::{Download, Resolution},
    },
    engine::{StageName, plan::StagePlan},
    store::{
        Ending, Record, Store, StoreError, crops, funnel,
        schema::{Listing, SetRun},
    },
};

/// How the items of one stage stand.
#[derive(Debug, Default, Serialize)]
struct Standing {
    made: u64,
    rejected: u64,
    failed: u64,
    due: u64,
    summary: Option<String>,
}

pub(crate) fn status(one: &OnePipeline, shared: &Shared, talk: &Talk) -> Result<Exit, Complaint> {
    let (workshop, wish) = run::open(&one.pipeline, &Selection::default(), shared)?;
    let plans = workshop.plan(&wish)?;
    let mut standings = Vec::new();
    for plan in &plans {
        standings.push((plan.stage, standing(&workshop.store, plan)?));
    }
    let funnel = funnel::funnel(&workshop.store, &workshop.pipeline.classes)?;
    let warnings = workshop.warnings()?;
    let places = Places::read(&workshop)?;
    if talk.is_json() {
        let stages: serde_json::Map<String, serde_json::Value> =
            standings.iter().map(|(stage, it)| (stage.to_string(), json!(it))).collect();
        talk.json(&json!({
            "schema": "snapset.status.v1",
            "dataset": workshop.pipeline.name,
            "stages": stages,
            "funnel": funnel,
            "places": places.json(),
            "warnings": warnings,
        }));
        return Ok(Exit::Done);
    }
    let row = |(stage, it): &(StageName, Standing)| {
        let numbers = [it.made, it.due, it.rejected, it.failed].map(count);
        let mut row = vec![stage.to_string()];
        row.extend(numbers);
        row.push(it.summary.clone().unwrap_or_default());
        row
    };
    let rows: Vec<Vec<String>> = standings.iter().map(row).collect();
    let header = ["stage", "done", "due", "rejected", "failed", "result"];
    talk.result(&table(&header, &rows, &[1, 2, 3, 4]));
    talk.result(&format!("\n{}", narrowing(&funnel)));
    talk.result("");
    places.tell(talk);
    for warning in &warnings {
        talk.result(&format!("warning: {warning}"));
    }
    talk.result(&plan::in_short(&plans));
    Ok(Exit::Done)
}

fn standing(store: &Store, plan: &StagePlan) -> Result<Standing, StoreError> {
    let mut standing = match plan.stage {
        StageName::Collect => of_items::<Listing>(store)?,
        StageName::Resolve => of_items::<Resolution>(store)?,
        StageName::Fetch => of_items::<Download>(store)?,
        StageName::Fingerprint => of_items::<Fingerprint>(store)?,
        StageName::Prepare => of_endings(crops::endings(store)?),
        StageName::Dedupe | StageName::Split | StageName::Export | StageName::Train => {
            let last = store.note::<SetRun>(&plan.stage.name().to_owned())?;
            let made = u64::from(last.is_some());
            Standing { made, summary: last.map(|last| last.summary), ..Standing::default() }
        }
    };
    standing.due = plan.due;
    Ok(standing)
}

fn of_items<R: Record>(store: &Store) -> Result<Standing, StoreError> {
    Ok(of_endings(store.endings::<R>()?))
}

fn of_endings(endings: Vec<(Ending, u64)>) -> Standing {
    let mut standing = Standing::default();
    for (ending, n) in endings {
        match ending {
            Ending::Made => standing.made += n,
            Ending::Rejected => standing.rejected += n,
            Ending::FailedForNow | Ending::FailedForGood => standing.failed += n,
        }
    }
    standing
}

/// Lays the funnel out: one step a line, with the reasons for what did not get farther.
pub(crate) fn narrowing(funnel: &Funnel) -> String {
    let row = |step: &crate::domain::dataset::FunnelStep| {
        let lost: Vec<String> =
            step.lost.iter().map(|(reason, n)| format!("{} {reason}", count(*n))).collect();
        vec![step.name.clone(), count(step.count), lost.join(", ")]
    };
    let rows: Vec<Vec<String>> = funnel.steps.iter().map(row).collect();
    table(&["funnel", "", "lost on the way"], &rows, &[1])
}
