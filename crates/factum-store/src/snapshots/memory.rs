//! Snapshots that live as long as the value does.

use super::{SnapshotKey, SnapshotStore, StoredSnapshot};
use crate::{BoxFuture, StoreError};
use std::{
    collections::HashMap,
    future::ready,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// So many are kept at the most; a further one is not.
pub const MEMORY_SNAPSHOTS_MAX: usize = 65_536;

/// Snapshots in memory: for applications whose log is there too, and for tests.
#[derive(Debug, Default)]
pub struct MemorySnapshots(Mutex<HashMap<SnapshotKey, StoredSnapshot>>);

impl MemorySnapshots {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<SnapshotKey, StoredSnapshot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SnapshotStore for MemorySnapshots {
    fn get<'a>(&'a self, key: &'a SnapshotKey) -> BoxFuture<'a, Result<Option<StoredSnapshot>, StoreError>> {
        Box::pin(async move { Ok(self.kept().get(key).cloned()) })
    }

    fn put(&self, key: SnapshotKey, snapshot: StoredSnapshot, every: u64) {
        let mut kept = self.kept();
        let stays = match kept.get(&key) {
            Some(before) => snapshot.comes_too_soon_after(before, every),
            None => kept.len() >= MEMORY_SNAPSHOTS_MAX,
        };
        if !stays {
            kept.insert(key, snapshot);
        }
    }

    fn forget(&self, key: SnapshotKey) {
        self.kept().remove(&key);
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}
