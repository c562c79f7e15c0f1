//! Everything the page tells, read from the store once.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{
    PlantedReport, ReportError, ReportInput,
    gallery::Gallery,
    planted,
    runs::{self, Remembered},
    words,
};
use crate::{
    domain::{
        classes::Classes,
        dataset::Picture,
        fingerprint::{Fingerprint, Likeness},
        flaws,
        id::{BlobId, Label, Place, PostId},
        learning::{growth::LearningCurve, interval::RESAMPLING_SEED, suspects::Suspect},
        link::{Download, LinkId, MediaUrl, Trouble},
        outcome::Outcome,
        outliers::{self, Look, Outlier},
        post::Post,
        progress::Gap,
        review::{Decision, Review, Reviews, held},
        verdict::{DropReason, Ruling, TwinPair, Verdict},
    },
    store::{
        Settled, Store, StoreError, funnel,
        funnel::{Journey, Reason, StepName, Thing},
        ledger::{self, Account},
        query::{self, Sighting},
        reviews,
        schema::{Exported, Growth, Listing, PairId, Run, RunName},
    },
};

pub(super) struct Facts<'a> {
    pub input: &'a ReportInput<'a>,
    pub journey: Journey,
    pub pictures: Vec<Picture>,
    pub posts: BTreeMap<PostId, Post>,
    /// By bytes, the earliest first.
    pub sightings: BTreeMap<BlobId, Vec<Shown>>,
    /// Of addresses that brought nothing, or nothing new.
    post_of_url: BTreeMap<MediaUrl, PostId>,
    pub rulings: BTreeMap<BlobId, Ruling>,
    /// Everything people said of pictures.
    pub lines: Vec<Review>,
    /// The pairs that were found to show the same.
    pub pairs: Vec<TwinPair>,
    /// All pairs whose likeness is remembered, twins or not.
    pub compared: Vec<TwinPair>,
    /// The numbers of every measured picture, in the order of [`flaws::ROWS`].
    pub measures: Measures,
    pub outliers: Outliers,
    pub downloads: BTreeMap<BlobId, Brought>,
    pub listings: Vec<(Place, Settled<Listing>)>,
    pub accounts: Vec<Account>,
    pub gaps: Vec<Gap>,
    pub planted: Option<PlantedReport>,
    pub run: Option<(RunName, Run)>,
    /// All trainings, the oldest first.
    pub runs: Vec<Remembered>,
    pub growth: Option<LearningCurve>,
    /// The doubted labels, the least believed first.
    pub suspects: Vec<(BlobId, Suspect)>,
    pub exports: Vec<(String, Exported)>,
}

impl<'a> Facts<'a> {
    pub(super) fn read(input: &'a ReportInput<'a>) -> Result<Self, ReportError> {
        let (store, classes) = (input.store, input.classes);
        let (seen, prints) = rayon::join(|| Seen::read(store, classes), || prints(store));
        let Seen { sightings, post_of_url, downloads } = seen?;
        let mut prints = prints?;
        prints.retain(|it| sightings.contains_key(&it.blob));
        let mut rulings: BTreeMap<BlobId, Ruling> =
            store.notes::<Verdict>()?.into_iter().map(|(blob, it)| (blob, it.ruling)).collect();
        rulings.retain(|blob, _| sightings.contains_key(blob));
        let mut pairs: Vec<TwinPair> = store.notes()?.into_iter().map(|(_, pair)| pair).collect();
        pairs.retain(|it| sightings.contains_key(&it.a) && sightings.contains_key(&it.b));
        let compared = compared(input, &sightings)?;
        let mut listings = store.settled::<Listing>()?;
        listings.retain(|(place, _)| classes.lists_place(place));
        let mut gaps: Vec<Gap> = store.notes()?.into_iter().map(|(_, gap)| gap).collect();
        gaps.retain(|gap| classes.lists_place(&gap.place));
        let run = match query::current_run(store)? {
            Some(name) => store.note::<Run>(&name)?.map(|run| (name, run)),
            None => None,
        };
        let growth = store.notes::<Growth>()?.pop().and_then(|(_, growth)| {
            let is_of_run = run.as_ref().is_some_and(|(name, _)| *name == growth.run);
            is_of_run.then(|| LearningCurve::of(&growth.points, RESAMPLING_SEED)).flatten()
        });
        let lines = reviews::read(&input.reviews)?;
        let settled = Reviews::of(&lines).pictures;
        let mut suspects = query::suspects(store)?;
        suspects.retain(|(blob, _)| !settled.contains_key(blob));
        let ((journey, accounts), (pictures, outliers)) = rayon::join(
            || (funnel::journey(store, classes), ledger::accounts(store, classes)),
            || (query::dataset(store, classes), outliers::find(kept_looks(&prints, &rulings))),
        );
        Ok(Self {
            input,
            journey: journey?,
            pictures: pictures?,
            posts: query::posts(store, classes)?.collect::<Result<_, _>>()?,
            sightings,
            post_of_url,
            rulings,
            lines,
            compared,
            pairs,
            measures: prints.into_iter().map(|it| (it.blob, it.numbers)).collect(),
            outliers,
            downloads,
            listings,
            accounts: accounts?,
            gaps,
            planted: planted(store, classes)?,
            run,
            runs: runs::remembered(store)?,
            growth,
            suspects,
            exports: store.notes()?,
        })
    }

    pub(super) fn gallery(&self) -> Gallery<'a> {
        Gallery { layout: self.input.layout }
    }

    pub(super) fn count(&self, step: StepName) -> u64 {
        self.journey.step(step).map_or(0, |step| step.count)
    }

    pub(super) fn n_lost(&self, step: StepName, reason: &Reason) -> u64 {
        self.journey.step(step).map_or(0, |step| step.n_lost(reason))
    }

    /// Returns the pictures dropped as twins: the dropped one and its ruling.
    pub(super) fn twins(&self) -> impl Iterator<Item = (BlobId, &DropReason)> {
        self.dropped().filter(|(_, reason)| matches!(reason, DropReason::Twin { .. }))
    }

    pub(super) fn dropped(&self) -> impl Iterator<Item = (BlobId, &DropReason)> {
        self.rulings.iter().filter_map(|(blob, ruling)| match ruling {
            Ruling::Drop(reason) => Some((*blob, reason)),
            Ruling::Keep { .. } => None,
        })
    }

    /// Returns the decision about a picture that holds, if it was rejected.
    pub(super) fn rejection(&self, blob: &BlobId) -> Option<&Review> {
        let mut held = held(&self.lines).into_iter();
        held.find(|it| it.picture == *blob && matches!(it.decision, Decision::Reject { .. }))
    }

    pub(super) fn fingerprint(&self, blob: &BlobId) -> Result<Option<Fingerprint>, StoreError> {
        query::fingerprint(self.input.store, blob)
    }

    /// Returns the post a thing came from; of several the earliest.
    pub(super) fn post_of(&self, thing: &Thing) -> Option<(&PostId, &Post)> {
        let id = match thing {
            Thing::Post(post) | Thing::Link(LinkId { post, .. }) => post,
            Thing::Address(url) => self.post_of_url.get(url)?,
            Thing::Blob(blob) => &self.sightings.get(blob)?.first()?.link.post,
        };
        self.posts.get_key_value(id)
    }

    /// Returns what to call a picture where it cannot be seen.
    pub(super) fn alt(&self, blob: &BlobId) -> String {
        let post = self.post_of(&Thing::Blob(*blob));
        post.map_or_else(|| blob.short(), |(_, post)| words::shortened(&post.title, 100))
    }

    /// Writes size, weight, format and first poster of a picture, as it was fetched.
    pub(super) fn caption(&self, blob: &BlobId) -> Result<Markup, StoreError> {
        let print = self.fingerprint(blob)?;
        let download = self.downloads.get(blob);
        let seen = self.sightings.get(blob).map_or(0, Vec::len);
        Ok(html! {
            span.measures {
                @if let Some(print) = &print {
                    (print.width_px) "\u{d7}" (print.height_px) " " (print.format)
                }
                @if let Some(download) = download { " \u{b7} " (words::bytes(download.size_bytes)) }
            }
            @if let Some((id, post)) = self.post_of(&Thing::Blob(*blob)) {
                span.by {
                    (post_link(id, post))
                    @if let Some(author) = &post.author { " by " (author) }
                    " in " (words::list(&post.places))
                    @if let Some(created) = post.created_utc { ", " (day(created)) }
                    @if 1 < seen { ", and " (words::of(words::count(seen - 1), "more post")) }
                }
            }
        })
    }
}

/// What a page tells of a picture as one post showed it.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown {
    created_utc: Option<i64>,
    link: LinkId,
    pub label: Label,
}

/// What a page tells of a file that was fetched.
pub(super) struct Brought {
    blob: BlobId,
    size_bytes: u64,
    /// Seconds since 1970-01-01 UTC.
    pub retrieved_at: i64,
    /// What went wrong before it went right.
    pub troubles: BTreeSet<Trouble>,
}

/// What the posts show, and what of it was fetched.
struct Seen {
    sightings: BTreeMap<BlobId, Vec<Shown>>,
    post_of_url: BTreeMap<MediaUrl, PostId>,
    downloads: BTreeMap<BlobId, Brought>,
}

impl Seen {
    fn read(store: &Store, classes: &Classes) -> Result<Self, StoreError> {
        let fetched = brought(store)?;
        let mut sightings: BTreeMap<BlobId, Vec<Shown>> = BTreeMap::new();
        let mut post_of_url = BTreeMap::new();
        for sighting in query::sightings(store, classes)? {
            let Sighting { link, label, media, created_utc, .. } = sighting?;
            if let Some(brought) = fetched.get(&media.url) {
                let shown = Shown { created_utc, link: link.clone(), label };
                sightings.entry(brought.blob).or_default().push(shown);
            }
            post_of_url.entry(media.url).or_insert(link.post);
        }
        for seen in sightings.values_mut() {
            seen.sort_unstable();
        }
        let mut downloads = BTreeMap::new();
        let mut blobs = BTreeSet::new();
        for (url, brought) in fetched {
            let is_new = blobs.insert(brought.blob);
            // What brought something new was not lost, so nobody asks for its post.
            let is_seen = post_of_url.contains_key(&url);
            if is_new {
                post_of_url.remove(&url);
            }
            if is_seen {
                downloads.entry(brought.blob).or_insert(brought);
            }
        }
        Ok(Self { sightings, post_of_url, downloads })
    }
}

/// Returns what each address brought.
fn brought(store: &Store) -> Result<BTreeMap<MediaUrl, Brought>, StoreError> {
    let mut fetched = BTreeMap::new();
    for entry in store.walk_settled::<Download>()? {
        let (url, settled) = entry?;
        if let Outcome::Made(Download { blob, size_bytes, retrieved_at, troubles, .. }) =
            settled.outcome
        {
            fetched.insert(url, Brought { blob, size_bytes, retrieved_at, troubles });
        }
    }
    Ok(fetched)
}

type Measures = BTreeMap<BlobId, flaws::Numbers>;
type Outliers = BTreeMap<Label, Vec<Outlier>>;

/// Reads how alike the pictures are that were compared, twins or not.
fn compared(
    input: &ReportInput<'_>,
    sightings: &BTreeMap<BlobId, Vec<Shown>>,
) -> Result<Vec<TwinPair>, StoreError> {
    let mut compared = Vec::new();
    for entry in input.store.walk_notes::<Likeness>()? {
        let (PairId(a, b), Likeness { distance, similarity }) = entry?;
        if sightings.contains_key(&a) && sightings.contains_key(&b) {
            compared.push(TwinPair { a, b, distance, similarity });
        }
    }
    Ok(compared)
}

/// What the page tells of a fingerprint.
struct Print {
    blob: BlobId,
    look: Look,
    numbers: flaws::Numbers,
}

/// Reads the fingerprints one after the other and keeps their numbers.
fn prints(store: &Store) -> Result<Vec<Print>, StoreError> {
    let mut prints = Vec::new();
    for entry in store.walk_settled::<Fingerprint>()? {
        let (blob, settled) = entry?;
        if let Outcome::Made(print) = settled.outcome {
            prints.push(Print { blob, look: Look::of(&print), numbers: flaws::measured(&print) });
        }
    }
    Ok(prints)
}

/// Lists what the pictures that are kept look like.
fn kept_looks<'a>(
    prints: &[Print],
    rulings: &'a BTreeMap<BlobId, Ruling>,
) -> impl Iterator<Item = (BlobId, &'a Label, Look)> {
    prints.iter().filter_map(|it| match rulings.get(&it.blob) {
        Some(Ruling::Keep { label }) => Some((it.blob, label, it.look)),
        Some(Ruling::Drop(_)) | None => None,
    })
}

pub(super) fn day(seconds: i64) -> Markup {
    html! { time { (words::day(seconds)) } }
}

/// Writes a post's title, as a link where a person can follow it.
pub(super) fn post_link(id: &PostId, post: &Post) -> Markup {
    let title = if post.title.trim().is_empty() { &id.0 } else { &post.title };
    let title = words::shortened(title, 80);
    match web_address(id, post) {
        Some(address) => html! { a href=(address) rel="noopener noreferrer" { (title) } },
        None => html! { cite { (title) } },
    }
}

/// Returns the post's page; posts of the demo site have none, and files no address.
pub(super) fn web_address<'a>(id: &PostId, post: &'a Post) -> Option<&'a str> {
    let is_web = ["https://", "http://"].iter().any(|it| post.permalink.starts_with(it));
    (is_web && !id.0.starts_with("demo:")).then_some(post.permalink.as_str())
}
