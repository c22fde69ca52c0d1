//! A store whose appends pass through the test's hands, to lose answers and to lose races on purpose.

use factum::store::{Append, BoxFuture, CommitPage, Families, Head, Page, ReadOptions, Store, Verdict};
use factum::{
    CommandId, Commit, CorrelationId, EventId, LogIdentity, Position, Query, RecordedEvent, Revision,
    Sequence, Source, StoreError, StreamName,
};
use std::{fmt, sync::Arc};

type Appending = dyn for<'a> Fn(&'a dyn Store, Vec<Append>) -> BoxFuture<'a, Vec<Verdict>> + Send + Sync;

/// A store with another way to append; everything else goes to the store behind it.
pub struct Intercepted {
    inner: Arc<dyn Store>,
    append: Box<Appending>,
}

impl Intercepted {
    /// Appends by `append`, which is given the store behind.
    pub fn new(
        inner: Arc<dyn Store>,
        append: impl for<'a> Fn(&'a dyn Store, Vec<Append>) -> BoxFuture<'a, Vec<Verdict>> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, append: Box::new(append) }
    }
}

impl fmt::Debug for Intercepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intercepted").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Store for Intercepted {
    fn identity(&self) -> LogIdentity {
        self.inner.identity()
    }

    fn families(&self) -> Families {
        self.inner.families()
    }

    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        (self.append)(&*self.inner, batch)
    }

    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        self.inner.head()
    }

    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        self.inner.read(query, options)
    }

    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>> {
        self.inner.revision(stream, at)
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>> {
        self.inner.event(id)
    }

    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        self.inner.commits(after, limit)
    }

    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>> {
        self.inner.commits_of(command)
    }

    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        self.inner.correlated(correlation, after, limit)
    }

    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        self.inner.progress(source)
    }

    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>> {
        self.inner.appended(after)
    }

    fn bytes(&self) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        self.inner.bytes()
    }
}
