//! `snapset review --export` and `--import`: decisions as a table, for spreadsheets and labelling
//! tools.

use std::path::Path;

use serde_json::json;

use super::{
    Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    talk::Talk,
};
use crate::{
    pipeline::Pipeline,
    store::{
        files, query, reviews,
        reviews::csv::{self, Added, Against},
    },
};

/// Writes all decisions of a pipeline into a table.
pub(crate) fn export(pipeline: &Path, table: &Path, talk: &Talk) -> Result<Exit, Complaint> {
    let lines = reviews::read(&Pipeline::read(pipeline)?.reviews())?;
    files::write_atomic(table, &csv::write(&lines))?;
    tell(talk, "exported", lines.len(), &format!("to {}", table.display()));
    Ok(Exit::Done)
}

/// Adds the decisions of a table to those of a pipeline: all that are new, or, where a row is
/// wrong, none. Rows that tell nobody are said `by`.
pub(crate) fn import(
    pipeline: &Path,
    table: &Path,
    by: Option<&str>,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let bytes = files::read(table)?;
    // Opened first: what a row may name is what was fetched.
    let (workshop, _) = run::open(pipeline, &Selection::default(), shared)?;
    let file = workshop.pipeline.reviews();
    let lines = reviews::read(&file)?;
    let known = query::blobs_by_url(&workshop.store)?.into_values().collect();
    let classes = workshop.pipeline.classes.labels().cloned().collect();
    let against = Against {
        known: &known,
        classes: &classes,
        lines: &lines,
        now_ms: u64::try_from(run::now()).unwrap_or_default() * 1000,
        by,
    };
    let Added { lines, known } =
        csv::read(&bytes, against).map_err(|error| Complaint::new(Exit::Failed, error))?;
    reviews::append(&file, &lines)?;
    tell(talk, "imported", lines.len(), &format!("into {}; {known} were there", file.display()));
    Ok(Exit::Done)
}

fn tell(talk: &Talk, verb: &str, n: usize, rest: &str) {
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.reviews.v1", (verb): n }));
    } else {
        let noun = if n == 1 { "decision" } else { "decisions" };
        talk.result(&format!("{n} {noun} {verb} {rest}"));
    }
}
