//! How much may be asked for: whole numbers of minor units, such as cents. What an account takes in over its whole
//! life has the same bound, so that no sum over it is ever too large for a number, in whatever order it is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most minor units of one amount, and the most that an account takes in over its life: the largest whole
/// number up to which every reader of JSON has all of them.
pub const AMOUNT_MAX: u64 = (1 << 53) - 1;

/// An amount of money in minor units: 1 to [`AMOUNT_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
#[schemars(!try_from, !into, inline)]
pub struct Amount(#[schemars(range(min = 1, max = AMOUNT_MAX))] u64);

/// A number that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an amount is 1 to {AMOUNT_MAX} minor units, and this is {0}")]
pub struct InvalidAmount(u64);

impl Amount {
    /// So many minor units.
    ///
    /// # Errors
    /// When it is nothing, or more than [`AMOUNT_MAX`].
    pub fn new(minor_units: u64) -> Result<Self, InvalidAmount> {
        match minor_units {
            1..=AMOUNT_MAX => Ok(Self(minor_units)),
            _ => Err(InvalidAmount(minor_units)),
        }
    }

    /// In minor units.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Amount {
    type Error = InvalidAmount;

    fn try_from(minor_units: u64) -> Result<Self, InvalidAmount> {
        Self::new(minor_units)
    }
}

impl From<Amount> for u64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_something_and_not_more_than_json_can_tell() {
        for (units, taken) in
            [(0, false), (1, true), (AMOUNT_MAX, true), (AMOUNT_MAX + 1, false), (u64::MAX, false)]
        {
            assert_eq!(Amount::new(units).is_ok(), taken, "{units}");
            assert_eq!(serde_json::from_str::<Amount>(&units.to_string()).is_ok(), taken, "{units}");
        }
        for text in ["-1", "1.0", "1e2", "\"1\"", "null", "true"] {
            assert!(serde_json::from_str::<Amount>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_bound_survives_readers_that_know_only_floats() {
        let read = |text: String| serde_json::from_str::<f64>(&text).unwrap().to_string();
        for units in [AMOUNT_MAX, AMOUNT_MAX - 1] {
            assert_eq!(read(units.to_string()), units.to_string());
        }
        assert_ne!(read((AMOUNT_MAX + 2).to_string()), (AMOUNT_MAX + 2).to_string());
    }
}
