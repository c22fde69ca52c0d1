//! Names that are stored: streams, categories, event types, commands, tags, sources.
//!
//! A name is cheap to clone, and a short one, up to 23 bytes, takes no memory beside itself. `new` checks it; `unchecked` is for names made from typed ids, which
//! [`crate::NewCommit::check`] examines before anything is written.

use crate::limits::{LABEL_BYTES_MAX, STREAM_NAME_BYTES_MAX, TAG_BYTES_MAX, TYPE_NAME_BYTES_MAX};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::{borrow::Borrow, fmt};

/// A name that cannot be stored, or too many of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// Empty.
    #[error("{what} is empty: give it at least one character")]
    Empty {
        /// Which kind of name.
        what: &'static str,
    },
    /// Over the bound.
    #[error("{what} `{start}...` has {bytes} bytes, and {max} is the most: shorten it")]
    TooLong {
        /// Which kind of name.
        what: &'static str,
        /// Its first characters.
        start: String,
        /// Its length.
        bytes: usize,
        /// The bound.
        max: usize,
    },
    /// More of something than a store takes.
    #[error("{what} {actual}, and {max} is the most: ask for less at once")]
    TooMany {
        /// What there is too much of, with its unit.
        what: &'static str,
        /// How many.
        actual: usize,
        /// The bound.
        max: usize,
    },
    /// A control character.
    #[error("{what} {name:?} has a control character: remove it")]
    Control {
        /// Which kind of name.
        what: &'static str,
        /// The name.
        name: String,
    },
}

impl InvalidName {
    /// Whether `text` may stand as `what`, a label such as an actor or an idempotency key.
    ///
    /// # Errors
    /// When it is empty, over [`LABEL_BYTES_MAX`] bytes, or has a control character.
    pub fn check_label(what: &'static str, text: &str) -> Result<(), Self> {
        check_text(what, text, LABEL_BYTES_MAX)
    }
}

pub(crate) fn check_text(what: &'static str, text: &str, max: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty { what });
    }
    if text.len() > max {
        let start = text.chars().take(40).collect();
        return Err(InvalidName::TooLong { what, start, bytes: text.len(), max });
    }
    if has_control(text.as_bytes()) {
        return Err(InvalidName::Control { what, name: text.chars().take(80).collect() });
    }
    Ok(())
}

/// Whether an ASCII control character is among `bytes`. Every name of every event passes here, so eight are looked
/// at together: of a word in which some byte is below `n`, and none above 127 counts, `word - n * ONES` borrows
/// into the top bit of the first such byte.
fn has_control(bytes: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let in_word = |word: u64| {
        let delete = word ^ (0x7f * ONES);
        let below_space = word.wrapping_sub(0x20 * ONES) & !word;
        let is_delete = delete.wrapping_sub(ONES) & !delete;
        (below_space | is_delete) & TOPS != 0
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [b' '; 8];
    last[..rest.len()].copy_from_slice(rest);
    words.iter().any(|word| in_word(u64::from_le_bytes(*word))) || in_word(u64::from_le_bytes(last))
}

/// As [`check_text`], for how many there are of something.
pub(crate) fn check_count(what: &'static str, actual: usize, max: usize) -> Result<(), InvalidName> {
    if actual <= max { Ok(()) } else { Err(InvalidName::TooMany { what, actual, max }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// The name, checked.
            ///
            /// # Errors
            /// When it is empty, too long (see [`crate::limits`]), or has a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidName> {
                let name = Self(SmolStr::new(text));
                name.check()?;
                Ok(name)
            }

            /// The name as it is. A store still checks it before it writes.
            pub fn unchecked(text: impl AsRef<str>) -> Self {
                Self(SmolStr::new(text))
            }

            /// Whether a store would take it.
            ///
            /// # Errors
            /// As [`Self::new`].
            pub fn check(&self) -> Result<(), InvalidName> {
                check_text($what, &self.0, $max)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

name! {
    /// The home of an event: `category-key`, such as `account-17`, or a bare category.
    ///
    /// ```
    /// use factum_event::StreamName;
    /// let stream = StreamName::new("account-17").unwrap();
    /// assert_eq!(stream.category().as_str(), "account");
    /// ```
    StreamName, "a stream name", STREAM_NAME_BYTES_MAX
}
name! {
    /// What a stream's name begins with, up to the first `-`: all accounts, all carts.
    Category, "a category", STREAM_NAME_BYTES_MAX
}
name! {
    /// The stored name of a kind of event, such as `bank.deposited`.
    EventType, "an event type", TYPE_NAME_BYTES_MAX
}
name! {
    /// The stored name of a kind of command, such as `bank.deposit`.
    CommandName, "a command name", TYPE_NAME_BYTES_MAX
}
name! {
    /// What an event is about, such as `course:c1`. The form is free; equality is all a store asks.
    Tag, "a tag", TAG_BYTES_MAX
}
name! {
    /// Whose progress a log tracks: a lane of a command log, a topic partition.
    Source, "a source", LABEL_BYTES_MAX
}

impl StreamName {
    /// The part before the first `-`, or the whole name.
    pub fn category(&self) -> Category {
        Category(SmolStr::new(self.category_str()))
    }

    /// As [`Self::category`], without an allocation.
    pub fn category_str(&self) -> &str {
        self.0.split_once('-').map_or(self.as_str(), |(category, _)| category)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_name_is_refused_with_its_reason() {
        assert_eq!(Tag::new(""), Err(InvalidName::Empty { what: "a tag" }));
        assert!(matches!(Tag::new("a\nb"), Err(InvalidName::Control { .. })));
        let long = "x".repeat(TAG_BYTES_MAX + 1);
        assert!(matches!(Tag::new(long), Err(InvalidName::TooLong { bytes: 513, max: 512, .. })));
        assert!(Tag::new("x".repeat(TAG_BYTES_MAX)).is_ok());
    }

    #[test]
    fn a_control_character_is_found_wherever_it_stands() {
        for length in 1..20 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'~'; length];
                    bytes[at] = byte;
                    assert_eq!(has_control(&bytes), byte.is_ascii_control(), "{byte} at {at} of {length}");
                    bytes.fill(0x80 | byte);
                    assert!(!has_control(&bytes), "{byte}");
                }
            }
        }
    }

    #[test]
    fn a_category_ends_at_the_first_dash() {
        assert_eq!(StreamName::unchecked("order-a-b").category_str(), "order");
        assert_eq!(StreamName::unchecked("bank").category_str(), "bank");
    }
}
