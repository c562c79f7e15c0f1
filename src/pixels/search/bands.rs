//! Cuts hashes into bands: of hashes that differ in few bits, some band differs in hardly any.
//!
//! If all of 16 bands differed in two bits or more, the hashes would differ in 32. So whoever
//! looks, band by band, at those whose band differs in one bit at most, meets every pair within
//! 31 bits, and of a million hashes only those few hundred that share a bucket or a neighbour.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    Hash, Hit, Shelf,
    lanes::{Block, LANES, Level},
};
use crate::domain::fingerprint::Distance;

/// How many bands a hash may be cut into; fewer would need more buckets than memory has room for.
const N_BANDS: Range<u32> = 11..33;

/// What things cost, as multiples of comparing two hashes in a tile.
const COST_OF_PAIR: u128 = 8;
const COST_OF_PROBE: u128 = 150;
const COST_OF_SORTING: u128 = 300;

/// How hashes are cut, and how much each band may differ.
#[derive(Debug)]
pub(super) struct Bands {
    bands: Vec<Band>,
    within: Distance,
}

/// Some bits of a hash one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Band {
    first_bit: u32,
    n_bits: u32,
    /// In how many bits the bands of near hashes may differ at most.
    radius: u32,
}

/// The hashes of a shelf sorted by one band, those of equal bands in the order they came.
struct Buckets {
    /// Where each bucket begins, and where the last one ends.
    starts: Vec<u32>,
    /// The places on the shelf.
    places: Vec<u32>,
}

impl Bands {
    /// Chooses how to cut hashes; nothing if it is cheaper to compare all with all.
    pub(super) fn worthwhile(n_rows: usize, n_columns: usize, within: Distance) -> Option<Self> {
        let wide = |n: usize| u128::try_from(n).expect("a count fits 128 bits");
        let (n_rows, n_columns) = (wide(n_rows), wide(n_columns));
        let best =
            N_BANDS.map(|n| Self::cut(n, within)).min_by_key(|it| it.cost(n_rows, n_columns))?;
        (best.cost(n_rows, n_columns) < n_rows * n_columns / 2).then_some(best)
    }

    /// Cuts a hash into `n` bands. Of `n` bands that together differ in `within` bits, one of the
    /// first differs in at most the n-th part of them, or one of the others in less than that.
    pub(super) fn cut(n: u32, within: Distance) -> Self {
        let (share, rest) = (within.0 / n, within.0 % n);
        let mut first_bit = 0;
        let mut bands = Vec::new();
        for at in 0..n {
            let n_bits = (256 - first_bit) / (n - at);
            let radius = if at <= rest { Some(share) } else { share.checked_sub(1) };
            bands.extend(radius.map(|radius| Band { first_bit, n_bits, radius }));
            first_bit += n_bits;
        }
        Self { bands, within }
    }

    fn cost(&self, n_rows: u128, n_columns: u128) -> u128 {
        let of_band = |band: &Band| {
            let n_buckets = 1_u128 << band.n_bits;
            let n_probes = band.n_differences();
            (n_rows + n_columns) * COST_OF_SORTING
                + n_buckets.min(n_rows) * n_probes * COST_OF_PROBE
                + n_probes * n_rows * n_columns / n_buckets * COST_OF_PAIR
        };
        self.bands.iter().map(of_band).sum()
    }

    /// Finds the hashes of later pictures in `columns` that lie near those in `rows`.
    ///
    /// Each band at work holds a sorted copy of both shelves.
    pub(super) fn join(&self, rows: &Shelf, columns: &Shelf, level: Level) -> Vec<Hit> {
        let hits = (0..self.bands.len()).into_par_iter().map(|at| {
            let mut hits = self.join_by(self.bands[at], rows, columns, level);
            // Near hashes agree in many bands and are told of once.
            hits.retain(|hit| {
                let (row, column) = (rows.hash(hit.row), columns.hash(hit.column));
                rows.pictures[hit.row] < columns.pictures[hit.column]
                    && !self.bands[..at].iter().any(|earlier| earlier.is_close(&row, &column))
            });
            hits
        });
        hits.collect::<Vec<_>>().concat()
    }

    fn join_by(&self, band: Band, rows: &Shelf, columns: &Shelf, level: Level) -> Vec<Hit> {
        let (own, others) = (Buckets::sort(rows, band), Buckets::sort(columns, band));
        let queries: Vec<Hash> = own.places.iter().map(|place| rows.hash(index(*place))).collect();
        let blocks = others.blocks(columns);
        let filled: Vec<usize> =
            (0..band.n_buckets()).filter(|bucket| !own.range(*bucket).is_empty()).collect();
        let (mut hits, mut found) = (Vec::new(), Vec::new());
        for difference in band.differences() {
            for bucket in &filled {
                let near = others.range(bucket ^ difference);
                if near.is_empty() {
                    continue;
                }
                let asked = own.range(*bucket);
                let first = near.start / LANES;
                let looked_at = &blocks[first..near.end.div_ceil(LANES)];
                level.scan(&queries[asked.clone()], looked_at, self.within.0, &mut found);
                for hit in found.drain(..) {
                    let column = first * LANES + hit.column;
                    if near.contains(&column) {
                        let row = index(own.places[asked.start + hit.row]);
                        let column = index(others.places[column]);
                        hits.push(Hit { row, column, distance: hit.distance });
                    }
                }
            }
        }
        hits
    }
}

impl Band {
    fn n_buckets(self) -> usize {
        1 << self.n_bits
    }

    /// Reads the band of a hash.
    fn of(self, hash: &Hash) -> usize {
        let (word, shift) = (index(self.first_bit / 64), self.first_bit % 64);
        let mut bits = hash[word] >> shift;
        if 64 < shift + self.n_bits {
            bits |= hash[word + 1] << (64 - shift);
        }
        let bits = bits & ((1 << self.n_bits) - 1);
        usize::try_from(bits).expect("a band has few bits")
    }

    fn is_close(self, a: &Hash, b: &Hash) -> bool {
        (self.of(a) ^ self.of(b)).count_ones() <= self.radius
    }

    /// Returns every difference within the radius, none first.
    fn differences(self) -> Vec<usize> {
        let mut all = vec![0];
        let mut last = vec![0_usize];
        for _ in 0..self.radius {
            // A further bit above the highest: each set of bits is made once.
            let above = |bits: usize| (usize::BITS - bits.leading_zeros())..self.n_bits;
            last = last.iter().flat_map(|&bits| above(bits).map(move |n| bits | 1 << n)).collect();
            all.extend(&last);
        }
        all
    }

    fn n_differences(self) -> u128 {
        let (mut sum, mut of_size) = (1, 1);
        for n in 0..u128::from(self.radius.min(self.n_bits)) {
            of_size = of_size * (u128::from(self.n_bits) - n) / (n + 1);
            sum += of_size;
        }
        sum
    }
}

impl Buckets {
    fn sort(shelf: &Shelf, band: Band) -> Self {
        let mut starts = vec![0_u32; band.n_buckets() + 1];
        for at in 0..shelf.len() {
            starts[band.of(&shelf.hash(at)) + 1] += 1;
        }
        for bucket in 0..band.n_buckets() {
            starts[bucket + 1] += starts[bucket];
        }
        let mut next = starts.clone();
        let mut places = vec![0; shelf.len()];
        for (at, place) in (0..shelf.len()).zip(0_u32..) {
            let next = &mut next[band.of(&shelf.hash(at))];
            places[index(*next)] = place;
            *next += 1;
        }
        Self { starts, places }
    }

    fn range(&self, bucket: usize) -> Range<usize> {
        index(self.starts[bucket])..index(self.starts[bucket + 1])
    }

    fn blocks(&self, from: &Shelf) -> Vec<Block> {
        let eight = |eight: &[u32]| {
            let mut filled = Block::default();
            for (lane, at) in eight.iter().enumerate() {
                filled.set(lane, from.hash(index(*at)));
            }
            filled
        };
        self.places.chunks(LANES).map(eight).collect()
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).expect("a shelf fits memory")
}
