//! The port itself: what is asked of a log, and in which words it answers.

use crate::{AppendError, StoreError};
use factum_event::{
    CommandId, Commit, Condition, CorrelationId, EventId, InvalidCommit, LogIdentity, NewCommit, Position,
    Query, RecordedEvent, Revision, Sequence, Source, StreamName, Timestamp, limits,
};
use std::{fmt, future::ready, pin::Pin};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Most events a page holds, whatever was asked.
pub const PAGE_EVENTS_MAX: usize = 4096;
/// A page ends after the event that brings its payloads to this many bytes.
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A commit, and what must hold for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// What is to be stored.
    pub commit: NewCommit,
    /// What must hold.
    pub condition: Condition,
}

impl Append {
    /// Whether a store takes it. Every store calls this before it looks at anything else.
    ///
    /// # Errors
    /// [`AppendError::Invalid`] or [`AppendError::InvalidCondition`], naming the part at fault.
    pub fn check(&self) -> Result<(), AppendError> {
        self.commit.check()?;
        self.condition.check().map_err(AppendError::InvalidCondition)
    }

    /// Whether a store takes a batch of so many. If not, this is the verdict on each of them.
    ///
    /// # Errors
    /// [`AppendError::Invalid`] when there are more than [`limits::COMMITS_PER_APPEND_MAX`].
    pub fn check_batch(commits: usize) -> Result<(), AppendError> {
        if commits <= limits::COMMITS_PER_APPEND_MAX {
            return Ok(());
        }
        let what = "an append, in commits,".to_owned();
        let too_large =
            InvalidCommit::TooLarge { what, actual: commits, max: limits::COMMITS_PER_APPEND_MAX };
        Err(too_large.into())
    }
}

/// Where a commit came to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Among commits.
    pub sequence: Sequence,
    /// When.
    pub recorded_at: Timestamp,
    /// The position of its first event; the others follow it. The head at that moment if it has none.
    pub first: Position,
    /// The revision of each event in its stream.
    pub revisions: Vec<Revision>,
}

/// What became of one commit of a batch.
pub type Verdict = Result<Stored, AppendError>;

/// How far a log has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its last event.
    pub position: Position,
    /// Its last commit.
    pub sequence: Sequence,
}

/// Which part of what matches to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// Only events after this position.
    pub after: Position,
    /// Only events up to this position; up to the head if none.
    pub up_to: Option<Position>,
    /// From the last to the first.
    pub backwards: bool,
    /// At most so many, and 0 counts as 1; a page may hold fewer, see [`Page::next`].
    pub limit: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { after: Position::START, up_to: None, backwards: false, limit: PAGE_EVENTS_MAX }
    }
}

/// A page of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, in order.
    pub events: Vec<RecordedEvent>,
    /// The head that the page was read at: all that matches up to it was considered.
    pub head: Position,
    /// Where to go on, if more may match: as `after`, or reading backwards as `up_to`.
    pub next: Option<Position>,
}

/// A page of commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPage {
    /// The commits, in order.
    pub commits: Vec<Commit>,
    /// Where to go on, as `after`, if there may be more.
    pub next: Option<Sequence>,
}

/// Families of promises that a backend claims. Code that needs one does not compile against, or does not
/// start on, a backend without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// One order over all events (L1, L3).
    pub total_order: bool,
    /// Conditions over any query (L6, L7, L18).
    pub global_conditions: bool,
    /// Events of several streams in one commit (L2, L9).
    pub several_streams: bool,
    /// What is acknowledged survives the process (L17).
    pub durable: bool,
}

/// A log of commits.
///
/// Every method may be called from any thread. A dropped `append` future leaves the commit either stored
/// or not, as [`AppendError::Unknown`] does.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Which log this is.
    fn identity(&self) -> LogIdentity;

    /// What it claims.
    fn families(&self) -> Families;

    /// Appends each commit if its condition holds, in order, and gives a verdict for each.
    ///
    /// A commit is refused for the first of these that applies: it is not valid ([`Append::check`]), its
    /// command was decided, a part of its condition fails (in the order of [`Condition`]'s fields), an event
    /// id is taken. A batch over the bound is refused whole ([`Append::check_batch`]).
    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>>;

    /// How far the log has come.
    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>>;

    /// Events that match `query`, a page at a time.
    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>>;

    /// The last revision that `stream` had when the head stood at `at`.
    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>>;

    /// The event with this id.
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>>;

    /// Commits after a place, at most `limit`, of which 0 counts as 1.
    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>>;

    /// Every commit of one command, in order. A decided command's last one is final.
    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>>;

    /// Commits of one correlation after a place, at most `limit`, of which 0 counts as 1.
    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>>;

    /// How far `source` has been applied.
    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>>;

    /// Waits until there is a commit after `after`, then tells the head.
    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>>;

    /// How many bytes the log takes where it is kept; none where that is not known.
    fn bytes(&self) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        Box::pin(ready(Ok(None)))
    }
}
