//! The reference: a log in memory that is meant to be obviously right. Every check is a scan.

use crate::{
    Append, AppendError, BoxFuture, Clock, CommitPage, Entropy, Families, Head, HeadWatch, PAGE_BYTES_MAX,
    PAGE_EVENTS_MAX, Page, ReadOptions, Store, StoreError, Stored, SystemClock, SystemEntropy, Verdict,
    fresh_log_id,
};
use factum_event::{
    CommandId, Commit, CommitHeader, Condition, CorrelationId, EventId, LogIdentity, NewCommit, NewEvent,
    Position, Query, RecordedEvent, Revision, Sequence, Source, StreamName, Tag, Timestamp, Tracking,
};
use std::{
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A log that lives as long as the value does.
///
/// ```
/// use factum_store::{MemoryStore, Store, block_on};
/// let store = MemoryStore::new();
/// assert_eq!(block_on(store.head()).unwrap().position.get(), 0);
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    identity: LogIdentity,
    clock: Arc<dyn Clock>,
    log: Mutex<Log>,
    watch: HeadWatch,
}

/// Commits in order, and beside them the events they hold, in order.
#[derive(Debug, Default)]
struct Log {
    commits: Vec<Commit>,
    events: Vec<RecordedEvent>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty log on the system's clock.
    pub fn new() -> Self {
        Self::with_ports(Arc::new(SystemClock), &SystemEntropy)
    }

    /// An empty log on this clock, its id from this entropy.
    pub fn with_ports(clock: Arc<dyn Clock>, entropy: &dyn Entropy) -> Self {
        let identity = LogIdentity { log: fresh_log_id(entropy), generation: 1 };
        Self { identity, clock, log: Mutex::default(), watch: HeadWatch::default() }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn head(&self) -> Head {
        Head { position: count(self.events.len()), sequence: Sequence::new(self.commits.len() as u64) }
    }

    fn revision(&self, stream: &StreamName, at: Position) -> Option<Revision> {
        let of_stream = |event: &&RecordedEvent| event.position <= at && event.stream == *stream;
        self.events.iter().rev().find(of_stream).map(|event| event.revision)
    }

    fn progress(&self, source: &Source) -> Option<(u64, Sequence)> {
        let of_source = |commit: &Commit| match &commit.tracking {
            Some(tracking) if tracking.source == *source => Some((tracking.progress, commit.header.sequence)),
            _ => None,
        };
        self.commits.iter().rev().find_map(of_source)
    }

    fn decided(&self, command: CommandId) -> Option<Sequence> {
        let by = |commit: &&Commit| commit.header.command_id == command && commit.outcome.is_final();
        self.commits.iter().find(by).map(|commit| commit.header.sequence)
    }

    fn append(&mut self, append: Append, now: Timestamp) -> Verdict {
        append.check()?;
        let Append { commit, condition } = append;
        if let Some(sequence) = self.decided(commit.command.id) {
            return Err(AppendError::AlreadyDecided { command: commit.command.id, sequence });
        }
        self.judge(&condition)?;
        for index in 0..commit.events.len() {
            let id = commit.event_id(index);
            if let Some(event) = self.events.iter().find(|event| event.id == id) {
                return Err(AppendError::EventExists { id, position: event.position });
            }
        }
        Ok(self.store(commit, condition.tracking, now))
    }

    fn judge(&self, condition: &Condition) -> Result<(), AppendError> {
        let Condition { tracking, absent, streams, fresh } = condition;
        if let Some(tracking) = tracking
            && let Some((reached, sequence)) = self.progress(&tracking.source)
            && tracking.progress <= reached
        {
            return Err(AppendError::AlreadyApplied { tracking: tracking.clone(), reached, sequence });
        }
        if let Some(query) = absent
            && let Some(event) = self.events.iter().find(|event| query.matches(event))
        {
            return Err(AppendError::AlreadyExists { position: event.position });
        }
        for (stream, expected) in streams {
            let actual = self.revision(stream, self.head().position);
            if !expected.holds(actual) {
                return Err(AppendError::WrongRevision {
                    stream: stream.clone(),
                    expected: *expected,
                    actual,
                });
            }
        }
        if let Some((query, read_up_to)) = fresh
            && let Some(event) =
                self.events.iter().rev().find(|event| event.position > *read_up_to && query.matches(event))
        {
            return Err(AppendError::Stale { position: event.position });
        }
        Ok(())
    }

    fn store(&mut self, commit: NewCommit, tracking: Option<Tracking>, now: Timestamp) -> Stored {
        let previous = self.commits.last().map_or(now, |commit| commit.header.recorded_at);
        let recorded_at = now.max(previous);
        let sequence = self.head().sequence.next();
        let ids: Vec<_> = (0..commit.events.len()).map(|index| commit.event_id(index)).collect();
        let NewCommit { command, outcome, events } = commit;
        let header = Arc::new(CommitHeader {
            sequence,
            recorded_at,
            command_id: command.id,
            command_name: command.name,
            issued_at: command.issued_at,
            metadata: command.metadata,
        });
        let before = self.events.len();
        for (event, id) in events.into_iter().zip(ids) {
            self.record(event, id, &header);
        }
        let events = self.events[before..].to_vec();
        let stored = Stored {
            sequence,
            recorded_at,
            first: events.first().map_or(count(before), |event| event.position),
            revisions: events.iter().map(|event| event.revision).collect(),
        };
        let (position, payload) = (self.head().position, command.payload);
        self.commits.push(Commit { header, position, payload, outcome, tracking, events });
        stored
    }

    fn record(&mut self, event: NewEvent, id: EventId, header: &Arc<CommitHeader>) {
        let position = self.head().position.next();
        let revision = self.revision(&event.stream, position).map_or(Revision::default(), Revision::next);
        self.events.push(RecordedEvent {
            position,
            id,
            stream: event.stream,
            revision,
            event_type: event.event_type,
            version: event.version,
            codec: event.codec,
            tags: without_repeats(event.tags),
            payload: event.payload,
            effective_at: event.effective_at.unwrap_or(header.recorded_at),
            corrects: event.corrects,
            commit: Arc::clone(header),
        });
    }

    fn read(&self, query: &Query, options: ReadOptions) -> Page {
        let head = self.head().position;
        let last = options.up_to.map_or(head, |up_to| up_to.min(head));
        let limit = options.limit.clamp(1, PAGE_EVENTS_MAX);
        let within = |event: &&RecordedEvent| {
            event.position > options.after && event.position <= last && query.matches(event)
        };
        let matching: Box<dyn Iterator<Item = &RecordedEvent>> = match options.backwards {
            false => Box::new(self.events.iter().filter(within)),
            true => Box::new(self.events.iter().rev().filter(within)),
        };
        let (mut events, mut bytes) = (Vec::new(), 0);
        for event in matching {
            if events.len() == limit || bytes >= PAGE_BYTES_MAX {
                let next = continue_at(&events, options.backwards);
                return Page { events, head, next };
            }
            bytes += event.payload.len();
            events.push(event.clone());
        }
        Page { events, head, next: None }
    }

    fn commits(&self, after: Sequence, limit: usize, of: impl Fn(&Commit) -> bool) -> CommitPage {
        let limit = limit.clamp(1, PAGE_EVENTS_MAX);
        let mut matching = self.commits.iter().filter(|commit| commit.header.sequence > after && of(commit));
        let commits: Vec<_> = matching.by_ref().take(limit).cloned().collect();
        let next = matching.next().and(commits.last().map(|commit| commit.header.sequence));
        CommitPage { commits, next }
    }
}

/// Where a page that is full goes on.
fn continue_at(events: &[RecordedEvent], backwards: bool) -> Option<Position> {
    let last = events.last()?.position;
    Some(if backwards { Position::new(last.get() - 1) } else { last })
}

fn without_repeats(tags: Vec<Tag>) -> Vec<Tag> {
    let mut kept: Vec<Tag> = Vec::with_capacity(tags.len());
    for tag in tags {
        if !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    kept
}

fn count(events: usize) -> Position {
    Position::new(events as u64)
}

impl Store for MemoryStore {
    fn identity(&self) -> LogIdentity {
        self.identity
    }

    fn families(&self) -> Families {
        Families { total_order: true, global_conditions: true, several_streams: true, durable: false }
    }

    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        Box::pin(async move {
            if let Err(error) = Append::check_batch(batch.len()) {
                return vec![Err(error); batch.len()];
            }
            let (verdicts, head) = {
                let mut log = self.log();
                let verdicts = batch.into_iter().map(|append| log.append(append, self.clock.now())).collect();
                (verdicts, log.head())
            };
            self.watch.publish(head);
            verdicts
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(ready(Ok(self.log().head())))
    }

    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(async move { Ok(self.log().read(query, options)) })
    }

    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>> {
        Box::pin(async move { Ok(self.log().revision(stream, at)) })
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>> {
        Box::pin(async move { Ok(self.log().events.iter().find(|event| event.id == id).cloned()) })
    }

    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        Box::pin(async move { Ok(self.log().commits(after, limit, |_| true)) })
    }

    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>> {
        Box::pin(async move {
            let of = |commit: &&Commit| commit.header.command_id == command;
            Ok(self.log().commits.iter().filter(of).cloned().collect())
        })
    }

    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        Box::pin(async move {
            Ok(self.log().commits(after, limit, |commit| commit.header.correlation() == correlation))
        })
    }

    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(async move { Ok(self.log().progress(source).map(|(reached, _)| reached)) })
    }

    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(async move { Ok(self.watch.after(after).await) })
    }
}
