//! `snapset report`: one HTML file about the whole dataset.

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    talk::Talk,
};
use crate::{
    pipeline::workshop::Workshop,
    report::{self, ReportInput},
    store::files,
};

pub(crate) fn report(one: &OnePipeline, shared: &Shared, talk: &Talk) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&one.pipeline, &Selection::default(), shared)?;
    write(&workshop)?;
    talk.result(&workshop.layout.report().display().to_string());
    Ok(Exit::Done)
}

/// Writes the report of a dataset to its place.
pub(crate) fn write(workshop: &Workshop) -> Result<(), Complaint> {
    let pipeline = &workshop.pipeline;
    let html = report::html(&ReportInput {
        store: &workshop.store,
        layout: &workshop.layout,
        classes: &pipeline.classes,
        title: &pipeline.title,
        name: &pipeline.name,
        generated: concat!("made by snapset ", env!("CARGO_PKG_VERSION")),
        settings_text: &pipeline.text,
        limits: &pipeline.clean.dedupe.limits,
        similarity: pipeline.clean.dedupe.similarity,
    })?;
    files::write_atomic(&workshop.layout.report(), html.as_bytes())?;
    Ok(())
}
