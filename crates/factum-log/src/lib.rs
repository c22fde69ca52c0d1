//! The embedded log engine: an append-only directory of segments with an index, one writer at a time, many
//! readers, no runtime. It is the reference for every other backend.
//!
//! A [`Log`] is a [`factum_store::Store`]. A commit is written whole, synced, and only then acknowledged and
//! shown to readers. After a crash of the process every acknowledged commit is there; after power loss too,
//! as far as the medium keeps what it said was synced. In `docs/internals`, `log-format.md` describes the bytes on
//! disk, `recovery.md` what opening does, `durability.md` what is synced when and what is assumed of the medium,
//! `log-costs.md` what it all costs.
//!
//! Knows no HTTP, no async runtime and no domain.

mod ahead;
mod copy;
mod cut;
mod decode;
mod encode;
mod engine;
mod error;
mod follower;
mod format;
mod frames;
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod inspect;
mod integrity;
pub mod limits;
mod log;
mod maintenance;
mod map;
mod options;
mod queue;
mod reader;
mod recovery;
mod scan;
mod seal;
mod segment;
mod select;
mod storage;
mod store;
mod sync;
mod verification;
mod view;
mod watermark;
mod window;
mod writer;

pub use copy::{COPY_FILES, Copied, CopiedSegment, CopyOptions, Told, copy, copy_on};
pub use cut::{Cut, Hold, durable_cut, durable_cut_on, exists, hold, hold_on};
pub use error::{Damage, IndexDamage, OpenError};
pub use format::{EventView, Tags};
pub use inspect::{Inspection, begin_generation, begin_generation_on, inspect, inspect_on};
pub use log::Log;
pub use maintenance::Maintenance;
pub use options::{Completing, Options};
pub use queue::Completions;
pub use recovery::{OpenReport, TornTail};
pub use storage::{FileMap, FileStorage, Medium, OpenMode, Storage, StorageFile, StorageLock};
pub use verification::{LogDigest, Verified, verify, verify_on};
pub use view::{CommitView, Events};
