//! Scans that code whole blocks → pixels, block by block.

use std::ops::Range;

use super::{
    bits::Bits,
    header::{Foreign, Frame, PLACES, Part, Quantiser, Scan, Tables},
    huffman::{Detail, Details, Means, Next, Nonsense},
    inverse::{self, Block},
    plane::Plane,
    scan::{self, Ending, Grid, Stretch},
};

/// One component's share of a scan.
struct Job<'a> {
    plane: &'a mut Plane,
    means: &'a Means,
    details: &'a Details,
    quantiser: Quantiser,
    last_place: usize,
    /// Blocks in a unit.
    across: usize,
    down: usize,
}

/// Reads a scan into `planes`, the planes of its parts.
pub(super) fn read(
    (frame, scan): (&Frame, &Scan),
    tables: &Tables,
    planes: &mut [Plane],
    bits: &mut Bits,
) -> Result<Ending, Foreign> {
    let grid = Grid::of(scan, frame);
    let mut jobs = Vec::new();
    for (plane, part) in scan::chosen(planes, scan) {
        jobs.push(Job::new(plane, *part, (frame, scan), tables)?);
    }
    let ending = scan::read_stretches(bits, &grid, tables.restart_units, |bits, units| {
        read_stretch(&mut jobs, bits, &grid, units)
    });
    Ok(ending)
}

fn read_stretch(
    jobs: &mut [Job],
    bits: &mut Bits,
    grid: &Grid,
    units: Range<usize>,
) -> Result<(), Nonsense> {
    let mut means = [0; 4];
    for (x, y) in grid.places(units) {
        for (job, mean) in jobs.iter_mut().zip(&mut means) {
            for down in 0..job.down {
                for across in 0..job.across {
                    let at = (x * job.across + across, y * job.down + down);
                    job.read_block(bits, mean, at)?;
                }
            }
        }
        if bits.are_overdrawn() {
            return Err(Nonsense);
        }
    }
    Ok(())
}

impl<'a> Job<'a> {
    fn new(
        plane: &'a mut Plane,
        part: Part,
        (frame, scan): (&Frame, &Scan),
        tables: &'a Tables,
    ) -> Result<Self, Foreign> {
        let (across, down) = scan.blocks_of(part, frame);
        let quantiser = plane.quantiser.ok_or(Foreign)?;
        let last_place = plane.shape.last_place();
        let (means, details) = (tables.means(part)?, tables.details(part)?);
        Ok(Self { plane, means, details, quantiser, last_place, across, down })
    }

    #[inline(always)]
    fn read_block(
        &mut self,
        bits: &mut Bits,
        mean: &mut i32,
        at: (usize, usize),
    ) -> Result<(), Nonsense> {
        *mean = mean.wrapping_add(self.means.take(bits)?);
        let level = mean.wrapping_mul(self.quantiser[0].into());
        if self.last_place == 0 {
            self.plane.starting_at(at)[0] = inverse::level_of_mean(level);
            return self.details.pass_block(bits, 1);
        }
        let mut block = [0; 64];
        block[0] = level;
        let is_flat = self.read_details(bits, &mut block)?;
        if is_flat {
            self.plane.draw_flat(level, at);
        } else {
            self.plane.draw(&block, at);
        }
        Ok(())
    }

    /// Reads the details of a block, those that show; tells whether there were none.
    #[inline(always)]
    fn read_details(&self, bits: &mut Bits, block: &mut Block) -> Result<bool, Nonsense> {
        let mut place = 1;
        let mut is_flat = true;
        while place <= self.last_place {
            bits.fill();
            // Four short details take at most 40 of the 56 bits.
            for _ in 0..4 {
                let Some(detail) = self.details.take_short(bits) else {
                    match self.details.take_long(bits)? {
                        Next::Detail(detail) => {
                            place = self.keep(&detail, place, block);
                            is_flat = false;
                        }
                        Next::Zeros => place += 16,
                        Next::End(_) => return Ok(is_flat),
                    }
                    break;
                };
                place = self.keep(&detail, place, block);
                is_flat = false;
                if self.last_place < place {
                    break;
                }
            }
        }
        self.details.pass_block(bits, place)?;
        Ok(is_flat)
    }

    /// Keeps a detail, and returns the place after it.
    #[inline(always)]
    fn keep(&self, detail: &Detail, place: usize, block: &mut Block) -> usize {
        let place = place + detail.run;
        if let (Some(&step), Some(&to)) = (self.quantiser.get(place), PLACES.get(place)) {
            block[usize::from(to)] = detail.number.wrapping_mul(step.into());
        }
        place + 1
    }
}
