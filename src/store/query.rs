//! Questions several rooms ask of the store. What no listed place stands behind is not seen.

use std::{cmp::Reverse, collections::BTreeMap};

use rayon::prelude::*;
use serde::Deserialize;

use super::{
    Store, StoreError, Unread,
    schema::{RunName, SetRun},
};
use crate::domain::{
    classes::Classes,
    dataset::{Picture, Provenance},
    fingerprint::{Fingerprint, View},
    id::{BlobId, Label, Place, PostId},
    learning::suspects::Suspect,
    link::{Download, LinkId, MediaLink, MediaUrl, Resolution, Resolved},
    outcome::Outcome,
    picture::Crop,
    post::{Media, Post},
    split::{Placement, Split},
    verdict::{Ruling, Verdict},
};

/// A picture as one post showed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    pub link: LinkId,
    pub label: Label,
    pub media: MediaLink,
    pub place: Place,
    pub score: i64,
    pub created_utc: Option<i64>,
    pub author: Option<String>,
    /// The post it passes on.
    pub crosspost_of: Option<PostId>,
}

/// Returns the posts of listed places, one after the other.
pub fn posts<'a>(
    store: &'a Store,
    classes: &'a Classes,
) -> Result<impl Iterator<Item = Result<(PostId, Post), StoreError>> + use<'a>, StoreError> {
    let listed = |entry: &Result<(PostId, Post), StoreError>| {
        entry.as_ref().map_or(true, |(_, post)| classes.lists(post))
    };
    Ok(store.walk_notes::<Post>()?.filter(listed))
}

/// Returns every picture the posts point at, fetched or not, in the order of posts.
pub fn sightings<'a>(
    store: &'a Store,
    classes: &'a Classes,
) -> Result<impl Iterator<Item = Result<Sighting, StoreError>> + use<'a>, StoreError> {
    let seen = move |(id, post): (PostId, Post)| seen_in(store, classes, (&id, &post));
    Ok(posts(store, classes)?.flat_map(move |entry| match entry.and_then(seen) {
        Ok(seen) => seen.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }))
}

/// Returns the pictures one post points at.
fn seen_in(
    store: &Store,
    classes: &Classes,
    (id, post): (&PostId, &Post),
) -> Result<Vec<Sighting>, StoreError> {
    let settled = store.get::<Resolution>(id)?;
    let Some(Outcome::Made(resolution)) = settled.map(|settled| settled.outcome) else {
        return Ok(Vec::new());
    };
    // A class that was narrowed away or renamed is judged anew before it counts.
    let is_wanted = classes.labels().any(|label| *label == resolution.label);
    let items = if is_wanted { resolution.items } else { Vec::new() };
    let crosspost_of = parent(id, post);
    let seen = (0_u16..).zip(items).filter_map(|(index, item)| match item {
        Resolved::Link(media) => Some(Sighting {
            link: LinkId { post: id.clone(), index },
            label: resolution.label.clone(),
            media,
            place: resolution.place.clone(),
            score: post.score.unwrap_or_default(),
            created_utc: post.created_utc,
            author: post.author.clone(),
            crosspost_of: crosspost_of.clone(),
        }),
        Resolved::Rejected(_) => None,
    });
    Ok(seen.collect())
}

/// Names the post that a crosspost passes on, which is of the same site.
fn parent(id: &PostId, post: &Post) -> Option<PostId> {
    match &post.media {
        Media::Crosspost { of, .. } if !of.is_empty() => {
            Some(PostId(format!("{}:{of}", id.site())))
        }
        Media::Crosspost { .. }
        | Media::Link { .. }
        | Media::Gallery { .. }
        | Media::Video
        | Media::Text
        | Media::Removed { .. }
        | Media::File { .. }
        | Media::Packed { .. } => None,
    }
}

/// Returns which bytes an address brought.
pub fn blob_of(store: &Store, url: &MediaUrl) -> Result<Option<BlobId>, StoreError> {
    Ok(match store.get::<Download>(url)?.map(|settled| settled.outcome) {
        Some(Outcome::Made(download)) => Some(download.blob),
        Some(Outcome::Rejected(_) | Outcome::Failed(_)) | None => None,
    })
}

/// Returns which bytes each address brought.
pub fn blobs_by_url(store: &Store) -> Result<BTreeMap<MediaUrl, BlobId>, StoreError> {
    let mut blobs = BTreeMap::new();
    for entry in store.walk_settled::<Download>()? {
        let (url, settled) = entry?;
        if let Outcome::Made(download) = settled.outcome {
            blobs.insert(url, download.blob);
        }
    }
    Ok(blobs)
}

/// Returns the fetched pictures, each with all its sightings.
pub fn sightings_by_blob(
    store: &Store,
    classes: &Classes,
) -> Result<BTreeMap<BlobId, Vec<Sighting>>, StoreError> {
    let blobs = blobs_by_url(store)?;
    let mut by_blob: BTreeMap<BlobId, Vec<Sighting>> = BTreeMap::new();
    for sighting in sightings(store, classes)? {
        let sighting = sighting?;
        if let Some(blob) = blobs.get(&sighting.media.url) {
            by_blob.entry(*blob).or_default().push(sighting);
        }
    }
    Ok(by_blob)
}

/// Returns the finished dataset: kept, prepared and placed, in the order of the blobs.
pub fn dataset(store: &Store, classes: &Classes) -> Result<Vec<Picture>, StoreError> {
    let mut kept: BTreeMap<BlobId, (Verdict, Label)> = BTreeMap::new();
    for entry in store.walk_notes::<Verdict>()? {
        let (blob, verdict) = entry?;
        if let Ruling::Keep { label } = &verdict.ruling {
            let label = label.clone();
            kept.insert(blob, (verdict, label));
        }
    }
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let mut sources = best_sources(store, classes, |blob| kept.contains_key(blob))?;
    let placements: BTreeMap<BlobId, Placement> = store.notes()?.into_iter().collect();
    let crops: BTreeMap<BlobId, Crop> = store.made()?.into_iter().collect();
    let mut due = Vec::new();
    for (blob, (verdict, label)) in kept {
        // A class that was renamed or merged since is judged anew before it counts.
        if !classes.labels().any(|listed| *listed == label) {
            continue;
        }
        let (Some(Placement::In(split)), Some(crop)) = (placements.get(&blob), crops.get(&blob))
        else {
            continue;
        };
        let Some(provenance) = sources.remove(&blob) else { continue };
        due.push(Due { blob, label, split: *split, crop, group: verdict.leak_group, provenance });
    }
    let parts: Vec<Vec<Picture>> =
        due.par_chunks(PART).map(|part| finished(store, part)).collect::<Result<_, _>>()?;
    Ok(parts.into_iter().flatten().collect())
}

/// How many pictures are finished by one thread at a time.
const PART: usize = 512;

/// A picture of the dataset but for what its fingerprint tells.
struct Due<'a> {
    blob: BlobId,
    label: Label,
    split: Split,
    crop: &'a Crop,
    group: BlobId,
    provenance: Provenance,
}

/// What of a fingerprint an export tells. The rest is most of it, and is passed over.
#[derive(Deserialize)]
struct Outline {
    width_px: u32,
    height_px: u32,
    views: Vec<View>,
}

/// Fingerprints so near are walked to.
const NEAR: usize = 16;

/// Finishes pictures, which are in the order of their blobs. Fingerprints are read in a row:
/// asking for one at a time reads all that lie beside it every time.
fn finished(store: &Store, part: &[Due<'_>]) -> Result<Vec<Picture>, StoreError> {
    type Found = Result<(BlobId, Unread), StoreError>;
    let Some(first) = part.first() else { return Ok(Vec::new()) };
    let mut prints = store.walk_unread_from::<Fingerprint>(&first.blob)?.peekable();
    let mut pictures = Vec::with_capacity(part.len());
    for due in part {
        let is_before = |found: &Found| matches!(found, Ok((blob, _)) if *blob < due.blob);
        let is_it = |found: &Found| found.as_ref().map_or(true, |(blob, _)| *blob == due.blob);
        for _ in 0..NEAR {
            if prints.next_if(is_before).is_none() {
                break;
            }
        }
        if prints.peek().is_some_and(is_before) {
            prints = store.walk_unread_from::<Fingerprint>(&due.blob)?.peekable();
        }
        let Some(found) = prints.next_if(is_it) else { continue };
        let Outcome::Made(print) = found?.1.read::<Outline>()?.outcome else { continue };
        let Some(whole) = print.views.first() else { continue };
        pictures.push(Picture {
            blob: due.blob,
            label: due.label.clone(),
            split: due.split,
            crop: due.crop.clone(),
            hash: whole.hash,
            source_width_px: print.width_px,
            source_height_px: print.height_px,
            leak_group: due.group,
            provenance: due.provenance.clone(),
        });
    }
    Ok(pictures)
}

/// Finds the post each picture is owed to: of all that showed it, the best-loved; of equals the
/// earliest, then by id.
fn best_sources(
    store: &Store,
    classes: &Classes,
    is_asked: impl Fn(&BlobId) -> bool + Sync,
) -> Result<BTreeMap<BlobId, Provenance>, StoreError> {
    let found = posts(store, classes)?.par_bridge().try_fold(BTreeMap::new, |mut best, entry| {
        let (id, post) = entry?;
        for sighting in seen_in(store, classes, (&id, &post))? {
            let blob = blob_of(store, &sighting.media.url)?;
            if let Some(blob) = blob.filter(&is_asked) {
                keep_better(&mut best, blob, provenance(sighting, &post));
            }
        }
        Ok(best)
    });
    found.try_reduce(BTreeMap::new, |mut best, others| {
        for (blob, other) in others {
            keep_better(&mut best, blob, other);
        }
        Ok(best)
    })
}

fn keep_better(best: &mut BTreeMap<BlobId, Provenance>, blob: BlobId, other: Provenance) {
    let rank = |it: &Provenance| (Reverse(it.score), it.created_utc, it.post.clone(), it.index);
    if best.get(&blob).is_none_or(|known| rank(&other) < rank(known)) {
        best.insert(blob, other);
    }
}

pub fn fingerprint(store: &Store, blob: &BlobId) -> Result<Option<Fingerprint>, StoreError> {
    Ok(store.get::<Fingerprint>(blob)?.and_then(|settled| match settled.outcome {
        Outcome::Made(print) => Some(print),
        Outcome::Rejected(_) | Outcome::Failed(_) => None,
    }))
}

/// Returns the folder name of the model the last training made.
pub fn current_run(store: &Store) -> Result<Option<RunName>, StoreError> {
    Ok(store.note::<SetRun>(&"train".to_owned())?.map(|run| RunName::of(run.stamp)))
}

fn provenance(sighting: Sighting, post: &Post) -> Provenance {
    Provenance {
        post: sighting.link.post,
        index: sighting.link.index,
        place: sighting.place.0,
        title: post.title.clone(),
        author: sighting.author,
        permalink: post.permalink.clone(),
        url: sighting.media.url,
        created_utc: sighting.created_utc,
        score: sighting.score,
    }
}

/// Returns the doubted labels, the least believed first, of pictures that are still kept under them.
pub fn suspects(store: &Store) -> Result<Vec<(BlobId, Suspect)>, StoreError> {
    let mut found = Vec::new();
    for (blob, suspect) in store.notes::<Suspect>()? {
        let ruling = store.note::<Verdict>(&blob)?.map(|verdict| verdict.ruling);
        if matches!(ruling, Some(Ruling::Keep { label }) if label == suspect.given) {
            found.push((blob, suspect));
        }
    }
    found.sort_by_key(|(blob, suspect)| (suspect.rank, *blob));
    Ok(found)
}
