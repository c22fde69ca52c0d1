//! Keeps writers away from a directory without making anything in it.

use super::{StorageLock, of_file};
use crate::format::LOCK_FILE;
use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
};

/// Keeps nobody away.
#[derive(Debug)]
pub(super) struct Unlocked;

impl StorageLock for Unlocked {}

/// Shared locks on what a writer locks for itself.
#[derive(Debug)]
struct SharedLock(#[expect(dead_code, reason = "the locks live as long as the open files")] Vec<File>);

impl StorageLock for SharedLock {}

/// None if a writer has the directory.
pub(super) fn lock_shared(dir: &Path) -> io::Result<Option<Box<dyn StorageLock>>> {
    let mut held = Vec::new();
    for path in [&*dir.join(LOCK_FILE), dir] {
        let file = match File::open(path) {
            // A copy may be without one: nobody has it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        match file.try_lock_shared() {
            Ok(()) => held.push(file),
            Err(TryLockError::WouldBlock) => return Ok(None),
            // As for a writer: the file has to do.
            Err(TryLockError::Error(_)) if path == dir => {}
            Err(TryLockError::Error(error)) => return Err(of_file(LOCK_FILE)(error)),
        }
    }
    Ok(Some(Box::new(SharedLock(held))))
}
