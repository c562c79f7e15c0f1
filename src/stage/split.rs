//! All kept pictures → their side of the split, held by a lock that people commit.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        classes::Classes,
        id::{BlobId, Label, PostId},
        split::{self, Lock, Member, Placement, Shares, Split},
        verdict::{Ruling, Verdict, components},
    },
    engine::{SetStage, StageName, Work},
    store::{
        Stamp, Store, StoreError,
        files::{self, FileError},
        query,
    },
};

mod lockfile;

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

/// The `[split]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Table {
    pub ratio: Shares,
    pub group: GroupBy,
}

/// Which pictures stay on one side together, besides twins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupBy {
    /// Pictures of one post: a gallery shows one thing from many sides.
    #[default]
    Post,
    /// Only twins.
    Twin,
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
}

impl SetStage for Splitting<'_> {
    const NAME: StageName = StageName::Split;
    const REVISION: u32 = 1;
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
        let Recipe { table: Table { ratio, .. }, seed } = self.recipe;
        let (placements, lock) = split::decide(&input.members, &input.lock, ratio, seed);
        let summary = summary(&placements);
        files::write_atomic(&self.lock, lockfile::write(&lock).as_bytes())?;
        work.store.replace_notes::<Placement>(&placements.into_iter().collect::<Vec<_>>())?;
        Ok(summary)
    }

    fn input_afterwards(&self, store: &Store) -> Result<Option<Input>, SplitError> {
        self.input(store).map(Some)
    }
}

impl Splitting<'_> {
    /// Lists all judged pictures with their group: twins and, if wanted, pictures of one post.
    fn members(&self, store: &Store) -> Result<BTreeMap<BlobId, Member>, StoreError> {
        let verdicts: BTreeMap<BlobId, Verdict> = store.notes()?.into_iter().collect();
        let mut edges: Vec<(BlobId, BlobId)> =
            verdicts.iter().map(|(blob, verdict)| (*blob, verdict.leak_group)).collect();
        if self.recipe.table.group == GroupBy::Post {
            let mut first_of: BTreeMap<PostId, BlobId> = BTreeMap::new();
            for (blob, sightings) in query::sightings_by_blob(store, self.classes)? {
                for sighting in sightings {
                    let first = first_of.entry(sighting.link.post).or_insert(blob);
                    edges.push((blob, *first));
                }
            }
        }
        let groups = components(verdicts.keys(), edges.into_iter());
        let label = |verdict: &Verdict| -> Option<Label> {
            match &verdict.ruling {
                Ruling::Keep { label } => Some(label.clone()),
                Ruling::Drop(_) => None,
            }
        };
        Ok(verdicts
            .iter()
            .map(|(blob, verdict)| (*blob, Member { group: groups[blob], label: label(verdict) }))
            .collect())
    }
}

fn summary(placements: &BTreeMap<BlobId, Placement>) -> String {
    let count = |split: Split| {
        placements.values().filter(|placement| **placement == Placement::In(split)).count()
    };
    let counts = Split::ALL.map(|split| format!("{} {}", split.name(), count(split)));
    let n_leaks = placements.len() - Split::ALL.into_iter().map(count).sum::<usize>();
    let leaks = if n_leaks == 0 { String::new() } else { format!(", {n_leaks} leaks left out") };
    format!("{}{leaks}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When this fails, the same pictures go elsewhere than before: people's locks hold theirs,
    /// but raise [`Splitting::REVISION`] and write the new sides here.
    #[test]
    fn a_revision_stands_for_the_same_sides() {
        let blobs: Vec<BlobId> = (0_u8..8).map(|n| BlobId::of(&[n])).collect();
        let label = Label::new("cats").expect("a plain word");
        let member = |blob: &BlobId| (*blob, Member { group: *blob, label: Some(label.clone()) });
        let members = blobs.iter().map(member).collect();

        let (placements, _) = split::decide(&members, &Lock::new(), Shares::default(), 1337);

        let side = |blob: &BlobId| match placements[blob] {
            Placement::In(split) => split.name(),
            Placement::Leak { .. } => "leak",
        };
        let sides: Vec<&str> = blobs.iter().map(side).collect();
        assert_eq!(
            (Splitting::REVISION, sides.join(" ").as_str()),
            (1, "test train val train train train train train")
        );
    }
}
