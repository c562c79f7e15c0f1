//! Answers that take long to work out, remembered until something they come from is written.
//!
//! The dataset, the funnel and the accounts of places are read from up to seven trees, and exports,
//! training, the report, the closing table and the warnings of every run ask for them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Digest, Note, Record, Store, StoreError, codec, leaves::Weight, schema::DERIVED as TREE,
};
use crate::domain::{
    classes::Classes,
    fingerprint::Fingerprint,
    link::{Download, Resolution},
    picture::Crop,
    post::Post,
    split::Placement,
    verdict::Verdict,
};

/// Everything that answers come from.
const SOURCES: [&str; 7] = [
    <Post as Note>::TREE,
    <Resolution as Record>::TREE,
    <Download as Record>::TREE,
    <Fingerprint as Record>::TREE,
    <Crop as Record>::TREE,
    <Verdict as Note>::TREE,
    <Placement as Note>::TREE,
];

/// How many items of a list lie in one value: small ones, since sled puts sixteen into a leaf, and a
/// leaf of more than 128 KB into a file that its cache does not count.
const PART: usize = 8;

/// How many values one thread reads at a time, and how many are held to be read.
const VALUES: usize = 64;
const AT_ONCE: usize = 16 * VALUES;

/// What is asked; an answer is a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Dataset,
    Funnel,
    Accounts,
}

impl Question {
    fn name(self) -> &'static str {
        match self {
            Self::Dataset => "dataset",
            Self::Funnel => "funnel",
            Self::Accounts => "accounts",
        }
    }

    /// The place of the [`End`], behind the parts.
    fn end(self) -> Vec<u8> {
        format!("{} end", self.name()).into_bytes()
    }

    fn part(self, n: u64) -> Vec<u8> {
        format!("{} {n:010}", self.name()).into_bytes()
    }
}

/// How often what answers come from was written, shared by all hands on an open store. Whoever
/// remembers an answer or forgets all of them holds it meanwhile.
#[derive(Debug, Default)]
pub(super) struct Changes(Mutex<u64>);

impl Changes {
    fn held(&self) -> MutexGuard<'_, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer was worked out for, and in how many parts it lies.
#[derive(Serialize, Deserialize)]
struct End {
    asked: Digest,
    parts: u64,
}

impl Store {
    /// Forgets all answers if `tree` is one they come from: to be called before it is written, so
    /// that no crash leaves an old answer behind what is new, and after, since somebody may have
    /// begun to work one out meanwhile.
    pub(super) fn outdate(&self, tree: &str) -> Result<(), StoreError> {
        if !SOURCES.contains(&tree) {
            return Ok(());
        }
        let mut changes = self.changes.held();
        *changes += 1;
        let answers = self.tree(TREE)?;
        if answers.is_empty() {
            return Ok(());
        }
        answers.clear().map_err(|source| StoreError::Write { tree: TREE, source })
    }

    /// Returns the answer to a question as it was worked out for the same classes, or works it out
    /// and remembers it.
    pub(super) fn derived<T: Serialize + DeserializeOwned + Send>(
        &self,
        question: Question,
        classes: &Classes,
        work: impl FnOnce() -> Result<Vec<T>, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let asked = asked(classes);
        if let Some(list) = self.remembered(question, asked)? {
            return Ok(list);
        }
        let before = *self.changes.held();
        let list = work()?;
        let changes = self.changes.held();
        if *changes == before {
            // Who asked has the answer, even where the disk has no room for it.
            drop(self.remember(question, asked, &list));
        }
        Ok(list)
    }

    fn remembered<T: DeserializeOwned + Send>(
        &self,
        question: Question,
        asked: Digest,
    ) -> Result<Option<Vec<T>>, StoreError> {
        let Some(bytes) = self.bytes(TREE, &question.end())? else { return Ok(None) };
        let Ok(end) = codec::decode_note::<End>(TREE, &bytes) else { return Ok(None) };
        if end.asked != asked {
            return Ok(None);
        }
        let (first, beyond) = (question.part(0), question.part(end.parts));
        let leaves = self.source(TREE, Weight::Heavy)?.leaves_from(&first);
        let mut values = leaves
            .take_while(|it| it.as_ref().map_or(true, |(key, _)| **key < *beyond))
            .map(|it| it.map(|(_, value)| value));
        let mut some = || values.by_ref().take(AT_ONCE).collect::<Result<Vec<_>, _>>();
        let read = |value: &sled::IVec| codec::decode_note::<Vec<T>>(TREE, value).ok();
        let (mut list, mut parts) = (Vec::new(), 0);
        let mut held = some()?;
        while !held.is_empty() {
            // The next are fetched while these are read.
            let decode = || held.par_iter().with_min_len(VALUES).map(read).collect();
            let (next, decoded) = rayon::join(&mut some, decode);
            let Some::<Vec<Vec<T>>>(decoded) = decoded else { return Ok(None) };
            parts += held.len();
            list.extend(decoded.into_iter().flatten());
            held = next?;
        }
        // A crash may have come while they were forgotten.
        Ok((u64::try_from(parts).ok() == Some(end.parts)).then_some(list))
    }

    /// The end is taken away first and comes last: what a crash cut short is not taken for whole.
    fn remember<T: Serialize>(
        &self,
        question: Question,
        asked: Digest,
        list: &[T],
    ) -> Result<(), StoreError> {
        let parts = u64::try_from(list.len().div_ceil(PART)).expect("a length fits 64 bits");
        let end = codec::encode_note(TREE, &End { asked, parts })?;
        self.insert(TREE, [Ok((question.end(), None))].into_iter())?;
        let encoded = (0..)
            .zip(list.chunks(PART))
            .map(|(n, part)| Ok((question.part(n), Some(codec::encode_note(TREE, &part)?))));
        self.insert(TREE, encoded)?;
        self.write(TREE, [Ok((question.end(), Some(end)))].into_iter())
    }
}

/// Names what an answer depends on besides what is written: who works it out, and for which classes.
fn asked(classes: &Classes) -> Digest {
    Digest::of(&(env!("CARGO_PKG_VERSION"), SOURCES, classes))
}

#[cfg(test)]
mod tests;
