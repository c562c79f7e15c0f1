//! Questions several rooms ask of the store. What no listed place stands behind is not seen.

use std::{cmp::Reverse, collections::BTreeMap, iter};

use rayon::prelude::*;
use serde::Deserialize;

use super::{
    Note as _, Records, Settled, Store, StoreError,
    derived::Question,
    leaves::Weight,
    schema::{RunName, SetRun},
    walk::read_note,
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
    split::Placement,
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
    let mut resolutions = store.records_in_order::<Resolution>()?;
    let mut seen =
        move |(id, post): (PostId, Post)| seen_in(&mut resolutions, classes, (&id, &post));
    Ok(posts(store, classes)?.flat_map(move |entry| match entry.and_then(&mut seen) {
        Ok(seen) => seen.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }))
}

/// Returns the pictures one post points at.
fn seen_in(
    resolutions: &mut Records<Resolution>,
    classes: &Classes,
    (id, post): (&PostId, &Post),
) -> Result<Vec<Sighting>, StoreError> {
    let settled = resolutions.get(id)?;
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
    Ok(made(store.get::<Download>(url)?).map(|download| download.blob))
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
    store.derived(Question::Dataset, classes, || gathered(store, classes))
}

/// Gathers the dataset from everything it comes from.
fn gathered(store: &Store, classes: &Classes) -> Result<Vec<Picture>, StoreError> {
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
    let due: Vec<Due> = kept
        .into_iter()
        // A class that was renamed or merged since is judged anew before it counts.
        .filter(|(_, (_, label))| classes.labels().any(|listed| listed == label))
        .filter_map(|(blob, (verdict, label))| {
            let provenance = sources.remove(&blob)?;
            Some(Due { blob, label, group: verdict.leak_group, provenance })
        })
        .collect();
    let parts: Vec<Vec<Picture>> =
        due.par_chunks(PART).map(|part| finished(store, part)).collect::<Result<_, _>>()?;
    Ok(parts.into_iter().flatten().collect())
}

/// How many pictures or posts one thread reads at a time.
const PART: usize = 512;

/// A picture of the dataset, if it is prepared and placed.
struct Due {
    blob: BlobId,
    label: Label,
    group: BlobId,
    provenance: Provenance,
}

/// What of a fingerprint an export tells.
#[derive(Deserialize)]
struct Outline {
    width_px: u32,
    height_px: u32,
    views: Vec<View>,
}

/// Finishes pictures, which are in the order of their blobs.
fn finished(store: &Store, part: &[Due]) -> Result<Vec<Picture>, StoreError> {
    let mut placements = store.notes_in_order::<Placement>()?;
    let mut crops = store.records_in_order::<Crop>()?;
    let mut prints = store.records_in_order::<Fingerprint>()?;
    let mut pictures = Vec::with_capacity(part.len());
    for Due { blob, label, group, provenance } in part {
        let Some(Placement::In(split)) = placements.get(blob)? else { continue };
        let Some(crop) = made(crops.get(blob)?) else { continue };
        let Some(print) = made(prints.part::<Outline>(blob)?) else { continue };
        let Some(whole) = print.views.first() else { continue };
        pictures.push(Picture {
            blob: *blob,
            label: label.clone(),
            split,
            crop,
            hash: whole.hash,
            source_width_px: print.width_px,
            source_height_px: print.height_px,
            leak_group: *group,
            provenance: provenance.clone(),
        });
    }
    Ok(pictures)
}

fn made<T>(settled: Option<Settled<T>>) -> Option<T> {
    match settled?.outcome {
        Outcome::Made(made) => Some(made),
        Outcome::Rejected(_) | Outcome::Failed(_) => None,
    }
}

/// Finds the post each picture is owed to: of all that showed it, the best-loved; of equals the
/// earliest, then by id.
fn best_sources(
    store: &Store,
    classes: &Classes,
    is_asked: impl Fn(&BlobId) -> bool + Sync,
) -> Result<BTreeMap<BlobId, Provenance>, StoreError> {
    let mut entries = store.source(Post::TREE, Weight::Light)?.leaves_from(&[]);
    let parts = iter::from_fn(move || {
        let part: Vec<Result<_, StoreError>> = entries.by_ref().take(PART).collect();
        (!part.is_empty()).then_some(part)
    });
    let found = parts.par_bridge().try_fold(BTreeMap::new, |mut best, part| {
        let mut resolutions = store.records_in_order::<Resolution>()?;
        for entry in part {
            let (id, post) = read_note::<Post>(entry)?;
            if !classes.lists(&post) {
                continue;
            }
            for sighting in seen_in(&mut resolutions, classes, (&id, &post))? {
                let blob = blob_of(store, &sighting.media.url)?;
                if let Some(blob) = blob.filter(&is_asked) {
                    keep_better(&mut best, blob, provenance(sighting, &post));
                }
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
    Ok(made(store.get(blob)?))
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
