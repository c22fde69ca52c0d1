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

// ANCHOR: commands
/// The commands that the calculator decides.
pub type Commands = (CreateValue, UpdateValue);
// ANCHOR_END: commands
