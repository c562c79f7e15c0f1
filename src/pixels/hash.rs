//! Grey levels → 256 bits: the signs of the slowest waves of the cosine transform.
//!
//! A sign needs no threshold taken from the picture, so mirroring or turning the picture changes
//! known bits: one hash stands for all eight ways to lay it. Everything is counted in whole
//! numbers, so that every machine gives the same bits.

use std::{
    f64::consts::PI,
    ops::{Add, Sub},
    sync::LazyLock,
};

use super::wide::widely;
use crate::domain::fingerprint::PerceptualHash;

/// The side of the square that is hashed.
pub(super) const SIDE_PX: usize = 64;

const HALF_PX: usize = SIDE_PX / 2;

/// How many half waves are told apart in each direction.
const N_WAVES: usize = 16;

/// The first halves of the waves, in steps of 1/4096: the sum of 64 levels by a wave fits 32 bits.
/// The other half of an even wave is its mirror image, that of an odd one also upside down.
static WAVES: LazyLock<[[i16; HALF_PX]; N_WAVES]> = LazyLock::new(|| {
    let number = |n: usize| f64::from(u32::try_from(n).expect("a small number"));
    std::array::from_fn(|wave| {
        std::array::from_fn(|at| {
            let phase = PI * (number(at) + 0.5) * number(wave) / number(SIDE_PX);
            rounded(phase.cos() * 4096.0)
        })
    })
});

#[expect(clippy::cast_possible_truncation, reason = "between -4096 and 4096")]
fn rounded(value: f64) -> i16 {
    value.round() as i16
}

/// Hashes a square of grey levels, given row by row.
pub(super) fn hash(levels: &[u8]) -> PerceptualHash {
    assert_eq!(levels.len(), SIDE_PX * SIDE_PX, "a square of {SIDE_PX}");
    let waves = &*WAVES;
    PerceptualHash(widely(
        #[inline(always)]
        || signs(waves, levels),
    ))
}

/// Returns the bits of all waves that are positive sums.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn signs(waves: &[[i16; HALF_PX]; N_WAVES], levels: &[u8]) -> [u64; 4] {
    let mut rows = [[0_i32; SIDE_PX]; N_WAVES];
    for (y, row) in levels.as_chunks::<SIDE_PX>().0.iter().enumerate() {
        let row = folded(&row.map(i16::from));
        for (n, (wave, sums)) in waves.iter().zip(&mut rows).enumerate() {
            // Products of narrow numbers are added in pairs at once.
            sums[y] =
                wave.iter().zip(&row[n % 2]).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        }
    }
    let mut words = [0_u64; 4];
    for (u, sums) in rows.iter().enumerate() {
        let sums = folded(sums);
        for (v, wave) in waves.iter().enumerate() {
            let products = wave.iter().zip(&sums[v % 2]);
            let sum: i64 = products.map(|(wave, sum)| i64::from(*wave) * i64::from(*sum)).sum();
            // The mean level is no wave; its bit stays empty.
            if 0 < sum && 0 < u + v {
                words[v / 4] |= 1 << (v % 4 * N_WAVES + u);
            }
        }
    }
    words
}

/// Lays the second half over the first, for even waves and for odd ones.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be compiled for the instructions of its caller")]
fn folded<T>(line: &[T; SIDE_PX]) -> [[T; HALF_PX]; 2]
where
    T: Copy + Default + Add<Output = T> + Sub<Output = T>,
{
    let mut halves = [[T::default(); HALF_PX]; 2];
    for at in 0..HALF_PX {
        let (first, second) = (line[at], line[SIDE_PX - 1 - at]);
        (halves[0][at], halves[1][at]) = (first + second, first - second);
    }
    halves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::fingerprint::{Distance, Orientation},
        pixels::edits::Dice,
    };

    fn noise(seed: u64) -> Vec<u8> {
        let mut dice = Dice(seed);
        (0..SIDE_PX * SIDE_PX).map(|_| u8::try_from(dice.below(256)).unwrap()).collect()
    }

    #[test]
    fn bits_are_the_signs_of_whole_waves() {
        let levels = noise(9);
        let at = |place: usize| f64::from(u32::try_from(place).unwrap());
        let wave = |n: usize, place: usize| (PI * (at(place) + 0.5) * at(n) / 64.0).cos();
        let found = hash(&levels).0;

        let mut n_told = 0;
        for (u, v) in (0..N_WAVES).flat_map(|v| (0..N_WAVES).map(move |u| (u, v))).skip(1) {
            let part = |(place, level): (usize, &u8)| {
                f64::from(*level) * wave(u, place % 64) * wave(v, place / 64)
            };
            let sum: f64 = levels.iter().enumerate().map(part).sum();
            // The waves are rounded: a sum this small may have either sign.
            if 50.0 < sum.abs() {
                let bit = found[v / 4] >> (v % 4 * N_WAVES + u) & 1;
                assert_eq!(bit == 1, 0.0 < sum, "{u} {v}: {sum}");
                n_told += 1;
            }
        }
        assert!(240 < n_told, "{n_told}");
    }

    #[test]
    fn a_hash_is_laid_as_its_picture_is() {
        let levels = noise(1);

        for orientation in Orientation::all() {
            let laid = hash(&orientation.lay(&levels));
            assert!(hash(&levels).laid(orientation).distance(laid) <= Distance(1));
        }
    }

    #[test]
    fn a_wave_across_sets_its_bit_and_upside_down_in_brightness_it_does_not() {
        let three_half_waves = |at: usize| match at % SIDE_PX {
            at if at < HALF_PX => i32::from(WAVES[3][at]) / 64,
            at => -i32::from(WAVES[3][SIDE_PX - 1 - at]) / 64,
        };
        let levels = |sign: i32| -> Vec<u8> {
            let level = |at| u8::try_from(128 + sign * three_half_waves(at)).unwrap();
            (0..SIDE_PX * SIDE_PX).map(level).collect()
        };

        assert_eq!([1, -1].map(|sign| hash(&levels(sign)).0[0] >> 3 & 1), [1, 0]);
    }

    #[test]
    fn strangers_differ_in_half_of_the_bits() {
        let distance = hash(&noise(3)).distance(hash(&noise(4)));

        assert!((100..156).contains(&distance.0), "{distance}");
    }
}
