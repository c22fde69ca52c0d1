//! SIGKILL, for real: a child process writes from many threads and is killed in the middle of it.

use crate::support::{command, event, options};
use factum_event::{Condition, NewCommit, Outcome, Sequence};
use factum_log::{Log, Options, inspect, verify};
use factum_store::{Append, Store, block_on};
use std::{
    collections::HashSet,
    env,
    io::{BufRead, BufReader, Write},
    ops::ControlFlow,
    path::Path,
    process::{Command, Stdio},
    thread,
};

const DIRECTORY: &str = "FACTUM_LOG_KILL_DIR";
const ROUND: &str = "FACTUM_LOG_KILL_ROUND";

/// Commit `n`: two events, so that a half of it would show.
fn pair(n: u64) -> Append {
    let events =
        ["left", "right"].map(|side| event(&format!("{side}-{n}"), &format!("n:{n}"), &"x".repeat(200)));
    let command = command(u128::from(n) << 64 | 1);
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: events.to_vec() };
    Append { commit, condition: Condition::none() }
}

fn small() -> Options {
    Options { segment_bytes: 40_000, background: true, room_ahead: true, ..options(1) }
}

/// In the child process the writer that gets killed; without its directory there is nothing to write.
#[test]
fn a_writer_writes_until_it_is_killed() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let round: u64 = env::var_os(ROUND).unwrap().into_string().unwrap().parse().unwrap();
    let (log, _) = Log::open(dir, small()).unwrap();
    thread::scope(|scope| {
        for writer in 0..4_u64 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..100_000 {
                    let n = (round * 10 + writer) * 1_000_000 + n;
                    let batch = vec![pair(n)];
                    let verdicts =
                        if writer % 2 == 0 { log.append(batch) } else { block_on(Store::append(log, batch)) };
                    verdicts[0].as_ref().unwrap();
                    std::io::stdout().write_all(format!("ack {n}\n").as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Runs the writer until it has acknowledged so many, kills it, and gives what it acknowledged.
fn killed(dir: &Path, round: u64, after: usize) -> Vec<u64> {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::a_writer_writes_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    let mut alive = true;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some(n) = line.strip_prefix("ack ") else { continue };
        acknowledged.push(n.parse().unwrap());
        if alive && acknowledged.len() >= after {
            // Beside the writer, while it writes.
            let seen = inspect(dir).unwrap();
            assert!(seen.commits >= acknowledged.len() as u64);
            verify(dir).unwrap();
            child.kill().unwrap();
            alive = false;
        }
    }
    assert!(!alive, "the writer ended by itself: {:?}", child.wait());
    child.wait().unwrap();
    acknowledged
}

#[test]
fn every_acknowledged_commit_survives_the_kill_and_no_half_commit_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = HashSet::new();
    for (round, after) in [1, 20, 3, 150, 400, 77].into_iter().enumerate() {
        acknowledged.extend(killed(dir.path(), round as u64, after));
        let (log, report) = Log::open(dir.path(), small()).unwrap();
        assert_eq!(report.damage, None);
        let mut kept = HashSet::new();
        log.scan(Sequence::START, |commit| {
            let n = u64::try_from(commit.command_id().get().as_u128() >> 64).unwrap();
            assert!(kept.insert(n), "commit {n} is there twice");
            let streams: Vec<_> = commit.events().map(|event| event.stream.to_owned()).collect();
            assert_eq!(streams, [format!("left-{n}"), format!("right-{n}")]);
            ControlFlow::Continue(())
        })
        .unwrap();
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        acknowledged = kept;
        drop(log);
        verify(dir.path()).unwrap();
    }
}
