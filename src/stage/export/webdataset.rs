//! Dataset → tar archives for streaming, as `webdataset` and Hugging Face read them: for every
//! picture `KEY.jpg`, `KEY.cls` with the number of its class, and `KEY.json` with its provenance.
//!
//! The pictures lie in an order drawn from the seed: whoever streams an archive sees the classes
//! mixed. Archives are USTAR without dates or owners, so equal datasets are equal bytes.

use std::{io, path::Path};

use serde::{Serialize, Serializer};
use tar::{EntryType, Header};

use super::{
    Dataset, ExportError, Row, Written, crops, files,
    grown::{self, Sum, Summed},
    papers::{self, README_FILE},
    readme::{self, Page},
    swap::Staging,
    tables::{self, Cell, MANIFEST},
};
use crate::domain::{exports::WebDatasetRecipe, id::Label, split::Split};

/// Lists the classes, a line each, in the order of their numbers.
const CLASSES_FILE: &str = "classes.txt";

/// What a tar archive is made of; the last two are empty.
const BLOCK_BYTES: usize = 512;

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
    let mut parts = crops::parts(rows);
    for (_, own) in &mut parts {
        own.sort_by_cached_key(|row| shuffled(dataset.seed, row));
    }
    let (mut counts, mut shards) = (Vec::new(), Vec::new());
    for (split, own) in &parts {
        let cut = crops::cut(own, usize::MAX, recipe.shard_megabytes * 1_000_000);
        counts.push((*split, cut.len()));
        shards.extend((0..).zip(cut).map(|(at, rows)| (format!("{split}-{at:06}.tar"), rows)));
    }
    let summed = grown::write_all(&shards, |(name, rows)| {
        write_archive(dataset, classes, rows, (new, name))
    })?;
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
    (new, name): (&Path, &str),
) -> Result<(String, Sum), ExportError> {
    let path = new.join(name);
    let plain = plain_header();
    let mut columns: Vec<usize> = (0..MANIFEST.len()).collect();
    columns.sort_by_key(|at| MANIFEST[*at].name);
    let make = |rows: &&[&Row<'_>], piece: &mut Vec<u8>| {
        rows.iter().try_for_each(|row| {
            let mut pen = Pen { piece: &mut *piece, plain: &plain, path: &path };
            pen.add_picture(dataset, row, classes, &columns)
        })
    };
    let close = |_, _| Ok([0; 2 * BLOCK_BYTES].to_vec());
    grown::write((new, name), &crops::pieces(rows), make, close)
}

/// Appends entries to a piece of an archive.
struct Pen<'a> {
    piece: &'a mut Vec<u8>,
    plain: &'a Header,
    /// The archive, for complaints.
    path: &'a Path,
}

impl Pen<'_> {
    /// Appends the three entries of a picture; `columns` are those of the manifest, in the order that
    /// they are told in.
    fn add_picture(
        &mut self,
        dataset: &Dataset<'_>,
        row: &Row<'_>,
        classes: &[&Label],
        columns: &[usize],
    ) -> Result<(), ExportError> {
        let name = row.path.rsplit('/').next().unwrap_or_default();
        // Labels and digests have no dot, so the name before the ending is the whole key.
        let key = name.split_once('.').map_or(name, |(key, _)| key);
        let number = classes.iter().position(|label| **label == row.picture.label);
        let number = number.unwrap_or_default().to_string();
        let cells = tables::manifest_cells(row, dataset.license, dataset.transform);
        let told = Told { cells: &cells, columns };
        self.add(&format!("{key}.cls"), |piece| {
            piece.extend(number.as_bytes());
            Ok(())
        })?;
        self.add(name, |piece| crops::append(dataset, row, piece))?;
        let failed = |error: serde_json::Error| ExportError::write(self.path)(error.into());
        self.add(&format!("{key}.json"), |piece| {
            serde_json::to_writer(piece, &told).map_err(failed)
        })
    }

    /// Appends an entry whose bytes `write` appends.
    fn add(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let within = self.piece.len() + BLOCK_BYTES;
        self.piece.resize(within, 0);
        write(self.piece)?;
        let n_bytes = self.piece.len() - within;
        let header = self.header(name, n_bytes).map_err(ExportError::write(self.path))?;
        self.piece[within - BLOCK_BYTES..within].copy_from_slice(header.as_bytes());
        self.piece.resize(within + n_bytes.next_multiple_of(BLOCK_BYTES), 0);
        Ok(())
    }

    /// Returns what stands ahead of the bytes of an entry.
    fn header(&self, name: &str, n_bytes: usize) -> io::Result<Header> {
        let mut header = self.plain.clone();
        let room = header.as_old_mut().name.get_mut(..name.len());
        room.ok_or_else(|| io::Error::other("a name of over 100 bytes"))?
            .copy_from_slice(name.as_bytes());
        header.set_size(u64::try_from(n_bytes).map_err(io::Error::other)?);
        header.set_cksum();
        Ok(header)
    }
}

/// Returns what the headers of all entries have in common.
fn plain_header() -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// All that the manifest tells of a picture, as an object.
struct Told<'a> {
    cells: &'a [Cell<'a>],
    columns: &'a [usize],
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.columns.iter().map(|&at| (MANIFEST[at].name, &self.cells[at])))
    }
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
