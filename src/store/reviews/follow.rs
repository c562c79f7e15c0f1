//! A file of reviews → what was added to it since it was last looked at, by whomever.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{FileError, Review, ReviewsError};

/// So many bytes before the place that was read to tell whether the file is still the same one.
const MARK_BYTES: usize = 512;

/// A hand on one file of reviews that knows how far it has read.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    /// How many bytes were read.
    read: u64,
    /// How many lines these are.
    lines: usize,
    /// The last bytes that were read.
    mark: Vec<u8>,
    /// Length and time of the file when it was last looked at.
    seen: Option<(u64, Option<SystemTime>)>,
}

/// What a look at the file brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    Nothing,
    /// These lines stand behind the ones known.
    Added(Vec<Review>),
    /// The file was rewritten, and these are all its lines.
    Anew(Vec<Review>),
}

impl Follower {
    pub fn new(path: PathBuf) -> Self {
        Self { path, read: 0, lines: 0, mark: Vec::new(), seen: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what is new; only asks for the file's length and time where nothing is. A file that
    /// cannot be understood leaves everything as it was.
    pub fn news(&mut self) -> Result<News, ReviewsError> {
        let failed = |source| FileError::Read { path: self.path.clone(), source };
        let found = match fs::metadata(&self.path) {
            Ok(found) => Some((found.len(), found.modified().ok())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error).into()),
        };
        if found == self.seen {
            return Ok(News::Nothing);
        }
        let Some((length, _)) = found else {
            *self = Self::new(self.path.clone());
            return Ok(News::Anew(Vec::new()));
        };
        let grown = if self.read <= length { self.tail().map_err(failed)? } else { None };
        let is_same = grown.is_some();
        let bytes = match grown {
            Some(bytes) => bytes,
            None => fs::read(&self.path).map_err(failed)?,
        };
        let known = if is_same { self.lines } else { 0 };
        let (lines, taken) = self.parsed(&bytes, known)?;
        if !is_same {
            (self.read, self.lines) = (0, 0);
            self.mark.clear();
        }
        let taken = bytes.get(..taken).unwrap_or_default();
        self.read += u64::try_from(taken.len()).expect("a length fits 64 bits");
        self.lines += taken.split(|byte| *byte == b'\n').count() - 1;
        self.mark.extend_from_slice(taken);
        self.mark.drain(..self.mark.len().saturating_sub(MARK_BYTES));
        self.seen = found;
        Ok(match (is_same, lines.is_empty()) {
            (true, true) => News::Nothing,
            (true, false) => News::Added(lines),
            (false, _) => News::Anew(lines),
        })
    }

    /// Reads what stands behind the known bytes; `None` if those are no longer what they were.
    fn tail(&self) -> io::Result<Option<Vec<u8>>> {
        let mut file = File::open(&self.path)?;
        let mark_bytes = u64::try_from(self.mark.len()).expect("a length fits 64 bits");
        file.seek(SeekFrom::Start(self.read - mark_bytes))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let is_same = bytes.starts_with(&self.mark);
        Ok(is_same.then(|| bytes.split_off(self.mark.len())))
    }

    /// Reads lines, and says how many bytes they take. What follows the last line break is one
    /// only if it is whole: it may be under way.
    fn parsed(&self, bytes: &[u8], known: usize) -> Result<(Vec<Review>, usize), ReviewsError> {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (text, tail) = bytes.split_at(whole);
        let mut lines = Vec::new();
        for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            lines.push(serde_json::from_slice(line).map_err(|source| {
                let line = known + number + 1;
                ReviewsError::Line { path: self.path.clone(), line, source }
            })?);
        }
        match serde_json::from_slice(tail) {
            Ok(last) => {
                lines.push(last);
                Ok((lines, bytes.len()))
            }
            Err(_) => Ok((lines, whole)), // Being written, or cut off by a kill.
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            id::BlobId,
            review::{Decision, Queue},
        },
        store::{files, reviews},
    };

    fn said(at_ms: u64) -> Review {
        Review {
            at_ms,
            picture: BlobId::of(&at_ms.to_be_bytes()),
            decision: Decision::Keep,
            queue: Queue::Audit,
            shown_as: None,
            by: None,
        }
    }

    #[test]
    fn what_anybody_adds_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        let mut follower = Follower::new(path.clone());

        assert_eq!(follower.news().unwrap(), News::Nothing);
        reviews::append(&path, &[said(1), said(2)]).unwrap();
        assert_eq!(follower.news().unwrap(), News::Added(vec![said(1), said(2)]));
        assert_eq!(follower.news().unwrap(), News::Nothing);
        reviews::append(&path, &[said(3)]).unwrap();
        assert_eq!(follower.news().unwrap(), News::Added(vec![said(3)]));
    }

    #[test]
    fn half_a_line_waits_and_a_line_without_its_break_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        let mut follower = Follower::new(path.clone());
        let whole = serde_json::to_string(&said(1)).unwrap();
        files::write_atomic(&path, &whole.as_bytes()[..20]).unwrap();
        assert_eq!(follower.news().unwrap(), News::Nothing);
        files::write_atomic(&path, whole.as_bytes()).unwrap();
        assert_eq!(follower.news().unwrap(), News::Added(vec![said(1)]));
        reviews::append(&path, &[said(2)]).unwrap();
        assert_eq!(follower.news().unwrap(), News::Added(vec![said(2)]));
    }

    #[test]
    fn a_file_that_was_rewritten_is_read_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        let mut follower = Follower::new(path.clone());
        reviews::append(&path, &[said(1), said(2)]).unwrap();
        follower.news().unwrap();
        files::remove_if_any(&path).unwrap();
        reviews::append(&path, &[said(5), said(1), said(2)]).unwrap();
        assert_eq!(follower.news().unwrap(), News::Anew(vec![said(5), said(1), said(2)]));
        files::remove_if_any(&path).unwrap();
        assert_eq!(follower.news().unwrap(), News::Anew(Vec::new()));
    }

    #[test]
    fn a_line_that_means_nothing_is_named_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        let mut follower = Follower::new(path.clone());
        reviews::append(&path, &[said(1)]).unwrap();
        follower.news().unwrap();
        let good = files::read(&path).unwrap();
        files::write_atomic(&path, &[&good, b"<<<<<<< theirs\n".as_slice()].concat()).unwrap();
        let error = follower.news().unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
        files::write_atomic(&path, &good).unwrap();
        assert_eq!(follower.news().unwrap(), News::Nothing);
        reviews::append(&path, &[said(2)]).unwrap();
        assert_eq!(follower.news().unwrap(), News::Added(vec![said(2)]));
    }
}
