//! How many requests a host bears at a time, found out by asking a little more as long as that
//! brings more, and half as much when it is too much.

use std::time::Duration;

use tokio::time::Instant;

/// How many requests a host nobody knows yet gets at a time: a quarter of the most it may get,
/// within these bounds.
const START_MIN: usize = 8;
const START_MAX: usize = 128;

/// The weight of the newest answer in the share of troubles.
const NEWEST: f64 = 1.0 / 16.0;

/// A larger share of troubles than this is the host's, not a single picture's.
const SHARE_MAX: f64 = 0.2;

/// Answers that a rate is measured over, at least.
const WINDOW_MIN: usize = 24;

/// A wider door must bring as much more to be worth it.
const GAIN_MIN: f64 = 1.03;

/// How one request ended, as far as the width is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Good,
    /// Something went wrong that may be the picture's fault as well as the host's.
    Trouble,
    /// The host says itself that this is too much.
    TooMuch,
}

/// The width of one door: between 1 and `max`, adapted by additive growth and halving.
#[derive(Debug)]
pub(super) struct Gauge {
    limit: usize,
    max: usize,
    /// Whether the first trouble or the first useless growth is still to come.
    is_doubling: bool,
    /// Answers since the last growth.
    credits: usize,
    trouble_share: f64,
    last_cut: Option<Instant>,
    window: Window,
}

/// Answers in a stretch of time, to be compared with the stretch before.
#[derive(Debug)]
struct Window {
    begun: Option<Instant>,
    answers: usize,
    limit: usize,
    rate_before: f64,
    limit_before: usize,
    useless: u8,
}

impl Gauge {
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        let limit = (max / 4).clamp(START_MIN, START_MAX).min(max);
        let window = Window {
            begun: None,
            answers: 0,
            limit,
            rate_before: 0.0,
            limit_before: 0,
            useless: 0,
        };
        let (is_doubling, credits, trouble_share, last_cut) = (true, 0, 0.0, None);
        Self { limit, max, is_doubling, credits, trouble_share, last_cut, window }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes note of an answer to a request sent at `sent`; `is_full` says whether somebody may
    /// have been waiting for a place.
    pub(super) fn note(&mut self, sign: Sign, sent: Instant, now: Instant, fullness: Fullness) {
        match sign {
            Sign::Good => {
                self.trouble_share *= 1.0 - NEWEST;
                self.measure(now, fullness);
                self.grow(fullness);
            }
            Sign::Trouble => {
                self.trouble_share = self.trouble_share.mul_add(1.0 - NEWEST, NEWEST);
                if SHARE_MAX < self.trouble_share {
                    self.cut(sent, now);
                }
            }
            Sign::TooMuch => self.cut(sent, now),
        }
    }

    fn grow(&mut self, fullness: Fullness) {
        if fullness == Fullness::Spare || self.limit == self.max {
            return;
        }
        self.credits += 1;
        let price = if self.is_doubling { 1 } else { self.limit };
        if price <= self.credits {
            self.credits = 0;
            self.limit += 1;
        }
    }

    /// Halves the width, once for all requests that were under way together.
    fn cut(&mut self, sent: Instant, now: Instant) {
        self.is_doubling = false;
        if self.last_cut.is_some_and(|cut| sent < cut) {
            return;
        }
        self.limit = (self.limit / 2).max(1);
        (self.credits, self.trouble_share, self.last_cut) = (0, 0.0, Some(now));
    }

    /// Ends the doubling when the last doublings brought nothing.
    fn measure(&mut self, now: Instant, fullness: Fullness) {
        let window = &mut self.window;
        if !self.is_doubling || fullness == Fullness::Spare {
            window.begun = None;
            return;
        }
        let Some(begun) = window.begun else {
            (window.begun, window.answers, window.limit) = (Some(now), 0, self.limit);
            return;
        };
        window.answers += 1;
        if window.answers < WINDOW_MIN.max(2 * window.limit) {
            return;
        }
        let took = now.saturating_duration_since(begun).max(Duration::from_micros(1));
        let answers = u32::try_from(window.answers).unwrap_or(u32::MAX);
        let rate = f64::from(answers) / took.as_secs_f64();
        let is_wider = window.limit_before + window.limit_before / 2 <= window.limit;
        let is_useless = is_wider && rate < window.rate_before * GAIN_MIN;
        window.useless = if is_useless { window.useless + 1 } else { 0 };
        self.is_doubling = window.useless < 2;
        if is_wider {
            (window.rate_before, window.limit_before) = (rate, window.limit);
        }
        window.begun = None;
    }
}

/// Whether all places were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fullness {
    Full,
    Spare,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers `n` requests, each a millisecond after the other.
    fn answer(gauge: &mut Gauge, n: usize, sign: Sign) {
        let start = Instant::now();
        for step in 0..n {
            let now = start + Duration::from_millis(u64::try_from(step).unwrap());
            gauge.note(sign, start, now, Fullness::Full);
        }
    }

    /// Answers requests the way a host does that needs 50 ms for each, however many come.
    fn answer_by_latency(gauge: &mut Gauge, rounds: u64) {
        let start = Instant::now();
        for round in 0..rounds {
            let now = start + Duration::from_millis(50 * round);
            for _ in 0..gauge.limit() {
                gauge.note(Sign::Good, now, now, Fullness::Full);
            }
        }
    }

    #[test]
    fn a_willing_host_is_asked_for_more_and_more_up_to_the_limit() {
        let mut gauge = Gauge::new(100);

        answer_by_latency(&mut gauge, 6);

        assert_eq!(gauge.limit(), 100);
    }

    #[test]
    fn doubling_ends_when_it_brings_nothing() {
        let mut gauge = Gauge::new(4000);

        answer(&mut gauge, 3500, Sign::Good);

        assert!(!gauge.is_doubling);
        assert!(gauge.limit() < 4000, "{}", gauge.limit());
    }

    #[test]
    fn a_host_that_says_too_much_is_asked_half_once_per_round() {
        let mut gauge = Gauge::new(64);
        answer_by_latency(&mut gauge, 6);
        let sent = Instant::now();

        for _ in 0..10 {
            gauge.note(Sign::TooMuch, sent, sent + Duration::from_millis(3), Fullness::Full);
        }

        assert_eq!(gauge.limit(), 32);
    }

    #[test]
    fn single_troubles_do_not_narrow_the_door_and_many_do() {
        let mut gauge = Gauge::new(16);
        for _ in 0..100 {
            answer(&mut gauge, 20, Sign::Good);
            answer(&mut gauge, 1, Sign::Trouble);
        }
        assert_eq!(gauge.limit(), 16);

        answer(&mut gauge, 5, Sign::Trouble);

        assert_eq!(gauge.limit(), 8);
    }

    #[test]
    fn a_door_that_nobody_waits_at_is_not_widened() {
        let mut gauge = Gauge::new(16);
        let now = Instant::now();

        for _ in 0..100 {
            gauge.note(Sign::Good, now, now, Fullness::Spare);
        }

        assert_eq!(gauge.limit(), START_MIN);
    }

    #[test]
    fn who_may_get_much_begins_with_more() {
        let starts = [1, 4, 16, 64, 128, 256, 1024].map(|max| Gauge::new(max).limit());

        assert_eq!(starts, [1, 4, 8, 16, 32, 64, 128]);
    }
}
