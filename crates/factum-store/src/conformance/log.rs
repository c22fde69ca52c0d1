//! A store under check, asked without ceremony: every answer that cannot be is a failure at once.

use crate::{
    Append, AppendError, CommitPage, Head, Page, ReadOptions, Store, StoreError, Stored, Verdict, block_on,
    conformance::{Failure, Promise},
};
use factum_event::{
    CommandId, Commit, Condition, CorrelationId, EventId, LogIdentity, NewCommit, Position, Query,
    RecordedEvent, Revision, Sequence, StreamName,
};
use std::{
    pin::pin,
    sync::{Arc, mpsc},
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

/// A log, and the promise to which a failure is laid that is not laid to another.
pub(crate) struct Log {
    store: Arc<dyn Store>,
    promise: Promise,
    patience: Duration,
}

impl Log {
    pub(crate) fn new(store: Arc<dyn Store>, promise: Promise, patience: Duration) -> Self {
        Self { store, promise, patience }
    }

    pub(crate) fn into_store(self) -> Arc<dyn Store> {
        self.store
    }

    pub(crate) fn identity(&self) -> LogIdentity {
        self.store.identity()
    }

    /// A verdict on each commit.
    pub(crate) fn append(&self, batch: Vec<(NewCommit, Condition)>) -> Result<Vec<Verdict>, Failure> {
        let asked = batch.len();
        let batch = batch.into_iter().map(|(commit, condition)| Append { commit, condition }).collect();
        let verdicts = block_on(self.store.append(batch));
        let done = format!("appended a batch of {asked}");
        Promise::L9.holds(verdicts.len() == asked, done, format!("{asked} verdicts"), &verdicts)?;
        Ok(verdicts)
    }

    /// Begins to append a commit and gives up at once.
    pub(crate) fn abandon(&self, commit: NewCommit) {
        let mut given_up = self.store.append(vec![Append { commit, condition: Condition::none() }]);
        let _ = given_up.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }

    /// The verdict on one commit.
    pub(crate) fn attempt(&self, commit: NewCommit, condition: Condition) -> Result<Verdict, Failure> {
        Ok(self.append(vec![(commit, condition)])?.remove(0))
    }

    /// A commit that must be stored.
    pub(crate) fn stored(&self, commit: NewCommit, condition: Condition) -> Result<Stored, Failure> {
        let done = format!("appended {} events under {condition:?}", commit.events.len());
        let verdict = self.attempt(commit, condition)?;
        verdict.map_err(|error| self.promise.broken(done, "it to be stored", &error))
    }

    /// A commit that must be stored, under no condition.
    pub(crate) fn put(&self, commit: NewCommit) -> Result<Stored, Failure> {
        self.stored(commit, Condition::none())
    }

    /// A commit that must be refused for this reason, and leave nothing.
    pub(crate) fn refused(
        &self,
        promise: Promise,
        commit: NewCommit,
        condition: Condition,
        expected: AppendError,
    ) -> Result<(), Failure> {
        let came = self.refusal(promise, commit, condition)?;
        promise.same("read why a commit was refused", expected, came)
    }

    /// Why a commit is refused, which must be, and leaves nothing.
    pub(crate) fn refusal(
        &self,
        promise: Promise,
        commit: NewCommit,
        condition: Condition,
    ) -> Result<AppendError, Failure> {
        let (id, before) = (commit.command.id, self.head()?);
        let known = self.commits_of(id)?;
        let done = format!("appended {} events under {condition:?}", commit.events.len());
        let Err(error) = self.attempt(commit, condition)? else {
            return Err(promise.broken(done, "it to be refused", &"it was stored"));
        };
        let nothing = "nothing of it to be stored";
        let after = self.head()?;
        promise.holds(after == before, format!("{done}, refused ({error})"), nothing, &(before, after))?;
        let left = self.commits_of(id)?;
        promise.holds(left == known, format!("{done}, refused ({error})"), nothing, &left)?;
        let beyond =
            self.page(&Query::All, ReadOptions { after: before.position, ..ReadOptions::default() })?;
        promise.holds(beyond.events.is_empty(), format!("{done}, refused ({error})"), nothing, &beyond)?;
        Ok(error)
    }

    pub(crate) fn head(&self) -> Result<Head, Failure> {
        self.answered("asked for the head", block_on(self.store.head()))
    }

    pub(crate) fn page(&self, query: &Query, options: ReadOptions) -> Result<Page, Failure> {
        self.answered("read a page", block_on(self.store.read(query, options)))
    }

    /// Every event that matches, page by page.
    pub(crate) fn select(&self, query: &Query) -> Result<Vec<RecordedEvent>, Failure> {
        self.select_within(query, ReadOptions::default())
    }

    /// Every event that matches within these bounds, in pages of at most the given limit.
    pub(crate) fn select_within(
        &self,
        query: &Query,
        mut options: ReadOptions,
    ) -> Result<Vec<RecordedEvent>, Failure> {
        let mut events = Vec::new();
        loop {
            let page = self.page(query, options)?;
            events.extend(page.events);
            let Some(next) = page.next else { return Ok(events) };
            let ahead = match options.backwards {
                false => next > options.after,
                true => options.up_to.is_none_or(|up_to| next < up_to),
            };
            let done = format!("read on with {options:?}");
            Promise::L10.holds(ahead, done, "`next` to lead on", &next)?;
            match options.backwards {
                false => options.after = next,
                true => options.up_to = Some(next),
            }
        }
    }

    /// Every event.
    pub(crate) fn all(&self) -> Result<Vec<RecordedEvent>, Failure> {
        self.select(&Query::All)
    }

    /// The first event of all, which must be there.
    pub(crate) fn first(&self) -> Result<RecordedEvent, Failure> {
        let first = self.all()?.into_iter().next();
        first.ok_or_else(|| self.promise.broken("read the first event", "an event", &"an empty log"))
    }

    /// Where the matching events stand.
    pub(crate) fn positions(&self, query: &Query) -> Result<Vec<u64>, Failure> {
        Ok(self.select(query)?.iter().map(|event| event.position.get()).collect())
    }

    pub(crate) fn revision(&self, stream: &StreamName, at: Position) -> Result<Option<Revision>, Failure> {
        self.answered("asked for a revision", block_on(self.store.revision(stream, at)))
    }

    pub(crate) fn event(&self, id: EventId) -> Result<Option<RecordedEvent>, Failure> {
        self.answered("asked for an event", block_on(self.store.event(id)))
    }

    pub(crate) fn commit_page(&self, after: Sequence, limit: usize) -> Result<CommitPage, Failure> {
        self.answered("read a page of commits", block_on(self.store.commits(after, limit)))
    }

    /// Every commit, in pages of at most `limit`.
    pub(crate) fn commits(&self, limit: usize) -> Result<Vec<Commit>, Failure> {
        self.commits_by(limit, |after| self.commit_page(after, limit))
    }

    /// Every commit of a correlation, in pages of at most `limit`.
    pub(crate) fn correlated(
        &self,
        correlation: CorrelationId,
        limit: usize,
    ) -> Result<Vec<Commit>, Failure> {
        self.commits_by(limit, |after| {
            let page = block_on(self.store.correlated(correlation, after, limit));
            self.answered("read a page of a correlation", page)
        })
    }

    pub(crate) fn commits_of(&self, command: CommandId) -> Result<Vec<Commit>, Failure> {
        self.answered("asked for the commits of a command", block_on(self.store.commits_of(command)))
    }

    pub(crate) fn progress(&self, source: &factum_event::Source) -> Result<Option<u64>, Failure> {
        self.answered("asked for progress", block_on(self.store.progress(source)))
    }

    /// Whether a wait for a commit after `after` is over at once.
    pub(crate) fn appended_now(&self, after: Sequence) -> Option<Result<Head, StoreError>> {
        let mut waiting = pin!(self.store.appended(after));
        let mut context = Context::from_waker(Waker::noop());
        match waiting.as_mut().poll(&mut context) {
            Poll::Ready(head) => Some(head),
            Poll::Pending => None,
        }
    }

    /// Waits for a commit after `after`, as long as the subject's patience lasts. `asleep` is called once,
    /// when the wait has begun.
    pub(crate) fn appended(&self, after: Sequence, asleep: impl FnOnce()) -> Result<Head, Failure> {
        let (wake, woken) = mpsc::channel();
        let waker = Arc::new(Woken(wake)).into();
        let mut context = Context::from_waker(&waker);
        let mut waiting = pin!(self.store.appended(after));
        let mut asleep = Some(asleep);
        loop {
            if let Poll::Ready(head) = waiting.as_mut().poll(&mut context) {
                asleep.take().into_iter().for_each(|asleep| asleep());
                return self.answered("waited for a commit", head);
            }
            asleep.take().into_iter().for_each(|asleep| asleep());
            if woken.recv_timeout(self.patience).is_err() {
                let done = format!("waited for a commit after {after}");
                return Err(Promise::L15.broken(
                    done,
                    "to be woken by it",
                    &"no wake-up in all the time given",
                ));
            }
        }
    }

    fn commits_by(
        &self,
        limit: usize,
        read: impl Fn(Sequence) -> Result<CommitPage, Failure>,
    ) -> Result<Vec<Commit>, Failure> {
        let (mut commits, mut after) = (Vec::new(), Sequence::START);
        loop {
            let page = read(after)?;
            let done = format!("read commits after {after}, at most {limit}");
            Promise::L10.holds(page.commits.len() <= limit.max(1), &done, "no more", &page.commits.len())?;
            commits.extend(page.commits);
            let Some(next) = page.next else { return Ok(commits) };
            Promise::L10.holds(next > after, &done, "`next` to lead on", &next)?;
            after = next;
        }
    }

    fn answered<T>(&self, done: &str, answer: Result<T, StoreError>) -> Result<T, Failure> {
        answer.map_err(|error| self.promise.broken(done, "an answer", &error))
    }
}

struct Woken(mpsc::Sender<()>);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Nobody listens any more once the wait is over.
        let _ = self.0.send(());
    }
}
