//! `snapset explain`: the whole journey of one picture, post or address.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    table::table,
    talk::Talk,
};
use crate::{
    pipeline::workshop::Workshop,
    report::{self, ExplainInput, Journey},
    store::{files, reviews},
};

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// A post's id or address, a picture's address, the digits of its digest, or its file name
    what: String,
    /// Also write a page with the pictures, the dropped beside the kept
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn explain(
    arguments: &ExplainArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let Workshop { pipeline, layout, store, .. } = &workshop;
    let lines = reviews::read(&pipeline.reviews())?;
    let input = ExplainInput {
        store,
        layout,
        classes: &pipeline.classes,
        limits: &pipeline.clean.dedupe.limits,
        lines: &lines,
    };
    let journeys = report::explain(input, &arguments.what)?;
    if let Some(file) = &arguments.html {
        files::write_atomic(file, report::explained(&journeys, layout).as_bytes())?;
    }
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.explain.v1", "journeys": journeys }));
    } else if journeys.is_empty() {
        talk.result(&format!("nothing known of `{}`", arguments.what));
    } else {
        for journey in &journeys {
            tell(journey, talk);
        }
    }
    Ok(if journeys.is_empty() { Exit::Failed } else { Exit::Done })
}

fn tell(journey: &Journey, talk: &Talk) {
    let steps = journey.steps.iter().map(|step| vec![step.stage.to_string(), step.text.clone()]);
    let steps: Vec<Vec<String>> = steps.collect();
    talk.result(&format!("{}\n{}\n", journey.name, table(&["stage", ""], &steps, &[])));
    let sides = journey
        .sides
        .iter()
        .map(|side| vec![side.role.to_owned(), side.looks.clone(), side.file.clone()]);
    let sides: Vec<Vec<String>> = sides.collect();
    if !sides.is_empty() {
        talk.result(&format!("{}\n", table(&["picture", "", "file"], &sides, &[])));
    }
    if talk.is_verbose() {
        let measured = journey.measured.iter();
        let rows: Vec<Vec<String>> = measured
            .map(|it| vec![it.name.to_owned(), it.number.clone(), format!("clean.{}", it.setting)])
            .collect();
        talk.result(&format!("{}\n", table(&["measured", "", "setting"], &rows, &[])));
    }
    talk.result(&format!("=> {}\n", journey.conclusion));
}
