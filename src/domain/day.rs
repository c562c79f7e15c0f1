//! Days, as people write them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar, counted from 1970-01-01, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(i64);

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no day: write it as 2024-12-31")]
pub struct NotADay(String);

const DAY_S: i64 = 86_400;

impl Day {
    /// Returns the day a moment lies in, given in seconds since 1970-01-01 UTC.
    pub fn of(seconds: i64) -> Self {
        Self(seconds.div_euclid(DAY_S))
    }

    /// Returns the first moment of the day, in seconds since 1970-01-01 UTC.
    pub fn begins_at(self) -> i64 {
        self.0 * DAY_S
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        let is_date = (1970..=9999).contains(&year) && (1..=12).contains(&month);
        if !is_date || !(1..=31).contains(&day) || parts.next().is_some() {
            return None;
        }
        let found = Self(days(year, month, day));
        // A 31st of February comes back under another name.
        (found.civil() == (year, month, day)).then_some(found)
    }

    fn civil(self) -> (i64, i64, i64) {
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March.
        let from_era = self.0 + 719_468;
        let era = from_era.div_euclid(146_097);
        let day_of_era = from_era.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let moon = (5 * day_of_year + 2) / 153;
        let month = if moon < 10 { moon + 3 } else { moon - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day_of_year - (153 * moon + 2) / 5 + 1)
    }
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let moon = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * moon + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = NotADay;

    fn try_from(text: String) -> Result<Self, NotADay> {
        Self::parse(&text).ok_or(NotADay(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_reads_as_it_is_written_and_no_other_day_does() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2024-12-31", 1_735_603_200),
            ("2100-03-01", 4_107_542_400),
        ] {
            let day = Day::try_from(text.to_owned()).unwrap();
            assert_eq!((day.begins_at(), Day::of(seconds + 86_399)), (seconds, day));
            assert_eq!(day.to_string(), text);
        }
        for text in ["2023-02-29", "2024-13-01", "2024-1", "24-01-01x", "yesterday", "2024-01-01-1"]
        {
            assert!(Day::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert_eq!(Day::of(-1).to_string(), "1969-12-31");
    }
}
