//! Where the file of a build is, and whether it still is there.

use super::{connection::Synchronous, failure::About};
use crate::database;
use factum_store::{Build, ErrorKind, StoreError};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use tempfile::TempDir;

/// What the file of a build ends with.
const ENDING: &str = ".sqlite";

/// The file of a build.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) build: Build,
    pub(super) file: PathBuf,
    pub(super) synchronous: Synchronous,
    removed: AtomicBool,
    /// Which file it was when it was opened.
    opened: OnceLock<Option<Identity>>,
    /// Lasts as long as what is in it.
    _temporary: Option<Arc<TempDir>>,
}

impl Place {
    pub(super) fn new(
        build: &Build,
        dir: &Path,
        synchronous: Synchronous,
        temporary: Option<Arc<TempDir>>,
    ) -> Result<Self, StoreError> {
        let file = dir.join(file_name(build)?);
        let (removed, opened) = (AtomicBool::new(false), OnceLock::new());
        Ok(Self { build: build.clone(), file, synchronous, removed, opened, _temporary: temporary })
    }

    pub(super) fn about(&self) -> About<'_> {
        About { build: &self.build, file: &self.file }
    }

    /// The file that is there now is this build's.
    pub(super) fn is_opened(&self) {
        self.opened.get_or_init(|| identity(&self.file));
    }

    /// The file is, or will be, another's.
    pub(super) fn is_given_up(&self) {
        self.removed.store(true, Ordering::Release);
    }

    /// Whether the file is there and this build's. A file that was taken away can still be read in by who has it
    /// open; what is written to it is lost.
    pub(super) fn is_there(&self) -> bool {
        let found = identity(&self.file);
        let is_this = self.opened.get().is_none_or(|opened| *opened == found);
        if !self.removed.load(Ordering::Acquire) && found.is_some() && is_this {
            return true;
        }
        self.is_given_up();
        false
    }

    /// Refused, if what is written would be lost.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.is_there() {
            return Ok(());
        }
        let what = format!(
            "write build {}: its file {} was taken away: open it again",
            self.build,
            self.file.display()
        );
        Err(StoreError::new(ErrorKind::Reopen, what))
    }

    /// Takes the files away.
    pub(super) fn remove(&self) -> Result<(), StoreError> {
        // The changes beside a file that is not there are of no account to SQLite, the other way round they are.
        for file in database::files(&self.file) {
            match fs::remove_file(&file) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    let what = format!("remove build {}: {}: {cause}", self.build, file.display());
                    return Err(StoreError::new(ErrorKind::Retry, what));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Which file of the file system it is: one of the same name that was made since is another.
type Identity = (u64, u64);

/// None if there is no such file.
fn identity(file: &Path) -> Option<Identity> {
    let found = fs::metadata(file).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        // There a file that is open cannot be taken away.
        Some((0, found.is_file().into()))
    }
}

/// A projection's name becomes a part of file names, so that it is looked at here as well.
fn file_name(build: &Build) -> Result<String, StoreError> {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if build.projection.is_empty() || !build.projection.bytes().all(letter) {
        let what = format!(
            "keep build {build}: a projection's name is made of small letters, digits and `-`: name it so"
        );
        return Err(StoreError::new(ErrorKind::FixInput, what));
    }
    Ok(format!("{build}{ENDING}"))
}

/// The build of this projection that a file of this name is for.
pub(super) fn build_of(name: &str, projection: &str) -> Option<Build> {
    let numbers = name.strip_suffix(ENDING)?.strip_prefix(projection)?.strip_prefix('.')?;
    let (version, number) = numbers.split_once('.')?;
    let build =
        Build { projection: projection.into(), version: version.parse().ok()?, number: number.parse().ok()? };
    // `+1` and `01` are numbers too, but not in names that are given here.
    (build.to_string() == name.strip_suffix(ENDING)?).then_some(build)
}
