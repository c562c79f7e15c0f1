//! Finished results → the store, in batches, one after the other, while the work goes on.

use std::{error::Error, future::pending};

use tokio::{
    task::JoinHandle,
    time::{Duration, Instant, sleep_until},
};

use super::{ItemStage, RunError, chain, hands::Hands};
use crate::store::{Entry, Record, Store};

/// Results are written together when they come together; each counts as under way until then.
const BATCH_MAX: usize = 512;

/// The longest a result waits for company.
const WAIT_MAX: Duration = Duration::from_millis(100);

/// What must reach the disk before the records that speak of it may.
pub type BeforeCommit = Box<dyn FnOnce() -> Result<(), Box<dyn Error + Send + Sync>> + Send>;

/// The results on their way to the store.
pub(super) struct Commits<'a, S: ItemStage> {
    stage: &'a S,
    store: &'a Store,
    batch: Vec<Entry<S::Output>>,
    /// When the batch is written at the latest.
    due: Option<Instant>,
    under_way: Option<UnderWay<S::Output>>,
    // One, for what is put into the store is made in its memory.
    hand: Hands,
}

type UnderWay<R> = JoinHandle<Result<Vec<Entry<R>>, RunError>>;

impl<'a, S: ItemStage> Commits<'a, S> {
    pub(super) fn new(stage: &'a S, store: &'a Store) -> Self {
        Self { stage, store, batch: Vec::new(), due: None, under_way: None, hand: Hands::of(1) }
    }

    pub(super) fn push(&mut self, result: Entry<S::Output>) {
        self.due.get_or_insert_with(|| Instant::now() + WAIT_MAX);
        self.batch.push(result);
    }

    pub(super) fn has_room(&self) -> bool {
        self.batch.len() < BATCH_MAX
    }

    pub(super) fn is_idle(&self) -> bool {
        self.batch.is_empty() && self.under_way.is_none()
    }

    /// Begins to write if that is due, or if nothing more will come.
    pub(super) fn begin_if_due(&mut self, flow: Flow) {
        let is_due = flow == Flow::Ended
            || !self.has_room()
            || self.due.is_some_and(|due| due <= Instant::now());
        if self.under_way.is_some() || self.batch.is_empty() || !is_due {
            return;
        }
        self.due = None;
        let (batch, store) = (std::mem::take(&mut self.batch), self.store.clone());
        let before = self.stage.before_commit();
        self.under_way = Some(self.hand.put_to(move || write(&store, batch, before)));
    }

    /// Waits until the batch under way is on disk and returns it.
    pub(super) async fn written(&mut self) -> Result<Vec<Entry<S::Output>>, RunError> {
        let Some(under_way) = &mut self.under_way else { return pending().await };
        let written = under_way.await;
        self.under_way = None;
        written.unwrap_or_else(|error| Err(RunError::Fatal { message: chain(&error) }))
    }

    /// Returns when the next batch is due; unknown while one is under way.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.under_way.is_none())
    }
}

/// Waits until `due`.
pub(super) async fn come(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

/// Whether more results may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Open,
    Ended,
}

fn write<R: Record>(
    store: &Store,
    batch: Vec<Entry<R>>,
    before: Option<BeforeCommit>,
) -> Result<Vec<Entry<R>>, RunError> {
    if let Some(before) = before {
        before().map_err(|error| RunError::Fatal { message: chain(&*error) })?;
    }
    store.put_all::<R>(&batch)?;
    Ok(batch)
}
