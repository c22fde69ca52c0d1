//! What is written after logs were restored from a copy, before any lane runs on them.
//!
//! A restored command log is another life of it, and what lanes noted of the life before says nothing about it.
//! Either they go on where they were, or all that is undecided is given up and they begin after it. Decides
//! nothing itself.

use super::{
    command_log::{CommandLog, Entry, label},
    driver::watermark,
    lane::{logged, source},
    parked::parking,
    record::{DISCARDED, HELD, RESUMED, Rest, Verdict, mark, read_mark},
    release::is_released,
};
use crate::Ports;
use factum_event::{
    CommandId, CommandName, CommandPayload, CommandRecord, Condition, LogIdentity, Metadata, NewCommit,
    NewEvent, Outcome, Position, Source, StreamName, Tracking,
};
use factum_store::{Append, AppendError, Store, StoreError, fresh_command_id};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// Why a command that was undecided where its log was cut will not be.
pub const RESTORED: &str = "restored";
/// So much is appended at a time, in commits.
const BATCH: usize = 1024;

/// Why lanes were not told where to go on. Nothing is to be started on these logs.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// A log cannot be read.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// A log refused what had to be written.
    #[error(transparent)]
    Refused(#[from] AppendError),
    /// The command log holds something that this build cannot read.
    #[error("{what}: restore with a build that knows it")]
    Unreadable {
        /// What, and where.
        what: String,
    },
}

/// A service's logs as they were restored.
#[derive(Debug)]
pub struct RestoredLogs<'a> {
    events: &'a dyn Store,
    commands: CommandLog,
    ports: &'a Ports,
}

impl<'a> RestoredLogs<'a> {
    /// These logs, which nobody else writes.
    pub fn new(events: &'a dyn Store, commands: Arc<dyn Store>, ports: &'a Ports) -> Self {
        Self { events, commands: CommandLog::new(commands), ports }
    }

    /// Has lanes go on where they were in the life of the command log that was copied: what was decided then is
    /// not looked at again, what was not is decided at the next start.
    ///
    /// # Errors
    /// When a log cannot be read or refuses a commit.
    pub async fn go_on(&self, before: LogIdentity) -> Result<(), RestoreError> {
        let (before, now) = (label(before), self.commands.label());
        let done = self.progress(&watermark(&before)).await?;
        let layouts = self.commands.layouts().await?;
        let in_force = layouts.iter().rev().find(|(begins, _)| *begins <= done).or(layouts.first());
        let mut tracked = Vec::new();
        if let Some((begins, layout)) = in_force {
            for number in 0..layout.count.max(1) {
                let reached = self.progress(&source(&before, *begins, number)).await?;
                tracked.push((source(&now, *begins, number), reached));
            }
        }
        tracked.push((watermark(&now), done));
        self.note(tracked).await
    }

    /// Gives up every command of the command log that has no final outcome: it is failed, its cause
    /// [`RESTORED`], and lanes begin after it. How many there were.
    ///
    /// # Errors
    /// When a log cannot be read or refuses a commit.
    pub async fn give_up_undecided(&self, by: &str) -> Result<u64, RestoreError> {
        let (mut read, mut failed) = (Position::START, 0);
        loop {
            let page = self.commands.page(read).await?;
            let Some((last, _)) = page.last() else { break };
            read = *last;
            let (mut batch, mut taken) = (Vec::new(), HashSet::new());
            for (_, entry) in page {
                let accepted = match entry {
                    Entry::Command(accepted) => accepted,
                    Entry::Unreadable(what) => return Err(RestoreError::Unreadable { what }),
                    _ => continue,
                };
                let id = accepted.command.id;
                let commits = self.events.commits_of(id).await?;
                // One that came again stands in several places.
                if commits.iter().any(|commit| commit.outcome.is_final()) || !taken.insert(id) {
                    continue;
                }
                if let Some((place, _)) = parking(&commits) {
                    self.discard(&accepted.key, id, accepted.command.name.as_str(), place, by).await?;
                }
                let outcome = Outcome::Failed { cause: RESTORED.to_owned(), by: by.to_owned() };
                let commit = NewCommit { command: logged(&accepted), outcome, events: Vec::new() };
                batch.push(Append { commit, condition: Condition::none() });
                failed += 1;
            }
            self.append(batch).await?;
        }
        self.let_go(by).await?;
        let done = self.commands.head().await?.position;
        self.note(vec![(watermark(&self.commands.label()), done)]).await?;
        Ok(failed)
    }

    /// So that a restart does not take it for parked: the mark of a release says that it is not.
    async fn discard(
        &self,
        key: &StreamName,
        command: CommandId,
        name: &str,
        place: Position,
        by: &str,
    ) -> Result<(), RestoreError> {
        if is_released(&self.commands.releases(key).await?, command, place) {
            return Ok(());
        }
        let (name, by, cause) = (name.to_owned(), by.to_owned(), RESTORED.to_owned());
        self.mark(mark(DISCARDED, Some(key), &Verdict { command, name, by, cause })).await
    }

    /// Lets every key go on that is held for the rest of a release: there is no rest any more.
    async fn let_go(&self, by: &str) -> Result<(), RestoreError> {
        let mut held: BTreeMap<StreamName, Option<Rest>> = BTreeMap::new();
        for found in self.commands.hold_marks().await? {
            let rest = read_mark::<Rest>(&found).map_err(|what| RestoreError::Unreadable { what })?;
            held.insert(found.stream, (found.event_type.as_str() == HELD).then_some(rest));
        }
        for (key, rest) in held {
            if let Some(rest) = rest {
                self.mark(mark(RESUMED, Some(&key), &Rest { by: by.to_owned(), ..rest })).await?;
            }
        }
        Ok(())
    }

    async fn mark(&self, event: NewEvent) -> Result<(), RestoreError> {
        let (id, now) = (self.fresh_id(), self.ports.clock.now());
        self.commands.mark(id, now, Metadata::default(), vec![event], Condition::none()).await?;
        Ok(())
    }

    async fn progress(&self, source: &Source) -> Result<Position, StoreError> {
        Ok(Position::new(self.events.progress(source).await?.unwrap_or(0)))
    }

    /// Writes down how far these sources are. One that never was anywhere is left so.
    async fn note(&self, tracked: Vec<(Source, Position)>) -> Result<(), RestoreError> {
        let noted = tracked.into_iter().filter(|(_, reached)| *reached > Position::START);
        let batch: Vec<_> = noted.map(|(source, reached)| self.noting(source, reached)).collect();
        self.append(batch).await
    }

    fn noting(&self, source: Source, reached: Position) -> Append {
        let command = CommandRecord {
            id: self.fresh_id(),
            name: CommandName::unchecked("factum.lanes"),
            payload: CommandPayload::None,
            issued_at: self.ports.clock.now(),
            metadata: Metadata::default(),
        };
        let condition = Condition::none().tracking(Tracking { source, progress: reached.get() });
        Append { commit: NewCommit { command, outcome: Outcome::Nothing, events: Vec::new() }, condition }
    }

    fn fresh_id(&self) -> CommandId {
        fresh_command_id(&*self.ports.clock, &*self.ports.entropy)
    }

    async fn append(&self, mut batch: Vec<Append>) -> Result<(), RestoreError> {
        while !batch.is_empty() {
            let rest = batch.split_off(batch.len().min(BATCH));
            for verdict in self.events.append(batch).await {
                verdict?;
            }
            batch = rest;
        }
        Ok(())
    }
}
