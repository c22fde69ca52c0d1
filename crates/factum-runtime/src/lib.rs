//! Carries out commands over any store: loads models, decides, appends under the condition the models
//! imply, retries a lost race, and remembers the outcome, whatever it was.
//!
//! Never names a backend and never speaks HTTP: it sees [`factum_store::Store`] and the domain's traits.

mod added;
mod attempt;
mod cache;
mod done;
mod engine;
mod error;
mod execute;
mod expected;
mod feeds;
mod intake;
mod lanes;
mod live;
mod load;
mod observe;
mod projections;
mod retry;
mod run;
mod snapshots;
mod states;
mod status;
mod watch;

pub use cache::CACHE_ENTRIES_DEFAULT;
pub use done::{Done, EventPlace};
pub use engine::{Engine, Ports};
pub use error::{ExecuteError, ReadError};
pub use execute::Execute;
pub use expected::{ExpectedRevision, StaleRevision};
pub use feeds::{
    ARRIVALS_READ_MAX, Arrival, Arrivals, CommandHistory, CommandPlace, CommandUpdate, CommandUpdates,
    EventFeed, Feeds,
};
pub use intake::Intake;
pub use lanes::{
    Handlers, LaneBounds, LaneLayout, LaneLoad, LaneMode, LaneState, Lanes, NoSpawn, OperateError, Parking,
    RESTORED, RestoreError, RestoredLogs, Spawn, Submit, SubmitError, SystemSpawn, Ticket, WAITING_MAX,
};
pub use live::{At, Live};
pub use observe::{CommandMeasure, CommandObserver, Ending, UNREGISTERED};
pub use projections::{
    ApplyError, BuildProgress, DISCARDED_MAX, DOCUMENTS_AT_HAND_MAX, DiscardedEvent, Documents, Found, Keyed,
    List, Lister, ParkedEvent, ProjectionBounds, ProjectionError, ProjectionSet, ProjectionState,
    ProjectionStatus, Projections, QueryError, Rows, STALLED_AFTER, SqlProjection, StopReason, TablesOf,
    restored_notes,
};
pub use retry::{Retry, Sleep, SystemSleep};
pub use status::{CommandStatus, Status};
pub use watch::Watch;
