//! `snapset augment`: one picture altered many times, or class folders filled up with altered
//! copies until all hold the same number.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    complaint::{Complaint, Exit},
    table::table,
    talk::{Talk, plural},
};
use crate::pipeline::augment::{self, Recipe};

#[derive(Debug, Args)]
pub(crate) struct AugmentArguments {
    /// A picture, or with --balance a folder that holds one folder per class; never changed
    source: PathBuf,
    /// Folder to write to: new, empty, or written by this command before
    #[arg(long, value_name = "DIR", required_unless_present = "sheet")]
    out: Option<PathBuf>,
    /// How many altered copies of the picture
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Also draw the picture and its altered copies on one sheet
    #[arg(long, value_name = "FILE.png", conflicts_with = "balance")]
    sheet: Option<PathBuf>,
    /// Make all classes equally large: as the largest, or as --to says
    #[arg(long, requires = "out", conflicts_with = "count")]
    balance: bool,
    /// How many pictures each class is to have; larger ones lose some, chosen by the seed
    #[arg(long, value_name = "N", requires = "balance", value_parser = clap::value_parser!(u32).range(1..))]
    to: Option<u32>,
    /// Decides every alteration; the same seed gives the same files
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Take the middle square of every picture, scaled to this side
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(8..=4096))]
    size: Option<u32>,
    /// Pipeline file whose [train.augment] says how far pictures are altered
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
}

pub(crate) fn augment(arguments: &AugmentArguments, talk: &Talk) -> Result<Exit, Complaint> {
    let source = &arguments.source;
    let recipe = augment::recipe(arguments.pipeline.as_deref(), arguments.seed, arguments.size)?;
    if arguments.balance
        && let Some(dir) = &arguments.out
    {
        return balance(source, dir, arguments.to, &recipe, talk);
    }
    if source.is_dir() {
        let text = format!("`{}` is a folder; give a picture, or add --balance", source.display());
        return Err(Complaint::new(Exit::Usage, text));
    }
    let mut written = Vec::new();
    if let Some(dir) = &arguments.out {
        let made = augment::multiply(source, dir, arguments.count.into(), &recipe)?;
        let n_altered = u64::try_from(made.n_altered).expect("a count fits 64 bits");
        written.push(format!("{} in {}", plural(n_altered, "altered picture"), dir.display()));
    }
    if let Some(path) = &arguments.sheet {
        augment::sheet(source, path, grid(arguments.count + 1), &recipe)?;
        written.push(path.display().to_string());
    }
    if talk.is_json() {
        talk.json(&json!({
            "schema": "snapset.augment.v1",
            "altered": arguments.out.as_ref().map(|_| arguments.count),
            "out": arguments.out,
            "sheet": arguments.sheet,
        }));
    } else {
        talk.result(&written.join("\n"));
    }
    Ok(Exit::Done)
}

/// Returns the columns and rows of a sheet, nearly square, with at least `n_cells` cells.
fn grid(n_cells: u32) -> (u32, u32) {
    let root = n_cells.isqrt();
    let columns = if root * root < n_cells { root + 1 } else { root };
    (columns, n_cells.div_ceil(columns))
}

fn balance(
    source: &Path,
    dir: &Path,
    to: Option<u32>,
    recipe: &Recipe,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let target = to.map(|to| usize::try_from(to).expect("a count fits a usize"));
    let classes = augment::level(source, dir, target, recipe)?;
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.augment.v1", "out": dir, "classes": classes }));
    } else {
        let rows: Vec<Vec<String>> = classes
            .iter()
            .map(|(class, made)| {
                let total = made.n_copied + made.n_altered;
                let numbers = [made.n_found, made.n_copied, made.n_altered, total];
                let numbers = numbers.iter().map(ToString::to_string);
                std::iter::once(class.clone()).chain(numbers).collect()
            })
            .collect();
        let header = ["class", "found", "copied", "altered", "total"];
        talk.result(&table(&header, &rows, &[1, 2, 3, 4]));
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_has_room_for_the_picture_and_all_its_copies() {
        let found = [1, 2, 4, 9, 10, 12, 13].map(grid);
        assert_eq!(found, [(1, 1), (2, 1), (2, 2), (3, 3), (4, 3), (4, 3), (4, 4)]);
    }
}
