//! The three counters of a log. They are different types, so that one is never taken for another.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The counter at `value`.
            pub const fn new(value: u64) -> Self {
                Self(value)
            }

            /// The bare number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The next one.
            ///
            /// # Panics
            /// At `u64::MAX`, which no log reaches.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.checked_add(1).expect("a log has fewer than 2^64 entries"))
            }
        }

        impl From<u64> for $name {
            fn from(value: u64) -> Self {
                Self(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// Where an event stands in the log: global, gapless, from 1. Zero stands before the first event.
    ///
    /// ```
    /// use factum_event::Position;
    /// assert_eq!(Position::START.next(), Position::new(1));
    /// ```
    Position
}

counter! {
    /// Where an event stands in its stream: 0, 1, 2 ... without gaps.
    Revision
}

counter! {
    /// Where a commit stands in the log: global, gapless, from 1. Zero stands before the first commit.
    ///
    /// A commit without events (a rejection, a no-op) has a sequence but takes no [`Position`].
    Sequence
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);
}

impl Sequence {
    /// Before the first commit.
    pub const START: Self = Self(0);
}
