//! A disk that fills up at the edge between two segments.

use crate::{
    sim::{Crash, Fault, Operation, Sim},
    support::{event, numbers, options, simple, store},
};
use factum_log::{Log, Options};
use factum_store::{Append, ErrorKind};
use std::io;

const FULL: Fault =
    Fault { name: ".seg", error: io::ErrorKind::StorageFull, ..Fault::once(Operation::Write) };

fn opened(sim: &Sim) -> Log {
    Log::open_on(sim.storage(), Options { segment_bytes: 600, ..options(1) }).unwrap().0
}

fn large(n: u64) -> Append {
    let mut append = simple(n);
    append.commit.events = vec![event("a-1", "large", &"x".repeat(500))];
    append
}

fn is_refused(log: &Log, append: Append) {
    let verdict = log.append(vec![append]).pop().unwrap();
    assert_eq!(crate::ledger::kind(&verdict), Some(ErrorKind::Retry), "{verdict:?}");
}

#[test]
fn a_segment_whose_first_commit_found_no_room_is_not_begun_again() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    sim.fail(Fault { after: 1, ..FULL });
    // The first of the two begins a segment and finds no room; the second would have needed another.
    let verdicts = log.append(vec![large(2), large(3)]);
    assert!(verdicts[0].is_err() && verdicts[1].is_ok(), "{verdicts:?}");
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1, 3]);
}

#[test]
fn once_a_segment_could_not_be_made_nothing_goes_into_the_one_before() {
    for (fault, stays) in [
        (FULL, true),
        (Fault { operation: Operation::Sync, after: 1, ..FULL }, true),
        (Fault { operation: Operation::SyncDir, name: "", ..FULL }, false),
    ] {
        let sim = Sim::default();
        let log = opened(&sim);
        store(&log, 1).unwrap();
        sim.fail(fault);
        if stays {
            sim.fail(Fault { name: ".seg", ..Fault::once(Operation::Remove) });
        }
        is_refused(&log, large(2));
        assert_eq!(sim.segments().len(), 1 + usize::from(stays));
        // It would fit behind the first commit, and what is left of the second segment has its name.
        store(&log, 3).unwrap();
        for crash in [Crash::Process, Crash::Power] {
            let sim = sim.fork();
            sim.crash(crash);
            assert_eq!(numbers(&opened(&sim)), [1, 3], "{fault:?}");
        }
    }
}
