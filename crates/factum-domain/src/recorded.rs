//! Owns the event set that gives a fold everything the log knows about an event.

use crate::{DecodeError, EventDescriptor, EventSet, ReachedBy, Stream, Tagged};
use factum_event::{
    CommandId, CommitHeader, CorrelationId, EventId, Position, RecordedEvent, Revision, StreamName, Tag,
    Timestamp,
};
use std::sync::Arc;

/// An event and what was recorded with it, for a fold that needs both: `type Event = Recorded<Opening>`, over
/// a `#[derive(Subset)]` enum.
///
/// It is over a whole event enum only where every event has what the scope selects by: each its tag, or each
/// its stream; under [`Everything`](crate::Everything) always. To read a few parts of the record, mark fields
/// of the subset `#[meta]` instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recorded<E> {
    /// What happened.
    pub event: E,
    /// Where it stands in the log.
    pub position: Position,
    /// Its id.
    pub id: EventId,
    /// Its home.
    pub stream: StreamName,
    /// Where it stands in its stream.
    pub revision: Revision,
    /// When it became true.
    pub effective_at: Timestamp,
    /// The event it supersedes.
    pub corrects: Option<EventId>,
    /// What it can be found by.
    pub tags: Vec<Tag>,
    /// What it shares with the other events of its commit: when, by whom, in answer to what.
    pub commit: Arc<CommitHeader>,
}

impl<E> Recorded<E> {
    /// The event beside what was recorded with it.
    pub fn new(event: E, record: &RecordedEvent) -> Self {
        Self {
            event,
            position: record.position,
            id: record.id,
            stream: record.stream.clone(),
            revision: record.revision,
            effective_at: record.effective_at,
            corrects: record.corrects,
            tags: record.tags.clone(),
            commit: Arc::clone(&record.commit),
        }
    }

    /// When it was stored.
    pub fn recorded_at(&self) -> Timestamp {
        self.commit.recorded_at
    }

    /// Who asked for what led to it.
    pub fn actor(&self) -> Option<&str> {
        self.commit.metadata.actor.as_deref()
    }

    /// For whom it was asked, where one log serves several.
    pub fn tenant(&self) -> Option<&str> {
        self.commit.metadata.tenant.as_deref()
    }

    /// The command it came from.
    pub fn command_id(&self) -> CommandId {
        self.commit.command_id
    }

    /// What the command belongs to.
    pub fn correlation(&self) -> CorrelationId {
        self.commit.correlation()
    }
}

impl<E: EventSet> EventSet for Recorded<E> {
    const TYPES: &'static [EventDescriptor] = E::TYPES;
    const CONTEXT: Option<&'static str> = E::CONTEXT;

    fn decode(record: &RecordedEvent) -> Result<Option<Self>, DecodeError> {
        Ok(E::decode(record)?.map(|event| Self::new(event, record)))
    }
}

impl<E: ReachedBy<Tagged<K>>, K> ReachedBy<Tagged<K>> for Recorded<E> {}

impl<E: ReachedBy<Stream<K>>, K> ReachedBy<Stream<K>> for Recorded<E> {}
