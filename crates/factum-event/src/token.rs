//! What leaves a store: where a client has read to, in which log. Opaque to clients, compared only
//! within one log and generation.

use crate::{LogId, Position};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Which log, and which life of it: a restore from backup starts a new generation, so that tokens and
/// checkpoints of the old one are recognised, not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogIdentity {
    /// The log.
    pub log: LogId,
    /// Its generation, from 1.
    pub generation: u32,
}

/// A place in a log: one position per shard; a log with total order has one shard.
///
/// ```
/// use factum_event::{LogId, LogIdentity, Position, Token};
/// let log = LogIdentity { log: LogId::new(uuid::Uuid::from_u128(1)), generation: 1 };
/// let token = Token::new(log, Position::new(42));
/// assert_eq!(token.to_string().parse::<Token>().unwrap(), token);
/// assert_eq!(token.position_in(log), Some(Position::new(42)));
/// assert_eq!(token.position_in(LogIdentity { generation: 2, ..log }), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    identity: LogIdentity,
    positions: Vec<Position>,
}

/// A text that is not a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a token of this service: send back a `Factum-Position` as it was received, or none")]
pub struct InvalidToken {
    text: String,
}

impl Token {
    /// A place in a log with total order.
    pub fn new(identity: LogIdentity, position: Position) -> Self {
        Self { identity, positions: vec![position] }
    }

    /// A place in a log with several shards, in their order.
    pub fn sharded(identity: LogIdentity, positions: Vec<Position>) -> Self {
        Self { identity, positions }
    }

    /// The log it belongs to.
    pub fn identity(&self) -> LogIdentity {
        self.identity
    }

    /// The positions, one per shard.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// The position, if the token belongs to `log` and that log has total order.
    pub fn position_in(&self, log: LogIdentity) -> Option<Position> {
        match self.positions[..] {
            [position] if self.identity == log => Some(position),
            _ => None,
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.identity.log.get().simple(), self.identity.generation)?;
        self.positions.iter().try_for_each(|position| write!(f, ".{:x}", position.get()))
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| InvalidToken { text: text.chars().take(80).collect() })
    }
}

fn parse(text: &str) -> Option<Token> {
    let mut parts = text.split('.');
    let log = LogId::new(Uuid::try_parse(parts.next().filter(|part| part.len() == 32)?).ok()?);
    let generation = u32::from_str_radix(parts.next()?, 16).ok()?;
    let positions: Option<Vec<_>> =
        parts.map(|part| u64::from_str_radix(part, 16).ok().map(Position::new)).collect();
    let positions = positions.filter(|positions| !positions.is_empty())?;
    let token = Token { identity: LogIdentity { log, generation }, positions };
    // Numbers have other spellings (`+1`, `01`, `A`), none of which a log gave out.
    (token.to_string() == text).then_some(token)
}

impl Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_token_is_refused() {
        let zeros = "0".repeat(32);
        for text in ["", "1", "x.1.1", zeros.as_str(), &format!("{zeros}.1"), &format!("{zeros}.1.-1")] {
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_token_has_one_spelling() {
        let zeros = "0".repeat(32);
        for rest in [".+1.1", ".1.+1", ".1.A", ".1.01", ".01.1", ".1.", "..1", ".1.1.", ".1. 1"] {
            let text = format!("{zeros}{rest}");
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
        for log in ["A".repeat(32), "g".repeat(32), format!("{{{}}}", "0".repeat(30)), "0".repeat(31)] {
            assert!(format!("{log}.1.1").parse::<Token>().is_err(), "{log}");
        }
    }

    #[test]
    fn every_token_is_read_back() {
        let identity = LogIdentity { log: LogId::new(Uuid::from_u128(u128::MAX - 1)), generation: u32::MAX };
        for positions in [vec![0], vec![u64::MAX], vec![1, 0, u64::MAX, 10]] {
            let token = Token::sharded(identity, positions.into_iter().map(Position::new).collect());
            assert_eq!(token.to_string().parse(), Ok(token.clone()));
            let json = serde_json::to_string(&token).unwrap();
            assert_eq!(serde_json::from_str::<Token>(&json).unwrap(), token);
        }
    }

    #[test]
    fn a_position_is_told_only_to_its_own_log_of_one_shard() {
        let identity = LogIdentity { log: LogId::new(Uuid::from_u128(1)), generation: 1 };
        let other = LogIdentity { log: LogId::new(Uuid::from_u128(2)), generation: 1 };
        let token = Token::new(identity, Position::new(7));
        assert_eq!(token.position_in(identity), Some(Position::new(7)));
        assert_eq!(token.position_in(other), None);
        let sharded = Token::sharded(identity, vec![Position::new(7), Position::new(8)]);
        assert_eq!(sharded.position_in(identity), None);
    }
}
