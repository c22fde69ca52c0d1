//! The command log: where commands stand from the moment they are accepted, and what is found there.

use super::{
    layout::LaneLayout,
    record::{
        self, Accepted, DISCARDED, HELD, LAYOUT, MARKS, PARKING, REDRIVEN, RESUMED, Rest, Verdict, is_own,
    },
};
use factum_event::{
    CommandId, CommandName, CommandPayload, CommandRecord, Condition, EventType, LogIdentity, Metadata,
    NewCommit, NewEvent, Outcome, Position, Query, QueryItem, RecordedEvent, Sequence, StreamName, Timestamp,
};
use factum_store::{Append, AppendError, Head, ReadOptions, Store, StoreError, Stored};
use std::sync::Arc;

/// Commands in the order they were accepted.
#[derive(Clone, Debug)]
pub(crate) struct CommandLog {
    store: Arc<dyn Store>,
}

/// What stands at a position.
#[derive(Debug)]
pub(crate) enum Entry {
    Command(Accepted),
    Layout(LaneLayout),
    /// A parked command of this key is driven again, or given up.
    Released {
        key: StreamName,
        verdict: Verdict,
        discarded: bool,
    },
    /// A key is held until more of a release comes again.
    Held {
        key: StreamName,
        rest: Rest,
    },
    /// A key is held no more.
    Resumed {
        key: StreamName,
    },
    /// Nothing that a lane acts on.
    Mark,
    /// A mark that this build cannot read.
    Unreadable(String),
}

/// What a command log of this identity is called among tracked sources.
pub(crate) fn label(LogIdentity { log, generation }: LogIdentity) -> String {
    let id = log.get().simple().to_string();
    format!("{}.{generation:x}", &id[..8])
}

impl CommandLog {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Tells this log, and this life of it, from others, so that how far another one was decided is not taken
    /// for how far this one was. Part of each commit of a lane, and so short.
    pub(crate) fn label(&self) -> String {
        label(self.store.identity())
    }

    pub(crate) async fn head(&self) -> Result<Head, StoreError> {
        self.store.head().await
    }

    /// Ready once there is something after `after`.
    pub(crate) async fn appended(&self, after: Sequence) -> Result<Head, StoreError> {
        self.store.appended(after).await
    }

    /// Takes in a command. `AlreadyDecided` means: it was taken in before.
    pub(crate) async fn accept(
        &self,
        command: &CommandRecord,
        key: &StreamName,
    ) -> Result<Stored, AppendError> {
        let event = record::to_event(command, key, None);
        let command = CommandRecord { payload: CommandPayload::None, ..command.clone() };
        self.append(command, vec![event], Condition::none()).await
    }

    /// The entries after `after`, in order, each with its position.
    pub(crate) async fn page(&self, after: Position) -> Result<Vec<(Position, Entry)>, StoreError> {
        let options = ReadOptions { after, limit: 1024, ..ReadOptions::default() };
        let page = self.store.read(&Query::All, options).await?;
        let mut entries = Vec::with_capacity(page.events.len());
        for event in &page.events {
            entries.push((event.position, self.entry(event).await?));
        }
        Ok(entries)
    }

    async fn entry(&self, event: &RecordedEvent) -> Result<Entry, StoreError> {
        let released = |discarded| match record::read_mark::<Verdict>(event) {
            Ok(verdict) => Entry::Released { key: event.stream.clone(), verdict, discarded },
            Err(cause) => Entry::Unreadable(cause),
        };
        Ok(match event.event_type.as_str() {
            LAYOUT => record::read_mark(event).map_or_else(Entry::Unreadable, Entry::Layout),
            PARKING => Entry::Mark,
            REDRIVEN => released(false),
            DISCARDED => released(true),
            HELD => record::read_mark(event)
                .map_or_else(Entry::Unreadable, |rest| Entry::Held { key: event.stream.clone(), rest }),
            RESUMED => record::read_mark::<Rest>(event)
                .map_or_else(Entry::Unreadable, |_| Entry::Resumed { key: event.stream.clone() }),
            name if is_own(name) => Entry::Unreadable(format!(
                "{name} at {} of the command log is not known to this build",
                event.position
            )),
            _ => Entry::Command(self.accepted(event).await?),
        })
    }

    /// The command that an event is; one that came again has its sender from where it stood first.
    async fn accepted(&self, event: &RecordedEvent) -> Result<Accepted, StoreError> {
        let first = match event.corrects {
            Some(first) => self.store.event(first).await?,
            None => None,
        };
        Ok(record::from_event(event, first.as_ref().unwrap_or(event)))
    }

    /// The command with this id, as it was accepted first.
    pub(crate) async fn find(&self, command: CommandId) -> Result<Option<Accepted>, StoreError> {
        Ok(self.first(command).await?.map(|event| record::from_event(&event, &event)))
    }

    /// The event that the command with this id was at first.
    pub(crate) async fn first(&self, command: CommandId) -> Result<Option<RecordedEvent>, StoreError> {
        let commits = self.store.commits_of(command).await?;
        Ok(commits.into_iter().next().and_then(|commit| commit.events.into_iter().next()))
    }

    /// Every layout that was written, with where it begins.
    pub(crate) async fn layouts(&self) -> Result<Vec<(Position, LaneLayout)>, StoreError> {
        let marks = self.of_types(&[LAYOUT]).await?;
        let read = |mark: &RecordedEvent| Some((mark.position, record::read_mark(mark).ok()?));
        Ok(marks.iter().filter_map(read).collect())
    }

    /// Every mark about parking, in order.
    pub(crate) async fn parking_marks(&self) -> Result<Vec<RecordedEvent>, StoreError> {
        self.of_types(&[PARKING, REDRIVEN, DISCARDED]).await
    }

    /// Every mark that holds a key until more comes again, or lets it go on, in order.
    pub(crate) async fn hold_marks(&self) -> Result<Vec<RecordedEvent>, StoreError> {
        self.of_types(&[HELD, RESUMED]).await
    }

    /// Every release of a parked command of this key: where it stands, and which command it releases.
    pub(crate) async fn releases(&self, key: &StreamName) -> Result<Vec<(Position, CommandId)>, StoreError> {
        let types = [REDRIVEN, DISCARDED].map(EventType::unchecked).into();
        let item = QueryItem { types, ..QueryItem::default() }.stream(key.clone());
        let marks = self.all(Query::from(item), Position::START).await?;
        let read = |mark: &RecordedEvent| {
            record::read_mark::<Verdict>(mark).ok().map(|verdict| (mark.position, verdict.command))
        };
        Ok(marks.iter().filter_map(read).collect())
    }

    /// How many marks stand after `after`, up to `up_to`.
    pub(crate) async fn marks(&self, after: Position, up_to: Position) -> Result<u64, StoreError> {
        let types = MARKS.map(EventType::unchecked).into();
        let marks = self.all(Query::from(QueryItem { types, ..QueryItem::default() }), after).await?;
        let counted = marks.iter().filter(|mark| mark.position <= up_to).count();
        Ok(u64::try_from(counted).unwrap_or(u64::MAX))
    }

    async fn of_types(&self, types: &[&'static str]) -> Result<Vec<RecordedEvent>, StoreError> {
        let types = types.iter().map(|name| EventType::unchecked(*name)).collect();
        self.all(Query::from(QueryItem { types, ..QueryItem::default() }), Position::START).await
    }

    async fn all(&self, query: Query, after: Position) -> Result<Vec<RecordedEvent>, StoreError> {
        let (mut options, mut events) = (ReadOptions { after, ..ReadOptions::default() }, Vec::new());
        loop {
            let page = self.store.read(&query, options).await?;
            events.extend(page.events);
            let Some(next) = page.next else { return Ok(events) };
            options.after = next;
        }
    }

    /// Appends marks of the platform's own, under a command id of theirs.
    pub(crate) async fn mark(
        &self,
        id: CommandId,
        now: Timestamp,
        metadata: Metadata,
        events: Vec<NewEvent>,
        condition: Condition,
    ) -> Result<Stored, AppendError> {
        let command = CommandRecord {
            id,
            name: CommandName::unchecked("factum.lanes"),
            payload: CommandPayload::None,
            issued_at: now,
            metadata,
        };
        self.append(command, events, condition).await
    }

    async fn append(
        &self,
        command: CommandRecord,
        events: Vec<NewEvent>,
        condition: Condition,
    ) -> Result<Stored, AppendError> {
        let commit = NewCommit { command, outcome: Outcome::Succeeded, events };
        let verdict = self.store.append(vec![Append { commit, condition }]).await.pop();
        verdict.expect("a store gives a verdict for each commit")
    }
}
