//! A directory in memory that never fails.

use factum_log::{OpenMode, Storage, StorageFile, StorageLock};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Bytes = Arc<Mutex<Vec<u8>>>;

/// The directory. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<BTreeMap<String, Bytes>>>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    pub(crate) fn put(&self, name: &str, bytes: Vec<u8>) {
        locked(&self.0).insert(name.to_owned(), Arc::new(Mutex::new(bytes)));
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        locked(&self.0).get(name).map(|bytes| locked(bytes).clone()).unwrap_or_default()
    }

    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        locked(&self.0).iter().map(|(name, bytes)| (name.clone(), locked(bytes).clone())).collect()
    }

    /// As [`Self::files`], without those that were not there before.
    pub(crate) fn files_but_new(&self, before: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
        self.files().into_iter().filter(|(name, _)| before.contains_key(name)).collect()
    }

    fn file(&self, name: &str) -> io::Result<Bytes> {
        locked(&self.0).get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[derive(Debug)]
struct Unlocked;

impl StorageLock for Unlocked {}

#[derive(Debug)]
struct MemoryFile(Bytes);

impl Storage for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        Ok(Some(Box::new(Unlocked)))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(locked(&self.0).keys().cloned().collect())
    }

    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn StorageFile>> {
        if mode == OpenMode::Create {
            self.put(name, Vec::new());
        }
        Ok(Arc::new(MemoryFile(self.file(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file = locked(&self.0).remove(from).ok_or(io::ErrorKind::NotFound)?;
        locked(&self.0).insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        locked(&self.0).remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(())
    }
}

impl StorageFile for MemoryFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let bytes = locked(&self.0);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let length = into.len().min(bytes.len() - from);
        into[..length].copy_from_slice(&bytes[from..from + length]);
        Ok(length)
    }

    fn write_at(&self, from: &[u8], offset: u64) -> io::Result<()> {
        let mut bytes = locked(&self.0);
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let end = offset.checked_add(from.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[offset..end].copy_from_slice(from);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        locked(&self.0).resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(locked(&self.0).len() as u64)
    }
}
