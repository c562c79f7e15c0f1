//! Moments as people and spreadsheets write them.

use crate::domain::day::Day;

/// Writes a moment as people and spreadsheets read it, to the millisecond.
pub(super) fn moment(at_ms: u64) -> String {
    let (seconds, ms) = (at_ms / 1000, at_ms % 1000);
    let day = Day::of(i64::try_from(seconds).expect("a thousandth of 64 bits fits 63"));
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{day}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Reads a day, a moment as [`moment`] writes it, with or without its fraction, or milliseconds.
pub(super) fn read_moment(text: &str) -> Option<u64> {
    if let Ok(at_ms) = text.parse() {
        return Some(at_ms);
    }
    let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00:00"));
    let day = Day::try_from(day.to_owned()).ok()?;
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let is_time = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|it| it.is_ascii_digit());
    if !is_time || !is_fraction {
        return None;
    }
    let ms: u64 = format!("{fraction:0<3}").parse().ok()?;
    let seconds = u64::try_from(day.begins_at()).ok()? + hour * 3600 + minute * 60 + second;
    Some(seconds * 1000 + ms)
}
