//! Files of a backup beside its logs: written whole and synced, and read back by their checksum.

use super::{Failure, manifest::Sum};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::Path,
};

/// So much is read at a time, in bytes.
const CHUNK_BYTES: usize = 1024 * 1024;

/// Adds up bytes as they come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summing {
    hash: Sha256,
    bytes: u64,
}

impl Summing {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(crate) fn sum(self) -> Sum {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Sum { bytes: self.bytes, sha256 }
    }
}

/// The checksum of the first `bytes` of a file, or of what there is of them.
pub(crate) fn sum(path: &Path, bytes: u64, told: &mut dyn FnMut(u64)) -> Result<Sum, Failure> {
    let unread = |cause| Failure::Read { path: path.to_owned(), cause };
    let mut file = File::open(path).map_err(unread)?.take(bytes);
    let (mut summing, mut buffer) = (Summing::default(), vec![0; CHUNK_BYTES]);
    loop {
        let read = match file.read(&mut buffer) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(unread)?,
        };
        if read == 0 {
            return Ok(summing.sum());
        }
        summing.add(&buffer[..read]);
        told(read as u64);
    }
}

/// Refused, if a file of a backup is not what was written.
pub(crate) fn check(path: &Path, wanted: &Sum, told: &mut dyn FnMut(u64)) -> Result<(), Failure> {
    let found = sum(path, wanted.bytes, told)?;
    if found == *wanted {
        return Ok(());
    }
    let what = if found.bytes < wanted.bytes {
        format!("it has {} bytes, and {} were written", found.bytes, wanted.bytes)
    } else {
        "its bytes are not those that were written".to_owned()
    };
    Err(Failure::Changed { path: path.to_owned(), what })
}

/// Writes a file whole and makes it durable; its name is, once the directory is synced.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<Sum, Failure> {
    let failed = |cause| Failure::Write { path: path.to_owned(), cause };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // What is noted says who did what: not for everybody.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    let mut summing = Summing::default();
    summing.add(bytes);
    Ok(summing.sum())
}

/// Makes the directory and all above it that is not there.
pub(crate) fn make_dir(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|cause| Failure::Write { path: path.to_owned(), cause })
}

/// Keeps others from writing to a directory as long as the file lives; none if another one does.
pub(crate) fn lock_dir(path: &Path) -> Result<Option<File>, Failure> {
    let failed = |cause| Failure::Write { path: path.to_owned(), cause };
    let dir = File::open(path).map_err(failed)?;
    match dir.try_lock() {
        Ok(()) => Ok(Some(dir)),
        Err(TryLockError::WouldBlock) => Ok(None),
        // A network file system may lock files only; there two at a time are not noticed.
        Err(TryLockError::Error(_)) => Ok(Some(dir)),
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> Result<(), Failure> {
    let synced = File::open(path).and_then(|dir| dir.sync_all());
    synced.map_err(|cause| Failure::Write { path: path.to_owned(), cause })
}

/// Whether a directory holds nothing, or is not there.
pub(crate) fn is_empty(path: &Path) -> Result<bool, Failure> {
    match fs::read_dir(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(true),
        entries => {
            let mut entries = entries.map_err(|cause| Failure::Read { path: path.to_owned(), cause })?;
            Ok(entries.next().is_none())
        }
    }
}
