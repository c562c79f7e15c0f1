//! Dataset → lists for trainers that even classes out by themselves.
//!
//! Copies of files would be met again as near twins by whoever merges datasets, so what a class
//! has too few of is said in words: a weight for every training picture, and lists of training
//! pictures with repetitions or omissions. Val and test are listed as they are.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    Dataset, ExportError, Row, Written, files,
    papers::{self, Listed, README_FILE},
    readme::Page,
    swap::Staging,
    tables, tabular,
};
use crate::{
    domain::{
        id::{BlobId, Label},
        split::Split,
    },
    pixels::augment::balance,
    store::schema::Fold,
};

/// The table of all pictures.
const TABLE_FILE: &str = "pictures.csv";
const OVER_FILE: &str = "train-over.txt";
const UNDER_FILE: &str = "train-under.txt";

/// `fold` is empty where there are none. With n training pictures in k classes, m of them in its
/// own, the `sample_weight` of a picture is n / (k·m).
const COLUMNS: [&str; 7] =
    ["path", "label", "split", "fold", "sample_weight", "times_over", "times_under"];

/// What evening out does to one training picture.
struct Even {
    weight: f64,
    n_over: usize,
    n_under: usize,
}

/// Writes the folder `dir`, or leaves what was there.
pub fn write_lists(
    dataset: &Dataset<'_>,
    folds: &BTreeMap<BlobId, Fold>,
    dir: &Path,
) -> Result<Written, ExportError> {
    let rows = dataset.some_rows()?;
    let evened = even(&rows, dataset.seed);
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    let of = |row: &Row<'_>| evened.get(&row.picture.blob);
    tables::write(&new.join(TABLE_FILE), COLUMNS, &rows, |row| {
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
    write_list(&new.join(OVER_FILE), &rows, n_over)?;
    write_list(&new.join(UNDER_FILE), &rows, n_under)?;
    let version = papers::write(dataset, &rows, Listed::Elsewhere, (None, new))?;
    files::create(&new.join(README_FILE), page(dataset).text(dataset, &version).as_bytes())?;
    papers::close(staging, &[].into(), version)
}

fn page<'a>(dataset: &'a Dataset<'_>) -> Page<'a> {
    Page {
        title: dataset.title,
        lead: vec![
            "The pictures themselves are not here: every `path` is one in the class folders."
                .to_owned(),
        ],
        files: format!(
            "- `{TABLE_FILE}`: one row per picture with its class, part and fold. With n pictures to \
             train on in k classes, m of them in its own, the `sample_weight` of a picture is \
             n / (k \u{b7} m); `times_over` and `times_under` say how often the last two files name it.\n\
             - `train.txt`, `val.txt`, `test.txt`: the pictures of each part, one path a line.\n\
             - `{OVER_FILE}`: pictures to train on, those of smaller classes several times.\n\
             - `{UNDER_FILE}`: pictures to train on, equally many of every class."
        ),
        loading: tabular::loading(TABLE_FILE),
    }
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
