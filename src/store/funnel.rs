//! The narrowing from posts to the dataset: how many arrived at each step, and why the others
//! left. Reads the store only; what no listed place stands behind is not seen.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{Ending, Record, Settled, Store, StoreError, derived::Question, query};
use crate::domain::{
    classes::Classes,
    dataset::{Funnel, FunnelStep},
    fingerprint::Fingerprint,
    id::{BlobId, Label, PostId},
    link::{Download, LinkId, MediaUrl, Resolution, Resolved},
    outcome::{Outcome, Reject},
    picture::Crop,
    split::{Placement, Split},
    verdict::{Ruling, Verdict},
};

/// Everything that arrived at each step, with what was lost on the way to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journey {
    pub steps: Vec<Step>,
    pub classes: Vec<ClassCount>,
}

/// What became of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCount {
    pub label: Label,
    pub posts: u64,
    pub kept: u64,
    /// Pictures of the dataset; every split has its entry.
    pub splits: BTreeMap<Split, u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: StepName,
    pub count: u64,
    pub lost: BTreeMap<Reason, Vec<Loss>>,
}

/// What is counted at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepName {
    Posts,
    Links,
    Addresses,
    Fetched,
    Files,
    Readable,
    Kept,
    Dataset,
}

/// Why something did not reach the next step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    Rejected(&'static str),
    /// One picture of a gallery was rejected, not the post.
    InGallery(&'static str),
    SameAddress,
    SameBytes,
    Dropped(&'static str),
    Leak,
    TinyClass,
    Failed(String),
    NotDoneYet,
}

/// One thing that did not reach the next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    pub thing: Thing,
    /// The reason in full, with the measures it is about.
    pub detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Post(PostId),
    Link(LinkId),
    Address(MediaUrl),
    Blob(BlobId),
}

/// Counts what became of everything, in the order it happened.
pub fn funnel(store: &Store, classes: &Classes) -> Result<Funnel, StoreError> {
    let steps =
        store.derived(Question::Funnel, classes, || Ok(journey(store, classes)?.funnel().steps))?;
    Ok(Funnel { steps })
}

/// Counts posts, kept pictures and the pictures of each split, class by class.
pub fn by_class(store: &Store, classes: &Classes) -> Result<Vec<ClassCount>, StoreError> {
    Ok(journey(store, classes)?.classes)
}

/// Follows everything from its post to the dataset or to where it was lost.
pub fn journey(store: &Store, classes: &Classes) -> Result<Journey, StoreError> {
    let mut counts: BTreeMap<&Label, ClassCount> =
        classes.labels().map(|label| (label, ClassCount::new(label))).collect();
    let (posts, links) = links(store, classes, &mut counts)?;
    let (links, addresses) = addresses(links);
    let (addresses, fetched, blobs) = fetched(store, addresses)?;
    let (files, readable) = readable(store, blobs)?;
    let (readable, kept) = kept(store, readable)?;
    let (kept, dataset) = placed(store, kept, &mut counts)?;
    let steps = vec![posts, links, addresses, fetched, files, readable, kept, dataset];
    Ok(Journey { steps, classes: counts.into_values().collect() })
}

type Links = Vec<(LinkId, MediaUrl)>;

fn links(
    store: &Store,
    classes: &Classes,
    counts: &mut BTreeMap<&Label, ClassCount>,
) -> Result<(Step, Links), StoreError> {
    let mut step = Step::new(StepName::Posts);
    let mut links = Vec::new();
    let mut resolutions = store.records_in_order::<Resolution>()?;
    for entry in query::posts(store, classes)? {
        let (id, post) = entry?;
        step.count += 1;
        if let Some(count) = classes.counted_under(&post).and_then(|it| counts.get_mut(it)) {
            count.posts += 1;
        }
        let settled = resolutions.get(&id)?;
        let Some(resolution) = step.made(settled, Thing::Post(id.clone())) else { continue };
        for (index, item) in (0_u16..).zip(resolution.items) {
            let link = LinkId { post: id.clone(), index };
            match item {
                Resolved::Link(media) => links.push((link, media.url)),
                Resolved::Rejected(reject) => {
                    let reason = if matches!(reject, Reject::GalleryItem { .. }) {
                        Reason::Rejected(reject.kind())
                    } else {
                        Reason::InGallery(reject.kind())
                    };
                    step.lose(reason, Thing::Link(link), reject.to_string());
                }
            }
        }
    }
    Ok((step, links))
}

fn addresses(links: Links) -> (Step, BTreeSet<MediaUrl>) {
    let mut step = Step::new(StepName::Links);
    let mut addresses = BTreeSet::new();
    for (link, url) in links {
        step.count += 1;
        if addresses.contains(&url) {
            step.lose(Reason::SameAddress, Thing::Link(link), url.0);
        } else {
            addresses.insert(url);
        }
    }
    (step, addresses)
}

fn fetched(
    store: &Store,
    addresses: BTreeSet<MediaUrl>,
) -> Result<(Step, Step, BTreeSet<BlobId>), StoreError> {
    let mut step = Step::new(StepName::Addresses);
    let mut fetched = Step::new(StepName::Fetched);
    let mut blobs = BTreeSet::new();
    let mut downloads = store.records_in_order::<Download>()?;
    for url in addresses {
        step.count += 1;
        let settled = downloads.get(&url)?;
        let Some(download) = step.made(settled, Thing::Address(url.clone())) else { continue };
        fetched.count += 1;
        if !blobs.insert(download.blob) {
            let detail = format!("the bytes of {}", download.blob.short());
            fetched.lose(Reason::SameBytes, Thing::Address(url), detail);
        }
    }
    Ok((step, fetched, blobs))
}

fn readable(store: &Store, blobs: BTreeSet<BlobId>) -> Result<(Step, Vec<BlobId>), StoreError> {
    let mut step = Step::new(StepName::Files);
    let mut readable = Vec::new();
    let mut prints = store.records_in_order::<Fingerprint>()?;
    for blob in blobs {
        step.count += 1;
        // Of one that was made, only its being there counts.
        let is_made = prints.head(&blob)?.is_some_and(|head| head.ending == Ending::Made);
        if is_made || step.made(store.get::<Fingerprint>(&blob)?, Thing::Blob(blob)).is_some() {
            readable.push(blob);
        }
    }
    Ok((step, readable))
}

type Kept = Vec<(BlobId, Label)>;

fn kept(store: &Store, readable: Vec<BlobId>) -> Result<(Step, Kept), StoreError> {
    let mut step = Step::new(StepName::Readable);
    let mut kept = Vec::new();
    let mut verdicts = store.notes_in_order::<Verdict>()?;
    for blob in readable {
        step.count += 1;
        match verdicts.get(&blob)?.map(|verdict| verdict.ruling) {
            Some(Ruling::Keep { label }) => kept.push((blob, label)),
            Some(Ruling::Drop(reason)) => {
                step.lose(Reason::Dropped(reason.kind()), Thing::Blob(blob), reason.to_string());
            }
            None => step.lose(Reason::NotDoneYet, Thing::Blob(blob), String::new()),
        }
    }
    Ok((step, kept))
}

fn placed(
    store: &Store,
    kept: Kept,
    counts: &mut BTreeMap<&Label, ClassCount>,
) -> Result<(Step, Step), StoreError> {
    let mut step = Step::new(StepName::Kept);
    let mut dataset = Step::new(StepName::Dataset);
    let mut crops = store.records_in_order::<Crop>()?;
    let mut placements = store.notes_in_order::<Placement>()?;
    for (blob, label) in kept {
        step.count += 1;
        let mut count = counts.get_mut(&label);
        if let Some(count) = &mut count {
            count.kept += 1;
        }
        if step.made(crops.get(&blob)?, Thing::Blob(blob)).is_none() {
            continue;
        }
        match placements.get(&blob)? {
            Some(Placement::In(split)) => {
                dataset.count += 1;
                if let Some(count) = count {
                    *count.splits.entry(split).or_default() += 1;
                }
            }
            Some(placement @ Placement::Leak { locked, group_is_in, .. }) => {
                let reason = placement.reason().unwrap_or_default();
                let detail =
                    format!("{reason}: locked in {locked}, while its like are in {group_is_in}");
                step.lose(Reason::Leak, Thing::Blob(blob), detail);
            }
            Some(Placement::TooFew { groups }) => {
                let detail = format!("its class has {groups} groups of pictures");
                step.lose(Reason::TinyClass, Thing::Blob(blob), detail);
            }
            None => step.lose(Reason::NotDoneYet, Thing::Blob(blob), String::new()),
        }
    }
    Ok((step, dataset))
}

impl Journey {
    pub fn funnel(&self) -> Funnel {
        let steps = self.steps.iter().map(|step| FunnelStep {
            name: step.name.name().to_owned(),
            count: step.count,
            lost: step.largest().map(|(reason, n, _)| (reason.to_string(), n)).collect(),
        });
        Funnel { steps: steps.collect() }
    }

    pub fn step(&self, name: StepName) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

impl ClassCount {
    fn new(label: &Label) -> Self {
        let splits = Split::ALL.map(|split| (split, 0)).into();
        Self { label: label.clone(), posts: 0, kept: 0, splits }
    }

    /// Returns how many pictures of the dataset are of this class.
    pub fn pictures(&self) -> u64 {
        self.splits.values().sum()
    }
}

impl Step {
    fn new(name: StepName) -> Self {
        Self { name, count: 0, lost: BTreeMap::new() }
    }

    fn lose(&mut self, reason: Reason, thing: Thing, detail: String) {
        self.lost.entry(reason).or_default().push(Loss { thing, detail });
    }

    /// Returns what a stage made of a thing, or counts the thing as lost.
    fn made<R: Record>(&mut self, settled: Option<Settled<R>>, thing: Thing) -> Option<R> {
        let (reason, detail) = match settled.map(|settled| settled.outcome) {
            Some(Outcome::Made(record)) => return Some(record),
            Some(Outcome::Rejected(reject)) => {
                (Reason::Rejected(reject.kind()), reject.to_string())
            }
            Some(Outcome::Failed(failure)) => {
                // Without the name of the thing itself, so that equal troubles are counted as one.
                let trouble = failure.message.replace(&thing.to_string(), "\u{2026}");
                let end = if failure.transient { "will be tried again" } else { "given up" };
                let tries = if failure.attempts == 1 { "try" } else { "tries" };
                (Reason::Failed(trouble), format!("{} {tries}, {end}", failure.attempts))
            }
            None => (Reason::NotDoneYet, String::new()),
        };
        self.lose(reason, thing, detail);
        None
    }

    /// Returns the reasons with how many each took and which, the largest first.
    pub fn largest(&self) -> impl Iterator<Item = (&Reason, u64, &[Loss])> {
        let mut reasons: Vec<_> = self
            .lost
            .iter()
            .map(|(reason, lost)| (reason, n(lost.len()), lost.as_slice()))
            .collect();
        reasons.sort_by_key(|(reason, n, _)| (Reverse(*n), reason.to_string()));
        reasons.into_iter()
    }

    /// Returns how many were lost for one reason.
    pub fn n_lost(&self, reason: &Reason) -> u64 {
        self.lost.get(reason).map_or(0, |lost| n(lost.len()))
    }
}

fn n(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}

impl StepName {
    /// Returns what is counted, in the plural.
    pub fn name(self) -> &'static str {
        match self {
            Self::Posts => "posts",
            Self::Links => "picture links",
            Self::Addresses => "distinct addresses",
            Self::Fetched => "fetched",
            Self::Files => "distinct files",
            Self::Readable => "readable pictures",
            Self::Kept => "kept",
            Self::Dataset => "in the dataset",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(kind) | Self::Dropped(kind) => f.write_str(kind),
            Self::InGallery(kind) => write!(f, "in a gallery: {kind}"),
            Self::SameAddress => f.write_str("same address"),
            Self::SameBytes => f.write_str("same bytes (exact repost)"),
            Self::Leak => f.write_str("would leak between splits"),
            Self::TinyClass => f.write_str("its class is too small to be split"),
            Self::Failed(message) => write!(f, "failed: {message}"),
            Self::NotDoneYet => f.write_str("not done yet"),
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post(post) => post.fmt(f),
            Self::Link(link) => link.fmt(f),
            Self::Address(url) => url.fmt(f),
            Self::Blob(blob) => blob.fmt(f),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
