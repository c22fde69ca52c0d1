//! A value as its events make it.

use crate::{CalculatorEvent, Operation, ValueId};
use factum::prelude::*;

/// The value behind one id; `None` until it is created.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Value(pub Option<f64>);

#[model]
impl Model for Value {
    type Scope = Stream<ValueId>;
    fn apply(&mut self, event: CalculatorEvent) {
        match event {
            CalculatorEvent::ValueCreated { value, .. } => self.0 = Some(value),
            CalculatorEvent::ValueUpdated { operation, value, .. } => {
                self.0 = self.0.map(|current| operation.apply(current, value));
            }
        }
    }
}

impl Operation {
    /// `current`, changed by `operand`.
    pub fn apply(self, current: f64, operand: f64) -> f64 {
        match self {
            Self::Add => current + operand,
            Self::Multiply => current * operand,
        }
    }
}
