//! A disk without room: what is missing is told with what to do, and done again once there is room.

use crate::{ledger::enter, program::ledger};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
};

/// What a disk has, in bytes.
const DISK_BYTES: u64 = 16 * 1024 * 1024;

const BLOCK: [u8; 4096] = [7; 4096];
const BLOCK_BYTES: u64 = BLOCK.len() as u64;

/// A file system in memory.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        if let Err(cause) = mount("tmpfs", &path, "tmpfs", MountFlags::empty(), Some(c"size=16m")) {
            panic!("a small disk cannot be mounted ({cause}): run this test as root, or in a user namespace");
        }
        Self(path)
    }

    /// Leaves so many bytes free.
    fn leave(&self, bytes: u64) {
        let mut ballast = File::create(self.0.join("ballast")).unwrap();
        for _ in 0..(DISK_BYTES - bytes) / BLOCK_BYTES {
            if ballast.write_all(&BLOCK).is_err() {
                break;
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until the end; the name is free at once.
        let _ = unmount(&self.0, UnmountFlags::DETACH);
    }
}

#[test]
fn a_restore_that_has_no_room_says_so_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    enter(&root.join("data"), "bank", 1..=3);
    ledger(root, "projections pause bank/counts --data DIR/data").done();
    ledger(root, "backup DIR/data DIR/backup").done();
    let disk = SmallDisk::new(root.join("disk"));
    let (mut refused, mut pages) = (Vec::new(), 2);
    loop {
        disk.leave(pages * BLOCK_BYTES);
        let told = ledger(root, "restore DIR/backup --data DIR/disk/again");
        if told.code == 0 {
            break;
        }
        let told = told.refused();
        let begun = disk.0.join("again/.restoring");
        let advice = format!("What was begun is in {}: move that folder away or remove it", begun.display());
        assert!(told.contains("make room first") && told.contains(&advice), "{pages} pages: {told}");
        fs::remove_dir_all(begun).unwrap();
        refused.push(told);
        pages += 1;
    }
    for file in ["again/.restoring/bank/events", "again/.restoring/bank/views"] {
        assert!(
            refused.iter().any(|told| told.contains(file)),
            "never was there no room for {file}: {refused:#?}"
        );
    }
    ledger(root, "verify DIR/disk/again").done();
}

#[test]
fn a_backup_that_has_no_room_says_so_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    enter(&root.join("data"), "bank", 1..=3);
    let disk = SmallDisk::new(root.join("disk"));
    let (mut refused, mut pages) = (0, 2);
    loop {
        disk.leave(pages * BLOCK_BYTES);
        let told = ledger(root, "backup DIR/data DIR/disk/backup");
        if told.code == 0 {
            break;
        }
        let told = told.refused();
        let advice = "disk/backup: move that folder away or remove it, and try again";
        assert!(told.contains("make room first") && told.contains(advice), "{pages} pages: {told}");
        fs::remove_dir_all(disk.0.join("backup")).unwrap();
        (refused, pages) = (refused + 1, pages + 1);
    }
    assert!(refused > 1, "{refused}");
    // What goes on from one that is there leaves that one as it is.
    enter(&root.join("data"), "bank", 4..=60);
    disk.leave(BLOCK_BYTES);
    let told = ledger(root, "backup DIR/data DIR/disk/backup").refused();
    assert!(told.contains("make room first") && !told.contains("What was begun"), "{told}");
    ledger(root, "backup --check DIR/disk/backup").done();
    disk.leave(100 * BLOCK_BYTES);
    ledger(root, "backup DIR/data DIR/disk/backup").done();
}
