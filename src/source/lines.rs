//! Bytes → lines, without copying them and without ever holding more than one long line.

use std::io::{self, Read};

/// How much is asked for at once.
const CHUNK_BYTES: usize = 1 << 20;

/// One line, without its end, and the byte it begins at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole {
        at: u64,
        bytes: &'a [u8],
    },
    /// Passed over unseen.
    TooLong {
        at: u64,
        size_bytes: u64,
    },
}

pub(super) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    /// The part of the buffer that is not yet handed out.
    start: usize,
    end: usize,
    /// Where `start` lies in the whole text.
    at: u64,
    line_bytes_max: usize,
}

impl<R: Read> Lines<R> {
    /// Reads lines from a text whose first byte is counted as byte `at`.
    pub(super) fn new(from: R, at: u64, line_bytes_max: usize) -> Self {
        Self { from, buffer: vec![0; 2 * CHUNK_BYTES], start: 0, end: 0, at, line_bytes_max }
    }

    pub(super) fn from(&mut self) -> &mut R {
        &mut self.from
    }

    /// Returns where the next line begins.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        loop {
            let unseen = &self.buffer[self.start + searched..self.end];
            if let Some(found) = memchr::memchr(b'\n', unseen) {
                let length = searched + found;
                return Ok(Some(self.take(length, length + 1)));
            }
            searched = self.end - self.start;
            if self.line_bytes_max < searched {
                return self.pass_over().map(Some);
            }
            if self.fill()? == 0 {
                return Ok((searched != 0).then(|| self.take(searched, searched)));
            }
        }
    }

    /// Hands out the next `length` bytes and goes `step` bytes on.
    fn take(&mut self, length: usize, step: usize) -> Line<'_> {
        let (at, start) = (self.at, self.start);
        self.start += step;
        self.at += in_file(step);
        if self.line_bytes_max < length {
            return Line::TooLong { at, size_bytes: in_file(length) };
        }
        let bytes = &self.buffer[start..start + length];
        Line::Whole { at, bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes) }
    }

    /// Drops bytes up to the end of the line.
    fn pass_over(&mut self) -> io::Result<Line<'_>> {
        let at = self.at;
        loop {
            let found = memchr::memchr(b'\n', &self.buffer[self.start..self.end]);
            let step = found.map_or(self.end - self.start, |found| found + 1);
            self.start += step;
            self.at += in_file(step);
            if found.is_some() || self.fill()? == 0 {
                let end = u64::from(found.is_some());
                return Ok(Line::TooLong { at, size_bytes: self.at - at - end });
            }
        }
    }

    /// Reads more behind what is there; returns how much came.
    fn fill(&mut self) -> io::Result<usize> {
        if self.buffer.len() - self.end < CHUNK_BYTES {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let wanted = self.end + CHUNK_BYTES;
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted.next_multiple_of(CHUNK_BYTES), 0);
            }
        }
        loop {
            match self.from.read(&mut self.buffer[self.end..]) {
                Ok(n) => {
                    self.end += n;
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
    }
}

fn in_file(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_with_the_byte_they_begin_at() {
        let mut lines = Lines::new(b"one\r\n\ntwo".as_slice(), 100, 10);
        let mut seen = Vec::new();

        while let Some(line) = lines.next().unwrap() {
            let Line::Whole { at, bytes } = line else { panic!("no line is long") };
            seen.push((at, String::from_utf8(bytes.to_vec()).unwrap()));
        }

        let expected = [(100, "one"), (105, ""), (106, "two")];
        assert_eq!(seen, expected.map(|(at, text)| (at, text.to_owned())));
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over_in_flat_memory() {
        let long = io::repeat(b'x').take(40 << 20);
        let text = b"{}\n".chain(long).chain(b"\n{}\n".as_slice());
        let mut lines = Lines::new(text, 0, 1 << 20);

        assert_eq!(lines.next().unwrap(), Some(Line::Whole { at: 0, bytes: b"{}" }));
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong { at: 3, size_bytes: 40 << 20 }));
        assert_eq!(lines.next().unwrap(), Some(Line::Whole { at: 4 + (40 << 20), bytes: b"{}" }));
        assert_eq!(lines.next().unwrap(), None);
        assert!(lines.buffer.len() <= 4 << 20, "{} bytes", lines.buffer.len());
    }
}
