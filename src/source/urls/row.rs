//! One row of a list → a post, whatever the list calls its columns.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    ops::ControlFlow,
};

use url::Url;

use super::Told;
use crate::{
    domain::{
        id::{BlobId, Place, PostId},
        post::{Media, Post, Teller},
        sha256::Sha256,
    },
    source::{
        SourceSpec,
        lines::{Line, Lines},
    },
};

/// What a row can tell about its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Address,
    Label,
    Title,
    Author,
    Permalink,
    Post,
    Index,
    Place,
    Created,
    Score,
    Flair,
    Nsfw,
    Sha256,
    /// How the digested file was made of the one at the address.
    Transform,
}

/// The names lists use for their columns in either case; the earlier name wins in a list that
/// has two. The first names are those of our own manifest.
const NAMES: [(Field, &[&str]); 14] = [
    (
        Field::Address,
        &[
            "image_url",
            "imageurl",
            "img_url",
            "picture_url",
            "photo_url",
            "url",
            "uri",
            "link",
            "image",
        ],
    ),
    (Field::Label, &["label", "class", "category", "class_name", "label_name"]),
    (Field::Title, &["title", "caption", "text", "description"]),
    (Field::Author, &["author", "creator", "user", "username", "photographer"]),
    (Field::Permalink, &["permalink", "source", "source_url", "page_url", "foreign_landing_url"]),
    (Field::Post, &["post_id"]),
    (Field::Index, &["gallery_index"]),
    (Field::Place, &["place", "subreddit"]),
    (Field::Created, &["created_utc"]),
    (Field::Score, &["score"]),
    (Field::Flair, &["flair", "link_flair_text"]),
    (Field::Nsfw, &["over_18", "nsfw"]),
    (Field::Sha256, &["sha256"]),
    (Field::Transform, &["transform"]),
];

/// The longest address and the longest other text that is taken from a row.
const TEXT_BYTES_MAX: usize = 8 << 10;

/// The longest line that is read.
pub(super) const LINE_BYTES_MAX: usize = 1 << 20;

impl Field {
    /// Tells what a column holds by its name, and how good the name is: 0 is best.
    pub(super) fn of(column: &str) -> Option<(Self, usize)> {
        let column = column.trim();
        NAMES.iter().find_map(|(field, names)| {
            Some((*field, names.iter().position(|name| name.eq_ignore_ascii_case(column))?))
        })
    }

    /// Chooses for each field the best of the columns that could hold it.
    pub(super) fn choose(columns: &[String]) -> BTreeMap<usize, Self> {
        let mut best: BTreeMap<Self, (usize, usize)> = BTreeMap::new();
        for (at, column) in columns.iter().enumerate() {
            if let Some((field, rank)) = Self::of(column) {
                let held = best.entry(field).or_insert((rank, at));
                *held = (*held).min((rank, at));
            }
        }
        best.into_iter().map(|(field, (_, at))| (at, field)).collect()
    }
}

/// The cells of one row that mean something to us, and where the row is, in words.
pub(super) struct Row {
    pub(super) is_at: String,
    cells: BTreeMap<Field, String>,
}

/// One picture of a list: its post, and its place in it.
pub(super) struct Entry {
    pub(super) id: PostId,
    pub(super) index: u16,
    pub(super) post: Post,
}

impl Row {
    pub(super) fn new(is_at: String) -> Self {
        Self { is_at, cells: BTreeMap::new() }
    }

    pub(super) fn set(&mut self, field: Field, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.cells.insert(field, text.to_owned());
        }
    }

    pub(super) fn get(&self, field: Field) -> Option<&str> {
        self.cells.get(&field).map(String::as_str)
    }

    /// Returns the post the row says it is of, if it names one as we do.
    pub(super) fn post_id(&self) -> Option<PostId> {
        let text = self.get(Field::Post)?;
        let (kind, name) = text.split_once(':').unwrap_or(("reddit", text));
        let is_good = match kind {
            "reddit" | "demo" => name.strip_prefix("t3_").is_some_and(is_plain),
            "urls" => is_plain(name),
            _ => false,
        };
        is_good.then(|| PostId(format!("{kind}:{name}")))
    }

    pub(super) fn index(&self) -> Option<u16> {
        self.get(Field::Index)?.parse().ok()
    }

    /// Makes the row a post of `places`, or says why it cannot be one.
    pub(super) fn entry(&self, mut places: BTreeSet<Place>) -> Result<Entry, String> {
        let is_at = &self.is_at;
        let text = self.get(Field::Address).ok_or_else(|| format!("{is_at}: no address"))?;
        if TEXT_BYTES_MAX < text.len() {
            return Err(format!("{is_at}: an address of {} bytes", text.len()));
        }
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        if url.is_none() {
            return Err(format!("{is_at}: `{text}` is no web address"));
        }
        places.extend(self.original_place());
        let words = |field| self.get(field).map(|text| shortened(as_written(text)).to_owned());
        let post = Post {
            places,
            title: words(Field::Title).unwrap_or_default(),
            author: words(Field::Author),
            permalink: words(Field::Permalink).unwrap_or_else(|| text.to_owned()),
            created_utc: self.get(Field::Created).and_then(seconds),
            score: self.get(Field::Score).and_then(seconds),
            upvote_percent: None,
            flair: words(Field::Flair),
            over_18: self.get(Field::Nsfw).is_some_and(is_yes),
            media: Media::Link { url: text.to_owned(), sha256: self.sha256()? },
            preview: None,
            told_by: Teller::Archive,
        };
        // Without a post of its own the row is known by its address: found again, it is the same.
        let by_address = || PostId(format!("urls:{}", BlobId::of(text.as_bytes()).short()));
        let id = self.post_id().unwrap_or_else(by_address);
        Ok(Entry { id, index: self.index().unwrap_or(0), post })
    }

    /// Returns the digest of the file at the address, if the row tells. What a manifest of ours
    /// tells is the digest of the file that was prepared of it.
    fn sha256(&self) -> Result<Option<Sha256>, String> {
        let told = self.get(Field::Sha256).filter(|_| self.get(Field::Transform).is_none());
        let digest = told.map(str::parse).transpose();
        digest.map_err(|error| format!("{}: its sha256 is {error}", self.is_at))
    }

    /// Returns the subreddit the picture was first posted in, if the row tells: a manifest of
    /// ours keeps what the post was known by.
    fn original_place(&self) -> Option<Place> {
        let text = self.get(Field::Place)?;
        let text = if text.contains([':', '/']) { text.to_owned() } else { format!("r/{text}") };
        match SourceSpec::parse(&Place(text)).ok()? {
            spec @ (SourceSpec::Reddit(_) | SourceSpec::Demo(_)) => Some(spec.identity()),
            SourceSpec::Folder(_)
            | SourceSpec::Urls(_)
            | SourceSpec::Archive(_)
            | SourceSpec::Dump(_)
            | SourceSpec::Arctic(_) => None,
        }
    }
}

fn is_plain(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|it| it.is_ascii_alphanumeric())
}

/// Takes away the `'` our exports put before what a spreadsheet would run.
fn as_written(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) => rest,
        Some(rest) if rest.starts_with(['\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']) => rest,
        Some(_) | None => text,
    }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn is_yes(text: &str) -> bool {
    ["1", "true", "yes", "nsfw"].iter().any(|it| text.eq_ignore_ascii_case(it))
}

/// Reads whole seconds, also of a time that was written as a float.
fn seconds(text: &str) -> Option<i64> {
    text.split('.').next()?.parse().ok()
}

/// Reads a text that holds one address a line; empty lines and those that begin with `#` are
/// passed by.
pub(super) fn each_address(
    text: impl Read,
    tell: &mut dyn FnMut(Told) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut lines = Lines::new(text, 0, LINE_BYTES_MAX);
    let mut n = 0_u64;
    while let Some(line) = lines.next()? {
        n += 1;
        let is_at = format!("line {n}");
        let told = match line {
            Line::TooLong { .. } => Told::Broken(format!("{is_at}: longer than a line may be")),
            Line::Whole { bytes, .. } => match std::str::from_utf8(bytes) {
                Err(_) => Told::Broken(format!("{is_at}: not UTF-8")),
                Ok(text) => {
                    let text = text.trim_start_matches('\u{feff}').trim();
                    if text.is_empty() || text.starts_with('#') {
                        continue;
                    }
                    let mut row = Row::new(is_at);
                    row.set(Field::Address, text);
                    Told::Row(row)
                }
            },
        };
        if tell(told).is_break() {
            break;
        }
    }
    Ok(())
}
