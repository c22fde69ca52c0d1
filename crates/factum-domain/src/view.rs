//! Owns what a view is: documents, each under a key, folded from the events that belong to the key. Pure:
//! where documents are kept, and when they are brought up to date, is the runtime's.

use crate::{DecodeError, EventSet, ViewKey, event, shape};
use factum_event::{QueryItem, RecordedEvent, Value};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// A document per key, folded from events, so that a query is one lookup.
///
/// An event belongs to as many keys as [`View::keys`] gives: one, none, or several (a transfer belongs to two
/// accounts). Where the key is a part of the record, its stream or the month it was recorded in, the events are
/// `Recorded<BankEvent>`.
///
/// Raise [`View::VERSION`] when the fold, the keys or the fields change: a new build is then made from the first
/// event on, beside the one that is read, and takes its place once it has caught up.
///
/// ```
/// # use factum_domain as factum;
/// # use factum_domain::{DecodeError, EventDescriptor, EventSet, View};
/// # use factum_event::{RecordedEvent, Value};
/// # use serde::{Deserialize, Serialize};
/// # enum BankEvent { Deposited { account: u64, cents: u64 } }
/// # impl EventSet for BankEvent {
/// #     const TYPES: &'static [EventDescriptor] = &[];
/// #     fn decode(_: &RecordedEvent) -> Result<Option<Self>, DecodeError> { Ok(None) }
/// # }
/// #[derive(Clone, Debug, Default, Serialize, Deserialize)]
/// struct Balance {
///     cents: u64,
/// }
/// impl View for Balance {
///     const NAME: &'static str = "balance";
///     const VERSION: u32 = 1;
///     const INDEXES: &'static [&'static str] = &["cents"];
///     type Event = BankEvent;
///     type Key = u64;
///
///     fn keys(event: &BankEvent) -> Vec<u64> {
///         match event {
///             BankEvent::Deposited { account, .. } => vec![*account],
///         }
///     }
///
///     fn apply(&mut self, _: &u64, event: &BankEvent) {
///         match event {
///             BankEvent::Deposited { cents, .. } => self.cents += cents,
///         }
///     }
///
///     fn indexed(&self) -> Vec<Value> {
///         vec![self.cents.into()]
///     }
/// }
/// let mut balance = Balance::default();
/// balance.apply(&1, &BankEvent::Deposited { account: 1, cents: 5 });
/// assert_eq!(balance.cents, 5);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a view",
    label = "not a view",
    note = "a view names itself and its events, says to which keys an event belongs, and folds it into the \
            document of each: `impl View for {Self} {{ const NAME: &'static str = \"balance\"; const VERSION: \
            u32 = 1; type Event = ..; type Key = ..; fn keys(..) {{ .. }} fn apply(..) {{ .. }} }}`",
    note = "a document is `Default`, `Clone`, `Debug` and serde's `Serialize` and `Deserialize`",
    note = "the state of a `Model` is folded on read and needs no view: `app.view::<{Self}>(key)`"
)]
pub trait View: Default + Clone + Debug + Kept + Send + Sync + 'static {
    /// What it is called where it is kept and shown: small letters, digits and `-`, at most 64 bytes. Unique
    /// in its application.
    const NAME: &'static str;
    /// From 1; raised with every change of what is folded.
    const VERSION: u32;
    /// Whether commands wait for it.
    const MODE: Mode = Mode::Async;
    /// What becomes of an event that cannot be folded, or not be read.
    const ON_ERROR: OnError = OnError::Park;
    /// What documents can be found and ordered by, beside their key: small letters, digits and `_`.
    const INDEXES: &'static [&'static str] = &[];

    /// The events it reads.
    type Event: ViewEvent;
    /// What a document is found by.
    type Key: ViewKey;

    /// The keys that an event belongs to. A key that is given twice counts once.
    fn keys(event: &Self::Event) -> Vec<Self::Key>;

    /// Takes in one event that belongs to `key`. Events come in the order of the log.
    fn apply(&mut self, key: &Self::Key, event: &Self::Event);

    /// The document before any event. Override it to keep the key in it.
    fn start(key: &Self::Key) -> Self {
        let _ = key;
        Self::default()
    }

    /// The values that the document is found by, one for each of [`View::INDEXES`], in their order.
    fn indexed(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Whether there is no document any more: it is taken out, and a later event begins anew.
    fn is_gone(&self) -> bool {
        false
    }

    /// Which part of the log holds all events that belong to `key`, if that can be said: a stream or tags.
    /// Reading one key from the log ([`View`]s that are folded on read, or not up to date) then reads no other.
    /// What an event's key has to do with its stream or tags is known here alone, so it must be right: a debug
    /// build checks it with every event it folds.
    fn found_by(key: &Self::Key) -> Option<QueryItem> {
        let _ = key;
        None
    }
}

/// What can be kept as a document and read again. By a name of its own: the compiler tells of serde's traits in the
/// place of it as if [`View`] were sealed.
#[doc(hidden)]
pub trait Kept: Serialize + DeserializeOwned {}

impl<D: Serialize + DeserializeOwned> Kept for D {}

/// Events that a view can read: a `derive(Event)` enum, a `derive(Subset)` one, or `Recorded<..>` of either.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the events of a view",
    label = "not an event enum or a subset of one, or not `Sync`",
    note = "a `derive(Event)` or `derive(Subset)` enum, or `Recorded<..>` over one"
)]
pub trait ViewEvent: EventSet + Sync {}

#[diagnostic::do_not_recommend]
impl<E: EventSet + Sync> ViewEvent for E {}

/// When a read model is brought up to date, as its commands' senders see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Soon after the commit.
    #[default]
    Async,
    /// Before the sender is answered, if that does not take uncommonly long: the answer says whether it did.
    Wait,
}

/// What becomes of an event that a projection cannot apply, after it was tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// It is parked, and later events of its key wait behind it. Other keys go on.
    #[default]
    Park,
    /// The projection stops there.
    Stop,
}

/// The event in a record, if it is of the set.
///
/// # Errors
/// When this build cannot read it, or it is an event of the set's context that this build does not know.
#[doc(hidden)]
pub fn read<E: EventSet>(record: &RecordedEvent) -> Result<Option<E>, DecodeError> {
    if event::is_unknown::<E>(record) {
        return Err(DecodeError::Unknown { name: record.event_type.to_string(), position: record.position });
    }
    E::decode(record)
}

/// The names and kinds that make up the stored form of a document.
#[doc(hidden)]
pub fn form<V: View>() -> String {
    shape::of::<V>()
}
