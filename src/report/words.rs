//! Numbers, dates and addresses as people read them.

use std::fmt::Display;

use crate::domain::day::Day;

/// Returns `part / whole`; nothing of nothing is nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of pictures are far below 2^52")]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}

/// Writes a number with its thousands apart: `12,345`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at != 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a count with what it counts: `1 picture`, `2 pictures`.
pub(super) fn of(n: u64, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{}\u{a0}{noun}{ending}", number(n))
}

/// Writes a share with one decimal: `97.3 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
pub(super) fn bytes(n: u64) -> String {
    let mut size = n as f64;
    for unit in ["B", "kB", "MB", "GB"] {
        if size < 1000.0 {
            let decimals = usize::from(unit != "B" && size < 100.0);
            return format!("{size:.decimals$}\u{a0}{unit}");
        }
        size /= 1000.0;
    }
    format!("{size:.1}\u{a0}TB")
}

/// Writes the day of a moment given in seconds since 1970-01-01 UTC: `2026-11-20`.
pub(super) fn day(seconds: i64) -> String {
    Day::of(seconds).to_string()
}

/// Writes a span of time with its two largest units: `5 min 29 s`.
pub(super) fn duration(seconds: u64) -> String {
    let [hours, minutes, rest] = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    match (hours, minutes) {
        (0, 0) => format!("{rest}\u{a0}s"),
        (0, _) => format!("{minutes}\u{a0}min {rest}\u{a0}s"),
        (_, _) => format!("{}\u{a0}h {minutes}\u{a0}min", number(hours)),
    }
}

/// Names things one after the other.
pub(super) fn list(things: impl IntoIterator<Item = impl Display>) -> String {
    let names: Vec<String> = things.into_iter().map(|it| it.to_string()).collect();
    names.join(", ")
}

/// Cuts a text after `n` characters.
pub(super) fn shortened(text: &str, n: usize) -> String {
    match text.char_indices().nth(n) {
        Some((end, _)) => format!("{}\u{2026}", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_parted_in_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 1, 2].map(|n| of(n, "post")),
            ["0\u{a0}posts", "1\u{a0}post", "2\u{a0}posts"]
        );
    }

    #[test]
    fn sizes_are_written_in_the_largest_unit_they_fill() {
        assert_eq!([5, 1_500, 250_000].map(bytes), ["5\u{a0}B", "1.5\u{a0}kB", "250\u{a0}kB"]);
    }

    #[test]
    fn spans_of_time_have_their_two_largest_units() {
        let written = [59, 329, 3600, 90_061].map(duration);

        assert_eq!(written, ["59 s", "5 min 29 s", "1 h 0 min", "25 h 1 min"].map(spaced));
    }

    /// Puts the spaces that keep a number and its unit together.
    fn spaced(text: &str) -> String {
        let words: Vec<&str> = text.split(' ').collect();
        words.chunks(2).map(|it| it.join("\u{a0}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let days = [0, 951_782_400, 951_868_800, 1_795_132_799, -1].map(day);

        assert_eq!(days, ["1970-01-01", "2000-02-29", "2000-03-01", "2026-11-19", "1969-12-31"]);
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!([shortened("größe", 3), shortened("ab", 2)], ["grö\u{2026}", "ab"]);
    }
}
