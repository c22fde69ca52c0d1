//! A disk that is full: commands are refused with 503 and leave nothing behind, what was acknowledged stays,
//! reads go on, and with room again so do commands, without a restart.

use crate::server::{Server, factum};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tempfile::TempDir;

/// What the commands of a test may fill, in bytes: the rest is taken by a file of no use.
const ROOM: u64 = 192 * 1024;
const WRITERS: usize = 4;
/// A writer ends after so many refusals one after another: a small commit may still fit where a large one did
/// not.
const REFUSALS: usize = 5;

/// A file system of 4 MiB in memory.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        if let Err(cause) = mount("tmpfs", dir.path(), "tmpfs", MountFlags::empty(), Some(c"size=4m")) {
            panic!(
                "a disk of 4 MiB cannot be mounted ({cause}): run this test as root, or in a user namespace"
            );
        }
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Leaves so many bytes free.
    fn leave(&self, bytes: u64) {
        let mut file = File::create(self.ballast()).unwrap();
        let (block, mut filled) = ([0; 4096], 0);
        while file.write_all(&block).is_ok() {
            filled += 4096;
        }
        file.set_len(filled - bytes).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until the end; the name is free at once.
        let _ = unmount(self.path(), UnmountFlags::DETACH);
    }
}

/// What one writer knows: its value, what was acknowledged, and which keys were refused.
struct Written {
    id: String,
    commands: Vec<String>,
    refused: Vec<String>,
}

/// Adds 1, once per idempotency key. The command, or nothing if it was refused for want of room.
fn add(server: &Server, id: &str, key: &str) -> Option<String> {
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    let body = r#"{"operation": "ADD", "value": 1}"#;
    let answer = server.try_send("PUT", &format!("/values/{id}"), &headers, body).unwrap();
    if answer.status == 202 {
        return Some(answer.body["command_id"].as_str().unwrap().to_owned());
    }
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.content_type, "application/problem+json");
    assert_eq!(answer.body["type"], "urn:factum:problem:unavailable");
    assert!(answer.body["detail"].as_str().unwrap().contains("the disk is full"), "{answer:?}");
    let seconds: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds > 0, "{answer:?}");
    None
}

/// Writes on until nothing fits any more.
fn write_until_refused(server: &Server, mut written: Written) -> Written {
    let mut in_a_row = 0;
    while in_a_row < REFUSALS {
        let key = format!("k{}", written.commands.len() + written.refused.len());
        match add(server, &written.id, &key) {
            Some(command) => {
                written.commands.push(command);
                in_a_row = 0;
            }
            None => {
                written.refused.push(key);
                in_a_row += 1;
            }
        }
    }
    written
}

fn verify(data: &Path) {
    let output = factum(&["verify", data.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Reads are answered, whatever became of writes.
fn reads(server: &Server, written: &[Written]) {
    for Written { id, .. } in written {
        assert_eq!(server.get(&format!("/values/{id}")).status, 200);
    }
    assert_eq!(server.get("/health/live").status, 200);
}

#[test]
fn a_full_disk_refuses_commands_keeps_what_it_acknowledged_and_takes_more_when_there_is_room() {
    let disk = SmallDisk::new();
    let data = disk.path().join("data");
    let server = Arc::new(Server::start_quiet(&data));
    let ids: Vec<_> = (0..WRITERS).map(|_| server.create(0.0)).collect();
    ids.iter().for_each(|id| assert_eq!(server.settled(id), 0.0));
    disk.leave(ROOM);
    let writers: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let server = Arc::clone(&server);
            let written = Written { id, commands: Vec::new(), refused: Vec::new() };
            thread::spawn(move || write_until_refused(&server, written))
        })
        .collect();
    let written = writers.into_iter().map(|writer| writer.join().unwrap());
    let mut written: Vec<_> = written.collect();
    assert!(written.iter().all(|written| !written.commands.is_empty()), "there was room for some");

    reads(&server, &written);
    verify(&data);
    Arc::into_inner(server).unwrap().kill();
    verify(&data);

    let server = Server::start_quiet(&data);
    reads(&server, &written);
    let again = write_until_refused(&server, written.remove(0));
    written.push(again);
    verify(&data);

    fs::remove_file(disk.ballast()).unwrap();
    let mut events = 0;
    for Written { id, commands, refused } in &written {
        for command in commands {
            let ended = server.outcome(command);
            assert_eq!(ended["status"], "succeeded", "acknowledged means stored: {ended:?}");
        }
        for key in refused {
            let command = add(&server, id, key).expect("there is room again");
            assert_eq!(server.outcome(&command)["status"], "succeeded");
        }
        let sum = commands.len() + refused.len();
        assert_eq!(server.value(id), sum as f64, "what was refused had left nothing behind");
        events += 1 + sum;
    }
    server.kill();
    verify(&data);
    let output = factum(&["inspect", "--json", data.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["events"].as_u64().unwrap(), events as u64);
}

#[test]
fn a_backup_that_finds_no_room_says_so_and_is_none_and_neither_is_what_is_restored_there() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SmallDisk::new());
    let (data, whole) = (dir.path().join("data"), dir.path().join("whole"));
    let server = Server::start_quiet(&data);
    let ids: Vec<_> = (0..200).map(|_| server.create(0.0)).collect();
    ids.iter().for_each(|id| assert_eq!(server.settled(id), 0.0));
    let done = factum(&["backup", data.to_str().unwrap(), whole.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    disk.leave(ROOM / 4);
    let (backup, restored) = (disk.path().join("backup"), disk.path().join("restored"));
    let refused = |args: &[&str]| {
        let output = factum(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let told = refused(&["backup", data.to_str().unwrap(), backup.to_str().unwrap()]);
    assert!(told.contains("No space left on device") && told.contains("backup/"), "{told}");
    let told =
        refused(&["restore", backup.to_str().unwrap(), "--data", dir.path().join("x").to_str().unwrap()]);
    assert!(told.contains("was not finished"), "{told}");
    fs::remove_dir_all(&backup).unwrap();
    // Not one page, so that it is a log which finds no room: SQLite says no more than "disk I/O error".
    disk.leave(0);
    let told = refused(&["restore", whole.to_str().unwrap(), "--data", restored.to_str().unwrap()]);
    assert!(told.contains("No space left on device"), "{told}");
    let told = refused(&["demo", "--data", restored.to_str().unwrap()]);
    assert!(told.contains(".restoring"), "{told}");
    fs::remove_dir_all(&restored).unwrap();
    fs::remove_file(disk.ballast()).unwrap();
    let done = factum(&["restore", whole.to_str().unwrap(), "--data", restored.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
}
