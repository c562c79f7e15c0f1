//! `snapset report`: one HTML file about the whole dataset, and the pairs hardest to tell.

use std::path::{Path, PathBuf};

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
    report::{self, PairLine, ReportInput},
    store::files,
};

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Also write the pairs hardest to tell as a JPEG, and list them
    #[arg(long, value_name = "FILE")]
    pairs: Option<PathBuf>,
}

pub(crate) fn report(
    arguments: &ReportArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    write(&workshop)?;
    if let Some(file) = &arguments.pairs {
        return write_pairs(&workshop, file, talk);
    }
    talk.result(&workshop.layout.report().display().to_string());
    Ok(Exit::Done)
}

/// Writes the report of a dataset to its place.
pub(crate) fn write(workshop: &Workshop) -> Result<(), Complaint> {
    let html = report::html(&input(workshop))?;
    files::write_atomic(&workshop.layout.report(), html.as_bytes())?;
    Ok(())
}

fn write_pairs(workshop: &Workshop, file: &Path, talk: &Talk) -> Result<Exit, Complaint> {
    let sheet = report::pairs(&input(workshop))?;
    if sheet.lines.is_empty() {
        talk.result("no two pictures were found to be alike");
        return Ok(Exit::Failed);
    }
    files::write_atomic(file, &sheet.jpeg)?;
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.pairs.v1", "pairs": sheet.lines }));
        return Ok(Exit::Done);
    }
    let row = |line: &PairLine| {
        let (similarity, distance) = (line.similarity.to_string(), line.distance.to_string());
        vec![line.role.to_owned(), similarity, distance, line.a.short(), line.b.short()]
    };
    let rows: Vec<Vec<String>> = sheet.lines.iter().map(row).collect();
    talk.result(&table(&["pair", "alike", "distance", "a", "b"], &rows, &[1, 2]));
    Ok(Exit::Done)
}

fn input(workshop: &Workshop) -> ReportInput<'_> {
    let pipeline = &workshop.pipeline;
    ReportInput {
        store: &workshop.store,
        layout: &workshop.layout,
        classes: &pipeline.classes,
        title: &pipeline.title,
        name: &pipeline.name,
        generated: concat!("made by snapset ", env!("CARGO_PKG_VERSION")),
        settings_text: &pipeline.text,
        limits: &pipeline.clean.dedupe.limits,
        similarity: pipeline.clean.dedupe.similarity,
        reviews: pipeline.reviews(),
    }
}
