//! What opening makes of what a crash, or a bad medium, left.

use crate::{
    sim::{Crash, Fault, Operation, Sim},
    support::{Rng, numbers, options, simple, store},
};
use factum_event::{Position, Query, Sequence};
use factum_log::{Log, OpenError, OpenReport, Options, TornTail, begin_generation_on, verify_on};
use factum_store::{AppendError, ErrorKind, ReadOptions, Store, block_on};

/// What a sealed segment ends with.
const FOOTER_BYTES: usize = 112;
const FIRST: &str = "00000000000000000001.seg";

fn open(sim: &Sim) -> Result<(Log, OpenReport), OpenError> {
    Log::open_on(sim.storage(), options(1))
}

fn opened(sim: &Sim) -> (Log, OpenReport) {
    open(sim).unwrap()
}

/// Commits 1..=n in one segment, and where each frame starts; the last entry is the end.
fn written(n: u64) -> (Sim, Vec<usize>) {
    let sim = Sim::default();
    let (log, _) = opened(&sim);
    store(&log, 1).unwrap();
    let mut starts = vec![64, sim.bytes(FIRST).len()];
    for number in 2..=n {
        store(&log, number).unwrap();
        starts.push(sim.bytes(FIRST).len());
    }
    drop(log);
    (sim, starts)
}

fn damage(result: Result<impl std::fmt::Debug, OpenError>) -> (String, u64, String) {
    match result {
        Err(error @ OpenError::Damaged { .. }) => {
            assert_eq!(error.kind(), ErrorKind::RepairData);
            assert!(error.to_string().contains("Restore it from a backup, or open it read-only"), "{error}");
            let OpenError::Damaged { segment, offset, reason, .. } = error else { unreachable!() };
            (segment, offset, reason)
        }
        other => panic!("not refused as damaged: {other:?}"),
    }
}

#[test]
fn torn_tail_at_every_byte_is_truncated_and_reported() {
    let (before, starts) = written(3);
    let (after, ends) = written(4);
    let (start, whole) = (starts[3], after.bytes(FIRST));
    assert_eq!(whole[..start], before.bytes(FIRST)[..]);
    for cut in start + 1..ends[4] {
        for lost_sector in [false, true] {
            let sim = before.copy();
            let mut bytes = whole.clone();
            if lost_sector {
                bytes[cut..].fill(0);
            } else {
                bytes.truncate(cut);
            }
            // Zeros at the end are room that was made ahead, and no part of the write.
            let written = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1 - start;
            let torn = TornTail { segment: FIRST.into(), offset: start as u64, bytes: written as u64 };
            sim.put(FIRST, bytes);
            assert_eq!(verify_on(&*sim.storage()).unwrap().torn, Some(torn.clone()));
            let (log, report) = opened(&sim);
            assert_eq!(report.torn, Some(torn), "cut at {cut}");
            assert_eq!(sim.bytes(FIRST).len(), start);
            store(&log, 9).unwrap();
            drop(log);
            let (log, report) = opened(&sim);
            assert_eq!((report.torn, numbers(&log)), (None, vec![1, 2, 3, 9]));
        }
    }
}

#[test]
fn a_whole_frame_that_was_not_acknowledged_is_kept_and_then_stays() {
    let (sim, _) = written(3);
    let (log, _) = opened(&sim);
    sim.fail(Fault {
        operation: Operation::Sync,
        name: ".seg",
        after: 0,
        times: 1,
        error: std::io::ErrorKind::Other,
        written: 0,
        drops: true,
    });
    assert!(matches!(store(&log, 4), Err(AppendError::Unknown { .. })));
    sim.crash(Crash::Process);
    drop(log);
    let (log, report) = opened(&sim);
    assert_eq!(
        (report.torn, report.head.sequence, numbers(&log)),
        (None, Sequence::new(4), vec![1, 2, 3, 4])
    );
    sim.crash(Crash::Power);
    drop(log);
    assert_eq!(numbers(&opened(&sim).0), [1, 2, 3, 4], "what a reader has seen stays");
}

#[test]
fn a_flipped_bit_anywhere_in_an_acknowledged_frame_is_refused_with_segment_and_offset() {
    let (whole, starts) = written(4);
    let mut rng = Rng(5);
    let bytes = whole.bytes(FIRST);
    for at in starts[0]..bytes.len() {
        let sim = whole.copy();
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << rng.below(8);
        sim.put(FIRST, flipped.clone());
        let frame = starts.partition_point(|start| *start <= at) - 1;
        let due = (FIRST.to_owned(), starts[frame] as u64);
        let (segment, offset, reason) = damage(open(&sim));
        assert_eq!((segment, offset), due, "byte {at}: {reason}");
        let (segment, offset, _) = damage(verify_on(&*sim.storage()));
        assert_eq!((segment, offset), due, "byte {at}");
        assert_eq!(sim.bytes(FIRST), flipped, "nothing is changed");
    }
}

#[test]
fn a_flipped_bit_in_a_header_or_in_meta_is_refused() {
    let (whole, _) = written(2);
    for (file, length) in [(FIRST, 64), ("meta", 48)] {
        for at in 0..length {
            let sim = whole.copy();
            let mut bytes = whole.bytes(file);
            bytes[at] ^= 0x10;
            sim.put(file, bytes);
            let (segment, offset, _) = damage(open(&sim));
            assert_eq!((segment.as_str(), offset), (file, 0), "byte {at}");
        }
    }
}

#[test]
fn later_frames_prove_what_was_acknowledged_when_the_watermark_lags() {
    let (early, _) = written(1);
    let (whole, starts) = written(4);
    let sim = whole.copy();
    sim.put("head", early.bytes("head"));
    for (frame, start) in starts[1..3].iter().enumerate() {
        let sim = sim.copy();
        let mut bytes = whole.bytes(FIRST);
        bytes[start + 20] ^= 1;
        sim.put(FIRST, bytes);
        let (_, offset, reason) = damage(open(&sim));
        assert_eq!(offset, *start as u64, "frame {frame}: {reason}");
    }
    let mut bytes = whole.bytes(FIRST);
    bytes[starts[3] + 20] ^= 1;
    sim.put(FIRST, bytes);
    assert!(opened(&sim).1.torn.is_some(), "after power loss the last group cannot be told from a torn one");
}

#[test]
fn an_acknowledged_tail_that_is_gone_is_refused() {
    let (whole, starts) = written(3);
    for cut in [starts[2], starts[2] + 10, starts[1], 64, 10, 0] {
        let sim = whole.copy();
        sim.put(FIRST, whole.bytes(FIRST)[..cut].to_vec());
        let (segment, offset, _) = damage(open(&sim));
        let due = starts.iter().rfind(|start| **start <= cut).copied().unwrap_or(0);
        assert_eq!((segment.as_str(), offset), (FIRST, due as u64), "cut at {cut}");
    }
    whole.take_away(FIRST);
    assert_eq!(damage(open(&whole)).0, FIRST);
}

#[test]
fn a_lost_watermark_is_made_anew_but_not_trusted_with_a_torn_tail() {
    let (whole, starts) = written(3);
    let lost = whole.copy();
    lost.take_away("head");
    let (log, report) = opened(&lost);
    assert!(report.watermark_lost);
    assert_eq!(numbers(&log), [1, 2, 3]);
    drop(log);
    assert!(!opened(&lost).1.watermark_lost);
    whole.put("head", vec![0; 1024]);
    whole.put(FIRST, whole.bytes(FIRST)[..starts[3] - 1].to_vec());
    let (_, offset, reason) = damage(open(&whole));
    assert_eq!(offset, starts[2] as u64);
    assert!(reason.contains("head"), "{reason}");
}

#[test]
fn one_slot_of_the_watermark_is_enough() {
    let (whole, starts) = written(3);
    whole.put(FIRST, whole.bytes(FIRST)[..starts[2]].to_vec());
    let newest = (0..2)
        .max_by_key(|slot| {
            u64::from_le_bytes(whole.bytes("head")[slot * 512 + 40..][..8].try_into().unwrap())
        })
        .unwrap();
    let mut head = whole.bytes("head");
    head[(1 - newest) * 512..][..512].fill(0xee);
    whole.put("head", head);
    damage(open(&whole));
}

fn rolled() -> (Sim, Vec<String>) {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 400, ..options(1) }).unwrap();
    (1..=9).for_each(|n| drop(store(&log, n).unwrap()));
    drop(log);
    let segments = sim.segments();
    assert!(segments.len() > 3, "{segments:?}");
    (sim, segments)
}

#[test]
fn a_missing_segment_is_refused() {
    let (whole, segments) = rolled();
    for missing in &segments {
        let sim = whole.copy();
        sim.take_away(missing);
        let (segment, ..) = damage(open(&sim));
        let last = segments.len() - 1;
        let due = if *missing == segments[last] { &segments[last - 1] } else { missing };
        assert_eq!(segment, *due, "{missing} is missing");
    }
}

#[test]
fn damage_in_an_earlier_segment_is_never_a_torn_tail() {
    let (whole, segments) = rolled();
    let (early, _) = written(1);
    for segment in &segments[..segments.len() - 1] {
        let sim = whole.copy();
        sim.put("head", early.bytes("head"));
        let bytes = whole.bytes(segment);
        sim.put(segment, bytes[..bytes.len() - FOOTER_BYTES - 1].to_vec());
        assert_eq!(damage(open(&sim)).0, *segment);
    }
}

#[test]
fn a_segment_of_another_log_is_refused() {
    let (whole, _) = written(2);
    let other = Sim::default();
    let (log, _) = Log::open_on(other.storage(), options(99)).unwrap();
    store(&log, 1).unwrap();
    drop(log);
    whole.put(FIRST, other.bytes(FIRST));
    let (segment, offset, reason) = damage(open(&whole));
    assert_eq!((segment.as_str(), offset), (FIRST, 0));
    assert!(reason.contains("belongs to log"), "{reason}");
}

#[test]
fn a_segment_that_was_being_made_is_removed() {
    let (whole, _) = written(2);
    let next = "00000000000000000003.seg";
    for length in [0, 1, 63] {
        let sim = whole.copy();
        sim.put(next, vec![0; length]);
        let (log, report) = opened(&sim);
        assert_eq!(report.torn, Some(TornTail { segment: next.into(), offset: 0, bytes: 0 }));
        assert_eq!(sim.segments(), [FIRST]);
        assert_eq!(numbers(&log), [1, 2]);
    }
}

#[test]
fn commits_before_the_damage_are_read_when_opened_read_only() {
    let (sim, starts) = written(4);
    let mut bytes = sim.bytes(FIRST);
    bytes[starts[2] + 80] ^= 1;
    sim.put(FIRST, bytes);
    let (log, report) = Log::open_read_only_on(sim.storage(), options(1)).unwrap();
    assert_eq!(report.damage.unwrap().offset, starts[2] as u64);
    assert_eq!(numbers(&log), [1, 2]);
    let page = block_on(log.read(&Query::All, ReadOptions::default())).unwrap();
    assert_eq!((page.events.len(), page.head), (2, Position::new(2)));
    match store(&log, 9) {
        Err(AppendError::Store(error)) => assert_eq!(error.kind(), ErrorKind::Reopen),
        other => panic!("{other:?}"),
    }
}

#[test]
fn damage_that_comes_while_the_log_is_open_is_met_by_every_read() {
    let (whole, starts) = written(3);
    for at in starts[1]..starts[2] {
        let sim = whole.copy();
        let (log, _) = opened(&sim);
        let mut bytes = sim.bytes(FIRST);
        bytes[at] ^= 4;
        sim.put(FIRST, bytes);
        let page = block_on(log.read(&Query::All, ReadOptions::default()));
        // Scattered reads check what they return: the last checksum word of the header is over events not read.
        let error = page.expect_err("the page holds the damaged commit");
        assert_eq!(error.kind(), ErrorKind::RepairData, "byte {at}");
        assert!(block_on(log.commits(Sequence::START, 9)).is_err(), "byte {at}");
        assert!(log.scan(Sequence::START, |_| std::ops::ControlFlow::Continue(())).is_err(), "byte {at}");
        let after = ReadOptions { after: Position::new(2), ..ReadOptions::default() };
        assert_eq!(block_on(log.read(&Query::All, after)).unwrap().events.len(), 1);
    }
}

#[test]
fn what_a_client_writes_never_passes_for_a_frame() {
    let (sim, _) = written(3);
    let bytes = sim.bytes(FIRST);
    let (log, _) = opened(&sim);
    let mut copying = simple(4);
    copying.commit.events[0].payload = bytes[64..].to_vec().into();
    // Bytes that look like frames, from a log with another salt.
    let other = Sim::default();
    let (foreign, _) = Log::open_on(other.storage(), options(3)).unwrap();
    (1..=9).for_each(|n| drop(store(&foreign, n).unwrap()));
    copying.commit.events[0].payload = other.bytes(FIRST)[64..].to_vec().into();
    let head = sim.bytes("head");
    let start = sim.bytes(FIRST).len();
    log.append(vec![copying])[0].as_ref().unwrap();
    drop(log);
    let bytes = sim.bytes(FIRST);
    sim.put(FIRST, bytes[..bytes.len() - 1].to_vec());
    sim.put("head", head);
    assert_eq!(opened(&sim).1.torn.unwrap().offset, start as u64);
}

#[test]
fn an_identity_that_was_given_out_survives_power_loss() {
    let sim = Sim::default();
    let (log, _) = opened(&sim);
    let first = log.identity();
    sim.crash(Crash::Power);
    drop(log);
    let (log, report) = Log::open_on(sim.storage(), options(2)).unwrap();
    assert_eq!((log.identity(), report.created), (first, false));
    drop(log);
    let second = begin_generation_on(&*sim.storage()).unwrap();
    sim.crash(Crash::Power);
    assert_eq!(opened(&sim).0.identity(), second);
}

#[test]
fn a_new_generation_begins_from_what_the_copy_holds() {
    let (sim, starts) = written(3);
    let before = Store::identity(&opened(&sim).0);
    sim.put(FIRST, sim.bytes(FIRST)[..starts[2] + 9].to_vec());
    damage(open(&sim));
    let identity = begin_generation_on(&*sim.storage()).unwrap();
    assert_eq!((identity.log, identity.generation), (before.log, before.generation + 1));
    let (log, report) = opened(&sim);
    assert_eq!(report.torn.unwrap().offset, starts[2] as u64);
    assert_eq!((numbers(&log), log.identity()), (vec![1, 2], identity));
    store(&log, 7).unwrap();
    drop(log);
    assert_eq!(numbers(&opened(&sim).0), [1, 2, 7]);
}

#[test]
fn a_frame_in_the_place_of_another_is_refused() {
    let sim = Sim::default();
    let (log, _) = opened(&sim);
    let mut ends = vec![64];
    for n in 1..=3 {
        let commit = factum_event::NewCommit {
            command: crate::support::command(n),
            outcome: factum_event::Outcome::Nothing,
            events: Vec::new(),
        };
        let condition = factum_event::Condition::none();
        log.append(vec![factum_store::Append { commit, condition }])[0].as_ref().unwrap();
        ends.push(sim.bytes(FIRST).len());
    }
    drop(log);
    let mut bytes = sim.bytes(FIRST);
    bytes.copy_within(ends[0]..ends[1], ends[1]);
    sim.put(FIRST, bytes);
    assert_eq!(damage(open(&sim)).1, ends[1] as u64);
    assert_eq!(damage(verify_on(&*sim.storage())).1, ends[1] as u64);
}

#[test]
fn the_watermark_is_durable_before_the_next_segment_is_made() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 64, ..options(1) }).unwrap();
    store(&log, 1).unwrap();
    store(&log, 2).unwrap();
    sim.crash(Crash::Power);
    drop(log);
    sim.take_away("00000000000000000002.seg");
    let bytes = sim.bytes(FIRST);
    sim.put(FIRST, bytes[..bytes.len() - FOOTER_BYTES - 1].to_vec());
    assert_eq!(damage(open(&sim)).1, 64);
}
