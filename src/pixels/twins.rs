//! All fingerprints → the pairs of pictures that show the same.
//!
//! Every pair is looked at: within the hash distance it becomes a candidate, and candidates are
//! compared in earnest. The answer depends on the set alone, not on order or threads.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::compare::{self, Comparable};
use crate::domain::{
    fingerprint::{Distance, Fingerprint, Similarity},
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

/// Finds all twins, sorted by their ids, the smaller id of each pair first.
pub fn find(prints: &BTreeMap<BlobId, Fingerprint>, reach: Reach) -> Vec<TwinPair> {
    let prints: Vec<(&BlobId, &Fingerprint)> = prints.iter().collect();
    let twins_of = |at: usize| {
        let (a, print) = prints[at];
        let mut ready = None;
        let mut twins = Vec::new();
        for (b, other) in &prints[at + 1..] {
            let nearest = print.nearest(other);
            if reach.distance < nearest.distance {
                continue;
            }
            let ready = ready.get_or_insert_with(|| Comparable::new(print));
            let similarity = compare::compare(ready, &Comparable::as_hashed(other, nearest));
            if reach.similarity <= similarity {
                twins.push(TwinPair { a: *a, b: **b, distance: nearest.distance, similarity });
            }
        }
        twins
    };
    (0..prints.len()).into_par_iter().map(twins_of).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests;
