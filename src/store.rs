//! The memory of the program: typed trees over sled, and files named by content.
//!
//! The only room that knows sled. Everyone else sees [`Record`]s (results of a stage, with the
//! stamp of what went into them) and [`Note`]s (everything else that is remembered).

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::domain::{
    id::PostId,
    outcome::{Failure, Outcome},
    post::Post,
};

pub mod answers;
pub mod crops;
mod codec;
mod derived;
pub mod files;
pub mod funnel;
pub mod layout;
mod leaves;
pub mod ledger;
pub mod query;
pub mod reviews;
pub mod schema;
pub mod takedown;
mod walk;

pub use codec::{Digest, Ending, Head, Stamp};
use files::FileError;
use leaves::Weight;
use schema::Withdrawn;
use walk::complete;
pub use walk::{Notes, Records};

/// A record kind: what a stage makes of an item, and the tree it lives in.
pub trait Record: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The tree's name ends in its format version; a new shape is a new version.
    const TREE: &'static str;
    type Key: Key;

    /// The tree of what is large about a result and asked for seldom, if there is such a part:
    /// sled reads whatever lies beside a result with it.
    const ANNEX: Option<&'static str> = None;

    /// Returns the part that goes there.
    fn annex(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Takes the part back that [`Self::annex`] gave; `None` if it is no such part.
    fn with_annex(self, _annex: &[u8]) -> Option<Self> {
        Some(self)
    }
}

/// A thing remembered without a stamp: listed posts, results of whole-set stages.
pub trait Note: Serialize + DeserializeOwned {
    const TREE: &'static str;
    type Key: Key;
}

/// A key that keeps its order as bytes.
pub trait Key: Sized + Clone + Ord + Send + Sync + 'static {
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// What a stage made of an item, with the [`Stamp`] of everything that went into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled<T> {
    pub stamp: Stamp,
    pub outcome: Outcome<T>,
}

/// A result and the key that finds it.
pub type Entry<R> = (<R as Record>::Key, Settled<R>);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store at `{}` is in use by another process", path.display())]
    Busy { path: PathBuf },
    #[error("could not open the store at `{}`", path.display())]
    Open { path: PathBuf, source: sled::Error },
    #[error(transparent)]
    File(#[from] FileError),
    #[error("could not read tree `{tree}`")]
    Read { tree: &'static str, source: sled::Error },
    #[error("could not write tree `{tree}`")]
    Write { tree: &'static str, source: sled::Error },
    #[error("a record in tree `{tree}` does not have the shape of its version")]
    Shape { tree: &'static str, source: serde_json::Error },
    #[error("a record in tree `{tree}` is cut short")]
    Short { tree: &'static str },
    #[error("a key in tree `{tree}` does not have the shape of its version")]
    KeyShape { tree: &'static str },
    #[error("could not flush the store")]
    Flush { source: sled::Error },
}

/// sled's cache takes several times what it is told; the system caches the file besides.
const CACHE_BYTES: u64 = 4 << 20;

/// A store in use is asked for again so often, and so long apart.
const BUSY_TRIES: u32 = 20;
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// An open store; a clone is another hand on the same one.
#[derive(Clone)]
pub struct Store {
    db: sled::Db,
    /// Seen by every hand on the store.
    changes: Arc<derived::Changes>,
}

impl Store {
    /// Opens or creates the store in folder `path`; one process at a time.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // A store just let go of is not free at once: its threads end in their own time.
        let mut n_left = BUSY_TRIES;
        loop {
            match Self::open_now(path) {
                Err(StoreError::Busy { .. }) if 0 < n_left => {
                    n_left -= 1;
                    thread::sleep(BUSY_PAUSE);
                }
                opened => return opened,
            }
        }
    }

    fn open_now(path: &Path) -> Result<Self, StoreError> {
        // Flushes are ours, after each batch: a timer would only hide a forgotten one.
        let config =
            sled::Config::new().path(path).flush_every_ms(None).cache_capacity(CACHE_BYTES);
        let mut opened = config.open();
        if let Err(sled::Error::Corruption { .. }) = opened
            && remove_half_snapshots(path)?
        {
            opened = config.open();
        }
        let db = opened.map_err(|source| {
            let path = path.to_owned();
            if let sled::Error::Io(error) = &source
                && is_locked(error)
            {
                return StoreError::Busy { path };
            }
            StoreError::Open { path, source }
        })?;
        for tree in schema::OUTDATED {
            db.drop_tree(tree).map_err(|source| StoreError::Write { tree, source })?;
        }
        Ok(Self { db, changes: Arc::default() })
    }

    /// Reads the stamp and the kind of ending of a result without reading the result.
    pub fn head<R: Record>(&self, key: &R::Key) -> Result<Option<Head>, StoreError> {
        self.bytes(R::TREE, &key.to_bytes())?.map(|bytes| codec::head(R::TREE, &bytes)).transpose()
    }

    pub fn get<R: Record>(&self, key: &R::Key) -> Result<Option<Settled<R>>, StoreError> {
        let key = key.to_bytes();
        let Some(bytes) = self.bytes(R::TREE, &key)? else { return Ok(None) };
        let settled = codec::decode(R::TREE, &bytes)?;
        let annex = |tree| self.bytes(tree, &key)?.ok_or(StoreError::Short { tree });
        complete(settled, annex).map(Some)
    }

    /// Counts the results of one kind by how they ended.
    pub fn endings<R: Record>(&self) -> Result<Vec<(Ending, u64)>, StoreError> {
        let endings: Vec<Ending> = self
            .walk_heads::<R>()?
            .map(|entry| entry.map(|(_, head)| head.ending))
            .collect::<Result<_, _>>()?;
        let count = |ending: Ending| endings.iter().filter(|it| **it == ending).count();
        let number = |n: usize| u64::try_from(n).expect("a length fits 64 bits");
        Ok(Ending::ALL.into_iter().map(|ending| (ending, number(count(ending)))).collect())
    }

    /// Writes results and returns once the disk has them. Each is there whole or not at all; of
    /// several, a crash may leave the first ones only. Over an older result, it may leave the new
    /// annex behind the old stamp: what has another stamp is made anew anyway.
    pub fn put_all<R: Record>(&self, batch: &[Entry<R>]) -> Result<(), StoreError> {
        if let Some(tree) = R::ANNEX {
            // First, so that no crash leaves a result without.
            let annexes = batch.iter().map(|(key, settled)| {
                let annex = match &settled.outcome {
                    Outcome::Made(record) => Some(record.annex()),
                    Outcome::Rejected(_) | Outcome::Failed(_) => None,
                };
                Ok((key.to_bytes(), annex))
            });
            self.insert(tree, annexes)?;
        }
        let encoded =
            batch.iter().map(|(key, it)| Ok((key.to_bytes(), Some(codec::encode(R::TREE, it)?))));
        self.write(R::TREE, encoded)
    }

    pub fn note<N: Note>(&self, key: &N::Key) -> Result<Option<N>, StoreError> {
        self.bytes(N::TREE, &key.to_bytes())?
            .map(|bytes| codec::decode_note(N::TREE, &bytes))
            .transpose()
    }

    /// Writes notes and returns once the disk has them, in order as [`Store::put_all`] does.
    pub fn put_notes<N: Note>(&self, batch: &[(N::Key, N)]) -> Result<(), StoreError> {
        let encoded = batch
            .iter()
            .map(|(key, note)| Ok((key.to_bytes(), Some(codec::encode_note(N::TREE, note)?))));
        self.write(N::TREE, encoded)
    }

    /// Writes posts, each united with what was known of it. A post that is told as removed and
    /// showed something before is remembered as [`Withdrawn`].
    pub fn merge_posts(&self, batch: &[(PostId, Post)]) -> Result<(), StoreError> {
        let mut told: BTreeMap<&PostId, Post> = BTreeMap::new();
        let mut withdrawn = Vec::new();
        for (id, post) in batch {
            let known = match told.remove(id) {
                Some(earlier) => Some(earlier),
                None => self.note(id)?,
            };
            let post = post.clone();
            let post = match known {
                Some(known) => {
                    let shown = (!known.is_removed()).then(|| known.clone());
                    let post = post.merged(known);
                    if let Some(shown) = shown.filter(|_| post.is_removed()) {
                        withdrawn.push((id.clone(), Withdrawn(shown)));
                    }
                    post
                }
                None => post,
            };
            told.insert(id, post);
        }
        let united: Vec<(PostId, Post)> =
            told.into_iter().map(|(id, post)| (id.clone(), post)).collect();
        // Written first: what a post showed is forgotten with the post.
        self.put_notes::<Withdrawn>(&withdrawn)?;
        self.put_notes(&united)
    }

    pub fn remove_notes<N: Note>(&self, keys: &[N::Key]) -> Result<(), StoreError> {
        self.write(N::TREE, keys.iter().map(|key| Ok((key.to_bytes(), None))))
    }

    pub fn remove_records<R: Record>(&self, keys: &[R::Key]) -> Result<(), StoreError> {
        let removed = || keys.iter().map(|key| Ok((key.to_bytes(), None)));
        self.insert(R::TREE, removed())?;
        self.write(R::ANNEX.unwrap_or(R::TREE), removed())
    }

    /// Makes `notes` the whole content of their tree. A crash may leave some of the old ones and
    /// some of the new; whoever calls this remembers only afterwards that it is done.
    pub fn replace_notes<N: Note>(&self, notes: &[(N::Key, N)]) -> Result<(), StoreError> {
        let fresh: std::collections::BTreeSet<Vec<u8>> =
            notes.iter().map(|(key, _)| key.to_bytes()).collect();
        let mut outdated = Vec::new();
        for entry in self.source(N::TREE, Weight::Light)?.leaves_from(&[]) {
            let (key, _) = entry?;
            if !fresh.contains(key.as_ref()) {
                outdated.push(key.to_vec());
            }
        }
        self.write(N::TREE, outdated.into_iter().map(|key| Ok((key, None))))?;
        self.put_notes(notes)
    }

    /// Writes values, and removes where there is none; returns once the disk has them.
    fn write(
        &self,
        tree: &'static str,
        values: impl Iterator<Item = Result<(Vec<u8>, Option<Vec<u8>>), StoreError>>,
    ) -> Result<(), StoreError> {
        self.insert(tree, values)?;
        self.db.flush().map_err(|source| StoreError::Flush { source })?;
        Ok(())
    }

    /// Writes without waiting for the disk; what was derived from this tree is forgotten.
    fn insert(
        &self,
        tree: &'static str,
        values: impl Iterator<Item = Result<(Vec<u8>, Option<Vec<u8>>), StoreError>>,
    ) -> Result<(), StoreError> {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        self.outdate(tree)?;
        let written = self.insert_all(tree, values);
        self.outdate(tree)?;
        written
    }

    /// Writes one by one: sled keeps all that a batch replaced in memory until the batch ends, and
    /// with a million records never gives it back.
    fn insert_all(
        &self,
        tree: &'static str,
        values: impl Iterator<Item = Result<(Vec<u8>, Option<Vec<u8>>), StoreError>>,
    ) -> Result<(), StoreError> {
        let opened = self.tree(tree)?;
        for value in values {
            let written = match value? {
                (key, Some(bytes)) => opened.insert(key, bytes),
                (key, None) => opened.remove(key),
            };
            written.map_err(|source| StoreError::Write { tree, source })?;
        }
        Ok(())
    }

    fn bytes(&self, tree: &'static str, key: &[u8]) -> Result<Option<sled::IVec>, StoreError> {
        self.tree(tree)?.get(key).map_err(|source| StoreError::Read { tree, source })
    }

    fn tree(&self, tree: &'static str) -> Result<sled::Tree, StoreError> {
        self.db.open_tree(tree).map_err(|source| StoreError::Read { tree, source })
    }
}

/// Removes what sled left of a snapshot of its page table that a kill or a full disk cut short: it
/// takes that for the newest one. The one before it is whole, and what came after is in the log.
/// Returns whether there was any.
fn remove_half_snapshots(path: &Path) -> Result<bool, StoreError> {
    let mut has_removed = false;
    for file in files::entries(path)? {
        let name = file.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|it| it.starts_with("snap.") && it.ends_with(".generating")) {
            files::remove_if_any(&file)?;
            has_removed = true;
        }
    }
    Ok(has_removed)
}

/// sled reports a taken file lock as an I/O error whose kind says nothing.
fn is_locked(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
        || error.to_string().contains("could not acquire lock")
}

impl<T> Settled<T> {
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            Outcome::Failed(failure) => Some(failure),
            Outcome::Made(_) | Outcome::Rejected(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
