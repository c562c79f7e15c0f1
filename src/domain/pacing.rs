//! How fast Reddit lets one login ask: the window its headers describe, and the wait before the
//! next request that spreads what is left over the time that is left. Pure; knows no clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Reddit counts requests in windows of ten minutes.
const WINDOW_S: f64 = 600.0;

/// The longest single wait while requests are left.
const STEP_MAX_S: f64 = 10.0;

/// What is paused where the site has never told its limit: well below the slowest it allows.
const UNTOLD_S: f64 = 1.0;

/// The window of the rate limit as it was last told, `ends_in_s` from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    pub used: f64,
    pub remaining: f64,
    pub ends_in_s: f64,
}

/// The three numbers of one answer; absent where the header was missing or no number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Told {
    pub used: Option<f64>,
    pub remaining: Option<f64>,
    pub reset_s: Option<f64>,
}

impl Window {
    /// Returns the window after an answer that came `elapsed` after the last one. Without a
    /// word of the site the request counts as one used.
    pub fn after(before: Option<Self>, elapsed: Duration, told: Told) -> Option<Self> {
        let still_open = before.and_then(|window| {
            let ends_in_s = window.ends_in_s - elapsed.as_secs_f64();
            (ends_in_s > 0.0).then_some(Self { ends_in_s, ..window })
        });
        let sound = |number: Option<f64>| number.filter(|it| it.is_finite() && 0.0 <= *it);
        let ends_in_s = sound(told.reset_s).map(|it| it.min(WINDOW_S));
        let Some(remaining) = sound(told.remaining) else {
            return still_open.map(|window| Self {
                used: window.used + 1.0,
                remaining: (window.remaining - 1.0).max(0.0),
                ends_in_s: ends_in_s.unwrap_or(window.ends_in_s),
            });
        };
        Some(Self {
            used: sound(told.used).or(still_open.map(|it| it.used + 1.0)).unwrap_or(1.0),
            remaining,
            // A number of requests without a time they are for says nothing.
            ends_in_s: ends_in_s.or(still_open.map(|it| it.ends_in_s))?,
        })
    }

    /// Returns how long to wait before the next request, as prawcore does: not at all while
    /// slower than the window allows, at most ten seconds while ahead of it, and to its end
    /// when it is used up.
    pub fn wait(window: Option<Self>) -> Duration {
        let Some(Self { used, remaining, ends_in_s }) = window else {
            return Duration::from_secs_f64(UNTOLD_S);
        };
        if remaining < 1.0 {
            return Duration::from_secs_f64(ends_in_s.max(1.0));
        }
        let spent_share = used / (remaining + used);
        let ahead_s = ends_in_s - WINDOW_S * (1.0 - spent_share);
        Duration::from_secs_f64(ahead_s.clamp(0.0, STEP_MAX_S).min(ends_in_s))
    }
}

/// What a run leaves to the next one with the same login.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    pub window: Option<Window>,
    /// How long the next request had to wait when this was written.
    pub wait_s: f64,
    /// Seconds since 1970-01-01 UTC.
    pub written_at: i64,
}

impl Pace {
    /// Returns the window and the wait as they are at `now`. A clock that was set back, or
    /// forward, can neither stop a run for longer than one window nor lend it requests.
    pub fn at(&self, now: i64) -> (Option<Window>, Duration) {
        let elapsed = now.saturating_sub(self.written_at).max(0);
        #[expect(clippy::cast_precision_loss, reason = "seconds of our time are exact in an f64")]
        let elapsed_s = elapsed as f64;
        let sound = |it: f64| if it.is_finite() { it.clamp(0.0, WINDOW_S) } else { WINDOW_S };
        let wait_s = (sound(self.wait_s) - elapsed_s).max(0.0);
        let window = self.window.map(|it| Window { ends_in_s: sound(it.ends_in_s), ..it });
        let window = window.and_then(|window| {
            let ends_in_s = window.ends_in_s - elapsed_s;
            (ends_in_s > 0.0).then_some(Window { ends_in_s, ..window })
        });
        (window, Duration::from_secs_f64(wait_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what may be absent")]
    fn window(used: f64, remaining: f64, ends_in_s: f64) -> Option<Window> {
        Some(Window { used, remaining, ends_in_s })
    }

    fn told(used: f64, remaining: f64, reset_s: f64) -> Told {
        Told { used: Some(used), remaining: Some(remaining), reset_s: Some(reset_s) }
    }

    #[test]
    fn requests_are_spread_over_the_window() {
        let seconds = |window| Window::wait(window).as_secs_f64();

        assert!(seconds(window(10.0, 990.0, 500.0)).abs() < 1e-9, "slower than allowed");
        assert!((seconds(window(500.0, 500.0, 305.0)) - 5.0).abs() < 1e-9, "ahead of the window");
        assert!((seconds(window(990.0, 10.0, 590.0)) - 10.0).abs() < 1e-9, "far ahead");
        assert!((seconds(window(1000.0, 0.0, 185.0)) - 185.0).abs() < 1e-9, "used up");
        assert!((seconds(window(999.0, 1.0, 2.0)) - 1.4).abs() < 1e-9, "nearly over");
        assert!((seconds(None) - 1.0).abs() < 1e-9, "no word about a limit");
    }

    #[test]
    fn a_whole_window_asked_as_fast_as_allowed_takes_as_long_as_the_window() {
        let (mut clock_s, mut used) = (0.0, 0.0);
        while used < 1000.0 {
            used += 1.0;
            let wait = Window::wait(window(used, 1000.0 - used, WINDOW_S - clock_s));
            clock_s += wait.as_secs_f64();
        }

        assert!((clock_s - WINDOW_S).abs() < 1.0, "{clock_s}");
    }

    #[test]
    fn headers_that_make_no_sense_count_as_one_request() {
        let before = window(10.0, 90.0, 300.0);
        let after = |told| Window::after(before, Duration::from_secs(5), told);
        let counted = window(11.0, 89.0, 295.0);

        for odd in [f64::NAN, f64::INFINITY, -3.0] {
            assert_eq!(after(told(odd, odd, odd)), counted, "{odd}");
        }
        assert_eq!(after(Told::default()), counted);
        assert_eq!(after(told(-1.0, 50.0, 40.0)), window(11.0, 50.0, 40.0));
        assert_eq!(after(told(1.0, 50.0, 1e300)), window(1.0, 50.0, 600.0));
        let silent = Window::after(None, Duration::ZERO, Told::default());
        assert_eq!(Window::wait(silent), Duration::from_secs(1));
    }

    #[test]
    fn a_window_that_is_over_is_forgotten() {
        let before = window(100.0, 0.0, 3.0);
        assert_eq!(Window::after(before, Duration::from_secs(4), Told::default()), None);
    }

    #[test]
    fn the_wait_of_an_earlier_run_goes_on_whatever_the_clock_does() {
        let pace = Pace { window: window(100.0, 0.0, 185.0), wait_s: 185.0, written_at: 1_000 };

        assert_eq!(pace.at(1_100), (window(100.0, 0.0, 85.0), Duration::from_secs(85)));
        assert_eq!(pace.at(1_300), (None, Duration::ZERO));
        assert_eq!(pace.at(i64::MAX), (None, Duration::ZERO), "set far forward");
        let back = pace.at(i64::MIN);
        assert_eq!(back, (window(100.0, 0.0, 185.0), Duration::from_secs(185)), "set far back");
        let hostile = Pace { wait_s: f64::NAN, ..pace };
        assert!(hostile.at(1_000).1 <= Duration::from_mins(10));
    }
}
