//! `Retry-After` in both its forms → how long a host asks us to wait.

use std::time::{Duration, UNIX_EPOCH};

/// The longest a host's wish to wait is followed at once.
const WAIT_MAX: Duration = Duration::from_mins(10);

/// Reads the header; `now` is in seconds since 1970-01-01 UTC. A date in the past is no wait.
pub(super) fn wait(header: &str, now: i64) -> Option<Duration> {
    let header = header.trim();
    let wait = match header.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => {
            Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(WAIT_MAX)
        }
        Ok(_) => return None,
        Err(_) => {
            let at = httpdate::parse_http_date(header).ok()?.duration_since(UNIX_EPOCH).ok()?;
            let now = Duration::from_secs(u64::try_from(now).unwrap_or_default());
            at.saturating_sub(now)
        }
    };
    Some(wait.min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_nonsense_is_not() {
        // Sun, 06 Nov 1994 08:49:37 GMT, half a minute before.
        let now = 784_111_777 - 30;
        let headers = [
            "120",
            " 0 ",
            "1.5",
            "-3",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:00:00 GMT",
            "Sun, 06 Nov 2044 08:49:37 GMT",
            "999999999999999999999999",
            "soon",
            "NaN",
            "",
        ];

        let waits = headers.map(|header| wait(header, now).map(|it| it.as_secs_f64()));

        let limit = Some(600.0);
        assert_eq!(
            waits,
            [
                Some(120.0),
                Some(0.0),
                Some(1.5),
                Some(0.0),
                Some(30.0),
                Some(0.0),
                limit,
                limit,
                None,
                None,
                None
            ]
        );
    }
}
