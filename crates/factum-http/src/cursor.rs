//! A place in each log of the server, as one string that clients hand back as they got it. A place of a log
//! that the server does not have, or of another generation of it, is not believed.

use factum::{LogIdentity, Position, Token};
use std::fmt;

/// What the places are of: a cursor of the one is none of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of commits, in the logs of commands and of events.
    Commands,
    /// Of events, in the logs of events.
    Events,
}

/// How much of each log was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    kind: Kind,
    places: Vec<(LogIdentity, u64)>,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Commands => "c",
            Self::Events => "e",
        }
    }
}

impl Cursor {
    /// Nothing is known of any log.
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, places: Vec::new() }
    }

    /// The cursor that `text` is; `None` if it is none, or one of another kind.
    pub(crate) fn parse(kind: Kind, text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        parts.next().filter(|part| *part == kind.as_str())?;
        let mut cursor = Self::new(kind);
        for part in parts {
            let token: Token = part.parse().ok()?;
            let place = token.position_in(token.identity())?;
            if cursor.places.iter().any(|(known, _)| known.log == token.identity().log) {
                return None;
            }
            cursor.places.push((token.identity(), place.get()));
        }
        Some(cursor)
    }

    pub(crate) fn get(&self, log: LogIdentity) -> Option<u64> {
        self.places.iter().find(|(known, _)| *known == log).map(|(_, place)| *place)
    }

    pub(crate) fn set(&mut self, log: LogIdentity, place: u64) {
        match self.places.iter_mut().find(|(known, _)| *known == log) {
            Some((_, known)) => *known = place,
            None => self.places.push((log, place)),
        }
    }

    /// Forgets all logs but these.
    pub(crate) fn retain(&mut self, keep: impl Fn(LogIdentity) -> bool) {
        self.places.retain(|(log, _)| keep(*log));
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        let token = |(log, place): &(LogIdentity, u64)| Token::new(*log, Position::new(*place));
        self.places.iter().map(token).try_for_each(|token| write!(f, "-{token}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum::{LogId, Uuid};

    fn log(number: u128, generation: u32) -> LogIdentity {
        LogIdentity { log: LogId::new(Uuid::from_u128(number)), generation }
    }

    #[test]
    fn a_cursor_is_read_back_as_it_was_written() {
        let mut cursor = Cursor::new(Kind::Commands);
        assert_eq!(Cursor::parse(Kind::Commands, &cursor.to_string()), Some(cursor.clone()));
        for (number, place) in [(1, 0), (u128::MAX, u64::MAX), (7, 42)] {
            cursor.set(log(number, 3), place);
        }
        assert_eq!(Cursor::parse(Kind::Commands, &cursor.to_string()), Some(cursor));
    }

    #[test]
    fn a_place_is_one_of_its_own_log_and_generation() {
        let mut cursor = Cursor::new(Kind::Events);
        cursor.set(log(1, 2), 5);
        cursor.set(log(1, 2), 6);
        assert_eq!(cursor.get(log(1, 2)), Some(6));
        assert_eq!((cursor.get(log(1, 1)), cursor.get(log(2, 2))), (None, None));
        cursor.retain(|log| log.generation == 1);
        assert_eq!(cursor, Cursor::new(Kind::Events));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let zeros = "0".repeat(32);
        let place = format!("{zeros}.1.5");
        let read = |text: &str| Cursor::parse(Kind::Commands, text);
        assert!(read(&format!("c-{place}")).is_some());
        for text in [
            String::new(),
            "-".to_owned(),
            "c-".to_owned(),
            "x".to_owned(),
            place.clone(),
            format!("e-{place}"),
            format!("C-{place}"),
            format!("c{place}"),
            format!("c-{place}-"),
            format!("c--{place}"),
            format!("c-{place}.6"),
            format!("c-{place} "),
            format!("c-{zeros}.1.05"),
            format!("c-{place}-{place}"),
            format!("c-{place}-{zeros}.2.5"),
        ] {
            assert!(read(&text).is_none(), "{text}");
        }
    }
}
