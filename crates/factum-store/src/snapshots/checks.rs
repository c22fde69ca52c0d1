//! What every store of snapshots keeps to, whatever it is made of.
//!
//! ```
//! use factum_store::snapshots::{MemorySnapshots, checks};
//! use std::sync::Arc;
//!
//! checks::run(|| Arc::new(MemorySnapshots::new()));
//! ```

use super::{SnapshotKey, SnapshotStore, StoredSnapshot};
use crate::block_on;
use factum_event::{EventId, LogId, Position};
use std::sync::Arc;
use uuid::Uuid;

/// Runs all checks, each on what `fresh` makes: a store that keeps nothing yet.
///
/// # Panics
/// When one fails; the message says which claim does not hold.
pub fn run(fresh: impl Fn() -> Arc<dyn SnapshotStore>) {
    let checks: [fn(&dyn SnapshotStore); 7] = [
        what_was_put_is_given_back_whole,
        nothing_is_given_where_nothing_was_put,
        a_later_one_takes_the_place_of_an_earlier_one,
        one_that_comes_too_soon_is_not_kept,
        one_of_another_make_is_kept_at_once,
        keys_are_told_apart_in_every_part,
        what_is_forgotten_is_not_given,
    ];
    checks.iter().for_each(|check| check(&*fresh()));
}

/// A snapshot's key, as checks use them.
pub fn key(log: u128, model: &str, scope: &str) -> SnapshotKey {
    SnapshotKey { log: LogId::new(Uuid::from_u128(log)), model: model.into(), scope: scope.into() }
}

/// A sealed snapshot with so many events, as checks use them.
pub fn snapshot(key: &SnapshotKey, events: u64) -> StoredSnapshot {
    let snapshot = StoredSnapshot {
        generation: 3,
        version: 7,
        shape: u64::MAX - 1,
        event: EventId::new(Uuid::from_u128(u128::MAX - u128::from(events))),
        position: Position::new(events * 10),
        events,
        state: events.to_string().repeat(9).into_bytes().into(),
        checksum: 0,
    };
    snapshot.seal(key)
}

/// What is kept under `key`, once all is settled.
///
/// # Panics
/// When the store cannot be read.
pub fn kept(store: &dyn SnapshotStore, key: &SnapshotKey) -> Option<StoredSnapshot> {
    block_on(async {
        store.settled().await;
        store.get(key).await.expect("a healthy store can be read")
    })
}

fn what_was_put_is_given_back_whole(store: &dyn SnapshotStore) {
    let states = [Vec::new(), vec![0, 255, 10, 39], vec![7; 1_000_000]];
    for (log, state) in (u128::MAX - 9..).zip(states) {
        let key = key(log, "shop::Basket<'a>", "stream \"basket-\u{1f9fa}\"");
        let put = StoredSnapshot { state: state.into(), ..snapshot(&key, 5) }.seal(&key);
        store.put(key.clone(), put.clone(), 1);
        let given = kept(store, &key).expect("what was put is kept");
        // A large state would drown the message.
        assert!(given == put && given.is_whole(&key), "what was put is given back whole");
    }
}

fn nothing_is_given_where_nothing_was_put(store: &dyn SnapshotStore) {
    assert_eq!(kept(store, &key(1, "a", "b")), None, "nothing is given where nothing was put");
}

fn a_later_one_takes_the_place_of_an_earlier_one(store: &dyn SnapshotStore) {
    let key = key(1, "a", "b");
    for events in [10, 20, 35] {
        store.put(key.clone(), snapshot(&key, events), 10);
        let given = kept(store, &key).map(|snapshot| snapshot.events);
        assert_eq!(given, Some(events), "a later one takes the place of an earlier one");
    }
}

fn one_that_comes_too_soon_is_not_kept(store: &dyn SnapshotStore) {
    let key = key(1, "a", "b");
    for events in [10, 19, 10, 3] {
        store.put(key.clone(), snapshot(&key, events), 10);
        let given = kept(store, &key).map(|snapshot| snapshot.events);
        assert_eq!(given, Some(10), "of one make one is kept per so many events");
    }
}

fn one_of_another_make_is_kept_at_once(store: &dyn SnapshotStore) {
    let key = key(1, "a", "b");
    let first = snapshot(&key, 10);
    let others = [
        StoredSnapshot { generation: 4, ..first.clone() },
        StoredSnapshot { version: 6, ..first.clone() },
        StoredSnapshot { shape: 1, ..first.clone() },
    ];
    for other in others {
        let other = other.seal(&key);
        store.forget(key.clone());
        store.put(key.clone(), first.clone(), 10);
        store.put(key.clone(), other.clone(), 10);
        assert_eq!(kept(store, &key), Some(other), "one of another make is kept at once");
    }
}

fn keys_are_told_apart_in_every_part(store: &dyn SnapshotStore) {
    let keys =
        [key(1, "ab", "c"), key(1, "a", "bc"), key(2, "ab", "c"), key(1, "AB", "c"), key(1, "ab", "c ")];
    for (events, key) in (1..).zip(&keys) {
        store.put(key.clone(), snapshot(key, events), 1);
    }
    for (events, key) in (1..).zip(&keys) {
        assert_eq!(kept(store, key), Some(snapshot(key, events)), "keys are told apart in every part");
    }
}

fn what_is_forgotten_is_not_given(store: &dyn SnapshotStore) {
    let (one, other) = (key(1, "a", "b"), key(1, "a", "c"));
    store.put(one.clone(), snapshot(&one, 10), 10);
    store.put(other.clone(), snapshot(&other, 10), 10);
    store.forget(one.clone());
    assert_eq!(kept(store, &one), None, "what is forgotten is not given");
    assert!(kept(store, &other).is_some(), "nothing else is forgotten");
    store.put(one.clone(), snapshot(&one, 1), 10);
    assert!(kept(store, &one).is_some(), "after forgetting anything is kept again");
}
