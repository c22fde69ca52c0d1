//! Creating a value.

use crate::{CalculatorEvent, Value, ValueId};
use factum::prelude::*;

/// Begin a value.
#[derive(Command, Debug, Clone)]
#[command(name = "calculator.create-value")]
pub struct CreateValue {
    /// Which.
    pub value_id: ValueId,
    /// At what.
    pub value: f64,
}

/// Why a value was not created.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum CreateRejected {
    /// The id is taken.
    #[error("value with id {0} already exists")]
    AlreadyExists(ValueId),
    /// JSON and every later operation need a number.
    #[error("the value is not a finite number")]
    NotFinite,
}

impl Decide for CreateValue {
    type Event = CalculatorEvent;
    type Models = Value;
    type Rejection = CreateRejected;

    fn keys(&self) -> ValueId {
        self.value_id
    }

    fn decide(&self, Value(current): &Value, _: &Context) -> Decision<Self> {
        ensure!(current.is_none(), CreateRejected::AlreadyExists(self.value_id));
        ensure!(self.value.is_finite(), CreateRejected::NotFinite);
        emit(CalculatorEvent::ValueCreated { value_id: self.value_id, value: self.value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum::Uuid;

    fn create(value: f64) -> CreateValue {
        CreateValue { value_id: Uuid::from_u128(1).into(), value }
    }

    fn created(value: f64) -> CalculatorEvent {
        CalculatorEvent::ValueCreated { value_id: Uuid::from_u128(1).into(), value }
    }

    #[test]
    fn s2_01_a_new_value_begins() {
        given_nothing().when(create(3.0)).then(created(3.0));
    }

    #[test]
    fn s2_06_an_id_is_taken_once() {
        let taken = CreateRejected::AlreadyExists(Uuid::from_u128(1).into());
        given([created(3.0)]).when(create(4.0)).then_rejected(taken);
    }

    #[test]
    fn infinity_is_no_value() {
        given_nothing().when(create(f64::INFINITY)).then_rejected(CreateRejected::NotFinite);
    }
}
