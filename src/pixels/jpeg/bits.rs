//! Coded data of a scan → bits, the most significant of each byte first. Takes the escapes out,
//! stops at every marker, and gives zeros from there on, counting them.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "shifts leave at most sixteen bits, which fit every type they are cast to"
)]

use super::{scan::Stretch, segment};

/// A stretch of coded data between two markers.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Where the next byte for `window` lies; at a marker it stays there.
    at: usize,
    /// Bits not yet taken, the next one topmost; zeros below them.
    window: u64,
    /// How many bits `window` holds.
    held: u32,
    /// How many of the bits given or held were never in the file.
    lacking: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, window: 0, held: 0, lacking: 0 }
    }

    /// Fills the window to at least 56 bits.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        let ahead = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        if let Some(&ahead) = ahead {
            let ahead = u64::from_be_bytes(ahead);
            if !has_marker_byte(ahead) {
                self.window |= ahead >> self.held;
                self.at += ((63 - self.held) >> 3) as usize;
                self.held |= 0b11_1000;
                return;
            }
        }
        self.fill_slowly();
    }

    #[cold]
    #[inline(never)]
    fn fill_slowly(&mut self) {
        while self.held < 56 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => {
                    self.at += 2;
                    0xFF
                }
                (Some(0xFF), Some(0xFF)) => {
                    self.at += 1;
                    continue;
                }
                (Some(0xFF) | None, _) => {
                    self.lacking = self.lacking.saturating_add(8);
                    0
                }
                (Some(&byte), _) => {
                    self.at += 1;
                    byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.held);
            self.held += 8;
        }
    }

    /// Returns the next `n` bits, 1 to 16, and leaves them there. They must have been filled in.
    #[inline(always)]
    pub(super) fn peek(&self, n: u32) -> usize {
        (self.window >> (64 - n)) as usize
    }

    /// Takes `n` bits away. They must have been filled in.
    #[inline(always)]
    pub(super) fn pass(&mut self, n: u32) {
        self.window <<= n;
        self.held = self.held.wrapping_sub(n);
    }

    /// Takes the number that `n` bits, at most 16, spell after a code that announced them.
    #[inline(always)]
    pub(super) fn signed(&mut self, n: u32) -> i32 {
        if n == 0 {
            return 0;
        }
        let value = self.peek(n) as i32;
        self.pass(n);
        extended(value, n)
    }

    /// Takes `n` bits, at most 16, as they are.
    #[inline(always)]
    pub(super) fn plain(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        let value = self.peek(n) as u32;
        self.pass(n);
        value
    }

    /// Returns a place in the file behind all whole bytes taken and before the next marker.
    pub(super) fn place(&self) -> usize {
        self.at
    }
}

impl Stretch for Bits<'_> {
    fn restart(&mut self) -> Option<()> {
        // Markers stop the filling, so the next one cannot lie before `at`.
        *self = Self::new(self.bytes, segment::after_restart(self.bytes, self.at)?);
        Some(())
    }

    #[inline(always)]
    fn are_overdrawn(&self) -> bool {
        self.held < self.lacking
    }
}

/// Reads `n` bits as JPEG spells numbers: a leading zero means a negative one.
#[inline(always)]
pub(super) fn extended(value: i32, n: u32) -> i32 {
    if value < 1 << (n - 1) { value - (1 << n) + 1 } else { value }
}

/// Tells whether one of eight bytes is 0xFF.
#[inline(always)]
fn has_marker_byte(bytes: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    (!bytes).wrapping_sub(LOW) & bytes & (LOW << 7) != 0
}
