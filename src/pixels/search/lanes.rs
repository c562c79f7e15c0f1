//! Eight hashes at a time: whether any of many hashes lies near any of a few.
//!
//! The widest instructions the machine has are used; all ways give the same answer.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, _mm_setr_epi8, _mm256_add_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpgt_epi64, _mm256_min_epu32, _mm256_movemask_epi8, _mm256_sad_epu8, _mm256_set1_epi8,
    _mm256_set1_epi64x, _mm256_setr_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi16, _mm256_xor_si256, _mm512_add_epi64, _mm512_cmple_epu64_mask,
    _mm512_min_epu64, _mm512_popcnt_epi64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_xor_si512,
};

use super::Hit;

pub(super) const LANES: usize = 8;

/// Hashes asked about together: so many stay in registers.
const GROUP: usize = 4;

/// Blocks looked at before it is asked whether anything was near.
const STRIDE: usize = 4;

pub(super) type Hash = [u64; 4];

/// Eight hashes, word by word: the first words of all of them, then the second words.
#[repr(align(64))]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block([[u64; LANES]; 4]);

impl Block {
    pub(super) fn get(&self, lane: usize) -> Hash {
        self.0.map(|words| words[lane])
    }

    pub(super) fn set(&mut self, lane: usize, hash: Hash) {
        for (words, word) in self.0.iter_mut().zip(hash) {
            words[lane] = word;
        }
    }
}

/// Which instructions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    pub(super) fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::Plain)
    }

    /// Returns what this machine has, the fastest last.
    pub(super) fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "one level only"))]
        let mut levels = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq") {
                levels.push(Self::Avx512);
            }
        }
        levels
    }

    /// Adds to `hits` which of `queries` lie within `limit` of which hashes of `blocks`; both are
    /// numbered from 0, and what fills up the last block counts as well.
    pub(super) fn scan(self, queries: &[Hash], blocks: &[Block], limit: u32, hits: &mut Vec<Hit>) {
        match self {
            Self::Plain => scan_plain(queries, blocks, limit, hits),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::Avx512 => self.scan_wide(queries, blocks, limit, hits),
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "a level is only made after its instructions were detected")]
    fn scan_wide(self, queries: &[Hash], blocks: &[Block], limit: u32, hits: &mut Vec<Hit>) {
        match self {
            Self::Plain => scan_plain(queries, blocks, limit, hits),
            // SAFETY: `available` is the only place that makes these levels, and it asks the
            // machine for just the features that the functions are compiled for.
            Self::Avx2 => unsafe { scan_avx2(queries, blocks, limit, hits) },
            Self::Avx512 => unsafe { scan_avx512(queries, blocks, limit, hits) },
        }
    }
}

/// Looks from a few queries at a time, which `from` makes ready, at a few blocks at a time: whether
/// any of them is near; and looks closely where one is.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn scan<Look: Fn(&[Block]) -> bool>(
    queries: &[Hash],
    blocks: &[Block],
    limit: u32,
    hits: &mut Vec<Hit>,
    from: impl Fn([Hash; GROUP]) -> Look,
) {
    for (n, group) in queries.chunks(GROUP).enumerate() {
        let has_near = from(std::array::from_fn(|at| group[at.min(group.len() - 1)]));
        for (m, blocks) in blocks.chunks(STRIDE).enumerate() {
            if has_near(blocks) {
                let first = Hit { row: n * GROUP, column: m * STRIDE * LANES, distance: 0 };
                look_closely(group, blocks, limit, first, hits);
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn look_closely(group: &[Hash], blocks: &[Block], limit: u32, first: Hit, hits: &mut Vec<Hit>) {
    for (n, query) in group.iter().enumerate() {
        for (m, block) in blocks.iter().enumerate() {
            for lane in 0..LANES {
                let distance = distance(query, &block.get(lane));
                if distance <= limit {
                    let (row, column) = (first.row + n, first.column + m * LANES + lane);
                    hits.push(Hit { row, column, distance });
                }
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn distance(a: &Hash, b: &Hash) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

fn scan_plain(queries: &[Hash], blocks: &[Block], limit: u32, hits: &mut Vec<Hit>) {
    scan(queries, blocks, limit, hits, |queries| {
        let is_near = move |hash| queries.iter().any(|query| distance(query, &hash) <= limit);
        let has_near = move |block: &Block| (0..LANES).any(|lane| is_near(block.get(lane)));
        move |blocks: &[Block]| blocks.iter().any(&has_near)
    });
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vpopcntdq,popcnt")]
fn scan_avx512(queries: &[Hash], blocks: &[Block], limit: u32, hits: &mut Vec<Hit>) {
    let load = |words: &[u64; LANES]| {
        let word = |n: usize| words[n].cast_signed();
        _mm512_setr_epi64(word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7))
    };
    let spread = |[a, b, c, d]: Hash| {
        let spread = |word: u64| _mm512_set1_epi64(word.cast_signed());
        [spread(a), spread(b), spread(c), spread(d)]
    };
    scan(queries, blocks, limit, hits, |[a, b, c, d]| {
        let queries = [spread(a), spread(b), spread(c), spread(d)];
        move |blocks: &[Block]| {
            let mut least = _mm512_set1_epi64(i64::MAX);
            for Block([a, b, c, d]) in blocks {
                let words = [load(a), load(b), load(c), load(d)];
                for query in &queries {
                    let ones = |n: usize| _mm512_popcnt_epi64(_mm512_xor_si512(query[n], words[n]));
                    let front = _mm512_add_epi64(ones(0), ones(1));
                    let back = _mm512_add_epi64(ones(2), ones(3));
                    least = _mm512_min_epu64(least, _mm512_add_epi64(front, back));
                }
            }
            _mm512_cmple_epu64_mask(least, _mm512_set1_epi64(limit.into())) != 0
        }
    });
}

/// Counts ones by looking up half bytes; a byte holds at most 32 of them over the four words.
/// Hashes are parted into low and high halves before they meet, each once for several others.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn scan_avx2(queries: &[Hash], blocks: &[Block], limit: u32, hits: &mut Vec<Hit>) {
    let ones_of =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    let low = _mm256_set1_epi8(0x0f);
    let halves = |words: __m256i| {
        let high = _mm256_srli_epi16::<4>(words);
        [_mm256_and_si256(words, low), _mm256_and_si256(high, low)]
    };
    let load = |words: &[u64; LANES], first: usize| {
        let word = |n: usize| words[first + n].cast_signed();
        halves(_mm256_setr_epi64x(word(0), word(1), word(2), word(3)))
    };
    let spread = |[a, b, c, d]: Hash| {
        let spread = |word: u64| halves(_mm256_set1_epi64x(word.cast_signed()));
        [spread(a), spread(b), spread(c), spread(d)]
    };
    let ones = |query: [__m256i; 2], words: [__m256i; 2]| {
        let of =
            |half: usize| _mm256_shuffle_epi8(ones_of, _mm256_xor_si256(query[half], words[half]));
        _mm256_add_epi8(of(0), of(1))
    };
    scan(queries, blocks, limit, hits, |[a, b, c, d]| {
        let queries = [spread(a), spread(b), spread(c), spread(d)];
        move |blocks: &[Block]| {
            let mut least = _mm256_set1_epi64x(i64::MAX);
            for Block([a, b, c, d]) in blocks {
                for first in [0, LANES / 2] {
                    let words = [load(a, first), load(b, first), load(c, first), load(d, first)];
                    for query in &queries {
                        let ones = |n: usize| ones(query[n], words[n]);
                        let front = _mm256_add_epi8(ones(0), ones(1));
                        let bytes = _mm256_add_epi8(front, _mm256_add_epi8(ones(2), ones(3)));
                        let sums = _mm256_sad_epu8(bytes, _mm256_setzero_si256());
                        // A sum fills no more than the lower half of its lane, the upper is 0.
                        least = _mm256_min_epu32(least, sums);
                    }
                }
            }
            let far = _mm256_cmpgt_epi64(least, _mm256_set1_epi64x(limit.into()));
            _mm256_movemask_epi8(far) != -1
        }
    });
}
