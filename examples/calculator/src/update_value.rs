//! Adding to a value, or multiplying it.

use crate::{CalculatorEvent, Operation, Value, ValueId};
use factum::prelude::*;

/// Change a value.
#[derive(Command, Debug, Clone)]
#[command(name = "calculator.update-value")]
pub struct UpdateValue {
    /// Which.
    pub value_id: ValueId,
    /// How.
    pub operation: Operation,
    /// The operand.
    pub value: f64,
}

/// Why a value was not changed.
#[derive(Debug, PartialEq, thiserror::Error, Reject)]
pub enum UpdateRejected {
    /// Nothing to change.
    #[error("value with id {0} does not exist")]
    #[reject(404)]
    DoesNotExist(ValueId),
    /// JSON and every later operation need a number.
    #[error("the result is not a finite number")]
    NotFinite,
}

impl Decide for UpdateValue {
    type Event = CalculatorEvent;
    type Models = Value;
    type Rejection = UpdateRejected;

    fn keys(&self) -> ValueId {
        self.value_id
    }

    fn decide(&self, Value(current): &Value, _: &Context) -> Decision<Self> {
        let current = current.ok_or(UpdateRejected::DoesNotExist(self.value_id))?;
        ensure!(self.operation.apply(current, self.value).is_finite(), UpdateRejected::NotFinite);
        let Self { value_id, operation, value } = *self;
        emit(CalculatorEvent::ValueUpdated { value_id, operation, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use factum::Uuid;

    fn id() -> ValueId {
        Uuid::from_u128(1).into()
    }

    fn update(operation: Operation, value: f64) -> UpdateValue {
        UpdateValue { value_id: id(), operation, value }
    }

    fn created(value: f64) -> CalculatorEvent {
        CalculatorEvent::ValueCreated { value_id: id(), value }
    }

    fn updated(operation: Operation, value: f64) -> CalculatorEvent {
        CalculatorEvent::ValueUpdated { value_id: id(), operation, value }
    }

    #[test]
    fn s2_02_a_value_changes() {
        given([created(2.0)]).when(update(Operation::Add, 2.0)).then(updated(Operation::Add, 2.0));
    }

    #[test]
    fn s2_05_what_does_not_exist_does_not_change() {
        given_nothing()
            .when(update(Operation::Multiply, 3.0))
            .then_rejected(UpdateRejected::DoesNotExist(id()));
    }

    #[test]
    fn a_result_that_is_no_number_is_rejected() {
        given([created(f64::MAX)])
            .when(update(Operation::Multiply, 2.0))
            .then_rejected(UpdateRejected::NotFinite);
        given([created(f64::MAX), updated(Operation::Multiply, 0.5)])
            .when(update(Operation::Multiply, 2.0))
            .then(updated(Operation::Multiply, 2.0));
    }

    #[test]
    fn s2_11_the_order_of_operations_counts() {
        let (add, multiply) = (updated(Operation::Add, 2.0), updated(Operation::Multiply, 3.0));
        let in_order = given([created(2.0), add.clone(), multiply.clone()]);
        assert_eq!(in_order.view::<Value>(id()), Value(Some(12.0)));
        assert_eq!(given([created(2.0), multiply, add]).view::<Value>(id()), Value(Some(8.0)));
    }
}
