//! SIGKILL, for real: a child process writes from threads and tasks and reads beside them, and is killed in the
//! middle of it, also while it opens.

use crate::support::{Rng, command, event, options};
use factum_event::{Condition, NewCommit, Outcome, Position, Query, Sequence};
use factum_log::{Log, Options, inspect, verify};
use factum_store::{Append, ReadOptions, Store, Verdict, block_on};
use factum_testkit::soak;
use std::{
    collections::{BTreeMap, HashSet},
    env,
    io::{BufRead, BufReader, Write},
    ops::ControlFlow,
    path::Path,
    process::{Command, Stdio},
    thread,
};

const DIRECTORY: &str = "FACTUM_LOG_KILL_DIR";
const ROUND: &str = "FACTUM_LOG_KILL_ROUND";
/// What one writer writes in one life, if nobody kills it.
const COMMITS_MAX: u64 = 100_000;

/// Commit `n`: two events, so that a half of it would show, of several sizes.
fn pair(n: u64) -> Append {
    let bytes = [10, 200, 3000][usize::try_from(n % 3).unwrap()];
    let events =
        ["left", "right"].map(|side| event(&format!("{side}-{n}"), &format!("n:{n}"), &"x".repeat(bytes)));
    let command = command(u128::from(n) << 64 | 1);
    let commit = NewCommit { command, outcome: Outcome::Succeeded, events: events.to_vec() };
    Append { commit, condition: Condition::none() }
}

/// Segments that fill up after a few commits.
fn small() -> Options {
    Options { segment_bytes: 40_000, background: true, room_ahead: true, ..options(1) }
}

fn tell(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn stored(n: u64, verdicts: &[Verdict]) {
    verdicts[0].as_ref().unwrap();
    tell(&format!("ack {n}"));
}

/// In the child process the writer that gets killed; without its directory there is nothing to write.
#[test]
fn a_writer_writes_until_it_is_killed() {
    let Some(dir) = env::var_os(DIRECTORY) else { return };
    let round: u64 = env::var_os(ROUND).unwrap().into_string().unwrap().parse().unwrap();
    tell("opening");
    let (log, _) = Log::open(dir, small()).unwrap();
    thread::scope(|scope| {
        for writer in 0..6_u64 {
            let log = &log;
            scope.spawn(move || {
                for n in (0..COMMITS_MAX).map(|n| (round * 10 + writer) * 1_000_000 + n) {
                    match writer % 3 {
                        0 => stored(n, &log.append(vec![pair(n)])),
                        1 => stored(n, &block_on(Store::append(log, vec![pair(n)]))),
                        _ => {
                            log.submit(vec![pair(n)], move |verdicts| stored(n, &verdicts));
                            // Now and then it waits, so that the queue does not fill up.
                            if n % 16 == 15 {
                                log.append(vec![pair(n + COMMITS_MAX)]);
                            }
                        }
                    }
                }
            });
        }
        for reader in 0..2 {
            let log = &log;
            scope.spawn(move || {
                loop {
                    reads(log, reader == 0);
                }
            });
        }
    });
}

/// Reads the end of the log and tells what is there.
fn reads(log: &Log, by_commits: bool) {
    let head = log.published();
    if by_commits {
        let after = Sequence::new(head.sequence.get().saturating_sub(5));
        for commit in block_on(log.commits(after, 5)).unwrap().commits {
            let n = commit.header.command_id.get().as_u128() >> 64;
            tell(&format!("seen {} {n}", commit.header.sequence));
        }
    } else {
        let after = Position::new(head.position.get().saturating_sub(4));
        let options = ReadOptions { after, backwards: true, limit: 4, ..ReadOptions::default() };
        for event in block_on(log.read(&Query::All, options)).unwrap().events {
            let n = event.commit.command_id.get().as_u128() >> 64;
            tell(&format!("seen {} {n}", event.commit.sequence));
        }
    }
}

/// What a child told before it died.
#[derive(Debug, Default)]
struct Told {
    acknowledged: HashSet<u64>,
    seen: BTreeMap<u64, u64>,
}

/// Runs the writer until it has told so much, kills it, and adds what it told.
fn killed(dir: &Path, round: u64, after: usize, told: &mut Told) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "kill::a_writer_writes_until_it_is_killed", "--nocapture"])
        .env(DIRECTORY, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut lines, mut alive) = (0, true);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["opening"] => {}
            ["ack", n] => drop(told.acknowledged.insert(n.parse().unwrap())),
            ["seen", sequence, n] => {
                let n = n.parse().unwrap();
                let before = told.seen.insert(sequence.parse().unwrap(), n);
                assert!(before.is_none_or(|before| before == n), "{line}, and before {before:?}");
            }
            _ => continue,
        }
        lines += 1;
        if alive && lines > after {
            if after % 4 == 3 {
                // Beside the writer, while it writes.
                assert!(inspect(dir).unwrap().commits >= told.acknowledged.len() as u64);
                verify(dir).unwrap();
            }
            child.kill().unwrap();
            alive = false;
        }
    }
    assert!(!alive, "the writer ended by itself: {:?}", child.wait());
    child.wait().unwrap();
}

/// All that was told is there, all that is there is whole, and nothing has a gap.
fn check(dir: &Path, told: &Told) {
    let (log, report) = Log::open(dir, small()).unwrap();
    assert_eq!((report.damage, report.watermark_lost), (None, false));
    let (mut kept, mut by_sequence, mut position) = (HashSet::new(), BTreeMap::new(), Position::START);
    log.scan(Sequence::START, |commit| {
        let n = u64::try_from(commit.command_id().get().as_u128() >> 64).unwrap();
        assert!(kept.insert(n), "commit {n} is there twice");
        assert_eq!(commit.sequence().get(), by_sequence.len() as u64 + 1);
        by_sequence.insert(commit.sequence().get(), n);
        let due = pair(n).commit.events;
        assert_eq!(commit.event_count(), due.len());
        for (event, due) in commit.events().zip(due) {
            assert_eq!(event.position, position.next());
            position = event.position;
            assert_eq!((event.stream, event.payload), (due.stream.as_str(), &due.payload[..]));
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    let lost: Vec<_> = told.acknowledged.difference(&kept).collect();
    assert!(lost.is_empty(), "acknowledged, and lost: {lost:?}");
    let gone: Vec<_> =
        told.seen.iter().filter(|(sequence, n)| by_sequence.get(sequence) != Some(n)).collect();
    assert!(gone.is_empty(), "seen by a reader, and gone: {gone:?}");
    drop(log);
    verify(dir).unwrap();
}

fn rounds(seed: u64, rounds: u64) {
    let (mut rng, mut told) = (Rng(seed), Told::default());
    let dir = tempfile::tempdir().unwrap();
    for round in 0..rounds {
        let after = match rng.below(4) {
            0 => rng.below(3),
            1 => rng.below(40),
            _ => rng.below(5000),
        };
        killed(dir.path(), round, after, &mut told);
        check(dir.path(), &told);
    }
}

#[test]
fn every_acknowledged_commit_survives_the_kill_and_no_half_commit_does() {
    rounds(7, 8);
}

#[test]
fn soak_kills_lose_nothing_that_was_acknowledged_or_seen() {
    soak(0, 1, |seed| rounds(seed, 4));
}
