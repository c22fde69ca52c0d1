//! Owns what a decision reads: one model or several, and which boundary feeds which.

use crate::{Boundary, DecodeError, EventSet, Key, Model, Scope, SnapshotPlan};
use factum_event::RecordedEvent;
use std::{
    any::{TypeId, type_name},
    fmt::Debug,
    hash::Hash,
};

/// A decision reads one model, so that it can be taken where only one key is at hand.
#[derive(Debug)]
pub enum OneModel {}

/// A decision reads several models, which takes a log with conditions over several keys.
#[derive(Debug)]
pub enum SeveralModels {}

/// One model, a tuple of one to four, a `Vec` of one model under several keys, or `()`. Tuples nest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the models of a decision",
    label = "not a model, nor a tuple of one to four models",
    note = "each of them is a model: `impl Model for ..`",
    note = "use one model, a tuple of up to four, `Vec<Model>` for a list of keys, or `()` for none; \
            tuples nest: `((A, B, C, D), E)`"
)]
pub trait Models: Clone + Send + Sync + Debug + Sized + 'static {
    /// What a command names to pick the events. Equal keys draw equal boundaries.
    type Keys: Clone + Eq + Hash + Send + Sync + 'static;
    /// [`OneModel`] or [`SeveralModels`].
    type Span;

    /// The states before any event.
    fn start(keys: &Self::Keys) -> Self;

    /// Adds the boundaries under these keys, in the order that [`Models::fold`] counts them.
    fn boundaries(keys: &Self::Keys, out: &mut Vec<Boundary>);

    /// How many boundaries there are.
    fn count(&self) -> usize;

    /// Puts the model behind the boundary with this index back to before any event.
    ///
    /// # Panics
    /// When there is no such boundary.
    fn restart(&mut self, boundary: usize, keys: &Self::Keys);

    /// Takes in a record that matches the boundary with this index. Of a boundary with `last_only` only
    /// the last matching record is handed in.
    ///
    /// # Errors
    /// When this build cannot read the record.
    ///
    /// # Panics
    /// When there is no such boundary.
    fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError>;

    /// Whether any of them asks for snapshots.
    #[doc(hidden)]
    const SNAPSHOTS: bool;

    /// Adds, for each boundary in their order, how the model behind it is kept on disk, if it is.
    #[doc(hidden)]
    fn snapshots(keys: &Self::Keys, out: &mut Vec<Option<SnapshotPlan>>);

    /// The model behind a boundary as it is kept on disk, or why it cannot be.
    #[doc(hidden)]
    fn save(&self, boundary: usize) -> Result<Vec<u8>, String>;

    /// Puts the model behind a boundary to what was kept, or says why it cannot be.
    #[doc(hidden)]
    fn restore(&mut self, boundary: usize, stored: &[u8]) -> Result<(), String>;
}

#[diagnostic::do_not_recommend]
impl<M: Model> Models for M {
    type Keys = Key<M>;
    type Span = OneModel;

    fn start(keys: &Key<M>) -> Self {
        M::start(keys)
    }

    fn boundaries(keys: &Key<M>, out: &mut Vec<Boundary>) {
        out.push(M::Scope::boundary(keys, M::Event::TYPES));
    }

    fn count(&self) -> usize {
        1
    }

    fn restart(&mut self, boundary: usize, key: &Key<M>) {
        assert_eq!(boundary, 0, "one model has one boundary");
        *self = M::start(key);
    }

    fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError> {
        assert_eq!(boundary, 0, "one model has one boundary");
        if let Some(event) = M::Event::decode(record)? {
            self.apply(event);
        }
        Ok(())
    }

    const SNAPSHOTS: bool = M::SNAPSHOT.is_some();

    fn snapshots(key: &Key<M>, out: &mut Vec<Option<SnapshotPlan>>) {
        out.push(M::SNAPSHOT.plan(type_name::<M>(), TypeId::of::<M>(), key, M::Event::TYPES));
    }

    fn save(&self, boundary: usize) -> Result<Vec<u8>, String> {
        assert_eq!(boundary, 0, "one model has one boundary");
        M::SNAPSHOT.save(self)
    }

    fn restore(&mut self, boundary: usize, stored: &[u8]) -> Result<(), String> {
        assert_eq!(boundary, 0, "one model has one boundary");
        *self = M::SNAPSHOT.load(stored)?;
        Ok(())
    }
}

impl<M: Model> Models for Vec<M> {
    type Keys = Vec<Key<M>>;
    type Span = SeveralModels;

    fn start(keys: &Self::Keys) -> Self {
        keys.iter().map(M::start).collect()
    }

    fn boundaries(keys: &Self::Keys, out: &mut Vec<Boundary>) {
        keys.iter().for_each(|key| M::boundaries(key, out));
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn restart(&mut self, boundary: usize, keys: &Self::Keys) {
        self[boundary] = M::start(&keys[boundary]);
    }

    fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError> {
        self[boundary].fold(0, record)
    }

    const SNAPSHOTS: bool = <M as Models>::SNAPSHOTS;

    fn snapshots(keys: &Self::Keys, out: &mut Vec<Option<SnapshotPlan>>) {
        keys.iter().for_each(|key| M::snapshots(key, out));
    }

    fn save(&self, boundary: usize) -> Result<Vec<u8>, String> {
        self[boundary].save(0)
    }

    fn restore(&mut self, boundary: usize, stored: &[u8]) -> Result<(), String> {
        self[boundary].restore(0, stored)
    }
}

impl Models for () {
    type Keys = ();
    type Span = OneModel;

    fn start((): &()) {}

    fn boundaries((): &(), _: &mut Vec<Boundary>) {}

    fn count(&self) -> usize {
        0
    }

    fn restart(&mut self, boundary: usize, (): &()) {
        panic!("no models have no boundary {boundary}")
    }

    fn fold(&mut self, boundary: usize, _: &RecordedEvent) -> Result<(), DecodeError> {
        panic!("no models have no boundary {boundary}")
    }

    const SNAPSHOTS: bool = false;

    fn snapshots((): &(), _: &mut Vec<Option<SnapshotPlan>>) {}

    fn save(&self, boundary: usize) -> Result<Vec<u8>, String> {
        panic!("no models have no boundary {boundary}")
    }

    fn restore(&mut self, boundary: usize, _: &[u8]) -> Result<(), String> {
        panic!("no models have no boundary {boundary}")
    }
}

/// Which of several models, each with so many boundaries, a boundary belongs to, and which of its own it is.
fn place(boundary: usize, counts: &[usize]) -> (usize, usize) {
    let mut left = boundary;
    for (model, count) in counts.iter().enumerate() {
        match left.checked_sub(*count) {
            Some(beyond) => left = beyond,
            None => return (model, left),
        }
    }
    panic!("boundary {boundary} of {}", counts.iter().sum::<usize>())
}

macro_rules! tuple {
    ($($model:ident $at:tt),+) => {
        impl<$($model: Models),+> Models for ($($model,)+) {
            type Keys = ($($model::Keys,)+);
            type Span = SeveralModels;

            fn start(keys: &Self::Keys) -> Self {
                ($($model::start(&keys.$at),)+)
            }

            fn boundaries(keys: &Self::Keys, out: &mut Vec<Boundary>) {
                $($model::boundaries(&keys.$at, out);)+
            }

            fn count(&self) -> usize {
                0 $(+ self.$at.count())+
            }

            fn restart(&mut self, boundary: usize, keys: &Self::Keys) {
                match place(boundary, &[$(self.$at.count()),+]) {
                    $(($at, boundary) => self.$at.restart(boundary, &keys.$at),)+
                    _ => unreachable!("a place is one of them"),
                }
            }

            fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError> {
                match place(boundary, &[$(self.$at.count()),+]) {
                    $(($at, boundary) => self.$at.fold(boundary, record),)+
                    _ => unreachable!("a place is one of them"),
                }
            }

            const SNAPSHOTS: bool = $($model::SNAPSHOTS)||+;

            fn snapshots(keys: &Self::Keys, out: &mut Vec<Option<SnapshotPlan>>) {
                $($model::snapshots(&keys.$at, out);)+
            }

            fn save(&self, boundary: usize) -> Result<Vec<u8>, String> {
                match place(boundary, &[$(self.$at.count()),+]) {
                    $(($at, boundary) => self.$at.save(boundary),)+
                    _ => unreachable!("a place is one of them"),
                }
            }

            fn restore(&mut self, boundary: usize, stored: &[u8]) -> Result<(), String> {
                match place(boundary, &[$(self.$at.count()),+]) {
                    $(($at, boundary) => self.$at.restore(boundary, stored),)+
                    _ => unreachable!("a place is one of them"),
                }
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
