//! Reading a log that was filled before: all of it, some streams, some streams with nothing in the page cache.
//! Each event is compared with what was written.

use super::{
    engine::{Conditional, Engine},
    events::Digest,
    measure::{Measured, Run, ended, nothing, wrong},
    medium,
};
use crate::{Failure, machine::now};

pub(super) fn replay<E: Engine>(engine: &E, run: Run<'_>) -> Result<Measured, Failure> {
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

pub(super) fn select<E: Conditional>(engine: &E, run: Run<'_>) -> Result<Measured, Failure> {
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
pub(super) fn cold<E: Conditional>(run: Run<'_>) -> Result<Measured, Failure> {
    let drop_caches = || if run.plan.drops_caches { medium::drop_caches() } else { Ok(()) };
    drop_caches()?;
    let began = now();
    let engine = E::open(run.dir)?;
    let opened = now() - began;
    drop_caches()?;
    let measured = select(&engine, run)?;
    ended(Measured { opened: Some(opened), ..measured }, engine)
}
