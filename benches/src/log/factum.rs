//! Factum's embedded log, opened as `App::embedded` opens its log of events.

use super::{
    engine::{Asynchronous, Conditional, Engine},
    events::{Account, Digest, EVENT_TYPE, Event},
    work::Durability,
};
use crate::Failure;
use factum::{
    CommandId, CommandName, CommandPayload, CommandRecord, Condition, EventType, Metadata, NewCommit,
    NewEvent, Outcome, Position, Query, QueryItem, Sequence, StreamName, Tag, Timestamp, Uuid,
    log::{Log, Options},
    store::{Append, ReadOptions, Store, Verdict},
};
use std::{
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

#[derive(Debug)]
pub(crate) struct Factum {
    /// The log itself.
    pub(crate) log: Log,
    event_type: EventType,
    command_name: CommandName,
    /// Commands so far, here and by those who had it open before.
    commands: AtomicU64,
}

impl Factum {
    fn commit(&self, events: Vec<Event<'_>>) -> Result<NewCommit, Failure> {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        let command = CommandRecord {
            // Spread as the ids of real commands are.
            id: CommandId::new(Uuid::from_u128(
                u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
            )),
            name: self.command_name.clone(),
            payload: CommandPayload::None,
            issued_at: Timestamp::from_micros(1),
            metadata: Metadata::default(),
        };
        let event = |event: Event<'_>| -> Result<NewEvent, Failure> {
            let stream = StreamName::new(&*event.account.stream)?;
            let tag = Tag::new(&*event.account.tag)?;
            Ok(NewEvent::json(stream, self.event_type.clone(), event.payload).tag(tag))
        };
        let events = events.into_iter().map(event).collect::<Result<_, _>>()?;
        Ok(NewCommit { command, outcome: Outcome::Succeeded, events })
    }

    /// Appends one event under a condition.
    pub(crate) fn append_under(&self, event: Event<'_>, condition: Condition) -> Result<(), Failure> {
        let append = Append { commit: self.commit(vec![event])?, condition };
        position(self.log.append(vec![append])).map(drop)
    }

    fn next(&self, event: Event<'_>, after: u64) -> Result<Vec<Append>, Failure> {
        let query = Query::from(QueryItem::default().tag(Tag::new(&*event.account.tag)?));
        let condition = Condition::none().fresh(query, Position::new(after));
        Ok(vec![Append { commit: self.commit(vec![event])?, condition }])
    }
}

/// The position of the one commit's first event.
fn position(verdicts: Vec<Verdict>) -> Result<u64, Failure> {
    let verdict = verdicts.into_iter().next().ok_or("an append without a verdict")?;
    Ok(verdict?.first.get())
}

impl Engine for Factum {
    /// `FileStorage` syncs by `File::sync_data` (`crates/factum-log/src/storage.rs`).
    const DURABILITY: Durability = Durability::Fdatasync;

    fn open(dir: &Path) -> Result<Self, Failure> {
        let (log, _) = Log::open(dir.join("events"), Options::default())?;
        let commands = AtomicU64::new(log.published().sequence.get());
        let event_type = EventType::new(EVENT_TYPE)?;
        Ok(Self { log, event_type, command_name: CommandName::new("bank.deposit")?, commands })
    }

    fn append(&self, events: Vec<Event<'_>>) -> Result<(), Failure> {
        let append = Append { commit: self.commit(events)?, condition: Condition::none() };
        position(self.log.append(vec![append])).map(drop)
    }

    fn replay(&self, read: &mut Digest) -> Result<(), Failure> {
        self.log.scan(Sequence::START, |commit| {
            commit.events().for_each(|event| read.take(event.payload));
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Conditional for Factum {
    fn append_next(&self, event: Event<'_>, after: u64) -> Result<u64, Failure> {
        position(self.log.append(self.next(event, after)?))
    }

    fn stream(&self, account: &Account, read: &mut Digest) -> Result<(), Failure> {
        let query = Query::from(QueryItem::default().stream(StreamName::new(&*account.stream)?));
        let all = ReadOptions { limit: usize::MAX, ..ReadOptions::default() };
        self.log.select(&query, all, |event| {
            read.take(event.payload);
            ControlFlow::Continue(())
        })?;
        Ok(())
    }
}

impl Asynchronous for Factum {
    async fn append_next_async(&self, event: Event<'_>, after: u64) -> Result<u64, Failure> {
        position(Store::append(&self.log, self.next(event, after)?).await)
    }
}
