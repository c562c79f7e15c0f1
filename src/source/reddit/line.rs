//! The line all requests of one login wait in: one at a time, as far apart as the site's headers
//! ask. Waiting is measured by a clock that only goes forward.

use std::{
    sync::{Mutex as Cell, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use crate::{
    domain::pacing::{Pace, Told, Window},
    net::Answer,
};

/// The longest the site's word can keep a login waiting.
pub(super) const WAIT_MAX: Duration = Duration::from_mins(10);

pub(super) struct Line {
    // Held by the one request under way; the rate limit is per login, so all places share it.
    turn: Mutex<()>,
    // Read by whoever keeps the pace for the next run while a request is under way.
    state: Cell<State>,
}

#[derive(Clone, Copy)]
struct State {
    window: Option<Window>,
    told_at: Instant,
    next: Instant,
}

impl Line {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State { window: None, told_at: now, next: now };
        Self { turn: Mutex::default(), state: Cell::new(state) }
    }

    /// Goes on as fast as an earlier run of the same login was allowed to.
    pub(super) fn resume(&self, pace: &Pace, now: i64) {
        let (window, wait) = pace.at(now);
        let told_at = Instant::now();
        self.set(State { window, told_at, next: told_at + wait });
    }

    /// Returns what the next run has to know.
    pub(super) fn pace(&self, now: i64) -> Pace {
        let State { window, told_at, next } = self.state();
        let elapsed_s = told_at.elapsed().as_secs_f64();
        let wait = next.saturating_duration_since(Instant::now());
        let window = window.map(|it| Window { ends_in_s: it.ends_in_s - elapsed_s, ..it });
        Pace { window, wait_s: wait.as_secs_f64(), written_at: now }
    }

    /// Waits for a turn; returns how long the limit, not other requests, made it wait.
    pub(super) async fn wait(&self) -> (MutexGuard<'_, ()>, Duration) {
        let turn = self.turn.lock().await;
        let since = Instant::now();
        tokio::time::sleep_until(self.state().next).await;
        (turn, since.elapsed())
    }

    /// Takes in what an answer says about the limit.
    pub(super) fn heed(&self, answer: &Answer) {
        let State { window, told_at, .. } = self.state();
        let told = Told {
            used: answer.rate_used,
            remaining: answer.rate_remaining,
            reset_s: answer.rate_reset,
        };
        let window = Window::after(window, told_at.elapsed(), told);
        let asked = wish(answer).unwrap_or_default();
        let now = Instant::now();
        self.set(State { window, told_at: now, next: now + Window::wait(window).max(asked) });
    }

    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// Returns how long an answer asks to wait: as long as it says, and not before the window that
/// is used up ends.
pub(super) fn wish(answer: &Answer) -> Option<Duration> {
    let is_used_up = answer.rate_remaining.is_some_and(|it| it < 1.0);
    let reset = answer.rate_reset.filter(|it| is_used_up && (0.0..1e9).contains(it));
    let reset = reset.map(Duration::from_secs_f64);
    answer.retry_after.max(reset).map(|wait| wait.min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(retry_after_s: Option<u64>, remaining: f64, reset: Option<f64>) -> Answer {
        Answer {
            status: 429,
            body: Vec::new(),
            location: None,
            retry_after: retry_after_s.map(Duration::from_secs),
            rate_used: None,
            rate_remaining: Some(remaining),
            rate_reset: reset,
        }
    }

    #[test]
    fn the_longer_of_two_wishes_is_followed() {
        let seconds = |answer| wish(&answer).map(|it| it.as_secs());

        assert_eq!(seconds(answer(Some(5), 0.0, Some(185.0))), Some(185));
        assert_eq!(seconds(answer(Some(300), 0.0, Some(185.0))), Some(300));
        assert_eq!(seconds(answer(None, 0.0, Some(9.0))), Some(9));
        assert_eq!(seconds(answer(None, 50.0, Some(185.0))), None, "the window is not used up");
        assert_eq!(seconds(answer(None, 0.0, None)), None);
        assert_eq!(seconds(answer(Some(90_000), 0.0, None)), Some(600), "not for ever");
        assert_eq!(seconds(answer(None, -1.0, Some(-5.0))), None);
    }

    #[tokio::test]
    async fn the_next_run_waits_out_what_this_one_was_told() {
        let line = Line::new();
        line.heed(&answer(Some(100), 0.0, None));

        let pace = line.pace(1_000);
        let next_run = Line::new();
        next_run.resume(&pace, 1_040);

        let wait_s = next_run.pace(1_040).wait_s;
        assert!((55.0..=60.0).contains(&wait_s), "{wait_s}");
    }
}
