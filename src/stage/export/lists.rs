//! Dataset → lists for trainers that even classes out by themselves.
//!
//! Copies of files would be met again as near twins by whoever merges datasets, so what a class
//! has too few of is said in words: a weight for every training picture, and lists of training
//! pictures with repetitions or omissions. Val and test are listed as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{Dataset, ExportError, Row, files, swap::Staging, tables};
use crate::{
    domain::{
        id::{BlobId, Label},
        split::Split,
    },
    pixels::augment::balance,
    store::schema::Fold,
};

/// `path` is that in the dataset folder; `fold` is empty where there are none. With n training
/// pictures in k classes, m of them in its own, the `sample_weight` of a picture is n / (k·m).
/// `times_over` and `times_under` say how often `train-over.txt` and `train-under.txt` name it.
const COLUMNS: [&str; 7] =
    ["path", "label", "split", "fold", "sample_weight", "times_over", "times_under"];

/// What evening out does to one training picture.
struct Even {
    weight: f64,
    n_over: usize,
    n_under: usize,
}

/// Writes the folder `dir`, or leaves what was there; returns how many training pictures the
/// longer and the shorter list name.
pub fn write_lists(
    dataset: &Dataset<'_>,
    folds: &BTreeMap<BlobId, Fold>,
    dir: &Path,
) -> Result<(usize, usize), ExportError> {
    let rows = dataset.rows()?;
    let evened = even(&rows, dataset.seed);
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    let of = |row: &Row<'_>| evened.get(&row.picture.blob);
    tables::write(&new.join("pictures.csv"), COLUMNS, &rows, |row| {
        let fold = folds.get(&row.picture.blob).map(|fold| fold.0.to_string());
        let even = of(row);
        let text = |tell: fn(&Even) -> String| even.map(tell).unwrap_or_default();
        [
            row.path.clone(),
            row.picture.label.to_string(),
            row.picture.split.to_string(),
            fold.unwrap_or_default(),
            text(|it| format!("{:.6}", it.weight)),
            text(|it| it.n_over.to_string()),
            text(|it| it.n_under.to_string()),
        ]
    })?;
    for split in Split::ALL {
        let is_here = |row: &Row<'_>| usize::from(row.picture.split == split);
        write_list(&new.join(format!("{split}.txt")), &rows, is_here)?;
    }
    let n_over = |row: &Row<'_>| of(row).map_or(0, |it| it.n_over);
    let n_under = |row: &Row<'_>| of(row).map_or(0, |it| it.n_under);
    write_list(&new.join("train-over.txt"), &rows, n_over)?;
    write_list(&new.join("train-under.txt"), &rows, n_under)?;
    staging.commit()?;
    Ok((rows.iter().map(n_over).sum(), rows.iter().map(n_under).sum()))
}

/// Writes one path a line, each as often as `times` says.
fn write_list(
    path: &Path,
    rows: &[Row<'_>],
    times: impl Fn(&Row<'_>) -> usize,
) -> Result<(), ExportError> {
    let text: String =
        rows.iter().map(|row| format!("{}\n", row.path).repeat(times(row))).collect();
    files::create(path, text.as_bytes())
}

/// Makes the classes of the training pictures as large as the largest, and as the smallest.
fn even(rows: &[Row<'_>], seed: u64) -> BTreeMap<BlobId, Even> {
    let mut taught: BTreeMap<&Label, BTreeSet<BlobId>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.picture.split == Split::Train) {
        taught.entry(&row.picture.label).or_default().insert(row.picture.blob);
    }
    let counts: Vec<usize> = taught.values().map(BTreeSet::len).collect();
    // No class is empty here, and with no class at all there is nothing to do.
    let plan = |target| balance::plan(&counts, target, seed).unwrap_or_default();
    let (over, under) = (plan(None), plan(counts.iter().min().copied()));
    let number = |n: usize| f64::from(u32::try_from(n).expect("fewer than 2^32 pictures"));
    let n_all = number(counts.iter().sum());
    let mut evened = BTreeMap::new();
    for (class, (over, under)) in taught.values().zip(over.iter().zip(&under)) {
        let weight = n_all / (number(counts.len()) * number(class.len()));
        let copies = over.copies.iter().zip(&under.copies);
        for (blob, (over, under)) in class.iter().zip(copies) {
            let times = |copies: &Option<usize>| copies.map_or(0, |n| 1 + n);
            evened.insert(*blob, Even { weight, n_over: times(over), n_under: times(under) });
        }
    }
    evened
}
