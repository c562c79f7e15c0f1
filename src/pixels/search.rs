//! Hashes → the pairs of pictures whose hashes lie near each other, every one of them.
//!
//! Nothing is approximated: whichever way is taken, the answer is that of comparing every hash
//! with every other. Near hashes are found by their bands where that is cheaper, and by
//! comparing all, eight at a time, where hashes may lie so far apart that no band need agree.

use rayon::prelude::*;

use crate::domain::fingerprint::{Distance, PerceptualHash};

mod bands;
mod lanes;
mod tiles;

use bands::Bands;
use lanes::{Block, Hash, LANES, Level};

/// Hashes of pictures, in the order of their pictures.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    blocks: Vec<Block>,
    /// The picture each hash is of.
    pictures: Vec<u32>,
}

/// Two pictures that lie near each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Near {
    /// The pictures, by the numbers they were put on the shelves under, the smaller first.
    pub a: usize,
    pub b: usize,
    /// Of the nearest two of their hashes.
    pub distance: Distance,
}

/// A hash of the one shelf that lies near a hash of the other.
#[derive(Clone, Copy, Debug)]
struct Hit {
    row: usize,
    column: usize,
    distance: u32,
}

impl Shelf {
    /// Puts a hash behind the others; pictures come one after the other, in rising order.
    pub fn push(&mut self, picture: usize, hash: PerceptualHash) {
        let picture = u32::try_from(picture).expect("four thousand million pictures at most");
        assert!(self.pictures.last().is_none_or(|last| *last <= picture), "pictures in order");
        let at = self.len();
        if at.is_multiple_of(LANES) {
            self.blocks.push(Block::default());
        }
        self.blocks[at / LANES].set(at % LANES, hash.0);
        self.pictures.push(picture);
    }

    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// Puts the hashes of two shelves on one; no picture may be on both.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let mut merged = Self::default();
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some((left_picture, _)), Some((picture, _))) if picture < left_picture => {
                    right.next()
                }
                (Some(_), _) => left.next(),
                (None, _) => right.next(),
            };
            let Some(next) = next else { return merged };
            merged.extend([next]);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, PerceptualHash)> {
        let pictures = self.pictures.iter().map(|picture| number(*picture));
        pictures.zip((0..self.len()).map(|at| PerceptualHash(self.hash(at))))
    }

    fn hash(&self, at: usize) -> Hash {
        self.blocks[at / LANES].get(at % LANES)
    }

    /// Returns where the hashes of pictures after `picture` begin.
    fn first_after(&self, picture: u32) -> usize {
        self.pictures.partition_point(|it| *it <= picture)
    }
}

/// Extends from an iterator of pictures' numbers and hashes, in rising order.
impl Extend<(usize, PerceptualHash)> for Shelf {
    fn extend<I: IntoIterator<Item = (usize, PerceptualHash)>>(&mut self, hashes: I) {
        hashes.into_iter().for_each(|(picture, hash)| self.push(picture, hash));
    }
}

/// Finds for every picture on the shelf `rows` the pictures after it, by number, on the shelf
/// `columns` that have a hash within `within` of one of its own; each pair once, in rising order.
pub fn pairs(rows: &Shelf, columns: &Shelf, within: Distance) -> Vec<Near> {
    let level = Level::detect();
    match Bands::worthwhile(rows.len(), columns.len(), within) {
        Some(bands) => nearest(rows, columns, &bands.join(rows, columns, level)),
        None => {
            let near = tiles::cut(rows).into_par_iter().map(|range| {
                nearest(rows, columns, &tiles::join(rows, range, columns, within, level))
            });
            near.collect::<Vec<_>>().concat()
        }
    }
}

/// Keeps of each two pictures the nearest two hashes.
fn nearest(rows: &Shelf, columns: &Shelf, hits: &[Hit]) -> Vec<Near> {
    let near = |hit: &Hit| Near {
        a: number(rows.pictures[hit.row]),
        b: number(columns.pictures[hit.column]),
        distance: Distance(hit.distance),
    };
    once(hits.iter().map(near).collect())
}

/// Sorts pairs and leaves of those found several times the nearest.
pub(super) fn once(mut near: Vec<Near>) -> Vec<Near> {
    near.sort_unstable();
    near.dedup_by_key(|it| (it.a, it.b));
    near
}

fn number(picture: u32) -> usize {
    usize::try_from(picture).expect("it was made of one")
}

#[cfg(test)]
mod tests;
