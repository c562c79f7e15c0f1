//! Does what is due of a per-item stage and stores each result as it comes.

use std::{pin::pin, time::Duration};

use futures_util::{StreamExt, stream};

use super::{
    Insistence, ItemStage, Lane, Limits, Tally, Transient, chain,
    commit::{self, Commits, Flow},
    events::{Event, Events},
    plan::{self, DueItem},
    stop::Stop,
};
use crate::{
    domain::outcome::{Failure, Outcome},
    store::{Entry, Record, Settled, Store, StoreError},
};

/// The longest a host's wish to wait is followed within one run.
const WAIT_MAX: Duration = Duration::from_mins(10);

/// The most items that are held from the look that counts them. Where more are due, all are looked
/// at a second time: they may be more than memory holds.
pub(super) const HELD_MAX: u64 = 10_000;

/// After as many runs of failed tries a trouble counts as one that does not pass.
const RUNS_MAX: u32 = 3;

/// How the engine works on one stage.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    pub store: &'a Store,
    pub limits: Limits,
    pub insistence: &'a Insistence,
    pub events: &'a Events,
    pub stop: &'a Stop,
}

/// Why a stage could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{message}")]
    Fatal { message: String },
}

type Finished<S> = Entry<<S as ItemStage>::Output>;

/// What became of one item: a result to store, nothing (a stop came first), or the end of all.
enum End<S: ItemStage> {
    Settled(Finished<S>),
    Abandoned,
    Fatal(String),
}

/// Does what is due and stores each result as it comes.
///
/// When a stop is asked for, the items under way are finished and no more are started.
pub async fn run<S: ItemStage>(stage: &S, work: Work<'_>) -> Result<Tally, RunError> {
    let mut held = Vec::new();
    let planned = plan::survey(stage, work.store, work.insistence, |item, due| {
        if due <= HELD_MAX {
            held.push(item);
        } else {
            held = Vec::new(); // All are looked at again.
        }
    })?;
    let mut tally = Tally { unchanged: planned.unchanged, ..Tally::default() };
    if planned.due == 0 {
        return Ok(tally);
    }
    plan::remember_recipe(work.store, stage.recipe())?;
    work.events.send(Event::Begun { stage: S::NAME, due: planned.due });

    let asked = Box::pin(work.stop.asked());
    let again = if HELD_MAX < planned.due {
        Some(plan::due(stage, work.store, work.insistence)?)
    } else {
        None
    };
    let due = held.into_iter().map(Ok).chain(again.into_iter().flatten());
    let results = stream::iter(due)
        .take_until(asked)
        .map(|item| async {
            match item {
                Ok(item) => settle(stage, item, work).await,
                Err(error) => End::Fatal(chain(&error)),
            }
        })
        .buffer_unordered(work.limits.width(S::LANE));
    let mut results = pin!(results);
    let mut commits = Commits::new(stage, work.store);
    let mut flow = Flow::Open;
    let mut fatal = None;
    while flow == Flow::Open || !commits.is_idle() {
        commits.begin_if_due(flow);
        let (has_room, due) = (commits.has_room(), commits.due());
        tokio::select! {
            biased;
            written = commits.written() => {
                for (_, settled) in &written? {
                    tally.count(&settled.outcome);
                }
                work.events.send(Event::Advanced { stage: S::NAME, tally: tally.clone() });
            }
            end = results.next(), if flow == Flow::Open && has_room => match end {
                Some(End::Settled(result)) => commits.push(result),
                Some(End::Abandoned) => (),
                Some(End::Fatal(message)) => (fatal, flow) = (Some(message), Flow::Ended),
                None => flow = Flow::Ended,
            },
            () = commit::come(due) => (),
        }
    }
    if let Some(message) = fatal {
        return Err(RunError::Fatal { message });
    }
    work.events.send(Event::Ended { stage: S::NAME, tally: tally.clone() });
    Ok(tally)
}

/// Tries one item until it ends one way or another.
async fn settle<S: ItemStage>(stage: &S, item: DueItem<S>, work: Work<'_>) -> End<S> {
    let mut errors: Vec<S::Error> = Vec::new();
    let outcome = loop {
        let error = match stage.apply(&item.key, &item.input, &errors).await {
            Ok(outcome) => break outcome,
            Err(error) if error.is_stop() => return End::Abandoned,
            Err(error) if error.is_fatal() => return End::Fatal(chain(&error)),
            Err(error) => error,
        };
        let is_attempt = error.is_attempt();
        let attempts = errors.len() + usize::from(is_attempt);
        let attempts = u32::try_from(attempts).expect("attempts are few");
        if !error.is_transient() || !is_attempt || work.limits.attempts_max <= attempts {
            break Outcome::Failed(Failure {
                message: chain(&error),
                attempts,
                transient: error.is_transient(),
                trouble: error.trouble(),
            });
        }
        let pause =
            error.retry_after().unwrap_or_else(|| back_off(S::LANE, attempts)).min(WAIT_MAX);
        tokio::select! {
            () = tokio::time::sleep(pause) => (),
            () = work.stop.asked() => return End::Abandoned,
        }
        errors.push(error);
    };
    match weighed(stage, (&item.key, &item.input), outcome, work) {
        Ok(outcome) => End::Settled((item.key, Settled { stamp: item.stamp, outcome })),
        Err(error) => End::Fatal(chain(&error)),
    }
}

/// Weighs a new ending against the one on record: what is still good is not replaced by
/// something worse, and troubles that never pass add up until they count as lasting.
fn weighed<S: ItemStage>(
    stage: &S,
    (key, input): (&<S::Output as Record>::Key, &S::Input),
    outcome: Outcome<S::Output>,
    work: Work<'_>,
) -> Result<Outcome<S::Output>, StoreError> {
    if matches!(outcome, Outcome::Made(_)) {
        return Ok(outcome);
    }
    let before = work.store.get::<S::Output>(key)?.map(|settled| settled.outcome);
    Ok(match (before, outcome) {
        (Some(Outcome::Made(old)), _) if stage.still_serves(input, &old) => Outcome::Made(old),
        (Some(Outcome::Failed(earlier)), Outcome::Failed(now)) => {
            let attempts = earlier.attempts.saturating_add(now.attempts);
            let is_worth_more = attempts < work.limits.attempts_max * RUNS_MAX;
            Outcome::Failed(Failure { attempts, transient: now.transient && is_worth_more, ..now })
        }
        (_, outcome) => outcome,
    })
}

/// Half a second, doubled with each try. Most troubles of a picture are of one moment, and its host
/// has a door that says how much it bears: there the first pause is a twentieth of a second.
fn back_off(lane: Lane, attempts: u32) -> Duration {
    match (lane, attempts) {
        (Lane::Hosts, 1) => Duration::from_millis(50),
        (Lane::Hosts | Lane::Network | Lane::Cpu, _) => {
            Duration::from_millis(250) * 2_u32.saturating_pow(attempts)
        }
    }
}
