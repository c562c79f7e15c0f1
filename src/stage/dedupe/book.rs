//! Which pictures were compared before, and what that gave: new ones meet all, old ones never
//! meet again.
//!
//! Of any two pictures in the book every likeness within its bounds is in the store. Whatever is
//! written is written in the order that keeps this true wherever it is cut off.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        fingerprint::{Likeness, Similarity},
        id::BlobId,
        verdict::TwinPair,
    },
    engine::Redo,
    pixels::twins::Reach,
    store::{
        Digest, Store, StoreError,
        schema::{Compared, Comparison, PairId},
    },
};

/// Likenesses down to this are kept: a similarity set anywhere above needs no new comparison,
/// and the report can show what lies just beyond.
const FLOOR: Similarity = Similarity(700);

/// The key of the only [`Comparison`].
const KEY: &str = "dedupe";

pub(super) struct Book<'a> {
    store: &'a Store,
    bounds: Comparison,
    pictures: BTreeSet<BlobId>,
}

impl<'a> Book<'a> {
    /// Opens the book and strikes out what does not hold for `prints` any more: pictures that are
    /// gone or look different now, and everything if it was compared within closer bounds.
    pub(super) fn open(
        store: &'a Store,
        wanted: Comparison,
        prints: &BTreeMap<BlobId, Digest>,
        redo: Redo,
    ) -> Result<Self, StoreError> {
        let last = store.note::<Comparison>(&KEY.to_owned())?;
        let is_enough = last.is_some_and(|last| redo == Redo::WhatChanged && last.covers(wanted));
        let mut pictures = BTreeSet::new();
        let mut outdated = Vec::new();
        for entry in store.walk_notes::<Compared>()? {
            let (blob, Compared(print)) = entry?;
            if is_enough && prints.get(&blob) == Some(&print) {
                pictures.insert(blob);
            } else {
                outdated.push(blob);
            }
        }
        store.remove_notes::<Compared>(&outdated)?;
        let book = Self { store, bounds: wanted, pictures };
        let mut orphans = Vec::new();
        for entry in store.walk_notes::<Likeness>()? {
            let (pair, _) = entry?;
            if !(book.knows(&pair.0) && book.knows(&pair.1)) {
                orphans.push(pair);
            }
        }
        store.remove_notes::<Likeness>(&orphans)?;
        // Pictures compared from now on are compared within these bounds, so the book promises no
        // more; while there are none it keeps what it has.
        if !is_enough || prints.keys().any(|blob| !book.knows(blob)) {
            store.put_notes::<Comparison>(&[(KEY.to_owned(), wanted)])?;
        }
        Ok(book)
    }

    pub(super) fn knows(&self, blob: &BlobId) -> bool {
        self.pictures.contains(blob)
    }

    /// Enters pictures that have met each other and every picture in the book.
    pub(super) fn enter(
        &mut self,
        pictures: &[(BlobId, Compared)],
        likenesses: &[(PairId, Likeness)],
    ) -> Result<(), StoreError> {
        self.store.put_notes(likenesses)?;
        self.store.put_notes(pictures)?;
        self.pictures.extend(pictures.iter().map(|(blob, _)| *blob));
        Ok(())
    }

    /// How far apart pictures are compared, and from which similarity on that is kept.
    pub(super) fn reach(&self) -> Reach {
        Reach { distance: self.bounds.distance, similarity: self.bounds.similarity }
    }

    /// Returns the pairs within `reach`, in order.
    pub(super) fn twins(&self, reach: Reach) -> Result<Vec<TwinPair>, StoreError> {
        let mut twins = Vec::new();
        for entry in self.store.walk_notes::<Likeness>()? {
            let (PairId(a, b), Likeness { distance, similarity }) = entry?;
            if distance <= reach.distance && reach.similarity <= similarity {
                twins.push(TwinPair { a, b, distance, similarity });
            }
        }
        Ok(twins)
    }
}

impl Comparison {
    /// Returns the bounds within which pictures must be compared to find the twins within `reach`.
    pub(super) fn within(reach: Reach, revision: u32) -> Self {
        Self { revision, distance: reach.distance, similarity: reach.similarity.min(FLOOR) }
    }

    fn covers(&self, wanted: Self) -> bool {
        self.revision == wanted.revision
            && wanted.distance <= self.distance
            && self.similarity <= wanted.similarity
    }
}
