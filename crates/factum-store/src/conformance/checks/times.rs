//! Times: recorded time follows the log, effective time what was said.

use crate::conformance::{
    Failure,
    Promise::L13,
    case::Case,
    draft::{fact, rejected},
};
use factum_event::{Query, Timestamp};

checks! {
    recorded_time_never_runs_backwards: [L13] needs [TotalOrder];
    recorded_time_is_told_alike_everywhere: [L13] needs [];
    effective_time_defaults_to_recorded_time: [L13] needs [];
}

fn recorded_time_never_runs_backwards(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    let mut last = Timestamp::from_micros(i64::MIN);
    for seconds in [1_000, 2_000, 1_500, -5, 1_999, 2_000, 2_001, 0, 3_000] {
        case.set_clock(Timestamp::from_micros(seconds * 1_000_000));
        for commit in [case.commit([fact("order-1", "placed", &[])]), case.outcome(rejected())] {
            let stored = log.put(commit)?;
            let done = format!("appended while the clock stood at {seconds} s, after {last}");
            L13.holds(stored.recorded_at >= last, done, "no earlier time", &stored.recorded_at)?;
            last = stored.recorded_at;
        }
    }
    let times: Vec<_> = log.all()?.iter().map(|event| event.recorded_at()).collect();
    L13.holds(times.is_sorted(), "read every event", "recorded times that never run backwards", &times)?;
    let times: Vec<_> = log.commits(5)?.iter().map(|commit| commit.header.recorded_at).collect();
    L13.holds(times.is_sorted(), "read every commit", "recorded times that never run backwards", &times)
}

fn recorded_time_is_told_alike_everywhere(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for seconds in [500, 400, 600] {
        case.set_clock(Timestamp::from_micros(seconds * 1_000_000 + 1));
        let commit = case.commit([fact("order-1", "placed", &[]), fact("order-2", "placed", &[])]);
        let (id, event) = (commit.command.id, commit.event_id(1));
        let recorded_at = log.put(commit)?.recorded_at;
        let by_command = log.commits_of(id)?.first().map(|commit| commit.header.recorded_at);
        L13.same("compared the commit with what `Stored` said", Some(recorded_at), by_command)?;
        let by_event = log.event(event)?.map(|event| event.recorded_at());
        L13.same("compared an event with what `Stored` said", Some(recorded_at), by_event)?;
        let read: Vec<_> =
            log.select(&Query::All)?.iter().rev().take(2).map(|event| event.recorded_at()).collect();
        L13.same("compared a page with what `Stored` said", vec![recorded_at; 2], read)?;
    }
    Ok(())
}

fn effective_time_defaults_to_recorded_time(case: &Case<'_>) -> Result<(), Failure> {
    let log = case.open();
    for seconds in [900, 100, 1_000] {
        case.set_clock(Timestamp::from_micros(seconds * 1_000_000 + 7));
        let mut known = fact("order-1", "placed", &[]);
        let at = Timestamp::from_micros(-seconds * 1_000_000 - 3);
        known.effective_at = Some(at);
        let recorded_at = log.put(case.commit([fact("order-1", "placed", &[]), known]))?.recorded_at;
        let times: Vec<_> = log.all()?.iter().rev().take(2).map(|event| event.effective_at).collect();
        L13.same("appended one event with its own time after one without", vec![at, recorded_at], times)?;
    }
    Ok(())
}
