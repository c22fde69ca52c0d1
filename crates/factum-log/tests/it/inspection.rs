//! Looking at a log from beside.

use crate::{
    sim::Sim,
    support::{options, simple, store},
};
use factum_event::{Condition, NewCommit, Outcome, Position, Sequence};
use factum_log::{
    Log, OpenError, OpenMode, Options, Storage, StorageFile, StorageLock, inspect, inspect_on, verify,
    verify_on,
};
use factum_store::{Append, Store, block_on};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

#[test]
fn an_inspection_counts_what_the_log_holds() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { segment_bytes: 800, ..options(1) }).unwrap();
    (1..=7).for_each(|n| drop(store(&log, n).unwrap()));
    let store_outcome = |outcome| {
        let commit = NewCommit { command: crate::support::command(3), outcome, events: Vec::new() };
        log.append(vec![Append { commit, condition: Condition::none() }])[0].as_ref().unwrap();
    };
    store_outcome(Outcome::Parked { cause: "down".into() });
    store_outcome(Outcome::Failed { cause: "given up".into(), by: "ann".into() });
    let seen = inspect_on(&*sim.storage()).unwrap();
    assert_eq!((seen.events, seen.commits, seen.streams), (7, 9, 3));
    let commands: Vec<_> = seen.commands.values().flat_map(|of_name| of_name.values()).collect();
    assert_eq!(commands, [&true; 8]);
    assert_eq!((seen.head.position, seen.head.sequence), (Position::new(7), Sequence::new(9)));
    assert_eq!(seen.types.into_iter().collect::<Vec<_>>(), [("test.done".to_owned(), 7)]);
    let bytes: usize = sim.segments().iter().map(|segment| sim.bytes(segment).len()).sum();
    assert_eq!((seen.bytes, seen.segments), (bytes as u64, sim.segments().len() as u64));
    assert!(seen.segments > 1, "all of them count");
    assert_eq!(block_on(log.bytes()), Ok(Some(seen.bytes)), "the log itself says the same");
    assert_eq!(verify_on(&*sim.storage()).unwrap().head, seen.head);
}

#[test]
fn where_there_is_no_log_inspection_says_so() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(inspect(dir.path()), Err(OpenError::Io { .. })));
    assert!(matches!(verify(dir.path().join("none")), Err(OpenError::Io { .. })));
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing is made");
}

#[test]
fn beside_a_writer_every_acknowledged_commit_is_counted_and_nothing_called_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), Options { segment_bytes: 20_000, ..options(1) }).unwrap();
    let (acknowledged, done) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..600 {
                let batch: Vec<_> = (0..1 + n % 5).map(|i| simple(n * 5 + i)).collect();
                let stored = batch.len() as u64;
                assert!(log.append(batch).iter().all(Result::is_ok));
                acknowledged.fetch_add(stored, Ordering::SeqCst);
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            let before = acknowledged.load(Ordering::SeqCst);
            let seen = inspect(dir.path()).unwrap();
            assert!(seen.commits >= before, "{} of {before} are counted", seen.commits);
            assert!(verify(dir.path()).unwrap().head.sequence >= seen.head.sequence);
            let (beside, report) = Log::open_read_only(dir.path(), options(1)).unwrap();
            assert_eq!(report.damage, None);
            // What is counted may not be durable yet; what is read is.
            assert!(beside.published().sequence.get() >= before);
        }
    });
}

/// A disk on which the first read beyond `from` comes while the writer has not yet written there.
#[derive(Debug)]
struct Early {
    inner: Arc<dyn Storage>,
    from: u64,
    is_early: Arc<AtomicBool>,
}

#[derive(Debug)]
struct EarlyFile {
    inner: Arc<dyn StorageFile>,
    from: u64,
    is_early: Arc<AtomicBool>,
}

impl Storage for Early {
    fn describe(&self) -> String {
        self.inner.describe()
    }
    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        unreachable!("an inspection takes no lock")
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        let inner = self.inner.open(name, mode)?;
        if !name.ends_with(".seg") {
            return Ok(inner);
        }
        Ok(Arc::new(EarlyFile { inner, from: self.from, is_early: Arc::clone(&self.is_early) }))
    }
    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        unreachable!("an inspection changes nothing")
    }
    fn remove(&self, _: &str) -> io::Result<()> {
        unreachable!("an inspection changes nothing")
    }
    fn sync_dir(&self) -> io::Result<()> {
        unreachable!("an inspection changes nothing")
    }
}

impl StorageFile for EarlyFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.inner.read_at(into, offset)?;
        if offset + read as u64 > self.from && self.is_early.swap(false, Ordering::SeqCst) {
            into[(self.from.saturating_sub(offset)) as usize..read].fill(0);
        }
        Ok(read)
    }
    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        unreachable!("an inspection changes nothing")
    }
    fn sync(&self) -> io::Result<()> {
        unreachable!("an inspection changes nothing")
    }
    fn set_len(&self, _: u64) -> io::Result<()> {
        unreachable!("an inspection changes nothing")
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

#[test]
fn a_frame_that_is_written_while_it_is_read_is_not_called_damage() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    (1..=2).for_each(|n| drop(store(&log, n).unwrap()));
    let segment = "00000000000000000001.seg";
    let (head, from) = (sim.bytes("head"), sim.bytes(segment).len() as u64);
    (3..=5).for_each(|n| drop(store(&log, n).unwrap()));
    drop(log);
    sim.put("head", head);
    let is_early = Arc::new(AtomicBool::new(true));
    let early = Early { inner: sim.storage(), from, is_early: Arc::clone(&is_early) };
    assert_eq!(inspect_on(&early).unwrap().commits, 5);
    assert!(!is_early.load(Ordering::SeqCst), "the read did come early");
}
