//! The allowance of requests, counted in windows as the real interface does, and the headers that
//! tell it.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use super::reply::Reply;

/// How many requests a client may make in how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub requests: u64,
    pub window: Duration,
    /// How much of the first window was over when the site started.
    pub elapsed: Duration,
    pub refusal: Refusal,
}

/// What an answer says to a client who asks too often, besides the status 429.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusal {
    /// How long to wait, in two ways.
    #[default]
    RetryAfter,
    /// How long to wait, in the headers of the allowance alone.
    Reset,
    Nothing,
}

impl Default for Allowance {
    /// A hundred requests a minute over ten minutes, in the middle of which the site starts.
    fn default() -> Self {
        Self {
            requests: 1_000,
            window: Duration::from_mins(10),
            elapsed: Duration::from_mins(5),
            refusal: Refusal::default(),
        }
    }
}

/// Counts requests against an allowance.
#[derive(Debug)]
pub(super) struct Meter {
    allowance: Allowance,
    began: Instant,
    // All conversations count here: the number of the current window, and its requests.
    spent: Mutex<(u64, u64)>,
}

/// What the allowance looked like when a request had been counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent {
    used: u64,
    remaining: u64,
    reset_s: u64,
    /// The request was one too many.
    pub(super) is_over: bool,
}

/// Adds the headers of the archive's allowance to an answer.
pub(super) fn tell_archive(spent: Spent, reply: Reply) -> Reply {
    reply
        .with("x-ratelimit-remaining", spent.remaining.to_string())
        .with("x-ratelimit-reset", spent.reset_s.to_string())
}

/// How the headers of the allowance are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Plainly,
    NotAtAll,
    Garbled,
    NotANumber,
    Negative,
}

impl Meter {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self { allowance, began: Instant::now(), spent: Mutex::default() }
    }

    /// Counts a request.
    pub(super) fn spend(&self) -> Spent {
        self.spend_at(self.began.elapsed())
    }

    fn spend_at(&self, since_start: Duration) -> Spent {
        let allowance = self.allowance;
        let window_ms = allowance.window.as_millis().max(1);
        let passed_ms = (allowance.elapsed + since_start).as_millis();
        let number = u64::try_from(passed_ms / window_ms).unwrap_or(u64::MAX);
        let left_ms = window_ms - passed_ms % window_ms;
        let mut spent = self.spent.lock().expect("nobody panics while counting");
        if spent.0 != number {
            *spent = (number, 0);
        }
        spent.1 += 1;
        let used = spent.1;
        Spent {
            used: used.min(allowance.requests),
            remaining: allowance.requests.saturating_sub(used),
            reset_s: u64::try_from(left_ms.div_ceil(1_000)).unwrap_or(u64::MAX),
            is_over: allowance.requests < used,
        }
    }

    /// Adds to a refusal what the client is to know.
    pub(super) fn refuse(&self, spent: Spent, reply: Reply) -> Reply {
        match self.allowance.refusal {
            Refusal::RetryAfter => {
                tell(spent, Told::Plainly, reply).with("retry-after", spent.reset_s.to_string())
            }
            Refusal::Reset => tell(spent, Told::Plainly, reply),
            Refusal::Nothing => reply,
        }
    }
}

/// Adds the headers of the allowance to an answer.
pub(super) fn tell(spent: Spent, told: Told, reply: Reply) -> Reply {
    let numbers = match told {
        Told::NotAtAll => return reply,
        Told::Plainly => {
            [spent.used.to_string(), format!("{}.0", spent.remaining), spent.reset_s.to_string()]
        }
        Told::Garbled => ["many", "a few", "soon"].map(str::to_owned),
        Told::NotANumber => ["NaN", "NaN", "inf"].map(str::to_owned),
        Told::Negative => ["-3", "-17.0", "-600"].map(str::to_owned),
    };
    let [used, remaining, reset] = numbers;
    reply
        .with("x-ratelimit-used", used)
        .with("x-ratelimit-remaining", remaining)
        .with("x-ratelimit-reset", reset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_spent_and_the_next_begins_anew() {
        let meter = Meter::new(Allowance {
            requests: 2,
            window: Duration::from_secs(10),
            elapsed: Duration::from_secs(4),
            refusal: Refusal::Nothing,
        });

        let spent = [0, 1, 2, 6, 7].map(|second| meter.spend_at(Duration::from_secs(second)));

        let expected = [(1, 1, 6, false), (2, 0, 5, false), (2, 0, 4, true)];
        let expected = expected.into_iter().chain([(1, 1, 10, false), (2, 0, 9, false)]);
        let expected: Vec<Spent> = expected
            .map(|(used, remaining, reset_s, is_over)| Spent { used, remaining, reset_s, is_over })
            .collect();
        assert_eq!(spent[..], expected);
    }
}
