//! What the admin API answers, as far as it is shown to people.

use serde::Deserialize;
use std::fmt;

/// How a projection stands.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Standing {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) position: u64,
    pub(crate) head: u64,
    pub(crate) lag_events: u64,
    pub(crate) lag_seconds: f64,
    pub(crate) status: String,
    pub(crate) stalled: bool,
    pub(crate) cause: Option<String>,
    pub(crate) mode: String,
    pub(crate) build: Option<Made>,
    pub(crate) parked: u64,
    pub(crate) waiting: u64,
    pub(crate) building: Option<Building>,
    pub(crate) previous: Option<Made>,
    pub(crate) discarded: Vec<Discarded>,
}

impl Standing {
    /// What it is called among those of all services.
    pub(crate) fn full_name(&self) -> String {
        format!("{}/{}", self.service, self.name)
    }

    /// Where it is asked about.
    pub(crate) fn path(&self) -> String {
        format!("/admin/projections/{}/{}", self.service, self.name)
    }
}

/// One making of a projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Made {
    version: u32,
    number: u32,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.number)
    }
}

/// A build that is made beside the one that is read.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Building {
    pub(crate) build: Made,
    pub(crate) status: String,
    pub(crate) cause: Option<String>,
    pub(crate) position: u64,
    pub(crate) head: u64,
    pub(crate) events_per_second: f64,
    pub(crate) seconds_left: Option<f64>,
}

/// An event that was given up.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Discarded {
    pub(crate) position: u64,
    pub(crate) key: String,
    pub(crate) actor: String,
    pub(crate) cause: String,
    pub(crate) at: String,
}

/// An event that could not be applied.
#[derive(Debug, Deserialize)]
pub(crate) struct ParkedEvent {
    pub(crate) position: u64,
    pub(crate) key: String,
    #[serde(rename = "type")]
    pub(crate) event_type: Option<String>,
    pub(crate) cause: String,
    pub(crate) attempts: u32,
    pub(crate) parked_at: String,
    pub(crate) waiting: u64,
}

/// All commands that are parked.
#[derive(Debug, Deserialize)]
pub(crate) struct ParkedCommands {
    pub(crate) parked: Vec<ParkedCommand>,
}

/// A command that is parked.
#[derive(Debug, Deserialize)]
pub(crate) struct ParkedCommand {
    pub(crate) command_id: String,
    pub(crate) service: String,
    pub(crate) action: String,
    pub(crate) key: String,
    pub(crate) cause: String,
    pub(crate) waiting: Vec<String>,
    pub(crate) more: bool,
}

/// What comes again after a command was driven again or given up.
#[derive(Debug, Deserialize)]
pub(crate) struct Released {
    pub(crate) released: Vec<String>,
    pub(crate) more: bool,
}

/// The logs of one service.
#[derive(Debug, Deserialize)]
pub(crate) struct Logs {
    pub(crate) service: String,
    pub(crate) events: LogSize,
    pub(crate) commands: Option<LogSize>,
}

/// One log.
#[derive(Debug, Deserialize)]
pub(crate) struct LogSize {
    pub(crate) position: u64,
    pub(crate) sequence: u64,
    pub(crate) bytes: Option<u64>,
}
