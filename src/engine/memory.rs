//! How much memory the items under way may take together: large ones wait until there is room,
//! small ones go on beside them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One permit stands for this many bytes.
const UNIT_BYTES: u64 = 1 << 16;

/// The memory all items share; a clone is another hand on the same.
#[derive(Clone, Debug)]
pub struct Memory {
    // The stages that decode hold one together.
    free: Arc<Semaphore>,
    units: u32,
}

/// The part of the memory one item has taken, given back when dropped.
#[derive(Debug)]
pub struct Taken {
    _units: OwnedSemaphorePermit,
}

impl Memory {
    pub fn of(bytes: u64) -> Self {
        let units = units(bytes, u32::MAX >> 3);
        let permits = usize::try_from(units).expect("a 32-bit number fits");
        Self { free: Arc::new(Semaphore::new(permits)), units }
    }

    /// Waits until so much is free. What asks for more than there is gets all of it: it runs
    /// alone.
    pub async fn take(&self, bytes: u64) -> Taken {
        let wanted = units(bytes, self.units);
        let units = Arc::clone(&self.free).acquire_many_owned(wanted).await;
        Taken { _units: units.expect("nobody closes this semaphore") }
    }
}

fn units(bytes: u64, units_max: u32) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).clamp(1, units_max)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn is_free(memory: &Memory, bytes: u64) -> bool {
        timeout(Duration::from_millis(1), memory.take(bytes)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_item_waits_for_room_and_a_small_one_goes_on() {
        let memory = Memory::of(10 << 20);
        let first = memory.take(6 << 20).await;

        assert!(!is_free(&memory, 6 << 20).await);
        assert!(is_free(&memory, 3 << 20).await);
        drop(first);
        assert!(is_free(&memory, 6 << 20).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_needs_more_than_there_is_runs_alone() {
        let memory = Memory::of(10 << 20);

        let giant = memory.take(1 << 40).await;

        assert!(!is_free(&memory, 1).await);
        drop(giant);
        assert!(is_free(&memory, 1).await);
    }
}
