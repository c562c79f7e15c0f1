//! Runs one stage over all items that need it. Skipping, retrying, counting and stopping
//! are written here once, so a stage holds nothing but its own work.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt,
    future::Future,
    iter,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    domain::{link::Trouble, outcome::Outcome},
    store::{Record, Store, StoreError},
};

mod commit;
pub mod events;
pub mod hands;
mod items;
pub mod memory;
pub mod plan;
mod set;
pub mod stop;

pub use commit::BeforeCommit;
pub use items::{RunError, Work, run};
pub use plan::{changes, stamp_of};
pub use set::{SetError, SetStage, plan_set, run_set};

/// The steps of a pipeline, in the order they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    Collect,
    Resolve,
    Fetch,
    Fingerprint,
    Dedupe,
    Prepare,
    Split,
    Export,
    Train,
}

impl StageName {
    pub const ALL: [Self; 9] = [
        Self::Collect,
        Self::Resolve,
        Self::Fetch,
        Self::Fingerprint,
        Self::Dedupe,
        Self::Prepare,
        Self::Split,
        Self::Export,
        Self::Train,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Resolve => "resolve",
            Self::Fetch => "fetch",
            Self::Fingerprint => "fingerprint",
            Self::Dedupe => "dedupe",
            Self::Prepare => "prepare",
            Self::Split => "split",
            Self::Export => "export",
            Self::Train => "train",
        }
    }

    /// Returns the stages whose output this one reads.
    pub fn reads(self) -> &'static [Self] {
        match self {
            Self::Collect => &[],
            Self::Resolve => &[Self::Collect],
            Self::Fetch => &[Self::Resolve],
            Self::Fingerprint => &[Self::Fetch],
            Self::Dedupe => &[Self::Fingerprint],
            Self::Prepare | Self::Split => &[Self::Dedupe],
            Self::Export | Self::Train => &[Self::Prepare, Self::Split],
        }
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A step that makes one record out of one item, independently of all other items.
pub trait ItemStage: Sync {
    const NAME: StageName;
    /// Raise when the same input and recipe give a different output than before.
    const REVISION: u32;
    const LANE: Lane;

    type Recipe: Serialize;
    type Input: Serialize + Send + Sync;
    type Output: Record;
    type Error: Error + Transient + Send + Sync;

    /// Everything besides the input that can change the output.
    fn recipe(&self) -> &Self::Recipe;

    /// Lists the items this stage is responsible for, done or not, each key once.
    fn inputs<'a>(&'a self, store: &'a Store) -> Result<Inputs<'a, Self>, StoreError>;

    /// Works on one item; `before` holds the errors of earlier tries in this run.
    fn apply(
        &self,
        key: &<Self::Output as Record>::Key,
        input: &Self::Input,
        before: &[Self::Error],
    ) -> impl Future<Output = Result<Outcome<Self::Output>, Self::Error>> + Send;

    /// Returns what must reach the disk before the records of a batch may: the files they name.
    /// It runs aside, while other items are worked on.
    fn before_commit(&self) -> Option<BeforeCommit> {
        None
    }

    /// Tells whether an earlier result of the same item is still good for what is asked now, so
    /// that a new try that ends worse does not replace it.
    fn still_serves(&self, _input: &Self::Input, _made: &Self::Output) -> bool {
        false
    }

    /// Tells whether a result whose stamp is right must be made anew all the same: its file is
    /// gone, or it is older than the recipe allows.
    fn is_stale(&self, _store: &Store, _key: &<Self::Output as Record>::Key) -> Staleness {
        Staleness::Fresh
    }
}

/// One item of a stage: the key of its output, and its input.
pub type Item<S> = (<<S as ItemStage>::Output as Record>::Key, <S as ItemStage>::Input);

/// The items of a stage one after the other: there may be more than memory holds.
pub type Inputs<'a, S> = Box<dyn Iterator<Item = Result<Item<S>, StoreError>> + 'a>;

/// Whether a result with the right stamp may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    Fresh,
    Aged,
    FileMissing,
}

/// Tells a trouble that may pass (a timeout) from one that will not (a full disk).
pub trait Transient {
    fn is_transient(&self) -> bool;

    /// How long the other side asked us to wait, if it did.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// Tells whether the whole run must end: no later item could fare better.
    fn is_fatal(&self) -> bool {
        false
    }

    /// Tells whether a wish to stop came while the item was waiting: it stays due as it was.
    fn is_stop(&self) -> bool {
        false
    }

    /// Tells whether this was a try at all; if not, no other try within this run could be one.
    fn is_attempt(&self) -> bool {
        true
    }

    /// Names the trouble of the net behind this, if there is one.
    fn trouble(&self) -> Option<Trouble> {
        None
    }
}

/// What a stage spends its time on, which decides how many items run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    Network,
    /// Waits at the doors of hosts, each of which lets in as many as it bears.
    Hosts,
    Cpu,
}

/// How the engine is to work: set once, by the command line and the pipeline file.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub network_width: usize,
    /// Items that may wait at the doors of hosts: many, so that a slow host keeps none from a
    /// fast one.
    pub hosts_width: usize,
    pub cpu_width: usize,
    /// Tries per item within one run.
    pub attempts_max: u32,
}

impl Limits {
    fn width(self, lane: Lane) -> usize {
        match lane {
            Lane::Network => self.network_width,
            Lane::Hosts => self.hosts_width,
            Lane::Cpu => self.cpu_width,
        }
    }
}

/// What a run is asked to do besides what has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Insistence {
    /// Do again what is done.
    pub force: Redo,
    /// Try again what failed for good.
    pub retry: Retry,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redo {
    #[default]
    WhatChanged,
    Everything,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Retry {
    #[default]
    Passing,
    /// Also items that failed for good.
    AllFailed,
    /// Of all that failed, only what failed of these.
    Only(BTreeSet<Trouble>),
}

/// How many items ended how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub unchanged: u64,
    pub made: u64,
    pub rejected: u64,
    pub failed: u64,
    /// Kinds of rejection and how often each occurred.
    pub rejects: BTreeMap<&'static str, u64>,
    /// Failure messages and how often each occurred.
    pub failures: BTreeMap<String, u64>,
    /// What a whole-set stage says of its result.
    pub summary: Option<String>,
}

impl Tally {
    /// Returns the number of items that were worked on.
    pub fn done(&self) -> u64 {
        self.made + self.rejected + self.failed
    }

    fn count<T>(&mut self, outcome: &Outcome<T>) {
        match outcome {
            Outcome::Made(_) => self.made += 1,
            Outcome::Rejected(reject) => {
                self.rejected += 1;
                *self.rejects.entry(reject.kind()).or_default() += 1;
            }
            Outcome::Failed(failure) => {
                self.failed += 1;
                *self.failures.entry(failure.message.clone()).or_default() += 1;
            }
        }
    }
}

/// Writes an error and all its causes on one line; a cause its parent already told is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = String::new();
    for cause in iter::successors(Some(error), |&error| error.source()).map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
