//! Taking back what came from deleted posts: records and files, through to the prepared pictures.
//!
//! What must be remembered is written first and the rest is removed after it, again and again if
//! need be, so that being killed in between leaves nothing behind for good.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Settled, Store, StoreError,
    files::{self, FileError},
    layout::Layout,
    query,
    schema::{Compared, Fold, RunName},
};
use crate::domain::{
    day::Day,
    deletion::{Ghost, Removal, RemovedFor, Tombstone},
    fingerprint::Fingerprint,
    id::{BlobId, PostId},
    learning::suspects::Suspect,
    link::{Download, MediaUrl},
    outcome::{Outcome, Reject},
    picture::Crop,
    post::Post,
    split::Placement,
    verdict::{Ruling, TwinPair, Verdict},
};

#[derive(Debug, thiserror::Error)]
pub enum TakedownError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// A post that is gone, and the addresses of the pictures that were its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub tombstone: Tombstone,
    pub addresses: Vec<MediaUrl>,
}

/// Forgets what posts said and remembers which pictures were theirs; returns those pictures, with
/// those known to show the same.
pub fn take_back(
    store: &Store,
    gone: &BTreeMap<PostId, Withdrawal>,
) -> Result<BTreeSet<BlobId>, StoreError> {
    let mut taken: BTreeMap<BlobId, (PostId, RemovedFor, i64)> = BTreeMap::new();
    let mut posts = Vec::new();
    for (id, Withdrawal { tombstone, addresses }) in gone {
        if let Some(post) = store.note::<Post>(id)? {
            posts.push((id.clone(), post.taken_back(&tombstone.by)));
        }
        for url in addresses {
            if let Some(blob) = query::blob_of(store, url)? {
                let why = RemovedFor::PostTakenBack;
                taken.insert(blob, (id.clone(), why, tombstone.noticed_at));
            }
        }
    }
    for entry in store.walk_notes::<TwinPair>()? {
        let (_, pair) = entry?;
        for (own, twin) in [(pair.a, pair.b), (pair.b, pair.a)] {
            if let Some((id, RemovedFor::PostTakenBack, at)) = taken.get(&own).cloned() {
                taken.entry(twin).or_insert((id, RemovedFor::TwinTakenBack, at));
            }
        }
    }
    let mut ghosts = Vec::new();
    let mut removals = Vec::new();
    for (blob, (post, why, noticed_at)) in &taken {
        let hashes = query::fingerprint(store, blob)?.map(|print| print.own_hashes().collect());
        ghosts.push((*blob, Ghost { post: post.clone(), hashes: hashes.unwrap_or_default() }));
        removals.extend(removal(store, blob, *why, *noticed_at)?.map(|it| (*blob, it)));
    }
    store.put_notes::<Ghost>(&ghosts)?;
    store.put_notes::<Removal>(&removals)?;
    let tombstones: Vec<_> =
        gone.iter().map(|(id, it)| (id.clone(), it.tombstone.clone())).collect();
    store.put_notes::<Tombstone>(&tombstones)?;
    store.put_notes::<Post>(&posts)?;
    Ok(taken.into_keys().collect())
}

/// Describes a picture as the dataset knows it; `None` if it is not in the dataset.
pub fn removal(
    store: &Store,
    blob: &BlobId,
    why: RemovedFor,
    noticed_at: i64,
) -> Result<Option<Removal>, StoreError> {
    let verdict = store.note::<Verdict>(blob)?.map(|verdict| verdict.ruling);
    let placement = store.note::<Placement>(blob)?;
    let crop = store.get::<Crop>(blob)?.map(|settled| settled.outcome);
    let (Some(Ruling::Keep { label }), Some(Placement::In(split)), Some(Outcome::Made(crop))) =
        (verdict, placement, crop)
    else {
        return Ok(None);
    };
    let file_name = crop.file_name(&label, blob);
    Ok(Some(Removal { file_name, label, split, why, noticed_on: Day::of(noticed_at) }))
}

/// Removes the files and records of every picture that was taken back, and every file no record
/// names any more; what is gone already is passed by. Returns how many files went.
pub fn bury(store: &Store, layout: &Layout) -> Result<u64, TakedownError> {
    let ghosts: BTreeSet<BlobId> =
        store.notes::<Ghost>()?.into_iter().map(|(blob, _)| blob).collect();
    if ghosts.is_empty() {
        return Ok(0);
    }
    forget(store, &ghosts)?;
    let mut named = BTreeSet::new();
    for entry in store.walk_settled::<Download>()? {
        if let Outcome::Made(download) = entry?.1.outcome {
            named.insert(layout.blob(&download.blob));
        }
    }
    for entry in store.walk_settled::<Crop>()? {
        if let Outcome::Made(crop) = entry?.1.outcome {
            named.insert(layout.crop(&crop));
        }
    }
    let mut n_files = bury_mistakes(layout, &ghosts)?;
    for folder in [layout.blobs(), layout.crops()] {
        for path in files::two_levels_below(&folder)? {
            if !named.contains(&path) {
                n_files += 1;
                files::remove_if_any(&path)?;
            }
        }
    }
    Ok(n_files)
}

/// Removes what shows the pictures beside models; returns how many files went.
fn bury_mistakes(layout: &Layout, ghosts: &BTreeSet<BlobId>) -> Result<u64, FileError> {
    let mut n_files = 0;
    for folder in files::entries(&layout.models())? {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        let run = RunName(name.to_owned());
        let paths = ghosts.iter().map(|blob| layout.mistake(&run, blob));
        for path in paths.filter(|path| path.exists()) {
            n_files += 1;
            files::remove_if_any(&path)?;
        }
    }
    Ok(n_files)
}

/// Removes the records of pictures; an address that brought one is known as taken back, so that
/// nobody asks for it again.
fn forget(store: &Store, ghosts: &BTreeSet<BlobId>) -> Result<(), StoreError> {
    let mut refused = Vec::new();
    for entry in store.walk_settled::<Download>()? {
        let (url, settled) = entry?;
        if let Outcome::Made(download) = &settled.outcome
            && ghosts.contains(&download.blob)
        {
            let outcome = Outcome::Rejected(Reject::TakenBack);
            refused.push((url, Settled { stamp: settled.stamp, outcome }));
        }
    }
    store.put_all::<Download>(&refused)?;
    let blobs: Vec<BlobId> = ghosts.iter().copied().collect();
    store.remove_records::<Fingerprint>(&blobs)?;
    store.remove_records::<Crop>(&blobs)?;
    store.remove_notes::<Compared>(&blobs)?;
    store.remove_notes::<Verdict>(&blobs)?;
    store.remove_notes::<Fold>(&blobs)?;
    store.remove_notes::<Suspect>(&blobs)?;
    store.remove_notes::<Placement>(&blobs)
}

#[cfg(test)]
mod tests;
