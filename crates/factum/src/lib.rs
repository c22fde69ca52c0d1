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
pub use uuid::Uuid;

#[cfg(feature = "runtime")]
mod app;
#[cfg(feature = "embedded")]
pub mod log;
pub mod prelude;
#[cfg(feature = "runtime")]
pub mod store;

#[cfg(feature = "embedded")]
pub use app::Embedded;
#[cfg(feature = "runtime")]
pub use app::{App, Builder, InMemory, On};
#[cfg(feature = "runtime")]
pub use factum_runtime::{
    At, CommandStatus, Done, EventPlace, Execute, ExecuteError, Intake, ReadError, Retry, Sleep, Status, View,
};
#[cfg(feature = "runtime")]
pub use factum_store::{Clock, Entropy, ErrorKind, StoreError, block_on};

/// The program that the README shows.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
