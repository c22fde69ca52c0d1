//! How a store says no. An append error carries the facts its caller acts on; a store error says by its
//! kind what to do.

use factum_event::{
    CommandId, EventId, Expected, InvalidCommit, InvalidName, Position, Revision, Sequence, StreamName,
    Tracking,
};

/// Why a commit was not stored. All but [`AppendError::Unknown`] mean: nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// A stream is not as expected. Read it and decide again.
    #[error("stream {stream} was expected to be {expected:?} and is at {actual:?}: read it and decide again")]
    WrongRevision {
        /// The stream.
        stream: StreamName,
        /// What was expected.
        expected: Expected,
        /// Its last revision, if it has events.
        actual: Option<Revision>,
    },
    /// Something matching was stored after what was read. Read on and decide again.
    #[error("a matching event stands at {position}, after what was read: read on and decide again")]
    Stale {
        /// The last matching event.
        position: Position,
    },
    /// What must not exist does. Deciding again will not help.
    #[error("a matching event exists at {position}")]
    AlreadyExists {
        /// The first matching event.
        position: Position,
    },
    /// The input was applied before.
    #[error("{} was applied up to {reached} by commit {sequence}; {} is not beyond it", tracking.source, tracking.progress)]
    AlreadyApplied {
        /// What was given.
        tracking: Tracking,
        /// How far the source had come.
        reached: u64,
        /// The commit that brought it there.
        sequence: Sequence,
    },
    /// The command has its final outcome. Read that.
    #[error("command {command} was decided by commit {sequence}: read its outcome there")]
    AlreadyDecided {
        /// The command.
        command: CommandId,
        /// The commit with its outcome.
        sequence: Sequence,
    },
    /// An event id is taken.
    #[error("event {id} exists at {position}: an event is stored once")]
    EventExists {
        /// The id.
        id: EventId,
        /// Where it stands.
        position: Position,
    },
    /// The commit breaks a limit or contradicts itself.
    #[error("the commit is not valid: {0}")]
    Invalid(#[from] InvalidCommit),
    /// The condition names something that is not a name.
    #[error("the condition is not valid: {0}")]
    InvalidCondition(InvalidName),
    /// It may or may not be stored. Read back the command id to learn which; never append it again blindly.
    #[error("it is not known whether the commit was stored ({cause}): read back its command id")]
    Unknown {
        /// What went wrong.
        cause: String,
    },
    /// Nothing was stored, for a cause outside the commit.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Try again later: it may pass.
    Retry,
    /// Close the store and open it again.
    Reopen,
    /// Mend what was asked for.
    FixInput,
    /// Stored data is damaged: restore or repair it.
    RepairData,
    /// This should not happen: report it.
    ReportBug,
}

/// A store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct StoreError {
    kind: ErrorKind,
    what: String,
}

impl StoreError {
    /// An error of `kind`. `what` is lower case, names the operation and the object, and says what to do.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    /// What to do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
