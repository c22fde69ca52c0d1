//! Zeros ahead of the frames: never taken for damage, never hiding it, given back in time.

use crate::{
    sim::{Crash, Fault, Operation, Sim},
    support::{numbers, options, store},
};
use factum_log::{Log, OpenError, Options, limits::ROOM_AHEAD_BYTES_MAX};
use std::{fs, io, thread, time::Duration};

const FIRST: &str = "00000000000000000001.seg";
/// What a scan reads at once.
const SCAN_BYTES: usize = 1024 * 1024;
const BLOCK_BYTES: usize = 4096;

fn roomy() -> Options {
    Options { room_ahead: true, ..options(1) }
}

fn opened(sim: &Sim) -> Log {
    let (log, report) = Log::open_on(sim.storage(), roomy()).unwrap();
    assert_eq!(report.torn, None);
    log
}

#[test]
fn room_after_the_last_frame_is_a_clean_end_and_is_given_back() {
    for crash in [Crash::Process, Crash::Power] {
        let sim = Sim::default();
        let log = opened(&sim);
        (1..=3).for_each(|n| drop(store(&log, n).unwrap()));
        let with_room = sim.bytes(FIRST).len();
        assert!(with_room > ROOM_AHEAD_BYTES_MAX / 2, "{with_room}");
        sim.crash(crash);
        drop(log);
        assert_eq!(factum_log::verify_on(&*sim.storage()).unwrap().torn, None);
        let log = opened(&sim);
        assert!(sim.bytes(FIRST).len() < 4096, "the room of an earlier life is given back");
        store(&log, 4).unwrap();
        drop(log);
        assert!(sim.bytes(FIRST).len() < 4096, "a log that is closed keeps no room");
        assert_eq!(numbers(&opened(&sim)), [1, 2, 3, 4]);
    }
}

#[test]
fn a_segment_that_ends_keeps_no_room() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 2000, ..roomy() }).unwrap();
    (1..=60).for_each(|n| drop(store(&log, n).unwrap()));
    let names = sim.segments();
    let (_, ended) = names.split_last().unwrap();
    assert!(ended.len() > 2);
    for name in ended {
        let bytes = sim.bytes(name);
        let footer = bytes.len() - 112;
        assert_eq!(
            (bytes[footer - 1], &bytes[footer..footer + 4]),
            (b'}', &b"FFTR"[..]),
            "{name}: its last frame, a footer"
        );
    }
}

#[test]
fn an_acknowledged_frame_that_turned_to_zeros_is_refused() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    let whole = sim.bytes(FIRST);
    let start = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    store(&log, 2).unwrap();
    sim.crash(Crash::Process);
    drop(log);
    let mut bytes = sim.bytes(FIRST);
    bytes[start..].fill(0);
    sim.put(FIRST, bytes);
    let refused = Log::open_on(sim.storage(), roomy()).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
}

#[test]
fn a_torn_frame_within_the_room_is_cut_off_and_reported() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    let before = sim.copy();
    let start = sim.bytes(FIRST).iter().rposition(|byte| *byte != 0).unwrap() + 1;
    store(&log, 2).unwrap();
    let after = sim.bytes(FIRST);
    drop(log);
    for cut in (start + 1..start + 150).step_by(7) {
        let sim = before.copy();
        let mut bytes = after.clone();
        bytes[cut..].fill(0);
        sim.put(FIRST, bytes);
        let (log, report) = Log::open_on(sim.storage(), roomy()).unwrap();
        let torn = report.torn.expect("a part of a frame stands there");
        let written = after[..cut].iter().rposition(|byte| *byte != 0).unwrap() + 1 - start;
        assert_eq!((torn.offset, torn.bytes), (start as u64, written as u64), "the room is not counted");
        assert_eq!(numbers(&log), [1]);
        store(&log, 3).unwrap();
        assert_eq!(numbers(&log), [1, 3]);
    }
}

#[test]
fn of_a_torn_write_that_is_long_all_is_counted() {
    let sim = Sim::default();
    let log = opened(&sim);
    store(&log, 1).unwrap();
    sim.crash(Crash::Process);
    drop(log);
    let mut bytes = sim.bytes(FIRST);
    let start = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for length in [SCAN_BYTES - 1, SCAN_BYTES, SCAN_BYTES + 1, 2 * SCAN_BYTES + 70] {
        bytes.truncate(start);
        bytes.resize(start + length, 1);
        bytes.resize(start + length + SCAN_BYTES, 0);
        let sim = sim.copy();
        sim.put(FIRST, bytes.clone());
        let (_, report) = Log::open_on(sim.storage(), roomy()).unwrap();
        let torn = report.torn.expect("it is no room");
        assert_eq!((torn.offset, torn.bytes), (start as u64, length as u64));
    }
}

/// A block that is written in part and not in memory has to be read before.
#[test]
fn a_write_into_room_ends_where_a_block_does_and_never_beyond_the_room() {
    let sim = Sim::default();
    let segment_bytes = 2 * BLOCK_BYTES + 1000;
    let (log, _) =
        Log::open_on(sim.storage(), Options { segment_bytes: segment_bytes as u64, ..roomy() }).unwrap();
    (1..).take_while(|n| store(&log, *n).is_ok() && sim.segments().len() == 1).for_each(drop);
    // The header, the first frame and its room; at the end a footer, where the frames end.
    let writes = sim.writes(FIRST);
    let (before, after) = writes.split_at(3);
    let (footer, into) = after.split_last().unwrap();
    assert_eq!((before[2].end, footer.len()), (segment_bytes, 112), "{writes:?}");
    let ends: std::collections::BTreeSet<_> = into.iter().map(|write| write.end).collect();
    assert_eq!(ends, [BLOCK_BYTES, 2 * BLOCK_BYTES, segment_bytes].into());
}

#[test]
fn an_append_does_not_fail_for_want_of_room_ahead() {
    let sim = Sim::default();
    let log = opened(&sim);
    // The header of the segment, the frame; then the zeros, of which a part is written.
    let (name, error) = (".seg", io::ErrorKind::StorageFull);
    sim.fail(Fault { name, after: 2, error, written: 700, ..Fault::once(Operation::Write) });
    store(&log, 1).unwrap();
    assert!(sim.bytes(FIRST).len() < 4096, "{}", sim.bytes(FIRST).len());
    store(&log, 2).unwrap();
    assert!(sim.bytes(FIRST).len() > 4096, "it is tried again");
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(numbers(&opened(&sim)), [1, 2]);
}

/// Not on a file system that knows no way past its cache, such as some in memory.
#[test]
fn the_next_segment_is_filled_while_the_active_one_is_written() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = || Options { segment_bytes: 8 * 1024 * 1024, background: true, ..roomy() };
    let (log, _) = Log::open(dir.path(), options()).unwrap();
    let next = dir.path().join("next");
    let segments = || fs::read_dir(dir.path()).unwrap().filter(is_segment).count();
    let mut n = 0;
    while next.metadata().map_or(0, |data| data.len()) < 8 * 1024 * 1024 {
        n += 1;
        store_large(&log, n);
        if n % 16 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(n < 100_000, "no segment was ever filled ahead");
    }
    let before = segments();
    while segments() == before {
        n += 1;
        store_large(&log, n);
    }
    let newest = fs::read_dir(dir.path())
        .unwrap()
        .filter(is_segment)
        .max_by_key(|entry| entry.as_ref().unwrap().file_name());
    let length = newest.unwrap().unwrap().metadata().unwrap().len();
    assert!(length >= 8 * 1024 * 1024 || next.exists(), "the segment began full of zeros: {length}");
    drop(log);
    assert!(!next.exists(), "a log that is closed leaves no file behind");
    let (log, report) = Log::open(dir.path(), options()).unwrap();
    assert_eq!(report.torn, None);
    assert_eq!(numbers(&log).len() as u64, n);
}

fn store_large(log: &Log, n: u64) {
    let mut append = crate::support::simple(n);
    append.commit.events[0].payload = vec![b'x'; 50_000].into();
    log.append(vec![append]).pop().unwrap().unwrap();
}

fn is_segment(entry: &io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "seg")
}
