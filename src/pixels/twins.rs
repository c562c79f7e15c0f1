//! Fingerprints → how alike pictures are that may show the same.
//!
//! Every pair is looked at: within the hash distance it becomes a candidate, and candidates are
//! compared in earnest. Only hashes are held; what is compared is read when its turn comes. The
//! answer depends on the set alone, not on order, threads or what was compared before.

use std::{collections::BTreeMap, convert::Infallible};

use super::{
    compare::{self, Comparable},
    search::{self, Near, Shelf},
};
use crate::domain::{
    fingerprint::{Distance, Fingerprint, Likeness, Similarity},
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
    /// Of the pictures as they lie.
    own: Shelf,
    /// In all orientations.
    all: Shelf,
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
    /// Adds a picture; its number must be larger than those before.
    pub fn push(&mut self, picture: usize, print: &Fingerprint) {
        self.own.extend(print.own_hashes().map(|hash| (picture, hash)));
        self.all.extend(print.hashes.iter().map(|hash| (picture, *hash)));
        self.n_pictures += 1;
    }

    pub fn n_pictures(&self) -> usize {
        self.n_pictures
    }

    /// Puts two sets together that have no picture in common.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        Self {
            own: self.own.merged(&other.own),
            all: self.all.merged(&other.all),
            n_pictures: self.n_pictures + other.n_pictures,
        }
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
    let compare_all = |near: &[Near]| -> Result<Vec<Alike>, E> {
        let ready = Comparable::new(&read(near[0].a)?);
        let mut alike = Vec::new();
        for &Near { a, b, nearest } in near {
            let other = read(b)?;
            let similarity = compare::compare(&ready, &Comparable::as_hashed(&other, nearest.hash));
            if reach.similarity <= similarity {
                let likeness = Likeness { distance: nearest.distance, similarity };
                alike.push(Alike { a, b, likeness });
            }
        }
        Ok(alike)
    };
    let judge = |near: &[Near]| match compare_all(near) {
        Ok(alike) => alike.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    };
    // The picture with the smaller number is compared as it lies, whichever of both is new.
    let sides = [(&fresh.own, &fresh.all), (&fresh.own, &known.all), (&known.own, &fresh.all)];
    let found = sides.map(|(rows, columns)| search::pairs(rows, columns, reach.distance, judge));
    let mut alike = found.into_iter().flatten().collect::<Result<Vec<Alike>, E>>()?;
    alike.sort_unstable();
    Ok(alike)
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
