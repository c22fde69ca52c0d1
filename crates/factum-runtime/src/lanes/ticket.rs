//! What the sender of an accepted command holds: ask, wait, or watch.

use super::Lanes;
use crate::{CommandStatus, Status};
use factum_event::{CommandId, Timestamp};
use factum_store::StoreError;

/// A command was accepted: it is stored, and will be decided.
#[derive(Clone, Copy, Debug)]
pub struct Ticket<'a> {
    lanes: &'a Lanes,
    id: CommandId,
    repeated: bool,
}

impl<'a> Ticket<'a> {
    pub(crate) fn new(lanes: &'a Lanes, id: CommandId, repeated: bool) -> Self {
        Self { lanes, id, repeated }
    }

    /// The command.
    pub fn command_id(&self) -> CommandId {
        self.id
    }

    /// Whether the same command had been accepted before.
    pub fn repeated(&self) -> bool {
        self.repeated
    }

    /// Waits until the command is anything but accepted: decided, parked or given up.
    ///
    /// # Errors
    /// When a log cannot be read, or the lanes ended: the command is decided after the next start.
    pub async fn outcome(&self) -> Result<CommandStatus, StoreError> {
        self.lanes.outcome(self.id).await
    }
}

impl Lanes {
    /// Waits until a command is anything but accepted. A command that nobody sent is waited for as well.
    ///
    /// # Errors
    /// When a log cannot be read, or the lanes ended: the command is decided after the next start.
    pub async fn outcome(&self, command: CommandId) -> Result<CommandStatus, StoreError> {
        loop {
            // Before the look: what happens in between is told.
            let changed = self.shared.engine.outcomes().changed(command);
            let ended = self.ended();
            match self.status(command).await? {
                Some(status) if status.status != Status::Accepted => return Ok(status),
                _ => {
                    ended?;
                    // An error means that nobody tells any more: look again.
                    let _ = changed.await;
                }
            }
        }
    }

    /// Watches a command from now on: its status as it is, then each change, up to the final one.
    pub fn watch(&self, command: CommandId) -> Watch<'_> {
        Watch { lanes: self, command, last: None, ended: false }
    }
}

/// The statuses of one command, as they come.
#[derive(Debug)]
pub struct Watch<'a> {
    lanes: &'a Lanes,
    command: CommandId,
    last: Option<(Status, Timestamp)>,
    ended: bool,
}

impl Watch<'_> {
    /// The next status; `None` after a final one.
    ///
    /// # Errors
    /// When a log cannot be read, or the lanes ended.
    pub async fn next(&mut self) -> Result<Option<CommandStatus>, StoreError> {
        while !self.ended {
            let changed = self.lanes.shared.engine.outcomes().changed(self.command);
            let ended = self.lanes.ended();
            let status = self.lanes.status(self.command).await?;
            if let Some(status) = status
                && self.last != Some((status.status, status.updated_at))
            {
                self.last = Some((status.status, status.updated_at));
                self.ended = status.status.is_final();
                return Ok(Some(status));
            }
            ended?;
            // An error means that nobody tells any more: look again.
            let _ = changed.await;
        }
        Ok(None)
    }
}
