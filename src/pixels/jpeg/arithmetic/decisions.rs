//! Arithmetically coded data of a scan → decisions, each with the estimate it was coded with: the
//! decoder of ITU-T T.81, annex D.2. Takes the escapes out, stops at every marker, and gives
//! zeros from there on, counting them.

use crate::pixels::jpeg::{scan::Stretch, segment};

/// What was seen so far of one kind of decision: a row of the table twice, and one more for the
/// likelier answer 1.
pub(super) type State = u8;

/// A kind of decision whose answers stay equally likely.
const EVEN: State = 226;

/// Bits that may be lacking before the upper part of an interval is chosen. Writers leave out the
/// zeros that a stretch ends with, but whoever chose an upper part moved the foot of the interval
/// off those zeros: a whole stretch does it with so many bits lacking by a chance of one in 2^24.
const LACKING_MAX: u32 = 16 + 24;

/// Table D.3 of T.81: the width of the less likely answer, and the rows that follow it after the
/// likelier answer and after the other.
const ROWS: [(u16, u8, u8); 113] = [
    (0x5A1D, 1, 1),
    (0x2586, 2, 14),
    (0x1114, 3, 16),
    (0x080B, 4, 18),
    (0x03D8, 5, 20),
    (0x01DA, 6, 23),
    (0x00E5, 7, 25),
    (0x006F, 8, 28),
    (0x0036, 9, 30),
    (0x001A, 10, 33),
    (0x000D, 11, 35),
    (0x0006, 12, 9),
    (0x0003, 13, 10),
    (0x0001, 13, 12),
    (0x5A7F, 15, 15),
    (0x3F25, 16, 36),
    (0x2CF2, 17, 38),
    (0x207C, 18, 39),
    (0x17B9, 19, 40),
    (0x1182, 20, 42),
    (0x0CEF, 21, 43),
    (0x09A1, 22, 45),
    (0x072F, 23, 46),
    (0x055C, 24, 48),
    (0x0406, 25, 49),
    (0x0303, 26, 51),
    (0x0240, 27, 52),
    (0x01B1, 28, 54),
    (0x0144, 29, 56),
    (0x00F5, 30, 57),
    (0x00B7, 31, 59),
    (0x008A, 32, 60),
    (0x0068, 33, 62),
    (0x004E, 34, 63),
    (0x003B, 35, 32),
    (0x002C, 9, 33),
    (0x5AE1, 37, 37),
    (0x484C, 38, 64),
    (0x3A0D, 39, 65),
    (0x2EF1, 40, 67),
    (0x261F, 41, 68),
    (0x1F33, 42, 69),
    (0x19A8, 43, 70),
    (0x1518, 44, 72),
    (0x1177, 45, 73),
    (0x0E74, 46, 74),
    (0x0BFB, 47, 75),
    (0x09F8, 48, 77),
    (0x0861, 49, 78),
    (0x0706, 50, 79),
    (0x05CD, 51, 48),
    (0x04DE, 52, 50),
    (0x040F, 53, 50),
    (0x0363, 54, 51),
    (0x02D4, 55, 52),
    (0x025C, 56, 53),
    (0x01F8, 57, 54),
    (0x01A4, 58, 55),
    (0x0160, 59, 56),
    (0x0125, 60, 57),
    (0x00F6, 61, 58),
    (0x00CB, 62, 59),
    (0x00AB, 63, 61),
    (0x008F, 32, 61),
    (0x5B12, 65, 65),
    (0x4D04, 66, 80),
    (0x412C, 67, 81),
    (0x37D8, 68, 82),
    (0x2FE8, 69, 83),
    (0x293C, 70, 84),
    (0x2379, 71, 86),
    (0x1EDF, 72, 87),
    (0x1AA9, 73, 87),
    (0x174E, 74, 72),
    (0x1424, 75, 72),
    (0x119C, 76, 74),
    (0x0F6B, 77, 74),
    (0x0D51, 78, 75),
    (0x0BB6, 79, 77),
    (0x0A40, 48, 77),
    (0x5832, 81, 80),
    (0x4D1C, 82, 88),
    (0x438E, 83, 89),
    (0x3BDD, 84, 90),
    (0x34EE, 85, 91),
    (0x2EAE, 86, 92),
    (0x299A, 87, 93),
    (0x2516, 71, 86),
    (0x5570, 89, 88),
    (0x4CA9, 90, 95),
    (0x44D9, 91, 96),
    (0x3E22, 92, 97),
    (0x3824, 93, 99),
    (0x32B4, 94, 99),
    (0x2E17, 86, 93),
    (0x56A8, 96, 95),
    (0x4F46, 97, 101),
    (0x47E5, 98, 102),
    (0x41CF, 99, 103),
    (0x3C3D, 100, 104),
    (0x375E, 93, 99),
    (0x5231, 102, 105),
    (0x4C0F, 103, 106),
    (0x4639, 104, 107),
    (0x415E, 99, 103),
    (0x5627, 106, 105),
    (0x50E7, 107, 108),
    (0x4B85, 103, 109),
    (0x5597, 109, 110),
    (0x504F, 107, 111),
    (0x5A10, 111, 110),
    (0x5522, 109, 112),
    (0x59EB, 111, 112),
];

/// Rows after whose less likely answer that one becomes the likelier.
const SWITCHES: [u8; 10] = [0, 14, 36, 64, 80, 88, 95, 105, 110, 112];

/// A state unfolded.
#[derive(Clone, Copy)]
struct Estimate {
    /// The width of the less likely answer.
    width: u16,
    after_likely: State,
    after_unlikely: State,
}

static ESTIMATES: [Estimate; 256] = estimates();

/// A stretch of coded data between two markers.
pub(in crate::pixels::jpeg) struct Decisions<'a> {
    bytes: &'a [u8],
    /// Where the next byte for `code` lies; at a marker it stays there.
    at: usize,
    /// How far above the foot of the interval the coded number lies, with `below` bits more than
    /// `interval` has.
    code: u64,
    below: u32,
    /// The width of the interval, 2^15 to 2^16.
    interval: u32,
    /// How many of the bits given or held were never in the file.
    lacking: u32,
    is_overdrawn: bool,
}

impl<'a> Decisions<'a> {
    pub(in crate::pixels::jpeg) fn new(bytes: &'a [u8], at: usize) -> Self {
        let mut new = Self {
            bytes,
            at,
            code: 0,
            below: 0,
            interval: 1 << 16,
            lacking: 0,
            is_overdrawn: false,
        };
        new.add_byte();
        new.add_byte();
        new.below = 0;
        new
    }

    /// Takes a decision.
    #[inline]
    pub(super) fn take(&mut self, state: &mut State) -> bool {
        let Estimate { width, after_likely, after_unlikely } = ESTIMATES[usize::from(*state)];
        let likelier = *state & 1 != 0;
        let width = u32::from(width);
        self.interval -= width;
        let foot = u64::from(self.interval) << self.below;
        // The less likely answer lies above; it may be the wider one, and is then the likelier.
        let is_likelier = if self.code < foot {
            if 1 << 15 <= self.interval {
                return likelier;
            }
            width <= self.interval
        } else {
            self.code -= foot;
            self.is_overdrawn |= self.below + LACKING_MAX < self.lacking;
            let is_likelier = self.interval < width;
            self.interval = width;
            is_likelier
        };
        *state = if is_likelier { after_likely } else { after_unlikely };
        self.widen();
        likelier == is_likelier
    }

    /// Takes a decision whose answers are equally likely.
    #[inline]
    pub(super) fn take_even(&mut self) -> bool {
        self.take(&mut { EVEN })
    }

    /// Brings the interval back to at least 2^15.
    #[inline]
    fn widen(&mut self) {
        let n = self.interval.leading_zeros().saturating_sub(16);
        if self.below < n {
            while self.below <= 32 {
                self.add_byte();
            }
        }
        self.below -= n;
        self.interval <<= n;
    }

    fn add_byte(&mut self) {
        while let Some([0xFF, 0xFF]) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            self.at += 1;
        }
        let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
            (Some(0xFF), Some(0)) => {
                self.at += 2;
                0xFF
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
        self.code = self.code << 8 | u64::from(byte);
        self.below += 8;
    }

    /// Returns a place in the file behind all bytes taken and before the next marker.
    pub(in crate::pixels::jpeg) fn place(&self) -> usize {
        self.at
    }
}

impl Stretch for Decisions<'_> {
    fn restart(&mut self) -> Option<()> {
        *self = Self::new(self.bytes, segment::after_restart(self.bytes, self.at)?);
        Some(())
    }

    fn are_overdrawn(&self) -> bool {
        self.is_overdrawn
    }
}

const fn estimates() -> [Estimate; 256] {
    // What lies behind the table stands for equally likely answers.
    let mut all = [Estimate { width: ROWS[0].0, after_likely: EVEN, after_unlikely: EVEN }; 256];
    let mut row = 0;
    while row < ROWS.len() {
        let (width, likely, unlikely) = ROWS[row];
        let mut switches = false;
        let mut n = 0;
        while n < SWITCHES.len() {
            switches |= SWITCHES[n] as usize == row;
            n += 1;
        }
        let mut answer = 0_u8;
        while answer < 2 {
            let other = if switches { 1 - answer } else { answer };
            all[2 * row + answer as usize] = Estimate {
                width,
                after_likely: 2 * likely + answer,
                after_unlikely: 2 * unlikely + other,
            };
            answer += 1;
        }
        row += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The encoder of annex D.1, as far as it takes to code a list of decisions.
    fn coded(answers: &[(usize, bool)], n_states: usize) -> Vec<u8> {
        // The foot of the interval, as digits of one bit each, behind one for the carry.
        let mut foot = vec![0_u8; 17];
        let mut states = vec![0_u8; n_states];
        let mut interval = 1_u32 << 16;
        for &(state, answer) in answers {
            let state = &mut states[state];
            let Estimate { width, after_likely, after_unlikely } = ESTIMATES[usize::from(*state)];
            let likelier = *state & 1 != 0;
            let (lower, upper) = (interval - u32::from(width), u32::from(width));
            // Of the two parts the likelier answer has the larger, or the lower if they are equal.
            let takes_lower = (answer == likelier) == (upper <= lower);
            if takes_lower {
                interval = lower;
            } else {
                add(&mut foot, lower);
                interval = upper;
            }
            if !takes_lower || interval < 1 << 15 {
                *state = if answer == likelier { after_likely } else { after_unlikely };
            }
            while interval < 1 << 15 {
                interval <<= 1;
                foot.push(0);
            }
        }
        let mut bytes = Vec::new();
        for byte in foot[1..].chunks(8) {
            let byte = byte.iter().enumerate().map(|(n, &digit)| digit << (7 - n)).sum();
            bytes.push(byte);
            if byte == 0xFF {
                bytes.push(0);
            }
        }
        bytes
    }

    /// Adds a number of at most 17 bits to the last digits.
    fn add(digits: &mut [u8], mut number: u32) {
        let mut carry = 0;
        for digit in digits.iter_mut().rev() {
            let sum = *digit + carry + u8::try_from(number & 1).unwrap();
            (*digit, carry) = (sum & 1, sum >> 1);
            number >>= 1;
        }
    }

    #[test]
    fn decisions_come_back_as_they_were_coded() {
        let mut dice = crate::pixels::edits::Dice(3);
        for odds in [1, 2, 9, 300] {
            let answers: Vec<(usize, bool)> = (0..20_000)
                .map(|_| (usize::try_from(dice.below(5)).unwrap(), dice.below(odds) == 0))
                .collect();
            let mut bytes = coded(&answers, 5);
            bytes.extend([0xFF, 0xD9]);

            let mut decisions = Decisions::new(&bytes, 0);
            let mut states = [0; 5];

            for (n, &(state, answer)) in answers.iter().enumerate() {
                assert_eq!(decisions.take(&mut states[state]), answer, "{n} at 1 in {odds}");
            }
            assert!(!decisions.are_overdrawn());
            assert_eq!(decisions.place(), bytes.len() - 2);
        }
    }
}
