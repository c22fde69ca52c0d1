//! What one command goes through: read from its own commits, not from all.

use super::{CommandPlace, CommandUpdate, Feeds};
use crate::CommandStatus;
use factum_event::{CommandId, Outcome, Sequence};
use factum_store::StoreError;
use std::collections::VecDeque;

/// The status changes of one command, up to the final one.
#[derive(Debug)]
pub struct CommandHistory {
    feeds: Feeds,
    command: CommandId,
    place: CommandPlace,
    /// Where the logs stood before they were looked at last.
    seen: CommandPlace,
    ahead: VecDeque<Step>,
    ended: bool,
}

/// A change, and the one log that it stands in.
#[derive(Debug)]
struct Step {
    stands: Stands,
    at: factum_event::Timestamp,
    status: CommandStatus,
}

#[derive(Clone, Copy, Debug)]
enum Stands {
    Commands(Sequence),
    Events(Sequence),
}

impl CommandHistory {
    pub(super) fn new(feeds: Feeds, command: CommandId, after: CommandPlace) -> Self {
        let seen = CommandPlace::default();
        Self { feeds, command, place: after, seen, ahead: VecDeque::new(), ended: false }
    }

    /// Up to where everything about the command was handed out.
    pub fn place(&self) -> CommandPlace {
        self.place
    }

    /// Whether its final status was handed out, now or before the place that was begun from.
    pub fn ended(&self) -> bool {
        self.ended && self.ahead.is_empty()
    }

    /// The next update, once there is one; `None` after the final one.
    ///
    /// # Errors
    /// When a log cannot be read. It may be called again.
    pub async fn next(&mut self) -> Result<Option<CommandUpdate>, StoreError> {
        loop {
            let update = self.next_now().await?;
            if update.is_some() || self.ended() {
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
        self.feeds.appended(self.seen).await
    }

    /// The next update, if it has happened; `None` also after the final one.
    ///
    /// # Errors
    /// When a log cannot be read. It may be called again.
    pub async fn next_now(&mut self) -> Result<Option<CommandUpdate>, StoreError> {
        if self.ahead.is_empty() && !self.ended {
            self.seen = self.feeds.now().await?;
            let steps = steps(&self.feeds, self.command).await?;
            self.ended = steps.last().is_some_and(|step| step.status.status.is_final());
            let place = self.place;
            self.ahead.extend(steps.into_iter().filter(|step| step.stands.after(place)));
        }
        let Some(Step { stands, at, status }) = self.ahead.pop_front() else { return Ok(None) };
        match stands {
            Stands::Commands(sequence) => self.place.commands = sequence,
            Stands::Events(sequence) => self.place.events = sequence,
        }
        Ok(Some(CommandUpdate { place: self.place, at, status }))
    }
}

impl Stands {
    fn after(self, place: CommandPlace) -> bool {
        match self {
            Self::Commands(sequence) => sequence > place.commands,
            Self::Events(sequence) => sequence > place.events,
        }
    }
}

/// All that a command went through so far.
async fn steps(feeds: &Feeds, command: CommandId) -> Result<Vec<Step>, StoreError> {
    let commits = feeds.events.commits_of(command).await?;
    let mut steps = Vec::new();
    if let Some(event) = feeds.accepted(command).await? {
        let (sequence, at) = (event.commit.sequence, event.recorded_at());
        let status = CommandStatus::accepted(&event);
        steps.push(Step { stands: Stands::Commands(sequence), at, status });
    }
    for commit in &commits {
        if matches!(commit.outcome, Outcome::SetAside { .. }) {
            continue;
        }
        let commit = std::slice::from_ref(commit);
        let Some(status) = CommandStatus::of(commit) else { continue };
        let (sequence, at) = (commit[0].header.sequence, commit[0].header.recorded_at);
        let again = match &commit[0].outcome {
            Outcome::Parked { .. } => feeds.again(commit).await?,
            _ => None,
        };
        let again = again.map(|again| {
            let at = again.recorded_at();
            let status = status.clone().accepted_again(at);
            Step { stands: Stands::Commands(again.commit.sequence), at, status }
        });
        steps.push(Step { stands: Stands::Events(sequence), at, status });
        steps.extend(again);
    }
    Ok(steps)
}
