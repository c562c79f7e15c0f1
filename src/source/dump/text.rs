//! A dump as the text within, from any place on, with the faults met on the way.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

use flate2::read::MultiGzDecoder;

use super::{Mark, frames::Frames};
use crate::source::packing::{self, Packing};

pub(super) enum Text {
    Plain(File),
    Gzip { unpacked: Box<MultiGzDecoder<File>>, at: u64, fault: Option<String> },
    Zstd(Box<Frames<File>>),
}

impl Text {
    /// Opens a dump so that the next byte read is the one at the mark. The error's kind is
    /// `InvalidData` if the file is not what its name says.
    pub(super) fn open(path: &Path, from: Mark) -> io::Result<Self> {
        let mut file = File::open(path)?;
        match packing::of(path).0 {
            Packing::Plain => {
                file.seek(SeekFrom::Start(from.text_at))?;
                Ok(Self::Plain(file))
            }
            Packing::Gzip => {
                let unpacked = Box::new(MultiGzDecoder::new(file));
                let mut text = Self::Gzip { unpacked, at: 0, fault: None };
                skip(&mut text, from.text_at)?;
                Ok(text)
            }
            Packing::Zstd => {
                let mut frames = Frames::begin(file, from.frame_at, from.text_before)?;
                skip(&mut frames, from.text_at - from.text_before)?;
                Ok(Self::Zstd(Box::new(frames)))
            }
        }
    }

    /// Returns, once, what could not be unpacked before a byte of the text.
    pub(super) fn take_faults(&mut self, text_at: u64) -> Vec<String> {
        match self {
            Self::Gzip { fault, at, .. } if *at <= text_at => fault.take().into_iter().collect(),
            Self::Plain(_) | Self::Gzip { .. } => Vec::new(),
            Self::Zstd(frames) => frames.take_faults(text_at),
        }
    }

    /// Marks a byte of the text that has been read, later than any marked before.
    pub(super) fn mark(&mut self, text_at: u64) -> Mark {
        match self {
            Self::Plain(_) | Self::Gzip { .. } => Mark { text_at, ..Mark::default() },
            Self::Zstd(frames) => {
                let (frame_at, text_before) = frames.frame_of(text_at);
                Mark { frame_at, text_before, text_at }
            }
        }
    }
}

impl Read for Text {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(to),
            Self::Zstd(frames) => frames.read(to),
            // What cannot be unpacked is where the text ends; nothing follows it.
            Self::Gzip { fault: Some(_), .. } => Ok(0),
            Self::Gzip { unpacked, at, fault } => match unpacked.read(to) {
                Err(error) if is_in_the_data(&error) => {
                    let why = format!("the gzip data cannot be unpacked to its end: {error}");
                    *fault = Some(why);
                    Ok(0)
                }
                read => {
                    let n = *read.as_ref().unwrap_or(&0);
                    *at += u64::try_from(n).expect("a length fits 64 bits");
                    read
                }
            },
        }
    }
}

/// Tells broken data from a broken disk.
fn is_in_the_data(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// Reads and forgets what was read before.
fn skip(text: &mut impl Read, n_bytes: u64) -> io::Result<()> {
    io::copy(&mut text.take(n_bytes), &mut io::sink()).map(drop)
}
