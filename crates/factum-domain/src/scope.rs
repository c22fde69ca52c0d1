//! Owns how a model selects its events: which key it needs, and the boundary that key draws.

use crate::{EventDescriptor, Id};
use factum_event::{QueryItem, RecordedEvent, StreamName};
use std::{fmt::Debug, hash::Hash, marker::PhantomData};

/// The events one model of a decision was folded from: what the runtime reads, and what must not have
/// changed when the decision is appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// The events.
    pub item: QueryItem,
    /// The stream they live in, for a [`Stream`] scope: the append expects the revision that was read.
    /// `None`: the append expects nothing new that `item` matches.
    pub home: Option<StreamName>,
    /// Only the last event is folded; what must not have changed is the whole of `item`.
    pub last_only: bool,
}

impl Boundary {
    /// Whether the event lies within.
    pub fn matches(&self, record: &RecordedEvent) -> bool {
        self.item.matches(&record.event_type, &record.tags, &record.stream)
    }
}

/// All events of one stream: an aggregate. A decision over it expects the whole stream unchanged.
pub struct Stream<K>(PhantomData<fn() -> K>);

/// All events with one tag, in whatever stream: a rule across aggregates. Tuples ask for all tags at once.
pub struct Tagged<K>(PhantomData<fn() -> K>);

/// All events of the model's types.
#[derive(Debug)]
pub struct Everything;

/// Only the last event of a scope: the latest price, the last number given out.
pub struct Last<S>(PhantomData<fn() -> S>);

/// How a model selects its events.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    label = "write `Stream<{Self}>` or `Tagged<{Self}>`",
    note = "`Stream<CourseId>`: one aggregate; `Tagged<CourseId>`: a rule across streams; `(Tagged<A>, \
            Tagged<B>)`: events with both tags; `Everything`: by type alone; `Last<..>`: the last event of \
            a scope"
)]
pub trait Scope: 'static {
    /// What a command names to pick the events.
    type Key: Clone + Debug + Eq + Hash + Send + Sync + 'static;

    /// The events of these types under this key.
    fn boundary(key: &Self::Key, types: &[EventDescriptor]) -> Boundary;
}

impl<K: Id> Scope for Stream<K> {
    type Key = K;

    fn boundary(key: &K, types: &[EventDescriptor]) -> Boundary {
        let home = key.stream();
        Boundary { item: item(types).stream(home.clone()), home: Some(home), last_only: false }
    }
}

impl<K: Id> Scope for Tagged<K> {
    type Key = K;

    fn boundary(key: &K, types: &[EventDescriptor]) -> Boundary {
        Boundary { item: item(types).tag(key.tag()), home: None, last_only: false }
    }
}

impl<A: Id, B: Id> Scope for (Tagged<A>, Tagged<B>) {
    type Key = (A, B);

    fn boundary((a, b): &(A, B), types: &[EventDescriptor]) -> Boundary {
        Boundary { item: item(types).tag(a.tag()).tag(b.tag()), home: None, last_only: false }
    }
}

impl<A: Id, B: Id, C: Id> Scope for (Tagged<A>, Tagged<B>, Tagged<C>) {
    type Key = (A, B, C);

    fn boundary((a, b, c): &(A, B, C), types: &[EventDescriptor]) -> Boundary {
        Boundary { item: item(types).tag(a.tag()).tag(b.tag()).tag(c.tag()), home: None, last_only: false }
    }
}

impl Scope for Everything {
    type Key = ();

    fn boundary((): &(), types: &[EventDescriptor]) -> Boundary {
        Boundary { item: item(types), home: None, last_only: false }
    }
}

impl<S: Scope> Scope for Last<S> {
    type Key = S::Key;

    fn boundary(key: &S::Key, types: &[EventDescriptor]) -> Boundary {
        Boundary { last_only: true, ..S::boundary(key, types) }
    }
}

/// Every name the events ever had: old facts must not hide from a condition.
fn item(types: &[EventDescriptor]) -> QueryItem {
    let types = types.iter().flat_map(EventDescriptor::event_types).collect();
    QueryItem { types, ..QueryItem::default() }
}

macro_rules! debug {
    ($($scope:ident)*) => {$(
        impl<T> Debug for $scope<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($scope))
            }
        }
    )*};
}

debug! { Stream Tagged Last }
