//! What the frozen part of a network made of pictures, kept on disk so that another head is
//! trained in seconds.
//!
//! One file for each frozen part. Records are appended as they are made, so a killed training
//! loses the last few at most; those of pictures that left the dataset go with the next one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    domain::id::BlobId,
    store::files::{self, FileError},
};

/// Bytes before the values of a record: the picture's key, their number, and a check over both
/// and the values.
const HEAD: usize = 32 + 4 + 8;

/// What is known of one frozen part.
#[derive(Debug)]
pub(super) struct Features {
    path: PathBuf,
    known: BTreeMap<BlobId, Vec<f32>>,
    /// Those this training asked for.
    used: BTreeSet<BlobId>,
    file: Option<File>,
}

impl Features {
    /// Opens what is known of the frozen part `by`, in a folder of such files.
    pub(super) fn open(folder: &Path, by: BlobId) -> Result<Self, FileError> {
        let path = folder.join(format!("{}.features", by.short()));
        files::make_folder(folder)?;
        let bytes = if path.exists() { files::read(&path)? } else { Vec::new() };
        let (known, n_whole) = read(&bytes);
        if n_whole < bytes.len() {
            // The tail of a record that a killed training did not finish.
            files::write_atomic(&path, &bytes[..n_whole])?;
        }
        Ok(Self { path, known, used: BTreeSet::new(), file: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn recall(&mut self, picture: BlobId) -> Option<Vec<f32>> {
        let values = self.known.get(&picture)?;
        self.used.insert(picture);
        Some(values.clone())
    }

    pub(super) fn remember(&mut self, picture: BlobId, values: &[f32]) -> Result<(), FileError> {
        let record = record(picture, values);
        self.append(&record)
            .map_err(|source| FileError::Write { path: self.path.clone(), source })?;
        self.used.insert(picture);
        self.known.insert(picture, values.to_vec());
        Ok(())
    }

    fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().create(true).append(true).open(&self.path)?),
        };
        file.write_all(record)
    }

    /// Lets go of what this training did not ask for.
    pub(super) fn finish(mut self) -> Result<(), FileError> {
        if self.known.len() == self.used.len() {
            return Ok(());
        }
        self.known.retain(|picture, _| self.used.contains(picture));
        let records: Vec<u8> =
            self.known.iter().flat_map(|(picture, values)| record(*picture, values)).collect();
        files::write_atomic(&self.path, &records)
    }
}

fn record(picture: BlobId, values: &[f32]) -> Vec<u8> {
    let n = u32::try_from(values.len()).expect("a map has fewer than 2^32 values");
    let mut bytes = picture.as_bytes().to_vec();
    bytes.extend(n.to_le_bytes());
    let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    bytes.extend(check(&bytes, &values));
    bytes.extend(values);
    bytes
}

fn check(head: &[u8], values: &[u8]) -> [u8; 8] {
    let digest = BlobId::of(&[head, values].concat());
    let (eights, _) = digest.as_bytes().as_chunks();
    eights.first().copied().unwrap_or_default()
}

/// Reads records up to the first that is not whole; returns how many bytes are.
fn read(bytes: &[u8]) -> (BTreeMap<BlobId, Vec<f32>>, usize) {
    let mut known = BTreeMap::new();
    let mut at = 0;
    while let Some((picture, values, n_bytes)) = first(&bytes[at..]) {
        known.insert(picture, values);
        at += n_bytes;
    }
    (known, at)
}

fn first(bytes: &[u8]) -> Option<(BlobId, Vec<f32>, usize)> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (named, expected) = head.split_at(36);
    let picture = BlobId::from_bytes(&named[..32])?;
    let n = u32::from_le_bytes(named[32..].try_into().ok()?);
    let n_bytes = usize::try_from(n).ok()?.checked_mul(4)?;
    let values = rest.get(..n_bytes)?;
    if check(named, values) != expected {
        return None;
    }
    let values = values.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
    Some((picture, values, HEAD + n_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(n: u8) -> BlobId {
        BlobId::of(&[n])
    }

    #[test]
    fn what_a_training_asked_for_is_there_for_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Features::open(folder.path(), picture(0)).unwrap();
        let mut first = open();
        assert_eq!(first.recall(picture(1)), None);
        first.remember(picture(1), &[1.0, -2.5]).unwrap();
        first.remember(picture(2), &[3.0]).unwrap();
        first.finish().unwrap();

        let mut second = open();
        assert_eq!(second.recall(picture(1)), Some(vec![1.0, -2.5]));
        second.finish().unwrap();

        let mut third = open();
        assert_eq!(third.recall(picture(1)), Some(vec![1.0, -2.5]));
        assert_eq!(third.recall(picture(2)), None);
    }

    #[test]
    fn a_record_that_is_not_whole_is_as_if_never_written() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Features::open(folder.path(), picture(0)).unwrap();
        let mut features = open();
        features.remember(picture(1), &[1.0]).unwrap();
        features.remember(picture(2), &[2.0, 3.0]).unwrap();
        let path = features.path.clone();
        drop(features);
        let whole = files::read(&path).unwrap();
        files::write_atomic(&path, &whole[..whole.len() - 3]).unwrap();

        let mut features = open();

        assert_eq!(features.recall(picture(2)), None);
        features.remember(picture(3), &[4.0]).unwrap();
        drop(features);
        let mut features = open();
        assert_eq!(features.recall(picture(1)), Some(vec![1.0]));
        assert_eq!(features.recall(picture(3)), Some(vec![4.0]));
    }
}
