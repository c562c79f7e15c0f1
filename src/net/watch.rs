//! Bounds an exchange in time with one timer: the whole of it, and the longest silence within.

use std::{
    future::poll_fn,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    Deadline,
    Silence,
}

/// Watches one exchange from now on.
pub(super) struct Watch {
    begun: Instant,
    deadline: Duration,
    silence: Duration,
    /// When the other side was last heard, counted from the beginning.
    heard_us: AtomicU64,
}

impl Watch {
    pub(super) fn new(deadline: Duration, silence: Duration) -> Self {
        Self { begun: Instant::now(), deadline, silence, heard_us: AtomicU64::new(0) }
    }

    /// Tells whether anything was heard at all.
    pub(super) fn has_heard(&self) -> bool {
        self.heard_us.load(Ordering::Relaxed) != 0
    }

    /// The other side was heard just now.
    pub(super) fn heard(&self) {
        let elapsed = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.heard_us.store(elapsed.max(1), Ordering::Relaxed);
    }

    /// Lets `exchange` go on until it ends or something runs out.
    pub(super) async fn over<T>(&self, exchange: impl Future<Output = T>) -> Result<T, Overdue> {
        let mut exchange = pin!(exchange);
        let mut alarm = pin!(sleep_until(self.due().0));
        poll_fn(|context| {
            if let Poll::Ready(end) = exchange.as_mut().poll(context) {
                return Poll::Ready(Ok(end));
            }
            loop {
                ready!(alarm.as_mut().poll(context));
                let (due, overdue) = self.due();
                if due <= Instant::now() {
                    return Poll::Ready(Err(overdue));
                }
                alarm.as_mut().reset(due);
            }
        })
        .await
    }

    /// Tells what would run out next, and when.
    fn due(&self) -> (Instant, Overdue) {
        let heard = Duration::from_micros(self.heard_us.load(Ordering::Relaxed));
        if heard + self.silence < self.deadline {
            (self.begun + heard + self.silence, Overdue::Silence)
        } else {
            (self.begun + self.deadline, Overdue::Deadline)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn silence_runs_out_before_the_deadline() {
        let watch = Watch::new(SECOND * 60, SECOND * 5);

        let end = watch.over(pending::<()>()).await;

        assert_eq!((end, watch.begun.elapsed()), (Err(Overdue::Silence), SECOND * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_holds_off_silence_and_not_the_deadline() {
        let watch = Watch::new(SECOND * 60, SECOND * 5);
        let drip = async {
            loop {
                tokio::time::sleep(SECOND).await;
                watch.heard();
            }
        };

        let end: Result<(), Overdue> = watch.over(drip).await;

        assert_eq!((end, watch.begun.elapsed()), (Err(Overdue::Deadline), SECOND * 60));
    }
}
