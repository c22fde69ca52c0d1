//! Owns given/when/then: a decision, or a read model, tested over events, without a log. Events pass through their
//! stored form on the way in, as a store would give them back.

mod document;
mod when;

pub use when::When;

use crate::{Boundary, Context, Decide, Event, Fact, Key, Model, Models};
use factum_event::{
    Codec, CommandId, CommandName, CommitHeader, CorrelationId, EventId, EventType, Metadata, NewEvent,
    Position, RecordedEvent, Revision, Sequence, StreamName, Timestamp,
};
use serde::Serialize;
use std::{fmt::Debug, sync::Arc};
use uuid::Uuid;

/// What has happened, and who asks when. [`given`] begins one.
#[derive(Clone, Debug, Default)]
#[must_use = "a test goes on with `.when(command)`, `.view::<Model>(key)` or `.document::<View>(key)`"]
pub struct Given {
    log: Vec<RecordedEvent>,
    shown: Vec<String>,
    now: Timestamp,
    metadata: Metadata,
    command_id: Option<CommandId>,
}

/// These events have happened, in this order.
pub fn given<E: Happened>(events: impl IntoIterator<Item = E>) -> Given {
    given_nothing().and(events)
}

/// Nothing has happened yet.
pub fn given_nothing() -> Given {
    Given::default()
}

/// An event was stored in this form, as an older build left it; see [`Given::and_stored`].
///
/// # Panics
/// When no event of `E` reads from it.
#[track_caller]
pub fn given_stored<E: Event>(name: &str, version: u32, payload: impl Serialize) -> Given {
    given_nothing().and_stored::<E>(name, version, payload)
}

/// What a test can be given: an event, a [`Fact`] that says more of one, or a [`NewEvent`], the stored form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given: it is no event, or one without `Debug`",
    label = "not an event with `Debug`",
    note = "events that tests speak of are `#[derive(Event, Debug, Clone, PartialEq)]`, on the enum: `Debug` \
            shows them when a test fails, `PartialEq` compares them in `.then(..)`",
    note = "`fact(event)` says when one became true"
)]
pub trait Happened {
    /// As it would be handed to a store.
    fn happened(&self) -> NewEvent;

    /// As a failing test prints it.
    fn shown(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<E: Event + Debug> Happened for E {
    fn happened(&self) -> NewEvent {
        self.to_new()
    }

    fn shown(&self) -> String {
        when::shown(self)
    }
}

#[diagnostic::do_not_recommend]
impl<E: Event + Debug> Happened for Fact<E> {
    fn happened(&self) -> NewEvent {
        self.to_new()
    }

    fn shown(&self) -> String {
        when::shown(self)
    }
}

/// The stored form itself, whatever this build would make of it.
impl Happened for NewEvent {
    fn happened(&self) -> NewEvent {
        self.clone()
    }

    fn shown(&self) -> String {
        let (name, version) = (&self.event_type, self.version);
        format!("{name} version {version} {}", String::from_utf8_lossy(&self.payload))
    }
}

impl Given {
    /// These events as well, perhaps of another context.
    pub fn and<E: Happened>(mut self, events: impl IntoIterator<Item = E>) -> Self {
        for event in events {
            self.shown.push(event.shown());
            let record = self.record(event.happened());
            self.log.push(record);
        }
        self
    }

    /// An event that was stored in this form as well: under a name it has or had, at a version it has or had,
    /// with this payload, as [`serde_json`] writes it. It is read through its upcasters. Its stream and tags
    /// are those that the event has today: to say others, give a [`NewEvent`].
    ///
    /// # Panics
    /// When no event of `E` reads from it.
    #[track_caller]
    pub fn and_stored<E: Event>(self, name: &str, version: u32, payload: impl Serialize) -> Self {
        let payload = serde_json::to_vec(&payload).expect("a test gives what JSON can hold");
        let stored = NewEvent {
            version,
            codec: Codec::JSON,
            ..NewEvent::json(StreamName::unchecked("given"), EventType::unchecked(name), payload)
        };
        let today = match E::decode(&self.record(stored.clone())) {
            Ok(Some(event)) => event.to_new(),
            Ok(None) => panic!("no event here is or was stored as `{name}`"),
            Err(cause) => panic!("a stored event does not read: {cause}"),
        };
        self.and([NewEvent { stream: today.stream, tags: today.tags, ..stored }])
    }

    /// From here on it is `now`: for the events that follow, and for the decision.
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// From here on `actor` asks: for what led to the events that follow, and for the decision.
    pub fn actor(mut self, actor: &str) -> Self {
        self.metadata.actor = Some(actor.into());
        self
    }

    /// For this tenant, from here on.
    pub fn tenant(mut self, tenant: &str) -> Self {
        self.metadata.tenant = Some(tenant.into());
        self
    }

    /// The command has this id; so the ids that the decision mints are `id.fresh(0)`, `id.fresh(1)` ...
    pub fn command_id(mut self, id: CommandId) -> Self {
        self.command_id = Some(id);
        self
    }

    /// The command is decided.
    ///
    /// # Panics
    /// When a given event does not read back from its stored form, or when a store would refuse what was
    /// decided.
    #[track_caller]
    pub fn when<D: Decide>(self, command: D) -> When<D> {
        let models: D::Models = self.fold(&command.keys());
        let context = Context::new(self.decided_id(), self.now, &self.metadata);
        let got = command.decide(&models, &context);
        When::new(self, models, got)
    }

    /// The state of a model as these events make it, as `app.view` would read it.
    ///
    /// # Panics
    /// When a given event does not read back from its stored form.
    #[track_caller]
    pub fn view<M: Model>(&self, key: Key<M>) -> M {
        self.fold(&key)
    }

    #[track_caller]
    fn fold<M: Models>(&self, keys: &M::Keys) -> M {
        let (mut boundaries, mut models) = (Vec::new(), M::start(keys));
        M::boundaries(keys, &mut boundaries);
        for (at, boundary) in boundaries.iter().enumerate() {
            for record in self.select(boundary) {
                if let Err(cause) = models.fold(at, record) {
                    panic!("a given event does not read back from its stored form: {cause}");
                }
            }
        }
        models
    }

    fn select(&self, boundary: &Boundary) -> impl Iterator<Item = &RecordedEvent> {
        let matching: Vec<_> = self.log.iter().filter(|record| boundary.matches(record)).collect();
        let from = if boundary.last_only { matching.len().saturating_sub(1) } else { 0 };
        matching.into_iter().skip(from)
    }

    fn decided_id(&self) -> CommandId {
        self.command_id.unwrap_or(self.next_id())
    }

    /// Each event is a commit of its own, and the decision comes after them.
    fn next_id(&self) -> CommandId {
        CommandId::new(Uuid::from_u128(self.log.len() as u128 + 1))
    }

    fn record(&self, new: NewEvent) -> RecordedEvent {
        let (command_id, place) = (self.next_id(), self.log.len() as u64 + 1);
        let revision = self.log.iter().filter(|record| record.stream == new.stream).count() as u64;
        let commit = CommitHeader {
            sequence: Sequence::new(place),
            recorded_at: self.now,
            command_id,
            command_name: CommandName::unchecked("given"),
            issued_at: self.now,
            metadata: Metadata { correlation: Some(CorrelationId::of(command_id)), ..self.metadata.clone() },
        };
        RecordedEvent {
            position: Position::new(place),
            id: new.id.unwrap_or(EventId::derived(command_id, 0)),
            stream: new.stream,
            revision: Revision::new(revision),
            event_type: new.event_type,
            version: new.version,
            codec: new.codec,
            tags: new.tags,
            payload: new.payload,
            effective_at: new.effective_at.unwrap_or(self.now),
            corrects: new.corrects,
            commit: Arc::new(commit),
        }
    }
}
