//! A context that most tests speak of, and records as a log would give them back.

use factum::{
    Codec, CommandId, CommandName, CommitHeader, Event, EventId, Metadata, NewEvent, Position, RecordedEvent,
    Revision, Sequence, Timestamp, prelude::*,
};
use std::sync::Arc;
use uuid::Uuid;

#[derive(Id)]
pub(crate) struct CourseId(pub(crate) u64);
#[derive(Id)]
pub(crate) struct StudentId(pub(crate) u64);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "campus", stream = course, tags(course, student))]
pub(crate) enum CampusEvent {
    CourseOpened { course: CourseId, seats: u32 },
    Enrolled { course: CourseId, student: StudentId },
    Withdrew { course: CourseId, student: StudentId },
    TermBegan,
}

pub(crate) const COURSE: CourseId = CourseId(1);
pub(crate) const ANN: StudentId = StudentId(10);
pub(crate) const BOB: StudentId = StudentId(11);

pub(crate) fn opened(seats: u32) -> CampusEvent {
    CampusEvent::CourseOpened { course: COURSE, seats }
}

pub(crate) fn enrolled(student: StudentId) -> CampusEvent {
    CampusEvent::Enrolled { course: COURSE, student }
}

pub(crate) fn withdrew(student: StudentId) -> CampusEvent {
    CampusEvent::Withdrew { course: COURSE, student }
}

pub(crate) fn minute(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * 60_000_000)
}

/// The third event of a log, recorded in minute 3 by ann of the north.
pub(crate) fn recorded(new: NewEvent) -> RecordedEvent {
    let metadata =
        Metadata { actor: Some("ann".into()), tenant: Some("north".into()), ..Metadata::default() };
    let command_id = CommandId::new(Uuid::from_u128(7));
    let commit = CommitHeader {
        sequence: Sequence::new(3),
        recorded_at: minute(3),
        command_id,
        command_name: CommandName::unchecked("campus.test"),
        issued_at: minute(2),
        metadata,
    };
    RecordedEvent {
        position: Position::new(3),
        id: EventId::derived(command_id, 0),
        stream: new.stream,
        revision: Revision::new(1),
        event_type: new.event_type,
        version: new.version,
        codec: new.codec,
        tags: new.tags,
        payload: new.payload,
        effective_at: new.effective_at.unwrap_or(minute(3)),
        corrects: new.corrects,
        commit: Arc::new(commit),
    }
}

pub(crate) fn stored(event: &impl Event) -> RecordedEvent {
    recorded(event.to_new())
}

/// As an older build left it.
pub(crate) fn old(event: &impl Event, name: &str, version: u32, payload: &str) -> RecordedEvent {
    let mut record = stored(event);
    record.event_type = factum::EventType::unchecked(name);
    record.version = version;
    record.codec = Codec::JSON;
    record.payload = payload.as_bytes().to_vec().into();
    record
}

pub(crate) fn text(payload: &[u8]) -> &str {
    std::str::from_utf8(payload).expect("JSON is text")
}

pub(crate) fn tags(new: &NewEvent) -> Vec<&str> {
    new.tags.iter().map(factum::Tag::as_str).collect()
}
