//! Sees outcomes come: looks on at the log of events as any reader would, and takes the time when an outcome
//! is durable and to be read. Nothing on the way of a command waits for it.

use crate::{
    Failure,
    latency::{Quantiles, histogram},
    machine::now,
};
use factum::{CommandId, Sequence, StoreError, block_on, log::Log, store::Store};
use hdrhistogram::Histogram;
use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// For so long nothing may be decided before a wait is given up.
const STALLED: Duration = Duration::from_secs(30);

/// Commands under way, and what is known of those that ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcomes(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    seen: Condvar,
}

#[derive(Debug)]
struct State {
    /// When each command was meant to be sent.
    intended: HashMap<CommandId, u64>,
    latency: Histogram<u64>,
    last: u64,
    /// Why nothing is seen any more.
    failed: Option<String>,
}

impl Outcomes {
    /// Watches `log` from its head on, until the process ends.
    pub(crate) fn watch(log: Arc<Log>) -> Result<Self, Failure> {
        let state = State { intended: HashMap::new(), latency: histogram()?, last: now(), failed: None };
        let outcomes = Self(Arc::new(Shared { state: Mutex::new(state), seen: Condvar::new() }));
        let (watching, mut after) = (outcomes.clone(), log.published().sequence);
        let watch = move || {
            let cause = loop {
                if let Err(cause) = watching.read(&log, &mut after) {
                    break cause;
                }
            };
            watching.lock().failed = Some(cause.to_string());
            watching.0.seen.notify_all();
        };
        thread::Builder::new().name("outcomes".to_owned()).spawn(watch)?;
        Ok(outcomes)
    }

    /// This command comes in now and was meant to be sent at `intended`.
    pub(crate) fn expect(&self, command: CommandId, intended: u64) {
        self.lock().intended.insert(command, intended);
    }

    /// Forgets what was measured.
    pub(crate) fn begin(&self) {
        let mut state = self.lock();
        state.latency.reset();
        state.last = now();
    }

    /// Waits until so many are decided: how long they took, and when the last was.
    pub(crate) fn decided(&self, commands: u64) -> Result<(Quantiles, u64), Failure> {
        let mut state = self.lock();
        while state.latency.len() < commands {
            if let Some(cause) = &state.failed {
                return Err(format!("the log of events cannot be read: {cause}").into());
            }
            let before = state.latency.len();
            let (woken, wait) =
                self.0.seen.wait_timeout(state, STALLED).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if wait.timed_out() && state.latency.len() == before {
                let what =
                    format!("{before} of {commands} commands are decided, and no more within {STALLED:?}");
                return Err(what.into());
            }
        }
        if state.latency.len() > commands {
            let decided = state.latency.len();
            return Err(format!("{decided} commands are decided where {commands} were accepted").into());
        }
        Ok((Quantiles::from(&state.latency), state.last))
    }

    /// Waits for more commits and takes their time.
    fn read(&self, log: &Log, after: &mut Sequence) -> Result<(), StoreError> {
        block_on(log.appended(*after))?;
        let (seen, mut ended) = (now(), Vec::new());
        log.scan(*after, |commit| {
            *after = commit.sequence();
            if commit.is_final() {
                ended.push(commit.command_id());
            }
            ControlFlow::Continue(())
        })?;
        let mut state = self.lock();
        for command in ended {
            if let Some(intended) = state.intended.remove(&command) {
                state.latency.saturating_record(seen.saturating_sub(intended));
                state.last = seen;
            }
        }
        drop(state);
        self.0.seen.notify_all();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
