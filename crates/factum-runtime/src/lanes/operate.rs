//! What an operator does about parked commands: look, drive again, give up. Each is written to the command
//! log first, in one commit with all that comes again, or with the first of it and a mark that the lane goes
//! on from: so it happens whole or not at all.

use super::{
    LaneBounds, Lanes,
    parked::parking,
    record::{self, DISCARDED, REDRIVEN, Rest, Verdict, mark},
    release::{Part, PartMax, condition, is_released},
};
use factum_event::{CommandId, Metadata, Outcome, Position, RecordedEvent, StreamName};
use factum_store::{AppendError, StoreError};
use std::collections::HashSet;

/// Of so many commands that wait behind a parked one it is told who they are.
pub const WAITING_MAX: usize = 100;

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
    /// The first commands that wait behind it, in order: up to [`WAITING_MAX`] of them where parked commands
    /// are looked at. Of a release those that came again at once.
    pub waiting: Vec<CommandId>,
    /// Whether more wait than those. Of a release they come again as the lane gets to them.
    pub more: bool,
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
    /// Others acted on the same key at the same time, or what waited behind another one is still coming again.
    #[error(
        "others acted on the key of command {command} at the same time, or an earlier release of it is under way: look again"
    )]
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

/// A parked command.
struct Found {
    /// What it was at first.
    first: RecordedEvent,
    /// Where it stood when it was parked.
    place: Position,
    /// Without what waits.
    parking: Parking,
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
                parked.push(self.with_waiting(found).await?);
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
        let begun = self.shared.commands.head().await?.position;
        let found = self.find(command).await?.ok_or(OperateError::NotParked { command })?;
        let Found { first, place, mut parking } = found;
        if self.shared.commands.is_releasing(&parking.key).await? {
            return Err(OperateError::Conflict { command });
        }
        let rest = Rest {
            command,
            name: parking.name.clone(),
            by: by.to_owned(),
            begun,
            read: place,
            parked: place,
        };
        let part = Part::read(&self.shared, &parking.key, &rest, PartMax::new(self.shared.bounds)).await?;
        if part.mark.is_some() {
            return Err(OperateError::Conflict { command });
        }
        let goes_on = !part.is_last;
        let condition = condition(&parking.key, &part, goes_on, begun);
        let cause = discard.unwrap_or("driven again").to_owned();
        let verdict = Verdict { command, name: parking.name.clone(), by: by.to_owned(), cause };
        let kind = if discard.is_some() { DISCARDED } else { REDRIVEN };
        let mut events = vec![mark(kind, Some(&parking.key), &verdict)];
        if discard.is_none() {
            let accepted = record::from_event(&first, &first);
            events.push(record::to_event(&accepted.command, &parking.key, Some(&first)));
        }
        let (waiting, again) = part.events(&parking.key, &rest, goes_on);
        events.extend(again);
        (parking.waiting, parking.more) = (waiting, goes_on);
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
        let Some(first) = self.shared.commands.first(command).await? else { return Ok(None) };
        if is_released(&self.shared.commands.releases(&first.stream).await?, command, place) {
            return Ok(None);
        }
        let (name, key) = (parked.header.command_name.to_string(), first.stream.clone());
        let parking = Parking { command, name, key, cause, waiting: Vec::new(), more: false };
        Ok(Some(Found { first, place, parking }))
    }

    /// Tells of the first that wait behind it.
    async fn with_waiting(&self, found: Found) -> Result<Parking, StoreError> {
        let Found { place, mut parking, .. } = found;
        let (command, name) = (parking.command, parking.name.clone());
        // Nothing came again after the end of the log: all that waits is looked at.
        let begun = Position::new(u64::MAX);
        let rest = Rest { command, name, by: String::new(), begun, read: place, parked: place };
        let max = PartMax { commands: WAITING_MAX, ..PartMax::new(LaneBounds::default()) };
        let part = Part::read(&self.shared, &parking.key, &rest, max).await?;
        parking.more = !part.is_last || self.shared.commands.is_releasing(&parking.key).await?;
        parking.waiting = part.again.into_iter().map(|(id, _)| id).collect();
        Ok(parking)
    }
}
