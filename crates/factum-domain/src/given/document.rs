//! Owns how a document of a view follows from what is given: folded as a projection folds it, and held to what a
//! view must keep to.

use super::Given;
use crate::{View, ViewKey as _, view};
use factum_event::Position;

impl Given {
    /// The document of a view under a key as these events make it; none if there is none.
    ///
    /// Events pass through their stored form, and after each event so does the document, as it would between two
    /// runs of an application: what serde leaves out is not there.
    ///
    /// ```
    /// # use factum_domain::{DecodeError, Event, EventDescriptor, EventSet, Events, View, given_nothing};
    /// # use factum_event::{QueryItem, RecordedEvent, StreamName, Value};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Clone, Debug, Serialize, Deserialize)]
    /// # struct Deposited { account: u64, cents: u64 }
    /// # impl EventSet for Deposited {
    /// #     const TYPES: &'static [EventDescriptor] = &[];
    /// #     fn decode(record: &RecordedEvent) -> Result<Option<Self>, DecodeError> {
    /// #         Ok(serde_json::from_slice(&record.payload).ok())
    /// #     }
    /// # }
    /// # fn deposited(account: u64, cents: u64) -> factum_event::NewEvent {
    /// #     let payload = serde_json::to_vec(&Deposited { account, cents }).unwrap();
    /// #     let stream = StreamName::new(format!("account-{account}")).unwrap();
    /// #     factum_event::NewEvent::json(stream, factum_event::EventType::new("bank.deposited").unwrap(), payload)
    /// # }
    /// # #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    /// # struct Balance { cents: u64 }
    /// # impl View for Balance {
    /// #     const NAME: &'static str = "balances";
    /// #     const VERSION: u32 = 1;
    /// #     type Event = Deposited;
    /// #     type Key = u64;
    /// #     fn keys(event: &Deposited) -> Vec<u64> { vec![event.account] }
    /// #     fn apply(&mut self, _: &u64, event: &Deposited) { self.cents += event.cents }
    /// # }
    /// let given = given_nothing().and([deposited(1, 5), deposited(2, 9), deposited(1, 2)]);
    /// assert_eq!(given.document::<Balance>(1), Some(Balance { cents: 7 }));
    /// assert_eq!(given.document::<Balance>(3), None);
    /// ```
    ///
    /// # Panics
    /// When a given event does not read back from its stored form, or is one that the view's context does not
    /// know; when [`View::found_by`] does not find an event that [`View::keys`] says belongs to a key; when
    /// [`View::indexed`] does not give a value for each of [`View::INDEXES`]; when a document does not read back
    /// from its stored form; when the view's own code does.
    #[track_caller]
    pub fn document<V: View>(&self, key: V::Key) -> Option<V> {
        let mut document: Option<V> = None;
        for record in &self.log {
            let event = match view::read::<V::Event>(record) {
                Ok(Some(event)) => event,
                Ok(None) => continue,
                Err(cause) => panic!("a given event does not read back from its stored form: {cause}"),
            };
            let keys = V::keys(&event);
            for key in &keys {
                let found = V::found_by(key)
                    .is_none_or(|item| item.matches(&record.event_type, &record.tags, &record.stream));
                let (name, key, position) = (V::NAME, key.text(), record.position);
                assert!(
                    found,
                    "view `{name}`: `found_by` does not find the event at {position}, which `keys` says belongs to \
                     `{key}`: its key would be read without it"
                );
            }
            if keys.contains(&key) {
                let mut changed = document.take().unwrap_or_else(|| V::start(&key));
                changed.apply(&key, &event);
                document = Some(changed)
                    .filter(|document| !document.is_gone())
                    .map(|document| read_back(&document, record.position));
            }
        }
        document
    }
}

/// The document as it is read after it was kept.
#[track_caller]
fn read_back<V: View>(document: &V, position: Position) -> V {
    let (name, values, indexes) = (V::NAME, document.indexed().len(), V::INDEXES.len());
    assert!(
        values == indexes,
        "view `{name}`: `indexed` gives {values} values for {indexes} indexes, after the event at {position}: give \
         one for each of `INDEXES`"
    );
    let stored = match serde_json::to_vec(document) {
        Ok(stored) => stored,
        Err(cause) => {
            panic!("view `{name}`: its document after the event at {position} cannot be stored: {cause}")
        }
    };
    match serde_json::from_slice(&stored) {
        Ok(read) => read,
        Err(cause) => panic!(
            "view `{name}`: its document after the event at {position} does not read back from its stored form: \
             {cause}"
        ),
    }
}
