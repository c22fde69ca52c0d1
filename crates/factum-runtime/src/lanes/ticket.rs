//! What the sender of an accepted command holds: its id, and a way to wait for what becomes of it.

use super::Lanes;
use crate::{CommandStatus, Status};
use factum_event::CommandId;
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

    /// Waits until the command is anything but accepted: decided, parked or given up. One that was parked and
    /// driven again is waited for again. Read models that commands wait for are waited for too, as far as they go
    /// on by themselves.
    ///
    /// # Errors
    /// When a log cannot be read, or the lanes ended: the command is decided after the next start.
    pub async fn outcome(&self) -> Result<CommandStatus, StoreError> {
        let status = self.lanes.outcome(self.id).await?;
        if let Some(last) = status.events.last() {
            self.lanes.shared.engine.seen(last.position).await;
        }
        Ok(status)
    }
}

impl Lanes {
    /// Waits until a command is anything but accepted. A command that nobody sent is waited for as well.
    ///
    /// # Errors
    /// When a log cannot be read, or the lanes ended: the command is decided after the next start.
    pub async fn outcome(&self, command: CommandId) -> Result<CommandStatus, StoreError> {
        // Most who ask for one that is decided need not be told.
        if let Some(status) = self.status(command).await?.filter(|status| status.status != Status::Accepted) {
            return Ok(status);
        }
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
}
