//! Event sourcing and CQRS: decisions are sync and pure, over one log.
//!
//! This is what applications depend on: everything in it is named here and nothing is made here. Domain
//! crates take it with `default-features = false`, which is pure: no I/O, no clock, no runtime.

mod derives;

pub use derives::{Command, Event, Id, Reject, Subset, model};
pub use factum_domain::*;
pub use factum_event::*;

#[doc(hidden)]
pub use factum_domain::__private;

pub mod prelude;
