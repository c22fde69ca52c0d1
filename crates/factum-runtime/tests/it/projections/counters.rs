//! What the tests of read models count: events of keys, folded purely and written into tables.

use factum::{Recorded, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(Id)]
pub(crate) struct KeyId(u32);

#[derive(Event, Debug, Clone, PartialEq)]
#[event(context = "counting", stream = key, tags(key))]
pub(crate) enum Counted {
    Added {
        key: KeyId,
        amount: i64,
    },
    Moved {
        key: KeyId,
        to: KeyId,
        amount: i64,
    },
    /// What the projections below cannot apply while [`POISON`] is on.
    Poisoned {
        key: KeyId,
    },
}

#[derive(Command)]
#[command(name = "counting.add")]
pub(crate) struct Add(pub(crate) KeyId, pub(crate) i64);

impl Decide for Add {
    type Event = Counted;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        if self.1 == 0 {
            return nothing();
        }
        emit(Counted::Added { key: self.0, amount: self.1 })
    }
}

#[derive(Command)]
#[command(name = "counting.move")]
pub(crate) struct Move(pub(crate) KeyId, pub(crate) KeyId, pub(crate) i64);

impl Decide for Move {
    type Event = Counted;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(Counted::Moved { key: self.0, to: self.1, amount: self.2 })
    }
}

#[derive(Command)]
#[command(name = "counting.poison")]
pub(crate) struct Poison(pub(crate) KeyId);

impl Decide for Poison {
    type Event = Counted;
    type Models = ();
    type Rejection = Never;
    fn keys(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Decision<Self> {
        emit(Counted::Poisoned { key: self.0 })
    }
}

/// How many events a key has, and what they sum up to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sum {
    pub(crate) events: u64,
    pub(crate) sum: i64,
    pub(crate) last: u64,
}

impl View for Sum {
    const NAME: &'static str = "sum";
    const VERSION: u32 = 1;
    const INDEXES: &'static [&'static str] = &["sum"];
    type Event = Recorded<Counted>;
    type Key = KeyId;

    fn keys(event: &Recorded<Counted>) -> Vec<KeyId> {
        match &event.event {
            Counted::Added { key, .. } | Counted::Poisoned { key } => vec![*key],
            Counted::Moved { key, to, .. } => vec![*key, *to],
        }
    }

    fn apply(&mut self, own: &KeyId, event: &Recorded<Counted>) {
        self.events += 1;
        assert!(self.last < event.position.get(), "an event came twice, or out of order");
        self.last = event.position.get();
        match &event.event {
            Counted::Added { amount, .. } => self.sum += amount,
            Counted::Moved { key, amount, .. } if key == own => self.sum -= amount,
            Counted::Moved { amount, .. } => self.sum += amount,
            Counted::Poisoned { .. } => assert!(!super::poisonous(), "this one cannot be folded"),
        }
    }

    fn indexed(&self) -> Vec<Value> {
        vec![self.sum.into()]
    }
}
