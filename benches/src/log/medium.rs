//! The medium that is measured: where the files are, what they take, and how it is brought to rest. Only ever
//! removes what it made.

use crate::Failure;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// Emptying the page cache is asked for here.
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";
/// Page cache, directory entries and inodes.
const DROP_ALL: &str = "3";
/// File systems that keep nothing: a sync of theirs does nothing.
const IN_MEMORY: &[&str] = &["tmpfs", "ramfs"];
/// Unit of [`MetadataExt::blocks`], in bytes.
const BLOCK_BYTES: u64 = 512;

/// The folder that this program was built into, which is on the disk that one works on.
pub(crate) fn default_dir() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).filter(|dir| dir.is_dir()).map_or_else(std::env::temp_dir, Path::to_path_buf)
}

/// A folder for the runs; it is removed in the end.
#[derive(Debug)]
pub(crate) struct Medium {
    dir: TempDir,
    pause: Duration,
    /// The file system and how it is mounted.
    pub(crate) described: String,
}

impl Medium {
    /// In `dir`. A file system in memory is refused, unless only the work itself is tested.
    pub(crate) fn new(dir: &Path, pause: Duration, memory_will_do: bool) -> Result<Self, Failure> {
        let (name, options) = file_system(dir)?;
        if IN_MEMORY.contains(&&*name) && !memory_will_do {
            return Err(format!(
                "{} is on {name}, where a sync does nothing: name a folder on a disk with --dir",
                dir.display()
            )
            .into());
        }
        let dir = tempfile::Builder::new().prefix("factum-bench-").tempdir_in(dir)?;
        Ok(Self { dir, pause, described: format!("{name} ({options})") })
    }

    /// A new folder.
    pub(crate) fn make(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.dir.path().join(name);
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Removes a folder, and waits, unless no time is to be measured: a medium that discards what was deleted
    /// stalls what comes next.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Failure> {
        fs::remove_dir_all(path)?;
        if !self.pause.is_zero() {
            rustix::fs::sync();
            thread::sleep(self.pause);
        }
        Ok(())
    }
}

/// Bytes that the files below `dir` take of the medium, with what was given to them ahead.
pub(crate) fn allocated(dir: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { allocated(&entry.path())? } else { metadata.blocks() * BLOCK_BYTES };
    }
    Ok(bytes)
}

/// Why the page cache cannot be emptied here, if it cannot.
pub(crate) fn keeps_caches() -> Option<String> {
    let opened = fs::OpenOptions::new().write(true).open(DROP_CACHES);
    opened.err().map(|error| format!("{DROP_CACHES} cannot be written ({error}); run as root on Linux"))
}

/// Empties the page cache of the whole machine, after all of it was written.
pub(crate) fn drop_caches() -> Result<(), Failure> {
    rustix::fs::sync();
    fs::write(DROP_CACHES, DROP_ALL).map_err(|error| format!("cannot write {DROP_CACHES}: {error}").into())
}

/// Name and mount options of the file system that `dir` is on.
fn file_system(dir: &Path) -> Result<(String, String), Failure> {
    let dir = dir.canonicalize().map_err(|error| format!("cannot use {}: {error}", dir.display()))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    Ok(mounted(&mounts, &dir).unwrap_or_else(|| ("unknown".to_owned(), "unknown".to_owned())))
}

/// The last of the mounts whose place is the longest that `dir` is in.
fn mounted(mounts: &str, dir: &Path) -> Option<(String, String)> {
    let mounts = mounts.lines().filter_map(|line| {
        let (mount, system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(4);
        let (place, options) = (fields.next()?, fields.next()?);
        let mut system = system.split(' ');
        let (name, of_all) = (system.next()?, system.nth(1)?);
        let described = (name.to_owned(), format!("{options}; {of_all}"));
        dir.starts_with(place).then_some((place.len(), described))
    });
    mounts.max_by_key(|(length, _)| *length).map(|(_, described)| described)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
23 22 0:20 / /run rw,nosuid - tmpfs tmpfs rw,size=4k
24 22 254:1 / /run/data rw,noatime shared:1 - xfs /dev/vdb rw,attr2
";

    #[test]
    fn a_folder_is_on_the_innermost_mount() {
        let of = |dir: &str| mounted(MOUNTS, Path::new(dir)).unwrap();
        assert_eq!(of("/work/target"), ("ext4".to_owned(), "rw,relatime; rw,discard".to_owned()));
        assert_eq!(of("/run/data/target").0, "xfs");
        assert_eq!(of("/running").0, "ext4");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_refused() {
        let refused = Medium::new(Path::new("/dev/shm"), Duration::ZERO, false);
        assert!(refused.is_err_and(|error| error.to_string().contains("tmpfs")));
    }

    #[test]
    fn what_files_take_is_summed_over_folders() {
        let dir = tempfile::tempdir_in(default_dir()).unwrap();
        fs::create_dir(dir.path().join("below")).unwrap();
        for name in ["one", "below/two"] {
            fs::write(dir.path().join(name), [1; 100_000]).unwrap();
            fs::File::open(dir.path().join(name)).unwrap().sync_all().unwrap();
        }
        let bytes = allocated(dir.path()).unwrap();
        assert!((200_000..400_000).contains(&bytes), "{bytes}");
    }
}
