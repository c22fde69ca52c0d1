//! Where bytes go. The engine knows a directory of files only through this port, so that a test can lose,
//! cut short or refuse any write.
//!
//! What an implementation must hold: bytes written before a successful [`StorageFile::sync`] survive power
//! loss, names made before a successful [`Storage::sync_dir`] do, and a rename is whole or did not happen.
//! What was not synced may be kept, lost, or kept in part, in any order.

use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

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
pub trait StorageLock: fmt::Debug + Send + Sync {}

/// One directory of files.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// What to call the directory in an error.
    fn describe(&self) -> String;

    /// Makes the directory if it is missing and takes its lock; none if another holds it.
    ///
    /// # Errors
    /// When the directory or the lock cannot be made.
    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>>;

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

    /// Whether the file is empty.
    ///
    /// # Errors
    /// As the file system says.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|bytes| bytes == 0)
    }
}

/// Reads until `into` is full or the file ends; how much was read.
pub(crate) fn read_full(file: &dyn StorageFile, into: &mut [u8], offset: u64) -> io::Result<usize> {
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

/// A directory of the file system.
#[derive(Clone, Debug)]
pub struct FileStorage {
    dir: PathBuf,
}

impl FileStorage {
    /// The directory at `dir`, which need not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Makes the directory, and makes its name and those of new parents durable.
    fn make(&self) -> io::Result<()> {
        let missing: Vec<&Path> = self.dir.ancestors().take_while(|dir| !dir.exists()).collect();
        fs::create_dir_all(&self.dir)?;
        for made in missing {
            if let Some(parent) = made.parent() {
                let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct FileLock(#[expect(dead_code, reason = "the lock lives as long as the open file")] File);

impl StorageLock for FileLock {}

impl Storage for FileStorage {
    fn describe(&self) -> String {
        self.dir.display().to_string()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        self.make()?;
        let path = self.dir.join(crate::format::LOCK_FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(FileLock(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        let path = self.dir.join(name);
        let file = match mode {
            OpenMode::Read => File::open(path)?,
            OpenMode::Write => OpenOptions::new().read(true).write(true).open(path)?,
            OpenMode::Create => {
                OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?
            }
        };
        Ok(Arc::new(OpenedFile(file)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}

#[derive(Debug)]
struct OpenedFile(File);

impl StorageFile for OpenedFile {
    #[cfg(unix)]
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.0, into, offset)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.0, into, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            let at = offset + written as u64;
            match std::os::windows::fs::FileExt::seek_write(&self.0, &bytes[written..], at)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                more => written += more,
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|data| data.len())
    }
}
