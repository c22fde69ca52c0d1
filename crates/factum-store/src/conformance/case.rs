//! What a check works with: logs to open, a clock to move, ids that never repeat.

use crate::{
    Clock, Families, Store,
    conformance::{Check, Failure, Promise, Subject, log::Log},
};
use factum_event::{
    CommandId, CommandName, CommandPayload, CommandRecord, Metadata, NewCommit, NewEvent, Outcome, Timestamp,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// One run of one check.
pub(crate) struct Case<'a> {
    subject: &'a dyn Subject,
    check: &'static Check,
    clock: Arc<SteppingClock>,
    commands: AtomicU64,
}

impl<'a> Case<'a> {
    pub(crate) fn new(subject: &'a dyn Subject, check: &'static Check) -> Self {
        Self { subject, check, clock: Arc::default(), commands: AtomicU64::new(0) }
    }

    /// What the subject's stores claim.
    pub(crate) fn families(&self) -> Families {
        self.store().families()
    }

    /// A fresh log.
    pub(crate) fn open(&self) -> Log {
        Log::new(self.store(), self.promise(), self.subject.patience())
    }

    /// The same log, closed and opened again.
    pub(crate) fn reopen(&self, log: Log) -> Result<Log, Failure> {
        let store = self.subject.reopen(log.into_store(), self.clock());
        let none = "none: the store claims to be durable, and its subject does not reopen it";
        let store = store.ok_or_else(|| self.promise().broken("reopened a log", "a store", &none))?;
        Ok(Log::new(store, self.promise(), self.subject.patience()))
    }

    /// Sets the clock the store was given.
    pub(crate) fn set_clock(&self, now: Timestamp) {
        self.clock.0.store(now.as_micros(), Ordering::SeqCst);
    }

    /// The promise a failure is laid to where the check does not say.
    pub(crate) fn promise(&self) -> Promise {
        self.check.promises[0]
    }

    /// An id that no other command of this run has.
    pub(crate) fn command_id(&self) -> CommandId {
        let nth = self.commands.fetch_add(1, Ordering::SeqCst);
        CommandId::from_idempotency_key(&["conformance", self.check.name], &nth.to_string())
    }

    /// A commit of a new command: succeeded with these events, or, without any, nothing to do.
    pub(crate) fn commit<const N: usize>(&self, events: [NewEvent; N]) -> NewCommit {
        self.commit_all(events.into())
    }

    /// As [`Self::commit`].
    pub(crate) fn commit_all(&self, events: Vec<NewEvent>) -> NewCommit {
        let outcome = if events.is_empty() { Outcome::Nothing } else { Outcome::Succeeded };
        NewCommit { command: command(self.command_id()), outcome, events }
    }

    /// A commit of a new command without events.
    pub(crate) fn outcome(&self, outcome: Outcome) -> NewCommit {
        NewCommit { command: command(self.command_id()), outcome, events: Vec::new() }
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    fn store(&self) -> Arc<dyn Store> {
        self.subject.open(self.clock())
    }
}

/// A command with this id, and nothing else said of it.
pub(crate) fn command(id: CommandId) -> CommandRecord {
    CommandRecord {
        id,
        name: CommandName::unchecked("check.act"),
        payload: CommandPayload::None,
        issued_at: Timestamp::from_micros(1_700_000_000_000_001),
        metadata: Metadata::default(),
    }
}

/// Moves a little at every look, by more than a millisecond and less than two.
#[derive(Debug)]
struct SteppingClock(AtomicI64);

impl Default for SteppingClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_767_225_600_000_000))
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        const STEP: Duration = Duration::from_micros(1_013);
        let step = i64::try_from(STEP.as_micros()).expect("a step is short");
        Timestamp::from_micros(self.0.fetch_add(step, Ordering::SeqCst))
    }
}
