//! Memory for what lies between the steps.

use std::{
    cell::RefCell,
    collections::VecDeque,
    ops::{Deref, DerefMut},
};

/// How many numbers a line of the cache holds; the widest registers hold as many.
const LINE: usize = 16;

/// How many numbers a thread keeps room for, those of a large picture several times, and in how
/// many pieces.
const MOST_KEPT: usize = 4 << 20;
const MOST_PIECES: usize = 32;

thread_local! {
    /// What is free again, the oldest first: memory that was just used is in the cache, and what
    /// the system gives instead it clears first.
    static KEPT: RefCell<VecDeque<Vec<f32>>> = const { RefCell::new(VecDeque::new()) };
}

/// Numbers that begin where a line of the cache does: a register that is read from them never
/// takes two.
#[derive(Debug)]
pub(super) struct Buffer {
    room: Vec<f32>,
    skip: usize,
    len: usize,
}

impl Buffer {
    /// Returns room for so many numbers, with whatever was there before.
    pub(super) fn any(len: usize) -> Self {
        let wanted = len + LINE - 1;
        let fits = |it: &Vec<f32>| wanted <= it.len() && it.len() <= 4 * wanted;
        let known = KEPT.with_borrow_mut(|kept| {
            let sizes = kept.iter().enumerate().filter(|(_, it)| fits(it));
            let (at, _) = sizes.min_by_key(|(_, it)| it.len())?;
            kept.remove(at)
        });
        Self::within(known.unwrap_or_else(|| vec![0.0; wanted]), len)
    }

    pub(super) fn zeros(len: usize) -> Self {
        let mut zeros = Self::any(len);
        zeros.fill(0.0);
        zeros
    }

    fn within(room: Vec<f32>, len: usize) -> Self {
        // Where nothing can be told of addresses, nothing is skipped.
        let skip = Some(room.as_ptr().align_offset(size_of::<f32>() * LINE));
        let skip = skip.filter(|skip| *skip < LINE).unwrap_or_default();
        Self { room, skip, len }
    }
}

impl From<&[f32]> for Buffer {
    /// Copies numbers that are to last, into room of their own.
    fn from(values: &[f32]) -> Self {
        let mut copy = Self::within(vec![0.0; values.len() + LINE - 1], values.len());
        copy.copy_from_slice(values);
        copy
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        let mut copy = Self::any(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.room[self.skip..][..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.room[self.skip..][..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let room = std::mem::take(&mut self.room);
        // At the end of a thread, nothing is kept any more.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            let mut n = room.len() + kept.iter().map(Vec::len).sum::<usize>();
            kept.push_back(room);
            while MOST_KEPT < n || MOST_PIECES < kept.len() {
                n -= kept.pop_front().map_or(n, |oldest| oldest.len());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_kept() -> usize {
        KEPT.with_borrow(|kept| kept.iter().map(Vec::len).sum())
    }

    #[test]
    fn numbers_begin_where_a_line_does() {
        for len in [0, 1, 15, 16, 17, 1000] {
            for buffer in [Buffer::any(len), Buffer::zeros(len), Buffer::from(&*vec![1.0; len])] {
                assert_eq!(buffer.len(), len);
                assert_eq!(buffer.as_ptr().align_offset(64), 0, "{len}");
            }
        }
        let numbers = Buffer::from(&[1.0, 2.0, 3.0][..]);
        assert_eq!(*numbers.clone(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn room_is_used_again_and_not_kept_without_end() {
        let mut first = Buffer::any(1000);
        first.fill(7.0);
        let place = first.as_ptr();
        drop(first);

        let second = Buffer::any(990);
        assert_eq!(second.as_ptr(), place);
        assert_eq!(*second, [7.0; 990]);
        drop(second);
        assert_eq!(*Buffer::zeros(990), [0.0; 990]);
        // A few numbers do not take the room of many.
        assert_ne!(Buffer::any(10).as_ptr(), place);

        let wide: Vec<Buffer> = (0..5).map(|_| Buffer::any(MOST_KEPT / 3)).collect();
        drop(wide);
        assert!(MOST_KEPT / 3 < n_kept() && n_kept() <= MOST_KEPT, "{}", n_kept());
        drop(Buffer::any(2 * MOST_KEPT));
        assert_eq!(n_kept(), 0);

        // Of no use to anybody, but dropped here.
        (0..100).for_each(|_| drop(Buffer::from(&[1.0][..])));
        assert_eq!(n_kept(), MOST_PIECES * LINE);
    }
}
