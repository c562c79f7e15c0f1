//! How a result is laid out in its tree: one byte for its ending, 36 for its stamp, then JSON.
//! The fixed front lets a run find what is due without parsing what is done.

use std::io::BufWriter;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Settled, StoreError};
use crate::domain::{
    bytes::hex,
    outcome::{Failure, Outcome, Reject},
};

const HEAD_BYTES: usize = 37;

/// The digest of anything that serialises, for comparing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    pub fn of(everything: &impl Serialize) -> Self {
        // Values come in crumbs, and the digest likes loaves.
        let mut hasher = BufWriter::with_capacity(64 << 10, blake3::Hasher::new());
        serde_json::to_writer(&mut hasher, everything).expect("stamped values have string keys");
        let digest = hasher.into_inner().expect("a digest takes everything").finalize();
        Self(*digest.as_bytes().first_chunk().expect("a BLAKE3 digest has 32 bytes"))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// All that can change a result; equal stamps mean the work need not be redone. The parts are
/// kept apart so that a plan can say which of them changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub revision: u32,
    pub recipe: Digest,
    pub input: Digest,
}

/// The front of a stored result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub stamp: Stamp,
    pub ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Made,
    Rejected,
    /// Worth another try.
    FailedForNow,
    FailedForGood,
}

impl Ending {
    pub const ALL: [Self; 4] =
        [Self::Made, Self::Rejected, Self::FailedForNow, Self::FailedForGood];

    fn of<T>(outcome: &Outcome<T>) -> Self {
        match outcome {
            Outcome::Made(_) => Self::Made,
            Outcome::Rejected(_) => Self::Rejected,
            Outcome::Failed(failure) if failure.transient => Self::FailedForNow,
            Outcome::Failed(_) => Self::FailedForGood,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| *ending as u8 == byte)
    }
}

pub(super) fn encode<T: Serialize>(
    tree: &'static str,
    settled: &Settled<T>,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![Ending::of(&settled.outcome) as u8];
    bytes.extend_from_slice(&settled.stamp.revision.to_be_bytes());
    bytes.extend_from_slice(&settled.stamp.recipe.0);
    bytes.extend_from_slice(&settled.stamp.input.0);
    let written = match &settled.outcome {
        Outcome::Made(record) => serde_json::to_writer(&mut bytes, record),
        Outcome::Rejected(reject) => serde_json::to_writer(&mut bytes, reject),
        Outcome::Failed(failure) => serde_json::to_writer(&mut bytes, failure),
    };
    written.map_err(|source| StoreError::Shape { tree, source })?;
    Ok(bytes)
}

pub(super) fn head(tree: &'static str, bytes: &[u8]) -> Result<Head, StoreError> {
    let front = bytes.first_chunk::<HEAD_BYTES>().ok_or(StoreError::Short { tree })?;
    let part = |at: usize| -> [u8; 16] {
        front[at..at + 16].try_into().expect("the front has room for both digests")
    };
    let revision = front[1..5].try_into().expect("the front has room for the revision");
    Ok(Head {
        stamp: Stamp {
            revision: u32::from_be_bytes(revision),
            recipe: Digest(part(5)),
            input: Digest(part(21)),
        },
        ending: Ending::from_byte(front[0]).ok_or(StoreError::Short { tree })?,
    })
}

pub(super) fn decode<T: DeserializeOwned>(
    tree: &'static str,
    bytes: &[u8],
) -> Result<Settled<T>, StoreError> {
    let Head { stamp, ending } = head(tree, bytes)?;
    let json = &bytes[HEAD_BYTES..];
    let outcome = match ending {
        Ending::Made => Outcome::Made(decode_note::<T>(tree, json)?),
        Ending::Rejected => Outcome::Rejected(decode_note::<Reject>(tree, json)?),
        Ending::FailedForNow | Ending::FailedForGood => {
            Outcome::Failed(decode_note::<Failure>(tree, json)?)
        }
    };
    Ok(Settled { stamp, outcome })
}

pub(super) fn encode_note(
    tree: &'static str,
    note: &impl Serialize,
) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(note).map_err(|source| StoreError::Shape { tree, source })
}

pub(super) fn decode_note<T: DeserializeOwned>(
    tree: &'static str,
    bytes: &[u8],
) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|source| StoreError::Shape { tree, source })
}
