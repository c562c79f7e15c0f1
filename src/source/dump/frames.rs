//! The frames of a zstd file, one after the other, with their places in the file.
//!
//! A frame that cannot be unpacked to its end is a fault that is told; reading goes on with the
//! next frame, if there is one.

use std::{
    collections::VecDeque,
    io::{self, Read, Seek, SeekFrom},
};

use memchr::memmem;
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use crate::source::packing::WINDOW_LOG_MAX;

/// How much of the file is read at once.
const INPUT_BYTES: usize = 1 << 20;

/// What is needed to begin with a frame.
const HEADER_BYTES: usize = 5;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The middle and the end of the magic of frames that hold no data; the first byte varies.
const SKIPPABLE: [u8; 3] = [0x2a, 0x4d, 0x18];

pub(super) struct Frames<F> {
    file: F,
    context: DCtx<'static>,
    input: Vec<u8>,
    /// The part of the input that is not yet unpacked.
    start: usize,
    end: usize,
    /// Where `start` lies in the file.
    file_at: u64,
    /// How much text has been unpacked.
    text_at: u64,
    state: State,
    /// Where frames begin, in the file and in the text; the earliest that may still be asked for
    /// comes first.
    begun: VecDeque<(u64, u64)>,
    /// How much of the input to unpack next: a block, so that a broken one costs only itself.
    wanted: usize,
    /// Whether unpacked text may be waiting for room.
    may_hold_back: bool,
    /// With the byte of the text each was met at.
    faults: Vec<(u64, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    BetweenFrames,
    InFrame,
    /// A fault was met: the line under way ends here, and the next frame is looked for.
    Lost,
    AtEnd,
}

impl<F: Read + Seek> Frames<F> {
    /// Begins with the frame at byte `file_at` of the file, whose first byte of text is counted
    /// as byte `text_at`. The error's kind is `InvalidData` if no frame begins there.
    pub(super) fn begin(mut file: F, file_at: u64, text_at: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(file_at))?;
        let mut context = DCtx::create();
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX)).map_err(error_of)?;
        let mut frames = Self {
            file,
            context,
            input: vec![0; INPUT_BYTES],
            start: 0,
            end: 0,
            file_at,
            text_at,
            state: State::BetweenFrames,
            begun: VecDeque::new(),
            wanted: HEADER_BYTES,
            may_hold_back: false,
            faults: Vec::new(),
        };
        frames.fill()?;
        let start = &frames.input[..frames.end];
        let is_frame = start.starts_with(&MAGIC) || start.get(1..4) == Some(&SKIPPABLE);
        // A mark at the very end of the file has no frame behind it, and need not.
        if is_frame || start.is_empty() && file_at != 0 {
            Ok(frames)
        } else {
            Err(io::ErrorKind::InvalidData.into())
        }
    }

    /// Returns, once, the faults met before a byte of the text.
    pub(super) fn take_faults(&mut self, text_at: u64) -> Vec<String> {
        let is_later = |(at, _): &(u64, String)| text_at <= *at;
        let later = self.faults.iter().position(is_later).unwrap_or(self.faults.len());
        self.faults.drain(..later).map(|(_, fault)| fault).collect()
    }

    /// Returns where the frame that holds a byte of the text begins, in the file and in the text.
    /// Frames before it are forgotten.
    pub(super) fn frame_of(&mut self, text_at: u64) -> (u64, u64) {
        while self.begun.get(1).is_some_and(|(_, begins)| *begins <= text_at) {
            self.begun.pop_front();
        }
        self.begun.front().copied().unwrap_or((self.file_at, self.text_at))
    }

    /// Reads more of the file behind what is there; returns whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        self.input.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        loop {
            match self.file.read(&mut self.input[self.end..]) {
                Ok(n) => {
                    self.end += n;
                    return Ok(n != 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
    }

    fn step(&mut self, length: usize) {
        self.start += length;
        self.file_at += in_file(length);
    }

    fn fault(&mut self, why: &str) {
        let frame_at = self.begun.back().map_or(self.file_at, |(frame_at, _)| *frame_at);
        let file_at = self.file_at;
        let why = format!(
            "the frame at byte {frame_at} of the file cannot be unpacked beyond byte {file_at}: \
             {why}"
        );
        self.faults.push((self.text_at, why));
        self.state = State::Lost;
    }

    /// Goes to where the next frame seems to begin.
    fn find_next_frame(&mut self) -> io::Result<()> {
        // Beginning anew after an error cannot fail.
        _ = self.context.reset(ResetDirective::SessionOnly);
        (self.wanted, self.may_hold_back) = (HEADER_BYTES, false);
        loop {
            let rest = &self.input[self.start..self.end];
            if let Some(found) = memmem::find(rest, &MAGIC) {
                self.step(found);
                self.state = State::BetweenFrames;
                return Ok(());
            }
            // The magic may be cut in two.
            self.step(rest.len().saturating_sub(MAGIC.len() - 1));
            if !self.fill()? {
                self.step(self.end - self.start);
                self.state = State::AtEnd;
                return Ok(());
            }
        }
    }

    /// Unpacks some of the input; returns how much text came of it.
    fn unpack(&mut self, to: &mut [u8]) -> usize {
        if self.state == State::BetweenFrames {
            self.begun.push_back((self.file_at, self.text_at));
            self.state = State::InFrame;
        }
        let n_wanted = if self.may_hold_back { 0 } else { self.wanted };
        let end = self.end.min(self.start + n_wanted);
        let mut input = InBuffer::around(&self.input[self.start..end]);
        let mut output = OutBuffer::around(to);
        let result = self.context.decompress_stream(&mut output, &mut input);
        let (consumed, written) = (input.pos(), output.pos());
        self.step(consumed);
        self.text_at += in_file(written);
        self.may_hold_back = written == to.len();
        match result {
            Ok(0) => {
                self.state = State::BetweenFrames;
                self.wanted = HEADER_BYTES;
                self.may_hold_back = false;
            }
            Ok(wanted) => self.wanted = wanted,
            Err(code) => {
                // What made it fail is not taken for the start of the next frame.
                if consumed == 0 {
                    self.step(1.min(self.end - self.start));
                }
                self.fault(get_error_name(code));
            }
        }
        written
    }
}

impl<F: Read + Seek> Read for Frames<F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::AtEnd => return Ok(0),
                State::Lost => {
                    self.find_next_frame()?;
                    to[0] = b'\n';
                    self.text_at += 1;
                    return Ok(1);
                }
                State::BetweenFrames | State::InFrame => {
                    let is_more = self.start != self.end || self.fill()?;
                    let held_back = self.may_hold_back;
                    if !is_more && self.state == State::BetweenFrames {
                        self.state = State::AtEnd;
                        continue;
                    }
                    // Text may be held back that needs no more input to come out.
                    let written = self.unpack(to);
                    if written != 0 {
                        return Ok(written);
                    }
                    if !is_more && !held_back && self.state == State::InFrame {
                        self.fault("the file ends within it");
                    }
                }
            }
        }
    }
}

fn error_of(code: usize) -> io::Error {
    io::Error::other(get_error_name(code))
}

fn in_file(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}
