//! A store as a process meets it that is slow, unlucky, and dies: every operation steps aside before and after
//! it takes effect, some fail, some answers are lost, and from a point on nothing is answered any more.

use crate::{SeededEntropy, scheduler::step_aside};
use factum::store::{
    Append, AppendError, BoxFuture, CommitPage, Families, Head, Page, ReadOptions, Store, Verdict,
};
use factum::{
    CommandId, Commit, CorrelationId, ErrorKind, EventId, LogIdentity, NewCommit, Position, Query,
    RecordedEvent, Revision, Sequence, Source, StoreError, StreamName,
};
use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// What may go wrong while a process lives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Others go first up to so many times before an operation takes effect, and as often after it.
    pub yields_max: u64,
    /// Once in so many operations nothing is done, and trying again helps; 0: never.
    pub retry_one_in: u64,
    /// Once in so many appends the answer is `Unknown`, and every other of these is stored; 0: never. Commits
    /// of read models fail so often, and every other of these is kept.
    pub unknown_one_in: u64,
    /// The process dies at this point, counted over all its stores, two for each operation: before it takes
    /// effect and after it.
    pub dies_at: Option<u64>,
    /// How it dies.
    pub death: Death,
}

/// How a process dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Death {
    /// No operation ends any more: whoever kills the process drops what waits.
    #[default]
    Silent,
    /// Every operation fails, so that the process sees its end.
    Told,
}

/// A place at which a process can die.
#[derive(Clone, Debug)]
pub struct Point {
    /// The name of the store.
    pub store: &'static str,
    /// What is done there, by the name of the method.
    pub operation: &'static str,
    /// What is appended, if something is: the first of a batch.
    pub commit: Option<NewCommit>,
    /// Whether it has taken effect.
    pub after: bool,
}

/// The life of one process, which its stores share.
#[derive(Debug)]
pub struct Life {
    faults: Faults,
    random: SeededEntropy,
    state: Mutex<Ending>,
}

#[derive(Debug, Default)]
struct Ending {
    points: u64,
    over: bool,
    died_at: Option<Point>,
    told: Vec<Waker>,
}

impl Life {
    /// With these faults, at places that follow from `seed`.
    pub fn new(faults: Faults, seed: u64) -> Arc<Self> {
        Arc::new(Self { faults, random: SeededEntropy::new(seed), state: Mutex::default() })
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.lock().over
    }

    /// How many points it came to.
    pub fn points(&self) -> u64 {
        self.lock().points
    }

    /// Where it died, if it did.
    pub fn died_at(&self) -> Option<Point> {
        self.lock().died_at.clone()
    }

    /// Ready once it is over.
    pub async fn over(&self) {
        let mut place = None;
        poll_fn(|context| {
            let mut state = self.lock();
            if state.over {
                return Poll::Ready(());
            }
            let place = *place.get_or_insert(state.told.len());
            match state.told.get_mut(place) {
                Some(told) => told.clone_from(context.waker()),
                None => state.told.push(context.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, Ending> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is done this time.
    pub(crate) fn is_unlucky(&self) -> bool {
        self.one_in(self.faults.retry_one_in)
    }

    /// Whether what comes of it is not told this time.
    pub(crate) fn loses_an_answer(&self) -> bool {
        self.one_in(self.faults.unknown_one_in)
    }

    pub(crate) fn one_in(&self, n: u64) -> bool {
        n > 0 && self.random.next_u64().is_multiple_of(n)
    }

    /// A point at which it may die. An error is that it did.
    pub(crate) async fn point(&self, at: impl FnOnce() -> Point) -> Result<(), StoreError> {
        for _ in 0..self.random.next_u64() % (self.faults.yields_max + 1) {
            step_aside().await;
        }
        let told = {
            let mut state = self.lock();
            let dies = self.faults.dies_at == Some(state.points);
            state.points += 1;
            if !(dies || state.over) {
                return Ok(());
            }
            if !std::mem::replace(&mut state.over, true) {
                state.died_at = Some(at());
            }
            std::mem::take(&mut state.told)
        };
        told.into_iter().for_each(Waker::wake);
        match self.faults.death {
            Death::Silent => pending().await,
            Death::Told => Err(StoreError::new(ErrorKind::Reopen, "the process is dead")),
        }
    }
}

pub(crate) fn unlucky() -> StoreError {
    StoreError::new(ErrorKind::Retry, "not now")
}

/// A store behind the faults of a [`Life`].
#[derive(Debug)]
pub struct FaultyStore {
    name: &'static str,
    inner: Arc<dyn Store>,
    life: Arc<Life>,
}

impl FaultyStore {
    /// `inner`, as the process of `life` meets it.
    pub fn new(name: &'static str, inner: Arc<dyn Store>, life: Arc<Life>) -> Arc<Self> {
        Arc::new(Self { name, inner, life })
    }

    async fn point(&self, operation: &'static str, after: bool) -> Result<(), StoreError> {
        self.life.point(|| Point { store: self.name, operation, commit: None, after }).await
    }

    /// A read between its two points.
    async fn reading<T>(
        &self,
        operation: &'static str,
        read: BoxFuture<'_, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.point(operation, false).await?;
        if self.life.one_in(self.life.faults.retry_one_in) {
            return Err(unlucky());
        }
        let read = read.await;
        self.point(operation, true).await?;
        read
    }
}

impl Store for FaultyStore {
    fn identity(&self) -> LogIdentity {
        self.inner.identity()
    }

    fn families(&self) -> Families {
        self.inner.families()
    }

    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        let (life, count) = (&self.life, batch.len());
        let all = move |error: AppendError| vec![Err(error); count];
        let unknown = move |cause: &str| all(AppendError::Unknown { cause: cause.to_owned() });
        let commit = batch.first().map(|append| append.commit.clone());
        let point = move |after| Point { store: self.name, operation: "append", commit, after };
        Box::pin(async move {
            if let Err(dead) = life.point(|| point.clone()(false)).await {
                return all(AppendError::Store(dead));
            }
            if life.one_in(life.faults.retry_one_in) {
                return all(AppendError::Store(unlucky()));
            }
            let lost = life.one_in(life.faults.unknown_one_in);
            if lost && life.one_in(2) {
                return unknown("the answer was lost");
            }
            let verdicts = self.inner.append(batch).await;
            if life.point(|| point(true)).await.is_err() {
                return unknown("the process died");
            }
            if lost { unknown("the answer was lost") } else { verdicts }
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(self.reading("head", self.inner.head()))
    }

    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(self.reading("read", self.inner.read(query, options)))
    }

    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>> {
        Box::pin(self.reading("revision", self.inner.revision(stream, at)))
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>> {
        Box::pin(self.reading("event", self.inner.event(id)))
    }

    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        Box::pin(self.reading("commits", self.inner.commits(after, limit)))
    }

    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>> {
        Box::pin(self.reading("commits_of", self.inner.commits_of(command)))
    }

    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        Box::pin(self.reading("correlated", self.inner.correlated(correlation, after, limit)))
    }

    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(self.reading("progress", self.inner.progress(source)))
    }

    /// Ends with the life as well: a log that fails lets nobody sleep.
    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(async move {
            self.point("appended", false).await?;
            let (mut appended, mut over) = (self.inner.appended(after), pin!(self.life.over()));
            let appended = poll_fn(|context| match over.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => appended.as_mut().poll(context).map(Some),
            });
            let appended = appended.await;
            self.point("appended", true).await?;
            appended.expect("a life that is over ended at the point before")
        })
    }
}
