//! One writer, one commit at a time, against a raw loop on the same medium that writes and syncs the same
//! bytes. Systems in turn, three rounds, the median; a ratio holds only within one run of this.
//!
//! `cargo bench -p factum-log --bench append`
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement, not a product")]

use factum_event::{
    CommandId, CommandName, CommandPayload, CommandRecord, Condition, EventType, Metadata, NewCommit,
    NewEvent, Outcome, Sequence, StreamName, Tag, Timestamp,
};
use factum_log::{Log, Options};
use factum_store::Append;
use std::{
    fs::{self, OpenOptions},
    ops::ControlFlow,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use uuid::Uuid;

const ROUNDS: usize = 3;
/// Events per commit, and commits per round.
const WORKS: [(usize, usize); 3] = [(1, 4000), (100, 800), (1000, 200)];
const PAYLOAD_BYTES: usize = 256;

fn main() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("append-bench");
    println!("durability: fdatasync");
    println!("medium: {}", root.display());
    println!("load: {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!();
    println!("| work | raw events/s | log events/s | log / raw | replay events/s |");
    println!("|---|---:|---:|---:|---:|");
    for (events, commits) in WORKS {
        let frame = frame_bytes(&root, events);
        let (mut raws, mut logs, mut replays) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            raws.push(raw(&fresh(&root), frame, commits));
            let (append, replay) = log(&fresh(&root), events, commits);
            logs.push(append);
            replays.push(replay);
        }
        let total = (events * commits) as f64;
        let rate = |times: &mut Vec<Duration>| {
            times.sort();
            total / times[times.len() / 2].as_secs_f64()
        };
        let (raw, log, replay) = (rate(&mut raws), rate(&mut logs), rate(&mut replays));
        println!("| append-{events} | {raw:.0} | {log:.0} | {:.2} | {replay:.0} |", log / raw);
    }
    println!();
    let mut rates: Vec<_> = (0..ROUNDS).map(|_| threads(&fresh(&root), 64, 150)).collect();
    rates.sort_by(f64::total_cmp);
    println!("threads-64, one event per commit: {:.0} commits/s", rates[ROUNDS / 2]);
    fs::remove_dir_all(&root).unwrap();
    println!("load: {}", fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
}

/// An empty directory. A medium that discards what was deleted stalls the next run, so that is waited for.
fn fresh(root: &Path) -> PathBuf {
    let _ = fs::remove_dir_all(root);
    fs::create_dir_all(root).unwrap();
    fs::File::open(root).unwrap().sync_all().unwrap();
    thread::sleep(Duration::from_millis(300));
    root.to_owned()
}

fn commit(number: usize, events: usize) -> Append {
    let event = |index: usize| {
        let key = (number * events + index).wrapping_mul(0x9e37_79b9) % 10_000;
        let filler = "x".repeat(PAYLOAD_BYTES - r#"{"n":0000,"t":""}"#.len());
        let payload = format!(r#"{{"n":{key:04},"t":"{filler}"}}"#);
        NewEvent::json(
            StreamName::new(format!("account-{key}")).unwrap(),
            EventType::new("bank.deposited").unwrap(),
            payload.into_bytes(),
        )
        .tag(Tag::new(format!("owner:{key}")).unwrap())
    };
    let command = CommandRecord {
        id: CommandId::new(Uuid::from_u128(
            (number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834),
        )),
        name: CommandName::new("bank.deposit").unwrap(),
        payload: CommandPayload::None,
        issued_at: Timestamp::from_micros(1),
        metadata: Metadata::default(),
    };
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: (0..events).map(event).collect() };
    Append { commit, condition: Condition::none() }
}

/// What one frame of so many events takes on disk.
fn frame_bytes(root: &Path, events: usize) -> usize {
    let dir = fresh(root);
    let (log, _) = Log::open(&dir, Options::default()).unwrap();
    log.append(vec![commit(1, events)])[0].as_ref().unwrap();
    let segment = fs::metadata(dir.join("00000000000000000001.seg")).unwrap();
    usize::try_from(segment.len()).unwrap() - 64
}

/// Sums, writes and syncs so many bytes, as often.
fn raw(dir: &Path, frame: usize, commits: usize) -> Duration {
    let file = OpenOptions::new().write(true).create_new(true).open(dir.join("raw")).unwrap();
    let mut bytes = vec![b'x'; frame];
    let start = Instant::now();
    for number in 0..commits {
        bytes[8..16].copy_from_slice(&(number as u64).to_le_bytes());
        let checksum = crc32fast::hash(&bytes[8..]);
        bytes[..4].copy_from_slice(&checksum.to_le_bytes());
        file.write_all_at(&bytes, (number * frame) as u64).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed()
}

/// Appends as often, then replays; the time of each.
fn log(dir: &Path, events: usize, commits: usize) -> (Duration, Duration) {
    let work: Vec<_> = (0..commits).map(|number| commit(number, events)).collect();
    let (log, _) = Log::open(dir, Options::default()).unwrap();
    let start = Instant::now();
    for append in work {
        log.append(vec![append])[0].as_ref().unwrap();
    }
    let appended = start.elapsed();
    let start = Instant::now();
    let mut seen = 0;
    log.scan(Sequence::START, |commit| {
        seen += commit.events().filter(|event| event.payload.len() == PAYLOAD_BYTES).count();
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(seen, events * commits);
    (appended, start.elapsed())
}

/// So many threads, each appending so many commits of one event, one after the other.
fn threads(dir: &Path, threads: usize, each: usize) -> f64 {
    let (log, _) = Log::open(dir, Options::default()).unwrap();
    let work: Vec<Vec<_>> = (0..threads)
        .map(|thread| (0..each).map(|number| commit(thread * each + number, 1)).collect())
        .collect();
    let start = Instant::now();
    thread::scope(|scope| {
        for appends in work {
            scope.spawn(|| {
                appends.into_iter().for_each(|append| assert!(log.append(vec![append])[0].is_ok()));
            });
        }
    });
    (threads * each) as f64 / start.elapsed().as_secs_f64()
}
