//! What is asked of a log: one commit, holding the command, its outcome and 0..n events.

use crate::{
    CausationId, CommandId, CommandName, CorrelationId, EventId, EventType, Outcome, Position, Source,
    StreamName, Tag, Timestamp,
    limits::{
        COMMAND_BYTES_MAX, COMMIT_BYTES_MAX, EVENT_BYTES_MAX, EVENTS_PER_COMMIT_MAX, HEADER_BYTES_MAX,
        HEADERS_MAX, LABEL_BYTES_MAX, REASON_BYTES_MAX, TAGS_PER_EVENT_MAX,
    },
    name::{InvalidName, check_text},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How a payload is encoded. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Codec(pub u16);

impl Codec {
    /// Bytes that only their writer understands.
    pub const RAW: Self = Self(0);
    /// JSON in UTF-8.
    pub const JSON: Self = Self(1);
}

/// Who asked, and what it belongs to. Stamped at intake, the same for all events of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Who asked.
    pub actor: Option<Arc<str>>,
    /// For whom, where one log serves several.
    pub tenant: Option<Arc<str>>,
    /// What it belongs to; the command's own id where none was given.
    pub correlation: Option<CorrelationId>,
    /// What led to it.
    pub causation: Option<CausationId>,
    /// Anything else worth keeping, in order.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
}

/// What a command asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CommandPayload {
    /// Nothing was kept.
    #[default]
    None,
    /// Its stored form, here.
    Inline {
        /// How it is encoded.
        codec: Codec,
        /// The version of its schema.
        version: u32,
        /// The encoded form.
        data: Bytes,
    },
    /// Its stored form stands in the command log, at this position.
    Logged(Position),
}

/// A command as its commit remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRecord {
    /// Which one.
    pub id: CommandId,
    /// Its stored name.
    pub name: CommandName,
    /// What it asked for.
    pub payload: CommandPayload,
    /// When it came in.
    pub issued_at: Timestamp,
    /// Who asked.
    pub metadata: Metadata,
}

/// How far an input has been applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Which input.
    pub source: Source,
    /// How far: it must grow from commit to commit.
    pub progress: u64,
}

/// A fact to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id, for a fact that has one elsewhere; else [`EventId::derived`] names it.
    pub id: Option<EventId>,
    /// Its home.
    pub stream: StreamName,
    /// Its stored name.
    pub event_type: EventType,
    /// The version of its schema, from 1.
    pub version: u32,
    /// How `payload` is encoded.
    pub codec: Codec,
    /// What it is about. Repeated tags count once.
    pub tags: Vec<Tag>,
    /// The encoded fact.
    pub payload: Bytes,
    /// When it became true, if not when it is recorded.
    pub effective_at: Option<Timestamp>,
    /// The event it supersedes.
    pub corrects: Option<EventId>,
}

impl NewEvent {
    /// A fact in JSON, with nothing else said of it.
    pub fn json(stream: StreamName, event_type: EventType, payload: impl Into<Bytes>) -> Self {
        Self {
            id: None,
            stream,
            event_type,
            version: 1,
            codec: Codec::JSON,
            tags: Vec::new(),
            payload: payload.into(),
            effective_at: None,
            corrects: None,
        }
    }

    /// Also about `tag`.
    #[must_use]
    pub fn tag(mut self, tag: Tag) -> Self {
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
        self
    }
}

/// What is to be stored whole, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// What was asked.
    pub command: CommandRecord,
    /// What became of it.
    pub outcome: Outcome,
    /// What happened.
    pub events: Vec<NewEvent>,
}

/// A commit that no store takes. Nothing of it was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCommit {
    /// A name is not one.
    #[error("event {event}: {cause}")]
    EventName {
        /// Which event, from 0.
        event: usize,
        /// What is wrong.
        cause: InvalidName,
    },
    /// A name outside the events is not one.
    #[error("{0}")]
    Name(#[from] InvalidName),
    /// Something is over its bound.
    #[error("{what} has {actual}, and {max} is the most: split it or make it smaller")]
    TooLarge {
        /// What is too large, with its unit.
        what: String,
        /// Its size.
        actual: usize,
        /// The bound.
        max: usize,
    },
    /// Events beside an outcome that has none, or an outcome that needs some without.
    #[error("outcome {outcome} comes with {events} events: `Succeeded` has at least one, any other has none")]
    OutcomeMismatch {
        /// The outcome.
        outcome: &'static str,
        /// How many events.
        events: usize,
    },
    /// Two events of the commit have one id.
    #[error("event {event} repeats the id {id}: every event has its own")]
    RepeatedId {
        /// Which event, from 0.
        event: usize,
        /// The id.
        id: EventId,
    },
    /// Schema versions start at 1.
    #[error("event {event} has schema version 0: versions start at 1")]
    VersionZero {
        /// Which event, from 0.
        event: usize,
    },
}

impl NewCommit {
    /// Whether a store takes it. Every store calls this before it writes.
    ///
    /// # Errors
    /// The first bound of [`crate::limits`] it breaks, or how it contradicts itself.
    pub fn check(&self) -> Result<(), InvalidCommit> {
        self.check_command()?;
        self.check_outcome()?;
        most("a commit, in events,", self.events.len(), EVENTS_PER_COMMIT_MAX)?;
        let mut bytes = self.command_bytes();
        for (index, event) in self.events.iter().enumerate() {
            bytes += event.check(index)?;
        }
        most("a commit, in bytes,", bytes, COMMIT_BYTES_MAX)?;
        self.check_ids()
    }

    /// The id of the event at `index`, given or derived.
    ///
    /// # Panics
    /// When there is no such event.
    pub fn event_id(&self, index: usize) -> EventId {
        let derived = || {
            EventId::derived(
                self.command.id,
                u32::try_from(index).expect("a commit holds fewer than 2^32 events"),
            )
        };
        self.events[index].id.unwrap_or_else(derived)
    }

    fn check_ids(&self) -> Result<(), InvalidCommit> {
        if self.events.iter().all(|event| event.id.is_none()) {
            return Ok(());
        }
        let mut seen = std::collections::HashSet::new();
        for event in 0..self.events.len() {
            let id = self.event_id(event);
            if !seen.insert(id) {
                return Err(InvalidCommit::RepeatedId { event, id });
            }
        }
        Ok(())
    }

    fn command_bytes(&self) -> usize {
        match &self.command.payload {
            CommandPayload::Inline { data, .. } => data.len(),
            CommandPayload::None | CommandPayload::Logged(_) => 0,
        }
    }

    fn check_command(&self) -> Result<(), InvalidCommit> {
        let Metadata { actor, tenant, headers, .. } = &self.command.metadata;
        self.command.name.check()?;
        most("a command's payload, in bytes,", self.command_bytes(), COMMAND_BYTES_MAX)?;
        if let Some(actor) = actor {
            check_text("an actor", actor, LABEL_BYTES_MAX)?;
        }
        if let Some(tenant) = tenant {
            check_text("a tenant", tenant, LABEL_BYTES_MAX)?;
        }
        most("a command, in headers,", headers.len(), HEADERS_MAX)?;
        for (name, value) in headers {
            check_text("a header's name", name, HEADER_BYTES_MAX)?;
            most("a header's value, in bytes,", value.len(), HEADER_BYTES_MAX)?;
        }
        Ok(())
    }

    fn check_outcome(&self) -> Result<(), InvalidCommit> {
        let outcome = match &self.outcome {
            Outcome::Succeeded => "Succeeded",
            Outcome::Nothing => "Nothing",
            Outcome::Rejected(rejection) => {
                check_text("a rejection code", &rejection.code, LABEL_BYTES_MAX)?;
                most("a rejection's reason, in bytes,", rejection.reason.len(), REASON_BYTES_MAX)?;
                "Rejected"
            }
            Outcome::Failed { cause, by } => {
                most("a failure's cause, in bytes,", cause.len(), REASON_BYTES_MAX)?;
                check_text("who gave up", by, LABEL_BYTES_MAX)?;
                "Failed"
            }
            Outcome::Parked { cause } => {
                most("a parking's cause, in bytes,", cause.len(), REASON_BYTES_MAX)?;
                "Parked"
            }
            Outcome::SetAside { .. } => "SetAside",
        };
        if self.outcome.has_events() == self.events.is_empty() {
            return Err(InvalidCommit::OutcomeMismatch { outcome, events: self.events.len() });
        }
        Ok(())
    }
}

impl NewEvent {
    /// Its size, if a store takes it.
    fn check(&self, index: usize) -> Result<usize, InvalidCommit> {
        let named = |cause| InvalidCommit::EventName { event: index, cause };
        self.stream.check().map_err(named)?;
        self.event_type.check().map_err(named)?;
        self.tags.iter().try_for_each(Tag::check).map_err(named)?;
        most_of(index, "tags", self.tags.len(), TAGS_PER_EVENT_MAX)?;
        most_of(index, "bytes", self.payload.len(), EVENT_BYTES_MAX)?;
        if self.version == 0 {
            return Err(InvalidCommit::VersionZero { event: index });
        }
        let tags: usize = self.tags.iter().map(|tag| tag.as_str().len()).sum();
        Ok(self.payload.len() + tags + self.stream.as_str().len() + self.event_type.as_str().len())
    }
}

fn most(what: &str, actual: usize, max: usize) -> Result<(), InvalidCommit> {
    if actual <= max { Ok(()) } else { Err(InvalidCommit::TooLarge { what: what.to_owned(), actual, max }) }
}

fn most_of(event: usize, unit: &str, actual: usize, max: usize) -> Result<(), InvalidCommit> {
    if actual <= max {
        return Ok(());
    }
    Err(InvalidCommit::TooLarge { what: format!("event {event}, in {unit},"), actual, max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rejection, limits::STREAM_NAME_BYTES_MAX};

    fn event() -> NewEvent {
        NewEvent::json(StreamName::unchecked("order-1"), EventType::unchecked("placed"), "{}")
    }

    fn commit(events: Vec<NewEvent>) -> NewCommit {
        NewCommit {
            command: CommandRecord {
                id: CommandId::from_idempotency_key(&[], "k"),
                name: CommandName::unchecked("place"),
                payload: CommandPayload::None,
                issued_at: Timestamp::EPOCH,
                metadata: Metadata::default(),
            },
            outcome: Outcome::Succeeded,
            events,
        }
    }

    fn changed(change: impl FnOnce(&mut NewCommit)) -> Result<(), InvalidCommit> {
        let mut commit = commit(vec![event(), event()]);
        change(&mut commit);
        commit.check()
    }

    /// What is said of one that is over a bound, after the bound itself was taken.
    fn over(bound: usize, shape: impl Fn(&mut NewCommit, usize)) -> String {
        assert_eq!(changed(|commit| shape(commit, bound)), Ok(()));
        changed(|commit| shape(commit, bound + 1)).expect_err("one over the bound is refused").to_string()
    }

    #[test]
    fn what_is_over_a_bound_of_an_event_is_named_with_its_event() {
        let name = |size| "x".repeat(size);
        assert_eq!(
            over(EVENT_BYTES_MAX, |commit, size| commit.events[1].payload = vec![0; size].into()),
            "event 1, in bytes, has 4194305, and 4194304 is the most: split it or make it smaller"
        );
        assert_eq!(
            over(TAGS_PER_EVENT_MAX, |commit, size| {
                commit.events[0].tags = (0..size).map(|nth| Tag::unchecked(nth.to_string())).collect();
            }),
            "event 0, in tags, has 65, and 64 is the most: split it or make it smaller"
        );
        let stream = over(STREAM_NAME_BYTES_MAX, |commit, size| {
            commit.events[1].stream = StreamName::unchecked(name(size));
        });
        assert!(stream.starts_with("event 1: a stream name `xxx"), "{stream}");
        let tag = over(512, |commit, size| commit.events[1].tags.push(Tag::unchecked(name(size))));
        assert!(tag.starts_with("event 1: a tag `xxx"), "{tag}");
        let event_type =
            over(255, |commit, size| commit.events[0].event_type = EventType::unchecked(name(size)));
        assert!(event_type.starts_with("event 0: an event type `xxx"), "{event_type}");
    }

    #[test]
    fn what_is_over_a_bound_of_the_command_is_named() {
        let text = |size| Arc::from("x".repeat(size));
        let starts = |came: String, with: &str| assert!(came.starts_with(with), "{came}");
        starts(
            over(LABEL_BYTES_MAX, |commit, size| commit.command.metadata.actor = Some(text(size))),
            "an actor `x",
        );
        starts(
            over(LABEL_BYTES_MAX, |commit, size| commit.command.metadata.tenant = Some(text(size))),
            "a tenant `x",
        );
        starts(
            over(HEADERS_MAX, |commit, size| {
                commit.command.metadata.headers = (0..size).map(|_| (text(1), text(1))).collect();
            }),
            "a command, in headers, has 33",
        );
        starts(
            over(HEADER_BYTES_MAX, |commit, size| {
                commit.command.metadata.headers = vec![(text(size), text(0))]
            }),
            "a header's name `x",
        );
        starts(
            over(HEADER_BYTES_MAX, |commit, size| {
                commit.command.metadata.headers = vec![(text(1), text(size))]
            }),
            "a header's value, in bytes, has 1025",
        );
        starts(
            over(COMMAND_BYTES_MAX, |commit, size| {
                let data = vec![0; size].into();
                commit.command.payload = CommandPayload::Inline { codec: Codec::JSON, version: 1, data };
            }),
            "a command's payload, in bytes, has 4194305",
        );
        starts(
            over(255, |commit, size| commit.command.name = CommandName::unchecked("x".repeat(size))),
            "a command name `x",
        );
    }

    #[test]
    fn what_is_over_a_bound_of_the_outcome_is_named() {
        let ended = |commit: &mut NewCommit, outcome| {
            commit.events.clear();
            commit.outcome = outcome;
        };
        let text = |size| "x".repeat(size);
        let rejected = |code, reason| Outcome::Rejected(Rejection { code, reason, status: 409 });
        let code = over(LABEL_BYTES_MAX, |commit, size| ended(commit, rejected(text(size), text(0))));
        assert!(code.starts_with("a rejection code `x"), "{code}");
        let reason = over(REASON_BYTES_MAX, |commit, size| ended(commit, rejected(text(1), text(size))));
        assert!(reason.starts_with("a rejection's reason, in bytes, has 8193"), "{reason}");
        let failed = |cause, by| Outcome::Failed { cause, by };
        let cause = over(REASON_BYTES_MAX, |commit, size| ended(commit, failed(text(size), text(1))));
        assert!(cause.starts_with("a failure's cause, in bytes, has 8193"), "{cause}");
        let by = over(LABEL_BYTES_MAX, |commit, size| ended(commit, failed(text(0), text(size))));
        assert!(by.starts_with("who gave up `x"), "{by}");
        let parked =
            over(REASON_BYTES_MAX, |commit, size| ended(commit, Outcome::Parked { cause: text(size) }));
        assert!(parked.starts_with("a parking's cause, in bytes, has 8193"), "{parked}");
    }

    #[test]
    fn a_commit_is_bounded_in_events_and_in_bytes() {
        let many = |count| commit((0..count).map(|_| event()).collect()).check();
        assert_eq!(many(EVENTS_PER_COMMIT_MAX), Ok(()));
        let error = many(EVENTS_PER_COMMIT_MAX + 1).expect_err("one over the bound");
        assert!(error.to_string().starts_with("a commit, in events, has 16385"), "{error}");
        let names = 5 * ("order-1".len() + "placed".len() + "tag".len());
        let rest = COMMIT_BYTES_MAX - names - COMMAND_BYTES_MAX - 2 * EVENT_BYTES_MAX - 1;
        let sized = |last: usize| {
            let sizes = [EVENT_BYTES_MAX, EVENT_BYTES_MAX, rest, 1, last];
            let blob = |size: usize| NewEvent {
                payload: vec![0; size].into(),
                tags: vec![Tag::unchecked("tag")],
                ..event()
            };
            let mut commit = commit(sizes.into_iter().map(blob).collect());
            let data = vec![0; COMMAND_BYTES_MAX].into();
            commit.command.payload = CommandPayload::Inline { codec: Codec::RAW, version: 1, data };
            commit.check()
        };
        assert_eq!(sized(0), Ok(()));
        let error = sized(1).expect_err("names, tags and the command count");
        assert!(error.to_string().starts_with("a commit, in bytes, has 16777217"), "{error}");
    }

    #[test]
    fn an_outcome_has_the_events_it_should() {
        let mismatch = |outcome, events| Err(InvalidCommit::OutcomeMismatch { outcome, events });
        assert_eq!(changed(|commit| commit.events.clear()), mismatch("Succeeded", 0));
        assert_eq!(changed(|commit| commit.outcome = Outcome::Nothing), mismatch("Nothing", 2));
        let parked = || Outcome::Parked { cause: String::new() };
        assert_eq!(changed(|commit| commit.outcome = parked()), mismatch("Parked", 2));
        let behind = CommandId::from_idempotency_key(&[], "first");
        assert_eq!(changed(|commit| commit.outcome = Outcome::SetAside { behind }), mismatch("SetAside", 2));
    }

    #[test]
    fn an_id_is_given_once_in_a_commit() {
        let first = commit(vec![event()]).event_id(0);
        assert_eq!(
            changed(|commit| commit.events[1].id = Some(first)),
            Err(InvalidCommit::RepeatedId { event: 1, id: first })
        );
        let own = changed(|commit| commit.events[0].id = Some(first));
        assert_eq!(own, Ok(()), "the id that would have been derived may be given");
    }

    #[test]
    fn schema_versions_start_at_one() {
        assert_eq!(
            changed(|commit| commit.events[1].version = 0),
            Err(InvalidCommit::VersionZero { event: 1 })
        );
    }
}
