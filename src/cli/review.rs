//! `snapset review`: a page on this machine where a person decides about pictures.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    review_csv,
    run::{self, Selection},
    talk::Talk,
};
use crate::{
    engine::stop::Stop,
    pipeline::workshop::Workshop,
    review::{BookError, Desk, DeskInput, ReviewError, Reviewer, Server},
};

#[derive(Debug, Args)]
pub(crate) struct ReviewArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Port of this machine to listen at; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Name to note beside each decision
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Write all decisions into this CSV file instead
    #[arg(long, value_name = "FILE", conflicts_with = "import")]
    export: Option<PathBuf>,
    /// Add the decisions of this CSV file instead
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
}

pub(crate) async fn review(
    arguments: &ReviewArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let path = &arguments.one.pipeline;
    if let Some(table) = &arguments.export {
        return review_csv::export(path, table, talk);
    }
    if let Some(table) = &arguments.import {
        return review_csv::import(path, table, arguments.by.as_deref(), shared, talk);
    }
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let Workshop { pipeline, layout, store, .. } = workshop;
    // It is opened again to be read; then other commands may use the dataset meanwhile.
    drop(store);
    talk.aside("reading what there is to review\u{2026}");
    let reviews = pipeline.reviews();
    let desk = Desk::read(&DeskInput {
        layout: &layout,
        classes: &pipeline.classes,
        title: &pipeline.title,
        reviews: reviews.clone(),
        seed: pipeline.seed,
        similarity: pipeline.clean.dedupe.similarity,
        limits: &pipeline.clean.dedupe.limits,
    })?;
    let reviewer = Reviewer { name: arguments.by.clone(), clock: now_ms };
    let server = Server::bind(arguments.port, desk, reviewer).await?;
    let page = server.address()?;
    let file = reviews.display().to_string();
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.review.v1", "address": page, "reviews": file }));
    } else {
        talk.result(&format!("{page} shows the pictures; decisions are added to {file}"));
        talk.aside("snapset run makes them count; Ctrl-C ends the page");
    }
    let (brake, stop) = Stop::channel();
    tokio::select! {
        ended = server.run(&stop) => ended?,
        () = run::interrupted_twice(&brake, talk) => return Ok(Exit::Interrupted),
    }
    Ok(Exit::Done)
}

/// Milliseconds since 1970-01-01 UTC.
#[expect(clippy::disallowed_methods, reason = "decisions carry the time they were made")]
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 is as good as none; decisions still follow each other.
    since.ok().and_then(|it| u64::try_from(it.as_millis()).ok()).unwrap_or_default()
}

impl From<ReviewError> for Complaint {
    fn from(error: ReviewError) -> Self {
        match &error {
            ReviewError::Book(BookError::Reviews(_)) => Self::new(Exit::Usage, error),
            ReviewError::Book(BookError::Write(_))
            | ReviewError::Bind { .. }
            | ReviewError::Listen(_)
            | ReviewError::Randomness(_) => Self::new(Exit::Failed, error),
        }
    }
}
