//! `snapset explain`: the whole journey of one picture, post or address.

use clap::Args;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    talk::{Talk, table},
};
use crate::report;

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// A post's id or address, a picture's address, the digits of its digest, or its file name
    what: String,
}

pub(crate) fn explain(
    arguments: &ExplainArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let (store, classes) = (&workshop.store, &workshop.pipeline.classes);
    let journeys = report::explain(store, classes, &arguments.what)?;
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.explain.v1", "journeys": journeys }));
    } else if journeys.is_empty() {
        talk.result(&format!("nothing known of `{}`", arguments.what));
    }
    if !talk.is_json() {
        for journey in &journeys {
            let rows: Vec<Vec<String>> = journey
                .steps
                .iter()
                .map(|step| vec![step.stage.to_string(), step.text.clone()])
                .collect();
            talk.result(&format!("{}\n{}\n", journey.name, table(&["stage", ""], &rows, &[])));
            talk.result(&format!("=> {}\n", journey.conclusion));
        }
    }
    Ok(if journeys.is_empty() { Exit::Failed } else { Exit::Done })
}
