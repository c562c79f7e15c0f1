//! Bytes of a JPEG file → whether they are all there.
//!
//! The decoder fills what a cut file lacks with grey and calls it a picture. Here the file is
//! read without making pixels: its segments up to the end marker, and the codes of its first
//! scan, which holds every block of a baseline file and every mean of a progressive one.

const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const HUFFMAN_TABLES: u8 = 0xC4;
const RESTART_INTERVAL: u8 = 0xDD;
const BASELINE_FRAME: u8 = 0xC0;
const PROGRESSIVE_FRAME: u8 = 0xC2;

/// One segment: what follows its marker, and for a scan the coded data after it.
struct Segment<'a> {
    marker: u8,
    body: &'a [u8],
    coded: &'a [u8],
}

/// Walks the segments of a file; stops where the bytes do.
struct Segments<'a>(&'a [u8]);

/// Tells whether the segments lead to the end marker.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    Segments(bytes).any(|segment| segment.marker == END)
}

/// Tells whether the first scan codes every block the header promises; `None` if its coding is
/// neither baseline nor progressive Huffman.
pub(super) fn first_scan_is_whole(bytes: &[u8]) -> Option<bool> {
    let mut plan = Plan::default();
    for segment in Segments(bytes) {
        match segment.marker {
            HUFFMAN_TABLES => plan.read_tables(segment.body)?,
            RESTART_INTERVAL => plan.restart_blocks = usize::from(u16_at(segment.body, 0)?),
            BASELINE_FRAME..=PROGRESSIVE_FRAME => plan.frame = Some(Frame::read(&segment)?),
            0xC3 | 0xC5..=0xCF => return None,
            SCAN => return plan.scan_is_whole(segment.body, segment.coded),
            END => return Some(false),
            _ => (),
        }
    }
    Some(false)
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let bytes = self.0;
        let at =
            bytes.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))?;
        let marker = bytes[at + 1];
        let rest = &bytes[at + 2..];
        if matches!(marker, 0x01 | 0xD0..=END) {
            self.0 = rest;
            return Some(Segment { marker, body: &[], coded: &[] });
        }
        let length = usize::from(u16_at(rest, 0)?);
        let body = rest.get(2..length)?;
        let rest = &rest[length..];
        let n_coded = if marker == SCAN { coded_bytes(rest) } else { 0 };
        let (coded, rest) = rest.split_at(n_coded);
        self.0 = rest;
        Some(Segment { marker, body, coded })
    }
}

/// Counts the bytes up to the next marker that is neither a restart nor an escaped 0xFF.
fn coded_bytes(bytes: &[u8]) -> usize {
    let ends = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7 | 0xFF);
    bytes.windows(2).position(ends).unwrap_or(bytes.len())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// What the headers say about the first scan.
#[derive(Default)]
struct Plan {
    /// Tables for means (0..4) and for details (4..8).
    tables: [Option<Codes>; 8],
    restart_blocks: usize,
    frame: Option<Frame>,
}

struct Frame {
    progressive: bool,
    width: usize,
    height: usize,
    components: Vec<Component>,
}

struct Component {
    id: u8,
    across: usize,
    down: usize,
}

/// One component's share of a scan unit.
struct Part<'a> {
    blocks: usize,
    means: &'a Codes,
    details: Option<&'a Codes>,
}

impl Frame {
    fn read(segment: &Segment) -> Option<Self> {
        let body = segment.body;
        let (parts, _) = body.get(6..)?.as_chunks::<3>();
        let components: Vec<Component> = parts
            .iter()
            .take(usize::from(body[5]))
            .map(|&[id, sampling, _]| {
                let (across, down) = (sampling >> 4, sampling & 15);
                Component { id, across: across.max(1).into(), down: down.max(1).into() }
            })
            .collect();
        let (height, width) = (usize::from(u16_at(body, 1)?), usize::from(u16_at(body, 3)?));
        let progressive = segment.marker == PROGRESSIVE_FRAME;
        (0 < height && !components.is_empty()).then_some(Self {
            progressive,
            width,
            height,
            components,
        })
    }

    /// Counts the units of a scan of all `components`, or of the blocks of a single one.
    fn units(&self, components: &[&Component]) -> usize {
        let across_max = self.components.iter().map(|it| it.across).max().unwrap_or(1);
        let down_max = self.components.iter().map(|it| it.down).max().unwrap_or(1);
        match components {
            [only] => {
                let across = (self.width * only.across).div_ceil(across_max).div_ceil(8);
                across * (self.height * only.down).div_ceil(down_max).div_ceil(8)
            }
            _ => self.width.div_ceil(8 * across_max) * self.height.div_ceil(8 * down_max),
        }
    }
}

impl Plan {
    fn read_tables(&mut self, mut body: &[u8]) -> Option<()> {
        while let [which, rest @ ..] = body {
            let counts = rest.first_chunk::<16>()?;
            let n: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let symbols = rest.get(16..16 + n)?;
            let place = usize::from(which >> 4 & 1) * 4 + usize::from(which & 3);
            self.tables[place] = Some(Codes::new(counts, symbols));
            body = &rest[16 + n..];
        }
        Some(())
    }

    fn scan_is_whole(&self, header: &[u8], coded: &[u8]) -> Option<bool> {
        let frame = self.frame.as_ref()?;
        let n = usize::from(*header.first()?);
        let (choices, _) = header.get(1..=2 * n)?.as_chunks::<2>();
        let mut components = Vec::new();
        for [id, _] in choices {
            components.push(frame.components.iter().find(|it| it.id == *id)?);
        }
        let mut parts = Vec::new();
        for (component, [_, tables]) in components.iter().zip(choices) {
            let details = self.tables[4 + usize::from(tables & 3)].as_ref();
            parts.push(Part {
                blocks: if n == 1 { 1 } else { component.across * component.down },
                means: self.tables[usize::from(tables >> 4 & 3)].as_ref()?,
                details: if frame.progressive { None } else { Some(details?) },
            });
        }
        let mut units = frame.units(&components);
        for stretch in stretches(coded, self.restart_blocks) {
            let wanted =
                if self.restart_blocks == 0 { units } else { units.min(self.restart_blocks) };
            if read_units(&stretch, wanted, &parts).is_none() {
                return Some(false);
            }
            units -= wanted;
        }
        Some(units == 0)
    }
}

/// Parts coded data at its restart markers and takes the escapes out.
fn stretches(coded: &[u8], restart_blocks: usize) -> Vec<Vec<u8>> {
    let mut stretches = vec![Vec::new()];
    let mut bytes = coded.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = byte == 0xFF;
        match bytes.peek() {
            Some(0) if escaped => {
                bytes.next();
            }
            Some(0xD0..=0xD7) if escaped => {
                bytes.next();
                if restart_blocks != 0 {
                    stretches.push(Vec::new());
                }
                continue;
            }
            Some(_) | None if escaped => continue,
            Some(_) | None => (),
        }
        stretches.last_mut().expect("it starts with one and never shrinks").push(byte);
    }
    stretches
}

/// Reads the codes of `wanted` units; `None` if the bits end first or spell no code.
fn read_units(bytes: &[u8], wanted: usize, parts: &[Part]) -> Option<()> {
    let mut bits = Bits { bytes, at: 0 };
    for _ in 0..wanted {
        for part in parts {
            for _ in 0..part.blocks {
                read_block(&mut bits, part)?;
            }
        }
    }
    Some(())
}

fn read_block(bits: &mut Bits, part: &Part) -> Option<()> {
    let size = part.means.read(bits)?;
    bits.skip(size)?;
    let Some(details) = part.details else { return Some(()) };
    let mut place = 1;
    while place < 64 {
        let symbol = details.read(bits)?;
        let (run, size) = (symbol >> 4, symbol & 15);
        if size == 0 && run != 15 {
            break;
        }
        bits.skip(size)?;
        place += usize::from(run) + 1;
    }
    Some(())
}

/// Bits, the most significant of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn next(&mut self) -> Option<u16> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn skip(&mut self, n: u8) -> Option<()> {
        self.at += usize::from(n);
        (self.at <= self.bytes.len() * 8).then_some(())
    }
}

/// A canonical Huffman code: for each length the first code, how many there are, and the place
/// of its first symbol.
struct Codes {
    lengths: [(u32, u32, usize); 16],
    symbols: Vec<u8>,
}

impl Codes {
    fn new(counts: &[u8; 16], symbols: &[u8]) -> Self {
        let (mut code, mut place) = (0_u32, 0);
        let lengths = counts.map(|count| {
            let length = (code, u32::from(count), place);
            code = (code + u32::from(count)) << 1;
            place += usize::from(count);
            length
        });
        Self { lengths, symbols: symbols.to_vec() }
    }

    fn read(&self, bits: &mut Bits) -> Option<u8> {
        let mut code = 0;
        for &(first, count, place) in &self.lengths {
            code = code << 1 | u32::from(bits.next()?);
            if first <= code && code - first < count {
                let step = usize::try_from(code - first).expect("a table has at most 65,536 codes");
                return self.symbols.get(place + step).copied();
            }
        }
        None
    }
}
