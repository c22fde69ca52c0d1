//! Where states of models are kept beside a log, so that a long history need not be folded again. Never a
//! truth: whatever is in here may be lost at any time, and who takes something out proves it against the log.
//!
//! A store of snapshots passes [`checks::run`].

pub mod checks;
mod memory;

pub use memory::{MEMORY_SNAPSHOTS_MAX, MemorySnapshots};

use crate::{BoxFuture, StoreError};
use bytes::Bytes;
use factum_event::{EventId, LogId, Position};
use std::{fmt, sync::Arc};
use xxhash_rust::xxh3::Xxh3Default;

/// Most bytes of one state that are kept.
pub const SNAPSHOT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a snapshot is of. One is kept for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotKey {
    /// The log that the state was folded from.
    pub log: LogId,
    /// The model.
    pub model: Arc<str>,
    /// The events it was folded from: the boundary and the key that drew it.
    pub scope: Arc<str>,
}

/// A state, and what must be so for it to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// The generation of the log.
    pub generation: u32,
    /// The version of the fold.
    pub version: u32,
    /// A fingerprint of the state's form and of the events that are folded.
    pub shape: u64,
    /// The last event in the state.
    pub event: EventId,
    /// Where it stands in the log: the state holds everything in its scope up to here.
    pub position: Position,
    /// How many events are in the state.
    pub events: u64,
    /// The state, serialised.
    pub state: Bytes,
    /// Over all of the above and the key, see [`Self::seal`].
    pub checksum: u64,
}

impl StoredSnapshot {
    /// With its checksum, under `key`.
    #[must_use]
    pub fn seal(mut self, key: &SnapshotKey) -> Self {
        self.checksum = self.sum(key);
        self
    }

    /// Whether it is as it was sealed, under that key.
    pub fn is_whole(&self, key: &SnapshotKey) -> bool {
        self.checksum == self.sum(key)
    }

    /// Whether a snapshot that is kept stays in place of this one: it is of the same make, and this one is not
    /// `every` events further.
    pub fn comes_too_soon_after(&self, kept: &Self, every: u64) -> bool {
        let make = |snapshot: &Self| (snapshot.generation, snapshot.version, snapshot.shape);
        make(self) == make(kept) && self.events < kept.events.saturating_add(every)
    }

    fn sum(&self, key: &SnapshotKey) -> u64 {
        let mut sum = Xxh3Default::new();
        let log = key.log.get();
        let texts = [log.as_bytes().as_slice(), key.model.as_bytes(), key.scope.as_bytes(), &self.state];
        for text in texts {
            sum.update(&(text.len() as u64).to_le_bytes());
            sum.update(text);
        }
        let numbers = [u64::from(self.generation), u64::from(self.version), self.shape];
        let numbers = numbers.into_iter().chain([self.position.get(), self.events]);
        numbers.for_each(|number| sum.update(&number.to_le_bytes()));
        sum.update(self.event.get().as_bytes());
        sum.digest()
    }
}

/// Keeps snapshots.
///
/// Writing is done later, or not at all: who puts one never waits, and never hears of an error; the
/// implementation logs it. Every method may be called from any thread.
pub trait SnapshotStore: fmt::Debug + Send + Sync + 'static {
    /// What is kept under `key`. What was put just now may be missing.
    fn get<'a>(&'a self, key: &'a SnapshotKey) -> BoxFuture<'a, Result<Option<StoredSnapshot>, StoreError>>;

    /// Keeps `snapshot` in place of what is kept under `key`, unless it
    /// [comes too soon](StoredSnapshot::comes_too_soon_after) after that.
    fn put(&self, key: SnapshotKey, snapshot: StoredSnapshot, every: u64);

    /// Keeps nothing under `key`.
    fn forget(&self, key: SnapshotKey);

    /// Ready once all that was asked before is done or given up.
    fn settled(&self) -> BoxFuture<'_, ()>;
}
