//! Posts on their way out of a file, handed on in batches: memory stays flat however many posts
//! there are, and what was handed on can be kept before the rest is read.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::domain::{id::PostId, post::Post};

/// The most posts handed on at once.
pub const BATCH_POSTS: usize = 1000;

/// How many of the entries that could not be read are told in words.
const SAMPLES: usize = 20;

/// Some posts of a file, and what could not be read on the way to them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    pub posts: Vec<(PostId, Post)>,
    pub unreadable: Unreadable,
}

/// Takes the batches of a listing one by one; `Break` ends the listing.
pub type Sink<'a> = &'a mut dyn FnMut(Batch) -> ControlFlow<()>;

/// Entries that could not be read: all are counted, the first are described.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    pub count: u64,
    /// How many of them are stretches of a file that may have held any number of entries.
    pub stretches: u64,
    pub samples: Vec<String>,
}

impl Unreadable {
    pub fn note(&mut self, why: impl FnOnce() -> String) {
        self.count += 1;
        if self.samples.len() < SAMPLES {
            self.samples.push(why());
        }
    }

    /// Notes a stretch of a file in which there is no telling what it held.
    pub fn note_stretch(&mut self, why: impl FnOnce() -> String) {
        self.stretches += 1;
        self.note(why);
    }

    /// Adds what another part of the same listing could not read.
    pub fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.stretches += other.stretches;
        let room = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(other.samples.into_iter().take(room));
    }
}

/// Gathers posts and hands them on whenever a batch is full.
pub(super) struct Batches<'a> {
    batch: Batch,
    sink: Sink<'a>,
}

impl<'a> Batches<'a> {
    pub(super) fn new(sink: Sink<'a>) -> Self {
        Self { batch: Batch::default(), sink }
    }

    pub(super) fn post(&mut self, id: PostId, post: Post) -> ControlFlow<()> {
        self.batch.posts.push((id, post));
        if self.batch.posts.len() < BATCH_POSTS {
            ControlFlow::Continue(())
        } else {
            self.hand_on()
        }
    }

    pub(super) fn unreadable(&mut self, why: impl FnOnce() -> String) {
        self.batch.unreadable.note(why);
    }

    /// Hands on what is left; an empty listing hands on nothing.
    pub(super) fn finish(mut self) {
        if !self.batch.posts.is_empty() || self.batch.unreadable.count != 0 {
            // It was the last batch: whether the sink wants more is all the same.
            _ = self.hand_on();
        }
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        (self.sink)(std::mem::take(&mut self.batch))
    }
}
