//! A disk that is full: what does not fit is not kept, what was kept stays, and with room again it goes on.

use super::{all, keep, opened, plain};
use factum_store::{
    CommitError, ErrorKind,
    read_models::{Body, Document, checks},
};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::fs::{self, File};
use tempfile::TempDir;

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
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until the end; the name is free at once.
        let _ = unmount(self.0.path(), UnmountFlags::DETACH);
    }
}

#[test]
fn what_does_not_fit_is_tried_again_once_there_is_room() {
    let disk = SmallDisk::new();
    let model = opened(disk.0.path());
    keep(&*model, vec![plain("a", 1)], 1).unwrap();
    let ballast = disk.0.path().join("ballast");
    std::io::copy(&mut std::io::repeat(7), &mut File::create(&ballast).unwrap()).unwrap_err();
    let large = || {
        let body = Body::Stored(vec![7; 1_000_000].into());
        Document { body, ..plain("b", 2) }
    };
    for _ in 0..3 {
        let Err(CommitError::Store(told)) = keep(&*model, vec![large()], 2) else { panic!("it fits") };
        assert_eq!(told.kind(), ErrorKind::Retry, "{told}");
        assert!(told.to_string().contains("roster.1.1"), "{told}");
        assert!(told.to_string().contains("no room left on the disk"), "{told}");
        assert_eq!(all(&*model), (vec!["a".to_owned()], Some(checks::checkpoint(1))));
    }
    fs::remove_file(&ballast).unwrap();
    keep(&*model, vec![large()], 2).unwrap();
    drop(model);
    let again = opened(disk.0.path());
    assert_eq!(all(&*again), (vec!["a".to_owned(), "b".to_owned()], Some(checks::checkpoint(2))));
}
