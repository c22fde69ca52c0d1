//! The folder of a log: what is in it, and a copy of it as a kill leaves it.

use crate::Failure;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Unit of [`MetadataExt::blocks`], in bytes.
const BLOCK_BYTES: u64 = 512;

/// Where a log is: in `events` below it, as [`crate::log::factum::Factum`] opens it.
#[derive(Clone, Debug)]
pub(crate) struct Home(pub(crate) PathBuf);

/// What the files of a log take of the medium.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Files {
    pub(crate) segments: u64,
    pub(crate) segment_bytes: u64,
    pub(crate) indexes: u64,
    pub(crate) index_bytes: u64,
}

impl Home {
    fn events(&self) -> PathBuf {
        self.0.join("events")
    }

    /// Its segments, in order.
    pub(crate) fn segments(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut segments = self.list()?;
        segments.retain(|path| ends_with(path, "seg"));
        segments.sort();
        Ok(segments)
    }

    /// Whether an index file is being made.
    pub(crate) fn is_under_way(&self) -> Result<bool, Failure> {
        Ok(self.list()?.iter().any(|path| path.to_string_lossy().ends_with(".idx.next")))
    }

    pub(crate) fn files(&self) -> Result<Files, Failure> {
        let mut files = Files::default();
        for path in self.list()? {
            let bytes = fs::metadata(&path)?.blocks() * BLOCK_BYTES;
            if ends_with(&path, "seg") {
                files.segments += 1;
                files.segment_bytes += bytes;
            } else if ends_with(&path, "idx") {
                files.indexes += 1;
                files.index_bytes += bytes;
            }
        }
        Ok(files)
    }

    /// What a kill at this moment would leave, in `to`: files that nobody writes to any more are shared, by links, the
    /// others are copied. All that ended is to be sealed.
    pub(crate) fn as_killed(&self, to: PathBuf) -> Result<Self, Failure> {
        let copy = Self(to);
        fs::create_dir_all(copy.events())?;
        let last = self.segments()?.pop();
        for path in self.list()? {
            let target = copy.events().join(path.file_name().ok_or("a file without a name")?);
            let is_final = ends_with(&path, "idx") || ends_with(&path, "seg") && last.as_ref() != Some(&path);
            if is_final {
                fs::hard_link(&path, &target)?;
            } else {
                fs::copy(&path, &target)?;
            }
        }
        Ok(copy)
    }

    fn list(&self) -> Result<Vec<PathBuf>, Failure> {
        Ok(fs::read_dir(self.events())?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?)
    }
}

fn ends_with(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
