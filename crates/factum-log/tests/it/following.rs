//! A log that another process writes is followed: every acknowledged commit is seen, and none that may be lost yet.

use crate::{
    sim::Sim,
    support::{command, event, numbers, options, store},
};
use factum_event::{Condition, NewCommit, Outcome, Query, Sequence};
use factum_log::{CopyOptions, Log, Options, begin_generation, copy, durable_cut};
use factum_store::{Append, ErrorKind, ReadOptions, Store, block_on};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    ops::ControlFlow,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

const DIRECTORY: &str = "FACTUM_LOG_FOLLOW_DIR";
const ROUND: &str = "FACTUM_LOG_FOLLOW_ROUND";
const WRITERS: u64 = 4;
/// What the watermark says at least, at the moment when a commit was acknowledged.
const SLOT_BYTES: usize = 512;

fn small() -> Options {
    Options { segment_bytes: 20_000, follow_every: Duration::from_millis(1), ..options(1) }
}

fn following(dir: &Path) -> Log {
    let (log, report) = Log::open_read_only(dir, small()).unwrap();
    assert_eq!(report.damage, None);
    log
}

fn one(id: u128) -> Append {
    let events = vec![event(&format!("s-{}", id % 7), &format!("n:{id}"), &"x".repeat(150))];
    let commit = NewCommit { command: command(id), outcome: Outcome::Succeeded, events };
    Append { commit, condition: Condition::none() }
}

/// In the child process the writer that gets killed; without its directory there is nothing to write.
#[test]
fn a_writer_tells_what_it_acknowledged() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let round: u128 = env::var_os(ROUND).unwrap().into_string().unwrap().parse().unwrap();
    let (log, _) = Log::open(dir, small()).unwrap();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let log = &log;
            scope.spawn(move || {
                for n in 0..1_000_000_u128 {
                    let id = 1 + n + 10_000_000 * (round * 10 + u128::from(writer));
                    let stored = log.append(vec![one(id)])[0].clone().unwrap();
                    let line = format!("ack {} {id}\n", stored.sequence);
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn writer(dir: &Path, round: usize) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "following::a_writer_tells_what_it_acknowledged", "--nocapture"])
        .env(DIRECTORY, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The last commit that the watermark names now.
fn durable(dir: &Path) -> u64 {
    loop {
        let bytes = fs::read(dir.join("head")).unwrap();
        let sequence = |slot: &[u8]| u64::from_le_bytes(slot[40..48].try_into().unwrap());
        let whole = |slot: &&[u8]| slot[..8] == *b"FACTUMHD" && is_whole(slot);
        // Both may be in the making, seen one after the other.
        if let Some(durable) = bytes.chunks(SLOT_BYTES).filter(whole).map(sequence).max() {
            return durable;
        }
    }
}

fn is_whole(slot: &[u8]) -> bool {
    let mut crc = !0_u32;
    for byte in slot[..12].iter().chain(&slot[16..64]) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    (!crc).to_le_bytes() == slot[12..16]
}

/// The commands of a log by their sequence, in order.
fn ids(log: &Log) -> Vec<u128> {
    let mut ids = Vec::new();
    log.scan(Sequence::START, |commit| {
        assert_eq!(commit.sequence().get(), ids.len() as u64 + 1);
        ids.push(commit.command_id().get().as_u128());
        ControlFlow::Continue(())
    })
    .unwrap();
    ids
}

#[test]
fn beside_a_writer_that_is_killed_again_and_again_all_that_was_acknowledged_is_seen_and_nothing_beyond() {
    let dir = tempfile::tempdir().unwrap();
    drop(Log::open(dir.path(), small()).unwrap());
    let log = following(dir.path());
    let mut acknowledged: Vec<(u64, u128)> = Vec::new();
    for (round, after) in [1_usize, 300, 20, 700, 90].into_iter().enumerate() {
        let mut child = writer(dir.path(), round);
        let (mut heard, mut alive) = (0, true);
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
            let Some(told) = line.strip_prefix("ack ") else { continue };
            let (sequence, id) = told.split_once(' ').unwrap();
            acknowledged.push((sequence.parse().unwrap(), id.parse().unwrap()));
            heard += 1;
            if alive {
                let head = log.refresh().unwrap();
                let told = acknowledged.last().unwrap().0;
                assert!(head.sequence.get() >= told, "{head:?} does not have commit {told}");
                let durable = durable(dir.path());
                assert!(head.sequence.get() <= durable, "{head:?} is beyond {durable}");
            }
            if alive && heard >= after {
                child.kill().unwrap();
                alive = false;
            }
        }
        child.wait().unwrap();
        let head = log.refresh().unwrap().sequence;
        assert!(head.get() <= durable(dir.path()));
        let seen = ids(&log);
        assert_eq!(seen.len() as u64, head.get());
        for (sequence, id) in &acknowledged {
            assert_eq!(seen[*sequence as usize - 1], *id, "commit {sequence} in round {round}");
        }
    }
    // Whole, and as its writer sees it then.
    let (written, _) = Log::open(dir.path(), small()).unwrap();
    assert_eq!(log.refresh().unwrap(), written.published());
    assert_eq!(ids(&log), ids(&written));
    let count = |log: &Log| {
        let query = Query::from(factum_event::QueryItem::default().stream(crate::support::stream("s-3")));
        let page =
            block_on(log.read(&query, ReadOptions { limit: 10_000, ..ReadOptions::default() })).unwrap();
        page.events.into_iter().map(|event| (event.position, event.revision)).collect::<Vec<_>>()
    };
    assert_eq!(count(&log), count(&written), "the index as well");
    assert!(fs::read_dir(dir.path()).unwrap().count() > 8, "over many segments");
}

#[test]
fn who_waits_for_commits_is_woken_by_those_of_another_process() {
    let dir = tempfile::tempdir().unwrap();
    drop(Log::open(dir.path(), small()).unwrap());
    let log = following(dir.path());
    let mut child = writer(dir.path(), 0);
    let mut after = Sequence::START;
    for _ in 0..20 {
        let head = block_on(log.appended(after)).unwrap();
        assert!(head.sequence > after);
        after = head.sequence;
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn who_waits_is_told_when_there_is_nothing_to_follow_any_more() {
    let dir = tempfile::tempdir().unwrap();
    let (written, _) = Log::open(dir.path(), small()).unwrap();
    store(&written, 1).unwrap();
    let log = following(dir.path());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(log.appended(Sequence::new(1))));
        // It waits, or is about to: both are told.
        let meta = dir.path().join("meta");
        let mut bytes = fs::read(&meta).unwrap();
        bytes[20] ^= 1;
        fs::write(&meta, bytes).unwrap();
        let told = waiting.join().unwrap().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::RepairData, "{told}");
    });
    assert_eq!(numbers(&log), [1], "what was read stays readable");
}

#[test]
fn what_stands_beyond_the_durable_head_is_not_read_until_it_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let (ahead, behind) = (dir.path().join("ahead"), dir.path().join("behind"));
    let (written, _) = Log::open(&ahead, options(1)).unwrap();
    (1..=3).for_each(|n| drop(store(&written, n).unwrap()));
    fs::create_dir(&behind).unwrap();
    let names = ["meta", "head", "00000000000000000001.seg"];
    for name in names {
        fs::copy(ahead.join(name), behind.join(name)).unwrap();
    }
    let log = following(&behind);
    store(&written, 4).unwrap();
    let bring = |name: &str| fs::write(behind.join(name), fs::read(ahead.join(name)).unwrap()).unwrap();
    bring(names[2]);
    assert_eq!(log.refresh().unwrap().sequence.get(), 3);
    assert_eq!(numbers(&following(&behind)), [1, 2, 3], "opened anew neither");
    bring(names[1]);
    assert_eq!(log.refresh().unwrap().sequence.get(), 4);
    assert_eq!(numbers(&log), [1, 2, 3, 4]);
}

#[test]
fn without_a_watermark_it_is_read_as_far_as_it_is_whole_and_the_report_says_so() {
    let sim = Sim::default();
    let (written, _) = Log::open_on(sim.storage(), Options { segment_bytes: 800, ..options(1) }).unwrap();
    (1..=5).for_each(|n| drop(store(&written, n).unwrap()));
    let head = sim.bytes("head");
    sim.put("head", vec![0; head.len()]);
    let (log, report) = Log::open_read_only_on(sim.storage(), options(2)).unwrap();
    assert!(report.watermark_lost);
    assert_eq!(numbers(&log), [1, 2, 3, 4, 5]);
    drop(store(&written, 6));
    sim.put("head", vec![0; head.len()]);
    log.refresh().unwrap();
    assert_eq!(numbers(&log), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn damage_leaves_what_is_before_it_readable_and_is_told_at_each_look() {
    let sim = Sim::default();
    let (written, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    (1..=2).for_each(|n| drop(store(&written, n).unwrap()));
    let (log, _) = Log::open_read_only_on(sim.storage(), options(2)).unwrap();
    (3..=5).for_each(|n| drop(store(&written, n).unwrap()));
    let name = sim.segments()[0].clone();
    let (whole, mut damaged) = (sim.bytes(&name), sim.bytes(&name));
    let at = whole.windows(7).position(|bytes| bytes == b"{\"n\":4}").unwrap();
    damaged[at] ^= 1;
    sim.put(&name, damaged);
    for _ in 0..2 {
        let told = log.refresh().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::RepairData, "{told}");
        assert!(told.to_string().contains(&name), "{told}");
        assert_eq!(numbers(&log), [1, 2, 3]);
    }
    sim.put(&name, whole);
    log.refresh().unwrap();
    assert_eq!(numbers(&log), [1, 2, 3, 4, 5]);
}

#[test]
fn another_generation_is_followed_if_it_holds_what_was_read_and_refused_if_not() {
    let root = tempfile::tempdir().unwrap();
    let (dir, older, aside) = (root.path().join("log"), root.path().join("older"), root.path().join("aside"));
    let written = Log::open(&dir, small()).unwrap().0;
    (1..=50).for_each(|n| drop(store(&written, n).unwrap()));
    let restored = CopyOptions { begin_generation: true, ..CopyOptions::new(durable_cut(&dir).unwrap()) };
    copy(&dir, &older, &restored, &mut |_, _| {}).unwrap();
    let log = following(&dir);
    let first = log.identity();
    drop(written);
    begin_generation(&dir).unwrap();
    assert_eq!(
        (log.refresh().unwrap().sequence.get(), log.identity()),
        (50, first),
        "nobody has opened it yet"
    );
    let written = Log::open(&dir, small()).unwrap().0;
    store(&written, 51).unwrap();
    assert_eq!(log.refresh().unwrap().sequence.get(), 51);
    assert_eq!(log.identity(), written.identity());
    assert_eq!(numbers(&log), (1..=51).collect::<Vec<_>>());
    drop(written);

    // An older copy in its place, without the last commit that was read; later it has another one there.
    fs::rename(&dir, &aside).unwrap();
    fs::rename(&older, &dir).unwrap();
    for n in [100, 101] {
        let told = log.refresh().unwrap_err();
        assert_eq!(told.kind(), ErrorKind::Reopen, "{told}");
        assert_eq!(numbers(&log).len(), 51, "what was read stays readable");
        drop(store(&Log::open(&dir, small()).unwrap().0, n).unwrap());
    }
    assert_eq!(log.refresh().unwrap_err().kind(), ErrorKind::Reopen);
    assert_eq!(numbers(&following(&dir)).len(), 52);
}

#[test]
fn a_log_that_is_written_here_is_as_it_was_published() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), small()).unwrap();
    store(&log, 1).unwrap();
    assert_eq!(log.refresh().unwrap(), log.published());
}
