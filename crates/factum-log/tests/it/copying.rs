//! Copies of a log: up to where it is durable, up to a position, into another life.

use crate::support::{command, event, options, store};
use factum_event::{Condition, NewCommit, Outcome, Position, Sequence};
use factum_log::{
    Copied, CopiedSegment, CopyOptions, Log, OpenError, Options, begin_generation, copy, durable_cut, exists,
    hold, verify,
};
use factum_store::{Append, Head, Store};
use std::{collections::BTreeMap, fs, ops::ControlFlow, path::Path, thread};

fn small() -> Options {
    Options { segment_bytes: 2_000, ..options(1) }
}

/// A commit of so many events.
fn several(id: u128, events: usize) -> Append {
    let outcome = if events == 0 { Outcome::Nothing } else { Outcome::Succeeded };
    let events = (0..events).map(|number| event(&format!("s-{id}-{number}"), "t:1", "{}")).collect();
    let commit = NewCommit { command: command(id), outcome, events };
    Append { commit, condition: Condition::none() }
}

fn commits(dir: &Path) -> Vec<(u64, u64, u128)> {
    let (log, report) = Log::open_read_only(dir, small()).unwrap();
    assert_eq!((report.damage, report.torn), (None, None));
    let mut found = Vec::new();
    log.scan(Sequence::START, |commit| {
        let last = commit.base_position().get() + commit.event_count() as u64 - 1;
        found.push((commit.sequence().get(), last, commit.command_id().get().as_u128()));
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

fn copied(from: &Path, to: &Path, options: &CopyOptions<'_>) -> Result<Copied, OpenError> {
    copy(from, to, options, &mut |_, _| {})
}

fn position(position: u64) -> Position {
    Position::new(position)
}

#[test]
fn a_copy_holds_whole_commits_up_to_a_position_and_takes_more() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    let (log, _) = Log::open(&from, small()).unwrap();
    for (id, events) in [2, 0, 3, 1, 0, 0, 5, 40, 1, 0].into_iter().enumerate() {
        log.append(vec![several(id as u128, events)])[0].as_ref().unwrap();
    }
    let (cut, all) = (durable_cut(&from).unwrap(), commits(&from));
    assert_eq!(cut.head, log.published());
    for until in 0..=cut.head.position.get() {
        let to = root.path().join(format!("to-{until}"));
        let options =
            CopyOptions { until: Some(position(until)), begin_generation: true, ..CopyOptions::new(cut) };
        let made = copied(&from, &to, &options).unwrap();
        let due: Vec<_> = all.iter().copied().take_while(|(_, last, _)| *last <= until).collect();
        assert_eq!(commits(&to), due, "until {until}");
        let (sequence, last) = due.last().map_or((0, 0), |(sequence, last, _)| (*sequence, *last));
        assert_eq!(made.head, Head { position: position(last), sequence: Sequence::new(sequence) });
        assert_eq!(verify(&to).unwrap().head, made.head);
        let (log, report) = Log::open(&to, small()).unwrap();
        assert_eq!((report.torn, report.watermark_lost, log.identity()), (None, false, made.identity));
        let stored = log.append(vec![several(1000, 1)])[0].clone().unwrap();
        assert_eq!((stored.sequence.get(), stored.first.get()), (sequence + 1, last + 1));
    }
}

#[test]
fn two_copies_that_are_both_written_to_are_two_lives_of_the_log() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    let (log, _) = Log::open(&from, small()).unwrap();
    store(&log, 1).unwrap();
    let options = CopyOptions { begin_generation: true, ..CopyOptions::new(durable_cut(&from).unwrap()) };
    let lives = ["a", "b"].map(|name| copied(&from, &root.path().join(name), &options).unwrap().identity);
    assert_eq!(lives.map(|life| life.log), [log.identity().log; 2]);
    assert!(lives.iter().all(|life| life.generation > log.identity().generation), "{lives:?}");
    assert_ne!(lives[0].generation, lives[1].generation);
}

#[test]
fn beside_a_writer_a_copy_holds_all_that_was_acknowledged_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    let (log, _) = Log::open(&from, Options { segment_bytes: 20_000, ..options(1) }).unwrap();
    store(&log, 1).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            (2..)
                .take_while(|_| !stop.load(std::sync::atomic::Ordering::SeqCst))
                .for_each(|n| drop(store(&log, n)));
        });
        for round in 0..20 {
            let acknowledged = log.published();
            let cut = durable_cut(&from).unwrap();
            assert!(cut.head.sequence >= acknowledged.sequence);
            let to = root.path().join(format!("to-{round}"));
            assert_eq!(copied(&from, &to, &CopyOptions::new(cut)).unwrap().head, cut.head);
            assert_eq!(verify(&to).unwrap().head, cut.head);
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    assert!(verify(&from).is_ok());
}

/// A log whose segment holds a whole commit that its watermark does not name.
fn with_one_beyond(root: &Path) -> Log {
    let (from, other) = (root.join("from"), root.join("other"));
    let log = Log::open(&from, options(1)).unwrap().0;
    (1..=3).for_each(|n| drop(store(&log, n).unwrap()));
    fs::create_dir(&other).unwrap();
    for (name, bytes) in files(&from) {
        fs::write(other.join(name), bytes).unwrap();
    }
    store(&Log::open(&other, options(1)).unwrap().0, 4).unwrap();
    let name = "00000000000000000001.seg";
    fs::write(from.join(name), fs::read(other.join(name)).unwrap()).unwrap();
    log
}

#[test]
fn what_a_writer_has_not_acknowledged_is_in_no_copy_and_what_it_left_whole_is() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    let log = with_one_beyond(root.path());
    assert_eq!(durable_cut(&from).unwrap().head.sequence.get(), 3, "the fourth may be lost yet");
    let to = root.path().join("to");
    copied(&from, &to, &CopyOptions::new(durable_cut(&from).unwrap())).unwrap();
    assert_eq!(commits(&to).len(), 3);
    drop(log);
    assert_eq!(durable_cut(&from).unwrap().head.sequence.get(), 4, "as when it is opened");
}

#[test]
fn a_torn_tail_is_in_no_copy_and_damage_is_told() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    drop(with_one_beyond(root.path()));
    let segment = from.join("00000000000000000001.seg");
    let whole = fs::read(&segment).unwrap();
    fs::write(&segment, &whole[..whole.len() - 1]).unwrap();
    assert_eq!(durable_cut(&from).unwrap().head.sequence.get(), 3);
    let mut damaged = whole;
    damaged[200] ^= 1;
    fs::write(&segment, &damaged).unwrap();
    let cut = durable_cut(&from).unwrap();
    let told = copied(&from, &root.path().join("to"), &CopyOptions::new(cut)).unwrap_err();
    assert!(matches!(told, OpenError::Damaged { .. }), "{told}");
}

#[test]
fn a_log_that_lost_its_watermark_is_copied_and_the_cut_says_so() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    drop(with_one_beyond(root.path()));
    fs::remove_file(from.join("head")).unwrap();
    let cut = durable_cut(&from).unwrap();
    assert_eq!((cut.head.sequence.get(), cut.watermark_lost), (4, true));
    copied(&from, &root.path().join("to"), &CopyOptions::new(cut)).unwrap();
}

#[test]
fn a_watermark_of_another_generation_says_nothing() {
    let root = tempfile::tempdir().unwrap();
    let from = root.path().join("from");
    drop(with_one_beyond(root.path()));
    let before = durable_cut(&from).unwrap();
    begin_generation(&from).unwrap();
    let cut = durable_cut(&from).unwrap();
    assert_eq!((cut.head.sequence.get(), cut.identity.generation), (4, 2));
    let told = copied(&from, &root.path().join("to"), &CopyOptions::new(before)).unwrap_err();
    assert!(told.to_string().contains("another generation"), "{told}");
}

#[test]
fn a_later_copy_reads_only_what_is_new_and_notices_what_is_not_the_same() {
    let root = tempfile::tempdir().unwrap();
    let (from, to) = (root.path().join("from"), root.path().join("to"));
    let log = Log::open(&from, small()).unwrap().0;
    (1..=30).for_each(|n| drop(store(&log, n).unwrap()));
    let first = copied(&from, &to, &CopyOptions::new(durable_cut(&from).unwrap())).unwrap();
    assert!(first.segments.len() > 2);
    (31..=60).for_each(|n| drop(store(&log, n).unwrap()));
    let cut = durable_cut(&from).unwrap();
    let options = CopyOptions { held: &first.segments, ..CopyOptions::new(cut) };
    let mut read: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let second = copy(&from, &to, &options, &mut |name, bytes| {
        read.entry(name.to_owned()).or_default().extend_from_slice(bytes);
    });
    let second = second.unwrap();
    assert_eq!((second.head, verify(&to).unwrap().head), (cut.head, cut.head));
    let held = &first.segments[..first.segments.len() - 1];
    assert!(held.iter().all(|CopiedSegment { name, .. }| !read.contains_key(name)), "they never change");
    for segment in &second.segments[held.len()..] {
        assert_eq!(read[&segment.name], fs::read(to.join(&segment.name)).unwrap(), "{}", segment.name);
    }
    let anew = root.path().join("anew");
    copied(&from, &anew, &CopyOptions::new(cut)).unwrap();
    assert_eq!(files(&anew), files(&to), "as if it were copied at once");

    let CopiedSegment { name, .. } = second.segments.last().unwrap();
    let mut bytes = fs::read(to.join(name)).unwrap();
    bytes[100] ^= 1;
    fs::write(to.join(name), bytes).unwrap();
    let told =
        copied(&from, &to, &CopyOptions { held: &second.segments, ..CopyOptions::new(cut) }).unwrap_err();
    assert!(told.to_string().contains("other bytes"), "{told}");
}

#[test]
fn a_log_is_held_against_writers_and_not_against_readers() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("log");
    assert!(!exists(&dir).unwrap());
    let log = Log::open(&dir, options(1)).unwrap().0;
    assert!(exists(&dir).unwrap());
    assert!(hold(&dir).unwrap().is_none(), "a writer has it");
    drop(log);
    let before = files(&dir);
    let (one, two) = (hold(&dir).unwrap().unwrap(), hold(&dir).unwrap());
    assert!(two.is_some(), "others may hold it too");
    assert!(matches!(Log::open(&dir, options(1)), Err(OpenError::Locked { .. })));
    drop((one, two));
    fs::remove_file(dir.join("lock")).unwrap();
    let held = hold(&dir).unwrap();
    assert!(held.is_some() && !dir.join("lock").exists(), "nothing is made");
    assert!(matches!(Log::open(&dir, options(1)), Err(OpenError::Locked { .. })));
    drop(held);
    fs::remove_file(dir.join("lock")).unwrap();
    assert_eq!(files(&dir), before.into_iter().filter(|(name, _)| name != "lock").collect());
    drop(Log::open(&dir, options(1)).unwrap());
}

#[test]
fn a_list_of_what_is_held_that_names_the_last_of_all_numbers_holds_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (from, to) = (root.path().join("from"), root.path().join("to"));
    let log = Log::open(&from, small()).unwrap().0;
    (1..=9).for_each(|n| drop(store(&log, n).unwrap()));
    let cut = durable_cut(&from).unwrap();
    let mut held = copied(&from, &to, &CopyOptions::new(cut)).unwrap().segments;
    held[0].head.sequence = Sequence::new(u64::MAX);
    let again = copied(&from, &to, &CopyOptions { held: &held, ..CopyOptions::new(cut) }).unwrap();
    assert_eq!((again.head, verify(&to).unwrap().head), (cut.head, cut.head));
}

/// Where each frame begins in a segment without a footer.
fn frames(segment: &[u8]) -> Vec<usize> {
    let length = |at: usize| 72 + u32::from_le_bytes(segment[at + 24..at + 28].try_into().unwrap()) as usize;
    let next = |at: &usize| Some(at + length(*at)).filter(|next| *next < segment.len());
    std::iter::successors(Some(64), next).collect()
}

#[test]
fn a_commit_that_does_not_follow_the_one_before_it_is_in_no_copy() {
    let root = tempfile::tempdir().unwrap();
    let (from, segment) = (root.path().join("from"), root.path().join("from/00000000000000000001.seg"));
    let log = Log::open(&from, options(1)).unwrap().0;
    (1..=4).for_each(|n| drop(store(&log, n).unwrap()));
    drop(log);
    let (cut, whole) = (durable_cut(&from).unwrap(), fs::read(&segment).unwrap());
    let places = frames(&whole);
    assert_eq!(places.len(), 4);
    let left_out = [&whole[..places[1]], &whole[places[2]..]].concat();
    let mut earlier = whole.clone();
    earlier[places[2] + 64..places[2] + 72].copy_from_slice(&(-1_i64).to_le_bytes());
    factum_log::fuzzing::mend_segment(&mut earlier);
    for (number, bytes) in [left_out, earlier].into_iter().enumerate() {
        fs::write(&segment, bytes).unwrap();
        let to = root.path().join(format!("to-{number}"));
        let told = copied(&from, &to, &CopyOptions::new(cut)).unwrap_err().to_string();
        assert!(told.contains("commit 3 does not follow the one before it"), "{told}");
    }
}

#[test]
fn a_segment_that_is_gone_or_of_another_log_is_told() {
    let root = tempfile::tempdir().unwrap();
    let (from, other) = (root.path().join("from"), root.path().join("other"));
    for (dir, seed) in [(&from, 1), (&other, 2)] {
        let log = Log::open(dir, Options { segment_bytes: 1, ..options(seed) }).unwrap().0;
        (1..=3).for_each(|n| drop(store(&log, n).unwrap()));
    }
    let (cut, last) = (durable_cut(&from).unwrap(), "00000000000000000003.seg");
    fs::remove_file(from.join(last)).unwrap();
    let copy =
        |to: &str| copied(&from, &root.path().join(to), &CopyOptions::new(cut)).unwrap_err().to_string();
    let told = copy("short");
    assert!(told.contains("it ends before commit 3"), "{told}");
    fs::copy(other.join(last), from.join(last)).unwrap();
    let told = copy("foreign");
    assert!(told.contains("it does not follow the segment before it"), "{told}");
    files(&from)
        .keys()
        .filter(|name| name.ends_with(".seg"))
        .for_each(|name| fs::remove_file(from.join(name)).unwrap());
    let told = copy("empty");
    assert!(told.contains("the log ends at commit 0, and 3 was durable"), "{told}");
}
