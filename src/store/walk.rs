//! Values read in the order of their keys: all of them, or those that are asked for.
//!
//! sled reads a whole leaf to give one value. Whoever asks for many in their order walks from one
//! to the next instead, and each leaf is read once.

use std::{iter::Peekable, marker::PhantomData};

use serde::de::DeserializeOwned;

use super::{
    Entry, Head, Key, Note, Record, Settled, Store, StoreError, codec,
    leaves::{Leaves, Pair, Source, Weight},
};
use crate::domain::outcome::Outcome;

impl Store {
    /// Returns every result of one kind with the stamp it carries, in key order.
    pub fn settled<R: Record>(&self) -> Result<Vec<Entry<R>>, StoreError> {
        self.walk_settled()?.collect()
    }

    /// Reads the results of one kind one after the other, in key order.
    pub fn walk_settled<R: Record>(
        &self,
    ) -> Result<impl Iterator<Item = Result<Entry<R>, StoreError>> + use<R>, StoreError> {
        self.walk_whole(&[])
    }

    /// Reads the results of one kind from a key on, in key order.
    pub fn walk_settled_from<R: Record>(
        &self,
        first: &R::Key,
    ) -> Result<impl Iterator<Item = Result<Entry<R>, StoreError>> + use<R>, StoreError> {
        self.walk_whole(&first.to_bytes())
    }

    fn walk_whole<R: Record>(
        &self,
        first: &[u8],
    ) -> Result<impl Iterator<Item = Result<Entry<R>, StoreError>> + use<R>, StoreError> {
        let mut annexes = annexes::<R>(self)?;
        Ok(self.walk_brief_from::<R>(first)?.map(move |entry| {
            let (key, settled) = entry?;
            let whole = complete(settled, |tree| found(&mut annexes, tree, &key.to_bytes()))?;
            Ok((key, whole))
        }))
    }

    /// Reads the results of one kind but for their annexes, which are as if empty.
    pub fn walk_brief<R: Record>(
        &self,
    ) -> Result<impl Iterator<Item = Result<Entry<R>, StoreError>> + use<R>, StoreError> {
        self.walk_brief_from(&[])
    }

    fn walk_brief_from<R: Record>(
        &self,
        first: &[u8],
    ) -> Result<impl Iterator<Item = Result<Entry<R>, StoreError>> + use<R>, StoreError> {
        self.walk_tree(R::TREE, first, |key, bytes| Ok((key, codec::decode(R::TREE, bytes)?)))
    }

    /// Returns a hand on the results of one kind that is quick where they are asked for in the
    /// order of their keys.
    pub fn records_in_order<R: Record>(&self) -> Result<Records<R>, StoreError> {
        Records::of(self)
    }

    /// Returns such a hand on the notes of one kind.
    pub fn notes_in_order<N: Note>(&self) -> Result<Notes<N>, StoreError> {
        Notes::of(self)
    }

    /// Reads how the results of one kind ended, in key order, without reading the results.
    pub fn walk_heads<R: Record>(
        &self,
    ) -> Result<impl Iterator<Item = Result<(R::Key, Head), StoreError>> + use<R>, StoreError> {
        self.walk_tree(R::TREE, &[], |key, bytes| Ok((key, codec::head(R::TREE, bytes)?)))
    }

    /// Returns every result of one kind that was made, in key order.
    pub fn made<R: Record>(&self) -> Result<Vec<(R::Key, R)>, StoreError> {
        let settled = self.settled::<R>()?;
        let made = settled.into_iter().filter_map(|(key, settled)| match settled.outcome {
            Outcome::Made(record) => Some((key, record)),
            Outcome::Rejected(_) | Outcome::Failed(_) => None,
        });
        Ok(made.collect())
    }

    pub fn notes<N: Note>(&self) -> Result<Vec<(N::Key, N)>, StoreError> {
        self.walk_notes()?.collect()
    }

    /// Reads the notes of one kind one after the other, in key order, without holding them all.
    pub fn walk_notes<N: Note>(
        &self,
    ) -> Result<impl Iterator<Item = Result<(N::Key, N), StoreError>> + use<N>, StoreError> {
        Ok(self.source(N::TREE, Weight::Light)?.leaves_from(&[]).map(read_note))
    }

    fn walk_tree<K: Key, T>(
        &self,
        tree: &'static str,
        first: &[u8],
        read: fn(K, &[u8]) -> Result<T, StoreError>,
    ) -> Result<impl Iterator<Item = Result<T, StoreError>> + use<K, T>, StoreError> {
        Ok(self.source(tree, Weight::Light)?.leaves_from(first).map(move |entry| {
            let (key, bytes) = entry?;
            let key = K::from_bytes(&key).ok_or(StoreError::KeyShape { tree })?;
            read(key, &bytes)
        }))
    }
}

pub(super) fn read_note<N: Note>(
    entry: Result<Pair, StoreError>,
) -> Result<(N::Key, N), StoreError> {
    let tree = N::TREE;
    let (key, bytes) = entry?;
    let key = N::Key::from_bytes(&key).ok_or(StoreError::KeyShape { tree })?;
    Ok((key, codec::decode_note(tree, &bytes)?))
}

fn annexes<R: Record>(store: &Store) -> Result<Option<Cursor>, StoreError> {
    R::ANNEX.map(|tree| Ok(Cursor::of(store.source(tree, Weight::Heavy)?))).transpose()
}

/// Finds the annex of a result that was made and has to have one.
fn found(
    annexes: &mut Option<Cursor>,
    tree: &'static str,
    key: &[u8],
) -> Result<sled::IVec, StoreError> {
    let annex = annexes.as_mut().map(|it| it.find(key)).transpose()?;
    annex.flatten().ok_or(StoreError::Short { tree })
}

/// Gives a result its annex back, if it has one.
pub(super) fn complete<R: Record, B: AsRef<[u8]>>(
    settled: Settled<R>,
    mut annex: impl FnMut(&'static str) -> Result<B, StoreError>,
) -> Result<Settled<R>, StoreError> {
    let Settled { stamp, outcome } = settled;
    let outcome = match (outcome, R::ANNEX) {
        (Outcome::Made(record), Some(tree)) => {
            let whole = record.with_annex(annex(tree)?.as_ref());
            Outcome::Made(whole.ok_or(StoreError::Short { tree })?)
        }
        (outcome, _) => outcome,
    };
    Ok(Settled { stamp, outcome })
}

/// What is so near is walked to; what is farther is looked for.
const NEAR: usize = 16;

/// Where the one before was looked for, so are those farther than this.
const NEXT: usize = 4;

/// A place in a tree.
struct Cursor {
    source: Source,
    entries: Peekable<Leaves>,
    /// The last key that was asked for; all later ones are still to come.
    asked: Option<Vec<u8>>,
    /// How far to walk.
    near: usize,
}

type Found = Result<Pair, StoreError>;

impl Cursor {
    fn of(source: Source) -> Self {
        let entries = source.leaves_from(&[]).peekable();
        Self { source, entries, asked: None, near: NEXT }
    }

    /// Returns the value of a key, if it has one.
    fn find(&mut self, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        let is_before = |found: &Found| found.as_ref().is_ok_and(|(other, _)| **other < *key);
        let is_it = |found: &Found| found.as_ref().map_or(true, |(other, _)| **other == *key);
        let is_ahead = self.asked.as_ref().is_none_or(|last| **last < *key);
        self.asked = Some(key.to_vec());
        if is_ahead {
            for _ in 0..self.near {
                if self.entries.next_if(is_before).is_none() {
                    break;
                }
            }
        }
        self.near = NEAR;
        if !is_ahead || self.entries.peek().is_some_and(is_before) {
            self.entries = self.source.leaves_from(key).peekable();
            self.near = NEXT;
        }
        match self.entries.next_if(is_it) {
            Some(found) => found.map(|(_, value)| Some(value)),
            None => Ok(None),
        }
    }
}

/// Results of one kind, asked for in the order of their keys.
pub struct Records<R> {
    results: Cursor,
    annexes: Option<Cursor>,
    kind: PhantomData<R>,
}

impl<R: Record> Records<R> {
    pub(super) fn of(store: &Store) -> Result<Self, StoreError> {
        let results = Cursor::of(store.source(R::TREE, Weight::Light)?);
        Ok(Self { results, annexes: annexes::<R>(store)?, kind: PhantomData })
    }

    pub fn get(&mut self, key: &R::Key) -> Result<Option<Settled<R>>, StoreError> {
        let Some(settled) = self.part(key)? else { return Ok(None) };
        let annexes = &mut self.annexes;
        complete(settled, |tree| found(annexes, tree, &key.to_bytes())).map(Some)
    }

    /// Reads as much of a result as `P` has fields for, and nothing of its annex.
    pub fn part<P: DeserializeOwned>(
        &mut self,
        key: &R::Key,
    ) -> Result<Option<Settled<P>>, StoreError> {
        let bytes = self.results.find(&key.to_bytes())?;
        bytes.map(|bytes| codec::decode(R::TREE, &bytes)).transpose()
    }

    /// Reads the stamp and the kind of ending of a result.
    pub fn head(&mut self, key: &R::Key) -> Result<Option<Head>, StoreError> {
        let bytes = self.results.find(&key.to_bytes())?;
        bytes.map(|bytes| codec::head(R::TREE, &bytes)).transpose()
    }
}

/// Notes of one kind, asked for in the order of their keys.
pub struct Notes<N> {
    notes: Cursor,
    kind: PhantomData<N>,
}

impl<N: Note> Notes<N> {
    pub(super) fn of(store: &Store) -> Result<Self, StoreError> {
        let notes = Cursor::of(store.source(N::TREE, Weight::Light)?);
        Ok(Self { notes, kind: PhantomData })
    }

    pub fn get(&mut self, key: &N::Key) -> Result<Option<N>, StoreError> {
        let bytes = self.notes.find(&key.to_bytes())?;
        bytes.map(|bytes| codec::decode_note(N::TREE, &bytes)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::{domain::id::PostId, store::schema::Reached};

    #[test]
    fn every_key_is_found_in_whatever_order_it_is_asked_for() {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let tree = store.tree(Reached::TREE).unwrap();
        let key = |n: u32| n.to_be_bytes();
        for n in (0..3000).filter(|n| n % 3 != 1) {
            tree.insert(key(n), key(n + 7).to_vec()).unwrap();
        }
        let orders: [Vec<u32>; 5] = [
            (0..3005).collect(),
            (0..3005).rev().collect(),
            (0..3005).step_by(40).chain((0..3005).step_by(5)).collect(),
            (0..3005).map(|n| n * 1009 % 3005).collect(),
            (0..3005).flat_map(|n: u32| [n, n, n.saturating_sub(1)]).collect(),
        ];
        for order in orders {
            let mut cursor = Cursor::of(store.source(Reached::TREE, Weight::Heavy).unwrap());
            for n in order {
                let is_there = n < 3000 && n % 3 != 1;
                let found = cursor.find(&key(n)).unwrap();
                assert_eq!(found.as_deref(), is_there.then_some(&key(n + 7)[..]), "{n}");
            }
        }
        let empty = store.notes_in_order::<crate::domain::post::Post>();
        assert_eq!(empty.unwrap().get(&PostId("a".to_owned())).unwrap(), None);
    }
}
