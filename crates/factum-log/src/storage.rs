//! Where bytes go. The engine knows a directory of files only through this port, so that a test can lose,
//! cut short or refuse any write.
//!
//! What an implementation must hold: bytes written before a successful [`StorageFile::sync`] survive power
//! loss, names made before a successful [`Storage::sync_dir`] do, and a rename is whole or did not happen.
//! What was not synced may be kept, lost, or kept in part, in any order.

mod directory;
mod medium;
mod shared;

pub use crate::map::FileMap;
use crate::{limits::ROOM_AHEAD_BYTES_MAX, map::copy_of};
pub use directory::FileStorage;
pub use medium::Medium;
use std::{fmt, io, sync::Arc};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// It exists, and is only read.
    Read,
    /// It exists, and is read and written.
    Write,
    /// It is made, or emptied if it exists.
    Create,
}

/// Held while one writer owns a directory; dropping it lets the next one in.
pub trait StorageLock: fmt::Debug + Send + Sync {
    /// Whether the directory that was locked still stands where it did: false once it was moved, removed or
    /// replaced. Asked once per group of commits.
    ///
    /// # Errors
    /// As the file system says.
    fn is_in_place(&self) -> io::Result<bool> {
        Ok(true)
    }
}

/// One directory of files.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// What to call the directory in an error.
    fn describe(&self) -> String;

    /// What the directory stands on, or would stand on. Asked before anything is made or locked.
    ///
    /// # Errors
    /// As the file system says.
    fn medium(&self) -> io::Result<Medium> {
        Ok(Medium::Local)
    }

    /// Makes the directory if it is missing and takes its lock; none if another holds it.
    ///
    /// # Errors
    /// When the directory or the lock cannot be made.
    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>>;

    /// Keeps writers away without making anything, and lets others do so too; none if a writer has the
    /// directory. Without an implementation of its own: whoever asks knows that nobody writes.
    ///
    /// # Errors
    /// As the file system says.
    fn lock_shared(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        Ok(Some(Box::new(shared::Unlocked)))
    }

    /// The names in the directory, in any order.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Opens a file.
    ///
    /// # Errors
    /// As the file system says.
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>>;

    /// Makes a file that is to be filled with zeros from its start, in aligned chunks, and is renamed once it
    /// is full; past the page cache if that can be. None where that gains nothing.
    ///
    /// # Errors
    /// As the file system says.
    fn reserve(&self, name: &str) -> io::Result<Option<Arc<dyn StorageFile>>> {
        let _ = name;
        Ok(None)
    }

    /// Gives a file the name of another, which it replaces.
    ///
    /// # Errors
    /// As the file system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the file system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes the names durable.
    ///
    /// # Errors
    /// As the file system says.
    fn sync_dir(&self) -> io::Result<()>;
}

/// One file.
pub trait StorageFile: fmt::Debug + Send + Sync {
    /// Reads from `offset` on, as much as there is at once; 0 bytes at the end.
    ///
    /// # Errors
    /// As the file system says.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`. After an error any part of it may be written.
    ///
    /// # Errors
    /// As the file system says; [`io::ErrorKind::StorageFull`] when there is no room.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written durable, with the length of the file.
    ///
    /// # Errors
    /// As the file system says. It is not known then what of the unsynced writes will survive.
    fn sync(&self) -> io::Result<()>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    /// As the file system says.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// How long the file is.
    ///
    /// # Errors
    /// As the file system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether the open file still has a name: false once it was removed or replaced. Asked once per group of
    /// commits.
    ///
    /// # Errors
    /// As the file system says.
    fn is_linked(&self) -> io::Result<bool> {
        Ok(true)
    }

    /// Whether [`Self::map`] shows the file itself, without a copy. What is only read in part is not mapped
    /// where this is false.
    fn maps_in_place(&self) -> bool {
        false
    }

    /// The first `bytes` of the file as memory. What the file does not hold yet comes within reach when the
    /// map is asked for again, which is cheap where it shows the file itself. Without an implementation of
    /// its own: a copy of what is there now.
    ///
    /// # Errors
    /// As the file system says.
    fn map(&self, bytes: u64) -> io::Result<Arc<dyn FileMap>> {
        copy_of(self, bytes)
    }

    /// Whether the file is empty.
    ///
    /// # Errors
    /// As the file system says.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|bytes| bytes == 0)
    }
}

/// Reads until `into` is full or the file ends; how much was read.
pub(crate) fn read_full(
    file: &(impl StorageFile + ?Sized),
    into: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read_at(&mut into[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Says of which file an error speaks.
pub(crate) fn of_file(name: &str) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// Zeros to write. Aligned as a file that is written past the page cache asks for.
#[repr(align(4096))]
pub(crate) struct Zeros([u8; ROOM_AHEAD_BYTES_MAX]);

/// All of them.
pub(crate) static ZEROS: Zeros = Zeros([0; ROOM_AHEAD_BYTES_MAX]);

impl std::ops::Deref for Zeros {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
