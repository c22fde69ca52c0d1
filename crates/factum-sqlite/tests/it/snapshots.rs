//! A file of snapshots: it keeps the claims of the port, outlives the process, and is never in the way.

use factum_sqlite::SqliteSnapshots;
use factum_store::{
    SnapshotStore, block_on,
    snapshots::checks::{self, kept, key, snapshot},
};
use factum_testkit::told_during;
use std::{cell::Cell, fs, sync::Arc};

#[test]
fn snapshots_in_a_file_pass_the_checks() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Cell::new(0);
    checks::run(|| {
        opened.set(opened.get() + 1);
        Arc::new(SqliteSnapshots::at(dir.path().join(format!("{}.sqlite", opened.get()))))
    });
}

#[test]
fn what_was_put_is_there_after_a_reopen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshots.sqlite");
    let key = key(1, "a", "b");
    let first = SqliteSnapshots::at(&path);
    first.put(key.clone(), snapshot(&key, 10), 10);
    drop(first);
    let second = SqliteSnapshots::at(&path);
    assert_eq!(block_on(second.get(&key)).unwrap(), Some(snapshot(&key, 10)));
    second.put(key.clone(), snapshot(&key, 11), 10);
    assert_eq!(kept(&second, &key), Some(snapshot(&key, 10)), "still too soon");
}

#[test]
fn reading_alone_makes_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshots.sqlite");
    let snapshots = SqliteSnapshots::at(&path);
    assert_eq!(kept(&snapshots, &key(1, "a", "b")), None);
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_database_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshots.sqlite");
    fs::write(&path, "this is no database at all, whatever its name says".repeat(99)).unwrap();
    let key = key(1, "a", "b");
    let snapshots = SqliteSnapshots::at(&path);
    assert!(block_on(snapshots.get(&key)).is_err());
    snapshots.put(key.clone(), snapshot(&key, 10), 10);
    assert_eq!(kept(&snapshots, &key), Some(snapshot(&key, 10)));
}

#[test]
fn a_file_of_another_layout_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("snapshots.sqlite");
    let later = rusqlite_file(&path);
    let key = key(1, "a", "b");
    let snapshots = SqliteSnapshots::at(&path);
    assert_eq!(block_on(snapshots.get(&key)).unwrap(), None);
    drop(later);
    snapshots.put(key.clone(), snapshot(&key, 10), 10);
    assert_eq!(kept(&snapshots, &key), Some(snapshot(&key, 10)));
}

/// A file as a later release might leave it.
fn rusqlite_file(path: &std::path::Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("create table snapshots (other text); pragma user_version = 2;").unwrap();
    connection
}

#[test]
fn where_nothing_can_be_written_nothing_is_kept_and_nobody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let snapshots = SqliteSnapshots::at(dir.path().join("missing").join("snapshots.sqlite"));
    let key = key(1, "a", "b");
    for events in 1..2000 {
        snapshots.put(key.clone(), snapshot(&key, events), 1);
    }
    assert_eq!(kept(&snapshots, &key), None);
    let told = told_during(|| drop(block_on(snapshots.get(&key))));
    assert!(told.is_empty(), "the one who reads is told by the answer");
}
