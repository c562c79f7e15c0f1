//! The pictures the server offers, the list that asks for them, and what goes wrong with which.
//!
//! A picture is known by its number: the same number gives the same bytes in every process, so
//! the server needs no memory for 5,000 pictures and the judge none for what was sent.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use blake3::Hash;
use jpeg_encoder::{ColorType, Encoder};

pub(super) const PICTURES: u32 = 5_000;

/// One line in five of the list repeats an address that was already on it.
const PICTURES_PER_REPEAT: u32 = 4;

/// Different drawings per size; a comment segment makes 5,000 different pictures of them.
const DRAWINGS: u32 = 8;

/// A JPEG's first mark and its JFIF segment, which belongs in front of all others.
const HEAD_BYTES: usize = 20;

/// A drawing as the encoder left it, and the size every picture made of it has.
struct Drawing {
    jpeg: Vec<u8>,
    size_bytes: usize,
}

/// What the server does to a picture the first time it is asked for, or every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Gone,
    /// An error once, then the picture.
    ServerErrorOnce,
    /// Half a body once, then the picture.
    CutOnce,
    /// A web page that calls itself a JPEG.
    WebPage,
}

impl Fault {
    /// Two in a hundred, each kind as often as the others.
    pub(super) fn of(picture: u32) -> Option<Self> {
        match picture % 200 {
            49 => Some(Self::Gone),
            99 => Some(Self::ServerErrorOnce),
            149 => Some(Self::CutOnce),
            199 => Some(Self::WebPage),
            _ => None,
        }
    }

    /// Tells whether a client that tries again gets the picture.
    pub(super) fn is_passing(self) -> bool {
        match self {
            Self::ServerErrorOnce | Self::CutOnce => true,
            Self::Gone | Self::WebPage => false,
        }
    }
}

/// All pictures: half of 60 KB, half of 160 KB, and small ones for counting posts.
pub(super) struct Corpus {
    usual: Vec<Drawing>,
    small: Drawing,
}

impl Corpus {
    pub(super) fn draw() -> Self {
        let usual = (0..DRAWINGS).flat_map(|seed| {
            [Drawing::new(640, 480, seed, 60_000), Drawing::new(1_024, 768, seed, 160_000)]
        });
        Self { usual: usual.collect(), small: Drawing::new(16, 16, 0, 1_500) }
    }

    pub(super) fn picture(&self, number: u32) -> Picture<'_> {
        let drawing = &self.usual[usize::try_from(number).unwrap() % self.usual.len()];
        drawing.numbered(number)
    }

    /// Returns a small picture.
    pub(super) fn small(&self, number: u32) -> Picture<'_> {
        self.small.numbered(number)
    }

    /// Returns the digest of every picture a patient client can get, with its number.
    pub(super) fn digests(&self, pictures: u32) -> BTreeMap<[u8; 32], u32> {
        let obtainable = (0..pictures).filter(|it| Fault::of(*it).is_none_or(Fault::is_passing));
        obtainable.map(|it| (*self.digest(it).as_bytes(), it)).collect()
    }

    fn digest(&self, number: u32) -> Hash {
        blake3::hash(&self.picture(number).slices().concat())
    }
}

/// The bytes of a picture: those it shares with others stay where they are.
pub(super) struct Picture<'a> {
    head: &'a [u8],
    comment: Vec<u8>,
    rest: &'a [u8],
}

impl Picture<'_> {
    pub(super) fn slices(&self) -> [&[u8]; 3] {
        [self.head, &self.comment, self.rest]
    }
}

impl Drawing {
    /// Draws as much noise over a gradient as `size_bytes` can hold.
    fn new(width: u16, height: u16, seed: u32, size_bytes: usize) -> Self {
        let drawn = |noise| draw(width, height, seed, noise);
        let fits = |noise: &u32| drawn(*noise).len() + 32 <= size_bytes;
        let levels: Vec<u32> = (0..128).collect();
        let jpeg = drawn(levels[levels.partition_point(fits) - 1]);
        assert!(image::load_from_memory(&jpeg).is_ok(), "the corpus has a broken picture");
        Self { jpeg, size_bytes }
    }

    /// Puts a number into a comment segment that fills the picture up to its size.
    fn numbered(&self, number: u32) -> Picture<'_> {
        let segment_bytes = self.size_bytes - self.jpeg.len();
        let length = u16::try_from(segment_bytes - 2).unwrap().to_be_bytes();
        let mut comment = [&[0xff, 0xfe], &length[..], &number.to_be_bytes()].concat();
        comment.resize(segment_bytes, b' ');
        let (head, rest) = self.jpeg.split_at(HEAD_BYTES);
        Picture { head, comment, rest }
    }
}

fn draw(width: u16, height: u16, seed: u32, noise: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let speck = state % (noise + 1);
            let base = [x * 128 / u32::from(width), y * 128 / u32::from(height), seed * 16];
            pixels.extend(base.map(|it| u8::try_from(it + speck).unwrap_or(u8::MAX)));
        }
    }
    let mut jpeg = Vec::new();
    let encoder = Encoder::new(&mut jpeg, 85);
    encoder.encode(&pixels, width, height, ColorType::Rgb).unwrap();
    jpeg
}

/// Returns the numbers of the list in its order: each picture once, and one line in five an
/// earlier one again.
pub(super) fn list(pictures: u32) -> Vec<u32> {
    let mut lines = Vec::new();
    for number in 0..pictures {
        lines.push(number);
        if number % PICTURES_PER_REPEAT == PICTURES_PER_REPEAT - 1 {
            lines.push(number.wrapping_mul(2_654_435_761) % (number + 1));
        }
    }
    lines
}

/// Writes a list of addresses below `base`: a heading if there is one, then a line for each.
pub(super) fn write_list(
    path: &Path,
    heading: &str,
    base: &str,
    lines: impl IntoIterator<Item = u32>,
) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    file.write_all(heading.as_bytes()).unwrap();
    for number in lines {
        writeln!(file, "{base}{number:07}.jpg").unwrap();
    }
    file.flush().unwrap();
}
