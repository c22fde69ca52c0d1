//! Many writers at once, as threads or as tasks: each appends one event after the other, on an account of its own,
//! under the condition that nothing new came to it since.

use super::{
    engine::{Asynchronous, Conditional, Engine},
    events::{Accounts, Digest, Event, payload},
    measure::{Measured, Run, ended, nothing, verify},
};
use crate::{Failure, latency::histogram, machine::now};
use hdrhistogram::Histogram;
use std::{
    sync::{Arc, RwLock},
    thread,
};
use tokio::{runtime, task::JoinSet};

/// Stack of a thread that appends, in bytes.
const STACK_BYTES: usize = 512 * 1024;

/// What one of many writers appends, one event after the other, each under the condition that nothing new came
/// since the last one.
struct Writer {
    number: u64,
    /// Appends, at most; no two writers number theirs the same.
    each: u64,
    /// Appends so far.
    done: u64,
    after: u64,
    latency: Histogram<u64>,
    ended: u64,
}

impl Writer {
    fn new(number: u64, each: u64) -> Result<Self, Failure> {
        Ok(Self { number, each, done: 0, after: 0, latency: histogram()?, ended: 0 })
    }

    /// Whether it appends once more; each appends once, however late it comes to it.
    fn is_due(&self, until: u64) -> bool {
        self.done == 0 || (self.done < self.each && now() < until)
    }

    fn event<'a>(&self, accounts: &'a Accounts) -> Event<'a> {
        Event { account: accounts.get(self.number), payload: payload(self.number * self.each + self.done) }
    }

    fn appended(&mut self, began: u64, after: u64) {
        self.after = after;
        self.done += 1;
        self.ended = now();
        self.latency.saturating_record(self.ended - began);
    }
}

/// Sums up what writers did since `began`, and verifies it.
fn together<E: Engine>(
    engine: E,
    began: u64,
    writers: Vec<Result<Writer, Failure>>,
) -> Result<Measured, Failure> {
    let mut measured = nothing::<E>()?;
    let mut expected = Digest::default();
    for writer in writers {
        let Writer { number, each, done, latency, ended, .. } = writer?;
        measured.latency.add(latency)?;
        measured.nanos = measured.nanos.max(ended - began);
        (number * each..number * each + done).for_each(|number| expected.expect(number));
    }
    measured.events = expected.events;
    measured.held = expected.events;
    verify(&engine, |read| read.is_of_the_same(&expected))?;
    ended(measured, engine)
}

pub(super) fn threads<E: Conditional>(run: Run<'_>, writers: u64) -> Result<Measured, Failure> {
    let engine = E::open(run.dir)?;
    let each = run.plan.repeats(run.work);
    let writers = (0..writers).map(|number| Writer::new(number, each)).collect::<Result<Vec<_>, _>>()?;
    // Writers wait until it is let go: once all are there, or because one could not be started.
    let start = RwLock::new(());
    let write = |mut writer: Writer| -> Result<Writer, Failure> {
        drop(start.read());
        let until = now().saturating_add(run.plan.budget_nanos());
        while writer.is_due(until) {
            let event = writer.event(run.accounts);
            let began = now();
            let after = engine.append_next(event, writer.after)?;
            writer.appended(began, after);
        }
        Ok(writer)
    };
    let (began, written) = thread::scope(|scope| -> Result<_, Failure> {
        let held = start.write();
        let spawn = |writer| {
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            thread.spawn_scoped(scope, || write(writer))
        };
        let threads = writers.into_iter().map(spawn).collect::<Result<Vec<_>, _>>()?;
        let began = now();
        drop(held);
        let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a writer panicked")?);
        Ok((began, joined.collect()))
    })?;
    together(engine, began, written)
}

pub(super) fn tasks<E: Asynchronous>(run: Run<'_>, writers: u64) -> Result<Measured, Failure> {
    let engine = Arc::new(E::open(run.dir)?);
    let (each, budget) = (run.plan.repeats(run.work), run.plan.budget_nanos());
    let writers = (0..writers).map(|number| Writer::new(number, each)).collect::<Result<Vec<_>, _>>()?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let (began, written) = runtime.block_on(async {
        let began = now();
        let mut tasks = JoinSet::new();
        for mut writer in writers {
            let (engine, accounts) = (Arc::clone(&engine), run.accounts.clone());
            tasks.spawn(async move {
                let until = now().saturating_add(budget);
                while writer.is_due(until) {
                    let event = writer.event(&accounts);
                    let began = now();
                    let after = engine.append_next_async(event, writer.after).await?;
                    writer.appended(began, after);
                }
                Ok(writer)
            });
        }
        (began, tasks.join_all().await)
    });
    drop(runtime);
    let engine = Arc::into_inner(engine).ok_or("a task still has the log")?;
    together(engine, began, written)
}
