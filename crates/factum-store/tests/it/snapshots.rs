//! The checks for stores of snapshots: the one in memory passes, and those that break a claim do not.

use factum_store::{
    BoxFuture, MemorySnapshots, SnapshotKey, SnapshotStore, StoreError, StoredSnapshot, snapshots::checks,
};
use std::{panic, sync::Arc};

#[test]
fn snapshots_in_memory_pass_the_checks() {
    checks::run(|| Arc::new(MemorySnapshots::new()));
}

/// What is changed on the way in, and on the way out.
#[derive(Debug, Default)]
struct Broken {
    inner: MemorySnapshots,
    put: Option<fn(&mut SnapshotKey, &mut StoredSnapshot, &mut u64)>,
    get: Option<fn(&mut SnapshotKey)>,
    remembers: bool,
}

impl SnapshotStore for Broken {
    fn get<'a>(&'a self, key: &'a SnapshotKey) -> BoxFuture<'a, Result<Option<StoredSnapshot>, StoreError>> {
        Box::pin(async move {
            let mut key = key.clone();
            self.get.inspect(|change| change(&mut key));
            self.inner.get(&key).await
        })
    }

    fn put(&self, mut key: SnapshotKey, mut snapshot: StoredSnapshot, mut every: u64) {
        self.put.inspect(|change| change(&mut key, &mut snapshot, &mut every));
        self.inner.put(key, snapshot, every);
    }

    fn forget(&self, key: SnapshotKey) {
        if !self.remembers {
            self.inner.forget(key);
        }
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        self.inner.settled()
    }
}

#[test]
fn a_store_that_breaks_a_claim_is_caught() {
    type Breaking = fn() -> Broken;
    let broken: [(&str, Breaking); 7] = [
        ("given back whole", || Broken {
            put: Some(|_, snapshot, _| {
                snapshot.state = snapshot.state.slice(..snapshot.state.len().min(999))
            }),
            ..Broken::default()
        }),
        ("given back whole", || Broken {
            put: Some(|_, snapshot, _| snapshot.shape &= u64::MAX >> 1),
            ..Broken::default()
        }),
        ("takes the place", || Broken { put: Some(|_, _, every| *every = u64::MAX), ..Broken::default() }),
        ("one is kept per", || Broken { put: Some(|_, _, every| *every = 0), ..Broken::default() }),
        ("another make is kept", || Broken {
            put: Some(|_, snapshot, _| snapshot.generation = 3),
            ..Broken::default()
        }),
        ("told apart in every part", || Broken {
            put: Some(|key, _, _| key.model = key.model.to_lowercase().into()),
            get: Some(|key| key.model = key.model.to_lowercase().into()),
            ..Broken::default()
        }),
        ("forgotten is not given", || Broken { remembers: true, ..Broken::default() }),
    ];
    for (claim, store) in broken {
        let told = panic::catch_unwind(|| checks::run(|| Arc::new(store()))).unwrap_err();
        let text = told.downcast_ref::<String>().map(String::as_str);
        let told = text.or_else(|| told.downcast_ref::<&str>().copied()).unwrap();
        assert!(told.contains(claim), "{claim}: {told}");
    }
}
