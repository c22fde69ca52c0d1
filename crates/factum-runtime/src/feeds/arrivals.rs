//! The commands of one application in the order they arrived, each once. A command for later arrives in the
//! command log, a direct one with its outcome in the log of events; between the logs the recorded time
//! decides, which each of them keeps in order.

use super::{CommandPlace, Feeds, READ_AHEAD_MAX};
use crate::{CommandStatus, lanes::record::is_own};
use factum_event::{CommandId, CommandPayload, Commit, Sequence, Timestamp};
use factum_store::{Store, StoreError};
use std::{collections::VecDeque, sync::Arc};

/// Most commits that one [`Arrivals`] reads: what a page of a list costs at most.
pub const ARRIVALS_READ_MAX: usize = 4096;

/// A command that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What was read when this was: go on from here.
    pub place: CommandPlace,
    /// When the log took it.
    pub at: Timestamp,
    /// The command.
    pub command: CommandId,
    /// Who asked.
    pub actor: Option<Arc<str>>,
    direct: bool,
}

/// The commands after a place, in the order they arrived. Reads no more than [`ARRIVALS_READ_MAX`] commits.
#[derive(Debug)]
pub struct Arrivals {
    feeds: Feeds,
    commands: Option<Side>,
    events: Side,
    /// How many commits may still be read.
    left: usize,
}

/// One log, read ahead.
#[derive(Debug)]
struct Side {
    store: Arc<dyn Store>,
    place: Sequence,
    ahead: VecDeque<Commit>,
    ended: bool,
}

/// What stands next in a log.
enum Next {
    At(Timestamp),
    End,
    /// Not looked at: enough was read.
    Unknown,
}

impl Arrivals {
    pub(super) fn new(feeds: Feeds, after: CommandPlace) -> Self {
        let side = |store: &Arc<dyn Store>, place| Side {
            store: Arc::clone(store),
            place,
            ahead: VecDeque::new(),
            ended: false,
        };
        let commands = feeds.commands.as_ref().map(|commands| side(commands, after.commands));
        let events = side(&feeds.events, after.events);
        Self { feeds, commands, events, left: ARRIVALS_READ_MAX }
    }

    /// Up to where everything was handed out.
    pub fn place(&self) -> CommandPlace {
        let commands = self.commands.as_ref().map_or(Sequence::START, |side| side.place);
        CommandPlace { commands, events: self.events.place }
    }

    /// Whether it ended because enough was read: there may be more after [`Self::place`].
    pub fn may_go_on(&self) -> bool {
        self.left == 0
    }

    /// The next command; `None` at the end, and when enough was read.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn next(&mut self) -> Result<Option<Arrival>, StoreError> {
        loop {
            let in_commands = match &mut self.commands {
                Some(side) => side.next(&mut self.left).await?,
                None => Next::End,
            };
            let in_events = self.events.next(&mut self.left).await?;
            let direct = match (in_commands, in_events) {
                (Next::Unknown, _) | (_, Next::Unknown) | (Next::End, Next::End) => return Ok(None),
                (Next::At(accepted), Next::At(decided)) => decided < accepted,
                (Next::At(_), Next::End) => false,
                (Next::End, Next::At(_)) => true,
            };
            let side = if direct { Some(&mut self.events) } else { self.commands.as_mut() };
            let Some(commit) = side.and_then(Side::take) else { continue };
            if !self.arrives(&commit, direct).await? {
                continue;
            }
            let header = &commit.header;
            return Ok(Some(Arrival {
                place: self.place(),
                at: header.recorded_at,
                command: header.command_id,
                actor: header.metadata.actor.clone(),
                direct,
            }));
        }
    }

    /// What became of a command that arrived. `None` if it is listed elsewhere: it was also sent directly,
    /// under the same id, and stands where its outcome does.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub async fn status(&self, arrival: &Arrival) -> Result<Option<CommandStatus>, StoreError> {
        let commits = self.feeds.events.commits_of(arrival.command).await?;
        if commits.is_empty() {
            return self.feeds.status(arrival.command).await;
        }
        if !arrival.direct && commits.iter().any(is_direct) {
            return Ok(None);
        }
        self.feeds.status_by(&commits).await
    }

    /// Whether a command arrives with a commit of the log that it stands in.
    async fn arrives(&self, commit: &Commit, in_events: bool) -> Result<bool, StoreError> {
        if !in_events {
            return Ok(commit.events.first().is_some_and(|event| !is_own(event.event_type.as_str())));
        }
        if is_own(commit.header.command_name.as_str()) {
            return Ok(false);
        }
        if is_direct(commit) || self.commands.is_some() {
            return Ok(is_direct(commit));
        }
        // Without a command log, a command for later is listed by the first of its commits.
        let commits = self.feeds.events.commits_of(commit.header.command_id).await?;
        Ok(commits.first().is_some_and(|first| first.header.sequence == commit.header.sequence))
    }
}

fn is_direct(commit: &Commit) -> bool {
    !matches!(commit.payload, CommandPayload::Logged(_))
}

impl Side {
    async fn next(&mut self, left: &mut usize) -> Result<Next, StoreError> {
        if self.ahead.is_empty() && !self.ended {
            if *left == 0 {
                return Ok(Next::Unknown);
            }
            let page = self.store.commits(self.place, READ_AHEAD_MAX.min(*left)).await?;
            *left -= page.commits.len();
            self.ended = page.commits.is_empty();
            self.ahead.extend(page.commits);
        }
        Ok(self.ahead.front().map_or(Next::End, |commit| Next::At(commit.header.recorded_at)))
    }

    fn take(&mut self) -> Option<Commit> {
        let commit = self.ahead.pop_front()?;
        self.place = commit.header.sequence;
        Some(commit)
    }
}
