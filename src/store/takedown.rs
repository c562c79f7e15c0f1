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
};
use crate::domain::{
    deletion::{Ghost, Removal, RemovedFor, Tombstone},
    fingerprint::Fingerprint,
    id::{BlobId, PostId},
    link::{Download, MediaUrl, Origin, Resolution, Resolved},
    outcome::{Outcome, Reject},
    picture::Crop,
    post::Post,
    split::Placement,
    verdict::{Ruling, Verdict},
};

#[derive(Debug, thiserror::Error)]
pub enum TakedownError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Forgets what posts said and remembers which pictures were theirs; returns those pictures.
///
/// A crosspost takes back only itself: the picture belongs to its parent.
pub fn take_back(
    store: &Store,
    gone: &BTreeMap<PostId, Tombstone>,
) -> Result<BTreeSet<BlobId>, StoreError> {
    let blobs = query::blobs_by_url(store)?;
    let mut ghosts: BTreeMap<BlobId, Ghost> = BTreeMap::new();
    let mut posts = Vec::new();
    let mut removals = Vec::new();
    for (id, tombstone) in gone {
        let Some(post) = store.note::<Post>(id)? else { continue };
        posts.push((id.clone(), post.taken_back(&tombstone.by)));
        for url in own_pictures(store, id)? {
            let Some(blob) = blobs.get(&url) else { continue };
            let hashes = query::fingerprint(store, blob)?.map(|print| print.hashes);
            let ghost = Ghost { post: id.clone(), hashes: hashes.unwrap_or_default() };
            ghosts.insert(*blob, ghost);
            if let Some(removal) = removal(store, blob, tombstone)? {
                removals.push((*blob, removal));
            }
        }
    }
    let of_ghosts = ghosts.keys().copied().collect();
    store.put_notes::<Ghost>(&ghosts.into_iter().collect::<Vec<_>>())?;
    store.put_notes::<Removal>(&removals)?;
    let tombstones: Vec<_> = gone.iter().map(|(id, it)| (id.clone(), it.clone())).collect();
    store.put_notes::<Tombstone>(&tombstones)?;
    store.put_notes::<Post>(&posts)?;
    Ok(of_ghosts)
}

fn own_pictures(store: &Store, post: &PostId) -> Result<Vec<MediaUrl>, StoreError> {
    let settled = store.get::<Resolution>(post)?.map(|settled| settled.outcome);
    let Some(Outcome::Made(resolution)) = settled else { return Ok(Vec::new()) };
    if resolution.origin == Origin::Crosspost {
        return Ok(Vec::new());
    }
    let addresses = resolution.items.into_iter().filter_map(|item| match item {
        Resolved::Link(link) => Some([Some(link.url), link.fallback]),
        Resolved::Rejected(_) => None,
    });
    Ok(addresses.flatten().flatten().collect())
}

/// Describes a picture as the dataset knows it; `None` if it is not in the dataset.
fn removal(
    store: &Store,
    blob: &BlobId,
    tombstone: &Tombstone,
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
    let noticed_on = crate::domain::day::Day::of(tombstone.noticed_at);
    Ok(Some(Removal { file_name, label, split, why: RemovedFor::PostTakenBack, noticed_on }))
}

/// Removes the files and records of every picture that was taken back; what is gone already is
/// passed by. Returns how many files went.
pub fn bury(store: &Store, layout: &Layout) -> Result<u64, TakedownError> {
    let ghosts: BTreeSet<BlobId> =
        store.notes::<Ghost>()?.into_iter().map(|(blob, _)| blob).collect();
    if ghosts.is_empty() {
        return Ok(0);
    }
    let mut n_files = 0;
    for blob in &ghosts {
        let crop = store.get::<Crop>(blob)?.map(|settled| settled.outcome);
        let crop = match crop {
            Some(Outcome::Made(crop)) => Some(layout.crop(&crop)),
            Some(Outcome::Rejected(_) | Outcome::Failed(_)) | None => None,
        };
        for path in [Some(layout.blob(blob)), crop].into_iter().flatten() {
            n_files += u64::from(path.exists());
            files::remove_if_any(&path)?;
        }
    }
    forget(store, &ghosts)?;
    Ok(n_files)
}

/// Removes the records of pictures; an address that brought one is known as taken back, so that
/// nobody asks for it again.
fn forget(store: &Store, ghosts: &BTreeSet<BlobId>) -> Result<(), StoreError> {
    let mut refused = Vec::new();
    for (url, settled) in store.settled::<Download>()? {
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
    store.remove_notes::<Verdict>(&blobs)?;
    store.remove_notes::<Placement>(&blobs)
}

#[cfg(test)]
mod tests;
