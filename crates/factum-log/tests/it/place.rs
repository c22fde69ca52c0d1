//! A directory that someone changes under its writer, or that was put together by hand.

use crate::{
    sim::{Fault, Operation, Sim},
    support::{numbers, options, store},
};
use factum_log::{Log, OpenError, Options};
use factum_store::{AppendError, ErrorKind};
use std::{fs, os::unix::fs::symlink, path::Path};

const FIRST: &str = "00000000000000000001.seg";

fn opened(dir: &Path) -> Log {
    Log::open(dir, options(1)).unwrap().0
}

/// The next append is not acknowledged, and the one after it is told why.
fn stops(log: &Log, what: &str) {
    assert!(matches!(store(log, 8), Err(AppendError::Unknown { .. })), "nobody would find it again");
    refuses(log, what);
}

fn refuses(log: &Log, what: &str) {
    match store(log, 9) {
        Err(AppendError::Store(error)) => {
            assert_eq!(error.kind(), ErrorKind::Reopen);
            assert!(error.to_string().contains(what), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_the_lock_file_a_second_writer_is_refused_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(dir.path());
    store(&log, 1).unwrap();
    fs::remove_file(dir.path().join("lock")).unwrap();
    assert!(matches!(Log::open(dir.path(), options(2)), Err(OpenError::Locked { .. })));
    store(&log, 2).unwrap();
    drop(log);
    assert_eq!(numbers(&opened(dir.path())), [1, 2]);
}

#[test]
fn nothing_is_acknowledged_once_the_directory_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let events = dir.path().join("events");
    let log = opened(&events);
    store(&log, 1).unwrap();
    fs::remove_dir_all(&events).unwrap();
    stops(&log, "removed");
    assert_eq!(numbers(&log), [1]);
}

#[test]
fn nothing_is_acknowledged_once_the_segment_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(dir.path());
    store(&log, 1).unwrap();
    fs::remove_file(dir.path().join(FIRST)).unwrap();
    stops(&log, FIRST);
}

#[test]
fn a_log_that_was_moved_stops_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    let log = opened(&before);
    store(&log, 1).unwrap();
    fs::rename(&before, &after).unwrap();
    stops(&log, "moved");
    drop(log);
    assert_eq!(numbers(&opened(&after)), [1, 8], "unknown, and stored");
}

#[test]
fn a_segment_is_never_made_in_a_directory_that_came_in_place_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (events, away) = (dir.path().join("events"), dir.path().join("away"));
    let first = opened(&events);
    fs::rename(&events, &away).unwrap();
    let second = opened(&events);
    refuses(&first, "replaced");
    assert!(!events.join(FIRST).exists());
    store(&second, 2).unwrap();
    drop(second);
    assert_eq!(numbers(&opened(&events)), [2]);
}

#[test]
fn once_head_is_removed_one_group_is_stored_and_then_none() {
    let dir = tempfile::tempdir().unwrap();
    let log = opened(dir.path());
    store(&log, 1).unwrap();
    fs::remove_file(dir.path().join("head")).unwrap();
    store(&log, 2).unwrap();
    refuses(&log, "head");
    drop(log);
    let (log, report) = Log::open(dir.path(), options(1)).unwrap();
    assert_eq!(numbers(&log), [1, 2]);
    assert!(report.watermark_lost);
}

#[test]
fn an_error_names_the_file_that_is_a_directory_or_a_link_to_nothing() {
    for name in ["head", "meta", "lock", FIRST] {
        for link in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let log = opened(dir.path());
            store(&log, 1).unwrap();
            drop(log);
            let path = dir.path().join(name);
            fs::remove_file(&path).unwrap();
            if link {
                // A lock may be made through a link, if there is a directory for it.
                let gone = if name == "lock" { "nowhere/at/all" } else { "nowhere" };
                symlink(dir.path().join(gone), &path).unwrap();
            } else {
                fs::create_dir(&path).unwrap();
            }
            let error = Log::open(dir.path(), options(1)).unwrap_err();
            assert!(matches!(error, OpenError::Io { .. }), "{name}, link {link}: {error:?}");
            let cause = error.to_string().replace(&dir.path().display().to_string(), "");
            assert!(cause.contains(&format!("{name}: ")), "{name}, link {link}: {error}");
            assert!(!dir.path().join("nowhere").exists(), "nothing is made behind a link");
        }
    }
}

#[test]
fn nothing_is_acknowledged_once_a_look_says_that_the_place_is_gone() {
    for operation in [Operation::IsLinked, Operation::IsInPlace] {
        for after in 0..6 {
            let sim = Sim::default();
            let small = Options { segment_bytes: 400, ..options(1) };
            let (log, _) = Log::open_on(sim.storage(), small).unwrap();
            sim.fail(Fault { after, ..Fault::always(operation) });
            let verdicts: Vec<_> = (1..=9).map(|n| store(&log, n)).collect();
            let stored = verdicts.iter().take_while(|verdict| verdict.is_ok()).count();
            assert!(stored < 9 && verdicts[stored..].iter().all(Result::is_err), "{verdicts:?}");
            for later in &verdicts[stored + 1..] {
                assert!(matches!(later, Err(AppendError::Store(error)) if error.kind() == ErrorKind::Reopen));
            }
        }
    }
}

#[test]
fn a_log_that_was_closed_opens_again_while_processes_are_started_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    std::process::Command::new("true").status().unwrap();
                }
            });
        }
        let opened: Vec<_> = (0..400).map(|_| Log::open(dir.path(), options(1)).map(drop)).collect();
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        let refused = opened.iter().filter(|opened| opened.is_err()).count();
        assert_eq!(refused, 0, "nobody had it open");
    });
}
