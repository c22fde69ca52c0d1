//! Where read models are kept: tables or documents that follow from a log, each with the checkpoint up to which
//! they do. Never a truth: whatever is in here can be made again from the log.
//!
//! A *build* is one making of one version of a projection. It has tables of its own, so that a new build is made
//! beside the one that is read. What changes in one [`BuildTx`], the tables, what is parked and the checkpoint,
//! changes together or not at all, and only for who [claimed](ReadModel::claim) the build last.
//!
//! A store of read models passes [`checks::run`].

pub mod checks;
mod content;
mod memory;
mod refusals;
mod sql;

pub use content::{Body, Content};
pub use memory::MemoryReadModels;
pub use sql::{Row, Sql, Tx};

use crate::{BoxFuture, StoreError};
use bytes::Bytes;
use factum_event::{LogIdentity, Position, Timestamp, Value};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Most bytes of one document, as it is stored.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most bytes of a document's key, or of what parked events wait by.
pub const DOCUMENT_KEY_BYTES_MAX: usize = 2048;
/// Most rows that one query answers with.
pub const ROWS_MAX: usize = 100_000;

/// One making of one version of a projection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Build {
    /// The projection: small letters, digits and `-`.
    pub projection: Arc<str>,
    /// Its version.
    pub version: u32,
    /// Which making, from 1; never given twice for one projection.
    pub number: u32,
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.projection, self.version, self.number)
    }
}

/// What a build holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    /// Documents by their key, found by the values of these indexes too.
    Documents {
        /// Their names.
        indexes: &'static [&'static str],
        /// The form of the documents: a build made for another is not gone on with.
        form: String,
    },
    /// Whatever these statements make.
    Sql {
        /// Portable statements, with `;` between them.
        schema: &'static str,
    },
}

/// Up to where a build holds what follows from a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, and which life of it.
    pub log: LogIdentity,
    /// Every event up to here was applied, or is parked.
    pub position: Position,
}

/// A document as it is kept.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it is found by.
    pub key: Arc<str>,
    /// What it says.
    pub body: Body,
    /// The last event that was folded into it.
    pub changed_at: Position,
    /// The values of the indexes, in their order.
    pub indexed: Vec<Value>,
}

/// What was read, and where in the log it holds.
#[derive(Clone, Debug)]
pub struct Reading<T> {
    /// What was read.
    pub value: T,
    /// How far the build had come at that moment; none before its first page.
    pub checkpoint: Option<Checkpoint>,
}

/// Which documents to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// Those for which the indexes with these numbers have these values.
    pub equal: Vec<(usize, Value)>,
    /// By the value of the index with this number, then by key; by key alone if none.
    pub order: Option<usize>,
    /// From the last to the first.
    pub backwards: bool,
    /// Only what comes after the document with this value of the ordering index and this key. Without an order
    /// the value is of no account.
    pub after: Option<(Value, Arc<str>)>,
    /// At most so many.
    pub limit: usize,
}

/// An event that was not applied under a key: because it could not be, or because an earlier one of the key
/// was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// The event.
    pub position: Position,
    /// What later events wait by.
    pub key: Arc<str>,
    /// Why it could not be applied; none if it only waits behind an earlier one.
    pub cause: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was parked.
    pub at: Timestamp,
}

/// Which parked events to list, in the order of position and key.
#[derive(Clone, Debug, Default)]
pub struct ParkedQuery {
    /// Of this key; of any if none.
    pub key: Option<Arc<str>>,
    /// Only those that could not be applied, not those that wait behind them.
    pub failed_only: bool,
    /// Only what comes after this one.
    pub after: Option<(Position, Arc<str>)>,
    /// At most so many.
    pub limit: usize,
}

/// Who writes a build, and from where on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Larger than that of everyone before.
    pub fence: u64,
    /// How far the build has come.
    pub checkpoint: Option<Checkpoint>,
}

/// Why a transaction was not kept. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Another has claimed the build since.
    #[error("another runner has taken over build {build}: this one writes no more")]
    Fenced {
        /// Which.
        build: Build,
    },
    /// The database could not keep it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The read models of one application.
pub trait ReadModels: fmt::Debug + Send + Sync + 'static {
    /// The builds of a projection that are kept, in the order of their numbers.
    fn builds<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Vec<Build>, StoreError>>;

    /// The build, made empty if it is not there. Refused, of kind `FixInput`, if it was made for other tables;
    /// of kind `RepairData`, if it is damaged.
    fn open<'a>(
        &'a self,
        build: &'a Build,
        tables: &'a Tables,
    ) -> BoxFuture<'a, Result<Arc<dyn ReadModel>, StoreError>>;

    /// The build as it is kept, whatever it was made for; none if it is not there.
    fn find<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<Option<Arc<dyn ReadModel>>, StoreError>>;

    /// Takes a build away. Who has it open can read on in it.
    fn remove<'a>(&'a self, build: &'a Build) -> BoxFuture<'a, Result<(), StoreError>>;

    /// What was noted of a projection last.
    fn notes<'a>(&'a self, projection: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, StoreError>>;

    /// Notes something of a projection, in place of what was noted before. On stable storage when it is done.
    fn note<'a>(&'a self, projection: &'a str, notes: Bytes) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// One build. Reads are of one moment each, and never wait for who writes.
pub trait ReadModel: fmt::Debug + Send + Sync + 'static {
    /// Which.
    fn build(&self) -> &Build;

    /// Becomes who writes it: whoever claimed it before writes no more.
    fn claim(&self) -> BoxFuture<'_, Result<Claim, StoreError>>;

    /// Begins to write, for who has this fence. One at a time; dropped without a commit, nothing of it is kept.
    /// A store may refuse an outdated fence here already, with [`Build::fenced`].
    fn begin(&self, fence: u64) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>>;

    /// Begins to write what is never kept, to look at it: its commit is refused.
    fn scratch(&self) -> BoxFuture<'_, Result<Box<dyn BuildTx>, StoreError>>;

    /// How far it has come.
    fn checkpoint(&self) -> BoxFuture<'_, Result<Option<Checkpoint>, StoreError>>;

    /// The document under a key.
    fn document<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Reading<Option<Document>>, StoreError>>;

    /// Documents, in order.
    fn documents<'a>(
        &'a self,
        listing: &'a Listing,
    ) -> BoxFuture<'a, Result<Reading<Vec<Document>>, StoreError>>;

    /// The rows of a query, which cannot write. Refused if there are more than [`ROWS_MAX`].
    fn rows<'a>(
        &'a self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Reading<Vec<Row>>, StoreError>>;

    /// Parked events.
    fn parked<'a>(&'a self, query: &'a ParkedQuery) -> BoxFuture<'a, Result<Vec<Parked>, StoreError>>;

    /// How many events could not be applied, and how many wait behind one.
    fn parked_counts(&self) -> BoxFuture<'_, Result<(u64, u64), StoreError>>;

    /// The keys that events wait by, at most `limit`.
    fn parked_keys(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>>;
}

/// Changes to a build that are kept together, with its checkpoint.
pub trait BuildTx: Send {
    /// Carries out a statement and tells how many rows it changed.
    fn execute<'a>(&'a mut self, sql: &'a str, values: Vec<Value>) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// The rows of a query, with what was changed so far.
    fn rows<'a>(
        &'a mut self,
        sql: &'a str,
        values: Vec<Value>,
    ) -> BoxFuture<'a, Result<Vec<Row>, StoreError>>;

    /// The document under a key, with what was changed so far.
    fn document<'a>(&'a mut self, key: &'a str) -> BoxFuture<'a, Result<Option<Document>, StoreError>>;

    /// Keeps documents, each in place of the one under its key.
    fn put(&mut self, documents: Vec<Document>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Takes documents out.
    fn remove<'a>(&'a mut self, keys: &'a [Arc<str>]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Keeps these events as parked, each in place of the one of its position and key.
    fn park(&mut self, parked: Vec<Parked>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// This event is parked under this key no more.
    fn unpark<'a>(&'a mut self, position: Position, key: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Keeps all of it, with this checkpoint; with the one before, if none is given.
    fn commit(self: Box<Self>, checkpoint: Option<Checkpoint>)
    -> BoxFuture<'static, Result<(), CommitError>>;
}
