//! Owns what makes a type an event: its stored names, how it is read back, how it is written.

use crate::DecodeError;
use factum_event::{Codec, EventType, NewEvent, RecordedEvent, StreamName, Tag};

/// A kind of event as the log knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventDescriptor {
    /// The name it is stored under today.
    pub name: &'static str,
    /// The names it was stored under before.
    pub earlier: &'static [&'static str],
    /// The version of its schema today, from 1.
    pub version: u32,
}

impl EventDescriptor {
    /// Every name it ever had, today's first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.earlier.iter().copied())
    }

    /// Every name it ever had, as a query asks for them.
    pub fn event_types(&self) -> impl Iterator<Item = EventType> {
        self.names().map(EventType::unchecked)
    }
}

/// Events that a fold can match on: a whole event enum, or a subset of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event enum or a subset of one",
    label = "a fold needs events here",
    note = "for a whole context: `#[derive(Event)] #[event(context = \"campus\")]`; for the part that \
            is read: `#[derive(Subset)] #[subset(of = CampusEvent)]`"
)]
pub trait EventSet: Sized + Send + 'static {
    /// The kinds of event in it.
    const TYPES: &'static [EventDescriptor];

    /// What begins the stored names of all that can happen there, if the set means to be all of it: then a
    /// name that begins so and is not known is the name of an event that this build does not know.
    #[doc(hidden)]
    const CONTEXT: Option<&'static str> = None;

    /// The event, or `None` if it is of no kind in this set.
    ///
    /// # Errors
    /// When the event is of the set, but this build cannot read what is stored.
    fn decode(record: &RecordedEvent) -> Result<Option<Self>, DecodeError>;
}

/// An enum of everything that can happen in one context. `#[derive(Event)]` writes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as an event",
    label = "not an event enum",
    note = "add `#[derive(Event)]` and `#[event(context = \"campus\")]`; a `#[derive(Subset)]` enum can be \
            read but not emitted"
)]
pub trait Event: EventSet + Sync {
    /// The names of the variants in the code, in the order of [`EventSet::TYPES`].
    #[doc(hidden)]
    const VARIANTS: &'static [&'static str];

    /// The event as it is handed to a store.
    fn to_new(&self) -> NewEvent;
}

/// Whether a record is of one of these kinds.
#[doc(hidden)]
pub fn includes(types: &[EventDescriptor], record: &RecordedEvent) -> bool {
    types.iter().any(|kind| kind.names().any(|name| name == record.event_type.as_str()))
}

/// Whether a record is an event of the context that `E` means to be all of, and of none of its kinds: a newer
/// build wrote it.
pub(crate) fn is_unknown<E: EventSet>(record: &RecordedEvent) -> bool {
    let own = |context: &str| {
        record.event_type.as_str().strip_prefix(context).is_some_and(|rest| rest.starts_with('.'))
    };
    E::CONTEXT.is_some_and(own) && !includes(E::TYPES, record)
}

#[doc(hidden)]
pub fn new_event(
    kind: &EventDescriptor,
    stream: StreamName,
    tags: Vec<Tag>,
    payload: impl Into<bytes::Bytes>,
) -> NewEvent {
    NewEvent {
        version: kind.version,
        codec: Codec::JSON,
        tags,
        ..NewEvent::json(stream, EventType::unchecked(kind.name), payload)
    }
}
