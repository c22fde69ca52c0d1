//! A medium that cannot be read, or gives little at a time. Neither is damage.

use crate::{
    script::{Player, script},
    sim::{Crash, Fault, Operation, Sim},
    support::{numbers, options, store},
};
use factum_event::{Query, Sequence};
use factum_log::{Log, OpenError, Options, inspect_on, verify_on};
use factum_store::{ErrorKind, ReadOptions, Store, block_on};
use std::ops::ControlFlow;

/// Six commits in several segments, and one that was not acknowledged.
fn written() -> Sim {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 400, ..options(1) }).unwrap();
    (1..=5).for_each(|n| drop(store(&log, n).unwrap()));
    sim.fail(Fault { name: ".seg", written: 50, ..Fault::once(Operation::Write) });
    store(&log, 6).unwrap_err();
    sim.crash(Crash::Process);
    sim
}

fn all(sim: &Sim) -> Vec<(String, Vec<u8>)> {
    sim.names().into_iter().map(|name| (name.clone(), sim.bytes(&name))).collect()
}

#[test]
fn an_error_of_any_read_while_opening_changes_nothing_and_is_not_called_damage() {
    let whole = written();
    let before = all(&whole);
    let mut failed = 0;
    for after in 0.. {
        let sim = whole.fork();
        sim.fail(Fault { after, ..Fault::once(Operation::Read) });
        match Log::open_on(sim.storage(), options(1)) {
            Ok((log, report)) => {
                assert!(report.torn.is_some());
                sim.heal();
                assert_eq!(numbers(&log), [1, 2, 3, 4, 5]);
                break;
            }
            Err(error) => {
                assert!(matches!(error, OpenError::Io { .. }), "read {after}: {error}");
                assert_eq!(error.kind(), ErrorKind::Retry);
                let cause = error.to_string();
                assert!([".seg: ", "meta: ", "head: "].iter().any(|file| cause.contains(file)), "{cause}");
            }
        }
        assert_eq!(all(&sim), before, "read {after}");
        sim.heal();
        Log::open_on(sim.storage(), options(1)).unwrap();
        failed += 1;
    }
    assert!(failed > 8, "{failed} reads");
}

#[test]
fn an_error_of_a_read_is_told_and_the_next_read_is_right() {
    let sim = written();
    let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    let page = || block_on(log.read(&Query::All, ReadOptions::default()));
    let commits = || block_on(log.commits(Sequence::START, 99));
    let scan = || log.scan(Sequence::START, |_| ControlFlow::Continue(()));
    let right = (page().unwrap(), commits().unwrap());
    let fail = || sim.fail(Fault::once(Operation::Read));
    fail();
    assert_eq!(page().unwrap_err().kind(), ErrorKind::Retry);
    fail();
    assert_eq!(commits().unwrap_err().kind(), ErrorKind::Retry);
    fail();
    assert_eq!(scan().unwrap_err().kind(), ErrorKind::Retry);
    fail();
    assert!(matches!(verify_on(&*sim.storage()), Err(OpenError::Io { .. })));
    fail();
    assert!(matches!(inspect_on(&*sim.storage()), Err(OpenError::Io { .. })));
    assert_eq!((page().unwrap(), commits().unwrap()), right);
    store(&log, 9).unwrap();
}

#[test]
fn reads_that_give_little_at_a_time_are_gone_on_with() {
    for bytes in [1, 7, 500] {
        let sim = Sim::default();
        sim.read_at_most(bytes);
        let mut player = Player::new(&sim, 1, true);
        player.play(&script());
        player.check();
        player.log = None;
        player.check();
        verify_on(&*sim.storage()).unwrap();
    }
}
