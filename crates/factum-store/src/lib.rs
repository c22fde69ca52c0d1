//! The store port: what a log promises to the platform above it, whatever it is made of.
//!
//! A store implements [`Store`] and passes [`conformance`]. The reference is [`MemoryStore`].
//!
//! # Promises
//!
//! Each conformance test cites the numbers it holds; for each number the suite carries a broken store
//! that it must catch.
//!
//! - **L1** Positions number events from 1 without gaps, sequences number commits from 1 without gaps, both in append order.
//! - **L2** A commit is stored whole or not at all: no reader ever sees a part of one.
//! - **L3** What was read once reads the same for ever, in order of position.
//! - **L4** Revisions of a stream are 0, 1, 2 ... without gaps, in order of position.
//! - **L5** Stream expectations hold at the moment of the append, else `WrongRevision` with the facts.
//! - **L6** `fresh` holds at the moment of the append: nothing matching stands after what was read, else `Stale` with where.
//! - **L7** `absent` holds at the moment of the append: nothing matching stands anywhere, else `AlreadyExists` with where.
//! - **L8** Tracked progress of a source only grows; what was applied before is `AlreadyApplied` with the commit.
//! - **L9** All parts of a condition hold together, and each commit of a batch is judged on its own, in order, on what those before it left.
//! - **L10** A read returns every event its query matches within its bounds, and no other; pages join without gap or repeat.
//! - **L11** A command has one final outcome; a second is `AlreadyDecided` with the first. Commits without events are as durable and as readable.
//! - **L12** What is over a limit is refused before the write, naming the part at fault; nothing of it is stored.
//! - **L13** Recorded time never runs backwards; effective time defaults to it.
//! - **L14** An event id is stored once, follows from command and index unless given, and finds its event.
//! - **L15** After `Stored`, every read sees the commit; the head never moves back; no reader sees beyond it.
//! - **L16** The whole envelope is read back as it was written.
//! - **L17** What was acknowledged is there after a reopen, and nothing else is.
//! - **L18** Conditions over disjoint boundaries never refuse each other.

mod block_on;
pub mod conformance;
mod error;
mod memory;
mod observe;
mod ports;
pub mod read_models;
pub mod snapshots;
mod store;
mod watch;

pub use block_on::block_on;
pub use error::{AppendError, ErrorKind, StoreError};
pub use memory::MemoryStore;
pub use observe::{AppendObserver, GroupMeasure};
pub use ports::{
    Clock, Entropy, Monotonic, SystemClock, SystemEntropy, SystemMonotonic, fresh_command_id, fresh_log_id,
};
pub use read_models::{
    Build, BuildTx, Checkpoint, CommitError, MemoryReadModels, ReadModel, ReadModels, Row, Sql, Tables, Tx,
};
pub use snapshots::{MemorySnapshots, SnapshotKey, SnapshotStore, StoredSnapshot};
pub use store::{
    Append, BoxFuture, CommitPage, Families, Head, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, Page, ReadOptions, Store,
    Stored, Verdict,
};
pub use watch::HeadWatch;
