//! What can happen to a value.

use factum::prelude::*;
use serde::{Deserialize, Serialize};

/// Which value.
#[derive(Id)]
pub struct ValueId(factum::Uuid);

/// How a value changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// Adds the operand.
    Add,
    /// Multiplies by the operand.
    Multiply,
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
