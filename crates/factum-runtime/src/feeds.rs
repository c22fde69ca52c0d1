//! What happens in an application, to be followed as it happens and listed page by page. Reads its logs and
//! nothing else: whoever follows may be as slow as they like, or come back later, and misses nothing. That
//! something was appended is only ever a reason to look.

mod arrivals;
mod events;
mod history;
mod updates;

pub use arrivals::{ARRIVALS_READ_MAX, Arrival, Arrivals};
pub use events::EventFeed;
pub use history::CommandHistory;
pub use updates::CommandUpdates;

use crate::{
    CommandStatus, Status,
    lanes::record::{REDRIVEN, Verdict, is_own, read_mark},
};
use factum_event::{
    CommandId, CommandPayload, Commit, EventType, LogIdentity, Outcome, Position, Query, QueryItem,
    RecordedEvent, Sequence, Timestamp,
};
use factum_store::{ReadOptions, Store, StoreError};
use futures_util::future::select;
use std::sync::Arc;

/// Most commits or events that a reader holds read ahead, from each log.
pub(crate) const READ_AHEAD_MAX: usize = 64;

/// The logs of one application, as those see them who follow it. Holds them open.
#[derive(Clone, Debug)]
pub struct Feeds {
    events: Arc<dyn Store>,
    commands: Option<Arc<dyn Store>>,
}

/// How much of both logs was read, in commits: all up to here, and nothing after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommandPlace {
    /// Of the log of accepted commands.
    pub commands: Sequence,
    /// Of the log of events.
    pub events: Sequence,
}

/// A command's status changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandUpdate {
    /// What was read when this was: go on from here.
    pub place: CommandPlace,
    /// When the log took it.
    pub at: Timestamp,
    /// The status as it became.
    pub status: CommandStatus,
}

impl Feeds {
    /// Over these logs; `commands` is the log of accepted commands, where there is one.
    pub fn new(events: Arc<dyn Store>, commands: Option<Arc<dyn Store>>) -> Self {
        Self { events, commands }
    }

    /// Which log of events this is.
    pub fn events_identity(&self) -> LogIdentity {
        self.events.identity()
    }

    /// Which log of accepted commands this is, where there is one.
    pub fn commands_identity(&self) -> Option<LogIdentity> {
        self.commands.as_ref().map(|commands| commands.identity())
    }

    /// Where both logs stand now. What is accepted from here on is decided from here on.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn now(&self) -> Result<CommandPlace, StoreError> {
        // In this order: a command that is accepted in between has its outcome after both.
        let events = self.events.head().await?.sequence;
        let commands = match &self.commands {
            Some(commands) => commands.head().await?.sequence,
            None => Sequence::START,
        };
        Ok(CommandPlace { commands, events })
    }

    /// The last position of the log of events.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn position(&self) -> Result<Position, StoreError> {
        Ok(self.events.head().await?.position)
    }

    /// The event with this id.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn event(&self, id: factum_event::EventId) -> Result<Option<RecordedEvent>, StoreError> {
        self.events.event(id).await
    }

    /// What became of a command, accepted ones included; `None` if neither log has heard of it.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn status(&self, command: CommandId) -> Result<Option<CommandStatus>, StoreError> {
        let commits = self.events.commits_of(command).await?;
        if commits.is_empty() {
            let accepted = self.accepted(command).await?;
            return Ok(accepted.as_ref().map(CommandStatus::accepted));
        }
        self.status_by(&commits).await
    }

    /// As [`Self::status`], of a command that these are all the commits of.
    async fn status_by(&self, commits: &[Commit]) -> Result<Option<CommandStatus>, StoreError> {
        let Some(status) = CommandStatus::of(commits) else { return Ok(None) };
        if status.status == Status::Parked
            && let Some(again) = self.again(commits).await?
        {
            return Ok(Some(status.accepted_again(again.recorded_at())));
        }
        Ok(Some(status))
    }

    /// Every status change of the application's commands after a place.
    pub fn command_updates(&self, after: CommandPlace) -> CommandUpdates {
        CommandUpdates::new(self.clone(), after)
    }

    /// The status changes of one command after a place: what it went through, then what it goes through, up
    /// to the final one.
    pub fn command_history(&self, command: CommandId, after: CommandPlace) -> CommandHistory {
        CommandHistory::new(self.clone(), command, after)
    }

    /// The application's commands after a place, each once, in the order they arrived.
    pub fn arrivals(&self, after: CommandPlace) -> Arrivals {
        Arrivals::new(self.clone(), after)
    }

    /// The events after a position that match a query, in order.
    pub fn events(&self, query: Query, after: Position) -> EventFeed {
        EventFeed::new(Arc::clone(&self.events), query, after)
    }

    /// Where a command stands in the command log, as it was accepted first.
    async fn accepted(&self, command: CommandId) -> Result<Option<RecordedEvent>, StoreError> {
        let Some(commands) = &self.commands else { return Ok(None) };
        let commits = commands.commits_of(command).await?;
        let event = commits.into_iter().next().and_then(|commit| commit.events.into_iter().next());
        Ok(event.filter(|event| !is_own(event.event_type.as_str())))
    }

    /// What drove a command again since it was parked, if its last word is that it was. One that was discarded
    /// stays parked until it is given up; one that came again behind another waits for its own release.
    async fn again(&self, commits: &[Commit]) -> Result<Option<RecordedEvent>, StoreError> {
        let parked = commits.iter().rev().find(|commit| matches!(commit.outcome, Outcome::Parked { .. }));
        let (Some(commands), Some(parked)) = (&self.commands, parked) else { return Ok(None) };
        let CommandPayload::Logged(after) = parked.payload else { return Ok(None) };
        let command = parked.header.command_id;
        let Some(first) = self.accepted(command).await? else { return Ok(None) };
        let query = QueryItem::default().event_type(EventType::unchecked(REDRIVEN)).stream(first.stream);
        let query = Query::from(query);
        let mut options = ReadOptions { after, limit: READ_AHEAD_MAX, ..ReadOptions::default() };
        loop {
            let page = commands.read(&query, options).await?;
            let drives = |mark: &RecordedEvent| {
                read_mark::<Verdict>(mark).is_ok_and(|verdict| verdict.command == command)
            };
            match (page.events.into_iter().find(drives), page.next) {
                (None, Some(next)) => options.after = next,
                (mark, _) => return Ok(mark),
            }
        }
    }

    /// Ready once either log goes beyond a place.
    async fn appended(&self, after: CommandPlace) -> Result<(), StoreError> {
        let events = self.events.appended(after.events);
        match &self.commands {
            Some(commands) => select(events, commands.appended(after.commands)).await.factor_first().0?,
            None => events.await?,
        };
        Ok(())
    }
}
