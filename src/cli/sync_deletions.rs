//! `snapset sync-deletions`: what was deleted at the source is deleted here.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    Shared, bars,
    complaint::{Complaint, Exit},
    report,
    run::{self, Selection},
    table::table,
    talk::{Talk, count},
};
use crate::{
    engine::{StageName, events::Events, stop::Stop},
    pipeline::{
        deletions::{Deletions, Earnest},
        workshop::Workshop,
    },
};

#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// Pipeline file, such as pipelines/demo.toml
    pipeline: PathBuf,
    /// Only tell what is gone; remove nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn sync_deletions(
    arguments: &SyncArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.pipeline, &Selection::default(), shared)?;
    let (events, listener) = Events::channel();
    let (brake, stop) = Stop::channel();
    let earnest = if arguments.dry_run { Earnest::OnlyTell } else { Earnest::Remove };
    let working = async {
        let found = workshop.sync_deletions(earnest, &events, &stop).await;
        drop(events);
        found
    };
    let found = tokio::select! {
        (found, ()) = async { tokio::join!(working, bars::show(listener, talk)) } => found?,
        () = run::interrupted_twice(&brake, talk) => return Ok(Exit::Interrupted),
    };
    if earnest == Earnest::Remove && workshop.layout.report().exists() {
        report::write(&workshop)?;
    }
    workshop.settle()?;
    if talk.is_json() {
        talk.json(&json!({
            "schema": "snapset.sync_deletions.v1",
            "dataset": workshop.pipeline.name,
            "removed": earnest == Earnest::Remove,
            "deletions": found,
        }));
    } else {
        tell(&found, earnest, &workshop, talk);
    }
    Ok(if stop.is_asked() { Exit::Interrupted } else { Exit::Done })
}

fn tell(found: &Deletions, earnest: Earnest, workshop: &Workshop, talk: &Talk) {
    let mut rows = vec![vec!["posts asked about".to_owned(), count(found.asked)]];
    rows.extend(found.gone.iter().map(|(by, n)| vec![format!("gone: {by}"), count(*n)]));
    if 0 < found.untold {
        rows.push(vec!["the site does not say; left alone".to_owned(), count(found.untold)]);
    }
    if earnest == Earnest::Remove {
        rows.push(vec!["pictures taken back".to_owned(), count(found.pictures)]);
        rows.push(vec!["files removed".to_owned(), count(found.files_removed)]);
        rows.push(vec!["left the dataset".to_owned(), count(found.left_dataset)]);
    }
    talk.result(&table(&["deletions", "number"], &rows, &[1]));
    for (stage, tally) in &found.rebuilt.tallies {
        if *stage == StageName::Export
            && let Some(summary) = &tally.summary
        {
            talk.result(&format!("exported again: {summary}"));
        }
    }
    for model in &found.models {
        let folder = workshop.layout.models().join(&model.0);
        talk.result(&format!(
            "{} learned from pictures that were taken back: delete it, and train again with \
             `snapset train {}`",
            folder.display(),
            workshop.pipeline.path.display()
        ));
    }
    if found.gone.is_empty() {
        talk.result("every post is still there");
    }
}
