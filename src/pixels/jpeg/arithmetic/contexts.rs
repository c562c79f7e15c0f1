//! Decisions → means and details of blocks: the binary trees of ITU-T T.81, annexes F.1.4 and
//! G.1.3. Every decision is estimated by those before it of the same kind.

use super::{
    Conditioning,
    decisions::{Decisions, State},
};
use crate::pixels::jpeg::{
    header::{Band, Part},
    huffman::Nonsense,
    progressive::Coefficients,
};

/// The kind of the first decision on the size of a mean's difference.
const MEAN_SIZE: usize = 20;

/// The same for details, up to the place that parts low from high ones, and beyond it.
const LOW_SIZE: usize = 189;
const HIGH_SIZE: usize = 217;

/// How far behind the decisions on a size those on its lower bits lie.
const BITS_BEHIND: usize = 14;

/// The estimates that a stretch of a scan has come to, for each table.
pub(super) struct Contexts {
    means: [[State; 64]; 4],
    details: [[State; 256]; 4],
}

/// The mean of the block before, and the kind of its difference to the one before that.
#[derive(Clone, Copy, Default)]
pub(super) struct Mean {
    pub(super) level: i32,
    kind: usize,
}

impl Contexts {
    pub(super) fn new() -> Self {
        Self { means: [[0; 64]; 4], details: [[0; 256]; 4] }
    }

    /// Takes the mean that follows another.
    pub(super) fn take_mean(
        &mut self,
        coded: &mut Decisions,
        (part, conditioning): (Part, &Conditioning),
        mean: &mut Mean,
    ) -> Result<(), Nonsense> {
        let states = &mut self.means[part.means];
        let kind = mean.kind;
        if !coded.take(&mut states[kind]) {
            mean.kind = 0;
            return Ok(());
        }
        let is_negative = coded.take(&mut states[kind + 1]);
        let beyond_one = if coded.take(&mut states[kind + 2 + usize::from(is_negative)]) {
            take_size(coded, states, MEAN_SIZE, 1)?
        } else {
            0
        };
        let sign = if is_negative { -1 } else { 1 };
        let difference = sign * (beyond_one + 1);
        mean.kind = conditioning.kind(part.means, difference);
        mean.level = mean.level.wrapping_add(difference);
        Ok(())
    }

    /// Takes the details of a block in a band of which nothing is known, and gives each to
    /// `keep` with its place.
    pub(super) fn take_details(
        &mut self,
        coded: &mut Decisions,
        (part, conditioning): (Part, &Conditioning),
        band: Band,
        mut keep: impl FnMut(usize, i32),
    ) -> Result<(), Nonsense> {
        let states = &mut self.details[part.details];
        let low_last = conditioning.low_last(part.details);
        let mut place = band.first;
        while place <= band.last {
            if coded.take(&mut states[kinds_of(place)]) {
                return Ok(());
            }
            while !coded.take(&mut states[kinds_of(place) + 1]) {
                place += 1;
                if band.last < place {
                    return Err(Nonsense);
                }
            }
            let sign = if coded.take_even() { -1 } else { 1 };
            let kind = kinds_of(place) + 2;
            let mut beyond_one = i32::from(coded.take(&mut states[kind]));
            if beyond_one == 1 && coded.take(&mut states[kind]) {
                let first = if place <= low_last { LOW_SIZE } else { HIGH_SIZE };
                beyond_one = take_size(coded, states, first, 2)?;
            }
            keep(place, sign * (beyond_one + 1));
            place += 1;
        }
        Ok(())
    }

    /// Takes one more bit of a block's details in a band.
    pub(super) fn refine_details(
        &mut self,
        coded: &mut Decisions,
        (part, band): (Part, Band),
        coefficients: &mut Coefficients,
        block: usize,
    ) -> Result<(), Nonsense> {
        let states = &mut self.details[part.details];
        let known = coefficients.known(block);
        // The block cannot end before the last detail that is known.
        let beyond_known = 64 - (known & u64::MAX >> (63 - band.last)).leading_zeros();
        let mut place = band.first;
        while place <= band.last {
            let may_end = u32::try_from(place).is_ok_and(|place| beyond_known <= place);
            if may_end && coded.take(&mut states[kinds_of(place)]) {
                return Ok(());
            }
            loop {
                if known >> place & 1 != 0 {
                    if coded.take(&mut states[kinds_of(place) + 2]) {
                        coefficients.add_bit(block, place, band.bit);
                    }
                    break;
                }
                if coded.take(&mut states[kinds_of(place) + 1]) {
                    let sign = if coded.take_even() { -1 } else { 1 };
                    coefficients.set(block, place, sign << band.bit);
                    break;
                }
                place += 1;
                if band.last < place {
                    return Err(Nonsense);
                }
            }
            place += 1;
        }
        Ok(())
    }
}

/// Returns the first of the three kinds of decisions on a place that is not the mean's: whether
/// the block ends before it, whether it is not zero, whether it is more than one.
#[inline]
fn kinds_of(place: usize) -> usize {
    (place.wrapping_sub(1) & 63) * 3
}

/// Takes how far a number is from zero, less one, if that has at least the bit `top`.
fn take_size(
    coded: &mut Decisions,
    states: &mut [State],
    first: usize,
    mut top: i32,
) -> Result<i32, Nonsense> {
    let mut kind = first;
    while coded.take(&mut states[kind]) {
        top <<= 1;
        if top == 1 << 15 {
            return Err(Nonsense);
        }
        kind += 1;
    }
    let mut size = top;
    for bit in (0..top.ilog2()).rev() {
        if coded.take(&mut states[kind + BITS_BEHIND]) {
            size |= 1 << bit;
        }
    }
    Ok(size)
}
