//! What a carried-out command gives back: where things came to stand, never the model.

use factum_event::{
    CommandId, Commit, EventId, EventType, Position, RecordedEvent, Revision, Sequence, StreamName,
    Timestamp, Token,
};
use serde::Serialize;

/// Where an event came to stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventPlace {
    /// Its id.
    pub id: EventId,
    /// Its stored name.
    #[serde(rename = "type")]
    pub event_type: EventType,
    /// Its home.
    pub stream: StreamName,
    /// Where it stands in its stream.
    pub revision: Revision,
    /// Where it stands in the log.
    pub position: Position,
}

impl From<&RecordedEvent> for EventPlace {
    fn from(event: &RecordedEvent) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type.clone(),
            stream: event.stream.clone(),
            revision: event.revision,
            position: event.position,
        }
    }
}

/// Where a commit came to stand.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) command_id: CommandId,
    pub(crate) sequence: Sequence,
    pub(crate) recorded_at: Timestamp,
    /// The last event of the commit, or the head it was stored behind.
    pub(crate) position: Position,
    pub(crate) events: Vec<EventPlace>,
    pub(crate) token: Token,
    pub(crate) replayed: bool,
}

impl Place {
    pub(crate) fn of_earlier(commit: &Commit, token: Token) -> Self {
        Self {
            command_id: commit.header.command_id,
            sequence: commit.header.sequence,
            recorded_at: commit.header.recorded_at,
            position: commit.position,
            events: commit.events.iter().map(EventPlace::from).collect(),
            token,
            replayed: true,
        }
    }
}

/// A command was carried out, now or before.
#[derive(Clone, Debug)]
pub struct Done<E> {
    pub(crate) place: Place,
    pub(crate) events: Vec<E>,
    pub(crate) seen: bool,
}

impl<E> Done<E> {
    /// The command.
    pub fn command_id(&self) -> CommandId {
        self.place.command_id
    }

    /// What happened: the events as decided; empty if there was nothing to do.
    pub fn events(&self) -> &[E] {
        &self.events
    }

    /// Where those events came to stand, in the same order.
    pub fn places(&self) -> &[EventPlace] {
        &self.place.events
    }

    /// The last position the command took; without events, the head it was decided on.
    pub fn position(&self) -> Position {
        self.place.position
    }

    /// As [`Self::position`], for clients: send it back to read what was written.
    pub fn token(&self) -> &Token {
        &self.place.token
    }

    /// Where the commit stands among commits.
    pub fn sequence(&self) -> Sequence {
        self.place.sequence
    }

    /// When it was stored.
    pub fn recorded_at(&self) -> Timestamp {
        self.place.recorded_at
    }

    /// Whether every read model that commands wait for holds what this one did; without any, it is true. One that
    /// is paused, has stopped or is far behind is not waited for to the end: then this is false.
    pub fn seen(&self) -> bool {
        self.seen
    }

    /// Whether the same command had been sent before, and this is what became of it then.
    pub fn replayed(&self) -> bool {
        self.place.replayed
    }
}
