//! The loop that feeds builds: one build that is read, or several that are made in one pass over the log. Wakes
//! when something is appended, or asked of it.

use super::{
    ProjectionState, StopReason,
    ahead::Ahead,
    definition::{Definition, query_all},
    host::Host,
    member::{Halt, Member},
    slot::Slot,
    sweep::{Swept, Verdict},
};
use factum_event::{Position, Query, RecordedEvent, Sequence};
use factum_store::{Build, ErrorKind, ReadOptions, Store, StoreError};
use futures_channel::{mpsc, oneshot};
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, Shared, select},
};
use std::{sync::Arc, time::Duration};

/// A build whose turn to be read has come looks again so soon, while something else is done about its projection.
const HELD_UP: Duration = Duration::from_millis(5);

/// After what was read ahead could not be taken in, so many pages are taken in one by one.
const ONE_BY_ONE: u32 = 16;

/// What a worker is asked, about one of its builds.
pub(super) enum Order {
    /// Feed it no more.
    Leave { build: Build, reply: oneshot::Sender<Member> },
    /// Do something about a parked event.
    Sweep {
        build: Build,
        target: (Position, Arc<str>),
        verdict: Verdict,
        reply: oneshot::Sender<Result<Swept, Halt>>,
    },
    /// Make one key anew.
    Anew {
        build: Build,
        key: String,
        events: Vec<RecordedEvent>,
        through: Position,
        reply: oneshot::Sender<Result<Result<u64, String>, Halt>>,
    },
}

/// A worker, as others see it. It ends when nobody can ask it anything any more.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) ended: Shared<oneshot::Receiver<()>>,
}

/// A build being fed.
pub(super) struct Fed {
    pub(super) member: Member,
    pub(super) slot: Arc<Slot>,
    /// Whether it is made beside the one that is read.
    pub(super) building: bool,
}

pub(super) struct Worker {
    pub(super) host: Arc<Host>,
    pub(super) fed: Vec<Fed>,
    pub(super) orders: mpsc::Receiver<Order>,
    /// How often in a row something outside failed.
    pub(super) failures: u32,
    /// What is read ahead, of one build that is far behind.
    pub(super) ahead: Option<Ahead>,
    /// How many pages are taken in one by one before any is read ahead again.
    pub(super) one_by_one: u32,
}

/// What a step came to.
enum Step {
    Moved,
    /// Nothing to do until something is appended after this.
    Idle(Sequence),
    /// A build waits for its turn.
    HeldUp,
    Failed,
}

impl Worker {
    /// Feeds until there is nothing to feed, or nobody to feed for.
    pub(super) async fn run(mut self) {
        loop {
            loop {
                match self.orders.try_recv() {
                    Ok(order) => self.carry_out(order).await,
                    Err(error) if error.is_closed() => return self.end().await,
                    Err(_) => break,
                }
            }
            if self.fed.is_empty() {
                return;
            }
            let step = self.step().await;
            if !matches!(step, Step::Failed) {
                self.failures = 0;
            }
            let store = Arc::clone(self.host.store());
            let wait = match step {
                Step::Moved => continue,
                Step::Idle(seen) => async move { drop(store.appended(seen).await) }.boxed(),
                Step::HeldUp => self.host.ports().sleep.sleep(HELD_UP),
                Step::Failed => {
                    self.failures = self.failures.saturating_add(1);
                    let retry = self.host.bounds().outside;
                    let pause = retry.pause_after(self.failures.min(16), &*self.host.ports().entropy);
                    self.host.ports().sleep.sleep(pause)
                }
            };
            match select(wait, self.orders.next()).await {
                Either::Left(_) => {}
                Either::Right((Some(order), _)) => self.carry_out(order).await,
                Either::Right((None, _)) => return self.end().await,
            }
        }
    }

    /// Keeps how far each has come.
    async fn end(mut self) {
        for Fed { member, .. } in &mut self.fed {
            let position = member.position;
            if let Err(cause) = member.write_checkpoint(position).await {
                tracing::debug!(
                    projection = member.name(),
                    ?cause,
                    "a checkpoint was not written at the end"
                );
            }
            member.became(ProjectionState::Stopped(StopReason::Ended));
        }
    }

    fn find(&mut self, build: &Build) -> Option<&mut Member> {
        self.fed.iter_mut().map(|fed| &mut fed.member).find(|member| member.build() == build)
    }

    async fn carry_out(&mut self, order: Order) {
        let store = Arc::clone(self.host.store());
        // Who asked may have gone: then nobody is told, and what was done stays done.
        match order {
            Order::Leave { build, reply } => {
                let Some(at) = self.fed.iter().position(|fed| *fed.member.build() == build) else { return };
                let mut fed = self.fed.remove(at);
                let position = fed.member.position;
                if let Err(cause) = fed.member.write_checkpoint(position).await {
                    tracing::warn!(projection = fed.member.name(), ?cause, "a checkpoint was not written");
                }
                drop(reply.send(fed.member));
            }
            Order::Sweep { build, target, verdict, reply } => {
                let Some(member) = self.find(&build) else { return };
                let swept = member.sweep(&*store, target, verdict).await;
                drop(reply.send(swept));
            }
            Order::Anew { build, key, events, through, reply } => {
                let Some(member) = self.find(&build) else { return };
                let made = member.anew(&*store, &key, events, through).await;
                drop(reply.send(made));
            }
        }
    }

    /// How far a build may go now: one that is made beside another never passes it.
    fn limit(fed: &Fed, head: Position) -> Position {
        if !fed.building {
            return head;
        }
        fed.slot.mark().unwrap_or(head).min(head)
    }

    async fn step(&mut self) -> Step {
        let store = Arc::clone(self.host.store());
        if let Some(step) = self.release(&*store).await {
            return step;
        }
        match self.go_ahead().await {
            Some(step) => return step,
            None => self.ahead = None,
        }
        let head = match store.head().await {
            Ok(head) => head,
            Err(cause) => return self.log_failed(&cause),
        };
        let mut held_up = false;
        for at in 0..self.fed.len() {
            let fed = &self.fed[at];
            if fed.building && fed.member.position >= Self::limit(fed, head.position) {
                match self.take_over(at).await {
                    // The others go on.
                    Step::HeldUp => held_up = true,
                    step => return step,
                }
            }
        }
        let behind = self.fed.iter().filter(|fed| fed.member.position < Self::limit(fed, head.position));
        let Some(after) = behind.map(|fed| fed.member.position).min() else {
            for fed in &self.fed {
                fed.member.became(ProjectionState::CaughtUp);
            }
            if held_up {
                return Step::HeldUp;
            }
            return Step::Idle(head.sequence);
        };
        let limits: Vec<_> = self.fed.iter().map(|fed| Self::limit(fed, head.position)).collect();
        let up_to = limits.iter().copied().max();
        let query = query_all(self.fed.iter().map(|fed| &*fed.member.definition as &dyn Definition));
        let options =
            ReadOptions { after, up_to, limit: self.host.bounds().page_events, ..ReadOptions::default() };
        let page = match store.read(&query, options).await {
            Ok(page) => page,
            Err(cause) => return self.log_failed(&cause),
        };
        let through = page.next.or(up_to).unwrap_or(page.head);
        if let (Some(next), [one], [limit]) = (page.next, &*self.fed, &*limits)
            && one.member.may_be_fed_ahead(after)
            && self.one_by_one == 0
        {
            let definition = Arc::clone(&one.member.definition);
            self.ahead = Some(Ahead::begin(&self.host, definition, next, *limit));
        }
        self.one_by_one = self.one_by_one.saturating_sub(1);
        self.take_in(&page.events, through, &limits, head.position).await
    }

    /// Feeds what was read ahead to the one build that it was read for; nothing if there is none any more.
    async fn go_ahead(&mut self) -> Option<Step> {
        let ahead = self.ahead.as_mut()?.next().await?;
        let [fed] = &mut *self.fed else { return None };
        fed.member.became(ProjectionState::CatchingUp);
        let fed = fed.member.feed_ahead(&ahead).await;
        if let Ok(true) = fed {
            if let Some(reader) = &self.ahead {
                reader.used(ahead.step.0);
            }
            return Some(Step::Moved);
        }
        // As always then, where what is wrong is found.
        (self.ahead, self.one_by_one) = (None, ONE_BY_ONE);
        fed.err().map(|halt| self.halted(0, halt))
    }

    /// What becomes of a build that takes in nothing at the moment.
    fn halted(&mut self, at: usize, halt: Halt) -> Step {
        let fed = &mut self.fed[at];
        match halt {
            Halt::Retry(cause) => {
                tracing::warn!(projection = fed.member.name(), %cause, "a projection tries again");
                fed.member.became(ProjectionState::Retrying(cause));
                if self.fed.len() == 1 {
                    return Step::Failed;
                }
                // The others do not wait for it.
                let fed = self.fed.remove(at);
                self.host.feed(vec![fed]);
            }
            Halt::Stop(reason) => stopped(&self.fed.remove(at), reason),
        }
        Step::Moved
    }

    async fn take_in(
        &mut self,
        events: &[RecordedEvent],
        through: Position,
        limits: &[Position],
        head: Position,
    ) -> Step {
        let mut came_to = Step::Moved;
        let mut at = 0;
        for limit in limits.iter().copied() {
            let Some(fed) = self.fed.get_mut(at) else { break };
            if through < head {
                fed.member.became(ProjectionState::CatchingUp);
            }
            let end = events.partition_point(|event| event.position <= limit);
            match fed.member.feed(&events[..end], through.min(limit)).await {
                Ok(()) => at += 1,
                Err(halt) => {
                    if let Step::Failed = self.halted(at, halt) {
                        came_to = Step::Failed;
                        at += 1;
                    }
                }
            }
        }
        came_to
    }

    /// Lets go what was released before and is not applied yet; none if all of it is.
    async fn release(&mut self, store: &dyn Store) -> Option<Step> {
        let at = self.fed.iter().position(|fed| fed.member.may_be_loose())?;
        match self.fed[at].member.release(store).await {
            Ok(()) => {}
            Err(Halt::Retry(cause)) => {
                self.fed[at].member.became(ProjectionState::Retrying(cause));
                return Some(Step::Failed);
            }
            Err(Halt::Stop(reason)) => stopped(&self.fed.remove(at), reason),
        }
        Some(Step::Moved)
    }

    fn log_failed(&mut self, cause: &StoreError) -> Step {
        let may_pass = cause.kind() == ErrorKind::Retry;
        for fed in &self.fed {
            if may_pass {
                fed.member.became(ProjectionState::Retrying(cause.clone()));
            } else {
                stopped(fed, StopReason::Log(cause.clone()));
            }
        }
        if !may_pass {
            self.fed.clear();
        }
        Step::Failed
    }

    /// Brings a build that has caught up into the place of the one that is read.
    async fn take_over(&mut self, at: usize) -> Step {
        let fed = &mut self.fed[at];
        let slot = Arc::clone(&fed.slot);
        let Ok(_verbs) = slot.verbs.try_lock() else { return Step::HeldUp };
        match self.host.hand_over(&slot, &mut fed.member).await {
            Ok(runs) => {
                let mut fed = self.fed.remove(at);
                fed.building = false;
                if runs {
                    self.host.feed(vec![fed]);
                } else {
                    fed.member.became(ProjectionState::Paused);
                }
                Step::Moved
            }
            Err(Halt::Retry(cause)) => {
                tracing::warn!(projection = fed.member.name(), %cause, "a new build tries again to take over");
                fed.member.became(ProjectionState::Retrying(cause));
                Step::Failed
            }
            Err(Halt::Stop(reason)) => {
                let fed = self.fed.remove(at);
                stopped(&fed, reason);
                Step::Moved
            }
        }
    }
}

fn stopped(fed: &Fed, reason: StopReason) {
    tracing::error!(projection = fed.member.name(), build = %fed.member.build(), %reason, "a projection stopped");
    fed.member.became(ProjectionState::Stopped(reason));
}

/// Reads on for one member up to a position.
pub(super) async fn feed_up_to(store: &dyn Store, member: &mut Member, up_to: Position) -> Result<(), Halt> {
    let query: Query = member.definition.query();
    while member.position < up_to {
        let options = ReadOptions { after: member.position, up_to: Some(up_to), ..ReadOptions::default() };
        let page = store.read(&query, options).await?;
        member.feed(&page.events, page.next.unwrap_or(up_to)).await?;
    }
    Ok(())
}
