//! The wish to stop: what is under way is finished and saved, nothing new is begun.

use std::{future, time::Duration};

use tokio::{sync::watch, time};

#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// The hand that stops; dropping it never stops anything.
#[derive(Debug)]
pub struct Brake(watch::Sender<bool>);

impl Stop {
    pub fn channel() -> (Brake, Self) {
        let (sender, receiver) = watch::channel(false);
        (Brake(sender), Self(receiver))
    }

    /// Returns a wish nobody has and nobody will have.
    pub fn never() -> Self {
        Self::channel().1
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for `work`, but no longer than `grace` once a stop is asked for; `None` where that was
    /// not enough.
    pub async fn with_grace<T>(&self, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
        let patience = async {
            self.asked().await;
            time::sleep(grace).await;
        };
        tokio::select! {
            done = work => Some(done),
            () = patience => None,
        }
    }

    /// Ends when somebody asks to stop, and never if nobody can ask any more.
    pub async fn asked(&self) {
        if self.0.clone().wait_for(|stop| *stop).await.is_err() {
            future::pending::<()>().await;
        }
    }
}

impl Brake {
    pub fn pull(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_is_waited_for_until_the_grace_is_over() {
        let (brake, stop) = Stop::channel();
        let second = Duration::from_secs(1);
        let after = |n: u32| async move { time::sleep(second * n).await };

        assert_eq!(stop.with_grace(second, after(9)).await, Some(()), "nobody asked");
        brake.pull();
        assert_eq!(stop.with_grace(second * 3, after(2)).await, Some(()));
        assert_eq!(stop.with_grace(second * 3, after(4)).await, None);
    }
}
