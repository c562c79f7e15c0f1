//! Fingerprints → how alike pictures are that may show the same.
//!
//! Every pair is looked at: within the hash distance it becomes a candidate, and candidates are
//! compared in earnest. Only hashes are held; what is compared is read when its turn comes. The
//! answer depends on the set alone, not on order, threads or what was compared before.

use std::{collections::BTreeMap, convert::Infallible};

use rayon::prelude::*;

use super::{
    compare::{self, Comparable},
    search::{self, Near, Shelf},
};
use crate::domain::{
    fingerprint::{Distance, Extent, Fingerprint, Likeness, Orientation, Similarity},
    id::BlobId,
    verdict::TwinPair,
};

/// How far apart two pictures may be and still be twins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The largest hash distance at which two pictures are compared at all.
    pub distance: Distance,
    /// The least similarity of twins.
    pub similarity: Similarity,
}

/// Measured on photographs, product shots and drawings: most copies reach 0.95, some with a
/// frame or a large mark stay below 0.9, and no stranger within the distance passed 0.86.
impl Default for Reach {
    fn default() -> Self {
        Self { distance: Distance(90), similarity: Similarity(900) }
    }
}

/// The hashes of many pictures, which go by numbers.
#[derive(Clone, Debug, Default)]
pub struct Hashes {
    /// Of whole pictures, and of what is inside their borders, as they lie.
    wholes: Shelf,
    parts: Shelf,
    plain: Shelf,
    /// What wholes are set against: wholes in all orientations, parts as they lie and mirrored.
    for_wholes: Shelf,
    /// What parts are set against: wholes as they lie and mirrored.
    for_parts: Shelf,
    n_pictures: usize,
}

/// Two pictures that were compared, by their numbers, the smaller first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alike {
    pub a: usize,
    pub b: usize,
    pub likeness: Likeness,
}

impl Hashes {
    /// Adds a picture; its number must be larger than those before. What is set against what
    /// follows [`Fingerprint::nearest`].
    pub fn push(&mut self, picture: usize, print: &Fingerprint) {
        let both = || [Orientation::UPRIGHT, Orientation::MIRRORED].into_iter();
        for view in &print.views {
            let laid = |orientation| (picture, view.hash.laid(orientation));
            match view.extent {
                Extent::Whole | Extent::Inner => {
                    self.wholes.push(picture, view.hash);
                    self.for_wholes.extend(Orientation::all().map(laid));
                    self.for_parts.extend(both().map(laid));
                }
                Extent::Part => {
                    self.parts.push(picture, view.hash);
                    self.for_wholes.extend(both().map(laid));
                }
                Extent::Plain => self.plain.push(picture, view.hash),
            }
        }
        self.n_pictures += 1;
    }

    pub fn n_pictures(&self) -> usize {
        self.n_pictures
    }

    /// Puts two sets together that have no picture in common.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        Self {
            wholes: self.wholes.merged(&other.wholes),
            parts: self.parts.merged(&other.parts),
            plain: self.plain.merged(&other.plain),
            for_wholes: self.for_wholes.merged(&other.for_wholes),
            for_parts: self.for_parts.merged(&other.for_parts),
            n_pictures: self.n_pictures + other.n_pictures,
        }
    }

    /// Finds for each of these pictures those of `others` after it, by number, that come near it.
    fn near(&self, others: &Self, within: Distance) -> Vec<Near> {
        let meetings = [
            (&self.wholes, &others.for_wholes),
            (&self.parts, &others.for_parts),
            (&self.plain, &others.plain),
        ];
        let near = meetings.map(|(rows, columns)| search::pairs(rows, columns, within));
        search::once(near.concat())
    }
}

/// Compares the pictures of `fresh` with each other and with those of `known`, and returns the
/// pairs within reach in rising order. Pairs of `known` are not looked at.
///
/// `read` fetches the fingerprint of a picture by its number; several threads ask at once.
pub fn likenesses<E: Send>(
    fresh: &Hashes,
    known: &Hashes,
    reach: Reach,
    read: impl Fn(usize) -> Result<Fingerprint, E> + Sync,
) -> Result<Vec<Alike>, E> {
    // Of two pictures that with the smaller number is compared as it lies, whichever is new.
    let meetings = [(fresh, fresh), (fresh, known), (known, fresh)];
    let near = meetings.map(|(rows, columns)| rows.near(columns, reach.distance)).concat();
    let near = search::once(near);
    let compare_all = |near: &[Near]| -> Result<Vec<Alike>, E> {
        let print = read(near[0].a)?;
        let ready = Comparable::new(&print);
        let mut alike = Vec::new();
        for &Near { a, b, .. } in near {
            let other = read(b)?;
            let nearest = print.nearest(&other);
            let laid = Comparable::as_hashed(&other, nearest);
            let Some(one) = compare::at_least(&ready, &laid, reach.similarity) else { continue };
            // Which of two strangers is laid over the other may make them look alike; twins
            // are alike either way, and the answer must not hang on their numbers.
            let laid = Comparable::as_hashed(&print, other.nearest(&print));
            let back = compare::at_least(&Comparable::new(&other), &laid, reach.similarity);
            let Some(back) = back else { continue };
            let likeness = Likeness { distance: nearest.distance, similarity: one.min(back) };
            alike.push(Alike { a, b, likeness });
        }
        Ok(alike)
    };
    let of_one = near.par_chunk_by(|one, other| one.a == other.a);
    Ok(of_one.map(compare_all).collect::<Result<Vec<_>, E>>()?.concat())
}

/// Finds all twins among fingerprints at hand, sorted by their ids, the smaller id of each pair
/// first.
pub fn find(prints: &BTreeMap<BlobId, Fingerprint>, reach: Reach) -> Vec<TwinPair> {
    let pictures: Vec<(&BlobId, &Fingerprint)> = prints.iter().collect();
    let mut hashes = Hashes::default();
    for (picture, (_, print)) in pictures.iter().enumerate() {
        hashes.push(picture, print);
    }
    let read = |picture: usize| Ok::<_, Infallible>(pictures[picture].1.clone());
    let Ok(alike) = likenesses(&hashes, &Hashes::default(), reach, read);
    let pair = |alike: Alike| TwinPair {
        a: *pictures[alike.a].0,
        b: *pictures[alike.b].0,
        distance: alike.likeness.distance,
        similarity: alike.likeness.similarity,
    };
    alike.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests;
