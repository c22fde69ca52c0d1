//! A store that counts what is read of it.

use factum::store::{Append, BoxFuture, CommitPage, Families, Head, Page, ReadOptions, Store, Verdict};
use factum::{
    CommandId, Commit, CorrelationId, EventId, LogIdentity, Position, Query, RecordedEvent, Revision,
    Sequence, Source, StoreError, StreamName,
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A store that counts; everything goes to the store behind it.
#[derive(Debug)]
pub struct Counted {
    inner: Arc<dyn Store>,
    reads: AtomicUsize,
    events: AtomicUsize,
}

impl Counted {
    /// Counts what is read of `inner` through it.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, reads: AtomicUsize::new(0), events: AtomicUsize::new(0) }
    }

    /// How many pages of events were read, and how many events they held, since this was last asked.
    pub fn take(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::SeqCst), self.events.swap(0, Ordering::SeqCst))
    }
}

impl Store for Counted {
    fn identity(&self) -> LogIdentity {
        self.inner.identity()
    }

    fn families(&self) -> Families {
        self.inner.families()
    }

    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        self.inner.append(batch)
    }

    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        self.inner.head()
    }

    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(async move {
            let page = self.inner.read(query, options).await?;
            self.reads.fetch_add(1, Ordering::SeqCst);
            self.events.fetch_add(page.events.len(), Ordering::SeqCst);
            Ok(page)
        })
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
}
