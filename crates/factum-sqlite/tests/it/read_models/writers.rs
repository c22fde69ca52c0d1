//! One writes at a time: who waits for whom, and who is turned away.

use super::{all, file, keep, opened, plain};
use factum_store::{BoxFuture, BuildTx, ErrorKind, StoreError, block_on, read_models::checks};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

type Beginning<'a> = BoxFuture<'a, Result<Box<dyn BuildTx>, StoreError>>;

/// Whether it waits.
fn waits(beginning: &mut Beginning<'_>) -> bool {
    let beginning: &mut Pin<Box<dyn Future<Output = _> + Send>> = beginning;
    block_on(poll_fn(|context| Poll::Ready(beginning.as_mut().poll(context).is_pending())))
}

#[test]
fn who_begins_waits_for_who_writes_and_is_not_lost_by_one_who_left() {
    let dir = tempfile::tempdir().unwrap();
    let model = opened(dir.path());
    let fence = block_on(model.claim()).unwrap().fence;
    let mut tx = block_on(model.begin(fence)).unwrap();
    block_on(tx.put(vec![plain("a", 1)])).unwrap();
    let (mut left, mut gone, mut next) = (model.begin(fence), model.begin(fence), model.begin(fence));
    assert!(waits(&mut left) && waits(&mut gone) && waits(&mut next));
    drop(left);
    drop(tx);
    // It was given the connection and leaves with it.
    drop(gone);
    let mut tx = block_on(next).unwrap();
    block_on(tx.put(vec![plain("b", 2)])).unwrap();
    let mut last = model.scratch();
    assert!(waits(&mut last));
    block_on(tx.commit(Some(checks::checkpoint(2)))).unwrap();
    assert_eq!(block_on(async { last.await?.document("b").await }).unwrap().unwrap().changed_at.get(), 2);
    assert_eq!(all(&*model).0, ["b"]);
}

#[test]
fn no_more_than_a_bounded_number_waits_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let model = opened(dir.path());
    let fence = block_on(model.claim()).unwrap().fence;
    let tx = block_on(model.begin(fence)).unwrap();
    let mut waiting: Vec<_> = (0..64).map(|_| model.begin(fence)).collect();
    assert!(waiting.iter_mut().all(waits));
    let told = block_on(model.begin(fence)).err().unwrap();
    assert_eq!(told.kind(), ErrorKind::Retry, "{told}");
    waiting.pop();
    assert!(waits(&mut model.begin(fence)), "who left leaves a place");
    drop(waiting);
    drop(tx);
    block_on(model.begin(fence)).unwrap();
}

/// Two stores on one directory are to each other as two processes are.
#[test]
fn of_two_processes_the_older_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (opened(dir.path()), opened(dir.path()));
    let older = block_on(one.claim()).unwrap().fence;
    let mut tx = block_on(one.begin(older)).unwrap();
    block_on(tx.put(vec![plain("a", 1)])).unwrap();
    let mut claiming = other.claim();
    let waits = block_on(poll_fn(|context| Poll::Ready(claiming.as_mut().poll(context).is_pending())));
    assert!(waits, "another process is waited for without holding the thread");
    block_on(tx.commit(Some(checks::checkpoint(1)))).unwrap();
    let claim = block_on(claiming).unwrap();
    assert_eq!(claim.checkpoint, Some(checks::checkpoint(1)));
    let told = block_on(one.begin(older)).err().unwrap();
    assert_eq!(told.kind(), ErrorKind::Reopen, "{told}");
    assert_eq!(told, checks::build().fenced());
    let mut tx = block_on(other.begin(claim.fence)).unwrap();
    block_on(tx.put(vec![plain("b", 2)])).unwrap();
    block_on(tx.commit(Some(checks::checkpoint(2)))).unwrap();
    assert_eq!(all(&*one), (vec!["a".to_owned(), "b".to_owned()], Some(checks::checkpoint(2))));
}

#[test]
fn a_file_that_another_locks_is_tried_again_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let model = opened(dir.path());
    keep(&*model, vec![plain("a", 1)], 1).unwrap();
    let other = rusqlite::Connection::open(file(dir.path())).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let told = block_on(model.claim()).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Retry, "{told}");
    assert!(told.to_string().contains("roster.1.1") && told.to_string().contains("locked"), "{told}");
    assert_eq!(all(&*model).0, ["a"], "who reads does not wait");
    other.execute_batch("commit").unwrap();
    keep(&*model, vec![plain("b", 1)], 2).unwrap();
    assert_eq!(all(&*model), (vec!["a".to_owned(), "b".to_owned()], Some(checks::checkpoint(2))));
}
