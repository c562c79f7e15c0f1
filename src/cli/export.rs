//! `snapset export`: writes the exports of a pipeline, or tells what changed from one to another.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    Shared,
    complaint::{Complaint, Exit},
    run::{self, RunArguments},
    talk::Talk,
};
use crate::{
    domain::manifest::Entry,
    engine::StageName,
    pipeline::{Pipeline, exports},
};

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// Pipeline file, such as pipelines/demo.toml
    #[arg(required_unless_present = "diff")]
    pipeline: Option<PathBuf>,
    /// Refuse while questions of the datasheet are open
    #[arg(long, conflicts_with = "diff")]
    strict: bool,
    /// Tell what changed from one export to another, as notes for a new version: two folders, or
    /// the manifests in them
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "pipeline")]
    diff: Option<Vec<PathBuf>>,
}

pub(crate) async fn export(
    arguments: ExportArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    if let Some([old, new]) = arguments.diff.as_deref() {
        return diff(old, new, talk);
    }
    let Some(pipeline) = arguments.pipeline else {
        return Err(Complaint::new(Exit::Usage, "name a pipeline file, or two exports by --diff"));
    };
    if arguments.strict {
        let open = Pipeline::read(&pipeline)?.open_questions();
        if !open.is_empty() {
            let keys: Vec<&str> = open.iter().map(|it| it.key()).collect();
            let text = format!(
                "the datasheet has {} open questions; answer them below [export.datasheet]: {}",
                open.len(),
                keys.join(", ")
            );
            return Err(Complaint::new(Exit::Failed, text));
        }
    }
    run::run(&RunArguments::only(pipeline, StageName::Export), shared, talk).await
}

fn diff(old: &Path, new: &Path, talk: &Talk) -> Result<Exit, Complaint> {
    let changes = exports::compare(old, new)?;
    if talk.is_json() {
        let names = |entries: &[Entry]| -> Vec<String> {
            entries.iter().map(|it| it.picture.clone()).collect()
        };
        let pairs = |entries: &[(Entry, Entry)]| -> Vec<String> {
            entries.iter().map(|(_, it)| it.picture.clone()).collect()
        };
        talk.json(&json!({
            "schema": "snapset.export_diff.v1",
            "added": names(&changes.added),
            "removed": names(&changes.removed),
            "moved": pairs(&changes.moved),
            "relabelled": pairs(&changes.relabelled),
            "altered": pairs(&changes.altered),
            "same": changes.n_same,
        }));
    } else {
        talk.result(changes.notes().trim_end());
    }
    Ok(Exit::Done)
}
