//! All kept pictures → their side of the split, held by a lock that people commit.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use crate::{
    domain::{
        classes::Classes,
        id::BlobId,
        split::{self, Lock, Member, Placement, Split, SplitFault},
    },
    engine::{SetStage, StageName, Work},
    store::{
        Stamp, Store, StoreError,
        files::{self, FileError},
        schema::Fold,
    },
};

mod groups;
mod lockfile;
mod table;

pub use table::{Bucket, GroupBy, Table, TableError};

/// The work of this room.
pub struct Splitting<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
    /// `pipelines/<name>.lock`.
    pub lock: PathBuf,
}

/// What can change where a picture goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recipe {
    pub table: Table,
    pub seed: u64,
}

#[derive(Serialize)]
pub struct Input {
    members: BTreeMap<BlobId, Member>,
    lock: Lock,
}

#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("the lock `{}` is damaged in line {line}: `{text}`", path.display())]
    Lock { path: PathBuf, line: usize, text: String },
    #[error("the lock `{}` was made by another way of splitting", path.display())]
    OtherMode { path: PathBuf, source: SplitFault },
    #[error(transparent)]
    Fault(SplitFault),
}

impl SplitError {
    /// Returns what can be done about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Lock { .. } | Self::OtherMode { .. } => {
                Some("restore the lock from version control, or remove it to split anew")
            }
            Self::Fault(_) => {
                Some("collect more of it, or set tiny in [split] to spread, train-only or drop")
            }
            Self::Store(_) | Self::File(_) => None,
        }
    }
}

impl SetStage for Splitting<'_> {
    const NAME: StageName = StageName::Split;
    const REVISION: u32 = 3;
    type Recipe = Recipe;
    type Input = Input;
    type Error = SplitError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn input(&self, store: &Store) -> Result<Input, SplitError> {
        let text = files::read_text_if_any(&self.lock)?.unwrap_or_default();
        let lock = lockfile::read(&text).map_err(|damage| SplitError::Lock {
            path: self.lock.clone(),
            line: damage.line,
            text: damage.text,
        })?;
        Ok(Input { members: self.members(store)?, lock })
    }

    async fn apply(
        &self,
        input: Input,
        _stamp: Stamp,
        work: Work<'_>,
    ) -> Result<String, SplitError> {
        let Recipe { table: Table { rule, .. }, seed } = self.recipe;
        let decided = split::decide(&input.members, &input.lock, &rule, seed);
        let decision = decided.map_err(|fault| match fault {
            SplitFault::ForeignSide { .. } => {
                SplitError::OtherMode { path: self.lock.clone(), source: fault }
            }
            SplitFault::TinyClass { .. } => SplitError::Fault(fault),
        })?;
        let summary = summary(&decision.placements);
        files::write_atomic(&self.lock, lockfile::write(&decision.lock).as_bytes())?;
        let folds: Vec<(BlobId, Fold)> =
            decision.folds.into_iter().map(|(blob, fold)| (blob, Fold(fold))).collect();
        work.store.replace_notes::<Fold>(&folds)?;
        let placements: Vec<(BlobId, Placement)> = decision.placements.into_iter().collect();
        work.store.replace_notes::<Placement>(&placements)?;
        Ok(summary)
    }

    fn input_afterwards(&self, store: &Store) -> Result<Option<Input>, SplitError> {
        self.input(store).map(Some)
    }
}

fn summary(placements: &BTreeMap<BlobId, Placement>) -> String {
    let count = |split: Split| {
        placements.values().filter(|placement| **placement == Placement::In(split)).count()
    };
    let counts = Split::ALL.map(|split| format!("{} {}", split.name(), count(split)));
    let n_left_out = |is_it: fn(&Placement) -> bool, why: &str| {
        let n = placements.values().filter(|placement| is_it(placement)).count();
        if n == 0 { String::new() } else { format!(", {n} {why} left out") }
    };
    let leaks = n_left_out(|it| matches!(it, Placement::Leak { .. }), "leaks");
    let tiny = n_left_out(|it| matches!(it, Placement::TooFew { .. }), "of tiny classes");
    format!("{}{leaks}{tiny}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{id::Label, split::Rule};

    /// When this fails, the same pictures go elsewhere than before: people's locks hold theirs,
    /// but raise [`Splitting::REVISION`] and write the new sides here.
    #[test]
    fn a_revision_stands_for_the_same_sides() {
        let blobs: Vec<BlobId> = (0_u8..8).map(|n| BlobId::of(&[n])).collect();
        let label = Label::new("cats").expect("a plain word");
        let member = |blob: &BlobId| (*blob, Member::new(*blob, Some(label.clone())));
        let members = blobs.iter().map(member).collect();

        let decision = split::decide(&members, &Lock::new(), &Rule::default(), 1337).unwrap();

        let sides: Vec<String> = blobs.iter().map(|blob| decision.lock[blob].to_string()).collect();
        assert_eq!(
            (Splitting::REVISION, sides.join(" ").as_str()),
            (3, "test train val train train train train train")
        );
    }
}
