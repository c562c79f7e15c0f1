//! `snapset weights`: published weights that training can start from.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Shared, bars,
    complaint::{Complaint, Exit},
    run,
    table::table,
    talk::Talk,
};
use crate::pipeline::weights::{self, Levels, NoSuchWeights, OriginError, Shelved};

#[derive(Debug, Args)]
pub(crate) struct WeightsArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List what is published: network, licence, size, what it takes, how good it is
    List,
    /// Fetch a file, or the best of a network; training does so by itself with weights = "imagenet"
    Fetch {
        /// Such as mobilenet-v2, or the name of a file
        name: String,
    },
}

pub(crate) async fn weights(
    arguments: &WeightsArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    match &arguments.what {
        What::List => list(&weights::list(&shared.data), talk),
        What::Fetch { name } => {
            let row = weights::find(name)?;
            let bar = bars::of_bytes(row.file, talk);
            let mut told = |done, of: Option<u64>| {
                bar.set_length(of.unwrap_or(done));
                bar.set_position(done);
            };
            let path = weights::fetch(row, &shared.data, run::now, &mut told).await?;
            bar.finish_and_clear();
            said(row.file, &path, talk);
        }
    }
    Ok(Exit::Done)
}

fn said(file: &str, path: &PathBuf, talk: &Talk) {
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.weights.fetched.v1", "file": file, "path": path }));
    } else {
        talk.result(&path.display().to_string());
    }
}

fn levels(levels: Levels) -> &'static str {
    match levels {
        Levels::ImageNet => "mean and deviation of ImageNet",
        Levels::Even => "-1 to 1",
    }
}

fn list(all: &[Shelved], talk: &Talk) {
    if talk.is_json() {
        let rows: Vec<_> = all
            .iter()
            .map(|Shelved { row, path }| {
                json!({
                    "network": row.architecture.to_string(),
                    "file": row.file,
                    "url": row.url,
                    "sha256_start": row.sha256_start,
                    "licence": row.licence,
                    "size_mib": row.size_mib,
                    "levels": levels(row.levels),
                    "side_px": row.side_px,
                    "imagenet_top1_percent": row.accuracy,
                    "path": path,
                })
            })
            .collect();
        talk.json(&json!({ "schema": "snapset.weights.v1", "weights": rows }));
        return;
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|Shelved { row, path }| {
            vec![
                row.architecture.to_string(),
                format!("{:.0} MiB", row.size_mib),
                row.licence.to_owned(),
                format!("{0}\u{d7}{0}", row.side_px),
                levels(row.levels).to_owned(),
                format!("{:.1} %", row.accuracy),
                if path.is_some() { "here" } else { "" }.to_owned(),
                row.file.to_owned(),
            ]
        })
        .collect();
    let header = ["network", "size", "licence", "pictures", "levels", "ImageNet", "", "file"];
    talk.result(&table(&header, &rows, &[1, 3, 5]));
}

impl From<NoSuchWeights> for Complaint {
    fn from(error: NoSuchWeights) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<OriginError> for Complaint {
    fn from(error: OriginError) -> Self {
        Self::new(Exit::Failed, error)
    }
}
