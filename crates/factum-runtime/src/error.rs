//! Why a command was not carried out, or a model not read: typed, so that the caller can act.

use crate::StaleRevision;
use factum_domain::{DecodeError, Reject};
use factum_event::{CommandId, InvalidCommit, InvalidName, Rejection};
use factum_store::StoreError;

/// Why a command led to nothing new.
///
/// [`ExecuteError::Rejected`] and [`ExecuteError::RejectedEarlier`] are outcomes: they are stored, and
/// sending the command again gives the same. After any other, nothing was stored, except that after
/// [`ExecuteError::Unknown`] it may have been.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<R> {
    /// The domain said no.
    #[error("{0}")]
    Rejected(R),
    /// The domain said no when the same command was sent before.
    #[error("{}", .0.reason)]
    RejectedEarlier(Rejection),
    /// The platform gave this command up before.
    #[error("command {command} was given up: {cause}")]
    FailedEarlier {
        /// The command.
        command: CommandId,
        /// Why.
        cause: String,
    },
    /// The id or idempotency key was used for another command.
    #[error("command {command} was sent before with other content: use a new idempotency key")]
    KeyReused {
        /// The command that has it.
        command: CommandId,
    },
    /// The stream is not where the sender believed it to be.
    #[error(transparent)]
    StaleRevision(#[from] StaleRevision),
    /// A revision was expected, and no model of the command has a stream to have one.
    #[error("the command reads no stream, so that no revision can be expected of it: send it without")]
    NoRevision,
    /// Others were faster every time.
    #[error("lost the race {attempts} times: try again")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
    },
    /// A limit is broken, see [`factum_event::limits`].
    #[error(transparent)]
    Invalid(#[from] InvalidCommit),
    /// The command's sender, its idempotency key or a key of its models cannot be stored, or its models draw
    /// more boundaries than a condition holds.
    #[error("the command's keys are not valid: {0}")]
    InvalidKey(#[from] InvalidName),
    /// An event that was decided would not be readable once it is stored.
    #[error(
        "the decision's event {event} would not be readable once stored: {cause}. A number that is not finite is no JSON, and a field that is skipped when written needs a default"
    )]
    Unreadable {
        /// Which of the decided events, from 0.
        event: usize,
        /// Why it could not be read back.
        cause: DecodeError,
    },
    /// A stored event cannot be read by this build.
    #[error(transparent)]
    Corrupt(#[from] DecodeError),
    /// The store could not do it.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// It may or may not have been stored. Ask for the status of the command before sending it again.
    #[error(
        "it is not known whether command {command} was stored ({cause}): ask for its status, or send it again under the same id"
    )]
    Unknown {
        /// The command.
        command: CommandId,
        /// What went wrong.
        cause: String,
    },
}

impl<R: Reject> ExecuteError<R> {
    /// Why the domain said no, now or earlier, in the form that is stored; `None` for any other error.
    pub fn rejection(&self) -> Option<Rejection> {
        match self {
            Self::Rejected(rejection) => Some(Rejection {
                code: rejection.code().into(),
                reason: rejection.to_string(),
                status: rejection.status(),
            }),
            Self::RejectedEarlier(rejection) => Some(rejection.clone()),
            _ => None,
        }
    }
}

impl<R> ExecuteError<R> {
    /// The same error with another rejection type.
    pub fn map_rejection<S>(self, map: impl FnOnce(R) -> S) -> ExecuteError<S> {
        match self {
            Self::Rejected(rejection) => ExecuteError::Rejected(map(rejection)),
            Self::RejectedEarlier(rejection) => ExecuteError::RejectedEarlier(rejection),
            Self::FailedEarlier { command, cause } => ExecuteError::FailedEarlier { command, cause },
            Self::KeyReused { command } => ExecuteError::KeyReused { command },
            Self::StaleRevision(stale) => ExecuteError::StaleRevision(stale),
            Self::NoRevision => ExecuteError::NoRevision,
            Self::Conflict { attempts } => ExecuteError::Conflict { attempts },
            Self::Invalid(cause) => ExecuteError::Invalid(cause),
            Self::InvalidKey(cause) => ExecuteError::InvalidKey(cause),
            Self::Unreadable { event, cause } => ExecuteError::Unreadable { event, cause },
            Self::Corrupt(cause) => ExecuteError::Corrupt(cause),
            Self::Unavailable(cause) => ExecuteError::Unavailable(cause),
            Self::Unknown { command, cause } => ExecuteError::Unknown { command, cause },
        }
    }
}

/// Why a model could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A stored event cannot be read by this build.
    #[error(transparent)]
    Corrupt(#[from] DecodeError),
    /// The store could not be read.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}
