//! What became of a command.

use serde::{Deserialize, Serialize};

/// Why the domain said no: a code to branch on, a sentence to read, the status to answer with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Stable and short, such as `overdrawn`.
    pub code: String,
    /// A sentence for a person.
    pub reason: String,
    /// The HTTP status that says it best.
    pub status: u16,
}

/// What became of a command: stored in its commit, so that its sender can always learn it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// Decided; the commit holds what happened.
    Succeeded,
    /// Decided; there was nothing to do. The commit holds no event.
    Nothing,
    /// The domain said no. The commit holds no event.
    Rejected(Rejection),
    /// Given up for a cause outside the domain, by whom.
    Failed {
        /// What went wrong.
        cause: String,
        /// Who gave up: an operator, or the platform.
        by: String,
    },
    /// Set apart after retries, until an operator redrives or discards it.
    Parked {
        /// What went wrong.
        cause: String,
    },
    /// Waiting behind a parked command of the same key.
    SetAside {
        /// The parked command.
        behind: crate::CommandId,
    },
}

impl Outcome {
    /// Whether nothing else can become of the command. A log takes one final outcome per command.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Parked { .. } | Self::SetAside { .. })
    }

    /// Whether the commit may hold events.
    pub fn has_events(&self) -> bool {
        matches!(self, Self::Succeeded)
    }
}
