//! What became of a command, as its commits tell it.

use crate::{EventPlace, lanes::record::is_own};
use factum_event::{
    CommandId, CommandName, Commit, CommitHeader, Metadata, Outcome, Position, RecordedEvent, Rejection,
    Timestamp,
};
use serde::Serialize;
use std::{fmt, sync::Arc};

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Stored, not decided.
    Accepted,
    /// Decided, with events or with nothing to do. Final.
    Succeeded,
    /// The domain said no. Final.
    Rejected,
    /// Set apart until an operator acts.
    Parked,
    /// Given up. Final.
    Failed,
}

impl Status {
    /// Whether nothing else can become of the command.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Rejected | Self::Failed)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Succeeded => "succeeded",
            Self::Rejected => "rejected",
            Self::Parked => "parked",
            Self::Failed => "failed",
        })
    }
}

impl From<&Outcome> for Status {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Succeeded | Outcome::Nothing => Self::Succeeded,
            Outcome::Rejected(_) => Self::Rejected,
            Outcome::Failed { .. } => Self::Failed,
            Outcome::Parked { .. } => Self::Parked,
            _ => Self::Accepted,
        }
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandStatus {
    /// The command.
    pub command_id: CommandId,
    /// Its stored name.
    pub name: CommandName,
    /// Who asked.
    pub actor: Option<Arc<str>>,
    /// When it came in.
    pub issued_at: Timestamp,
    /// When its status last changed.
    pub updated_at: Timestamp,
    /// Where it stands.
    pub status: Status,
    /// What happened.
    pub events: Vec<EventPlace>,
    /// The last position the command took; without events, the head it was decided on. None while it is
    /// only accepted. It never changes once the status is final.
    pub position: Option<Position>,
    /// Why the domain said no.
    pub rejection: Option<Rejection>,
    /// Why it was parked or given up.
    pub cause: Option<String>,
}

impl CommandStatus {
    /// The status that a command's commits, in order, amount to. Commits of the platform's own tell nothing.
    pub(crate) fn of(commits: &[Commit]) -> Option<Self> {
        let first = commits.first().filter(|first| !is_own(first.header.command_name.as_str()))?;
        // To wait behind another changes nothing: it was accepted, and is.
        let told = |commit: &&Commit| !matches!(commit.outcome, Outcome::SetAside { .. });
        let Some(last) = commits.iter().rev().find(told) else {
            let CommitHeader { command_id, command_name, issued_at, metadata, .. } = &*first.header;
            return Some(Self::begun(*command_id, command_name.clone(), metadata, *issued_at));
        };
        let (rejection, cause) = match &last.outcome {
            Outcome::Rejected(rejection) => (Some(rejection.clone()), None),
            Outcome::Failed { cause, .. } | Outcome::Parked { cause } => (None, Some(cause.clone())),
            _ => (None, None),
        };
        Some(Self {
            command_id: last.header.command_id,
            name: last.header.command_name.clone(),
            actor: last.header.metadata.actor.clone(),
            issued_at: last.header.issued_at,
            updated_at: last.header.recorded_at,
            status: Status::from(&last.outcome),
            events: last.events.iter().map(EventPlace::from).collect(),
            position: Some(last.position),
            rejection,
            cause,
        })
    }

    /// The status of a command that stands in the command log as `event`, and nowhere else.
    pub(crate) fn accepted(event: &RecordedEvent) -> Self {
        let CommitHeader { command_id, issued_at, metadata, .. } = &*event.commit;
        Self::begun(*command_id, CommandName::unchecked(event.event_type.as_str()), metadata, *issued_at)
    }

    /// The status of a parked command that was driven again `at` this time.
    pub(crate) fn accepted_again(self, at: Timestamp) -> Self {
        let status = Status::Accepted;
        Self {
            status,
            updated_at: at,
            events: Vec::new(),
            position: None,
            rejection: None,
            cause: None,
            ..self
        }
    }

    fn begun(command_id: CommandId, name: CommandName, metadata: &Metadata, issued_at: Timestamp) -> Self {
        Self {
            command_id,
            name,
            actor: metadata.actor.clone(),
            issued_at,
            updated_at: issued_at,
            status: Status::Accepted,
            events: Vec::new(),
            position: None,
            rejection: None,
            cause: None,
        }
    }
}
