//! Scans that code bands and bits of blocks → coefficients. Of each block only those are kept
//! that show at the size asked for, and beside them which of all 64 are not zero: refining bits
//! cannot be read without.

#![expect(
    clippy::cast_possible_truncation,
    reason = "sound files stay within sixteen bits; what hostile ones say may wrap"
)]

use std::ops::Range;

use super::{
    bits::Bits,
    header::{Band, Foreign, Frame, PLACES, Scan, Tables},
    huffman::{Detail, Details, Means, Next, Nonsense},
    inverse::{Block, Shape},
    plane::Plane,
    scan::{self, Ending, Grid, Stretch},
};

/// The coefficients of one component.
pub(super) struct Coefficients {
    shape: Shape,
    /// Blocks of whole units in a row.
    pub(super) across: usize,
    /// Of each block the corner that shows, row by row.
    levels: Vec<i16>,
    /// Of each block which coefficients are not zero, by their place in the file; none where
    /// only means show.
    known: Vec<u64>,
}

/// A band of one component's blocks, being read.
struct Strip<'a> {
    coefficients: &'a mut Coefficients,
    details: &'a Details,
    band: Band,
    /// Blocks still to come that have nothing new in this band.
    empty: u32,
}

impl Coefficients {
    pub(super) fn new(plane: &Plane) -> Self {
        let n_blocks = plane.blocks.0 * plane.blocks.1;
        let shape = plane.shape;
        let n_known = if shape.last_place() == 0 { 0 } else { n_blocks };
        Self {
            shape,
            across: plane.blocks.0,
            levels: vec![0; n_blocks * shape.across * shape.down],
            known: vec![0; n_known],
        }
    }

    /// Tells whether a scan of that band changes anything that shows, or tells how a later one
    /// is to be read: one that refines may begin with what shows, and go on to what does not.
    pub(super) fn need(&self, band: Band) -> bool {
        band.first == 0 || !self.known.is_empty()
    }

    /// Returns the mean of a block.
    #[inline(always)]
    pub(super) fn mean(&mut self, block: usize) -> &mut i16 {
        &mut self.levels[block * self.shape.across * self.shape.down]
    }

    fn block(&mut self, block: usize) -> &mut [i16] {
        let n = self.shape.across * self.shape.down;
        &mut self.levels[block * n..][..n]
    }

    /// Returns where the coefficient at that place of the file is kept, if it is.
    #[inline(always)]
    fn kept(&self, block: usize, place: usize) -> Option<usize> {
        let place = usize::from(PLACES[place & 63]);
        let (x, y) = (place % 8, place / 8);
        let Shape { across, down } = self.shape;
        (x < across && y < down).then(|| (block * down + y) * across + x)
    }

    /// Tells which coefficients of a block are not zero, by their place in the file.
    pub(super) fn known(&self, block: usize) -> u64 {
        self.known[block]
    }

    /// Sets a coefficient that was zero.
    #[inline(always)]
    pub(super) fn set(&mut self, block: usize, place: usize, level: i32) {
        self.known[block] |= 1 << place;
        if let Some(kept) = self.kept(block, place) {
            self.levels[kept] = level as i16;
        }
    }

    /// Adds a bit to a coefficient that is not zero.
    #[inline(always)]
    pub(super) fn add_bit(&mut self, block: usize, place: usize, bit: u32) {
        if let Some(kept) = self.kept(block, place) {
            let level = &mut self.levels[kept];
            let more = 1_i16 << bit;
            if level.unsigned_abs() & more.unsigned_abs() == 0 {
                *level = level.wrapping_add(if *level < 0 { -more } else { more });
            }
        }
    }

    /// Turns all coefficients into pixels.
    pub(super) fn render(&mut self, plane: &mut Plane) -> Result<(), Foreign> {
        let mut steps = [0; 64];
        for (&place, step) in PLACES.iter().zip(plane.quantiser.ok_or(Foreign)?) {
            steps[usize::from(place)] = i32::from(step);
        }
        let shape = plane.shape;
        for y in 0..plane.blocks.1 {
            for x in 0..plane.blocks.0 {
                let mut block: Block = [0; 64];
                let coded = self.block(y * self.across + x);
                for (n, &level) in coded.iter().enumerate() {
                    let at = n / shape.across * 8 + n % shape.across;
                    block[at] = i32::from(level).wrapping_mul(steps[at]);
                }
                let is_flat = coded[1..].iter().all(|&level| level == 0);
                if is_flat {
                    plane.draw_flat(block[0], (x, y));
                } else {
                    plane.draw(&block, (x, y));
                }
            }
        }
        Ok(())
    }
}

/// Reads a scan into the coefficients of its parts.
pub(super) fn read(
    (frame, scan): (&Frame, &Scan),
    tables: &Tables,
    all: &mut [Coefficients],
    bits: &mut Bits,
) -> Result<Ending, Foreign> {
    let grid = Grid::of(scan, frame);
    let restart_units = tables.restart_units;
    let band = scan.band;
    if 0 < band.first {
        let (coefficients, part) = scan::chosen(all, scan).next().ok_or(Foreign)?;
        let details = tables.details(*part)?;
        let mut strip = Strip { coefficients, details, band, empty: 0 };
        let ending = scan::read_stretches(bits, &grid, restart_units, |bits, units| {
            strip.read_stretch(bits, &grid, units)
        });
        return Ok(ending);
    }
    let mut jobs = Vec::new();
    for (coefficients, part) in scan::chosen(all, scan) {
        let means = if band.bit_before == 0 { Some(tables.means(*part)?) } else { None };
        jobs.push((coefficients, scan.blocks_of(*part, frame), means));
    }
    let ending = scan::read_stretches(bits, &grid, restart_units, |bits, units| {
        read_means(&mut jobs, bits, &grid, (units, band.bit))
    });
    Ok(ending)
}

type MeansJob<'a> = (&'a mut Coefficients, (usize, usize), Option<&'a Means>);

/// Reads means, or one more bit of them where there is no table to read them with.
fn read_means(
    jobs: &mut [MeansJob],
    bits: &mut Bits,
    grid: &Grid,
    (units, bit): (Range<usize>, u32),
) -> Result<(), Nonsense> {
    let mut before = [0_i32; 4];
    for (x, y) in grid.places(units) {
        for ((coefficients, (across, down), means), before) in jobs.iter_mut().zip(&mut before) {
            let first = y * *down * coefficients.across + x * *across;
            for n in 0..*across * *down {
                let block = first + n / *across * coefficients.across + n % *across;
                let mean = coefficients.mean(block);
                if let Some(means) = means {
                    *before = before.wrapping_add(means.take(bits)?);
                    *mean = (*before << bit) as i16;
                } else {
                    bits.fill();
                    *mean |= (bits.plain(1) << bit) as i16;
                }
            }
        }
        if bits.are_overdrawn() {
            return Err(Nonsense);
        }
    }
    Ok(())
}

impl Strip<'_> {
    fn read_stretch(
        &mut self,
        bits: &mut Bits,
        grid: &Grid,
        units: Range<usize>,
    ) -> Result<(), Nonsense> {
        self.empty = 0;
        let is_first = self.band.bit_before == 0;
        for (x, y) in grid.places(units) {
            let block = y * self.coefficients.across + x;
            if is_first {
                self.read_first(bits, block)?;
            } else {
                self.refine(bits, block)?;
            }
            if bits.are_overdrawn() {
                return Err(Nonsense);
            }
        }
        Ok(())
    }

    fn read_first(&mut self, bits: &mut Bits, block: usize) -> Result<(), Nonsense> {
        if 0 < self.empty {
            self.empty -= 1;
            return Ok(());
        }
        let mut place = self.band.first;
        while place <= self.band.last {
            bits.fill();
            match self.details.take(bits)? {
                Next::Detail(detail) => {
                    place += detail.run;
                    if self.band.last < place {
                        break;
                    }
                    self.set(block, place, detail.number);
                    place += 1;
                }
                Next::Zeros => place += 16,
                Next::End(class) => {
                    self.empty = (1 << class) - 1 + bits.plain(class);
                    break;
                }
            }
        }
        Ok(())
    }

    fn refine(&mut self, bits: &mut Bits, block: usize) -> Result<(), Nonsense> {
        let mut place = self.band.first;
        while self.empty == 0 && place <= self.band.last {
            bits.fill();
            // A new coefficient is one bit behind its code, so its number is its sign.
            let (mut zeros, sign) = match self.details.take(bits)? {
                Next::Detail(Detail { run, number }) => (run, Some(number.signum())),
                Next::Zeros => (15, None),
                Next::End(class) => {
                    self.empty = (1 << class) + bits.plain(class);
                    break;
                }
            };
            let known = self.coefficients.known(block);
            while place <= self.band.last {
                if known >> place & 1 != 0 {
                    self.add_bit(bits, block, place);
                } else if zeros == 0 {
                    break;
                } else {
                    zeros -= 1;
                }
                place += 1;
            }
            if let Some(sign) = sign
                && place <= self.band.last
            {
                self.set(block, place, sign);
            }
            place += 1;
        }
        if 0 < self.empty {
            self.empty -= 1;
            let rest = !0_u64 << place.min(63) & !0 >> (63 - self.band.last);
            let mut known = self.coefficients.known(block) & if place < 64 { rest } else { 0 };
            while known != 0 {
                self.add_bit(bits, block, known.trailing_zeros() as usize);
                known &= known - 1;
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn set(&mut self, block: usize, place: usize, number: i32) {
        self.coefficients.set(block, place, number << self.band.bit);
    }

    /// Takes one more bit of a coefficient that is not zero.
    #[inline(always)]
    fn add_bit(&mut self, bits: &mut Bits, block: usize, place: usize) {
        bits.fill();
        if bits.plain(1) != 0 {
            self.coefficients.add_bit(block, place, self.band.bit);
        }
    }
}
