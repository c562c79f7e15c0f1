//! What both kinds of scans share: the order of their units, and the stretches between restart
//! markers, each of which can be read alone.

use std::ops::Range;

use super::{
    header::{Frame, Part, Scan},
    huffman::Nonsense,
};

/// How a scan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With its last unit, though damaged stretches may lie before it.
    Whole,
    /// The last unit is not there.
    Cut,
}

/// Coded data, from one restart marker to the next.
pub(super) trait Stretch {
    /// Leaves the rest of this stretch and enters the one behind the next restart marker;
    /// `None` if there is no such marker before the end of the scan.
    fn restart(&mut self) -> Option<()>;

    /// Tells whether something was read that is not in the file.
    fn are_overdrawn(&self) -> bool;
}

/// Units of a scan, across and down: groups of blocks, or the blocks of its only component.
pub(super) struct Grid {
    across: usize,
    down: usize,
}

impl Grid {
    pub(super) fn of(scan: &Scan, frame: &Frame) -> Self {
        let (across, down) = match scan.parts.as_slice() {
            [only] => frame.blocks(&frame.components[only.component]),
            _ => frame.units(),
        };
        Self { across, down }
    }

    /// Returns where the units lie, column first.
    #[inline(always)]
    pub(super) fn places(&self, units: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
        let across = self.across;
        let (mut x, mut y) = (units.start % across, units.start / across);
        units.map(move |_| {
            let place = (x, y);
            x += 1;
            if x == across {
                (x, y) = (0, y + 1);
            }
            place
        })
    }
}

impl Scan {
    /// Returns how many blocks of a part each unit holds, across and down.
    pub(super) fn blocks_of(&self, part: Part, frame: &Frame) -> (usize, usize) {
        let component = &frame.components[part.component];
        if self.parts.len() == 1 { (1, 1) } else { (component.across, component.down) }
    }
}

/// Pairs the parts of a scan with what belongs to their components; both lie in one order.
pub(super) fn chosen<'a, T>(
    all: &'a mut [T],
    scan: &'a Scan,
) -> impl Iterator<Item = (&'a mut T, &'a Part)> {
    all.iter_mut().enumerate().filter_map(|(n, it)| {
        scan.parts.iter().find(|part| part.component == n).map(|part| (it, part))
    })
}

/// Reads all stretches of a scan, each with its units. A damaged stretch ends early; the next
/// one begins behind its marker all the same.
pub(super) fn read_stretches<S: Stretch>(
    coded: &mut S,
    grid: &Grid,
    restart_units: usize,
    mut read: impl FnMut(&mut S, Range<usize>) -> Result<(), Nonsense>,
) -> Ending {
    let n_units = grid.across * grid.down;
    let step = if restart_units == 0 { n_units } else { restart_units };
    let mut ending = Ending::Cut;
    for start in (0..n_units).step_by(step) {
        if 0 < start && coded.restart().is_none() {
            return Ending::Cut;
        }
        let is_whole =
            read(coded, start..n_units.min(start + step)).is_ok() && !coded.are_overdrawn();
        ending = if is_whole { Ending::Whole } else { Ending::Cut };
    }
    ending
}
