//! A calculator: create a value, add to it, multiply it, read it. Every change is an event.
//!
//! Read it in this order: [`event`], [`value`], [`create_value`], [`update_value`], [`http`].

pub mod create_value;
pub mod event;
pub mod http;
pub mod update_value;
pub mod value;

pub use create_value::CreateValue;
pub use event::{CalculatorEvent, Operation, ValueId};
pub use http::service;
pub use update_value::UpdateValue;
pub use value::Value;

use factum::Builder;

// ANCHOR: commands
/// The commands that the calculator decides.
pub type Commands = (CreateValue, UpdateValue);

/// What the calculator takes from the app it runs on.
pub fn setup<B>(app: Builder<B>) -> Builder<B> {
    app.commands::<Commands>()
}
// ANCHOR_END: commands
