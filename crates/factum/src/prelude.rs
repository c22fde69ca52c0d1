//! What a domain module needs, by name: `use factum::prelude::*`.

pub use crate::{
    Command, Context, Decide, Decision, Event, Everything, Id, Keys, Last, Model, Never, Recorded, Refused,
    Reject, Snapshot, Stream, Subset, Tagged, Timestamp, diff, emit, ensure, fact, given, given_nothing,
    given_stored, model, nothing,
};

#[cfg(feature = "runtime")]
pub use crate::{App, ExecuteError, block_on};
