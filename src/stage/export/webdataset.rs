//! Dataset → tar archives for streaming, as `webdataset` and Hugging Face read them: for every
//! picture `KEY.jpg`, `KEY.cls` with the number of its class, and `KEY.json` with its provenance.
//!
//! The pictures lie in an order drawn from the seed: whoever streams an archive sees the classes
//! mixed. Archives are USTAR without dates or owners, so equal datasets are equal bytes.

use std::{
    io::{self, Write},
    path::Path,
};

use serde_json::{Map, Value};
use tar::{Builder, EntryType, Header};

use super::{
    Dataset, ExportError, Row, Written, crops, files,
    grown::{Grown, Growth, Summed},
    huggingface::cut,
    papers::{self, README_FILE},
    readme::{self, Page},
    swap::Staging,
    tables::{self, Cell, MANIFEST},
};
use crate::domain::{exports::WebDatasetRecipe, id::Label, split::Split};

/// Lists the classes, a line each, in the order of their numbers.
const CLASSES_FILE: &str = "classes.txt";

/// Writes the folder `dir`, or leaves what was there.
pub fn write_webdataset(
    dataset: &Dataset<'_>,
    recipe: &WebDatasetRecipe,
    dir: &Path,
) -> Result<Written, ExportError> {
    let rows = dataset.some_rows()?;
    let staging = Staging::begin(dir, dataset.name)?;
    let new = staging.path();
    let classes = dataset.sorted_classes();
    let ((counts, summed), version) = papers::write_beside(dataset, &rows, (None, new), || {
        write_archives(dataset, &classes, (&rows, recipe), new)
    })?;
    let listed: Vec<&str> = classes.iter().map(|label| label.as_str()).collect();
    files::create(&new.join(CLASSES_FILE), (listed.join("\n") + "\n").as_bytes())?;
    let page = Page {
        title: dataset.title,
        lead: Vec::new(),
        files: files_lines(&counts),
        loading: loading(&counts),
    };
    files::create(&new.join(README_FILE), page.text(dataset, &version).as_bytes())?;
    papers::close(staging, &papers::sums_along(&summed), version)
}

/// Writes the archives of all parts; returns how many each has, and their digests.
fn write_archives(
    dataset: &Dataset<'_>,
    classes: &[&Label],
    (rows, recipe): (&[Row<'_>], &WebDatasetRecipe),
    new: &Path,
) -> Result<(Vec<(Split, usize)>, Summed), ExportError> {
    let mut counts = Vec::new();
    let mut summed = Summed::new();
    for split in Split::ALL {
        let mut own: Vec<&Row<'_>> = rows.iter().filter(|row| row.picture.split == split).collect();
        if own.is_empty() {
            continue;
        }
        own.sort_by_cached_key(|row| shuffled(dataset.seed, row));
        let cut = cut(&own, recipe.shard_megabytes * 1_000_000);
        for (at, shard) in cut.iter().enumerate() {
            let name = format!("{split}-{at:06}.tar");
            write_archive(dataset, classes, shard, (new, &name, &mut summed))?;
        }
        counts.push((split, cut.len()));
    }
    Ok((counts, summed))
}

/// A place in an order that the seed decides, the same on every machine.
fn shuffled(seed: u64, row: &Row<'_>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"webdataset").update(&seed.to_le_bytes()).update(row.picture.blob.as_bytes());
    *hasher.finalize().as_bytes()
}

fn write_archive(
    dataset: &Dataset<'_>,
    classes: &[&Label],
    rows: &[&Row<'_>],
    (new, name, summed): (&Path, &str, &mut Summed),
) -> Result<(), ExportError> {
    let file = Grown::create(new, name, Growth::Onward)?;
    let path = file.path().to_owned();
    let mut archive = Builder::new(file);
    crops::each(dataset, rows, |row, bytes| {
        add_picture(&mut archive, dataset, (row, bytes), classes).map_err(ExportError::write(&path))
    })?;
    archive.into_inner().map_err(ExportError::write(&path))?.end(summed)
}

fn add_picture<W: Write>(
    archive: &mut Builder<W>,
    dataset: &Dataset<'_>,
    (row, bytes): (&Row<'_>, &[u8]),
    classes: &[&Label],
) -> io::Result<()> {
    let name = row.path.rsplit('/').next().unwrap_or_default();
    // Labels and digests have no dot, so the name before the ending is the whole key.
    let (key, ending) = name.split_once('.').unwrap_or((name, "bin"));
    let number = classes.iter().position(|label| **label == row.picture.label).unwrap_or_default();
    add(archive, &format!("{key}.cls"), number.to_string().as_bytes())?;
    add(archive, &format!("{key}.{ending}"), bytes)?;
    add(archive, &format!("{key}.json"), told(dataset, row).to_string().as_bytes())
}

fn add<W: Write>(archive: &mut Builder<W>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(u64::try_from(bytes.len()).map_err(io::Error::other)?);
    header.set_cksum();
    archive.append(&header, bytes)
}

/// Tells all that the manifest tells of a picture.
fn told(dataset: &Dataset<'_>, row: &Row<'_>) -> Value {
    let cells = tables::manifest_cells(row, dataset.license, dataset.transform);
    let told: Map<String, Value> = MANIFEST
        .iter()
        .zip(cells)
        .map(|(column, cell)| {
            let value = match cell {
                Cell::Text(text) => Value::from(text),
                Cell::Integer(number) => Value::from(number),
            };
            (column.name.to_owned(), value)
        })
        .collect();
    Value::Object(told)
}

fn files_lines(counts: &[(Split, usize)]) -> String {
    let mut lines: Vec<String> = counts
        .iter()
        .map(|(split, n)| format!("- `{}`: the pictures of {split}, mixed.", pattern(*split, *n)))
        .collect();
    lines.push(format!("- `{CLASSES_FILE}`: the classes in the order of their numbers, from 0."));
    lines.push(readme::manifest_line());
    lines.join("\n")
}

/// Names the archives of a part as `webdataset` does: `train-{000000..000004}.tar`.
fn pattern(split: Split, n: usize) -> String {
    if n == 1 {
        format!("{split}-000000.tar")
    } else {
        format!("{split}-{{000000..{:06}}}.tar", n - 1)
    }
}

fn loading(counts: &[(Split, usize)]) -> String {
    let first = counts.first().map(|(split, n)| pattern(*split, *n)).unwrap_or_default();
    format!(
        "```python\n\
         import webdataset as wds\n\n\
         pictures = wds.WebDataset(\"{first}\", shardshuffle=False).decode(\"pil\")\n\
         pairs = pictures.to_tuple(\"jpg;png;webp\", \"cls\")\n\
         ```"
    )
}
