//! Segments that ended: their footers, their index files, and what becomes of the log when either is not as it
//! should be.

use crate::{
    sim::{Crash, Fault, Operation, Sim},
    support::{numbers, options, simple, store},
};
use factum_event::{Position, Query, Sequence};
use factum_log::{
    FileMap, Log, OpenError, OpenMode, OpenReport, Options, Storage, StorageFile, StorageLock,
    begin_generation_on, verify_on,
};
use factum_store::{ReadOptions, Store, block_on};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

pub(crate) const FOOTER_BYTES: usize = 112;

fn small(segment_bytes: u64) -> Options {
    Options { segment_bytes, ..options(1) }
}

pub(crate) fn open(sim: &Sim) -> (Log, OpenReport) {
    Log::open_on(sim.storage(), small(400)).unwrap()
}

/// A log of so many commits, one or two in a segment.
pub(crate) fn written(commits: u64) -> Sim {
    let sim = Sim::default();
    let (log, _) = open(&sim);
    (1..=commits).for_each(|n| drop(store(&log, n).unwrap()));
    assert_eq!(log.maintenance().trouble, None);
    drop(log);
    sim
}

pub(crate) fn files(sim: &Sim, suffix: &str) -> Vec<String> {
    sim.names().into_iter().filter(|name| name.ends_with(suffix)).collect()
}

fn contents(sim: &Sim) -> Vec<(String, Vec<u8>)> {
    sim.names()
        .into_iter()
        .filter(|name| name != "head")
        .map(|name| (name.clone(), sim.bytes(&name)))
        .collect()
}

/// That a log opens, holds these commits, and has the same files as `whole` then.
fn comes_back_as(sim: &Sim, whole: &Sim, commits: u64) {
    let (beside, report) = Log::open_read_only_on(sim.storage(), small(400)).unwrap();
    assert_eq!((report.damage, report.torn), (None, None));
    let all: Vec<_> = (1..=commits).collect();
    assert_eq!(numbers(&beside), all);
    let before = contents(sim);
    assert_eq!(contents(sim), before, "a log that is only read is not changed");
    let (log, report) = open(sim);
    assert_eq!((report.torn, numbers(&log)), (None, all));
    for log in [&beside, &log] {
        let page = block_on(log.read(&Query::All, ReadOptions::default())).unwrap();
        assert_eq!(page.events.len() as u64, commits);
        let last = page.events.last().unwrap();
        assert_eq!(block_on(log.event(last.id)).unwrap().as_ref(), Some(last));
        let stream = last.stream.clone();
        let revision = block_on(log.revision(&stream, Position::new(commits))).unwrap();
        assert_eq!(revision, Some(last.revision));
    }
    let maintenance = log.maintenance();
    assert_eq!((maintenance.unsealed, maintenance.trouble), (0, None));
    drop(log);
    assert_eq!(contents(sim), contents(whole));
    let verified = verify_on(&*sim.storage()).unwrap();
    assert_eq!((verified.head.sequence, verified.index_damage), (Sequence::new(commits), vec![]));
}

/// Counts the bytes that are read from segments; what is mapped is not.
#[derive(Debug)]
struct Counting(Arc<dyn Storage>, Arc<AtomicU64>);

#[derive(Debug)]
struct CountingFile(Arc<dyn StorageFile>, Arc<AtomicU64>);

impl Storage for Counting {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        self.0.lock()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        Ok(Arc::new(CountingFile(self.0.open(name, mode)?, Arc::clone(&self.1))))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.0.sync_dir()
    }
}

impl StorageFile for CountingFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let read = self.0.read_at(into, offset)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn map(&self, bytes: u64) -> io::Result<Arc<dyn FileMap>> {
        self.0.map(bytes)
    }
}

/// How many segments, and what opening reads.
fn read_at_open(commits: u64, segment_bytes: u64) -> (u64, u64) {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), small(segment_bytes)).unwrap();
    (1..=commits).for_each(|n| drop(store(&log, n).unwrap()));
    // The last segment holds one commit whatever the others hold.
    drop(log);
    let (log, _) = Log::open_on(sim.storage(), small(1)).unwrap();
    store(&log, commits + 1).unwrap();
    drop(log);
    let read = Arc::new(AtomicU64::new(0));
    let counting = Counting(sim.storage(), Arc::clone(&read));
    let (log, report) = Log::open_on(Arc::new(counting), small(segment_bytes)).unwrap();
    let bytes = read.load(Ordering::Relaxed);
    assert_eq!(report.head.sequence, Sequence::new(commits + 1));
    assert_eq!(numbers(&log).len() as u64, commits + 1);
    (report.segments as u64, bytes)
}

#[test]
fn opening_reads_of_a_sealed_segment_its_two_ends_however_long_it_is() {
    let (few, bytes) = read_at_open(40, 400);
    let (many, more) = read_at_open(200, 400);
    let (ends, last) = (2 * (64 + FOOTER_BYTES as u64), 100);
    assert!(many > 4 * few, "{few} and {many} segments");
    assert!(more - bytes <= (many - few) * ends + last, "{bytes} and {more} bytes");
    let (longer, same) = read_at_open(400, 4000);
    assert!(longer < many && same < more, "{longer} longer segments, {same} bytes");
}

#[test]
fn a_footer_that_was_not_finished_is_made_anew() {
    let whole = written(9);
    let segments = whole.segments();
    for segment in &segments[..segments.len() - 1] {
        let bytes = whole.bytes(segment);
        let frames = bytes.len() - FOOTER_BYTES;
        for footer in (0..FOOTER_BYTES).step_by(7) {
            let sim = whole.copy();
            let mut cut = bytes.clone();
            cut.truncate(frames + footer);
            sim.put(segment, cut);
            comes_back_as(&sim, &whole, 9);
        }
        let sim = whole.copy();
        let mut longer = bytes[..frames].to_vec();
        longer.extend_from_slice(&[7; 300]);
        sim.put(segment, longer);
        comes_back_as(&sim, &whole, 9);
    }
}

#[test]
fn index_files_that_are_missing_or_cut_short_or_foreign_are_made_anew() {
    let whole = written(40);
    let other = Sim::default();
    let (log, _) = Log::open_on(other.storage(), Options { segment_bytes: 400, ..options(2) }).unwrap();
    (1..=40).for_each(|n| drop(store(&log, n).unwrap()));
    drop(log);
    let files = files(&whole, ".idx");
    assert!(files.len() > 3 && files[0].contains("16.idx"), "some are merged: {files:?}");
    assert_eq!(files, self::files(&other, ".idx"));
    for file in &files {
        let bytes = whole.bytes(file);
        let with = |at: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at] ^= byte;
            bytes
        };
        let cut = |length: usize| bytes[..length].to_vec();
        let instead =
            [cut(0), cut(100), cut(400), cut(bytes.len() - 1), with(3, 1), with(33, 1), other.bytes(file)];
        for bytes in instead {
            let sim = whole.copy();
            sim.put(file, bytes);
            comes_back_the_same_but_for_merges(&sim, 40);
        }
        let sim = whole.copy();
        sim.take_away(file);
        comes_back_the_same_but_for_merges(&sim, 40);
    }
    let sim = whole.copy();
    files.iter().for_each(|file| sim.take_away(file));
    comes_back_as(&sim, &whole, 40);
}

/// As [`comes_back_as`], where another order of merging may give other files.
fn comes_back_the_same_but_for_merges(sim: &Sim, commits: u64) {
    let (log, _) = open(sim);
    let all: Vec<_> = (1..=commits).collect();
    assert_eq!(numbers(&log), all);
    assert_eq!((log.maintenance().unsealed, log.maintenance().trouble), (0, None));
    drop(log);
    let verified = verify_on(&*sim.storage()).unwrap();
    assert_eq!(verified.index_damage, []);
    assert!(files(sim, ".next").is_empty());
}

#[test]
fn files_that_a_crash_left_are_removed() {
    let sim = Sim::default();
    let (log, _) = open(&sim);
    let mut left = Vec::new();
    for n in 1..=30 {
        store(&log, n).unwrap();
        left.extend(files(&sim, ".idx").into_iter().map(|name| (name.clone(), sim.bytes(&name))));
    }
    drop(log);
    let whole = sim.copy();
    let used = files(&sim, ".idx");
    left.retain(|(name, _)| !used.contains(name));
    assert!(left.len() >= 8, "parts were merged");
    for (name, bytes) in left {
        sim.put(&name, bytes);
    }
    sim.put("00000000000000000001-00000000000000000002.idx.next", vec![1; 20]);
    assert_eq!(verify_on(&*sim.storage()).unwrap().index_damage, []);
    comes_back_as(&sim, &whole, 30);
}

#[test]
fn a_damaged_index_file_is_made_anew_at_open_and_told() {
    let whole = written(30);
    for file in files(&whole, ".idx") {
        let sim = whole.copy();
        let mut bytes = whole.bytes(&file);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        sim.put(&file, bytes);
        let (log, report) = open(&sim);
        let maintenance = log.maintenance();
        assert_eq!((maintenance.unsealed, maintenance.trouble), (0, None));
        let told: Vec<_> = report.index_damage.into_iter().map(|damage| damage.file).collect();
        assert_eq!(told, std::slice::from_ref(&file));
        assert_eq!(numbers(&log), (1..=30).collect::<Vec<_>>());
        store(&log, 31).unwrap();
        drop(log);
        let verified = verify_on(&*sim.storage()).unwrap();
        assert_eq!(verified.index_damage, []);
    }
}

#[test]
fn a_seal_that_fails_fails_no_append_and_is_done_later() {
    let errors = [io::ErrorKind::StorageFull, io::ErrorKind::Other];
    for (operation, name) in
        [(Operation::Create, ".idx.next"), (Operation::Sync, ".idx.next"), (Operation::Write, ".idx.next")]
    {
        for error in errors {
            let sim = Sim::default();
            let (log, _) = open(&sim);
            sim.fail(Fault { operation, name, after: 1, times: 5, error, written: 0, drops: false });
            for n in 1..=9 {
                store(&log, n).unwrap();
            }
            let maintenance = log.maintenance();
            assert!(maintenance.unsealed > 0);
            assert!(maintenance.trouble.is_some_and(|trouble| trouble.contains(".idx")));
            let all: Vec<_> = (1..=9).collect();
            assert_eq!(numbers(&log), all);
            sim.heal();
            for n in 10..=12 {
                store(&log, n).unwrap();
            }
            assert_eq!((log.maintenance().unsealed, log.maintenance().trouble), (0, None));
            drop(log);
            comes_back_the_same_but_for_merges(&sim, 12);
        }
    }
}

#[test]
fn room_that_was_made_ahead_is_a_clean_end() {
    let whole = written(9);
    let last = whole.segments().pop().unwrap();
    let bytes = whole.bytes(&last);
    for zeros in [1, 500, 1024 * 1024] {
        let sim = whole.copy();
        let mut ahead = bytes.clone();
        ahead.resize(bytes.len() + zeros, 0);
        sim.put(&last, ahead.clone());
        assert_eq!(verify_on(&*sim.storage()).unwrap().torn, None);
        comes_back_as(&sim, &whole, 9);
        // Behind a byte that is not zero it is none.
        *ahead.last_mut().unwrap() = 1;
        sim.put(&last, ahead);
        assert!(open(&sim).1.torn.is_some());
    }
    let mut gone = bytes;
    gone[64..].fill(0);
    whole.put(&last, gone);
    let refused = Log::open_on(whole.storage(), small(400));
    assert!(matches!(refused, Err(OpenError::Damaged { segment, .. }) if segment == last));
}

#[test]
fn a_sealed_segment_that_is_the_last_one_again_is_gone_on_with() {
    let sim = written(9);
    let last = sim.segments().pop().unwrap();
    sim.take_away(&last);
    begin_generation_on(&*sim.storage()).unwrap();
    let left = verify_on(&*sim.storage()).unwrap().head.sequence.get();
    let (log, report) = open(&sim);
    assert_eq!((report.torn, report.head.sequence), (None, Sequence::new(left)));
    (left + 1..=20).for_each(|n| drop(store(&log, n).unwrap()));
    drop(log);
    comes_back_the_same_but_for_merges(&sim, 20);
}

#[test]
fn what_is_sealed_survives_power_loss_at_any_moment() {
    for commits in 1..30 {
        let sim = Sim::default();
        let (log, _) = open(&sim);
        (1..=commits).for_each(|n| drop(store(&log, n).unwrap()));
        sim.crash(Crash::Power);
        drop(log);
        comes_back_the_same_but_for_merges(&sim, commits);
    }
}

#[test]
fn a_log_of_the_release_before_is_sealed_when_it_is_opened_for_writing_only() {
    let fixture = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(&fixture).unwrap().map(Result::unwrap) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let listed = || {
        let files = std::fs::read_dir(copy.path()).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
        files.sort();
        files
    };
    let before = listed();
    let (beside, _) = Log::open_read_only(copy.path(), options(1)).unwrap();
    assert_eq!(listed(), before);
    assert_eq!(factum_log::verify(copy.path()).unwrap().digest, None);
    let (log, _) = Log::open(copy.path(), options(1)).unwrap();
    let all = ReadOptions::default();
    assert_eq!(block_on(log.read(&Query::All, all)), block_on(beside.read(&Query::All, all)));
    assert_eq!(log.maintenance().index_files, 1);
    drop(log);
    let verified = factum_log::verify(copy.path()).unwrap();
    assert_eq!(verified.digest.unwrap().reaches.sequence, Sequence::new(6));
    assert_eq!((verified.index_files, verified.index_damage), (1, vec![]));
}

#[test]
fn in_the_background_the_same_is_sealed_while_others_append() {
    let dir = tempfile::tempdir().unwrap();
    let options = || Options { segment_bytes: 2000, background: true, ..options(1) };
    let (log, _) = Log::open(dir.path(), options()).unwrap();
    (1..=300).for_each(|n| drop(store(&log, n).unwrap()));
    assert_eq!(numbers(&log).len(), 300);
    drop(log);
    let (log, _) = Log::open(dir.path(), options()).unwrap();
    let patient = (0..30_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        log.maintenance().unsealed == 0
    });
    assert!(patient, "{:?}", log.maintenance());
    drop(log);
    let verified = factum_log::verify(dir.path()).unwrap();
    assert_eq!(verified.index_damage, []);
    assert!(verified.digest.unwrap().reaches.sequence > Sequence::new(250));
}

/// 1 kB of tags a hundred times over, each of its own: 64 MiB of index for some 12 MB of log.
#[test]
fn a_segment_ends_when_its_index_takes_too_much_memory() {
    let sim = Sim::default();
    let (log, _) = Log::open_on(sim.storage(), options(1)).unwrap();
    for n in 1..=18_u64 {
        let mut append = simple(n);
        append.commit.events = (0..1000)
            .map(|event| {
                let mut new = crate::support::event("a-1", "t", "{}");
                let tag = |tag| factum_event::Tag::new(format!("{}", (n * 1000 + event) * 64 + tag)).unwrap();
                new.tags = (0..64).map(tag).collect();
                new
            })
            .collect();
        log.append(vec![append])[0].as_ref().unwrap();
    }
    assert_eq!(sim.segments().len(), 2);
    let sealed: usize = sim.bytes(&sim.segments()[0]).len();
    assert!(sealed < 16 * 1024 * 1024, "{sealed} bytes");
}
