//! What can happen to a value.

use factum::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which value.
#[derive(Id)]
pub struct ValueId(factum::Uuid);

/// How a value changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
#[schemars(!try_from)]
pub enum Operation {
    /// Adds the operand.
    Add,
    /// Multiplies by the operand.
    Multiply,
}

/// A word that names no operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown operation `{0}`, expected `ADD` or `MULTIPLY`")]
pub struct UnknownOperation(String);

impl TryFrom<String> for Operation {
    type Error = UnknownOperation;

    fn try_from(word: String) -> Result<Self, UnknownOperation> {
        match &*word {
            "ADD" => Ok(Self::Add),
            "MULTIPLY" => Ok(Self::Multiply),
            _ => Err(UnknownOperation(word)),
        }
    }
}

/// What happened.
#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "calculator", stream = value_id)]
pub enum CalculatorEvent {
    /// A value began.
    ValueCreated {
        /// Which.
        value_id: ValueId,
        /// At what.
        value: f64,
    },
    /// A value changed.
    ValueUpdated {
        /// Which.
        value_id: ValueId,
        /// How.
        operation: Operation,
        /// The operand.
        value: f64,
    },
}
