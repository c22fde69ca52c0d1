//! What a domain module needs, by name: `use factum::prelude::*`.

pub use crate::{
    Command, Context, Decide, Decision, Event, Everything, Id, Keys, Last, Mode, Model, Month, Never,
    OnError, Page, Projection, Recorded, Refused, Reject, Snapshot, Stream, Subset, Tagged, Timestamp, Value,
    View, diff, emit, ensure, fact, given, given_nothing, given_stored, model, nothing, values,
};

#[cfg(feature = "runtime")]
pub use crate::{App, ApplyError, ExecuteError, Sql, SqlProjection, Tx, block_on};
