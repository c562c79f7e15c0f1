//! Segments before coded data → frame, tables and scans. Names what this decoder does not read
//! as foreign, so that another may try.

use std::sync::Arc;

use super::{
    arithmetic::Conditioning,
    huffman::{Details, Means, Spelling},
    known::Known,
    segment::{self, Segment, u16_at},
};

/// Place of each coefficient in its block, row by row, in the order of the file.
pub(super) const PLACES: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Steps between the levels of each coefficient, in the order of the file.
pub(super) type Quantiser = [u16; 64];

/// The tables of files that were read before: most writers use the same few.
static MEANS: Known<Means> = Known::new();
static DETAILS: Known<Details> = Known::new();

/// Something in the file that this decoder leaves to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign;

/// How the blocks of a frame are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Sequential,
    Progressive,
}

/// How numbers are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entropy {
    Huffman,
    Arithmetic,
}

/// What a frame header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) coding: Coding,
    pub(super) entropy: Entropy,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
    /// The largest sampling factors of all components.
    pub(super) across: usize,
    pub(super) down: usize,
}

/// One component of a frame: what it is called and how densely it is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) across: usize,
    pub(super) down: usize,
    pub(super) quantiser: usize,
}

/// What a scan header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) parts: Vec<Part>,
    pub(super) band: Band,
}

/// The coefficients a scan codes, and which of their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) first: usize,
    pub(super) last: usize,
    /// The lowest bit coded before; 0 if none was.
    pub(super) bit_before: u32,
    pub(super) bit: u32,
}

/// A component's share of a scan: its place in the frame and the tables that spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) component: usize,
    pub(super) means: usize,
    pub(super) details: usize,
}

/// Tables as they stand when a scan begins.
#[derive(Default)]
pub(super) struct Tables {
    means: [Slot<Means>; 4],
    details: [Slot<Details>; 4],
    pub(super) quantisers: [Option<Quantiser>; 4],
    pub(super) conditioning: Conditioning,
    /// Units between restart markers; 0 for none.
    pub(super) restart_units: usize,
}

/// A Huffman table as read, and as built when first needed.
struct Slot<T> {
    spelling: Option<Spelling>,
    built: Option<Arc<T>>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { spelling: None, built: None }
    }
}

impl<T> Slot<T> {
    fn set(&mut self, spelling: Spelling) {
        if self.spelling.as_ref() != Some(&spelling) {
            *self = Self { spelling: Some(spelling), built: None };
        }
    }

    fn build(&mut self, known: &Known<T>, new: fn(&Spelling) -> T) {
        if self.built.is_none() {
            self.built = self.spelling.as_ref().map(|spelling| known.get(spelling, new));
        }
    }
}

/// Tells whether a marker opens a frame of any coding.
pub(super) fn opens_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF)
        && !matches!(marker, segment::HUFFMAN_TABLES | 0xC8 | segment::CONDITIONING)
}

impl Frame {
    pub(super) fn read(segment: Segment) -> Result<Self, Foreign> {
        let (coding, entropy) = match segment.marker {
            0xC0 | 0xC1 => (Coding::Sequential, Entropy::Huffman),
            0xC2 => (Coding::Progressive, Entropy::Huffman),
            0xC9 => (Coding::Sequential, Entropy::Arithmetic),
            0xCA => (Coding::Progressive, Entropy::Arithmetic),
            _ => return Err(Foreign),
        };
        let body = segment.body;
        let [8, _, _, _, _, n, rest @ ..] = body else { return Err(Foreign) };
        let height = u16_at(body, 1).ok_or(Foreign)?.into();
        let width = u16_at(body, 3).ok_or(Foreign)?.into();
        let (parts, []) = rest.as_chunks::<3>() else { return Err(Foreign) };
        if width == 0 || height == 0 || parts.len() != usize::from(*n) {
            return Err(Foreign);
        }
        let mut components = Vec::new();
        for &[id, sampling, quantiser] in parts {
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            let quantiser = usize::from(quantiser);
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) || 3 < quantiser {
                return Err(Foreign);
            }
            if components.iter().any(|it: &Component| it.id == id) {
                return Err(Foreign);
            }
            components.push(Component { id, across, down, quantiser });
        }
        match components.as_mut_slice() {
            // The only component is as dense as the picture, whatever its factors.
            [only] => (only.across, only.down) = (1, 1),
            [_, _, _] | [_, _, _, _] => (),
            _ => return Err(Foreign),
        }
        let across = components.iter().map(|it| it.across).max().ok_or(Foreign)?;
        let down = components.iter().map(|it| it.down).max().ok_or(Foreign)?;
        let even = |it: &Component| {
            [across, down]
                .iter()
                .zip([it.across, it.down])
                .all(|(&most, own)| most % own == 0 && (most / own).is_power_of_two())
        };
        if !components.iter().all(even) {
            return Err(Foreign);
        }
        Ok(Self { coding, entropy, width, height, components, across, down })
    }

    pub(super) fn size_px(&self) -> (u32, u32) {
        let px = |n: usize| u32::try_from(n).expect("the header has sixteen bits for each side");
        (px(self.width), px(self.height))
    }

    /// Counts the units of an interleaved scan, across and down.
    pub(super) fn units(&self) -> (usize, usize) {
        (self.width.div_ceil(8 * self.across), self.height.div_ceil(8 * self.down))
    }

    /// Counts the blocks of a component that hold pixels, across and down.
    pub(super) fn blocks(&self, component: &Component) -> (usize, usize) {
        let width = (self.width * component.across).div_ceil(self.across);
        let height = (self.height * component.down).div_ceil(self.down);
        (width.div_ceil(8), height.div_ceil(8))
    }
}

impl Scan {
    pub(super) fn read(body: &[u8], frame: &Frame) -> Result<Self, Foreign> {
        let (&n, rest) = body.split_first().ok_or(Foreign)?;
        let (choices, rest) = rest.split_at_checked(2 * usize::from(n)).ok_or(Foreign)?;
        let &[first, last, bits] = rest else { return Err(Foreign) };
        let mut parts: Vec<Part> = Vec::new();
        for &[id, tables] in choices.as_chunks::<2>().0 {
            let component = frame.components.iter().position(|it| it.id == id).ok_or(Foreign)?;
            if parts.last().is_some_and(|it| component <= it.component) {
                return Err(Foreign);
            }
            let (means, details) = (usize::from(tables >> 4), usize::from(tables & 15));
            if 3 < means || 3 < details {
                return Err(Foreign);
            }
            parts.push(Part { component, means, details });
        }
        if parts.is_empty() {
            return Err(Foreign);
        }
        let band = Band {
            first: first.into(),
            last: last.into(),
            bit_before: (bits >> 4).into(),
            bit: (bits & 15).into(),
        };
        match frame.coding {
            // Some writers leave zeros here; there is only one thing they can mean.
            Coding::Sequential => Ok(Self { parts, band: Band::WHOLE }),
            Coding::Progressive if band.is_sound(parts.len()) => Ok(Self { parts, band }),
            Coding::Progressive => Err(Foreign),
        }
    }
}

impl Band {
    pub(super) const WHOLE: Self = Self { first: 0, last: 63, bit_before: 0, bit: 0 };

    /// Tells whether means are coded, and not only one more bit of them.
    pub(super) fn has_means(self) -> bool {
        self.first == 0 && self.bit_before == 0
    }

    fn has_details(self) -> bool {
        0 < self.last
    }

    fn is_sound(self, n_parts: usize) -> bool {
        let places = if self.first == 0 {
            self.last == 0
        } else {
            n_parts == 1 && self.first <= self.last && self.last <= 63
        };
        let bits = self.bit <= 13 && (self.bit_before == 0 || self.bit_before == self.bit + 1);
        places && bits
    }
}

impl Tables {
    pub(super) fn read_huffman(&mut self, mut body: &[u8]) -> Result<(), Foreign> {
        while let [which, rest @ ..] = body {
            let (spelling, rest) = Spelling::read(rest).ok_or(Foreign)?;
            let place = usize::from(which & 15);
            match which >> 4 {
                0 => self.means.get_mut(place).ok_or(Foreign)?.set(spelling),
                1 => self.details.get_mut(place).ok_or(Foreign)?.set(spelling),
                _ => return Err(Foreign),
            }
            body = rest;
        }
        Ok(())
    }

    pub(super) fn read_quantisers(&mut self, mut body: &[u8]) -> Result<(), Foreign> {
        while let [which, rest @ ..] = body {
            let slot = self.quantisers.get_mut(usize::from(which & 15)).ok_or(Foreign)?;
            let steps = slot.insert([0; 64]);
            body = match which >> 4 {
                0 => {
                    let (bytes, rest) = rest.split_first_chunk::<64>().ok_or(Foreign)?;
                    *steps = bytes.map(u16::from);
                    rest
                }
                1 => {
                    let (bytes, rest) = rest.split_first_chunk::<128>().ok_or(Foreign)?;
                    for (step, pair) in steps.iter_mut().zip(bytes.as_chunks::<2>().0) {
                        *step = u16::from_be_bytes(*pair);
                    }
                    rest
                }
                _ => return Err(Foreign),
            };
        }
        Ok(())
    }

    /// Tells whether the file has given all Huffman tables that a scan is read with.
    pub(super) fn have(&self, scan: &Scan) -> bool {
        scan.parts.iter().all(|part| {
            let means = &self.means[part.means].spelling;
            let details = &self.details[part.details].spelling;
            (!scan.band.has_means() || means.is_some())
                && (!scan.band.has_details() || details.is_some())
        })
    }

    /// Builds the Huffman tables that a scan is read with.
    pub(super) fn build(&mut self, scan: &Scan) {
        for part in &scan.parts {
            if scan.band.has_means() {
                self.means[part.means].build(&MEANS, Means::new);
            }
            if scan.band.has_details() {
                self.details[part.details].build(&DETAILS, Details::new);
            }
        }
    }

    pub(super) fn means(&self, part: Part) -> Result<&Means, Foreign> {
        self.means[part.means].built.as_deref().ok_or(Foreign)
    }

    pub(super) fn details(&self, part: Part) -> Result<&Details, Foreign> {
        self.details[part.details].built.as_deref().ok_or(Foreign)
    }
}
