//! The answers of sites as they came, compressed, a file each: what was read from them can be
//! read again by a better reader, without asking anybody.
//!
//! A file names itself: one line of JSON that says what was asked, then the answer. They grow to
//! a bound; beyond it the oldest go first.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde::{Deserialize, Serialize};

use super::{
    codec::Digest,
    files::{self, FileError},
};
use crate::domain::id::Place;

/// All answers of one dataset: some ten thousand pages.
pub const BYTES_USUAL: u64 = 512 << 20;

/// Answers are written once and read seldom, and the site is slower than this.
const LEVEL: i32 = 6;

/// Tells apart what was asked within one second.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// What an answer is the answer to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub place: Place,
    /// The listing or search.
    pub angle: String,
    pub after: Option<String>,
    /// Seconds since 1970-01-01 UTC.
    pub asked_at: i64,
}

/// The folder of kept answers.
#[derive(Clone, Debug)]
pub struct Answers {
    root: PathBuf,
    bytes_max: u64,
}

impl Answers {
    pub fn new(root: PathBuf, bytes_max: u64) -> Self {
        Self { root, bytes_max }
    }

    /// Keeps one answer.
    pub fn keep(&self, question: &Question, body: &[u8]) -> Result<(), FileError> {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:012}-{:05}-{number:06}.zst", question.asked_at, std::process::id());
        let path = self.folder(&question.place).join(name);
        files::write_atomic(&path, &packed(question, body, &path)?)
    }

    /// Lists the kept answers of a place, oldest first.
    pub fn of(&self, place: &Place) -> Result<Vec<PathBuf>, FileError> {
        let mut paths: Vec<PathBuf> =
            entries(&self.folder(place))?.into_iter().map(|(path, _)| path).collect();
        paths.sort();
        Ok(paths)
    }

    pub fn read(path: &Path) -> Result<(Question, Vec<u8>), FileError> {
        let damaged = |source: io::Error| FileError::Read { path: path.to_owned(), source };
        let mut text = zstd::decode_all(&*files::read(path)?).map_err(damaged)?;
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
        let question = serde_json::from_slice(&text[..end])
            .map_err(|error| damaged(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        text.drain(..text.len().min(end + 1));
        Ok((question, text))
    }

    /// Puts another text in the place of a kept answer.
    pub fn rewrite(path: &Path, question: &Question, body: &[u8]) -> Result<(), FileError> {
        files::write_atomic(path, &packed(question, body, path)?)
    }

    /// Removes the oldest answers of all places until the rest keeps to the bound.
    pub fn prune(&self) -> Result<u64, FileError> {
        let mut kept = Vec::new();
        for folder in folders(&self.root)? {
            kept.extend(entries(&folder)?);
        }
        let mut size_bytes: u64 = kept.iter().map(|(_, bytes)| bytes).sum();
        // File names begin with the time.
        kept.sort_by(|a, b| a.0.file_name().cmp(&b.0.file_name()));
        let mut n_removed = 0;
        for (path, bytes) in kept {
            if size_bytes <= self.bytes_max {
                break;
            }
            files::remove_if_any(&path)?;
            size_bytes -= bytes;
            n_removed += 1;
        }
        Ok(n_removed)
    }

    /// Returns the folder of one place, whatever characters its name has.
    fn folder(&self, place: &Place) -> PathBuf {
        let safe: String =
            place.0.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let digest = Digest::of(place).to_string();
        let safe: String = safe.chars().take(40).collect();
        self.root.join(format!("{safe}-{}", &digest[..8]))
    }
}

fn packed(question: &Question, body: &[u8], path: &Path) -> Result<Vec<u8>, FileError> {
    let mut text = serde_json::to_vec(question).expect("a question has string keys");
    text.push(b'\n');
    text.extend_from_slice(body);
    zstd::encode_all(&*text, LEVEL)
        .map_err(|source| FileError::Write { path: path.to_owned(), source })
}

fn folders(root: &Path) -> Result<Vec<PathBuf>, FileError> {
    Ok(listed(root)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// Lists the answers of one folder with their sizes; files under way are not among them.
fn entries(folder: &Path) -> Result<Vec<(PathBuf, u64)>, FileError> {
    let mut found = Vec::new();
    for path in listed(folder)? {
        if path.extension().is_some_and(|it| it == "zst") {
            let size = fs::metadata(&path).map(|it| it.len());
            let size = size.map_err(|source| FileError::Read { path: path.clone(), source })?;
            found.push((path, size));
        }
    }
    Ok(found)
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let unread = |source| FileError::Read { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unread)?,
    };
    entries.map(|entry| entry.map(|it| it.path()).map_err(unread)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(place: &str, asked_at: i64) -> Question {
        Question {
            place: Place(place.to_owned()),
            angle: "new".to_owned(),
            after: Some("t3_a".to_owned()),
            asked_at,
        }
    }

    #[test]
    fn answers_come_back_as_they_were_in_the_order_they_were_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let answers = Answers::new(dir.path().join("answers"), 1 << 20);
        let place = Place("r/../x y".to_owned());
        for at in [30, 10, 20] {
            answers.keep(&question(&place.0, at), format!("{{\n{at}\n}}").as_bytes()).unwrap();
        }
        answers.keep(&question("r/other", 15), b"{}").unwrap();

        let kept = answers.of(&place).unwrap();

        let read: Vec<(i64, Vec<u8>)> = kept
            .iter()
            .map(|path| Answers::read(path).unwrap())
            .map(|(question, body)| (question.asked_at, body))
            .collect();
        let told = [10, 20, 30].map(|at| (at, format!("{{\n{at}\n}}").into_bytes()));
        assert_eq!(read, told);
        assert!(kept.iter().all(|path| path.starts_with(dir.path().join("answers"))));
    }

    #[test]
    fn the_oldest_answers_go_first_when_there_are_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let answers = Answers::new(dir.path().to_owned(), 250);
        for at in 1..=6 {
            let place = if at % 2 == 0 { "r/even" } else { "r/odd" };
            answers.keep(&question(place, at), b"0123456789").unwrap();
        }

        let n_removed = answers.prune().unwrap();

        let times = |place: &str| -> Vec<i64> {
            let kept = answers.of(&Place(place.to_owned())).unwrap();
            kept.iter().map(|path| Answers::read(path).unwrap().0.asked_at).collect()
        };
        assert!(0 < n_removed && n_removed < 6, "{n_removed}");
        let mut left = [times("r/even"), times("r/odd")].concat();
        left.sort_unstable();
        let newest: Vec<i64> = (1..=6).skip(usize::try_from(n_removed).unwrap()).collect();
        assert_eq!(left, newest);
        assert_eq!(answers.prune().unwrap(), 0);
    }

    #[test]
    fn a_damaged_answer_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("1.zst");
        files::write_atomic(&path, b"no such thing").unwrap();
        assert!(matches!(Answers::read(&path), Err(FileError::Read { .. })));
    }
}
