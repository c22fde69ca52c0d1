//! How opening says no. Appends and reads answer in the words of the store port.

use factum_store::{ErrorKind, StoreError};
use std::{io, sync::Arc};

/// Where stored bytes are not what was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{segment} is damaged at byte {offset}: {reason}")]
pub struct Damage {
    /// The file.
    pub segment: String,
    /// Where in it the damage begins, in bytes.
    pub offset: u64,
    /// What is wrong there.
    pub reason: String,
}

/// An index file that is not what its log says. The log is whole without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the index file {file} is not right: {reason}")]
pub struct IndexDamage {
    /// The file.
    pub file: String,
    /// What is wrong with it, and where, as far as one place is to blame.
    pub reason: String,
}

/// Why a log was not opened.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another writer has the directory.
    #[error("the log in {dir} is open for writing elsewhere: close that one first, or read beside it")]
    Locked {
        /// The directory.
        dir: String,
    },
    /// Acknowledged data is not there as it was written. Nothing was changed.
    #[error(
        "the log in {dir} is damaged: {segment} at byte {offset}: {reason}. Restore it from a backup, or open it \
         read-only for the commits before the damage"
    )]
    Damaged {
        /// The directory.
        dir: String,
        /// The file.
        segment: String,
        /// Where in it the damage begins, in bytes.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The directory is on a network file system, and the options do not allow that. Nothing was changed.
    #[error(
        "the log in {dir} would stand on {file_system}, over a network, where neither a lock nor a sync can be relied \
         on: move it to a disk of this machine, or allow it with `Options::network_file_systems`"
    )]
    Network {
        /// The directory.
        dir: String,
        /// What the system calls the file system.
        file_system: String,
    },
    /// What was asked of the log cannot be.
    #[error("cannot open a log so: {what}")]
    Options {
        /// What is wrong.
        what: String,
    },
    /// The file system refused something.
    #[error("cannot {what} of the log in {dir}: {cause}{}", advice(cause))]
    Io {
        /// The directory.
        dir: String,
        /// What was done.
        what: String,
        /// What the file system said.
        #[source]
        cause: Arc<io::Error>,
    },
}

impl OpenError {
    pub(crate) fn damaged(dir: String, damage: Damage) -> Self {
        let Damage { segment, offset, reason } = damage;
        Self::Damaged { dir, segment, offset, reason }
    }

    pub(crate) fn io(dir: &str, what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { dir: dir.to_owned(), what: what.into(), cause: Arc::new(cause) }
    }

    /// What to do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Locked { .. } | Self::Io { .. } => ErrorKind::Retry,
            Self::Damaged { .. } => ErrorKind::RepairData,
            Self::Options { .. } | Self::Network { .. } => ErrorKind::FixInput,
        }
    }
}

/// Whether there is no room left for what was to be written.
pub(crate) fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn advice(error: &io::Error) -> &'static str {
    if is_no_room(error) { ": make room first" } else { "" }
}

/// A read met bytes that are not what was written.
pub(crate) fn damaged_read(damage: &Damage) -> StoreError {
    let what = format!("cannot read the log: {damage}. Verify it, and restore it from a backup");
    StoreError::new(ErrorKind::RepairData, what)
}

/// A read failed in the file system.
pub(crate) fn failed_read(segment: &str, error: &io::Error) -> StoreError {
    StoreError::new(ErrorKind::Retry, format!("cannot read segment {segment}: {error}"))
}
