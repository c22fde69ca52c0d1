//! Owns what a decision reads: one model or several, and which boundary feeds which.

use crate::{Boundary, DecodeError, EventSet, Key, Model, Scope};
use factum_event::RecordedEvent;
use std::{fmt::Debug, hash::Hash};

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
                let mut first = 0;
                $(
                    let count = self.$at.count();
                    if boundary < first + count {
                        return self.$at.restart(boundary - first, &keys.$at);
                    }
                    first += count;
                )+
                panic!("boundary {boundary} of {first}")
            }

            fn fold(&mut self, boundary: usize, record: &RecordedEvent) -> Result<(), DecodeError> {
                let mut first = 0;
                $(
                    let count = self.$at.count();
                    if boundary < first + count {
                        return self.$at.fold(boundary - first, record);
                    }
                    first += count;
                )+
                panic!("boundary {boundary} of {first}")
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
