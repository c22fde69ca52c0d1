//! Owns what a projection into tables is called, what it reads, and what waits behind an event that cannot be
//! applied. What it writes is said against a database, outside of this crate.

use crate::{Mode, OnError, Recorded, ViewEvent};
use std::{ops::Deref, slice};

/// A read model in tables of its own. What is written for a page of events stands in its `SqlProjection`.
///
/// ```
/// # use factum_domain::{DecodeError, EventDescriptor, EventSet, Projection};
/// # use factum_event::RecordedEvent;
/// # struct CampusEvent;
/// # impl EventSet for CampusEvent {
/// #     const TYPES: &'static [EventDescriptor] = &[];
/// #     fn decode(_: &RecordedEvent) -> Result<Option<Self>, DecodeError> { Ok(None) }
/// # }
/// struct Roster;
/// impl Projection for Roster {
///     const NAME: &'static str = "roster";
///     const VERSION: u32 = 3;
///     type Event = CampusEvent;
/// }
/// assert_eq!((Roster::NAME, Roster::VERSION), ("roster", 3));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "not a projection",
    note = "`impl Projection for {Self} {{ const NAME: &'static str = \"roster\"; const VERSION: u32 = 1; type \
            Event = ..; }}`, and beside it `impl<Db: Sql> SqlProjection<Db> for {Self}`"
)]
pub trait Projection: Send + Sync + 'static {
    /// What it is called where it is kept and shown: small letters, digits and `-`, at most 64 bytes. Unique
    /// in its application.
    const NAME: &'static str;
    /// From 1; raised with every change of its tables or of what is written into them.
    const VERSION: u32;
    /// Whether commands wait for it.
    const MODE: Mode = Mode::Async;
    /// What becomes of an event that cannot be applied, or not be read.
    const ON_ERROR: OnError = OnError::Park;

    /// The events it reads.
    type Event: ViewEvent;

    /// What later events wait by, should this one not be applicable: those with the same key do, others go on.
    /// Its stream, unless said otherwise. Events that touch the same row should have the same key.
    fn key(event: &Recorded<Self::Event>) -> String {
        event.stream.to_string()
    }
}

/// Events in the order of the log, each with what was recorded of it.
#[derive(Debug)]
pub struct Page<E>(Vec<Recorded<E>>);

impl<E> Page<E> {
    /// These, in this order.
    pub fn new(events: Vec<Recorded<E>>) -> Self {
        Self(events)
    }
}

impl<E> Deref for Page<E> {
    type Target = [Recorded<E>];

    fn deref(&self) -> &[Recorded<E>] {
        &self.0
    }
}

impl<'a, E> IntoIterator for &'a Page<E> {
    type Item = &'a Recorded<E>;
    type IntoIter = slice::Iter<'a, Recorded<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<E> FromIterator<Recorded<E>> for Page<E> {
    fn from_iter<I: IntoIterator<Item = Recorded<E>>>(events: I) -> Self {
        Self(events.into_iter().collect())
    }
}
