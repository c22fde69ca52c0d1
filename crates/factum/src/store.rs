//! The port behind an application: for those who bring a store, test one, or read a log themselves.

pub use factum_store::{
    Append, AppendError, AppendObserver, BoxFuture, CommitPage, Families, GroupMeasure, Head,
    MemoryReadModels, MemorySnapshots, MemoryStore, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Page, ReadModel,
    ReadModels, ReadOptions, SnapshotKey, SnapshotStore, Store, Stored, StoredSnapshot, SystemClock,
    SystemEntropy, SystemMonotonic, Verdict, conformance, fresh_command_id, read_models, snapshots,
};
