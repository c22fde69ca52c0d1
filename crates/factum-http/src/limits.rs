//! How much of anything is taken at once: every bound of the HTTP side that is not on the shape of a field.

use std::{num::NonZeroUsize, str::FromStr, time::Duration};

/// Largest body, in bytes.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Most requests that are carried out at once, unless [`Limits::in_flight_max`] says otherwise.
pub const IN_FLIGHT_MAX: NonZeroUsize = NonZeroUsize::new(1024).expect("it is not zero");

/// Most items that a page of a list holds.
pub const PAGE_ITEMS_MAX: usize = 1000;

/// How many items a page of a list holds unless it is said.
pub(crate) const PAGE_ITEMS_DEFAULT: usize = 100;

/// Most events that are looked at for one page of a list: with fewer that may be shown, it comes out short.
pub(crate) const PAGE_LOOKED_AT_MAX: usize = 4096;

/// Most streams of updates that are open at once.
pub const STREAMS_MAX: usize = 256;

/// A stream of updates that has nothing to tell says so this often, so that nobody takes it for dead.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// After so many updates that its reader may not see, a stream tells how far it has come.
pub(crate) const PASSED_OVER_MAX: usize = 1024;

/// Most connections at once, unless [`Limits::connections_max`] says otherwise.
pub const CONNECTIONS_MAX: NonZeroUsize = NonZeroUsize::new(4096).expect("it is not zero");

/// Largest head of a request, its first line and its headers, in bytes that are kept while it is not whole.
/// One that comes in fewer pieces may have up to twice as many.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A request's head is there so long after its first byte, and that one so long after the connection.
pub const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// A request's body is there so long after its head.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// A connection waits so long for its next request.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(75);

/// A client that takes nothing of its answer is waited for so long.
pub const UNREAD_TIME_MAX: Duration = Duration::from_secs(60);

/// When the system has nothing left for a new connection, the next one is tried after this long.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// After being told to come back later, a client waits this long.
pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The highest rate that can be asked for, in requests per second.
pub const RATE_MAX: u32 = 1_000_000;

/// What one server takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most requests that are carried out at once; one more is answered 503 before its body is read.
    pub in_flight_max: NonZeroUsize,
    /// Most requests of one actor in a second; one more is answered 429. Off if none is given.
    pub rate: Option<Rate>,
    /// Most connections at once; one more waits with the system until another ends.
    pub connections_max: NonZeroUsize,
    /// How long one connection is waited for.
    pub patience: Patience,
}

/// How long a client is waited for before its connection is given up. What it takes to carry out a request
/// is not bounded here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the whole head, from its first byte on; and for that byte on a new connection. Answered 408 if a
    /// part of the head has come.
    pub head: Duration,
    /// For the whole body, from its head on. Answered 408.
    pub body: Duration,
    /// For the next request on a connection.
    pub idle: Duration,
    /// For the client to take a byte more of its answer, once no more fits on the way to it.
    pub unread: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: HEAD_TIME_MAX, body: BODY_TIME_MAX, idle: IDLE_TIME_MAX, unread: UNREAD_TIME_MAX }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight_max: IN_FLIGHT_MAX,
            rate: None,
            connections_max: CONNECTIONS_MAX,
            patience: Patience::default(),
        }
    }
}

/// Requests per second, from 1 to [`RATE_MAX`]. What was not used is saved up for one second.
///
/// ```
/// let rate: factum_http::Rate = "100/s".parse().unwrap();
/// assert_eq!(rate.per_second(), 100);
/// assert!("100".parse::<factum_http::Rate>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u32);

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a rate: write `N/s`, requests per second, with N from 1 to {RATE_MAX}")]
pub struct InvalidRate;

impl Rate {
    /// So many in a second.
    pub const fn per_second(self) -> u32 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let number =
            text.strip_suffix("/s").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let number = number.and_then(|digits| digits.parse().ok());
        number.filter(|number| (1..=RATE_MAX).contains(number)).map(Self).ok_or(InvalidRate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_per_second() {
        for (text, rate) in [("1/s", 1), ("100/s", 100), ("1000000/s", 1_000_000)] {
            assert_eq!(text.parse(), Ok(Rate(rate)));
        }
        for text in
            ["", "/s", "0/s", "1000001/s", "100", "100/m", "+1/s", "-1/s", "1.5/s", " 1/s", "99999999999/s"]
        {
            assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text}");
        }
    }
}
