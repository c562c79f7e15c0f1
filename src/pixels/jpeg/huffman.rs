//! A Huffman table as it stands in the file → tables that give a number, or pass over several
//! codes, at one look. Refuses tables with more codes than their lengths allow.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "entries are packed and unpacked by shifts that leave what fits"
)]

use super::bits::{self, Bits};

/// Bits looked at for one code with the number behind it.
const NUMBER_BITS: u32 = 10;

/// Bits looked at for passing over codes; two such tables stay in the nearest cache.
const PASS_BITS: u32 = 13;

/// A table as it stands in the file: how many codes of each length, and what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spelling {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

/// A canonical Huffman code.
struct Codes {
    /// Length and symbol of the code that starts such bits; zero where it is longer.
    short: Box<[u16; 1 << NUMBER_BITS]>,
    /// For each length the first code, how many there are, and the place of its first symbol.
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

/// Codes for means: a symbol is the length of the number behind it.
pub(super) struct Means {
    codes: Codes,
    /// Number and length of code and number together; zero where they are longer.
    numbers: Box<[i32; 1 << NUMBER_BITS]>,
}

/// Codes for details: a symbol is a run of zeros and the length of the number behind them.
pub(super) struct Details {
    codes: Codes,
    /// Number, run, and length of code and number together; zero where they are longer.
    numbers: Box<[i32; 1 << NUMBER_BITS]>,
    passes: Box<[u16; 1 << PASS_BITS]>,
}

/// A detail: how many zeros lie before it, and what it is.
pub(super) struct Detail {
    pub(super) run: usize,
    pub(super) number: i32,
}

/// What comes next in a block.
pub(super) enum Next {
    Detail(Detail),
    /// Sixteen zeros.
    Zeros,
    /// A run of the given class of blocks ends here; class 0 is this block alone.
    End(u32),
}

/// Bits that spell no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense;

impl Spelling {
    /// Reads one table, and returns what lies behind it.
    pub(super) fn read(body: &[u8]) -> Option<(Self, &[u8])> {
        let (&counts, rest) = body.split_first_chunk::<16>()?;
        let n = counts.iter().map(|&count| usize::from(count)).sum();
        let (symbols, rest) = rest.split_at_checked(n)?;
        let mut free = 1_usize;
        for &count in &counts {
            free = (2 * free).checked_sub(usize::from(count))?;
        }
        Some((Self { counts, symbols: symbols.to_vec() }, rest))
    }
}

impl Codes {
    fn new(spelling: &Spelling) -> Self {
        let mut short = Box::new([0; 1 << NUMBER_BITS]);
        let (mut code, mut place) = (0_u32, 0);
        let mut length = 0;
        let lengths = spelling.counts.map(|count| {
            length += 1;
            let first = (code, u32::from(count), place);
            for symbol in &spelling.symbols[place..place + usize::from(count)] {
                if length <= NUMBER_BITS {
                    let free = NUMBER_BITS - length;
                    let start = (code << free) as usize;
                    short[start..start + (1 << free)]
                        .fill((length << 8) as u16 | u16::from(*symbol));
                }
                code += 1;
            }
            code <<= 1;
            place += usize::from(count);
            first
        });
        Self { short, lengths, symbols: spelling.symbols.clone() }
    }

    /// Takes one code. Sixteen bits must have been filled in.
    #[inline(always)]
    fn take(&self, bits: &mut Bits) -> Result<u32, Nonsense> {
        let entry = u32::from(self.short[bits.peek(NUMBER_BITS)]);
        if entry != 0 {
            bits.pass(entry >> 8);
            return Ok(entry & 255);
        }
        self.take_long(bits)
    }

    #[cold]
    #[inline(never)]
    fn take_long(&self, bits: &mut Bits) -> Result<u32, Nonsense> {
        let ahead = bits.peek(16) as u32;
        for length in 1..=16 {
            let (first, count, place) = self.lengths[length as usize - 1];
            let code = ahead >> (16 - length);
            if first <= code && code - first < count {
                bits.pass(length);
                return Ok(self.symbols[place + (code - first) as usize].into());
            }
        }
        Err(Nonsense)
    }

    /// Returns length and symbol of the code that starts the `n` bits of `ahead`.
    fn spelled(&self, ahead: u32, n: u32) -> Option<(u32, u32)> {
        let entry = if n < NUMBER_BITS {
            self.short[(ahead << (NUMBER_BITS - n)) as usize]
        } else {
            self.short[(ahead >> (n - NUMBER_BITS)) as usize]
        };
        if entry != 0 {
            let (length, symbol) = (u32::from(entry >> 8), u32::from(entry & 255));
            return (length <= n).then_some((length, symbol));
        }
        for length in NUMBER_BITS + 1..=n {
            let (first, count, place) = self.lengths[length as usize - 1];
            let code = ahead >> (n - length);
            if first <= code && code - first < count {
                return Some((length, self.symbols[place + (code - first) as usize].into()));
            }
        }
        None
    }
}

impl Means {
    pub(super) fn new(spelling: &Spelling) -> Self {
        let codes = Codes::new(spelling);
        let mut numbers = Box::new([0; 1 << NUMBER_BITS]);
        for (ahead, entry) in (0_u32..).zip(numbers.iter_mut()) {
            let Some((length, size)) = codes.spelled(ahead, NUMBER_BITS) else { continue };
            if size <= NUMBER_BITS - length {
                *entry = number(ahead, length, size) << 8 | (length + size) as i32;
            }
        }
        Self { codes, numbers }
    }

    /// Takes the difference to the mean before. Leaves at least 24 bits filled in.
    #[inline(always)]
    pub(super) fn take(&self, bits: &mut Bits) -> Result<i32, Nonsense> {
        bits.fill();
        let entry = self.numbers[bits.peek(NUMBER_BITS)];
        if entry != 0 {
            bits.pass((entry & 255) as u32);
            return Ok(entry >> 8);
        }
        let size = self.codes.take(bits)?;
        if 16 < size {
            return Err(Nonsense);
        }
        Ok(bits.signed(size))
    }
}

impl Details {
    pub(super) fn new(spelling: &Spelling) -> Self {
        let codes = Codes::new(spelling);
        let mut numbers = Box::new([0; 1 << NUMBER_BITS]);
        for (ahead, entry) in (0_u32..).zip(numbers.iter_mut()) {
            let Some((length, symbol)) = codes.spelled(ahead, NUMBER_BITS) else { continue };
            let (run, size) = (symbol >> 4, symbol & 15);
            if 0 < size && length + size <= NUMBER_BITS {
                let packed = run << 8 | (length + size);
                *entry = number(ahead, length, size) << 16 | packed as i32;
            }
        }
        let mut passes = Box::new([0; 1 << PASS_BITS]);
        for (ahead, entry) in (0_u32..).zip(passes.iter_mut()) {
            *entry = codes.pass(ahead);
        }
        Self { codes, numbers, passes }
    }

    /// Takes what comes next in a block. Ten bits must have been filled in.
    #[inline(always)]
    pub(super) fn take(&self, bits: &mut Bits) -> Result<Next, Nonsense> {
        match self.take_short(bits) {
            Some(detail) => Ok(Next::Detail(detail)),
            None => self.take_long(bits),
        }
    }

    /// Takes the next detail if it takes at most ten bits, which must have been filled in.
    #[inline(always)]
    pub(super) fn take_short(&self, bits: &mut Bits) -> Option<Detail> {
        let entry = self.numbers[bits.peek(NUMBER_BITS)];
        if entry == 0 {
            return None;
        }
        bits.pass((entry & 255) as u32);
        let run = (entry >> 8 & 15) as usize;
        Some(Detail { run, number: entry >> 16 })
    }

    /// Takes what comes next in a block, filling in for itself.
    #[inline(always)]
    pub(super) fn take_long(&self, bits: &mut Bits) -> Result<Next, Nonsense> {
        bits.fill();
        let symbol = self.codes.take(bits)?;
        let (run, size) = (symbol >> 4, symbol & 15);
        Ok(match (run, size) {
            (15, 0) => Next::Zeros,
            (_, 0) => Next::End(run),
            _ => Next::Detail(Detail { run: run as usize, number: bits.signed(size) }),
        })
    }

    /// Passes over the details of a block from `place` on.
    #[inline(always)]
    pub(super) fn pass_block(&self, bits: &mut Bits, mut place: usize) -> Result<(), Nonsense> {
        while place < 64 {
            bits.fill();
            // Four looks use at most 52 of the 56 bits.
            for _ in 0..4 {
                let entry = u32::from(self.passes[bits.peek(PASS_BITS)]);
                let after = place + (entry >> 5) as usize;
                if entry == 0 || 63 < after {
                    place = self.pass_one(bits, place)?;
                    break;
                }
                bits.pass(entry & 15);
                if entry & 16 != 0 {
                    return Ok(());
                }
                place = after;
            }
        }
        Ok(())
    }

    /// Passes over one code with its number; returns the place after it.
    #[inline(never)]
    fn pass_one(&self, bits: &mut Bits, place: usize) -> Result<usize, Nonsense> {
        bits.fill();
        let symbol = self.codes.take(bits)?;
        let (run, size) = ((symbol >> 4) as usize, symbol & 15);
        if size == 0 && run != 15 {
            return Ok(64);
        }
        bits.pass(size);
        Ok(place + run + 1)
    }
}

impl Codes {
    /// Packs how far the whole codes in these bits lead, whether the block ends with them, and
    /// how many bits they take; zero where not even one code is whole.
    fn pass(&self, ahead: u32) -> u16 {
        let (mut taken, mut places, mut end) = (0, 0, 0);
        while places < 63 {
            let left = PASS_BITS - taken;
            let Some((length, symbol)) = self.spelled(ahead & ((1 << left) - 1), left) else {
                break;
            };
            let (run, size) = (symbol >> 4, symbol & 15);
            if size == 0 && run != 15 {
                taken += length;
                end = 1;
                break;
            }
            if left < length + size || 63 < places + run + 1 {
                break;
            }
            taken += length + size;
            places += run + 1;
        }
        (places << 5 | end << 4 | taken) as u16
    }
}

/// Returns the number of `size` bits behind the first `length` of ten.
fn number(ahead: u32, length: u32, size: u32) -> i32 {
    if size == 0 {
        return 0;
    }
    let value = ahead >> (NUMBER_BITS - length - size) & ((1 << size) - 1);
    bits::extended(value as i32, size)
}
