//! A point in time: microseconds since 1970 UTC, before it negative. Never an order: positions are.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

/// A point in time, to the microsecond. In JSON an RFC 3339 string in UTC; beyond the years -9999 to 9999,
/// where there are no such strings, microseconds since the epoch, as in `9223372036854775807us`.
///
/// ```
/// use factum_event::Timestamp;
/// let at: Timestamp = "2026-01-02T03:04:05.000006Z".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-01-02T03:04:05.000006Z");
/// assert!(at < at.plus(std::time::Duration::from_micros(1)));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is not a time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time: write RFC 3339 with an offset, such as 2026-01-31T12:00:00Z")]
pub struct InvalidTimestamp {
    text: String,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Later by `by`; the last representable time if that overflows.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Earlier by `by`; the first representable time if that overflows.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(at) => write!(f, "{at:.6}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = match text.parse::<jiff::Timestamp>() {
            Ok(at) => Some(at.as_microsecond()),
            Err(_) => beyond_the_calendar(text),
        };
        at.map(Self).ok_or_else(|| InvalidTimestamp { text: text.to_owned() })
    }
}

/// A time that has no date between the years -9999 and 9999, as [`Timestamp`] writes it.
fn beyond_the_calendar(text: &str) -> Option<i64> {
    let micros = text.strip_suffix("us")?.parse().ok()?;
    jiff::Timestamp::from_microsecond(micros).is_err().then_some(micros)
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_micros()
    }

    #[test]
    fn times_before_1970_are_written_and_read() {
        for (micros, text) in [
            (-1, "1969-12-31T23:59:59.999999Z"),
            (-1_000_001, "1969-12-31T23:59:58.999999Z"),
            (-86_400_000_000, "1969-12-31T00:00:00.000000Z"),
            (0, "1970-01-01T00:00:00.000000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Timestamp::from_micros(micros).to_string(), text);
            assert_eq!(parsed(text), micros);
        }
    }

    #[test]
    fn an_offset_is_read_and_utc_is_written() {
        assert_eq!(parsed("2026-01-01T02:00:00+02:00"), parsed("2026-01-01T00:00:00Z"));
        assert_eq!(parsed("1970-01-01T00:00:00.0000019Z"), 1, "what is finer than a microsecond is dropped");
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in ["", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "0", "5us", "us"]
        {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_time_survives_json() {
        let far = 253_402_300_799_000_000;
        for micros in [0, -1, 1, -377_000_000_000_000_000, -62_167_219_200_000_001, far, i64::MIN, i64::MAX] {
            let at = Timestamp::from_micros(micros);
            let json = serde_json::to_string(&at).unwrap();
            assert_eq!(serde_json::from_str::<Timestamp>(&json).ok(), Some(at), "{json}");
        }
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(Timestamp::EPOCH.plus(Duration::MAX), last);
        assert_eq!(first.minus(Duration::from_micros(1)), first);
        assert_eq!(Timestamp::EPOCH.since(last), Duration::ZERO);
        assert_eq!(Timestamp::from_micros(5).since(Timestamp::from_micros(-5)), Duration::from_micros(10));
    }
}
