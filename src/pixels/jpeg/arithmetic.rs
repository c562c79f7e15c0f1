//! Arithmetically coded scans → pixels or coefficients, as ITU-T T.81 has it in its annexes D, F
//! and G. All of a block is read, for every decision changes how the next is read; what does not
//! show is dropped.

use std::ops::Range;

use super::{
    header::{Band, Foreign, Frame, PLACES, Part, Quantiser, Scan, Tables},
    huffman::Nonsense,
    inverse::Block,
    plane::Plane,
    progressive::Coefficients,
    scan::{self, Ending, Grid, Stretch},
};
use contexts::{Contexts, Mean};
pub(super) use decisions::Decisions;

mod contexts;
mod decisions;

/// What the file says of how numbers before another tell on it, for each of four tables.
pub(super) struct Conditioning {
    /// Bits of differences of means that are small, and at most of those that are not large.
    means: [(u8, u8); 4],
    /// The last place of a detail that counts as low.
    details: [u8; 4],
}

impl Default for Conditioning {
    fn default() -> Self {
        Self { means: [(0, 1); 4], details: [5; 4] }
    }
}

impl Conditioning {
    pub(super) fn read(&mut self, body: &[u8]) -> Result<(), Foreign> {
        let (pairs, []) = body.as_chunks::<2>() else { return Err(Foreign) };
        for &[which, value] in pairs {
            let table = usize::from(which & 15);
            match which >> 4 {
                0 if value & 15 <= value >> 4 => {
                    *self.means.get_mut(table).ok_or(Foreign)? = (value & 15, value >> 4);
                }
                1 if (1..=63).contains(&value) => {
                    *self.details.get_mut(table).ok_or(Foreign)? = value;
                }
                _ => return Err(Foreign),
            }
        }
        Ok(())
    }

    /// Returns the first of the four kinds of decisions on the mean after such a difference.
    fn kind(&self, table: usize, difference: i32) -> usize {
        let (small, large) = self.means[table];
        let beyond_one = difference.unsigned_abs().saturating_sub(1);
        let top = beyond_one.checked_ilog2().map_or(0, |bit| 1 << bit);
        if top < (1_u32 << small) >> 1 {
            return 0;
        }
        let of_size = if (1_u32 << large) >> 1 < top { 12 } else { 4 };
        of_size + if difference < 0 { 4 } else { 0 }
    }

    fn low_last(&self, table: usize) -> usize {
        self.details[table].into()
    }
}

/// One component's share of a scan of whole blocks.
struct Job<'a> {
    plane: &'a mut Plane,
    part: Part,
    quantiser: Quantiser,
    last_place: usize,
    /// Blocks in a unit.
    across: usize,
    down: usize,
}

/// Reads a scan of whole blocks into `planes`, the planes of its parts.
pub(super) fn read_blocks(
    (frame, scan): (&Frame, &Scan),
    tables: &Tables,
    planes: &mut [Plane],
    coded: &mut Decisions,
) -> Result<Ending, Foreign> {
    let grid = Grid::of(scan, frame);
    let mut jobs = Vec::new();
    for (plane, &part) in scan::chosen(planes, scan) {
        let (across, down) = scan.blocks_of(part, frame);
        let quantiser = plane.quantiser.ok_or(Foreign)?;
        let last_place = plane.shape.last_place();
        jobs.push(Job { plane, part, quantiser, last_place, across, down });
    }
    let ending = scan::read_stretches(coded, &grid, tables.restart_units, |coded, units| {
        let mut contexts = Contexts::new();
        let mut means = [Mean::default(); 4];
        for (x, y) in grid.places(units) {
            for (job, mean) in jobs.iter_mut().zip(&mut means) {
                for n in 0..job.across * job.down {
                    let at = (x * job.across + n % job.across, y * job.down + n / job.across);
                    let number = (job.part, &tables.conditioning);
                    contexts.take_mean(coded, number, mean)?;
                    job.read_details(coded, (&mut contexts, &tables.conditioning), mean, at)?;
                }
            }
            if coded.are_overdrawn() {
                return Err(Nonsense);
            }
        }
        Ok(())
    });
    Ok(ending)
}

impl Job<'_> {
    /// Reads the details of a block, and draws it with those that show.
    fn read_details(
        &mut self,
        coded: &mut Decisions,
        (contexts, conditioning): (&mut Contexts, &Conditioning),
        mean: &Mean,
        at: (usize, usize),
    ) -> Result<(), Nonsense> {
        let mut block: Block = [0; 64];
        let mut is_flat = true;
        let band = Band { first: 1, ..Band::WHOLE };
        contexts.take_details(coded, (self.part, conditioning), band, |place, number| {
            if place <= self.last_place {
                let step = i32::from(self.quantiser[place]);
                block[usize::from(PLACES[place])] = number.wrapping_mul(step);
                is_flat = false;
            }
        })?;
        block[0] = mean.level.wrapping_mul(self.quantiser[0].into());
        if is_flat {
            self.plane.draw_flat(block[0], at);
        } else {
            self.plane.draw(&block, at);
        }
        Ok(())
    }
}

/// Reads a scan of a band into the coefficients of its parts.
pub(super) fn read_bands(
    (frame, scan): (&Frame, &Scan),
    tables: &Tables,
    all: &mut [Coefficients],
    coded: &mut Decisions,
) -> Result<Ending, Foreign> {
    let grid = Grid::of(scan, frame);
    if scan.band.first == 0 {
        let mut jobs: Vec<_> = scan::chosen(all, scan)
            .map(|(coefficients, &part)| (coefficients, part, scan.blocks_of(part, frame)))
            .collect();
        return Ok(scan::read_stretches(coded, &grid, tables.restart_units, |coded, units| {
            read_means(&mut jobs, coded, &grid, (units, scan.band, &tables.conditioning))
        }));
    }
    let (coefficients, &part) = scan::chosen(all, scan).next().ok_or(Foreign)?;
    let band = scan.band;
    Ok(scan::read_stretches(coded, &grid, tables.restart_units, |coded, units| {
        let mut contexts = Contexts::new();
        for (x, y) in grid.places(units) {
            let block = y * coefficients.across + x;
            if band.bit_before == 0 {
                let table = (part, &tables.conditioning);
                contexts.take_details(coded, table, band, |place, number| {
                    coefficients.set(block, place, number << band.bit);
                })?;
            } else {
                contexts.refine_details(coded, (part, band), coefficients, block)?;
            }
            if coded.are_overdrawn() {
                return Err(Nonsense);
            }
        }
        Ok(())
    }))
}

type MeansJob<'a> = (&'a mut Coefficients, Part, (usize, usize));

/// Reads means, or one more bit of them.
#[expect(clippy::cast_possible_truncation, reason = "what hostile files say may wrap")]
fn read_means(
    jobs: &mut [MeansJob],
    coded: &mut Decisions,
    grid: &Grid,
    (units, band, conditioning): (Range<usize>, Band, &Conditioning),
) -> Result<(), Nonsense> {
    let mut contexts = Contexts::new();
    let mut before = [Mean::default(); 4];
    for (x, y) in grid.places(units) {
        for ((coefficients, part, (across, down)), before) in jobs.iter_mut().zip(&mut before) {
            let first = y * *down * coefficients.across + x * *across;
            for n in 0..*across * *down {
                let block = first + n / *across * coefficients.across + n % *across;
                if band.bit_before == 0 {
                    contexts.take_mean(coded, (*part, conditioning), before)?;
                    *coefficients.mean(block) = (before.level << band.bit) as i16;
                } else if coded.take_even() {
                    *coefficients.mean(block) |= 1 << band.bit;
                }
            }
        }
        if coded.are_overdrawn() {
            return Err(Nonsense);
        }
    }
    Ok(())
}
