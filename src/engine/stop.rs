//! The wish to stop: what is under way is finished and saved, nothing new is begun.

use std::future;

use tokio::sync::watch;

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
