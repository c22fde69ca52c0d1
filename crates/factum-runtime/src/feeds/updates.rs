//! Every change of a command's status, merged from both logs. What caused an update stands before it: a
//! command is accepted before it has an outcome, and parked before it is accepted again. Beyond that the
//! logs are read as they come, so that nobody waits for anything that may never be.

use super::{CommandPlace, CommandUpdate, Feeds, READ_AHEAD_MAX};
use crate::{
    CommandStatus,
    lanes::record::{REDRIVEN, Verdict, is_own, read_mark},
};
use factum_event::{CommandPayload, Commit, Outcome, Position, Sequence, Timestamp};
use factum_store::{ErrorKind, StoreError};
use std::collections::VecDeque;

/// The status changes of an application's commands, from a place on.
#[derive(Debug)]
pub struct CommandUpdates {
    feeds: Feeds,
    place: CommandPlace,
    /// Up to here the command log was handed out; `None` until it is looked up.
    reached: Option<Position>,
    accepted: VecDeque<Read>,
    outcomes: VecDeque<Read>,
    /// Whether the log of events was read to its end after `accepted` was read.
    drained: bool,
}

/// What a commit says, handed out or passed over when its turn comes.
#[derive(Debug)]
struct Read {
    sequence: Sequence,
    /// Of a command: its own position. Of an outcome: its command's, which comes first.
    position: Position,
    at: Timestamp,
    status: Option<CommandStatus>,
}

impl CommandUpdates {
    pub(super) fn new(feeds: Feeds, after: CommandPlace) -> Self {
        let (accepted, outcomes) = (VecDeque::new(), VecDeque::new());
        Self { feeds, place: after, reached: None, accepted, outcomes, drained: false }
    }

    /// Up to where everything was handed out.
    pub fn place(&self) -> CommandPlace {
        self.place
    }

    /// The next update, once there is one.
    ///
    /// # Errors
    /// When a log cannot be read. It may be called again.
    pub async fn next(&mut self) -> Result<CommandUpdate, StoreError> {
        loop {
            if let Some(update) = self.next_now().await? {
                return Ok(update);
            }
            self.changed().await?;
        }
    }

    /// Waits until there may be more than [`Self::next_now`] found.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn changed(&self) -> Result<(), StoreError> {
        self.feeds.appended(self.place).await
    }

    /// The next update, if it has happened.
    ///
    /// # Errors
    /// When a log cannot be read. It may be called again.
    pub async fn next_now(&mut self) -> Result<Option<CommandUpdate>, StoreError> {
        let mut reached = match self.reached {
            Some(reached) => reached,
            None => self.look_up().await?,
        };
        loop {
            if self.outcomes.is_empty() && !self.drained {
                self.read_outcomes().await?;
            }
            let waits = self.outcomes.front().is_none_or(|outcome| outcome.position > reached);
            if !waits {
                if let Some(update) = self.hand_out_outcome() {
                    return Ok(Some(update));
                }
                continue;
            }
            if let Some(read) = self.accepted.front() {
                let decided = self.decided_before(read).await?;
                let Some(Read { sequence, position, at, status }) = self.accepted.pop_front() else {
                    continue;
                };
                reached = position;
                (self.place.commands, self.reached) = (sequence, Some(reached));
                if let Some(status) = status.filter(|_| !decided) {
                    return Ok(Some(CommandUpdate { place: self.place, at, status }));
                }
                continue;
            }
            // What leads to the next ones may be stored while they are read.
            self.drained = false;
            self.read_accepted().await?;
            if self.accepted.is_empty() {
                if self.outcomes.is_empty() {
                    return Ok(None);
                }
                // It was decided from a command log that is not this one: there is nothing to wait for.
                if let Some(update) = self.hand_out_outcome() {
                    return Ok(Some(update));
                }
            }
        }
    }

    /// The position that the place in the command log stands for.
    async fn look_up(&mut self) -> Result<Position, StoreError> {
        let reached = match (&self.feeds.commands, self.place.commands.get().checked_sub(1)) {
            (Some(commands), Some(before)) => {
                let page = commands.commits(Sequence::new(before), 1).await?;
                page.commits.first().and_then(Commit::last_position).unwrap_or(Position::START)
            }
            (Some(_), None) => Position::START,
            (None, _) => Position::new(u64::MAX),
        };
        self.reached = Some(reached);
        Ok(reached)
    }

    fn hand_out_outcome(&mut self) -> Option<CommandUpdate> {
        let Read { sequence, at, status, .. } = self.outcomes.pop_front()?;
        self.place.events = sequence;
        Some(CommandUpdate { place: self.place, at, status: status? })
    }

    /// Whether the command had its outcome before it was accepted: sent directly first, under the same id.
    async fn decided_before(&self, accepted: &Read) -> Result<bool, StoreError> {
        let Some(status) = &accepted.status else { return Ok(false) };
        let commits = self.feeds.events.commits_of(status.command_id).await?;
        let handed_out = |commit: &&Commit| commit.header.sequence <= self.place.events;
        Ok(commits.iter().filter(handed_out).any(|commit| commit.outcome.is_final()))
    }

    async fn read_outcomes(&mut self) -> Result<(), StoreError> {
        let page = self.feeds.events.commits(self.place.events, READ_AHEAD_MAX).await?;
        self.drained = page.commits.is_empty();
        self.outcomes.extend(page.commits.iter().map(outcome));
        Ok(())
    }

    async fn read_accepted(&mut self) -> Result<(), StoreError> {
        let Some(commands) = &self.feeds.commands else { return Ok(()) };
        let page = commands.commits(self.place.commands, READ_AHEAD_MAX).await?;
        for commit in &page.commits {
            let read = Read {
                sequence: commit.header.sequence,
                position: commit.last_position().unwrap_or(Position::START),
                at: commit.header.recorded_at,
                status: accepted(&self.feeds, commit).await?,
            };
            self.accepted.push_back(read);
        }
        Ok(())
    }
}

/// What a commit of the log of events changes, if anything: waiting behind another changes nothing.
fn outcome(commit: &Commit) -> Read {
    let tells =
        !matches!(commit.outcome, Outcome::SetAside { .. }) && !is_own(commit.header.command_name.as_str());
    let position = match commit.payload {
        CommandPayload::Logged(position) if tells => position,
        _ => Position::START,
    };
    let status = if tells { CommandStatus::of(std::slice::from_ref(commit)) } else { None };
    Read { sequence: commit.header.sequence, position, at: commit.header.recorded_at, status }
}

/// What a commit of the command log changes, if anything: a command is accepted, for the first time or since
/// it is driven again.
async fn accepted(feeds: &Feeds, commit: &Commit) -> Result<Option<CommandStatus>, StoreError> {
    let Some(event) = commit.events.first() else { return Ok(None) };
    match event.event_type.as_str() {
        REDRIVEN => {
            let Verdict { command, .. } = read_mark(event).map_err(|cause| {
                let what = format!("{cause}: start a build that knows it");
                StoreError::new(ErrorKind::ReportBug, what)
            })?;
            let first = feeds.accepted(command).await?;
            let again = |first| CommandStatus::accepted(first).accepted_again(commit.header.recorded_at);
            Ok(first.as_ref().map(again))
        }
        name if is_own(name) => Ok(None),
        _ => Ok(Some(CommandStatus::accepted(event))),
    }
}
