//! Random operations against the in-memory reference: every verdict and every read must be equal, through
//! reopens, crashes, and a disk that fails.

mod random;

use crate::{
    ledger::kind,
    sim::{Crash, Fault, Operation, Sim},
    support::{Rng, SeededEntropy, options},
};
use factum_event::{CorrelationId, Position, Sequence, Source, Timestamp};
use factum_log::{Log, Options, verify_on};
use factum_store::{Append, ErrorKind, MemoryStore, ReadOptions, Store, Verdict, block_on};
use factum_testkit::{VirtualClock, soak};
use random::{command_id, commit, condition, event_id, query, stream};
use std::{io, sync::Arc};

fn compare_reads(rng: &mut Rng, log: &dyn Store, model: &MemoryStore) {
    let head = block_on(model.head()).unwrap();
    assert_eq!(block_on(log.head()).unwrap(), head);
    for _ in 0..6 {
        let options = ReadOptions {
            after: Position::new(rng.below(head.position.get() as usize + 2) as u64),
            up_to: rng.one_in(3).then(|| Position::new(rng.below(head.position.get() as usize + 3) as u64)),
            backwards: rng.one_in(2),
            limit: if rng.one_in(2) { rng.below(6) } else { usize::MAX },
        };
        let options = if rng.one_in(2) { ReadOptions { after: Position::START, ..options } } else { options };
        let query = query(rng);
        let (mine, theirs) = (block_on(log.read(&query, options)), block_on(model.read(&query, options)));
        assert_eq!(mine, theirs, "{query:?} {options:?}");
    }
    let after = Sequence::new(rng.below(head.sequence.get() as usize + 2) as u64);
    let limit = rng.below(12);
    assert_eq!(block_on(log.commits(after, limit)), block_on(model.commits(after, limit)));
    let command = command_id(rng);
    assert_eq!(block_on(log.commits_of(command)), block_on(model.commits_of(command)));
    let correlation = CorrelationId::of(command_id(rng));
    assert_eq!(
        block_on(log.correlated(correlation, after, limit)),
        block_on(model.correlated(correlation, after, limit))
    );
    for _ in 0..4 {
        let id = event_id(rng);
        assert_eq!(block_on(log.event(id)), block_on(model.event(id)));
    }
    let (stream, at) = (stream(rng), Position::new(rng.below(head.position.get() as usize + 2) as u64));
    assert_eq!(block_on(log.revision(&stream, at)), block_on(model.revision(&stream, at)));
    let source = Source::unchecked("lane-0");
    assert_eq!(block_on(log.progress(&source)), block_on(model.progress(&source)));
}

/// A log beside its reference.
struct Pair {
    rng: Rng,
    sim: Sim,
    clock: Arc<VirtualClock>,
    model: MemoryStore,
    log: Option<Log>,
    options: Options,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let (mut rng, sim, clock) = (Rng(seed), Sim::default(), Arc::new(VirtualClock::default()));
        let options = Options {
            segment_bytes: [1, 1000, 4096, 20_000][rng.below(4)],
            group_commits: 1 + rng.below(4),
            room_ahead: rng.one_in(2),
            clock: clock.clone(),
            ..options(seed)
        };
        let model = MemoryStore::with_ports(clock.clone(), &SeededEntropy::new(seed));
        let log = Some(Log::open_on(sim.storage(), options.clone()).unwrap().0);
        Self { rng, sim, clock, model, log, options }
    }

    /// Small segments, sealed and merged by a thread of the log's own. What it has done by when follows from no
    /// seed; no answer may hang on it.
    fn sealed_beside(seed: u64) -> Self {
        let mut pair = Self::new(seed);
        pair.options =
            Options { background: true, segment_bytes: [1, 1000][pair.rng.below(2)], ..pair.options };
        pair.reopen(0);
        pair
    }

    fn open(&self) -> &Log {
        self.log.as_ref().expect("it is open between two operations")
    }

    /// Ends the log in an orderly way or by a crash, or neither; then opens it again.
    fn reopen(&mut self, how: usize) {
        match how {
            0 => drop(self.log.take()),
            1 => self.sim.crash(Crash::Process),
            2 => self.sim.crash(Crash::Power),
            _ => self.sim.crash(Crash::PowerAnyOrder(self.rng.clone())),
        }
        drop(self.log.take());
        self.sim.heal();
        self.log = Some(Log::open_on(self.sim.storage(), self.options.clone()).unwrap().0);
    }

    /// Hands a random batch to the log.
    fn append(&mut self) -> (Vec<Append>, Vec<Verdict>) {
        self.clock.set(Timestamp::from_micros(self.rng.below(1000) as i64));
        let (head, rng) = (self.open().published().position.get(), &mut self.rng);
        let batch: Vec<_> = (0..1 + rng.below(5))
            .map(|_| Append { commit: commit(rng), condition: condition(rng, head) })
            .collect();
        let by_thread = rng.one_in(2);
        let verdicts = match by_thread {
            true => self.open().append(batch.clone()),
            false => block_on(Store::append(self.open(), batch.clone())),
        };
        (batch, verdicts)
    }

    /// What became of a batch during which the disk failed is read back. The reference is then given what was
    /// stored of it, and must store it the same.
    fn resolve(&mut self, batch: Vec<Append>, verdicts: &[Verdict]) {
        if verdicts.iter().any(|verdict| kind(verdict) == Some(ErrorKind::Reopen)) || self.rng.one_in(3) {
            let how = self.rng.below(4);
            self.reopen(how);
        }
        self.sim.heal();
        let before = block_on(self.model.head()).unwrap().sequence;
        let found = block_on(self.open().commits(before, usize::MAX)).unwrap().commits;
        let mut found = found.iter().peekable();
        let (mut stored, mut due) = (Vec::new(), Vec::new());
        for (append, verdict) in batch.into_iter().zip(verdicts) {
            let is_next = found.peek().is_some_and(|commit| commit.command() == append.commit.command);
            match verdict {
                Ok(_) => assert!(is_next, "acknowledged, and not there"),
                Err(_) if kind(verdict) == Some(ErrorKind::Reopen) => {}
                Err(_) => continue,
            }
            if is_next {
                found.next();
                stored.push(append);
                due.push(verdict.clone().ok());
            }
        }
        assert_eq!(found.next(), None, "nobody asked for it, or it was refused");
        if stored.is_empty() {
            return;
        }
        for (theirs, mine) in block_on(self.model.append(stored)).iter().zip(due) {
            let theirs = theirs.as_ref().expect("the log stored it");
            assert!(mine.is_none_or(|mine| mine == *theirs));
        }
    }

    fn compare(&mut self) {
        let log = self.log.as_ref().expect("it is open between two operations");
        compare_reads(&mut self.rng, log, &self.model);
    }
}

fn run(seed: u64) {
    play(Pair::new(seed));
}

fn play(mut pair: Pair) {
    for _ in 0..70 {
        let (batch, mine) = pair.append();
        assert_eq!(mine, block_on(pair.model.append(batch)));
        if pair.rng.one_in(4) {
            pair.compare();
        }
        let how = pair.rng.below(16);
        if how < 4 {
            pair.reopen(how);
        }
    }
    pair.compare();
    verify_on(&*pair.sim.storage()).unwrap();
}

/// A fault that no log can be expected not to notice.
fn fault(rng: &mut Rng) -> Fault {
    use Operation::{Create, IsInPlace, IsLinked, Remove, SetLen, Sync, SyncDir, Write};
    let operations = [Write, Write, Write, Sync, Sync, SetLen, Create, Remove, SyncDir, IsLinked, IsInPlace];
    let operation = operations[rng.below(operations.len())];
    let error = if rng.one_in(2) { io::ErrorKind::StorageFull } else { io::ErrorKind::Other };
    Fault {
        operation,
        name: if rng.one_in(2) { "" } else { [".seg", "head"][rng.below(2)] },
        after: rng.below(4),
        times: if rng.one_in(3) { usize::MAX } else { 1 + rng.below(2) },
        error,
        written: if rng.one_in(2) { 0 } else { rng.below(700) },
        drops: rng.one_in(2),
    }
}

fn run_on_a_failing_disk(seed: u64) {
    let mut pair = Pair::new(seed);
    for _ in 0..50 {
        for _ in 0..pair.rng.below(3) {
            let fault = fault(&mut pair.rng);
            pair.sim.fail(fault);
        }
        let (batch, mine) = pair.append();
        pair.resolve(batch, &mine);
        if pair.rng.one_in(4) {
            pair.compare();
        }
        let how = pair.rng.below(16);
        if how < 4 {
            pair.reopen(how);
        }
    }
    pair.compare();
    verify_on(&*pair.sim.storage()).unwrap();
}

#[test]
fn soak_verdicts_and_reads_equal_those_of_the_reference() {
    soak(0, 200, run);
}

#[test]
fn soak_verdicts_and_reads_equal_those_of_the_reference_on_a_failing_disk() {
    soak(0, 200, run_on_a_failing_disk);
}

#[test]
fn soak_verdicts_and_reads_equal_those_of_the_reference_while_segments_are_sealed_beside() {
    soak(0, 30, |seed| play(Pair::sealed_beside(seed)));
}
