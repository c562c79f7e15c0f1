//! The file of what people decided, `pipelines/<name>.reviews.jsonl`: a line each, only ever added
//! to. Text that people commit and merge; the decisions themselves are in `domain::review`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use super::files::{self, FileError};
use crate::domain::review::Review;

pub mod csv;
mod follow;

pub use follow::{Follower, News};

#[derive(Debug, thiserror::Error)]
pub enum ReviewsError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "`{}`, line {line}, is no decision of a review: mend or delete the line, or take the \
         file back from version control",
        path.display()
    )]
    Line { path: PathBuf, line: usize, source: serde_json::Error },
}

/// Reads all lines; none if there is no file. Half a line at the end was being written when the
/// program was killed, and says nothing.
pub fn read(path: &Path) -> Result<Vec<Review>, ReviewsError> {
    let text = files::read_text_if_any(path)?.unwrap_or_default();
    let (whole, tail) = text.split_at(text.rfind('\n').map_or(0, |end| end + 1));
    let lines = whole.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = lines.map(|(number, line)| {
        serde_json::from_str(line).map_err(|source| {
            let path = path.to_owned();
            ReviewsError::Line { path, line: number + 1, source }
        })
    });
    read.chain(serde_json::from_str(tail).ok().map(Ok)).collect()
}

/// Adds lines, and returns once the disk has them. Half a line that a kill left at the end is cut
/// off first, so that a new line never continues an old one.
pub fn append(path: &Path, lines: &[Review]) -> Result<(), FileError> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        files::make_folder(folder)?;
    }
    let text: String = lines
        .iter()
        .map(|line| serde_json::to_string(line).expect("a review has text keys") + "\n")
        .collect();
    write_at_end(path, &text).map_err(|source| FileError::Write { path: path.to_owned(), source })
}

fn write_at_end(path: &Path, text: &str) -> io::Result<()> {
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.lock()?; // Two programs may add to one file; what each adds stays together.
    let tail = tail(&mut file)?;
    let mut end = file.seek(SeekFrom::End(0))?;
    // A person's editor may leave out the last line break.
    let is_whole = serde_json::from_slice::<Review>(&tail).is_ok();
    if !is_whole {
        end -= u64::try_from(tail.len()).expect("a length fits 64 bits");
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end))?;
    let text = if is_whole { format!("\n{text}") } else { text.to_owned() };
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
    if written.is_err() {
        // All of them or none: whole lines of a page that was not saved would count.
        file.set_len(end)?;
    }
    written
}

/// Reads what follows the last line break; the whole file only where it does not end in one.
fn tail(file: &mut File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.metadata()?.len() == 0 {
        return Ok(bytes);
    }
    file.seek(SeekFrom::End(-1))?;
    file.read_to_end(&mut bytes)?;
    if bytes == b"\n" {
        return Ok(Vec::new());
    }
    bytes.clear();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok(bytes.split_off(whole))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::{
        id::BlobId,
        review::{Decision, Queue},
    };

    fn said(picture: &[u8]) -> Review {
        Review {
            at_ms: 1,
            picture: BlobId::of(picture),
            decision: Decision::Keep,
            queue: Queue::Audit,
            shown_as: None,
            by: None,
        }
    }

    #[test]
    fn half_a_line_is_no_decision_and_does_not_spoil_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipelines/pets.reviews.jsonl");
        assert_eq!(read(&path).unwrap(), []);
        append(&path, &[said(b"a"), said(b"b")]).unwrap();
        let whole = fs::read(&path).unwrap();
        files::write_atomic(&path, &whole[..whole.len() - 9]).unwrap();
        assert_eq!(read(&path).unwrap(), [said(b"a")]);
        append(&path, &[said(b"c")]).unwrap();
        assert_eq!(read(&path).unwrap(), [said(b"a"), said(b"c")]);
    }

    #[test]
    fn a_last_line_without_its_break_still_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        append(&path, &[said(b"a"), said(b"b")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        files::write_atomic(&path, text.trim_end().as_bytes()).unwrap();
        assert_eq!(read(&path).unwrap(), [said(b"a"), said(b"b")]);
        append(&path, &[said(b"c")]).unwrap();
        assert_eq!(read(&path).unwrap(), [said(b"a"), said(b"b"), said(b"c")]);
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pets.reviews.jsonl");
        append(&path, &[said(b"a")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let spoilt = format!("{text}<<<<<<< theirs\n{text}");
        files::write_atomic(&path, spoilt.as_bytes()).unwrap();
        let error = read(&path).unwrap_err();
        assert!(matches!(error, ReviewsError::Line { line: 2, .. }), "{error}");
        assert!(error.to_string().contains("pets.reviews.jsonl`, line 2"), "{error}");
    }
}
