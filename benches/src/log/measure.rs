//! One run: one work of one system. Every run reads back what was written and is an error unless all of it is
//! there. What is timed is from the events at hand to the end of the call, so encoding counts; making the
//! payloads does not where there is one writer.

use super::{
    engine::{Asynchronous, Conditional, Engine},
    events::{Accounts, Digest, Event, payload},
    factum::Factum,
    medium,
    plan::{FILL_EVENTS, Plan},
    raw::Raw,
    sqlite::Sqlite,
    tephra::Tephra,
    umadb::Umadb,
    work::{Durability, Kind, System, Work},
};
use crate::{Failure, latency::histogram, machine::now};
use hdrhistogram::Histogram;
use std::{
    path::Path,
    sync::{Arc, Barrier},
    thread,
};
use tokio::{runtime, task::JoinSet};

/// Stack of a thread that appends, in bytes.
const STACK_BYTES: usize = 512 * 1024;

/// What to do, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    pub(crate) work: Work,
    pub(crate) plan: &'a Plan,
    pub(crate) accounts: &'a Accounts,
    pub(crate) dir: &'a Path,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) durability: Durability,
    /// Written or read.
    pub(crate) events: u64,
    /// How long that took.
    pub(crate) nanos: u64,
    /// Of each append, of each stream, or of the one replay.
    pub(crate) latency: Histogram<u64>,
    /// Events that the folder holds.
    pub(crate) held: u64,
    /// How long opening took, where that was done cold.
    pub(crate) opened: Option<u64>,
}

/// Measures it.
pub(crate) fn measure(system: System, run: Run<'_>) -> Result<Measured, Failure> {
    match system {
        System::Raw => engine::<Raw>(run),
        System::Factum => asynchronous::<Factum>(run),
        System::Tephra => asynchronous::<Tephra>(run),
        System::Umadb => asynchronous::<Umadb>(run),
        System::Sqlite => conditional::<Sqlite>(run),
    }
}

/// Appends the events with these numbers, for those who read.
pub(crate) fn fill(
    system: System,
    dir: &Path,
    accounts: &Accounts,
    from: u64,
    to: u64,
) -> Result<(), Failure> {
    match system {
        System::Raw => fill_engine::<Raw>(dir, accounts, from, to),
        System::Factum => fill_engine::<Factum>(dir, accounts, from, to),
        System::Tephra => fill_engine::<Tephra>(dir, accounts, from, to),
        System::Umadb => fill_engine::<Umadb>(dir, accounts, from, to),
        System::Sqlite => fill_engine::<Sqlite>(dir, accounts, from, to),
    }
}

fn fill_engine<E: Engine>(dir: &Path, accounts: &Accounts, from: u64, to: u64) -> Result<(), Failure> {
    let engine = E::open(dir)?;
    let mut next = from;
    while next < to {
        let end = to.min(next + FILL_EVENTS);
        engine.append((next..end).map(|number| accounts.event(number)).collect())?;
        next = end;
    }
    engine.close()
}

fn asynchronous<E: Asynchronous>(run: Run<'_>) -> Result<Measured, Failure> {
    match run.work.kind() {
        Kind::Writers(writers) => tasks::<E>(run, writers as u64),
        _ => conditional::<E>(run),
    }
}

fn conditional<E: Conditional>(run: Run<'_>) -> Result<Measured, Failure> {
    match run.work.kind() {
        Kind::Threads(writers) => threads::<E>(run, writers as u64),
        Kind::Streams => {
            let engine = E::open(run.dir)?;
            select(&engine, run)?;
            ended(select(&engine, run)?, engine)
        }
        Kind::ColdSelect => cold::<E>(run),
        _ => engine::<E>(run),
    }
}

fn engine<E: Engine>(run: Run<'_>) -> Result<Measured, Failure> {
    match run.work.kind() {
        Kind::Append(events) => append::<E>(run, events as u64),
        Kind::Replay => {
            let engine = E::open(run.dir)?;
            replay(&engine, run)?;
            ended(replay(&engine, run)?, engine)
        }
        _ => Err(format!("{} has no API for it", std::any::type_name::<E>()).into()),
    }
}

fn ended<E: Engine>(measured: Measured, engine: E) -> Result<Measured, Failure> {
    engine.close()?;
    Ok(measured)
}

/// What is measured of nothing yet.
fn nothing<E: Engine>() -> Result<Measured, Failure> {
    let durability = E::DURABILITY;
    Ok(Measured { durability, events: 0, nanos: 0, latency: histogram()?, held: 0, opened: None })
}

fn append<E: Engine>(run: Run<'_>, each: u64) -> Result<Measured, Failure> {
    let engine = E::open(run.dir)?;
    let mut measured = nothing::<E>()?;
    for commit in 0..run.plan.repeats(run.work) {
        let numbers = commit * each..(commit + 1) * each;
        let events: Vec<_> = numbers.map(|number| run.accounts.event(number)).collect();
        let began = now();
        engine.append(events)?;
        let took = now() - began;
        measured.nanos += took;
        measured.latency.saturating_record(took);
    }
    measured.events = run.plan.repeats(run.work) * each;
    measured.held = measured.events;
    let expected = Digest::of_all(measured.events);
    verify(&engine, |read| *read == expected)?;
    ended(measured, engine)
}

/// Reads all back, untimed.
fn verify<E: Engine>(engine: &E, is_right: impl FnOnce(&Digest) -> bool) -> Result<(), Failure> {
    let mut read = Digest::default();
    engine.replay(&mut read)?;
    if is_right(&read) { Ok(()) } else { Err(wrong("what was read back is not what was appended", &read)) }
}

fn wrong(what: &str, read: &Digest) -> Failure {
    format!("{what}: {read:?}").into()
}

/// What one of many writers appends, one event after the other, each under the condition that nothing new came
/// since the last one.
struct Writer {
    number: u64,
    each: u64,
    after: u64,
    latency: Histogram<u64>,
    ended: u64,
}

impl Writer {
    fn new(number: u64, each: u64) -> Result<Self, Failure> {
        Ok(Self { number, each, after: 0, latency: histogram()?, ended: 0 })
    }

    fn event<'a>(&self, accounts: &'a Accounts, append: u64) -> Event<'a> {
        Event { account: accounts.get(self.number), payload: payload(self.number * self.each + append) }
    }

    fn appended(&mut self, began: u64, after: u64) {
        self.after = after;
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
        let Writer { number, each, latency, ended, .. } = writer?;
        measured.latency.add(latency)?;
        measured.nanos = measured.nanos.max(ended - began);
        (number * each..(number + 1) * each).for_each(|number| expected.expect(number));
    }
    measured.events = expected.events;
    measured.held = expected.events;
    verify(&engine, |read| read.is_of_the_same(&expected))?;
    ended(measured, engine)
}

fn threads<E: Conditional>(run: Run<'_>, writers: u64) -> Result<Measured, Failure> {
    let engine = E::open(run.dir)?;
    let each = run.plan.repeats(run.work);
    let start = Barrier::new(usize::try_from(writers)? + 1);
    let write = |mut writer: Writer| -> Result<Writer, Failure> {
        start.wait();
        for append in 0..writer.each {
            let event = writer.event(run.accounts, append);
            let began = now();
            let after = engine.append_next(event, writer.after)?;
            writer.appended(began, after);
        }
        Ok(writer)
    };
    let writers = (0..writers).map(|number| Writer::new(number, each)).collect::<Result<Vec<_>, _>>()?;
    let (began, written) = thread::scope(|scope| -> Result<_, Failure> {
        let spawn = |writer| {
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            // Who waits at the barrier already can only be let go by all.
            thread.spawn_scoped(scope, || write(writer)).expect("a machine that is measured has threads")
        };
        let threads: Vec<_> = writers.into_iter().map(spawn).collect();
        let began = now();
        start.wait();
        let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| "a writer panicked")?);
        Ok((began, joined.collect()))
    })?;
    together(engine, began, written)
}

fn tasks<E: Asynchronous>(run: Run<'_>, writers: u64) -> Result<Measured, Failure> {
    let engine = Arc::new(E::open(run.dir)?);
    let each = run.plan.repeats(run.work);
    let writers = (0..writers).map(|number| Writer::new(number, each)).collect::<Result<Vec<_>, _>>()?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let (began, written) = runtime.block_on(async {
        let began = now();
        let mut tasks = JoinSet::new();
        for mut writer in writers {
            let (engine, accounts) = (Arc::clone(&engine), run.accounts.clone());
            tasks.spawn(async move {
                for append in 0..writer.each {
                    let event = writer.event(&accounts, append);
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

fn replay<E: Engine>(engine: &E, run: Run<'_>) -> Result<Measured, Failure> {
    let mut measured = nothing::<E>()?;
    let mut read = Digest::default();
    let began = now();
    engine.replay(&mut read)?;
    measured.nanos = now() - began;
    measured.latency.saturating_record(measured.nanos);
    measured.held = run.plan.filled(run.work);
    measured.events = read.events;
    if read == Digest::of_all(measured.held) {
        return Ok(measured);
    }
    Err(wrong("what was replayed is not what was appended", &read))
}

fn select<E: Conditional>(engine: &E, run: Run<'_>) -> Result<Measured, Failure> {
    let mut measured = nothing::<E>()?;
    measured.held = run.plan.filled(run.work);
    let mut expected = vec![Digest::default(); usize::try_from(run.accounts.count())?];
    for number in 0..measured.held {
        expected[usize::try_from(run.accounts.number_of(number))?].expect(number);
    }
    for account in run.plan.streams(run.work) {
        let mut read = Digest::default();
        let began = now();
        engine.stream(run.accounts.get(account), &mut read)?;
        let took = now() - began;
        measured.nanos += took;
        measured.latency.saturating_record(took);
        measured.events += read.events;
        if read != expected[usize::try_from(account)?] {
            return Err(wrong("a stream is not what was appended to it", &read));
        }
    }
    Ok(measured)
}

/// The files are closed, the page cache is emptied, the files are opened and the page cache is emptied again, so
/// that neither what filled them nor what opened them has left anything but what the system keeps of its own.
fn cold<E: Conditional>(run: Run<'_>) -> Result<Measured, Failure> {
    let drop_caches = || if run.plan.drops_caches { medium::drop_caches() } else { Ok(()) };
    drop_caches()?;
    let began = now();
    let engine = E::open(run.dir)?;
    let opened = now() - began;
    drop_caches()?;
    let measured = select(&engine, run)?;
    ended(Measured { opened: Some(opened), ..measured }, engine)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a measure says of a system, in a folder of its own.
    fn measured(system: System, work: Work, plan: &Plan) -> Result<Measured, Failure> {
        let dir = tempfile::tempdir_in(medium::default_dir()).unwrap();
        let accounts = Accounts::new(plan.accounts);
        if work.reads() {
            fill(system, dir.path(), &accounts, 0, plan.filled(work) - 1).unwrap();
        }
        measure(system, Run { work, plan, accounts: &accounts, dir: dir.path() })
    }

    #[test]
    fn every_system_refuses_an_append_whose_condition_does_not_hold() {
        // Fewer accounts than writers, so two of them write to the same.
        let mut plan = Plan::SMOKE;
        plan.accounts = 50;
        for system in [System::Factum, System::Tephra, System::Umadb, System::Sqlite] {
            for work in [Work::Threads64, Work::Writers64].into_iter().filter(|work| work.is_done_by(system))
            {
                let refused = measured(system, work, &plan);
                assert!(refused.is_err(), "{work} {system}");
            }
        }
    }

    #[test]
    fn an_event_that_is_not_there_is_an_error() {
        for system in [System::Raw, System::Factum, System::Tephra, System::Umadb, System::Sqlite] {
            for work in [Work::Replay, Work::Streams].into_iter().filter(|work| work.is_done_by(system)) {
                // One event less than there should be; the last one is of the first stream that is read.
                let mut plan = Plan::SMOKE;
                plan.accounts = 1;
                let wrong = measured(system, work, &plan).unwrap_err().to_string();
                assert!(wrong.contains("is not what was appended"), "{work} {system}: {wrong}");
            }
        }
    }

    #[test]
    fn what_has_no_api_is_refused() {
        assert!(measured(System::Raw, Work::Threads64, &Plan::SMOKE).is_err());
        assert!(measured(System::Sqlite, Work::Writers64, &Plan::SMOKE).is_err());
    }
}
