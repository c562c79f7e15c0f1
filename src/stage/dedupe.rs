//! All fingerprints → a verdict on every picture. The search is in `pixels`, the decision in
//! `domain::verdict`; this room brings them together and writes down the result.
//!
//! Of every picture the hashes are held and no more; whatever was compared before is in the
//! [`Book`] and is not compared again.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use tokio::task::JoinError;

use crate::{
    domain::{
        classes::Classes,
        deletion::{Ghost, Removal, RemovedFor, Tombstone, recognised},
        fingerprint::{Distance, Fingerprint, Similarity},
        flaws::Limits,
        id::{BlobId, Label},
        outcome::Outcome,
        review::{Reviews, Ruled},
        verdict::{self, Candidate, DropReason, Ruling, TwinPair, Verdict, Worth},
    },
    engine::{
        Redo, SetStage, StageName, Work,
        events::{Event, Events},
        stop::Stop,
    },
    pixels::twins::{self, Alike, Hashes, Reach},
    store::{
        Digest, Ending, Stamp, Store, StoreError, query,
        reviews::{self, ReviewsError},
        schema::{Compared, Comparison, PairId},
        takedown,
    },
};

mod book;

use book::Book;

/// New pictures are compared and written down so many at a time: being cut off costs no more.
const BATCH: usize = 4096;

/// The work of this room.
pub struct Dedupe<'a> {
    pub recipe: Recipe,
    pub classes: &'a Classes,
    /// The file of what people decided, if there is one.
    pub reviews: PathBuf,
}

/// What makes a twin, and what is not worth keeping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Of 256 bits: pictures farther apart are never compared.
    pub distance: Distance,
    /// The least likeness of twins, in thousandths.
    pub similarity: Similarity,
    /// What a picture must be by itself.
    pub limits: Limits,
}

impl Default for Recipe {
    fn default() -> Self {
        let Reach { distance, similarity } = Reach::default();
        Self { distance, similarity, limits: Limits::default() }
    }
}

impl Recipe {
    /// Tells which setting cannot be followed.
    pub fn check(&self) -> Result<(), String> {
        if 128 < self.distance.0 {
            return Err(format!(
                "clean.distance = {}: use 0 to 128 of the 256 bits; strangers lie around 128",
                self.distance
            ));
        }
        if 1000 < self.similarity.0 {
            let thousandths = self.similarity.0;
            return Err(format!("clean.similarity = {thousandths}: use 0 to 1000 thousandths"));
        }
        self.limits.check()
    }
}

/// Every picture that decoded, and what is known of it besides its fingerprint.
#[derive(Serialize)]
pub struct Input {
    pictures: BTreeMap<BlobId, Shown>,
    /// Pictures that were taken back and must not return as a copy.
    ghosts: BTreeMap<BlobId, Ghost>,
    /// What people decided about these pictures: a line about any other changes nothing.
    #[serde(skip_serializing_if = "Reviews::is_empty")]
    reviews: Reviews,
}

/// How a picture was posted, and what its fingerprint was made of.
#[derive(Serialize)]
struct Shown {
    labels: BTreeSet<Label>,
    /// The score of the best post that showed it, and when that was made.
    post: (i64, Reverse<Option<i64>>),
    print: Stamp,
}

#[derive(Debug, thiserror::Error)]
pub enum DedupeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Reviews(#[from] ReviewsError),
    #[error(
        "`{}` says that picture {} shows `{label}`: no class `{label}`; classes are {}",
        path.display(), picture.short(), known.join(", ")
    )]
    NoSuchClass { path: PathBuf, picture: BlobId, label: Label, known: Vec<String> },
    #[error("the search for twins was broken off")]
    BrokenOff { source: JoinError },
    #[error("the fingerprint of {blob} went missing during the search for twins")]
    Missing { blob: BlobId },
    #[error("the search for twins was interrupted")]
    Interrupted,
}

impl DedupeError {
    /// Tells whether a person asked for the end.
    pub fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Store(_)
            | Self::Reviews(_)
            | Self::NoSuchClass { .. }
            | Self::BrokenOff { .. }
            | Self::Missing { .. } => false,
        }
    }
}

impl SetStage for Dedupe<'_> {
    const NAME: StageName = StageName::Dedupe;
    const REVISION: u32 = 5;
    type Recipe = Recipe;
    type Input = Input;
    type Error = DedupeError;

    fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    fn input(&self, store: &Store) -> Result<Input, DedupeError> {
        let mut pictures: BTreeMap<BlobId, Shown> = BTreeMap::new();
        for sighting in query::sightings(store, self.classes)? {
            let sighting = sighting?;
            let Some(blob) = query::blob_of(store, &sighting.media.url)? else { continue };
            let post = (sighting.score, Reverse(sighting.created_utc));
            if let Some(shown) = pictures.get_mut(&blob) {
                shown.labels.insert(sighting.label);
                shown.post = shown.post.max(post);
                continue;
            }
            // The stamp says all that the fingerprint was made of, and is read without it.
            let Some(head) = store.head::<Fingerprint>(&blob)? else { continue };
            if head.ending == Ending::Made {
                let labels = BTreeSet::from([sighting.label]);
                pictures.insert(blob, Shown { labels, post, print: head.stamp });
            }
        }
        let reviews = self.reviews(|blob| pictures.contains_key(blob))?;
        Ok(Input { pictures, ghosts: store.notes()?.into_iter().collect(), reviews })
    }

    async fn apply(
        &self,
        input: Input,
        _stamp: Stamp,
        work: Work<'_>,
    ) -> Result<String, DedupeError> {
        let (ghosts, reviews) = (input.ghosts.clone(), input.reviews.clone());
        let search = Search {
            store: work.store.clone(),
            recipe: self.recipe.clone(),
            redo: work.insistence.force,
            events: work.events.clone(),
            stop: work.stop.clone(),
        };
        let search = tokio::task::spawn_blocking(move || search.run(input));
        let (candidates, mut pairs) =
            search.await.map_err(|source| DedupeError::BrokenOff { source })??;
        pairs.retain(|pair| !reviews.are_strangers(pair.a, pair.b));
        let verdicts = verdict::decide(&candidates, &pairs, &reviews);
        let summary = summary(&verdicts);
        let pairs: Vec<(PairId, TwinPair)> =
            pairs.into_iter().map(|pair| (PairId(pair.a, pair.b), pair)).collect();
        remember_removals(work.store, &verdicts, &ghosts)?;
        work.store.replace_notes::<TwinPair>(&pairs)?;
        work.store.replace_notes::<Verdict>(&verdicts.into_iter().collect::<Vec<_>>())?;
        Ok(summary)
    }
}

impl Dedupe<'_> {
    /// Reads what holds of the pictures that are known.
    fn reviews(&self, is_known: impl Fn(&BlobId) -> bool) -> Result<Reviews, DedupeError> {
        let reviews = Reviews::of(&reviews::read(&self.reviews)?).about(is_known);
        for (picture, ruled) in &reviews.pictures {
            let Ruled::Relabel { label } = ruled else { continue };
            if !self.classes.labels().any(|known| known == label) {
                return Err(DedupeError::NoSuchClass {
                    path: self.reviews.clone(),
                    picture: *picture,
                    label: label.clone(),
                    known: self.classes.labels().map(ToString::to_string).collect(),
                });
            }
        }
        Ok(reviews)
    }
}

/// The part of the work that keeps processors busy.
struct Search {
    store: Store,
    recipe: Recipe,
    redo: Redo,
    events: Events,
    stop: Stop,
}

/// The pictures in the order of their ids, which gives them their numbers.
#[derive(Default)]
struct Gathered {
    candidates: BTreeMap<BlobId, Candidate>,
    pictures: Vec<(BlobId, Compared)>,
    known: Hashes,
    fresh: Vec<Batch>,
}

/// Pictures to be compared together.
#[derive(Default)]
struct Batch {
    numbers: Vec<usize>,
    hashes: Hashes,
}

impl Search {
    /// Compares what was not compared before, and returns all candidates and twins.
    fn run(
        &self,
        input: Input,
    ) -> Result<(BTreeMap<BlobId, Candidate>, Vec<TwinPair>), DedupeError> {
        let reach = Reach { distance: self.recipe.distance, similarity: self.recipe.similarity };
        let bounds = Comparison::within(reach, Dedupe::REVISION);
        let digest = |(blob, shown): (&BlobId, &Shown)| (*blob, Digest::of(&shown.print));
        let prints = input.pictures.iter().map(digest).collect();
        let mut book = Book::open(&self.store, bounds, &prints, self.redo)?;
        let Gathered { candidates, pictures, mut known, fresh } =
            self.gather(input, &prints, &book)?;
        let of = fresh.iter().map(|batch| count(batch.numbers.len())).sum();
        let mut done = 0;
        let read = |picture: usize| self.print_of(pictures[picture].0);
        for batch in fresh {
            if self.stop.is_asked() {
                return Err(DedupeError::Interrupted);
            }
            let alike = twins::likenesses(&batch.hashes, &known, book.reach(), read)?;
            let entry = |it: Alike| (PairId(pictures[it.a].0, pictures[it.b].0), it.likeness);
            let likenesses: Vec<_> = alike.into_iter().map(entry).collect();
            let entered: Vec<_> = batch.numbers.iter().map(|number| pictures[*number]).collect();
            book.enter(&entered, &likenesses)?;
            known = known.merged(&batch.hashes);
            done += count(entered.len());
            self.events.send(Event::Portion { stage: StageName::Dedupe, done, of });
        }
        Ok((candidates, book.twins(reach)?))
    }

    /// Reads all fingerprints, one after the other, and keeps what will be needed of them.
    fn gather(
        &self,
        mut input: Input,
        prints: &BTreeMap<BlobId, Digest>,
        book: &Book<'_>,
    ) -> Result<Gathered, DedupeError> {
        let mut gathered = Gathered::default();
        for entry in self.store.walk_brief::<Fingerprint>()? {
            let (blob, settled) = entry?;
            let Some(shown) = input.pictures.remove(&blob) else { continue };
            let Outcome::Made(print) = settled.outcome else { continue };
            let number = gathered.pictures.len();
            gathered.pictures.push((blob, Compared(prints[&blob])));
            if book.knows(&blob) {
                gathered.known.push(number, &print);
            } else {
                if gathered.fresh.last().is_none_or(|batch| batch.numbers.len() == BATCH) {
                    gathered.fresh.push(Batch::default());
                }
                let batch = gathered.fresh.last_mut().expect("one was added if there was none");
                batch.hashes.push(number, &print);
                batch.numbers.push(number);
            }
            let candidate = self.candidate(&print, shown, &input.ghosts);
            gathered.candidates.insert(blob, candidate);
        }
        match input.pictures.pop_first() {
            Some((blob, _)) => Err(DedupeError::Missing { blob }),
            None => Ok(gathered),
        }
    }

    fn candidate(
        &self,
        print: &Fingerprint,
        shown: Shown,
        ghosts: &BTreeMap<BlobId, Ghost>,
    ) -> Candidate {
        let Shown { labels, post: (score, created_utc), .. } = shown;
        let shorter_side_px = print.width_px.min(print.height_px);
        let flaw = match recognised(print, ghosts) {
            Some(of) => Some(DropReason::TakenBack { of }),
            None => self.recipe.limits.flaw(print).map(DropReason::Flawed),
        };
        Candidate { labels, worth: Worth { shorter_side_px, score, created_utc }, flaw }
    }

    fn print_of(&self, blob: BlobId) -> Result<Fingerprint, DedupeError> {
        query::fingerprint(&self.store, &blob)?.ok_or(DedupeError::Missing { blob })
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).expect("a length fits 64 bits")
}

/// Remembers which pictures of the dataset turned out to be copies of what was taken back.
fn remember_removals(
    store: &Store,
    verdicts: &BTreeMap<BlobId, Verdict>,
    ghosts: &BTreeMap<BlobId, Ghost>,
) -> Result<(), StoreError> {
    let mut removals = Vec::new();
    for (blob, verdict) in verdicts {
        let Ruling::Drop(DropReason::TakenBack { of }) = &verdict.ruling else { continue };
        let Some(ghost) = ghosts.get(of) else { continue };
        let tombstone = store.note::<Tombstone>(&ghost.post)?;
        let noticed_at = tombstone.map_or(0, |it| it.noticed_at);
        let why = RemovedFor::TwinTakenBack;
        let removal = takedown::removal(store, blob, why, noticed_at)?;
        removals.extend(removal.map(|it| (*blob, it)));
    }
    store.put_notes::<Removal>(&removals)
}

fn summary(verdicts: &BTreeMap<BlobId, Verdict>) -> String {
    let mut n_kept = 0_u64;
    let mut dropped: BTreeMap<&'static str, u64> = BTreeMap::new();
    for verdict in verdicts.values() {
        match &verdict.ruling {
            Ruling::Keep { .. } => n_kept += 1,
            Ruling::Drop(reason) => *dropped.entry(reason.kind()).or_default() += 1,
        }
    }
    let parts = dropped.iter().map(|(kind, n)| format!("{n} \u{d7} {kind}"));
    std::iter::once(format!("{n_kept} kept")).chain(parts).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
