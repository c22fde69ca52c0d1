//! What an earlier life wrote and never made durable is made so before anyone builds on it.

use crate::{
    sim::{Crash, Fault, Operation, Sim},
    support::{numbers, options, store},
};
use factum_log::{Log, Options, begin_generation_on, verify_on};
use factum_store::Store;

const FIRST: &str = "00000000000000000001.seg";

fn opened(sim: &Sim) -> Log {
    Log::open_on(sim.storage(), options(1)).unwrap().0
}

/// Three commits, and two more whose sync failed: they can be read, the system takes them for clean, and no
/// sync that follows makes them durable.
fn not_synced(sim: &Sim) {
    let log = opened(sim);
    (1..=3).for_each(|n| drop(store(&log, n).unwrap()));
    sim.fail(Fault { name: ".seg", ..Fault::always(Operation::Sync) });
    let verdicts = log.append(vec![crate::support::simple(4), crate::support::simple(5)]);
    assert!(verdicts.iter().all(Result::is_err), "{verdicts:?}");
    drop(log);
    sim.heal();
}

#[test]
fn what_a_failed_sync_left_in_memory_is_made_durable_before_it_is_read() {
    let sim = Sim::default();
    not_synced(&sim);
    let log = opened(&sim);
    assert_eq!(numbers(&log), [1, 2, 3, 4, 5], "unknown, and there");
    store(&log, 6).unwrap();
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1, 2, 3, 4, 5, 6]);
    verify_on(&*sim.storage()).unwrap();
}

#[test]
fn what_a_failed_sync_left_before_a_torn_end_is_made_durable_before_it_is_read() {
    let sim = Sim::default();
    not_synced(&sim);
    let bytes = sim.bytes(FIRST);
    let file = sim.storage().open(FIRST, factum_log::OpenMode::Write).unwrap();
    file.set_len(bytes.len() as u64 - 1).unwrap();
    let (log, report) = Log::open_on(sim.storage(), options(1)).unwrap();
    assert!(report.torn.is_some());
    assert_eq!(numbers(&log), [1, 2, 3, 4]);
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1, 2, 3, 4]);
}

#[test]
fn of_a_segment_without_a_durable_commit_the_header_is_made_durable_too() {
    let sim = Sim::default();
    let small = || Options { segment_bytes: 64, ..options(1) };
    let (log, _) = Log::open_on(sim.storage(), small()).unwrap();
    store(&log, 1).unwrap();
    // The second segment is written, not synced, and cannot be taken away.
    sim.fail(Fault { name: "2.seg", ..Fault::always(Operation::Sync) });
    sim.fail(Fault { name: "2.seg", ..Fault::always(Operation::Remove) });
    store(&log, 2).unwrap_err();
    drop(log);
    sim.heal();
    assert_eq!(sim.segments().len(), 2);
    let (log, _) = Log::open_on(sim.storage(), small()).unwrap();
    store(&log, 2).unwrap();
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1, 2]);
}

#[test]
fn a_segment_that_a_process_died_making_gets_a_durable_name_before_it_is_used() {
    let sim = Sim::default();
    let small = || Options { segment_bytes: 64, ..options(1) };
    let (log, _) = Log::open_on(sim.storage(), small()).unwrap();
    store(&log, 1).unwrap();
    sim.fail(Fault::always(Operation::SyncDir));
    sim.fail(Fault::always(Operation::Remove));
    store(&log, 2).unwrap_err();
    sim.crash(Crash::Process);
    drop(log);
    let (log, _) = Log::open_on(sim.storage(), small()).unwrap();
    assert_eq!(sim.segments().len(), 2, "it is whole, and taken up");
    store(&log, 2).unwrap();
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1, 2]);
}

#[test]
fn a_generation_that_a_process_died_beginning_is_durable_before_it_is_given_out() {
    let sim = Sim::default();
    drop(opened(&sim));
    sim.fail(Fault::always(Operation::SyncDir));
    begin_generation_on(&*sim.storage()).unwrap_err();
    sim.crash(Crash::Process);
    let log = opened(&sim);
    let given_out = log.identity();
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(opened(&sim).identity(), given_out);
}
