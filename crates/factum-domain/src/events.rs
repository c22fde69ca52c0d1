//! Owns what a decision gives: events in order, each with what is to be said about it beside its fields.

use crate::Event;
use factum_event::{EventId, NewEvent, Timestamp};
use std::fmt;

/// The events of one decision, in order.
#[derive(Clone, PartialEq, Eq)]
pub struct Events<E> {
    facts: Vec<Fact<E>>,
}

/// An event and what is to be recorded with it. [`fact`] makes one.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a fact happens when it is emitted"]
pub struct Fact<E> {
    event: E,
    effective_at: Option<Timestamp>,
    corrects: Option<EventId>,
}

/// An event of which more is to be said: `emit(fact(event).effective_at(yesterday))`.
pub fn fact<E: Event>(event: E) -> Fact<E> {
    Fact::plain(event)
}

impl<E> Fact<E> {
    fn plain(event: E) -> Self {
        Self { event, effective_at: None, corrects: None }
    }

    /// It became true at `at`, not when it is recorded.
    pub fn effective_at(mut self, at: Timestamp) -> Self {
        self.effective_at = Some(at);
        self
    }

    /// It supersedes the event `id`.
    pub fn corrects(mut self, id: EventId) -> Self {
        self.corrects = Some(id);
        self
    }

    /// The event.
    pub fn event(&self) -> &E {
        &self.event
    }
}

impl<E: Event> Fact<E> {
    /// As it is handed to a store.
    pub fn to_new(&self) -> NewEvent {
        NewEvent { effective_at: self.effective_at, corrects: self.corrects, ..self.event.to_new() }
    }
}

impl<E> Events<E> {
    /// None.
    pub const fn none() -> Self {
        Self { facts: Vec::new() }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The events, without what is to be recorded with them.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.facts.iter().map(Fact::event)
    }

    /// The events, without what is to be recorded with them.
    pub fn into_vec(self) -> Vec<E> {
        self.facts.into_iter().map(|fact| fact.event).collect()
    }

    /// The events with what is to be recorded with them.
    pub fn facts(&self) -> &[Fact<E>] {
        &self.facts
    }
}

impl<E: Event> Events<E> {
    /// As they are handed to a store.
    pub fn to_new(&self) -> Vec<NewEvent> {
        self.facts.iter().map(Fact::to_new).collect()
    }
}

/// What can be emitted: an event, a [`Fact`], or an array or `Vec` of either.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be emitted",
    label = "not an event, nor an array or a `Vec` of events",
    note = "a decision emits events of its `type Event`: one, an array or a `Vec` of them, or \
            `fact(event)` to say more of one",
    note = "a `#[derive(Subset)]` enum can be read but not emitted"
)]
pub trait IntoEvents<E> {
    /// The events, in order.
    fn into_events(self) -> Events<E>;
}

#[diagnostic::do_not_recommend]
impl<E, T> IntoEvents<E> for T
where
    Events<E>: From<T>,
{
    fn into_events(self) -> Events<E> {
        self.into()
    }
}

impl<E: Event> From<E> for Events<E> {
    fn from(event: E) -> Self {
        Fact::plain(event).into()
    }
}

impl<E: Event, const N: usize> From<[E; N]> for Events<E> {
    fn from(events: [E; N]) -> Self {
        events.into_iter().collect()
    }
}

impl<E: Event> From<Vec<E>> for Events<E> {
    fn from(events: Vec<E>) -> Self {
        events.into_iter().collect()
    }
}

impl<E: Event> From<Fact<E>> for Events<E> {
    fn from(fact: Fact<E>) -> Self {
        Self { facts: vec![fact] }
    }
}

impl<E: Event, const N: usize> From<[Fact<E>; N]> for Events<E> {
    fn from(facts: [Fact<E>; N]) -> Self {
        Self { facts: facts.into() }
    }
}

impl<E: Event> From<Vec<Fact<E>>> for Events<E> {
    fn from(facts: Vec<Fact<E>>) -> Self {
        Self { facts }
    }
}

impl<E: Event> FromIterator<E> for Events<E> {
    fn from_iter<I: IntoIterator<Item = E>>(events: I) -> Self {
        Self { facts: events.into_iter().map(Fact::plain).collect() }
    }
}

impl<E: fmt::Debug> fmt::Debug for Events<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.facts).finish()
    }
}

/// As the event itself, where nothing more is said of it.
impl<E: fmt::Debug> fmt::Debug for Fact<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event, effective_at, corrects } = self;
        if effective_at.is_none() && corrects.is_none() {
            return event.fmt(f);
        }
        let mut out = f.debug_struct("Fact");
        out.field("event", event);
        if let Some(at) = effective_at {
            out.field("effective_at", at);
        }
        if let Some(id) = corrects {
            out.field("corrects", id);
        }
        out.finish()
    }
}
