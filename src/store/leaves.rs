//! The values of a tree in the order of their keys, without holding on to what was read.
//!
//! sled writes down each leaf it reads in one of 256 lists, by the number of the leaf, and gives
//! memory back only when a list has 64 entries. Of what is read once, leaf by leaf, it so keeps the
//! last 16,384 leaves, whatever the size of its cache: a gigabyte of thumbnails. What was read and is
//! asked for again fills the lists.

use super::{Store, StoreError};

/// How much memory a leaf of a tree takes, sixteen values at most.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weight {
    /// Some kilobytes.
    Light,
    /// Some ten kilobytes.
    Heavy,
}

impl Weight {
    /// Returns how often each value is asked for again, in fourths: a tree that is walked keeps
    /// some twenty leaves for each list, or three.
    fn again(self) -> u32 {
        match self {
            Self::Light => 1,
            Self::Heavy => 8,
        }
    }
}

/// A tree to walk through.
#[derive(Clone)]
pub(super) struct Source {
    name: &'static str,
    tree: sled::Tree,
    weight: Weight,
}

/// A walk through a tree.
pub(super) struct Leaves {
    source: Source,
    entries: sled::Iter,
    /// How often something is to be asked for again, in fourths.
    owed: u32,
}

/// A key and its value.
pub(super) type Pair = (sled::IVec, sled::IVec);

impl Store {
    pub(super) fn source(&self, name: &'static str, weight: Weight) -> Result<Source, StoreError> {
        Ok(Source { name, tree: self.tree(name)?, weight })
    }
}

impl Source {
    /// Walks from the first key that is not before `key`.
    pub(super) fn leaves_from(&self, key: &[u8]) -> Leaves {
        // Whoever looks for a place and reads one value asks for that one again.
        Leaves { entries: self.tree.range(key..), source: self.clone(), owed: 3 }
    }
}

impl Leaves {
    fn read(&mut self, entry: sled::Result<Pair>) -> sled::Result<Pair> {
        let entry = entry?;
        self.owed += self.source.weight.again();
        while 4 <= self.owed {
            self.source.tree.contains_key(&entry.0)?;
            self.owed -= 4;
        }
        Ok(entry)
    }
}

impl Iterator for Leaves {
    type Item = Result<Pair, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        let tree = self.source.name;
        Some(self.read(entry).map_err(|source| StoreError::Read { tree, source }))
    }
}
