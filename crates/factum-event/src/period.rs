//! Months and days of the calendar in UTC: what read models are kept by when they are kept by time.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A month of the calendar, in UTC, of the years 0 to 9999: `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

/// A day of the calendar, in UTC, of the years 0 to 9999: `2026-11-21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    month: Month,
    day: i8,
}

/// A text that is not a month or a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {what}: write it as in {example}")]
pub struct InvalidPeriod {
    text: String,
    what: &'static str,
    example: &'static str,
}

impl Timestamp {
    /// The month that this falls into; the first or the last there is, for times beyond.
    ///
    /// ```
    /// let at: factum_event::Timestamp = "2026-11-30T23:59:59.999999Z".parse().unwrap();
    /// assert_eq!(at.month().to_string(), "2026-11");
    /// assert_eq!(at.day().to_string(), "2026-11-30");
    /// ```
    pub fn month(self) -> Month {
        self.day().month
    }

    /// The day that this falls into; the first or the last there is, for times beyond.
    pub fn day(self) -> Day {
        // 0000-01-01T00:00:00Z and 9999-12-30T22:00:00Z: what the calendar at hand can tell.
        let micros = self.as_micros().clamp(-62_167_219_200_000_000, 253_402_207_200_000_000);
        let at = jiff::Timestamp::from_microsecond(micros).expect("it is within the calendar");
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        Day { month: Month { year: date.year(), month: date.month() }, day: date.day() }
    }
}

impl Day {
    /// The month that this is in.
    pub fn month(self) -> Month {
        self.month
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}", self.month, self.day)
    }
}

impl FromStr for Month {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = format!("{text}-01").parse::<Day>().ok();
        let month = day.map(|day| day.month).filter(|month| month.to_string() == text);
        month.ok_or_else(|| InvalidPeriod { text: short(text), what: "month", example: "2026-11" })
    }
}

impl FromStr for Day {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let date = text.parse::<jiff::civil::Date>().ok();
        let day = date
            .map(|date| Self { month: Month { year: date.year(), month: date.month() }, day: date.day() });
        // Dates have other spellings, which nobody was given.
        let day = day.filter(|day| day.month.year >= 0 && day.to_string() == text);
        day.ok_or_else(|| InvalidPeriod { text: short(text), what: "day", example: "2026-11-21" })
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! as_text {
    ($($period:ty),*) => {$(
        impl Serialize for $period {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $period {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_text!(Month, Day);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_one_spelling() {
        assert_eq!("2026-11".parse::<Month>().unwrap().to_string(), "2026-11");
        assert_eq!("2024-02-29".parse::<Day>().unwrap().month().to_string(), "2024-02");
        for text in ["", "2026", "2026-13", "2026-1", "26-11", "2026-11-01", "-002-11", "+2026-11", "202611"]
        {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
        for text in ["2026-11", "2026-02-30", "20261121", "2026-11-21T00:00:00", "-000001-01-01"] {
            assert!(text.parse::<Day>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_time_has_a_month() {
        let month = |micros| Timestamp::from_micros(micros).month().to_string();
        assert_eq!(month(0), "1970-01");
        assert_eq!(month(-1), "1969-12");
        assert_eq!(month(i64::MIN), "0000-01");
        assert_eq!(month(i64::MAX), "9999-12");
    }
}
