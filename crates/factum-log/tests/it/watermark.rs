//! The file `head`: whose it is, and what is refused or told when it cannot say how far the log had come.

use crate::{
    sim::{Crash, Fault, Operation, Sim},
    support::{numbers, options, store},
};
use factum_log::{Log, OpenError, OpenReport, verify_on};
use factum_store::{ErrorKind, Store};

const FIRST: &str = "00000000000000000001.seg";

fn open(sim: &Sim) -> Result<(Log, OpenReport), OpenError> {
    Log::open_on(sim.storage(), options(1))
}

/// Three commits, where the third begins, and the name of the log.
fn written(seed: u64) -> (Sim, usize, String) {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), options(seed)).unwrap();
    store(&log, 1).unwrap();
    store(&log, 2).unwrap();
    let third = sim.bytes(FIRST).len();
    store(&log, 3).unwrap();
    let name = Store::identity(&log).log.to_string();
    drop(log);
    (sim, third, name)
}

fn damage(result: Result<impl std::fmt::Debug, OpenError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RepairData, "{error:?}");
    error.to_string()
}

#[test]
fn a_head_of_another_log_is_refused_and_says_whose_it_is() {
    let (whole, third, this) = written(1);
    let (other, _, that) = written(2);
    for cut in [None, Some(third), Some(third + 9)] {
        let sim = whole.copy();
        sim.put("head", other.bytes("head"));
        if let Some(cut) = cut {
            sim.put(FIRST, whole.bytes(FIRST)[..cut].to_vec());
        }
        let before = sim.bytes(FIRST);
        for told in [damage(open(&sim)), damage(verify_on(&*sim.storage()))] {
            assert!(told.contains(&this) && told.contains(&that) && told.contains("head"), "{told}");
        }
        assert_eq!(sim.bytes(FIRST), before, "nothing is cut off");
        let (log, report) = Log::open_read_only_on(sim.storage(), options(1)).unwrap();
        assert!(report.damage.is_some());
        assert_eq!(numbers(&log), if cut.is_none() { vec![1, 2, 3] } else { vec![1, 2] });
    }
}

#[test]
fn one_slot_of_another_log_is_enough_to_refuse() {
    let (sim, ..) = written(1);
    let (other, _, that) = written(2);
    for slot in [0, 512] {
        let sim = sim.copy();
        let mut head = sim.bytes("head");
        head[slot..][..64].copy_from_slice(&other.bytes("head")[slot..][..64]);
        sim.put("head", head);
        assert!(damage(open(&sim)).contains(&that));
    }
}

#[test]
fn a_lost_head_never_passes_silently() {
    let (whole, third, _) = written(1);
    for lost in [None, Some(vec![]), Some(vec![0; 1024]), Some(vec![7; 1024])] {
        let sim = whole.copy();
        match lost {
            None => sim.take_away("head"),
            Some(bytes) => sim.put("head", bytes),
        }
        sim.put(FIRST, whole.bytes(FIRST)[..third].to_vec());
        assert!(verify_on(&*sim.storage()).unwrap().watermark_lost);
        let (log, report) = open(&sim).unwrap();
        let told = report.warnings();
        assert!(told.len() == 1 && told[0].contains("head was lost"), "{told:?}");
        drop(log);
        assert!(!verify_on(&*sim.storage()).unwrap().watermark_lost);
        assert!(open(&sim).unwrap().1.warnings().is_empty());
    }
}

#[test]
fn a_torn_tail_is_told_in_a_sentence() {
    let (sim, ..) = written(1);
    let bytes = sim.bytes(FIRST);
    sim.put(FIRST, [&bytes[..], &[1; 7]].concat());
    let told = open(&sim).unwrap().1.warnings();
    assert!(told.len() == 1 && told[0].contains("cut off 7 bytes"), "{told:?}");
}

#[test]
fn meta_without_segments_and_head_is_refused() {
    for empty in [false, true] {
        let sim = if empty {
            let sim = Sim::default();
            drop(open(&sim).unwrap());
            sim
        } else {
            written(1).0
        };
        sim.take_away(FIRST);
        assert_eq!(open(&sim.copy()).is_ok(), empty, "head tells whether a commit is missing");
        for head in [None, Some(vec![0; 1024])] {
            let sim = sim.copy();
            sim.take_away("head");
            if let Some(head) = head {
                sim.put("head", head);
            }
            assert!(damage(open(&sim)).contains("head is lost"));
            damage(verify_on(&*sim.storage()));
        }
    }
}

#[test]
fn head_beyond_the_first_commit_without_meta_and_segments_is_refused() {
    let (sim, _, this) = written(1);
    sim.take_away(FIRST);
    sim.take_away("meta");
    let told = damage(open(&sim));
    assert!(told.contains("commit 3") && told.contains(&this), "{told}");
    assert!(!sim.names().iter().any(|name| name == "meta"), "no log is made in its place");
}

#[test]
fn a_log_whose_making_was_cut_short_is_made_anew() {
    let fault = Fault {
        operation: Operation::Write,
        name: "meta.next",
        after: 0,
        times: 1,
        error: std::io::ErrorKind::Other,
        written: 0,
        drops: true,
    };
    for crash in [Crash::Process, Crash::Power] {
        let sim = Sim::default();
        sim.fail(fault);
        open(&sim).unwrap_err();
        sim.crash(crash);
        assert_eq!(
            sim.names().first().map(String::as_str),
            Some("head"),
            "its name is durable before meta is made"
        );
        assert!(open(&sim).unwrap().1.created);
    }
}
