//! A directory of the file system as the engine's storage: its locks, its names, its files.

use super::{Medium, OpenMode, Storage, StorageFile, StorageLock, medium, of_file, shared};
use crate::{
    format::LOCK_FILE,
    map::{FileMap, HeldMap, copy_of},
};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A directory of the file system.
///
/// On 64-bit Unix systems what was published is read from maps of its files. Whoever cuts a file of an open log
/// below that, and a medium that cannot give back what it took, end the process (SIGBUS) instead of failing a
/// read. Opening, inspecting and verifying a log read its frames instead.
#[derive(Clone, Debug)]
pub struct FileStorage {
    dir: PathBuf,
}

impl FileStorage {
    /// The directory at `dir`, which need not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Makes the directory, then syncs every directory above it, whoever made those and when: what is
    /// acknowledged must not vanish with a name on the way to it. One that may not be read is passed over, for
    /// who may not read it did not make what is in it.
    fn make(&self, sync: &dyn Fn(&Path) -> io::Result<()>) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        for dir in above(&self.dir)? {
            match sync(&dir) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced.map_err(of_file(&dir.display().to_string()))?,
            }
        }
        Ok(())
    }
}

/// The directories above `dir`, nearest first: as it is named, and, where links lead elsewhere, as it stands.
fn above(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut above = Vec::new();
    for path in [std::path::absolute(dir)?, fs::canonicalize(dir)?] {
        for ancestor in path.ancestors().skip(1) {
            if !above.iter().any(|known| known == ancestor) {
                above.push(ancestor.to_owned());
            }
        }
    }
    Ok(above)
}

#[cfg(not(windows))]
fn sync_names(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Windows opens no directory as a file, and has no call that would sync one. NTFS writes changes of names to its
/// own journal in the order in which they were made, and the sync of a file takes those before it along.
#[cfg(windows)]
fn sync_names(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Two locks: on the file `lock`, which any system can lock, and on the directory itself, which nobody removes
/// and makes anew beside its files.
#[derive(Debug)]
struct FileLock {
    file: File,
    #[cfg(unix)]
    dir: File,
    #[cfg(unix)]
    path: PathBuf,
}

impl Drop for FileLock {
    /// Not left to the closing of the files: a child process that was forked a moment ago has them open too,
    /// until it runs its program.
    fn drop(&mut self) {
        let _ = self.file.unlock();
        #[cfg(unix)]
        let _ = self.dir.unlock();
    }
}

impl StorageLock for FileLock {
    #[cfg(unix)]
    fn is_in_place(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let there = match fs::metadata(&self.path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        let locked = self.dir.metadata()?;
        Ok((there.dev(), there.ino()) == (locked.dev(), locked.ino()))
    }
}

impl Storage for FileStorage {
    fn describe(&self) -> String {
        self.dir.display().to_string()
    }

    fn medium(&self) -> io::Result<Medium> {
        medium::of(&self.dir)
    }

    fn lock(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        self.make(&sync_names)?;
        let path = self.dir.join(LOCK_FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(of_file(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(of_file(LOCK_FILE)(error)),
        }
        #[cfg(unix)]
        let dir = File::open(&self.dir)?;
        // A network file system may lock files only; there the file has to do.
        #[cfg(unix)]
        if let Err(TryLockError::WouldBlock) = dir.try_lock() {
            return Ok(None);
        }
        Ok(Some(Box::new(FileLock {
            file,
            #[cfg(unix)]
            dir,
            #[cfg(unix)]
            path: std::path::absolute(&self.dir)?,
        })))
    }

    fn lock_shared(&self) -> io::Result<Option<Box<dyn StorageLock>>> {
        shared::lock_shared(&self.dir)
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
        Ok(Arc::new(OpenedFile(file, HeldMap::default())))
    }

    #[cfg(target_os = "linux")]
    fn reserve(&self, name: &str) -> io::Result<Option<Arc<dyn StorageFile>>> {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::DIRECT.bits().cast_signed();
        let path = self.dir.join(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).custom_flags(flags).open(path);
        match file {
            Ok(file) => Ok(Some(Arc::new(OpenedFile(file, HeldMap::default())))),
            // A file system that knows no way past the page cache.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        sync_names(&self.dir)
    }
}

#[derive(Debug)]
struct OpenedFile(File, HeldMap);

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

    /// Asks for nothing but the length, as [`Self::is_linked`] does for its number.
    #[cfg(target_os = "linux")]
    fn len(&self) -> io::Result<u64> {
        use rustix::fs::{AtFlags, StatxFlags, statx};
        Ok(statx(&self.0, "", AtFlags::EMPTY_PATH, StatxFlags::SIZE)?.stx_size)
    }

    #[cfg(not(target_os = "linux"))]
    fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|data| data.len())
    }

    fn maps_in_place(&self) -> bool {
        HeldMap::IN_PLACE
    }

    fn map(&self, bytes: u64) -> io::Result<Arc<dyn FileMap>> {
        if HeldMap::IN_PLACE { self.1.get(&self.0, bytes, || self.len()) } else { copy_of(self, bytes) }
    }

    /// Asks for nothing but the number of names: who asks for times makes newer kernels store a new time
    /// at every write, and the next sync write the inode too.
    #[cfg(target_os = "linux")]
    fn is_linked(&self) -> io::Result<bool> {
        use rustix::fs::{AtFlags, StatxFlags, statx};
        Ok(statx(&self.0, "", AtFlags::EMPTY_PATH, StatxFlags::NLINK)?.stx_nlink > 0)
    }

    #[cfg(all(unix, not(target_os = "linux")))]
    fn is_linked(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        self.0.metadata().map(|data| data.nlink() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn every_directory_above_is_synced_also_when_nothing_was_missing() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data/calculator/events");
        for _ in 0..2 {
            let synced = RefCell::new(Vec::new());
            let note = |dir: &Path| {
                synced.borrow_mut().push(dir.to_owned());
                Ok(())
            };
            FileStorage::new(&dir).make(&note).unwrap();
            let above: Vec<_> = dir.ancestors().skip(1).map(Path::to_owned).collect();
            assert!(synced.into_inner().starts_with(&above));
        }
    }

    #[test]
    fn a_relative_directory_is_followed_up_to_the_root() {
        let here = std::path::absolute(".").unwrap();
        let above = above(Path::new("src")).unwrap();
        assert!(here.ancestors().all(|dir| above.iter().any(|known| known == dir)), "{above:?}");
    }

    #[cfg(unix)]
    #[test]
    fn behind_a_link_the_directories_of_the_name_and_of_the_place_are_synced() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("disk/place")).unwrap();
        fs::create_dir_all(root.join("app")).unwrap();
        std::os::unix::fs::symlink(root.join("disk/place"), root.join("app/events")).unwrap();
        let above = above(&root.join("app/events")).unwrap();
        for dir in ["app", "disk", ""] {
            assert!(above.iter().any(|known| *known == root.join(dir)), "{dir}: {above:?}");
        }
    }

    #[test]
    fn only_a_directory_that_may_not_be_read_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let storage = FileStorage::new(dir.path());
        storage.make(&|_| Err(io::ErrorKind::PermissionDenied.into())).unwrap();
        let refused = storage.make(&|_| Err(io::ErrorKind::Other.into())).unwrap_err();
        let parent = dir.path().parent().unwrap().display().to_string();
        assert!(refused.to_string().contains(&parent), "{refused}");
    }
}
