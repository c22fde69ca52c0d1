//! Files of a log removed, swapped or cut by hand: nothing of it passes silently, and no second server gets in.

use crate::server::{Server, factum};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

fn events(data: &Path) -> PathBuf {
    data.join("calculator/events")
}

fn segment(data: &Path) -> PathBuf {
    events(data).join("00000000000000000001.seg")
}

/// A log with three commits, closed, and where the third begins.
fn written() -> (tempfile::TempDir, u64) {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(2.0);
    server.outcome(&server.update(&id, "ADD", 1.0));
    let third = fs::metadata(segment(dir.path())).unwrap().len();
    server.outcome(&server.update(&id, "ADD", 1.0));
    server.kill();
    (dir, third)
}

fn cut(data: &Path, bytes: u64) {
    fs::OpenOptions::new().write(true).open(segment(data)).unwrap().set_len(bytes).unwrap();
}

fn start(data: &Path) -> Output {
    factum(&["demo", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()])
}

/// Refused with code 1 by the verb that serves, and why.
fn refused(data: &Path) -> String {
    let output = start(data);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!told.contains('\x1b'), "no colours outside a terminal: {told:?}");
    told
}

/// What a server that starts, and is then killed, says on standard error.
fn told_at_start(data: &Path) -> String {
    let (server, mut stderr) = Server::start_listening(data);
    server.kill();
    let mut told = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut told).unwrap();
    told
}

#[test]
fn a_second_server_is_refused_when_the_lock_file_was_removed() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let id = server.create(2.0);
    fs::remove_file(events(dir.path()).join("lock")).unwrap();
    assert!(refused(dir.path()).contains("open for writing elsewhere"));
    server.update(&id, "ADD", 1.0);
    server.kill();
    assert_eq!(Server::start(dir.path()).value(&id), 3.0);
}

#[test]
fn a_server_whose_data_was_removed_acknowledges_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let id = server.create(2.0);
    assert_eq!(server.value(&id), 2.0);
    fs::remove_dir_all(&data).unwrap();
    for _ in 0..3 {
        let answer = server.send("POST", "/values", r#"{"value": 1}"#);
        assert!(answer.status >= 500, "{answer:?}");
    }
}

#[test]
fn head_of_another_log_does_not_let_an_acknowledged_tail_be_cut_off() {
    let (dir, third) = written();
    let (other, _) = written();
    fs::copy(events(other.path()).join("head"), events(dir.path()).join("head")).unwrap();
    cut(dir.path(), third + 40);
    let told = refused(dir.path());
    assert!(told.contains("head is that of log"), "{told}");
    assert_eq!(fs::metadata(segment(dir.path())).unwrap().len(), third + 40, "nothing was cut off");
}

#[test]
fn a_log_cut_at_a_frame_without_its_head_is_not_vouched_for() {
    let (dir, third) = written();
    fs::remove_file(events(dir.path()).join("head")).unwrap();
    cut(dir.path(), third);
    let verified = factum(&["verify", dir.path().to_str().unwrap()]);
    assert_eq!(verified.status.code(), Some(1));
    let told = String::from_utf8(verified.stderr).unwrap();
    assert!(told.contains("calculator: head is lost: the end of the log cannot be checked"), "{told}");
    let told = told_at_start(dir.path());
    assert!(told.contains("calculator: head was lost"), "{told}");
    assert_eq!(told_at_start(dir.path()), "", "once it is made anew there is nothing to say");
}

#[test]
fn head_alone_does_not_become_a_new_log() {
    let (dir, _) = written();
    fs::remove_file(segment(dir.path())).unwrap();
    fs::remove_file(events(dir.path()).join("meta")).unwrap();
    let told = refused(dir.path());
    assert!(told.contains("names commit 3"), "{told}");
}

#[test]
fn meta_alone_does_not_become_an_empty_log() {
    let (dir, _) = written();
    fs::remove_file(segment(dir.path())).unwrap();
    fs::remove_file(events(dir.path()).join("head")).unwrap();
    let told = refused(dir.path());
    assert!(told.contains("head is lost, and so is every segment"), "{told}");
}

#[test]
fn a_new_log_and_a_torn_tail_are_told_with_the_service() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(
        told_at_start(dir.path()),
        "calculator: a new log\nissue-tracker: a new log\nbank: a new log\n"
    );
    let (dir, _) = written();
    let mut bytes = fs::read(segment(dir.path())).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    bytes[end..end + 9].fill(1);
    fs::write(segment(dir.path()), bytes).unwrap();
    let told = told_at_start(dir.path());
    assert!(told.starts_with("calculator: cut off 9 bytes"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}
