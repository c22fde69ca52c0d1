//! What a log gives back: events and commits as they were stored, never changed since.

use crate::{
    Codec, CommandId, CommandName, CommandPayload, CommandRecord, CorrelationId, EventId, EventType,
    Metadata, Outcome, Position, Revision, Sequence, StreamName, Tag, Timestamp, Tracking,
};
use bytes::Bytes;
use std::sync::Arc;

/// What all events of a commit share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitHeader {
    /// Where the commit stands among commits.
    pub sequence: Sequence,
    /// When it was stored: never earlier than the commit before it.
    pub recorded_at: Timestamp,
    /// The command.
    pub command_id: CommandId,
    /// Its stored name.
    pub command_name: CommandName,
    /// When the command came in.
    pub issued_at: Timestamp,
    /// Who asked, and what it belongs to.
    pub metadata: Metadata,
}

/// A stored fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Where it stands in the log.
    pub position: Position,
    /// Its id.
    pub id: EventId,
    /// Its home.
    pub stream: StreamName,
    /// Where it stands in its stream.
    pub revision: Revision,
    /// Its stored name.
    pub event_type: EventType,
    /// The version of its schema when it was written.
    pub version: u32,
    /// How `payload` is encoded.
    pub codec: Codec,
    /// What it is about.
    pub tags: Vec<Tag>,
    /// The encoded fact.
    pub payload: Bytes,
    /// When it became true.
    pub effective_at: Timestamp,
    /// The event it supersedes.
    pub corrects: Option<EventId>,
    /// What it shares with the other events of its commit.
    pub commit: Arc<CommitHeader>,
}

impl RecordedEvent {
    /// When it was stored.
    pub fn recorded_at(&self) -> Timestamp {
        self.commit.recorded_at
    }

    /// Who asked for what led to it.
    pub fn actor(&self) -> Option<&str> {
        self.commit.metadata.actor.as_deref()
    }

    /// The command it came from.
    pub fn command_id(&self) -> CommandId {
        self.commit.command_id
    }
}

/// A stored commit: what was asked, what became of it, what happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// What its events share.
    pub header: Arc<CommitHeader>,
    /// The last position it took; without events, that of the last event before it.
    pub position: Position,
    /// What the command asked for.
    pub payload: CommandPayload,
    /// What became of it.
    pub outcome: Outcome,
    /// The input it was decided from.
    pub tracking: Option<Tracking>,
    /// What happened, in order.
    pub events: Vec<RecordedEvent>,
}

impl Commit {
    /// The command as it was stored.
    pub fn command(&self) -> CommandRecord {
        let CommitHeader { command_id, command_name, issued_at, metadata, .. } = &*self.header;
        CommandRecord {
            id: *command_id,
            name: command_name.clone(),
            payload: self.payload.clone(),
            issued_at: *issued_at,
            metadata: metadata.clone(),
        }
    }

    /// The last position it took, if it holds events.
    pub fn last_position(&self) -> Option<Position> {
        self.events.last().map(|event| event.position)
    }
}

impl CommitHeader {
    /// What the command belongs to: what it was given, or its own id.
    pub fn correlation(&self) -> CorrelationId {
        self.metadata.correlation.unwrap_or(CorrelationId::of(self.command_id))
    }
}
