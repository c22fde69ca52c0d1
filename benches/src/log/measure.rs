//! One run: one work of one system. Every run reads back what was written and is an error unless all of it is
//! there. What is timed is from the events at hand to the end of the call, so encoding counts; making the
//! payloads does not where there is one writer.

use super::{
    engine::{Asynchronous, Conditional, Engine},
    events::{Accounts, Digest},
    factum::Factum,
    plan::Plan,
    raw::Raw,
    reads::{cold, replay, select},
    sqlite::Sqlite,
    tephra::Tephra,
    umadb::Umadb,
    work::{Durability, Kind, System, Work},
    writers::{tasks, threads},
};
use crate::{Failure, latency::histogram, machine::now};
use hdrhistogram::Histogram;
use std::path::Path;

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
    /// What opening took, where that was done cold.
    pub(crate) opened: Option<Opened>,
}

/// Opening a log with an empty page cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Opened {
    pub(crate) nanos: u64,
    /// Bytes of files that stay mapped, whatever is dropped of the page cache: these are read warm.
    pub(crate) mapped: u64,
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

/// Appends the events with these numbers, `each` in a commit, for those who read.
pub(crate) fn fill(
    system: System,
    dir: &Path,
    accounts: &Accounts,
    from: u64,
    to: u64,
    each: u64,
) -> Result<(), Failure> {
    match system {
        System::Raw => fill_engine::<Raw>(dir, accounts, from, to, each),
        System::Factum => fill_engine::<Factum>(dir, accounts, from, to, each),
        System::Tephra => fill_engine::<Tephra>(dir, accounts, from, to, each),
        System::Umadb => fill_engine::<Umadb>(dir, accounts, from, to, each),
        System::Sqlite => fill_engine::<Sqlite>(dir, accounts, from, to, each),
    }
}

fn fill_engine<E: Engine>(
    dir: &Path,
    accounts: &Accounts,
    from: u64,
    to: u64,
    each: u64,
) -> Result<(), Failure> {
    let engine = E::open(dir)?;
    let mut next = from;
    while next < to {
        let end = to.min(next + each);
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

pub(super) fn ended<E: Engine>(measured: Measured, engine: E) -> Result<Measured, Failure> {
    engine.close()?;
    Ok(measured)
}

/// What is measured of nothing yet.
pub(super) fn nothing<E: Engine>() -> Result<Measured, Failure> {
    let durability = E::DURABILITY;
    Ok(Measured { durability, events: 0, nanos: 0, latency: histogram()?, held: 0, opened: None })
}

fn append<E: Engine>(run: Run<'_>, each: u64) -> Result<Measured, Failure> {
    let engine = E::open(run.dir)?;
    let mut measured = nothing::<E>()?;
    for commit in 0..run.plan.repeats(run.work) {
        if measured.nanos >= run.plan.budget_nanos() {
            break;
        }
        let numbers = commit * each..(commit + 1) * each;
        let events: Vec<_> = numbers.map(|number| run.accounts.event(number)).collect();
        let began = now();
        engine.append(events)?;
        let took = now() - began;
        measured.nanos += took;
        measured.latency.saturating_record(took);
        measured.events += each;
    }
    measured.held = measured.events;
    let expected = Digest::of_all(measured.events);
    verify(&engine, |read| *read == expected)?;
    ended(measured, engine)
}

/// Reads all back, untimed.
pub(super) fn verify<E: Engine>(engine: &E, is_right: impl FnOnce(&Digest) -> bool) -> Result<(), Failure> {
    let mut read = Digest::default();
    engine.replay(&mut read)?;
    if is_right(&read) { Ok(()) } else { Err(wrong("what was read back is not what was appended", &read)) }
}

pub(super) fn wrong(what: &str, read: &Digest) -> Failure {
    format!("{what}: {read:?}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::medium;
    use std::time::Duration;

    /// What a measure says of a system, in a folder of its own.
    fn measured(system: System, work: Work, plan: &Plan) -> Result<Measured, Failure> {
        let dir = tempfile::tempdir_in(medium::default_dir()).unwrap();
        let accounts = Accounts::new(plan.accounts);
        if work.reads() {
            fill(system, dir.path(), &accounts, 0, plan.filled(work) - 1, plan.fill).unwrap();
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
    fn a_run_ends_when_its_time_is_over() {
        let mut plan = Plan::SMOKE;
        plan.budget = Duration::from_nanos(1);
        for (work, events) in [(Work::Append100, 100), (Work::Threads64, 64), (Work::Writers64, 64)] {
            assert_eq!(measured(System::Factum, work, &plan).unwrap().events, events, "{work}");
        }
    }

    #[test]
    fn what_has_no_api_is_refused() {
        assert!(measured(System::Raw, Work::Threads64, &Plan::SMOKE).is_err());
        assert!(measured(System::Sqlite, Work::Writers64, &Plan::SMOKE).is_err());
    }
}
