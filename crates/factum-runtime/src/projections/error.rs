//! Why a read model was not read, and why something asked of a projection was not done.

use super::{ProjectionState, StopReason};
use factum_domain::DecodeError;
use factum_event::{InvalidToken, Position};
use factum_store::StoreError;

/// Why something asked of a projection was not done. Nothing changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// There is none of that name.
    #[error("there is no projection `{name}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those there are.
        known: String,
    },
    /// It stands otherwise than what was asked for needs.
    #[error("projection `{name}` {why}")]
    Conflict {
        /// Which.
        name: &'static str,
        /// Why it cannot be done, and what to do.
        why: String,
    },
    /// No event is parked there.
    #[error("no event of projection `{name}` is parked at {position} under `{key}`")]
    NotParked {
        /// Which projection.
        name: &'static str,
        /// The event that was meant.
        position: Position,
        /// What it was to be parked under.
        key: String,
    },
    /// It still cannot be applied. It stays parked.
    #[error("the event at {position} still cannot be applied: {cause}")]
    StillFails {
        /// The event.
        position: Position,
        /// Why.
        cause: String,
    },
    /// Its runner ended before it did it.
    #[error("projection `{name}` has stopped: {reason}")]
    Stopped {
        /// Which.
        name: &'static str,
        /// Why.
        reason: StopReason,
    },
    /// What it keeps, or the log, could not be read or written.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Why a read model could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The application has no such read model.
    #[error("the application has no read model `{name}`: add it where the application is built")]
    Unregistered {
        /// Which.
        name: &'static str,
    },
    /// It is not read at present.
    #[error("read model `{name}` is {}: nothing can be read from it", state.as_str())]
    NotReadable {
        /// Which.
        name: &'static str,
        /// What it is doing.
        state: ProjectionState,
    },
    /// What is kept is of another form than this build of the application reads.
    #[error("read model `{name}`: the document `{key}` cannot be read: {cause}: rebuild it")]
    Unreadable {
        /// Which.
        name: &'static str,
        /// Under which key.
        key: String,
        /// Why.
        cause: String,
    },
    /// An event of the tail cannot be read by this build.
    #[error(transparent)]
    Corrupt(#[from] DecodeError),
    /// An event of the tail cannot be applied.
    #[error("read model `{name}`: the event at {position} cannot be applied: {cause}")]
    Unapplied {
        /// Which.
        name: &'static str,
        /// The event.
        position: Position,
        /// Why.
        cause: String,
    },
    /// The cursor is none of this list.
    #[error("the cursor is none of this list: send back a `next` as it was received, or none")]
    Cursor,
    /// There is no such index.
    #[error("read model `{name}` has no index `{index}`: there are {known}")]
    NoIndex {
        /// Which.
        name: &'static str,
        /// What was asked for.
        index: String,
        /// Those there are.
        known: String,
    },
    /// The token is of another log, or of another life of this one.
    #[error("the position is of another log, or of a time before it was restored: read without it")]
    OtherLog,
    /// The token is none.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// What it keeps, or the log, could not be read.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}
