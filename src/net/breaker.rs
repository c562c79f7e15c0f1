//! Tells a host that is down from a picture that is: after some failed connections in a row the
//! host is left alone for a while, then one request finds out whether it is back.

use std::time::Duration;

use tokio::time::Instant;

/// Failed connections in a row that mean the host is down.
const FAILURES_MAX: u32 = 5;

/// After as many rests in vain nobody waits for the host any more.
const RESTS_MAX: u32 = 3;

/// The longest rest.
const REST_MAX: Duration = Duration::from_mins(5);

/// The state of one host's door.
#[derive(Debug)]
pub(super) struct Breaker {
    first_rest: Duration,
    failures: u32,
    /// Rests since the host was last heard.
    rests: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    /// Nobody asks until then.
    Resting {
        until: Instant,
    },
    /// One request is under way to find out.
    Trying,
}

/// What a request is told that wants to go to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Go,
    /// Go, and be the one that finds out whether the host is back.
    Try,
    WaitUntil(Instant),
    /// Another one is finding out.
    WaitForNews,
    /// The host has been down for so long that waiting is of no use.
    GiveUp,
}

impl Breaker {
    pub(super) fn new(first_rest: Duration) -> Self {
        Self { first_rest, failures: 0, rests: 0, state: State::Closed }
    }

    pub(super) fn ask(&mut self, now: Instant) -> Word {
        match self.state {
            State::Closed => Word::Go,
            State::Resting { until } if until <= now => {
                self.state = State::Trying;
                Word::Try
            }
            State::Resting { .. } | State::Trying if RESTS_MAX < self.rests => Word::GiveUp,
            State::Resting { until } => Word::WaitUntil(until),
            State::Trying => Word::WaitForNews,
        }
    }

    /// The host answered something, whatever it was.
    pub(super) fn heard(&mut self) {
        (self.failures, self.rests, self.state) = (0, 0, State::Closed);
    }

    /// A connection failed or fell silent; returns whether the host is now left alone.
    pub(super) fn failed(&mut self, role: Role, now: Instant) -> Turn {
        self.failures += 1;
        let is_due = match self.state {
            State::Closed => FAILURES_MAX <= self.failures,
            State::Resting { .. } => false,
            State::Trying => role == Role::Trial,
        };
        if !is_due {
            return Turn::AsBefore;
        }
        let rest = self.first_rest * 2_u32.saturating_pow(self.rests);
        self.rests += 1;
        self.state = State::Resting { until: now + rest.min(REST_MAX) };
        Turn::Opened
    }

    /// The request that was to find out ended without an answer to the question.
    pub(super) fn trial_dropped(&mut self, now: Instant) {
        if self.state == State::Trying {
            self.state = State::Resting { until: now };
        }
    }
}

/// Whether a request was the one that finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Ordinary,
    Trial,
}

/// Whether a failure closed the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    AsBefore,
    Opened,
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(2);

    fn broken(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(REST);
        for _ in 1..FAILURES_MAX {
            assert_eq!(breaker.failed(Role::Ordinary, now), Turn::AsBefore);
        }
        assert_eq!(breaker.failed(Role::Ordinary, now), Turn::Opened);
        breaker
    }

    #[test]
    fn a_host_that_answers_now_and_then_is_not_down() {
        let (mut breaker, now) = (Breaker::new(REST), Instant::now());
        for _ in 0..10 {
            for _ in 1..FAILURES_MAX {
                breaker.failed(Role::Ordinary, now);
            }
            breaker.heard();
        }

        assert_eq!(breaker.ask(now), Word::Go);
    }

    #[test]
    fn one_request_finds_out_and_all_go_when_it_comes_back_with_an_answer() {
        let now = Instant::now();
        let mut breaker = broken(now);
        let later = now + REST;

        let words = [breaker.ask(now), breaker.ask(later), breaker.ask(later)];
        breaker.heard();

        assert_eq!(words, [Word::WaitUntil(later), Word::Try, Word::WaitForNews]);
        assert_eq!(breaker.ask(later), Word::Go);
    }

    #[test]
    fn rests_grow_until_nobody_waits_any_more() {
        let mut now = Instant::now();
        let mut breaker = broken(now);
        let mut rests = Vec::new();
        while let Word::WaitUntil(until) = breaker.ask(now) {
            rests.push(until - now);
            now = until;
            assert_eq!(breaker.ask(now), Word::Try);
            assert_eq!(breaker.failed(Role::Trial, now), Turn::Opened);
        }

        assert_eq!(rests, [REST, REST * 2, REST * 4]);
        assert_eq!(breaker.ask(now), Word::GiveUp);
        assert_eq!(breaker.ask(now + REST * 8), Word::Try);
    }

    #[test]
    fn a_request_that_leaves_without_finding_out_makes_room_for_another() {
        let now = Instant::now();
        let mut breaker = broken(now);
        assert_eq!(breaker.ask(now + REST), Word::Try);

        breaker.trial_dropped(now + REST);

        assert_eq!(breaker.ask(now + REST), Word::Try);
    }
}
