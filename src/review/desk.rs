//! Store → everything a review needs to know, in as little memory as it takes: the pictures, who
//! posted them, and the queues. Read once; afterwards the store is closed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::queues::{self, Item, Pair, Sources};
use crate::{
    domain::{
        classes::Classes,
        fingerprint::{Fingerprint, Likeness, Similarity},
        flaws::{self, Limits},
        id::{BlobId, Label, Place, PostId},
        learning::suspects::Suspect,
        outcome::Outcome,
        outliers::{self, Look, Outlier},
        post::Post,
        review::Queue,
        split::{Placement, Split},
        verdict::{DropReason, Ruling, TwinPair, Verdict},
    },
    store::{Store, StoreError, layout::Layout, query, schema::PairId},
};

/// How many fingerprints are read before the store is closed and opened again.
const PRINTS_AT_ONCE: usize = 8000;

/// What a desk is laid out from.
pub struct DeskInput<'a> {
    /// Where the store and the pictures are; nobody else may have the store open.
    pub layout: &'a Layout,
    pub classes: &'a Classes,
    pub title: &'a str,
    /// Where decisions are written.
    pub reviews: PathBuf,
    /// What the order of the audit is drawn from.
    pub seed: u64,
    /// The least likeness of twins.
    pub similarity: Similarity,
    /// What pictures are measured against.
    pub limits: &'a Limits,
}

/// All that can be looked at and what for.
pub struct Desk {
    pub(super) title: String,
    pub(super) layout: Layout,
    pub(super) reviews: PathBuf,
    pub(super) similarity: Similarity,
    pub(super) labels: Vec<Label>,
    pub(super) places: Vec<Place>,
    /// Ascending by digest.
    pub(super) cards: Vec<Card>,
    queues: BTreeMap<Queue, Vec<Item>>,
    /// Where each picture waits: picture, queue, place in the queue; ascending.
    waits: Vec<(CardId, Queue, u32)>,
}

/// The place of a picture among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CardId(u32);

/// What is known of one picture.
#[derive(Debug)]
pub(super) struct Card {
    pub blob: BlobId,
    /// Upright; 0 where the picture could not be measured.
    pub width_px: u32,
    pub height_px: u32,
    /// `None` where the picture was not judged yet.
    pub ruling: Option<Ruling>,
    pub split: Option<Split>,
    /// The earliest first.
    pub posts: Vec<Posted>,
}

/// Who showed a picture.
#[derive(Debug)]
pub(super) struct Posted {
    pub title: Box<str>,
    /// Empty where a person can open no page.
    pub link: Box<str>,
    pub place: u32,
    pub label: u32,
    pub created_utc: Option<i64>,
}

impl CardId {
    pub(super) fn of(place: usize) -> Self {
        Self(u32::try_from(place).expect("fewer pictures than 32 bits count"))
    }

    pub(super) fn place(self) -> usize {
        usize::try_from(self.0).expect("a 32-bit number fits")
    }
}

impl Desk {
    /// Reads all there is to review. What no listed place stands behind is not seen, nor what was
    /// taken back.
    pub fn read(input: &DeskInput<'_>) -> Result<Self, StoreError> {
        let store = Store::open(&input.layout.store())?;
        let mut desk = Self {
            title: input.title.to_owned(),
            layout: input.layout.clone(),
            reviews: input.reviews.clone(),
            similarity: input.similarity,
            labels: input.classes.labels().cloned().collect(),
            places: input.classes.places().into_iter().cloned().collect(),
            cards: Vec::new(),
            queues: BTreeMap::new(),
            waits: Vec::new(),
        };
        desk.cards = cards(&store, input.classes, &desk.places, &desk.labels)?;
        desk.place(&store)?;
        let (twins, strangers) = (desk.twins(&store)?, desk.strangers(&store)?);
        let suspects = desk.suspects(&store)?;
        drop(store);
        let (near, outliers) = desk.measure(input)?;
        let sources = Sources {
            cards: &desk.cards,
            labels: &desk.labels,
            limit: input.similarity,
            seed: input.seed,
            twins,
            strangers,
            suspects,
            near,
            outliers,
        };
        desk.queues = queues::all(&sources);
        for (queue, items) in &desk.queues {
            for (at, item) in (0..).zip(items) {
                desk.waits.push((item.picture, *queue, at));
                desk.waits.extend(item.beside.map(|beside| (beside, *queue, at)));
            }
        }
        desk.waits.sort_unstable();
        Ok(desk)
    }

    pub(super) fn card(&self, id: CardId) -> &Card {
        self.cards.get(id.place()).expect("only places of pictures are made")
    }

    pub(super) fn find(&self, blob: &BlobId) -> Option<CardId> {
        self.cards.binary_search_by_key(blob, |card| card.blob).ok().map(CardId::of)
    }

    pub(super) fn queue(&self, queue: Queue) -> &[Item] {
        self.queues.get(&queue).map_or(&[], Vec::as_slice)
    }

    /// Returns where a picture waits: queues and places in them.
    pub(super) fn waits(&self, id: CardId) -> impl Iterator<Item = (Queue, u32)> {
        let from = self.waits.partition_point(|(card, ..)| *card < id);
        let of_card = self.waits.iter().skip(from).take_while(move |(card, ..)| *card == id);
        of_card.map(|(_, queue, at)| (*queue, *at))
    }

    /// Returns the class a picture is shown under; none where it has several.
    pub(super) fn shown_as<'a>(&'a self, card: &'a Card) -> Option<&'a Label> {
        if let Some(Ruling::Keep { label }) = &card.ruling {
            return Some(label);
        }
        let mut labels = self.posted_as(card).into_iter();
        labels.next().filter(|_| labels.next().is_none())
    }

    /// Tells whether a picture was posted under this class and no other.
    pub(super) fn is_posted_as(&self, card: &Card, label: &Label) -> bool {
        self.posted_as(card) == BTreeSet::from([label])
    }

    /// Returns the classes a picture was posted under.
    pub(super) fn posted_as(&self, card: &Card) -> BTreeSet<&Label> {
        card.posts.iter().filter_map(|post| self.label(post.label)).collect()
    }

    pub(super) fn place_name(&self, place: u32) -> &str {
        let place = usize::try_from(place).ok().and_then(|place| self.places.get(place));
        place.map_or("", |place| place.0.as_str())
    }

    pub(super) fn label(&self, place: u32) -> Option<&Label> {
        self.labels.get(usize::try_from(place).ok()?)
    }

    /// Reads the fingerprints one after the other: sizes, what is near a limit, what stands out.
    fn measure(&mut self, input: &DeskInput<'_>) -> Result<(Near, Vec<Outlier>), StoreError> {
        let mut near = Vec::new();
        let mut looks = Vec::new();
        let mut next = self.cards.first().map(|card| card.blob);
        while let Some(first) = next.take() {
            // An open store keeps much of what was read in memory until it is closed.
            let store = Store::open(&input.layout.store())?;
            for (n, entry) in store.walk_settled_from::<Fingerprint>(&first)?.enumerate() {
                let (blob, settled) = entry?;
                if n == PRINTS_AT_ONCE {
                    next = Some(blob);
                    break;
                }
                let (Outcome::Made(print), Some(id)) = (settled.outcome, self.find(&blob)) else {
                    continue;
                };
                let card = self.cards.get_mut(id.place()).expect("it was just found");
                (card.width_px, card.height_px) = (print.width_px, print.height_px);
                if let Some(Ruling::Keep { label }) = &card.ruling {
                    looks.push((blob, label.clone(), Look::of(&print)));
                    let close = queues::nearest(&flaws::measured(&print), input.limits);
                    near.extend(close.map(|it| (id, it)));
                }
            }
        }
        let found = outliers::find(looks.iter().map(|(blob, label, look)| (*blob, label, *look)));
        Ok((near, found.into_values().flatten().collect()))
    }

    fn place(&mut self, store: &Store) -> Result<(), StoreError> {
        for entry in store.walk_notes::<Placement>()? {
            let (blob, placement) = entry?;
            let found = self.find(&blob).and_then(|id| self.cards.get_mut(id.place()));
            if let (Placement::In(split), Some(card)) = (placement, found) {
                card.split = Some(split);
            }
        }
        Ok(())
    }

    fn pair(&self, (a, b): (BlobId, BlobId), likeness: Likeness) -> Option<Pair> {
        Some(Pair { a: self.find(&a)?, b: self.find(&b)?, likeness })
    }

    fn twins(&self, store: &Store) -> Result<Vec<Pair>, StoreError> {
        let mut twins = Vec::new();
        for entry in store.walk_notes::<TwinPair>()? {
            let (_, TwinPair { a, b, distance, similarity }) = entry?;
            twins.extend(self.pair((a, b), Likeness { distance, similarity }));
        }
        Ok(twins)
    }

    /// Reads the pairs that are a little less alike than twins.
    fn strangers(&self, store: &Store) -> Result<Vec<Pair>, StoreError> {
        let mut strangers = Vec::new();
        for entry in store.walk_notes::<Likeness>()? {
            let (PairId(a, b), likeness) = entry?;
            if queues::is_just_below(likeness.similarity, self.similarity) {
                strangers.extend(self.pair((a, b), likeness));
            }
        }
        Ok(strangers)
    }

    fn suspects(&self, store: &Store) -> Result<Vec<(CardId, Suspect)>, StoreError> {
        let suspects = query::suspects(store)?.into_iter();
        Ok(suspects.filter_map(|(blob, suspect)| Some((self.find(&blob)?, suspect))).collect())
    }
}

/// Kept pictures that are close to a limit.
type Near = Vec<(CardId, queues::NearLimit)>;

/// Reads which pictures there are, who posted them, and how they were judged.
fn cards(
    store: &Store,
    classes: &Classes,
    places: &[Place],
    labels: &[Label],
) -> Result<Vec<Card>, StoreError> {
    let mut posts: BTreeMap<BlobId, Vec<Posted>> = BTreeMap::new();
    let mut latest: Option<(PostId, Post)> = None;
    for sighting in query::sightings(store, classes)? {
        let sighting = sighting?;
        let Some(blob) = query::blob_of(store, &sighting.media.url)? else { continue };
        let id = sighting.link.post;
        // The pictures of one post follow each other.
        if latest.as_ref().is_none_or(|(known, _)| *known != id) {
            latest = store.note::<Post>(&id)?.map(|post| (id.clone(), post));
        }
        let post = latest.as_ref().filter(|(known, _)| *known == id).map(|(_, post)| post);
        posts.entry(blob).or_default().push(Posted {
            title: post.map_or_else(|| id.0.clone(), |post| titled(&id, post)).into(),
            link: post.and_then(|post| web_address(&id, post)).unwrap_or_default().into(),
            place: position(places, &sighting.place),
            label: position(labels, &sighting.label),
            created_utc: sighting.created_utc,
        });
    }
    let mut rulings: BTreeMap<BlobId, Ruling> = BTreeMap::new();
    for entry in store.walk_notes::<Verdict>()? {
        let (blob, verdict) = entry?;
        rulings.insert(blob, verdict.ruling);
    }
    let card = |(blob, mut posts): (BlobId, Vec<Posted>)| {
        posts.sort_by_key(|post| post.created_utc);
        posts.shrink_to_fit();
        let ruling = rulings.remove(&blob);
        let is_gone = matches!(ruling, Some(Ruling::Drop(DropReason::TakenBack { .. })));
        let card = Card { blob, width_px: 0, height_px: 0, ruling, split: None, posts };
        (!is_gone).then_some(card)
    };
    Ok(posts.into_iter().filter_map(card).collect())
}

fn position<T: Ord>(ascending: &[T], wanted: &T) -> u32 {
    let place = ascending.binary_search(wanted).ok().and_then(|at| u32::try_from(at).ok());
    place.unwrap_or(u32::MAX)
}

fn titled(id: &PostId, post: &Post) -> String {
    let title = post.title.trim();
    if title.is_empty() { id.0.clone() } else { title.chars().take(200).collect() }
}

/// Returns the post's page; posts of the demo site have none, and files no address.
fn web_address(id: &PostId, post: &Post) -> Option<String> {
    let is_web = ["https://", "http://"].iter().any(|it| post.permalink.starts_with(it));
    (is_web && id.site() != "demo").then(|| post.permalink.clone())
}
