//! Many at once: one directory has one writer, one boundary one winner, one head.

use crate::{
    sim::Sim,
    support::{options, simple, store, stream},
};
use factum_event::{
    Condition, Expected, Position, Query, QueryItem, Sequence, Tag, limits::COMMITS_PER_APPEND_MAX,
};
use factum_log::{FileStorage, Log, OpenError, OpenMode, Options, Storage, StorageFile, StorageLock};
use factum_store::{Append, AppendError, ErrorKind, ReadOptions, Store, block_on};
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

#[test]
fn a_second_writer_is_refused_and_the_directory_named() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), options(1)).unwrap();
    match Log::open(dir.path(), options(2)) {
        Err(error @ OpenError::Locked { .. }) => {
            assert!(error.to_string().contains(dir.path().to_str().unwrap()));
            assert_eq!(error.kind(), ErrorKind::Retry);
        }
        other => panic!("{other:?}"),
    }
    let (beside, _) = Log::open_read_only(dir.path(), options(2)).unwrap();
    drop(log);
    drop(Log::open(dir.path(), options(2)).unwrap());
    drop(beside);
}

#[test]
fn of_many_writers_on_one_boundary_each_round_has_one_winner() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    let (rounds, writers) = (30_u64, 8_u64);
    let tag = Tag::new("boundary").unwrap();
    let query = Query::from(QueryItem::default().tag(tag.clone()));
    for round in 0..rounds {
        let read_up_to = log.published().position;
        let won = AtomicUsize::new(0);
        thread::scope(|scope| {
            for writer in 0..writers {
                let (log, query, tag, won) = (&log, &query, &tag, &won);
                scope.spawn(move || {
                    let mut append = simple(round * writers + writer);
                    append.commit.events[0].tags = vec![tag.clone()];
                    append.condition = Condition::none().fresh(query.clone(), read_up_to);
                    let batch = vec![append];
                    let verdicts =
                        if writer % 2 == 0 { log.append(batch) } else { block_on(Store::append(log, batch)) };
                    match &verdicts[..] {
                        [Ok(_)] => drop(won.fetch_add(1, Ordering::SeqCst)),
                        [Err(AppendError::Stale { position })] => assert!(*position > read_up_to),
                        other => panic!("{other:?}"),
                    }
                });
            }
        });
        assert_eq!(won.into_inner(), 1, "round {round}");
    }
    assert_eq!(log.published().position, Position::new(rounds));
}

#[test]
fn threads_and_tasks_together_lose_and_repeat_nothing() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { group_commits: 5, ..options(1) }).unwrap();
    let (writers, each) = (8_u64, 200_u64);
    thread::scope(|scope| {
        for writer in 0..writers {
            let log = &log;
            scope.spawn(move || {
                for n in 0..each {
                    let batch = vec![simple(writer * each + n)];
                    let verdicts = match writer % 2 {
                        0 => log.append(batch),
                        _ => block_on(Store::append(log, batch)),
                    };
                    let stored = verdicts[0].as_ref().unwrap();
                    assert!(log.published().sequence >= stored.sequence, "published before it is answered");
                }
            });
        }
    });
    let mut numbers = crate::support::numbers(&log);
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..writers * each));
}

#[test]
fn a_batch_larger_than_a_group_is_stored_in_order() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), Options { group_commits: 7, ..options(1) }).unwrap();
    let verdicts = log.append((1..=COMMITS_PER_APPEND_MAX as u64).map(simple).collect());
    for (index, verdict) in verdicts.iter().enumerate() {
        assert_eq!(verdict.as_ref().unwrap().sequence, Sequence::new(index as u64 + 1));
    }
    assert!(log.append(Vec::new()).is_empty());
    assert!(block_on(Store::append(&log, Vec::new())).is_empty());
}

#[test]
fn a_dropped_append_is_stored_whole_or_not_at_all_and_closing_writes_what_waits() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), options(1)).unwrap();
    for n in 0..50 {
        log.submit(vec![simple(n)], |_| ());
    }
    drop(Store::append(&log, vec![simple(99)]));
    drop(log);
    let (log, _) = Log::open(dir.path(), options(1)).unwrap();
    assert!(crate::support::numbers(&log).into_iter().eq(0..50));
}

#[test]
fn appended_wakes_when_the_head_moves() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| block_on(log.appended(Sequence::new(1))).unwrap());
        store(&log, 1).unwrap();
        store(&log, 2).unwrap();
        assert!(waiting.join().unwrap().sequence >= Sequence::new(2));
    });
}

/// A directory whose segments sync only when they are let.
#[derive(Debug)]
struct Gated {
    inner: FileStorage,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    /// Whether syncs must wait, and whether one does.
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        while state.0 {
            state.1 = true;
            self.changed.notify_all();
            state = self.changed.wait(state).unwrap();
        }
    }

    /// Syncs wait until the guard is gone, also when a test fails.
    fn close(&self) -> Closed<'_> {
        *self.state.lock().unwrap() = (true, false);
        Closed(self)
    }

    fn until_one_waits(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.1 {
            let (waited, timeout) = self.changed.wait_timeout(state, Duration::from_secs(60)).unwrap();
            assert!(!timeout.timed_out(), "nothing is ever synced");
            state = waited;
        }
    }
}

struct Closed<'a>(&'a Gate);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        *self.0.state.lock().unwrap() = (false, false);
        self.0.changed.notify_all();
    }
}

#[derive(Debug)]
struct GatedFile(Arc<dyn StorageFile>, Arc<Gate>);

impl Storage for Gated {
    fn describe(&self) -> String {
        self.inner.describe()
    }
    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        self.inner.lock()
    }
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.inner.open(name, mode)?;
        Ok(if name.ends_with(".seg") { Arc::new(GatedFile(file, Arc::clone(&self.gate))) } else { file })
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.inner.sync_dir()
    }
}

impl StorageFile for GatedFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(into, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }
    fn sync(&self) -> io::Result<()> {
        self.1.pass();
        self.0.sync()
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

#[test]
fn a_reader_sees_nothing_of_a_group_that_is_not_synced() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let storage = Arc::new(Gated { inner: FileStorage::new(dir.path()), gate: Arc::clone(&gate) });
    let (log, _) = Log::open_on(storage, options(1)).unwrap();
    let tracked = |n: u64| {
        let tracking =
            factum_event::Tracking { source: factum_event::Source::new("s").unwrap(), progress: n };
        Append { condition: Condition::none().tracking(tracking), ..simple(n) }
    };
    log.append(vec![tracked(3)])[0].as_ref().unwrap();
    let seen = || {
        let source = factum_event::Source::new("s").unwrap();
        let all = |backwards| ReadOptions { backwards, ..ReadOptions::default() };
        let by_stream = Query::from(QueryItem::default().stream(stream("a-0")));
        (
            log.published(),
            block_on(log.read(&Query::All, all(false))).unwrap(),
            block_on(log.read(&by_stream, all(true))).unwrap(),
            block_on(log.commits(Sequence::START, 99)).unwrap(),
            block_on(log.commits_of(simple(6).commit.command.id)).unwrap(),
            block_on(log.event(simple(6).commit.event_id(0))).unwrap(),
            block_on(log.revision(&stream("a-0"), Position::new(99))).unwrap(),
            block_on(log.progress(&source)).unwrap(),
            crate::support::numbers(&log),
        )
    };
    let before = seen();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let closed = gate.close();
        scope.spawn(|| {
            assert!(log.append(vec![tracked(6), tracked(9)]).iter().all(Result::is_ok));
            done.store(true, Ordering::SeqCst);
        });
        gate.until_one_waits();
        assert_eq!(seen(), before);
        assert!(!done.load(Ordering::SeqCst), "nothing is answered before the sync");
        drop(closed);
    });
    assert_eq!(seen().8, [3, 6, 9]);
    assert_eq!(seen().7, Some(9));
}

#[test]
fn a_callback_that_panics_takes_nothing_from_the_others_of_its_group() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let storage = Arc::new(Gated { inner: FileStorage::new(dir.path()), gate: Arc::clone(&gate) });
    let (log, _) = Log::open_on(storage, options(1)).unwrap();
    store(&log, 1).unwrap();
    let (sent, received) = mpsc::channel();
    thread::scope(|scope| {
        let closed = gate.close();
        scope.spawn(|| store(&log, 2).unwrap());
        gate.until_one_waits();
        log.submit(vec![simple(3)], |_| panic!("the callback's own fault"));
        log.submit(vec![simple(4)], move |verdicts| sent.send(verdicts).unwrap());
        drop(closed);
    });
    assert!(received.recv().unwrap()[0].is_ok());
    store(&log, 5).unwrap();
    block_on(Store::append(&log, vec![simple(6)]))[0].as_ref().unwrap();
}

#[test]
fn what_waits_is_bounded_and_more_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let storage = Arc::new(Gated { inner: FileStorage::new(dir.path()), gate: Arc::clone(&gate) });
    let (log, _) = Log::open_on(storage, Options { queue_bytes: 500, ..options(1) }).unwrap();
    store(&log, 1).unwrap();
    thread::scope(|scope| {
        let closed = gate.close();
        scope.spawn(|| store(&log, 2).unwrap());
        gate.until_one_waits();
        let (sent, received) = mpsc::channel();
        for n in 3..8 {
            let sent = sent.clone();
            log.submit(vec![simple(n)], move |verdicts| sent.send((n, verdicts)).unwrap());
        }
        for due in [6, 7] {
            match received.recv().unwrap() {
                (n, verdicts) if n == due => match &verdicts[..] {
                    [Err(AppendError::Store(error))] => assert_eq!(error.kind(), ErrorKind::Retry),
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(store(&log, 9), Err(AppendError::Store(_))));
        drop(closed);
        assert!(received.iter().take(3).all(|(_, verdicts)| verdicts[0].is_ok()));
    });
    assert_eq!(crate::support::numbers(&log), [1, 2, 3, 4, 5]);
}

#[test]
fn options_that_cannot_be_are_refused() {
    for bad in [
        Options { segment_bytes: u64::MAX, ..options(1) },
        Options { group_commits: 0, ..options(1) },
        Options { group_bytes: 0, ..options(1) },
    ] {
        let opened = Log::open_on(Sim::default().storage(), bad);
        assert!(matches!(opened, Err(OpenError::Options { .. })));
    }
}

#[test]
fn commits_that_wait_together_share_one_sync() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let storage = Arc::new(Gated { inner: FileStorage::new(dir.path()), gate: Arc::clone(&gate) });
    let (log, _) = Log::open_on(storage, options(1)).unwrap();
    store(&log, 1).unwrap();
    thread::scope(|scope| {
        let closed = gate.close();
        scope.spawn(|| store(&log, 2).unwrap());
        gate.until_one_waits();
        let (sent, received) = mpsc::channel();
        for n in 3..40 {
            let sent = sent.clone();
            log.submit(vec![simple(n)], move |verdicts| sent.send(verdicts).unwrap());
        }
        drop(closed);
        let recorded = received.iter().take(37).map(|verdicts| verdicts[0].clone().unwrap().sequence.get());
        assert!(recorded.eq(3..40), "in the order in which they came");
    });
    // The frame says how far the log was durable when it was written: the same for a whole group.
    let bytes = std::fs::read(dir.path().join("00000000000000000001.seg")).unwrap();
    let mut at = 64;
    let mut synced = Vec::new();
    while at < bytes.len() {
        synced.push(u64::from_le_bytes(bytes[at + 16..at + 24].try_into().unwrap()));
        at += 72 + u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap()) as usize;
    }
    assert_eq!(synced[..3], [0, 1, 2]);
    assert!(synced[2..].iter().all(|synced| *synced == 2), "{synced:?}");
}

#[test]
fn a_condition_on_a_stream_sees_the_earlier_commits_of_its_group() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    let first = |n: u64| Append {
        condition: Condition::none().stream(stream("a-0"), Expected::NoStream),
        ..simple(n * 3)
    };
    let verdicts = log.append(vec![first(1), first(2)]);
    assert!(verdicts[0].is_ok());
    assert!(matches!(verdicts[1], Err(AppendError::WrongRevision { .. })));
}
