//! The statuses of one command for code that waits beside the application: as its history has them, and an
//! end when nobody decides any more.

use crate::{CommandHistory, CommandPlace, CommandStatus, Engine, Feeds, Lanes};
use factum_event::CommandId;
use factum_store::StoreError;
use futures_util::future::{Either, select};
use std::{pin::pin, sync::Arc};

/// The statuses of one command, as they come: all it went through, then all it goes through. A command that
/// nobody has sent yet is waited for.
#[derive(Debug)]
pub struct Watch<'a> {
    engine: &'a Engine,
    lanes: Option<&'a Lanes>,
    command: CommandId,
    history: CommandHistory,
}

impl<'a> Watch<'a> {
    /// Of a command that `lanes` decide, or none that are: then only direct commands have a status.
    pub fn new(engine: &'a Engine, lanes: Option<&'a Lanes>, command: CommandId) -> Self {
        let feeds = match lanes {
            Some(lanes) => lanes.feeds(),
            None => Feeds::new(Arc::clone(engine.store()), None),
        };
        let history = feeds.command_history(command, CommandPlace::default());
        Self { engine, lanes, command, history }
    }

    /// The next status; `None` after the final one.
    ///
    /// # Errors
    /// When a log cannot be read, or the lanes ended.
    pub async fn next(&mut self) -> Result<Option<CommandStatus>, StoreError> {
        loop {
            // Before the look: what happens in between is told, the end of the lanes too.
            let told = self.engine.outcomes().changed(self.command);
            let ended = self.lanes.map_or(Ok(()), Lanes::ended);
            let update = self.history.next_now().await?;
            if update.is_some() || self.history.ended() {
                return Ok(update.map(|update| update.status));
            }
            ended?;
            // Either is only a reason to look. A direct command whose sender went away is told by its log alone.
            if let Either::Right((looked, _)) = select(told, pin!(self.history.changed())).await {
                looked?;
            }
        }
    }
}
