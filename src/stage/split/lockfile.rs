//! The lock as text: one line per picture, sorted, so that a diff shows what came.

use std::fmt::Write as _;

use crate::domain::{
    id::BlobId,
    split::{Lock, Side},
};

const HEADER: &str = "\
# Which side of the split each picture is on, by the BLAKE3 digest of its bytes.
# Written by snapset; commit it, and no picture ever changes sides.
";

/// A line that is neither a comment nor a picture and its side.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

pub(super) fn write(lock: &Lock) -> String {
    lock.iter().fold(HEADER.to_owned(), |mut text, (blob, side)| {
        writeln!(text, "{blob} {side}").expect("writing to a string cannot fail");
        text
    })
}

pub(super) fn read(text: &str) -> Result<Lock, Damage> {
    let mut lock = Lock::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = line.split_once(' ').and_then(|(blob, side)| {
            Some((blob.parse::<BlobId>().ok()?, side.trim().parse::<Side>().ok()?))
        });
        let (blob, side) =
            entry.ok_or_else(|| Damage { line: number + 1, text: line.to_owned() })?;
        // Two sides of a merge: which of them is right, only a person can tell.
        if lock.insert(blob, side).is_some_and(|known| known != side) {
            return Err(Damage { line: number + 1, text: line.to_owned() });
        }
    }
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_comes_back_from_its_text() {
        let sides = [(b"a", Side::TRAIN), (b"b", Side::TEST), (b"c", Side::Fold(12))];
        let lock: Lock = sides.into_iter().map(|(name, side)| (BlobId::of(name), side)).collect();
        assert_eq!(read(&write(&lock)), Ok(lock));
    }

    #[test]
    fn a_picture_on_two_sides_is_damage_and_one_told_twice_is_not() {
        let line = |side: &str| format!("{} {side}\n", BlobId::of(b"a"));
        let twice = [line("train"), line("train")].concat();
        let torn = [line("train"), line("test")].concat();

        assert_eq!(read(&twice).map(|lock| lock.len()), Ok(1));
        assert_eq!(read(&torn).map_err(|damage| damage.line), Err(2));
    }

    #[test]
    fn a_merge_conflict_is_damage_with_its_line() {
        let text = format!("{}<<<<<<< ours\n", write(&Lock::new()));
        assert_eq!(read(&text), Err(Damage { line: 3, text: "<<<<<<< ours".to_owned() }));
    }
}
