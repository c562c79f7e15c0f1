//! `dump:PATH#r/NAME`: the posts of one subreddit out of a dump of all of Reddit (Pushshift,
//! Arctic Shift): lines of JSON, as a rule packed with zstd.
//!
//! A dump is read once for all places that choose from it. Lines are told apart by their bytes
//! and only those of a wanted subreddit are parsed. What cannot be read is counted with the byte
//! it begins at; reading can be broken off after every batch and goes on from there.

use std::{
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    archived,
    batch::{BATCH_POSTS, Batch},
    glance::{self, Glance, PathError},
    lines::{Line, Lines},
    packing::{self, Packing},
    reddit::Subreddit,
};
use crate::domain::id::Place;

mod filter;
mod frames;
mod text;

use filter::{Filter, Judgement};
use text::Text;

/// The longest line that is read; Reddit's longest posts have some 100 KB.
const LINE_BYTES_MAX: usize = 8 << 20;

/// After so much text a batch is handed on even if it is not full, so that a dump with few posts
/// of interest can be left and taken up again as well.
const BATCH_TEXT_BYTES: u64 = 256 << 20;

/// A subreddit's posts in a dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    path: PathBuf,
    subreddit: Subreddit,
}

/// A subreddit that is looked for, and the place its posts are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub subreddit: Subreddit,
    pub place: Place,
}

/// How far a dump has been read: all that came before is handed on, nothing of what follows is.
///
/// It is of use for the same file and the same subreddits only; [`read`] begins anew otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    file: Glance,
    wanted: Vec<String>,
    at: Mark,
    n_lines: u64,
    is_whole: bool,
}

/// A place in a dump: where its line begins, and a place before it where unpacking can begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// A byte of the file.
    frame_at: u64,
    /// How much text comes before it.
    text_before: u64,
    /// The byte of the text the line begins at.
    text_at: u64,
}

impl Resume {
    /// Returns how many lines have been read.
    pub fn n_lines(&self) -> u64 {
        self.n_lines
    }

    /// Returns how many bytes of text have been read.
    pub fn text_bytes(&self) -> u64 {
        self.at.text_at
    }

    /// Tells whether reading a dump for these places can go on behind it.
    pub fn fits(&self, path: &Path, wanted: &[Choice]) -> bool {
        Glance::at(path).is_ok_and(|file| self.is_of(&file, &Filter::new(wanted).names()))
    }

    fn is_of(&self, file: &Glance, wanted: &[String]) -> bool {
        self.file == *file && self.wanted == wanted
    }

    /// Tells whether the dump was read to its end.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }
}

/// Takes the batches of a dump; what it is given with a batch lets reading go on behind it.
pub type ResumableSink<'a> = &'a mut dyn FnMut(Batch, &Resume) -> ControlFlow<()>;

#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    #[error(transparent)]
    File(#[from] PathError),
    #[error("`{}` is not packed with zstd, as its name says; unpack it or name it by what it is", path.display())]
    NotZstd { path: PathBuf },
    #[error("`{}` holds no post; a dump has one a line, as JSON ({why})", path.display())]
    NotADump { path: PathBuf, why: String },
}

impl Dump {
    /// Reads `PATH#r/NAME`; `None` if the path names no dump or no subreddit follows.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (path, selection) = glance::choice(text, is_dump)?;
        let subreddit = Subreddit::new(selection?.strip_prefix("r/")?)?;
        Some(Self { path: glance::one_name(Path::new(path)), subreddit })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn subreddit(&self) -> &Subreddit {
        &self.subreddit
    }

    pub(super) fn identity(&self) -> String {
        format!("dump:{}#r/{}", self.path.display(), self.subreddit.name().to_lowercase())
    }

    pub fn glance(&self) -> Result<Glance, PathError> {
        Glance::at(&self.path)
    }
}

fn is_dump(path: &Path) -> bool {
    let (packing, within) = packing::of(path);
    // Pushshift names its dumps `RS_2020-01.zst`, with nothing before the packing.
    let is_lines = ["ndjson", "jsonl", "json"].contains(&within.as_str());
    is_lines || packing == Packing::Zstd && within != "tar"
}

/// Reads a dump once for all subreddits that are looked for.
///
/// Returns how far it came: to the end, unless the sink had enough. A batch may hold no post; it
/// then tells of unreadable lines, or only of progress.
pub fn read(
    path: &Path,
    wanted: &[Choice],
    from: Option<&Resume>,
    sink: ResumableSink<'_>,
) -> Result<Resume, DumpError> {
    let mut pass = Pass::begin(path, wanted, from)?;
    if pass.reached.is_whole {
        return Ok(pass.reached);
    }
    let failed = |source: io::Error| DumpError::from(PathError::read(path)(source));
    let text = Text::open(path, pass.reached.at).map_err(|error| {
        let is_in_the_data = error.kind() == io::ErrorKind::InvalidData;
        if is_in_the_data { DumpError::NotZstd { path: path.to_owned() } } else { failed(error) }
    })?;
    let mut lines = Lines::new(text, pass.reached.at.text_at, LINE_BYTES_MAX);
    loop {
        let line = lines.next().map_err(failed)?;
        let is_end = line.is_none();
        if let Some(line) = line {
            pass.reached.n_lines += 1;
            pass.line(&line);
        }
        let text_at = lines.at();
        if is_end || pass.is_due(text_at) {
            for fault in lines.from().take_faults(text_at) {
                pass.batch.unreadable.note_stretch(|| fault);
            }
            if is_end
                && !pass.has_objects
                && let Some(why) = pass.batch.unreadable.samples.pop()
            {
                return Err(DumpError::NotADump { path: path.to_owned(), why });
            }
            pass.reached.at = lines.from().mark(text_at);
            pass.reached.is_whole = is_end;
            let flow = sink(std::mem::take(&mut pass.batch), &pass.reached);
            if is_end || flow.is_break() {
                return Ok(pass.reached);
            }
        }
    }
}

/// One reading of a dump.
struct Pass {
    filter: Filter,
    batch: Batch,
    reached: Resume,
    /// Whether any line, of this reading or one before, was a post at all.
    has_objects: bool,
}

impl Pass {
    fn begin(path: &Path, wanted: &[Choice], from: Option<&Resume>) -> Result<Self, DumpError> {
        let file = Glance::at(path)?;
        let filter = Filter::new(wanted);
        let wanted = filter.names();
        let reached = from.filter(|it| it.is_of(&file, &wanted)).cloned();
        let at_start = || Resume { file, wanted, at: Mark::default(), n_lines: 0, is_whole: false };
        let has_objects = reached.is_some();
        let reached = reached.unwrap_or_else(at_start);
        Ok(Self { filter, batch: Batch::default(), reached, has_objects })
    }

    fn line(&mut self, line: &Line<'_>) {
        let (at, bytes) = match *line {
            Line::Whole { at, bytes } => (at, bytes),
            Line::TooLong { at, size_bytes } => {
                let why = || format!("byte {at}: a line of {size_bytes} bytes");
                return self.batch.unreadable.note(why);
            }
        };
        let place = match self.filter.judge(bytes) {
            Judgement::Empty => return,
            Judgement::NoObject => {
                return self.batch.unreadable.note(|| format!("byte {at}: no JSON object"));
            }
            Judgement::OfNobody => {
                self.has_objects = true;
                return;
            }
            Judgement::Wanted => {
                self.has_objects = true;
                match self.filter.place_of(bytes) {
                    Ok(Some(place)) => place,
                    Ok(None) => return,
                    Err(error) => {
                        return self.batch.unreadable.note(|| format!("byte {at}: {error}"));
                    }
                }
            }
        };
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned());
        match text.and_then(|text| archived::read(text, place).map_err(|it| it.to_string())) {
            Ok(post) => self.batch.posts.push(post),
            Err(why) => self.batch.unreadable.note(|| format!("byte {at}: {why}")),
        }
    }

    fn is_due(&self, text_at: u64) -> bool {
        BATCH_POSTS <= self.batch.posts.len()
            || BATCH_TEXT_BYTES <= text_at - self.reached.at.text_at
    }
}

#[cfg(test)]
mod tests;
