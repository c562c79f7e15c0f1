//! Due items → their endings: as many at a time as the lane allows, on as many threads as pay.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use futures_util::{StreamExt, future, stream};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::mpsc::{self, Receiver, Sender},
    task::block_in_place,
};

use super::{
    ItemStage, Lane, chain,
    items::{End, Work, settle},
    plan::DueItem,
};
use crate::store::StoreError;

/// Endings that wait to be gathered; more than these make the hands wait.
const ENDINGS_MAX: usize = 256;

/// What is due, one after the other.
pub(super) type Due<'a, S> = Box<dyn Iterator<Item = Result<DueItem<S>, StoreError>> + Send + 'a>;

/// Everything the hands share.
pub(super) struct Hands<'a, S: ItemStage> {
    stage: &'a S,
    work: Work<'a>,
    // Each hand takes its next item here.
    due: Mutex<Due<'a, S>>,
}

impl<'a, S: ItemStage> Hands<'a, S> {
    pub(super) fn new(stage: &'a S, work: Work<'a>, due: Due<'a, S>) -> Self {
        Self { stage, work, due: Mutex::new(due) }
    }

    /// Works on everything due, while `gather` takes the endings. When it ends first, what is
    /// under way is let go.
    pub(super) async fn work<T, F: Future<Output = T>>(
        &self,
        gather: impl FnOnce(Receiver<End<S>>) -> F,
    ) -> T {
        let (endings, gathered) = mpsc::channel(ENDINGS_MAX);
        let (width, hands) = (self.work.limits.width(S::LANE), n_hands(S::LANE));
        if hands == 1 {
            return future::join(gather(gathered), self.toil(width, endings)).await.0;
        }
        let runtime = Handle::current();
        block_in_place(|| {
            thread::scope(|scope| {
                for _ in 0..hands {
                    let (runtime, endings) = (&runtime, endings.clone());
                    let share = width.div_ceil(hands);
                    scope.spawn(move || runtime.block_on(self.toil(share, endings)));
                }
                drop(endings);
                runtime.block_on(gather(gathered))
            })
        })
    }

    async fn toil(&self, width: usize, endings: Sender<End<S>>) {
        let asked = Box::pin(self.work.stop.asked());
        let mut results = stream::iter(std::iter::from_fn(|| self.next()))
            .take_until(asked)
            .map(|item| async {
                match item {
                    Ok(item) => settle(self.stage, item, self.work).await,
                    Err(error) => End::Fatal(chain(&error)),
                }
            })
            .buffer_unordered(width)
            .boxed();
        loop {
            let ended = tokio::select! {
                biased;
                () = endings.closed() => return,
                ended = results.next() => ended,
            };
            let Some(ended) = ended else { return };
            if endings.send(ended).await.is_err() {
                return;
            }
        }
    }

    fn next(&self) -> Option<Result<DueItem<S>, StoreError>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

/// Returns on how many threads the items of a lane are worked on. What the other lanes do
/// beside waiting happens on threads of its own.
fn n_hands(lane: Lane) -> usize {
    let has_threads = Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
    match lane {
        Lane::Hosts if has_threads => {
            thread::available_parallelism().map_or(1, std::num::NonZero::get)
        }
        Lane::Hosts | Lane::Network | Lane::Cpu => 1,
    }
}
