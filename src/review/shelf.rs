//! Stored originals → small pictures to look at, encoded anew whatever the file is. Those asked
//! for lately are kept in memory, within a bound.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use axum::body::Bytes;
use tokio::task::JoinError;

use super::desk::{Card, CardId, Desk};
use crate::{
    domain::outcome::Reject,
    engine::memory::Memory,
    pixels::{
        contact,
        decode::{self, Taking},
        weight,
    },
    store::files::{self, FileError},
};

/// The longer side of a picture in a row of many, and of one to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Size {
    Small,
    Large,
}

/// What encoded pictures may take together.
const KEPT_BYTES: usize = 48 << 20;

/// What decoding may take together.
const DECODING_BYTES: u64 = 128 << 20;

const QUALITY: u8 = 82;

#[derive(Debug, thiserror::Error)]
pub(super) enum ShelfError {
    #[error("the file is no longer there")]
    Gone(#[source] FileError),
    #[error("the file is no picture any more: {0}")]
    Broken(Reject),
    #[error("the picture was not read")]
    BrokenOff(#[from] JoinError),
}

pub(super) struct Shelf {
    desk: Arc<Desk>,
    decoding: Memory,
    /// The least a decoding takes, so that no more run at a time than there are cores.
    share_bytes: u64,
    // All requests look here first.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    pictures: BTreeMap<(CardId, Size), (u64, Bytes)>,
    /// By when they were asked for last.
    order: BTreeMap<u64, (CardId, Size)>,
    n_bytes: usize,
    clock: u64,
}

impl Size {
    pub(super) fn side_px(self) -> u32 {
        match self {
            Self::Small => 320,
            Self::Large => 1024,
        }
    }
}

impl Shelf {
    pub(super) fn of(desk: Arc<Desk>) -> Self {
        let n_cores = thread::available_parallelism().map_or(2, usize::from);
        let share_bytes = DECODING_BYTES / u64::try_from(n_cores).unwrap_or(2);
        let decoding = Memory::of(DECODING_BYTES);
        Self { desk, decoding, share_bytes, kept: Mutex::default() }
    }

    /// Returns a picture as JPEG that fits a square of its size, and never larger than it is.
    pub(super) async fn picture(&self, id: CardId, size: Size) -> Result<Bytes, ShelfError> {
        if let Some(kept) = self.kept().find((id, size)) {
            return Ok(kept);
        }
        // Whoever stopped waiting gives the place back before any work is done.
        let card = self.desk.card(id);
        let path = self.desk.layout.blob(&card.blob);
        let taking = Taking { shorter_px: shorter_px(card, size), ..Taking::default() };
        let bytes = tokio::task::spawn_blocking(move || files::read(&path)).await?;
        let bytes = bytes.map_err(ShelfError::Gone)?;
        let needs = weight::decoding_bytes(&bytes, taking).max(self.share_bytes);
        let taken = self.decoding.take(needs).await;
        let made = tokio::task::spawn_blocking(move || {
            let _taken = taken;
            let decoded = decode::take(&bytes, taking).map_err(ShelfError::Broken)?;
            Ok(Bytes::from(contact::thumbnail_jpeg(&decoded.picture, size.side_px(), QUALITY)))
        });
        let made: Result<Bytes, ShelfError> = made.await?;
        let made = made?;
        self.kept().keep((id, size), made.clone());
        Ok(made)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, name: (CardId, Size)) -> Option<Bytes> {
        let (asked, bytes) = self.pictures.get_mut(&name)?;
        self.order.remove(asked);
        self.clock += 1;
        *asked = self.clock;
        self.order.insert(self.clock, name);
        Some(bytes.clone())
    }

    fn keep(&mut self, name: (CardId, Size), bytes: Bytes) {
        self.clock += 1;
        self.n_bytes += bytes.len();
        self.order.insert(self.clock, name);
        if let Some((asked, before)) = self.pictures.insert(name, (self.clock, bytes)) {
            self.order.remove(&asked);
            self.n_bytes -= before.len();
        }
        while KEPT_BYTES < self.n_bytes
            && let Some((_, oldest)) = self.order.pop_first()
        {
            let gone = self.pictures.remove(&oldest);
            self.n_bytes -= gone.map_or(0, |(_, bytes)| bytes.len());
        }
    }
}

/// Returns the shorter side a picture has once its longer side is that of `size`.
fn shorter_px(card: &Card, size: Size) -> Option<u32> {
    let longer = u64::from(card.width_px.max(card.height_px));
    let shorter = u64::from(card.width_px.min(card.height_px));
    let scaled = (shorter * u64::from(size.side_px())).checked_div(longer)?;
    u32::try_from(scaled.max(1)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_longest_ago_goes_first() {
        let mut kept = Kept::default();
        let name = |n: usize| (CardId::of(n), Size::Small);
        let third = || Bytes::from(vec![0; KEPT_BYTES / 3]);
        for n in 0..3 {
            kept.keep(name(n), third());
        }
        kept.find(name(0));
        kept.keep(name(3), third());
        kept.keep(name(3), third());

        let found = (0..4).map(|n| kept.find(name(n)).is_some()).collect::<Vec<_>>();

        assert_eq!(found, [true, false, true, true]);
        assert_eq!(kept.n_bytes, KEPT_BYTES / 3 * 3);
    }
}
