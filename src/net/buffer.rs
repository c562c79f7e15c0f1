//! The memory of bodies, used again: the C library gives back to the system what is freed, and
//! every page the system hands out anew is cleared first.

use std::{
    mem,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many are kept for use.
const KEPT_MAX: usize = 64;

/// The largest that is kept.
const KEPT_BYTES: usize = 1 << 19;

/// Memory to be used again.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    // Those who fetch take, and those who write files give back.
    kept: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Bytes whose memory goes back to where it came from when they are dropped.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    home: Option<Buffers>,
}

impl Buffers {
    /// Returns memory with room for so many bytes, and none in it.
    pub(super) fn take(&self, room: usize) -> Vec<u8> {
        let mut bytes = self.kept().pop().unwrap_or_default();
        bytes.reserve(room);
        bytes
    }

    /// Lets the memory of `bytes` come back here.
    pub(super) fn lend(&self, bytes: Vec<u8>) -> Buffer {
        Buffer { bytes, home: Some(self.clone()) }
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut kept = self.kept();
        if kept.len() < KEPT_MAX && bytes.capacity() <= KEPT_BYTES {
            kept.push(bytes);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// Keeps the bytes, whose memory does not go back.
    pub fn into_vec(mut self) -> Vec<u8> {
        self.home = None;
        mem::take(&mut self.bytes)
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, home: None }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = &self.home {
            home.give_back(mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_comes_back_empty() {
        let buffers = Buffers::default();
        let mut bytes = buffers.take(1000);
        let at = bytes.as_ptr();
        bytes.extend(b"hello");

        let lent = buffers.lend(bytes);
        assert_eq!(*lent, *b"hello");
        drop(lent);
        let again = buffers.take(500);

        assert_eq!((again.as_ptr(), again.len()), (at, 0));
        assert!(500 <= again.capacity());
    }

    #[test]
    fn little_is_kept() {
        let buffers = Buffers::default();
        let lent: Vec<Buffer> = (0..2 * KEPT_MAX).map(|_| buffers.lend(vec![0; 10])).collect();
        drop(buffers.lend(vec![0; 2 * KEPT_BYTES]));
        assert_eq!(buffers.kept().len(), 0);

        drop(lent);

        assert_eq!(buffers.kept().len(), KEPT_MAX);
    }
}
