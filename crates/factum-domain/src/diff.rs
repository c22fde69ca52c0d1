//! Owns how a whole representation becomes events: each field of it is compared with the state that was
//! folded, and what differs happens. Never decides whether it may: that comes before it, with `ensure!`.

use crate::{Event, Events, fact};
use factum_event::Timestamp;

/// Begins to compare a representation, such as the body of a `PUT`, with the state it replaces.
///
/// Only fields that differ become events, in the order in which they are compared; where none does, there is
/// nothing to do. The state is what the decision was given, so the difference is to what is so at the moment
/// of the append, not to what the sender last saw; a sender who minds says which revision they mean.
pub fn diff<E>() -> Diff<E> {
    Diff { events: Vec::new(), effective_at: None }
}

/// What differs so far between a representation and the state it replaces. [`diff`] begins one.
#[derive(Clone, Debug)]
#[must_use = "nothing is decided before `.decide()`"]
pub struct Diff<E> {
    events: Vec<E>,
    effective_at: Option<Timestamp>,
}

impl<E> Diff<E> {
    /// `event` happens, with both values, if `after` is not equal to `before`. What the sender may leave out is
    /// given its default first; what has no order, such as a set of labels, is compared as a set.
    pub fn field<T: PartialEq + ToOwned + ?Sized>(
        mut self,
        before: &T,
        after: &T,
        event: impl FnOnce(T::Owned, T::Owned) -> E,
    ) -> Self {
        if before != after {
            self.events.push(event(before.to_owned(), after.to_owned()));
        }
        self
    }

    /// All that differs became so at `at`, not when it is recorded.
    pub fn effective_at(mut self, at: Timestamp) -> Self {
        self.effective_at = Some(at);
        self
    }
}

impl<E: Event> Diff<E> {
    /// The decision: an event for each field that differs, or nothing.
    ///
    /// # Errors
    /// None: the type is that of a decision.
    pub fn decide<R>(self) -> Result<Events<E>, R> {
        let Self { events, effective_at } = self;
        Ok(match effective_at {
            Some(at) => {
                events.into_iter().map(|event| fact(event).effective_at(at)).collect::<Vec<_>>().into()
            }
            None => events.into(),
        })
    }
}
