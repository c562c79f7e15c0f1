//! Bytes of a JPEG file → its segments, one after another. Reads headers only; coded data are
//! passed over.

use memchr::memchr;

pub(super) const HUFFMAN_TABLES: u8 = 0xC4;
pub(super) const CONDITIONING: u8 = 0xCC;
pub(super) const END: u8 = 0xD9;
pub(super) const SCAN: u8 = 0xDA;
pub(super) const QUANTISERS: u8 = 0xDB;
pub(super) const RESTART_INTERVAL: u8 = 0xDD;
pub(super) const JFIF: u8 = 0xE0;
pub(super) const EXIF: u8 = 0xE1;
pub(super) const PROFILE: u8 = 0xE2;
pub(super) const ADOBE: u8 = 0xEE;

/// What follows a marker; empty for markers that stand alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) marker: u8,
    pub(super) body: &'a [u8],
}

/// Walks the segments of a file; stops where the bytes do.
#[derive(Clone)]
pub(super) struct Segments<'a> {
    pub(super) bytes: &'a [u8],
    /// Where to look for the next marker.
    pub(super) at: usize,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let (marker, at) = self.seek(|marker| !matches!(marker, 0 | 0xFF))?;
        if matches!(marker, 0x01 | 0xD0..=END) {
            self.at = at;
            return Some(Segment { marker, body: &[] });
        }
        let length = usize::from(u16_at(self.bytes, at)?);
        let body = self.bytes.get(at + 2..at + length)?;
        self.at = at + length;
        Some(Segment { marker, body })
    }
}

impl Segments<'_> {
    /// Passes over coded data: the next segment is the one that ends the scan.
    pub(super) fn pass_scan(&mut self) {
        let end = self.seek(|marker| !matches!(marker, 0 | 0xD0..=0xD7 | 0xFF));
        self.at = end.map_or(self.bytes.len(), |(_, after)| after - 2);
    }

    /// Finds the next 0xFF before a wanted byte; returns that byte and the place after it.
    fn seek(&self, wanted: impl Fn(u8) -> bool) -> Option<(u8, usize)> {
        let mut at = self.at;
        loop {
            at += memchr(0xFF, self.bytes.get(at..)?)? + 1;
            let &marker = self.bytes.get(at)?;
            if wanted(marker) {
                return Some((marker, at + 1));
            }
        }
    }
}

/// Returns the place behind the next restart marker; `None` if another marker comes first.
pub(super) fn after_restart(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr(0xFF, bytes.get(at..)?)? + 1;
        match bytes.get(at)? {
            0 | 0xFF => (),
            0xD0..=0xD7 => return Some(at + 1),
            _ => return None,
        }
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}
