//! A small engine over a disk in memory. Without a fault it keeps every promise; each fault is one switch.

use super::{
    distort::distorted,
    fault::{Fault, Part},
    judge::{guards_a_tag, valid},
    state::{State, parts_under_lock},
};
use crate::{
    Append, AppendError, BoxFuture, Clock, CommitPage, Families, Head, HeadWatch, Page, ReadOptions, Store,
    StoreError, SystemEntropy, Verdict, fresh_log_id,
};
use factum_event::{
    CommandId, Commit, CorrelationId, EventId, LogIdentity, Position, Query, RecordedEvent, Revision,
    Sequence, Source, StreamName, Tag,
};
use std::{
    collections::{HashMap, HashSet},
    future::ready,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    thread,
    time::Duration,
};

/// What survives a reopen.
#[derive(Debug, Default)]
pub(super) struct Disk {
    identity: Mutex<Option<LogIdentity>>,
    commits: Mutex<Vec<Commit>>,
}

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) fault: Option<Fault>,
    identity: LogIdentity,
    clock: Arc<dyn Clock>,
    disk: Arc<Disk>,
    state: Mutex<State>,
    /// What was acknowledged and not yet written to the disk.
    buffer: Mutex<Option<Commit>>,
    pages: Mutex<HashMap<String, Page>>,
    /// The tags that are being written.
    written: (Mutex<HashSet<Tag>>, Condvar),
    pauses: AtomicUsize,
    watch: HeadWatch,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    pub(super) fn start(fault: Option<Fault>, disk: Arc<Disk>, clock: Arc<dyn Clock>) -> Self {
        let mut state = State::default();
        let kept = locked(&disk.commits).clone();
        kept.iter().for_each(|commit| state.take(fault, commit, true));
        state.visible = state.taken;
        state.indexed = state.taken.position;
        let fresh = || LogIdentity { log: fresh_log_id(&SystemEntropy), generation: 1 };
        let known = if fault == Some(Fault::IdentityNotKept) { None } else { *locked(&disk.identity) };
        let identity = known.unwrap_or_else(fresh);
        *locked(&disk.identity) = Some(identity);
        Self {
            fault,
            identity,
            clock,
            disk,
            watch: HeadWatch::new(state.visible),
            state: Mutex::new(state),
            buffer: Mutex::default(),
            pages: Mutex::default(),
            written: Default::default(),
            pauses: AtomicUsize::new(0),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    pub(super) fn pages(&self) -> MutexGuard<'_, HashMap<String, Page>> {
        locked(&self.pages)
    }

    /// Wide enough for another thread to come in between; a log pauses so often and no more, so that a large
    /// batch does not take for ever.
    fn pause(&self) {
        const PAUSES_MAX: usize = 400;
        if self.pauses.fetch_add(1, Ordering::SeqCst) < PAUSES_MAX {
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn append_one(&self, append: Append) -> Verdict {
        let append = distorted(self.fault, append);
        match self.fault {
            Some(Fault::JudgedOutsideLock(part)) => self.judge_early(part, &append)?,
            Some(Fault::TypeGuardOutsideLock) if !guards_a_tag(&append) => {
                self.judge_early(Part::Fresh, &append)?
            }
            Some(Fault::LocksWhatIsWritten) => return self.append_under_written_tags(append),
            Some(Fault::AnyAppendCollides) if append.condition.fresh.is_some() => self.collide()?,
            _ => {}
        }
        self.judge_and_write(append)
    }

    fn judge_early(&self, part: Part, append: &Append) -> Result<(), AppendError> {
        self.state().judge(self.fault, part, append)?;
        let concerned = match part {
            Part::Tracking => append.condition.tracking.is_some(),
            Part::Absent => append.condition.absent.is_some(),
            Part::Streams => !append.condition.streams.is_empty(),
            Part::Fresh => append.condition.fresh.is_some(),
            Part::Valid | Part::Decided => true,
            Part::Ids => append.commit.events.iter().any(|event| event.id.is_some()),
        };
        if concerned {
            self.pause();
        }
        Ok(())
    }

    fn collide(&self) -> Result<(), AppendError> {
        let began = self.state().taken;
        self.pause();
        let position = self.state().taken.position;
        if began.position == position { Ok(()) } else { Err(AppendError::Stale { position }) }
    }

    fn append_under_written_tags(&self, append: Append) -> Verdict {
        let tags: Vec<_> = append.commit.events.iter().flat_map(|event| event.tags.clone()).collect();
        let (written, released) = &self.written;
        let held = locked(written);
        let taken = |held: &mut HashSet<Tag>| tags.iter().any(|tag| held.contains(tag));
        let mut held = released.wait_while(held, taken).unwrap_or_else(PoisonError::into_inner);
        held.extend(tags.iter().cloned());
        drop(held);
        let judged = self.judge_early(Part::Fresh, &append);
        let verdict = judged.and_then(|()| self.judge_and_write(append));
        let mut held = locked(written);
        held.retain(|tag| !tags.contains(tag));
        released.notify_all();
        verdict
    }

    fn judge_and_write(&self, append: Append) -> Verdict {
        if self.is(Fault::HeadBeforeWrite) && valid(self.fault, &append).is_ok() {
            self.announce(append.commit.events.len());
        }
        let mut state = self.state();
        if self.is(Fault::RefusedTakesNumbers) && !append.condition.streams.is_empty() {
            let taken = append.commit.events.len() as u64;
            let judged = Self::judge_all(self.fault, &mut state, &append);
            if judged.is_err() {
                state.taken.position = Position::new(state.taken.position.get() + taken);
            }
        }
        if let Err(error) = Self::judge_all(self.fault, &mut state, &append) {
            if self.is(Fault::RefusedWritten) && valid(self.fault, &append).is_ok() {
                let (commit, _) = state.write(self.fault, append, self.clock.now());
                state.taken = state.visible;
                self.keep(commit);
            } else if self.is(Fault::HeadBeforeWrite) {
                state.visible = state.taken;
            }
            return Err(error);
        }
        self.write(state, append)
    }

    fn judge_all(fault: Option<Fault>, state: &mut State, append: &Append) -> Result<(), AppendError> {
        parts_under_lock(fault, append).into_iter().try_for_each(|part| state.judge(fault, part, append))
    }

    fn write<'a>(&'a self, mut state: MutexGuard<'a, State>, append: Append) -> Verdict {
        let late = match self.fault {
            Some(Fault::LimitsAfterWrite) => valid(self.fault, &append),
            Some(Fault::KeepsEventsBeforeTakenId) => state.judge_ids(&append),
            _ => Ok(()),
        };
        let tracking = append.condition.tracking.clone();
        let (commit, stored) = state.write(self.fault, append, self.clock.now());
        let before = state.visible;
        state.take(self.fault, &commit, false);
        if self.is(Fault::TrackingLost)
            && let Some(tracking) = &tracking
        {
            state.track(self.fault, tracking, stored.sequence);
        }
        let empty = commit.events.is_empty();
        let parts = commit.events.len();
        if !(self.is(Fault::EmptyNotWritten) && empty) {
            self.keep(commit);
        }
        state.indexed = if self.is(Fault::IndexBehind) { before.position } else { state.taken.position };
        if self.is(Fault::VisiblePartByPart) && parts < 8 {
            state = self.show_part_by_part(state, parts);
        }
        let previous = state.taken.sequence.get() - 1;
        let position_before = Position::new(state.taken.position.get() - parts as u64);
        state.visible = match self.fault {
            Some(Fault::ReadsBehind) => Head { position: position_before, sequence: Sequence::new(previous) },
            _ => state.taken,
        };
        let head = state.taken;
        drop(state);
        if !(self.is(Fault::EmptyWakesNobody) && empty) {
            self.watch.publish(head);
        }
        late.map(|()| stored)
    }

    fn show_part_by_part<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        parts: usize,
    ) -> MutexGuard<'a, State> {
        for _ in 0..parts {
            state.visible.position = state.visible.position.next().min(state.taken.position);
            drop(state);
            self.pause();
            state = self.state();
        }
        state
    }

    async fn show_last_event_later(&self) {
        let whole = {
            let mut state = self.state();
            let whole = state.visible;
            state.visible.position = Position::new(whole.position.get().saturating_sub(1));
            whole
        };
        let mut resumed = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut resumed, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.state().visible = whole;
    }

    /// Tells a head that is not there yet.
    fn announce(&self, events: usize) {
        let mut state = self.state();
        let position = Position::new(state.taken.position.get() + events as u64);
        state.visible = Head { position, sequence: state.taken.sequence.next() };
        drop(state);
        if events < 8 {
            self.pause();
        }
    }

    fn keep(&self, commit: Commit) {
        let mut kept = locked(&self.disk.commits);
        if self.is(Fault::TailNotFlushed) {
            kept.extend(locked(&self.buffer).replace(commit));
        } else {
            kept.push(commit);
        }
    }

    fn append_all(&self, batch: Vec<Append>) -> Vec<Verdict> {
        match self.fault {
            Some(Fault::BatchJudgedAtStart) => {
                let mut state = self.state();
                let judge = |append| Self::judge_all(self.fault, &mut state, append);
                let judged: Vec<_> = batch.iter().map(judge).collect();
                drop(state);
                let pairs = batch.into_iter().zip(judged);
                pairs.map(|(append, judged)| judged.and_then(|()| self.write(self.state(), append))).collect()
            }
            Some(Fault::BatchStopsAtRefusal) => {
                let mut refused = None;
                let mut judge = |append| match &refused {
                    Some(error) => Err(AppendError::clone(error)),
                    None => self.append_one(append).inspect_err(|error| refused = Some(error.clone())),
                };
                batch.into_iter().map(&mut judge).collect()
            }
            _ => batch.into_iter().map(|append| self.append_one(append)).collect(),
        }
    }
}

impl Store for Engine {
    fn identity(&self) -> LogIdentity {
        self.identity
    }

    fn families(&self) -> Families {
        Families { total_order: true, global_conditions: true, several_streams: true, durable: true }
    }

    fn append(&self, batch: Vec<Append>) -> BoxFuture<'_, Vec<Verdict>> {
        Box::pin(async move {
            match Append::check_batch(batch.len()) {
                Err(error) if !self.is(Fault::BatchNotBounded) => vec![Err(error); batch.len()],
                _ if self.is(Fault::TornWhenGivenUp) => {
                    let verdicts = self.append_all(batch);
                    self.show_last_event_later().await;
                    verdicts
                }
                _ => self.append_all(batch),
            }
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(ready(Ok(self.state().visible)))
    }

    fn read<'a>(&'a self, query: &'a Query, options: ReadOptions) -> BoxFuture<'a, Result<Page, StoreError>> {
        Box::pin(async move { Ok(self.page(query, options)) })
    }

    fn revision<'a>(
        &'a self,
        stream: &'a StreamName,
        at: Position,
    ) -> BoxFuture<'a, Result<Option<Revision>, StoreError>> {
        let at = if self.is(Fault::RevisionAlwaysCurrent) { Position::new(u64::MAX) } else { at };
        Box::pin(async move {
            let state = self.state();
            Ok(state.revision(stream, at.min(state.visible.position)))
        })
    }

    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<RecordedEvent>, StoreError>> {
        Box::pin(async move { Ok(self.state().event(self.fault, id)) })
    }

    fn commits(&self, after: Sequence, limit: usize) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        Box::pin(async move { Ok(self.state().commits(after, limit, |_| true)) })
    }

    fn commits_of(&self, command: CommandId) -> BoxFuture<'_, Result<Vec<Commit>, StoreError>> {
        Box::pin(async move { Ok(self.state().commits_of(self.fault, command)) })
    }

    fn correlated(
        &self,
        correlation: CorrelationId,
        after: Sequence,
        limit: usize,
    ) -> BoxFuture<'_, Result<CommitPage, StoreError>> {
        let of = move |commit: &Commit| commit.header.correlation() == correlation;
        Box::pin(async move { Ok(self.state().commits(after, limit, of)) })
    }

    fn progress<'a>(&'a self, source: &'a Source) -> BoxFuture<'a, Result<Option<u64>, StoreError>> {
        Box::pin(async move { Ok(self.state().reached(self.fault, source).map(|(reached, _)| reached)) })
    }

    fn appended(&self, after: Sequence) -> BoxFuture<'_, Result<Head, StoreError>> {
        Box::pin(async move { Ok(self.watch.after(after).await) })
    }
}
