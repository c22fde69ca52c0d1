//! What a service offers over HTTP, as an OpenAPI document. It is made of the routes themselves: what a
//! handler takes in follows from its arguments, what it answers from whether it is a command or a query, what
//! a command may be rejected with from its rejection.

mod answers;
mod description;
mod document;
mod inputs;
mod problems;
mod schema;

pub use description::Description;
pub(crate) use description::{Command, HeldAt, Place};
pub(crate) use document::{Described, document};
pub use inputs::Describe;
pub(crate) use inputs::{Inputs, id_schema};
pub use schema::Time;
