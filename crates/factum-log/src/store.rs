//! The log as a store. Reads are done at once, in the thread that polls: they are memory or a page of a file.

use crate::{
    error::failed_read,
    log::Log,
    queue::{Done, Promise},
    segment::Segment,
};
use factum_event::{
    CommandId, Commit, CorrelationId, EventId, LogIdentity, Position, Query, RecordedEvent, Revision,
    Sequence, Source, StreamName,
};
use factum_store::{
    Append, BoxFuture, CommitPage, Families, Head, PAGE_EVENTS_MAX, Page, ReadOptions, Store, StoreError,
    Verdict,
};
use std::{
    future::{poll_fn, ready},
    sync::Arc,
};

impl Store for Log {
    fn identity(&self) -> LogIdentity {
        self.follower.as_ref().map_or(self.engine.identity, |follower| follower.identity())
    }

    fn families(&self) -> Families {
        Families { total_order: true, global_conditions: true, several_streams: true, durable: true }
    }

    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        Box::pin(async move {
            let promise = Arc::new(Promise::default());
            match self.queue(batch, || Done::Future(Arc::clone(&promise))) {
                Ok(()) => poll_fn(|context| promise.poll(context)).await.verdicts,
                Err(refused) => refused,
            }
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(ready(Ok(self.published())))
    }

    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(async move { self.engine.read_page(query, options) })
    }

    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>> {
        let revision = move || self.engine.ask(|index, head| index.revision(stream, at.min(head.position)));
        Box::pin(async move { Ok(revision()) })
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>> {
        Box::pin(async move { self.engine.read_event(id) })
    }

    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        Box::pin(async move {
            self.engine.read_commits(limit, |_, head| {
                Box::new((after.get()..head.sequence.get()).map(|before| Sequence::new(before + 1)))
            })
        })
    }

    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>> {
        Box::pin(async move {
            let (mut commits, mut after) = (Vec::new(), Sequence::START);
            loop {
                let page = self.engine.read_commits(PAGE_EVENTS_MAX, |index, _| {
                    Box::new(index.commits_of(command).filter(move |sequence| *sequence > after))
                })?;
                commits.extend(page.commits);
                match page.next {
                    Some(next) => after = next,
                    None => return Ok(commits),
                }
            }
        })
    }

    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        Box::pin(async move {
            self.engine.read_commits(limit, |index, _| Box::new(index.correlated(correlation, after)))
        })
    }

    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        let progress = move || self.engine.ask(|index, head| index.progress(source, head.sequence));
        Box::pin(async move { Ok(progress().map(|(reached, _)| reached)) })
    }

    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(async move {
            match &self.follower {
                Some(follower) => follower.appended(after).await,
                None => Ok(self.engine.watch.after(after).await),
            }
        })
    }

    /// The sum of its segments, with the room that the last one was given ahead, if it was.
    fn bytes(&self) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        Box::pin(async move {
            let segments = self.engine.index().segments();
            let length =
                |segment: &Segment| segment.file.len().map_err(|error| failed_read(&segment.name, &error));
            segments.iter().map(length).sum::<Result<u64, _>>().map(Some)
        })
    }
}
