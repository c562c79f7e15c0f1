//! `urls:PATH` and `urls:PATH#LABEL`: lists of picture addresses, one a row, with or without
//! labels: CSV, TSV, plain text, JSON lines, Parquet, and the manifests this program exports.
//!
//! The list is read row by row and never held; a row that cannot be read is counted and passed
//! over.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use super::{
    batch::{Batches, Sink},
    glance::{self, Glance, PathError},
    packing,
};
use crate::domain::{
    id::{Place, PostId},
    post::{GalleryItem, Media, Post},
    sha256::Sha256,
};

mod json;
mod parquet;
mod row;
mod table;

use row::{Entry, Field, Row};

/// A list of addresses, or the rows of it that carry one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    path: PathBuf,
    label: Option<String>,
}

/// Which rows of a list a place asks for: those with the label, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub label: Option<String>,
    pub place: Place,
}

#[derive(Debug, thiserror::Error)]
pub enum UrlsError {
    #[error(transparent)]
    File(#[from] PathError),
    #[error(
        "`{}` has no column of picture addresses; it has {}; name one of them `url`",
        path.display(), columns.join(", ")
    )]
    NoAddresses { path: PathBuf, columns: Vec<String> },
    #[error(
        "`{}` has no column of labels, which #LABEL asks for; it has {}; name one of them `label`",
        path.display(), columns.join(", ")
    )]
    NoLabels { path: PathBuf, columns: Vec<String> },
    #[error("`{}` is no Parquet file that can be read", path.display())]
    Parquet { path: PathBuf, source: ::parquet::errors::ParquetError },
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Tsv,
    Addresses,
    JsonLines,
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Option<Self> {
        let (packing, within) = packing::of(path);
        Some(match within.as_str() {
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "txt" => Self::Addresses,
            "jsonl" | "ndjson" => Self::JsonLines,
            // Parquet packs its own columns.
            "parquet" if packing == packing::Packing::Plain => Self::Parquet,
            _ => return None,
        })
    }
}

/// What a list tells, row by row.
enum Told {
    /// The names of all columns; before the first row, of lists that have them.
    Columns(Vec<String>),
    Row(Row),
    /// Where it is and why it cannot be read.
    Broken(String),
}

impl List {
    /// Reads `PATH` or `PATH#LABEL`; `None` if the path does not name a list.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (path, label) = glance::choice(text, |path| Format::of(path).is_some())?;
        Some(Self { path: glance::one_name(Path::new(path)), label: label.map(str::to_owned) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    pub(super) fn identity(&self) -> String {
        let label = self.label.as_deref().map(|label| format!("#{label}")).unwrap_or_default();
        format!("urls:{}{label}", self.path.display())
    }

    pub fn glance(&self) -> Result<Glance, PathError> {
        Glance::at(&self.path)
    }

    /// Lists the rows this place asks for.
    pub fn list(&self, place: &Place, sink: Sink<'_>) -> Result<(), UrlsError> {
        list(&self.path, &[Choice { label: self.label.clone(), place: place.clone() }], sink)
    }
}

/// Lists a file once for all places that choose from it. A row two of them ask for is one post
/// of both.
pub fn list(path: &Path, wanted: &[Choice], sink: Sink<'_>) -> Result<(), UrlsError> {
    Glance::at(path)?;
    let places = |row: &Row| -> BTreeSet<Place> {
        let label = row.get(Field::Label);
        let fits = |it: &&Choice| it.label.as_deref().is_none_or(|it| Some(it) == label);
        wanted.iter().filter(fits).map(|it| it.place.clone()).collect()
    };
    let galleries = galleries(path)?;
    let mut gathered: BTreeMap<PostId, Gathered> = BTreeMap::new();
    let mut batches = Batches::new(sink);
    let mut is_told_to_stop = false;
    let mut missing = None;
    each_row(path, &mut |told| {
        let row = match told {
            Told::Columns(columns) => {
                missing = lacking(&columns, wanted);
                return if missing.is_some() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                };
            }
            Told::Broken(why) => {
                batches.unreadable(|| why);
                return ControlFlow::Continue(());
            }
            Told::Row(row) => row,
        };
        let places = places(&row);
        if places.is_empty() {
            return ControlFlow::Continue(());
        }
        let Entry { id, index, post } = match row.entry(places) {
            Ok(entry) => entry,
            Err(why) => {
                batches.unreadable(|| why);
                return ControlFlow::Continue(());
            }
        };
        if galleries.contains(&id) {
            gathered.entry(id).or_insert_with(|| Gathered::new(&post)).add(index, post);
            return ControlFlow::Continue(());
        }
        let flow = batches.post(id, post);
        is_told_to_stop = flow.is_break();
        flow
    })?;
    match missing {
        Some(Lack::Addresses(columns)) => {
            return Err(UrlsError::NoAddresses { path: path.to_owned(), columns });
        }
        Some(Lack::Labels(columns)) => {
            return Err(UrlsError::NoLabels { path: path.to_owned(), columns });
        }
        None => (),
    }
    for (id, gathered) in gathered {
        if is_told_to_stop {
            return Ok(());
        }
        is_told_to_stop = batches.post(id, gathered.into_post()).is_break();
    }
    batches.finish();
    Ok(())
}

/// What the columns of a list lack for it to be of use.
enum Lack {
    Addresses(Vec<String>),
    Labels(Vec<String>),
}

fn lacking(columns: &[String], wanted: &[Choice]) -> Option<Lack> {
    let has = |field: Field| has(columns, field);
    let quoted = || columns.iter().map(|name| format!("`{name}`")).collect();
    if !has(Field::Address) {
        Some(Lack::Addresses(quoted()))
    } else if !has(Field::Label) && wanted.iter().any(|it| it.label.is_some()) {
        Some(Lack::Labels(quoted()))
    } else {
        None
    }
}

fn has(columns: &[String], field: Field) -> bool {
    columns.iter().any(|name| Field::of(name).is_some_and(|it| it.0 == field))
}

/// Finds the posts that show more than their first picture. Their rows may lie anywhere in the
/// list, so they are looked for beforehand; a list without a column of indices has none.
fn galleries(path: &Path) -> Result<BTreeSet<PostId>, UrlsError> {
    let mut found = BTreeSet::new();
    let format = Format::of(path);
    if format == Some(Format::Addresses) {
        return Ok(found);
    }
    let is_of_objects = format == Some(Format::JsonLines);
    each_row(path, &mut |told| {
        let row = match told {
            // Of a list of objects each may have keys of its own.
            Told::Columns(columns) if !is_of_objects && !has(&columns, Field::Index) => {
                return ControlFlow::Break(());
            }
            Told::Columns(_) | Told::Broken(_) => return ControlFlow::Continue(()),
            Told::Row(row) => row,
        };
        if let (Some(id), Some(index)) = (row.post_id(), row.index())
            && index != 0
        {
            found.insert(id);
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// The rows of one post, which make a gallery.
struct Gathered {
    post: Post,
    addresses: BTreeMap<u16, (String, Option<Sha256>)>,
}

impl Gathered {
    fn new(first: &Post) -> Self {
        Self { post: first.clone(), addresses: BTreeMap::new() }
    }

    fn add(&mut self, index: u16, post: Post) {
        self.post.places.extend(post.places);
        if let Media::Link { url, sha256 } = post.media {
            self.addresses.insert(index, (url, sha256));
        }
    }

    /// Puts every picture at its index again; what the list leaves out is an item without
    /// address.
    fn into_post(mut self) -> Post {
        let last = self.addresses.last_key_value().map(|(index, _)| *index);
        let item = |index| {
            let (url, sha256) = self.addresses.remove(&index).unzip();
            let status = if url.is_some() { "valid" } else { "not listed" };
            GalleryItem { url, status: status.to_owned(), caption: None, sha256: sha256.flatten() }
        };
        let items = last.map(|last| (0..=last).map(item).collect()).unwrap_or_default();
        self.post.media = Media::Gallery { items };
        self.post
    }
}

/// Reads a list from its beginning until it ends or the reader has enough.
fn each_row(path: &Path, tell: &mut dyn FnMut(Told) -> ControlFlow<()>) -> Result<(), UrlsError> {
    let failed = PathError::read(path);
    let open = || packing::open(path);
    match Format::of(path) {
        Some(Format::Csv) => open().and_then(|text| table::each_row(text, b',', tell)),
        Some(Format::Tsv) => open().and_then(|text| table::each_row(text, b'\t', tell)),
        Some(Format::JsonLines) => open().and_then(|text| json::each_row(text, tell)),
        Some(Format::Addresses) | None => open().and_then(|text| row::each_address(text, tell)),
        Some(Format::Parquet) => return parquet::each_row(path, tell),
    }
    .map_err(|source| failed(source).into())
}

#[cfg(test)]
mod tests;
