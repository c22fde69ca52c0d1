//! Storage that refuses, fills up, or loses what was not synced.

use crate::{
    sim::{Crash, Fault, Operation, Sim},
    support::{Rng, numbers, options, simple, store, stream},
};
use factum_event::{Condition, Expected, Position, Query, Revision, Sequence};
use factum_log::{Log, Options, verify_on};
use factum_store::{Append, AppendError, ErrorKind, ReadOptions, Store, Verdict, block_on};
use std::io;

fn opened(sim: &Sim) -> Log {
    Log::open_on(sim.storage(), options(1)).unwrap().0
}

const FULL: Fault = Fault {
    operation: Operation::Write,
    name: ".seg",
    after: 0,
    times: 1,
    error: io::ErrorKind::StorageFull,
    written: 0,
    drops: true,
};
const BROKEN: Fault = Fault { error: io::ErrorKind::Other, ..FULL };

fn kind(verdict: &Verdict) -> ErrorKind {
    match verdict {
        Err(AppendError::Store(error)) => error.kind(),
        other => panic!("not a store error: {other:?}"),
    }
}

fn is_unknown(verdict: &Verdict) -> bool {
    matches!(verdict, Err(AppendError::Unknown { .. }))
}

fn events(log: &Log) -> usize {
    block_on(log.read(&Query::All, ReadOptions::default())).unwrap().events.len()
}

#[test]
fn a_sync_error_poisons_the_log_until_it_is_opened_again() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    sim.fail(Fault { operation: Operation::Sync, ..BROKEN });
    assert!(is_unknown(&store(&log, 2)));
    sim.heal();
    assert_eq!(kind(&store(&log, 3)), ErrorKind::Reopen);
    assert_eq!(kind(&block_on(Store::append(&log, vec![simple(4)]))[0]), ErrorKind::Reopen);
    let forbidden = Condition::none().stream(stream("a-9"), Expected::Exists);
    let never = Append { condition: forbidden, ..simple(5) };
    assert_eq!(kind(&log.append(vec![never])[0]), ErrorKind::Reopen, "told before the condition is judged");
    assert_eq!((log.published().sequence, numbers(&log), events(&log)), (Sequence::new(1), vec![1], 1));
    let at = Position::new(99);
    assert_eq!(block_on(log.revision(&stream("a-2"), at)).unwrap(), None, "the index shows nothing of it");
    assert!(block_on(log.event(simple(2).commit.event_id(0))).unwrap().is_none());
    drop(log);
    sim.crash(Crash::Power);
    let log = opened(&sim);
    assert_eq!(numbers(&log), [1]);
    store(&log, 2).unwrap();
}

#[test]
fn a_failed_sync_is_not_tried_again() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    let syncs = || sim.steps().iter().filter(|operation| **operation == Operation::Sync).count();
    let before = syncs();
    sim.fail(Fault { name: ".seg", ..Fault::once(Operation::Sync) });
    assert!(is_unknown(&store(&log, 2)));
    assert_eq!(kind(&store(&log, 3)), ErrorKind::Reopen);
    drop(log);
    assert_eq!(syncs(), before + 1, "what it did not make durable, another one would only say it did");
}

#[test]
fn commits_that_were_never_written_are_not_unknown() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { group_commits: 2, ..options(1) }).unwrap();
    store(&log, 1).unwrap();
    sim.fail(Fault { operation: Operation::Sync, ..BROKEN });
    let verdicts = log.append((2..=5).map(simple).collect());
    assert!(is_unknown(&verdicts[0]) && is_unknown(&verdicts[1]));
    assert_eq!((kind(&verdicts[2]), kind(&verdicts[3])), (ErrorKind::Reopen, ErrorKind::Reopen));
}

#[test]
fn a_write_error_poisons_the_log_and_no_part_of_the_write_is_taken() {
    for written in [0, 10, 72, 100, 150] {
        let sim = Sim::default();
        let log = opened(&sim);
        store(&log, 1).unwrap();
        sim.fail(Fault { written, ..BROKEN });
        assert!(is_unknown(&store(&log, 2)));
        assert_eq!(kind(&store(&log, 3)), ErrorKind::Reopen);
        drop(log);
        sim.crash(Crash::Process);
        let (log, report) = Log::open_on(sim.storage(), options(1)).unwrap();
        assert_eq!(report.torn.is_some(), written > 0);
        assert_eq!(numbers(&log), [1]);
    }
}

#[test]
fn a_full_disk_fails_the_append_and_works_again_when_there_is_room() {
    for written in [0, 10, 300] {
        let sim = Sim::default();
        let log = opened(&sim);
        store(&log, 1).unwrap();
        let before = sim.bytes("00000000000000000001.seg");
        sim.fail(Fault { written, times: 2, ..FULL });
        for _ in 0..2 {
            let verdict = store(&log, 2);
            assert_eq!(kind(&verdict), ErrorKind::Retry);
            assert!(verdict.unwrap_err().to_string().contains("the disk is full"));
        }
        assert_eq!(sim.bytes("00000000000000000001.seg"), before, "nothing half-written is left");
        assert_eq!(store(&log, 2).unwrap().sequence, Sequence::new(2));
        assert_eq!((numbers(&log), events(&log)), (vec![1, 2], 2));
        sim.crash(Crash::Power);
        drop(log);
        assert_eq!(numbers(&opened(&sim)), [1, 2]);
    }
}

#[test]
fn what_rested_on_a_commit_that_found_no_room_is_not_believed() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    let again = simple(2);
    let absent = Condition::none().stream(stream("a-2"), Expected::NoStream);
    let refused = Append { condition: absent.clone(), ..simple(5) };
    sim.fail(FULL);
    let verdicts = log.append(vec![again.clone(), again, refused]);
    assert!(verdicts.iter().all(|verdict| kind(verdict) == ErrorKind::Retry), "{verdicts:?}");
    let tracked = Append { condition: absent, ..simple(2) };
    assert_eq!(log.append(vec![tracked])[0].as_ref().unwrap().revisions, [Revision::new(0)]);
    verify_on(&*sim.storage()).unwrap();
}

#[test]
fn what_waits_for_the_next_segment_is_judged_again_when_the_last_one_took_nothing() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 400, ..options(1) }).unwrap();
    store(&log, 1).unwrap();
    let rests = Append { condition: Condition::none().stream(stream("a-2"), Expected::Exists), ..simple(3) };
    sim.fail(FULL);
    let verdicts = log.append(vec![simple(2), rests]);
    assert_eq!(kind(&verdicts[0]), ErrorKind::Retry);
    assert!(matches!(verdicts[1], Err(AppendError::WrongRevision { actual: None, .. })), "{verdicts:?}");
}

#[derive(Debug, Default)]
struct PanickingClock(std::sync::atomic::AtomicBool);

impl factum_store::Clock for PanickingClock {
    fn now(&self) -> factum_event::Timestamp {
        assert!(!self.0.load(std::sync::atomic::Ordering::SeqCst), "the clock's own fault");
        factum_event::Timestamp::EPOCH
    }
}

/// Asks the log's own thread, and does not wait for ever if that is gone.
fn asked(log: &Log, n: u64) -> Verdict {
    let (sent, received) = std::sync::mpsc::channel();
    log.submit(vec![simple(n)], move |verdicts| sent.send(verdicts).unwrap());
    let verdicts = received.recv_timeout(std::time::Duration::from_secs(60));
    verdicts.expect("no one is left waiting").pop().unwrap()
}

#[test]
fn a_panic_while_writing_leaves_no_one_waiting_and_stops_the_log() {
    let (sim, clock) = (Sim::default(), std::sync::Arc::new(PanickingClock::default()));
    let (log, _) = Log::open_on(sim.storage(), Options { clock: clock.clone(), ..options(1) }).unwrap();
    store(&log, 1).unwrap();
    clock.0.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(is_unknown(&asked(&log, 2)));
    clock.0.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(kind(&asked(&log, 3)), ErrorKind::Reopen);
    assert_eq!(kind(&store(&log, 4)), ErrorKind::Reopen);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1]);
}

#[test]
fn a_full_disk_that_cannot_be_cut_back_poisons_the_log() {
    for operation in [Operation::SetLen, Operation::Sync] {
        let sim = Sim::default();
        let log = opened(&sim);
        store(&log, 1).unwrap();
        sim.fail(Fault { written: 10, ..FULL });
        sim.fail(Fault { operation, ..BROKEN });
        assert!(is_unknown(&store(&log, 2)));
        assert_eq!(kind(&store(&log, 3)), ErrorKind::Reopen);
    }
}

#[test]
fn a_segment_that_cannot_be_made_fails_the_append_and_is_made_later() {
    for fault in [FULL, Fault { operation: Operation::Create, ..FULL }, Fault { written: 30, ..FULL }] {
        let sim = Sim::default();
        let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 64, ..options(1) }).unwrap();
        store(&log, 1).unwrap();
        sim.fail(fault);
        assert_eq!(kind(&store(&log, 2)), ErrorKind::Retry);
        assert_eq!(sim.segments().len(), 1);
        store(&log, 2).unwrap();
        drop(log);
        assert_eq!(numbers(&opened(&sim)), [1, 2]);
    }
}

#[test]
fn a_watermark_that_cannot_be_written_stops_the_log_after_what_is_durable() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    sim.fail(Fault { name: "head", ..BROKEN });
    store(&log, 2).unwrap();
    assert_eq!(kind(&store(&log, 3)), ErrorKind::Reopen);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1, 2]);
}

#[test]
fn a_watermark_without_room_holds_up_the_next_commit_until_there_is_some() {
    for written in [0, 10] {
        let sim = Sim::default();
        let log = opened(&sim);
        store(&log, 1).unwrap();
        sim.fail(Fault { name: "head", times: 3, written, ..FULL });
        store(&log, 2).unwrap();
        let bytes = sim.bytes("00000000000000000001.seg");
        for _ in 0..2 {
            let verdict = store(&log, 3);
            assert_eq!(kind(&verdict), ErrorKind::Retry);
            assert!(verdict.unwrap_err().to_string().contains("the disk is full"));
        }
        assert_eq!(sim.bytes("00000000000000000001.seg"), bytes, "nothing is stored before the watermark");
        store(&log, 3).unwrap();
        assert_eq!(numbers(&log), [1, 2, 3]);
        sim.crash(Crash::Process);
        drop(log);
        assert_eq!(numbers(&opened(&sim)), [1, 2, 3]);
        verify_on(&*sim.storage()).unwrap();
    }
}

#[test]
fn power_loss_in_the_middle_of_a_group_loses_nothing_acknowledged_and_keeps_no_half_commit() {
    for seed in 0..400 {
        let mut rng = Rng(seed);
        let sim = Sim::default();
        let options =
            || Options { segment_bytes: 1500, group_commits: 1 + seed as usize % 4, ..options(seed) };
        let (log, _) = Log::open_on(sim.storage(), options()).unwrap();
        let mut acknowledged = Vec::new();
        let fails_at = rng.below(12);
        sim.fail(Fault { operation: Operation::Sync, after: fails_at, times: usize::MAX, ..BROKEN });
        for n in (1..40).step_by(3) {
            let verdicts = log.append((n..n + 3).map(simple).collect());
            acknowledged.extend((n..).zip(&verdicts).filter(|(_, verdict)| verdict.is_ok()).map(|(n, _)| n));
        }
        sim.crash(Crash::PowerAnyOrder(rng.clone()));
        drop(log);
        let (log, _) =
            Log::open_on(sim.storage(), options()).unwrap_or_else(|error| panic!("{seed}: {error}"));
        let kept = numbers(&log);
        assert!(kept.starts_with(&acknowledged), "seed {seed}: {kept:?} lacks some of {acknowledged:?}");
        assert!(
            kept.iter().copied().eq(1..=kept.len() as u64),
            "seed {seed}: a prefix survives, not {kept:?}"
        );
        store(&log, 99).unwrap();
        verify_on(&*sim.storage()).unwrap();
    }
}

#[test]
fn a_crash_while_a_log_is_made_leaves_a_log_that_can_be_made() {
    for after in 0..12 {
        for operation in [Operation::Write, Operation::Sync, Operation::Create] {
            let sim = Sim::default();
            sim.fail(Fault { operation, name: "", after, times: usize::MAX, ..BROKEN });
            let log = Log::open_on(sim.storage(), options(1));
            let stored = log.as_ref().is_ok_and(|(log, _)| store(log, 1).is_ok());
            sim.crash(Crash::PowerAnyOrder(Rng(after as u64)));
            drop(log);
            let log = opened(&sim);
            assert!(!stored || numbers(&log) == [1]);
            let _ = store(&log, 1);
            assert_eq!(numbers(&log), [1]);
        }
    }
}
