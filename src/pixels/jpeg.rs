//! Bytes of a JPEG file → its picture, whole or reduced, and whether it is all there.
//!
//! A file holds each 8×8 pixels as waves from coarse to fine. Where less is needed than the file
//! holds, only the coarse waves are read, and each 8×8 pixels come as 4×4, 2×2 or 1×1: that takes
//! a fraction of the time. Whether a file is whole is judged on the codes that every reduction
//! reads, so the verdict never depends on the size asked for. All is done in whole numbers: equal
//! files give equal pixels everywhere.
//!
//! Read are sequential and progressive files, coded by Huffman or arithmetically, of eight bits and
//! one or three components. The rest is foreign, and left to another decoder.

#![expect(
    clippy::inline_always,
    reason = "a bit is read in a few cycles; a call for it would cost as much again"
)]

use self::{
    arithmetic::Decisions,
    bits::Bits,
    colour::Marks,
    header::{Coding, Entropy, Foreign, Frame, Scan, Tables},
    plane::Plane,
    profile::Profile,
    progressive::Coefficients,
    scan::Ending,
    segment::{Segment, Segments},
};
use super::Picture;

mod arithmetic;
mod bits;
mod colour;
mod header;
mod huffman;
mod inverse;
mod known;
mod plane;
mod profile;
mod progressive;
mod scan;
mod segment;
mod sequential;

/// No writer needs more; hostile files would have us go over the picture once for each.
const SCANS_MAX: usize = 100;

/// Arithmetically coded, a scan may go over all places of a vast picture for next to no bytes.
const ARITHMETIC_SCANS_MAX: usize = 32;

/// What is wanted of a file, and what it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) pixels_max: u64,
    pub(super) bytes_max: u64,
    /// The picture may come reduced, but its shorter side is at least this if it ever was.
    pub(super) shorter_px: u32,
}

/// What a picture is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Grey,
    Colours,
}

/// A picture as it lies in the file, not yet upright.
pub(super) struct Photo<'a> {
    pub(super) picture: Picture,
    /// Size of the whole picture.
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    /// Pixels of `picture` for eight of the whole one, each way. The last column and row may
    /// reach beyond the whole picture.
    pub(super) eighths: u32,
    /// What the camera noted, behind its mark.
    pub(super) exif: Option<&'a [u8]>,
    /// What the levels mean, where the file says so.
    pub(super) profile: Option<Vec<u8>>,
    pub(super) ink: Ink,
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The file holds something another decoder may know.
    Foreign,
    /// The file ends before the picture.
    Truncated,
    TooManyPixels {
        width_px: u32,
        height_px: u32,
    },
}

impl From<Foreign> for Refusal {
    fn from(_: Foreign) -> Self {
        Self::Foreign
    }
}

/// Decodes a file.
pub(super) fn decode(bytes: &[u8], ask: Ask) -> Result<Photo<'_>, Refusal> {
    let mut reader = Reader::new(ask);
    let mut segments = Segments { bytes, at: 0 };
    while let Some(segment) = segments.next() {
        match segment.marker {
            segment::END => return reader.finish(),
            segment::SCAN => reader.read_scan(segment.body, &mut segments)?,
            _ => reader.read_header(segment)?,
        }
    }
    Err(Refusal::Truncated)
}

/// Tells whether the segments lead to the end marker.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    Segments { bytes, at: 0 }.any(|segment| segment.marker == segment::END)
}

/// Returns the segments before the first scan: their markers and what they hold.
pub(super) fn headers(bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    Segments { bytes, at: 0 }
        .map(|segment| (segment.marker, segment.body))
        .take_while(|&(marker, _)| marker != segment::SCAN && marker != segment::END)
}

/// What was read of a file so far.
struct Reader<'a> {
    ask: Ask,
    tables: Tables,
    marks: Marks,
    exif: Option<&'a [u8]>,
    profile: Profile<'a>,
    drawing: Option<Drawing>,
    n_scans: usize,
}

/// The picture to be.
struct Drawing {
    frame: Frame,
    eighths: usize,
    planes: Vec<Plane>,
    /// For each plane of a progressive file.
    coefficients: Vec<Coefficients>,
}

impl<'a> Reader<'a> {
    fn new(ask: Ask) -> Self {
        let (tables, marks) = (Tables::default(), Marks::default());
        let profile = Profile::default();
        Self { ask, tables, marks, exif: None, profile, drawing: None, n_scans: 0 }
    }

    fn read_header(&mut self, segment: Segment<'a>) -> Result<(), Refusal> {
        match segment.marker {
            segment::HUFFMAN_TABLES => self.tables.read_huffman(segment.body)?,
            segment::CONDITIONING => self.tables.conditioning.read(segment.body)?,
            segment::QUANTISERS => self.tables.read_quantisers(segment.body)?,
            segment::RESTART_INTERVAL => {
                let units = segment::u16_at(segment.body, 0).ok_or(Foreign)?;
                self.tables.restart_units = units.into();
            }
            segment::EXIF => {
                self.exif = self.exif.or(segment.body.strip_prefix(b"Exif\0\0"));
            }
            segment::PROFILE => self.profile.add(segment.body),
            marker if header::opens_frame(marker) => self.open(Frame::read(segment)?)?,
            _ => self.marks.read(segment),
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame) -> Result<(), Refusal> {
        if self.drawing.is_some() {
            return Err(Refusal::Foreign);
        }
        let (width_px, height_px) = frame.size_px();
        if self.ask.pixels_max < u64::from(width_px) * u64::from(height_px) {
            return Err(Refusal::TooManyPixels { width_px, height_px });
        }
        let is_drawn = frame.components.len() < 4;
        // Four inks are only checked here, and drawn by another.
        let eighths =
            if is_drawn { eighths(width_px.min(height_px), self.ask.shorter_px) } else { 1 };
        if self.ask.bytes_max < plane::bytes(&frame, eighths) {
            return Err(Refusal::Foreign);
        }
        let planes: Vec<Plane> =
            frame.components.iter().map(|it| Plane::new(&frame, it, eighths)).collect();
        let coefficients = match frame.coding {
            Coding::Sequential => Vec::new(),
            Coding::Progressive => planes.iter().map(Coefficients::new).collect(),
        };
        self.drawing = Some(Drawing { frame, eighths, planes, coefficients });
        Ok(())
    }

    fn read_scan(&mut self, body: &[u8], segments: &mut Segments) -> Result<(), Refusal> {
        let drawing = self.drawing.as_mut().ok_or(Foreign)?;
        let scan = Scan::read(body, &drawing.frame)?;
        self.n_scans += 1;
        let is_readable = match drawing.frame.entropy {
            Entropy::Huffman => self.n_scans <= SCANS_MAX && self.tables.have(&scan),
            Entropy::Arithmetic => self.n_scans <= ARITHMETIC_SCANS_MAX,
        };
        if !is_readable {
            return Err(Refusal::Foreign);
        }
        for (plane, part) in scan::chosen(&mut drawing.planes, &scan) {
            let quantiser = drawing.frame.components[part.component].quantiser;
            let latched = plane.quantiser.or(self.tables.quantisers[quantiser]);
            plane.quantiser = Some(latched.ok_or(Foreign)?);
        }
        if !drawing.need(&scan) {
            segments.pass_scan();
            return Ok(());
        }
        let ending = match drawing.frame.entropy {
            Entropy::Huffman => {
                self.tables.build(&scan);
                let mut bits = Bits::new(segments.bytes, segments.at);
                let ending = drawing.read_scan(&scan, &self.tables, &mut bits)?;
                segments.at = bits.place();
                ending
            }
            Entropy::Arithmetic => {
                let mut decisions = Decisions::new(segments.bytes, segments.at);
                let ending = drawing.read_decisions(&scan, &self.tables, &mut decisions)?;
                segments.at = decisions.place();
                ending
            }
        };
        segments.pass_scan();
        if scan.band.has_means() {
            if ending == Ending::Cut {
                return Err(Refusal::Truncated);
            }
            for (plane, _) in scan::chosen(&mut drawing.planes, &scan) {
                plane.has_means = true;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Photo<'a>, Refusal> {
        let mut drawing = self.drawing.ok_or(Foreign)?;
        if !drawing.planes.iter().all(|plane| plane.has_means) {
            return Err(Refusal::Truncated);
        }
        if 3 < drawing.planes.len() {
            return Err(Refusal::Foreign);
        }
        drawing.render()?;
        let Drawing { frame, eighths, planes, .. } = drawing;
        let size = ((frame.width * eighths).div_ceil(8), (frame.height * eighths).div_ceil(8));
        let picture = colour::picture(&planes, self.marks.space(&frame), size);
        let (width_px, height_px) = frame.size_px();
        let eighths = u32::try_from(eighths).expect("at most eight");
        let ink = if planes.len() == 1 { Ink::Grey } else { Ink::Colours };
        let profile = self.profile.whole();
        Ok(Photo { picture, width_px, height_px, eighths, exif: self.exif, profile, ink })
    }
}

impl Drawing {
    /// Tells whether a scan changes anything that shows.
    fn need(&self, scan: &Scan) -> bool {
        let parts = scan.parts.iter();
        self.coefficients.is_empty()
            || parts.map(|part| &self.coefficients[part.component]).any(|it| it.need(scan.band))
    }

    fn read_scan(
        &mut self,
        scan: &Scan,
        tables: &Tables,
        bits: &mut Bits,
    ) -> Result<Ending, Foreign> {
        let header = (&self.frame, scan);
        match self.frame.coding {
            Coding::Sequential => sequential::read(header, tables, &mut self.planes, bits),
            Coding::Progressive => progressive::read(header, tables, &mut self.coefficients, bits),
        }
    }

    fn read_decisions(
        &mut self,
        scan: &Scan,
        tables: &Tables,
        decisions: &mut Decisions,
    ) -> Result<Ending, Foreign> {
        let header = (&self.frame, scan);
        match self.frame.coding {
            Coding::Sequential => {
                arithmetic::read_blocks(header, tables, &mut self.planes, decisions)
            }
            Coding::Progressive => {
                arithmetic::read_bands(header, tables, &mut self.coefficients, decisions)
            }
        }
    }

    /// Turns coefficients into pixels where that was not done on the way.
    fn render(&mut self) -> Result<(), Foreign> {
        // Each component's coefficients go before the next is rendered.
        for (mut coefficients, plane) in self.coefficients.drain(..).zip(&mut self.planes) {
            coefficients.render(plane)?;
        }
        Ok(())
    }
}

/// Returns how many pixels to make of eight so that a side keeps `wanted_px`.
fn eighths(side_px: u32, wanted_px: u32) -> usize {
    [1_u8, 2, 4]
        .into_iter()
        .find(|&it| wanted_px <= side_px / 8 * u32::from(it))
        .unwrap_or(8)
        .into()
}

#[cfg(test)]
mod tests;
