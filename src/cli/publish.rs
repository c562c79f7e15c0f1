//! `snapset publish`: hands an export to the tool of its platform, or says the command for it.

use std::{io, path::PathBuf, process::Stdio};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    talk::Talk,
};
use crate::pipeline::{
    exports::{self, CompareError},
    publish::{PublishError, Step},
};

#[derive(Debug, Args)]
pub(crate) struct PublishArguments {
    #[command(subcommand)]
    to: Platform,
}

#[derive(Debug, Subcommand)]
enum Platform {
    /// Publish exports/kaggle with Kaggle's own tool, for the first time unless told otherwise
    Kaggle {
        #[command(flatten)]
        one: OnePipeline,
        /// Add a version to the dataset that is there, with these notes
        #[arg(long, value_name = "NOTES", num_args = 0..=1, default_missing_value = "")]
        version: Option<String>,
        /// Write the notes from what changed since this older export: a folder, or its manifest
        #[arg(long, value_name = "OLD", requires = "version")]
        since: Option<PathBuf>,
        /// Only say the command
        #[arg(long)]
        dry_run: bool,
    },
}

pub(crate) fn publish(
    arguments: &PublishArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let Platform::Kaggle { one, version, since, dry_run } = &arguments.to;
    let (workshop, _) = run::open(&one.pipeline, &Selection::default(), shared)?;
    let step = match version {
        None => Step::Create,
        Some(notes) => {
            let mut notes = notes.clone();
            if let Some(old) = since {
                let changes = exports::compare(old, &workshop.kaggle_folder()?)?;
                let told = format!("{notes}\n\n{}", changes.notes());
                told.trim().clone_into(&mut notes);
            }
            // Kaggle's tool refuses a version without notes.
            Step::Version {
                notes: if notes.is_empty() { "new pictures".to_owned() } else { notes },
            }
        }
    };
    let upload = workshop.kaggle_upload(&step)?;
    let is_run = upload.program.is_some() && !dry_run;
    if !talk.is_json() {
        talk.result(&upload.in_words());
    }
    if is_run {
        // One JSON document on stdout, and nothing else.
        let out = if talk.is_json() { io::stderr().into() } else { Stdio::inherit() };
        upload.run(out)?;
    }
    if talk.is_json() {
        talk.json(&json!({
            "schema": "snapset.publish.v1",
            "command": upload.command,
            "is_installed": upload.program.is_some(),
            "is_run": is_run,
        }));
    }
    if upload.program.is_none() {
        talk.aside("kaggle is not installed: `pip install kaggle`, put its token in place, then run the line above");
    }
    Ok(if *dry_run || is_run { Exit::Done } else { Exit::Partial })
}

impl From<PublishError> for Complaint {
    fn from(error: PublishError) -> Self {
        Self::new(Exit::Failed, error)
    }
}

impl From<CompareError> for Complaint {
    fn from(error: CompareError) -> Self {
        Self::new(Exit::Failed, error)
    }
}
