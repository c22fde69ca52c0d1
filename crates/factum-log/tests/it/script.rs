//! One run of a log that does all it can: appends of every size, alone and in groups, refused and not, segments
//! that fill up, a disk without room, closing, opening again, a new generation. Tests break it at any point.

use crate::{
    ledger::{Ledger, kind},
    sim::{Fault, Operation, Sim},
    support::{command, event, options, stream},
};
use factum_event::{CommandId, Condition, Expected, NewCommit, Outcome, Source, Timestamp, Tracking};
use factum_log::{Log, Options, begin_generation_on};
use factum_store::{Append, Clock, ErrorKind, Verdict};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// Goes back by a microsecond whenever it is asked.
#[derive(Debug, Default)]
pub(crate) struct BackwardClock(AtomicI64);

impl Clock for BackwardClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_sub(1, Ordering::SeqCst))
    }
}

/// Small segments, small groups, nothing in the background: the same run does the same. With an odd seed there is
/// room ahead of the frames.
pub(crate) fn small(seed: u64) -> Options {
    let clock = Arc::new(BackwardClock::default());
    let room_ahead = seed % 2 == 1;
    Options { segment_bytes: 1500, group_commits: 3, room_ahead, clock, ..options(seed) }
}

/// Commit `n`, of one of several sizes: without events, of a few bytes, of more than a sector, of more than a
/// segment, of several events in several streams.
pub(crate) fn sized(n: u64) -> Append {
    let payload = |bytes: usize| format!("{n}:{}", "x".repeat(bytes));
    let tag = format!("n:{n}");
    let (outcome, events) = match n % 7 {
        0 => (Outcome::Nothing, vec![]),
        1 | 2 => (Outcome::Succeeded, vec![event("a-1", &tag, &payload(20))]),
        3 => (Outcome::Succeeded, vec![event("a-2", &tag, &payload(700))]),
        4 => (Outcome::Succeeded, vec![event("a-1", &tag, ""), event("b-1", &tag, &payload(9))]),
        5 => (Outcome::Succeeded, vec![event("b-1", &tag, &payload(1900))]),
        _ => (Outcome::Parked { cause: payload(30) }, vec![]),
    };
    let commit = NewCommit { command: command(u128::from(n) << 64 | 7), outcome, events };
    let tracking = Tracking { source: Source::new(format!("lane-{n}")).unwrap(), progress: n };
    Append { commit, condition: Condition::none().tracking(tracking) }
}

/// Commit `n` if `a-9` has so many events, which it adds one to.
fn counted(n: u64, expected: Expected) -> Append {
    let mut append = sized(n);
    append.commit.outcome = Outcome::Succeeded;
    append.commit.events = vec![event("a-9", "counted", "{}")];
    append.condition = Condition::none().stream(stream("a-9"), expected);
    append
}

/// One thing that is done with a log.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Append(Vec<Append>),
    /// The next write of a segment, or the making of one, finds no room; a part of it is written.
    Full(Operation),
    Close,
    NewGeneration,
}

/// The run.
pub(crate) fn script() -> Vec<Act> {
    let one = |n| Act::Append(vec![sized(n)]);
    vec![
        one(1),
        Act::Append((2..=6).map(sized).collect()),
        Act::Append(vec![counted(8, Expected::NoStream), counted(9, Expected::NoStream), sized(10)]),
        one(12),
        Act::Close,
        one(14),
        Act::Full(Operation::Write),
        Act::Append(vec![sized(15), sized(16)]),
        Act::Append(vec![sized(15), sized(16)]),
        one(17),
        Act::Full(Operation::Create),
        one(18),
        one(19),
        Act::Full(Operation::SyncDir),
        Act::Append((24..=30).map(sized).collect()),
        Act::Close,
        Act::NewGeneration,
        one(31),
        Act::Append((32..=36).map(sized).collect()),
        one(38),
    ]
}

/// Who plays it: what is open, and what was said.
#[derive(Debug)]
pub(crate) struct Player {
    pub(crate) sim: Sim,
    pub(crate) ledger: Ledger,
    pub(crate) log: Option<Log>,
    seed: u64,
    /// Whether what was not stored is offered again until it is, through opening the log again.
    insists: bool,
}

/// More than any run takes, if each try gets further.
const TRIES_MAX: usize = 50;

impl Player {
    pub(crate) fn new(sim: &Sim, seed: u64, insists: bool) -> Self {
        Self { sim: sim.clone(), ledger: Ledger::default(), log: None, seed, insists }
    }

    /// Plays the whole script. One who does not insist goes on whatever fails.
    pub(crate) fn play(&mut self, script: &[Act]) {
        for act in script {
            match act {
                Act::Append(batch) => self.append(batch),
                Act::Full(operation) => self.sim.fail(Fault {
                    name: if *operation == Operation::SyncDir { "" } else { ".seg" },
                    error: io::ErrorKind::StorageFull,
                    written: 100,
                    ..Fault::once(*operation)
                }),
                Act::Close => self.log = None,
                Act::NewGeneration => self.begin_generation(),
            }
        }
    }

    /// Opens the log if it is not open.
    pub(crate) fn open(&mut self) -> Option<&Log> {
        let mut refused = None;
        for _ in 0..TRIES_MAX {
            if self.log.is_some() {
                break;
            }
            match Log::open_on(self.sim.storage(), small(self.seed)) {
                Ok((log, _)) => self.log = Some(log),
                Err(error) if self.insists => refused = Some(error),
                Err(_) => return None,
            }
        }
        assert!(self.log.is_some(), "it never opens: {refused:?}");
        self.log.as_ref()
    }

    /// What the log holds, once it is open and all is right.
    pub(crate) fn check(&mut self) -> Vec<CommandId> {
        self.open().expect("the disk is well again");
        self.ledger.check(self.log.as_ref().expect("it is open"))
    }

    fn begin_generation(&mut self) {
        for _ in 0..TRIES_MAX {
            if begin_generation_on(&*self.sim.storage()).is_ok() || !self.insists {
                return;
            }
        }
    }

    fn append(&mut self, batch: &[Append]) {
        let mut left = batch.to_vec();
        for _ in 0..TRIES_MAX {
            if self.open().is_none() {
                return;
            }
            let log = self.log.as_ref().expect("it was opened");
            let verdicts = self.ledger.append(log, left.clone());
            if !self.insists {
                return;
            }
            if verdicts.iter().any(|verdict| kind(verdict) == Some(ErrorKind::Reopen)) {
                self.log = None;
            }
            let again = |(append, verdict): (Append, &Verdict)| kind(verdict).map(|_| append);
            left = left.into_iter().zip(&verdicts).filter_map(again).collect();
            if left.is_empty() {
                return;
            }
        }
        panic!("never stored: {left:?}");
    }
}
