//! What an operator does about parked commands: look, drive again, give up. Each is written to the command
//! log first, in one commit with all that comes again, so that it happens whole or not at all.

use super::{
    Lanes,
    parked::parking,
    record::{self, DISCARDED, REDRIVEN, Verdict, mark},
};
use factum_event::{
    CommandId, Condition, Metadata, NewEvent, Outcome, Position, Query, QueryItem, StreamName,
};
use factum_store::{AppendError, StoreError};
use std::collections::HashSet;

/// A command that was parked, and who waits behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parking {
    /// The parked command.
    pub command: CommandId,
    /// Its stored name.
    pub name: String,
    /// Its key.
    pub key: StreamName,
    /// Why it was parked.
    pub cause: String,
    /// The commands that wait behind it, in order.
    pub waiting: Vec<CommandId>,
}

/// Why nothing was done about a command.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OperateError {
    /// The command is not parked.
    #[error("command {command} is not parked: ask for its status")]
    NotParked {
        /// The command.
        command: CommandId,
    },
    /// Others acted on the same key at the same time.
    #[error("others acted on the key of command {command} at the same time: look again")]
    Conflict {
        /// The command.
        command: CommandId,
    },
    /// A log could not do it.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// The command log refused it.
    #[error(transparent)]
    Refused(#[from] AppendError),
}

/// A parked command with all that must come again.
struct Found {
    parking: Parking,
    /// The parked command and those behind it, as events that come again.
    again: Vec<(CommandId, NewEvent)>,
    /// How much of the key was read.
    seen: Position,
}

impl Lanes {
    /// Drives a parked command again, then all that waits behind it, in order, under their own ids.
    ///
    /// # Errors
    /// When the command is not parked, or a log cannot do it.
    pub async fn redrive(&self, command: CommandId, by: &str) -> Result<Parking, OperateError> {
        self.release(command, by, None).await
    }

    /// Gives a parked command up, for `cause`, and drives all that waits behind it again.
    ///
    /// # Errors
    /// When the command is not parked, or a log cannot do it.
    pub async fn discard(&self, command: CommandId, by: &str, cause: &str) -> Result<Parking, OperateError> {
        self.release(command, by, Some(cause)).await
    }

    /// The parked commands, in the order they were parked.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn parked(&self) -> Result<Vec<Parking>, StoreError> {
        let (mut parked, mut seen) = (Vec::new(), HashSet::new());
        for mark in self.shared.commands.parking_marks().await? {
            let Ok(Verdict { command, .. }) = record::read_mark(&mark) else { continue };
            if seen.insert(command)
                && let Some(found) = self.find(command).await?
            {
                parked.push(found.parking);
            }
        }
        Ok(parked)
    }

    async fn release(
        &self,
        command: CommandId,
        by: &str,
        discard: Option<&str>,
    ) -> Result<Parking, OperateError> {
        let found = self.find(command).await?.ok_or(OperateError::NotParked { command })?;
        let Found { parking, again, seen } = found;
        let cause = discard.unwrap_or("driven again").to_owned();
        let verdict = Verdict { command, name: parking.name.clone(), by: by.to_owned(), cause };
        let kind = if discard.is_some() { DISCARDED } else { REDRIVEN };
        let again = again.into_iter().filter(|(id, _)| discard.is_none() || *id != command);
        let mut events = vec![mark(kind, Some(&parking.key), &verdict)];
        events.extend(again.map(|(_, event)| event));
        // A command that was accepted for the key meanwhile would be left behind.
        let key = Query::from(QueryItem::default().stream(parking.key.clone()));
        let condition = Condition::none().fresh(key, seen);
        let engine = &self.shared.engine;
        let metadata = Metadata { actor: Some(by.into()), ..Metadata::default() };
        let id = engine.fresh_command_id();
        match self.shared.commands.mark(id, engine.now(), metadata, events, condition).await {
            Ok(_) => Ok(parking),
            Err(AppendError::Stale { .. }) => Err(OperateError::Conflict { command }),
            Err(AppendError::Store(cause)) => Err(cause.into()),
            Err(other) => Err(other.into()),
        }
    }

    async fn find(&self, command: CommandId) -> Result<Option<Found>, StoreError> {
        let commits = self.shared.engine.store().commits_of(command).await?;
        let Some((place, parked)) = parking(&commits) else { return Ok(None) };
        let Outcome::Parked { cause } = parked.outcome.clone() else { return Ok(None) };
        let Some(first) = self.shared.commands.find(command).await? else { return Ok(None) };
        let before = Position::new(place.get() - 1);
        let events = self.shared.commands.of_key(&first.key, before).await?;
        let releases = self.shared.commands.releases(&first.key).await?;
        let released =
            |command, after| releases.iter().any(|(place, released)| *released == command && *place > after);
        if released(command, place) {
            return Ok(None);
        }
        let (mut waiting, mut again) = (Vec::new(), Vec::new());
        // From the end, so that a command which came again before stands where it came last.
        for event in events.iter().rev().filter(|event| !event.event_type.as_str().starts_with(record::OWN)) {
            let original = match event.corrects {
                Some(first) => self.shared.commands.store().event(first).await?,
                None => None,
            };
            let original = original.as_ref().unwrap_or(event);
            let accepted = record::from_event(event, original);
            let id = accepted.command.id;
            if waiting.contains(&id) {
                continue;
            }
            let commits = self.shared.engine.store().commits_of(id).await?;
            if commits.iter().any(|commit| commit.outcome.is_final()) {
                continue;
            }
            // Another one that is parked waits for its own release.
            if id != command && parking(&commits).is_some_and(|(place, _)| !released(id, place)) {
                continue;
            }
            again.push((id, record::to_event(&accepted.command, &first.key, Some(original))));
            waiting.push(id);
        }
        again.reverse();
        waiting.reverse();
        waiting.retain(|id| *id != command);
        let parking =
            Parking { command, name: parked.header.command_name.to_string(), key: first.key, cause, waiting };
        let seen = events.last().map_or(place, |event| event.position);
        Ok(Some(Found { parking, again, seen }))
    }
}
