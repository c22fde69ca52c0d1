//! What goes wrong on the simulated disk, and when.

use crate::support::Rng;
use std::io;

/// What a program asks of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    Read,
    Write,
    Sync,
    SetLen,
    Create,
    Rename,
    Remove,
    SyncDir,
    /// Whether an open file still has a name; a fault answers no.
    IsLinked,
    /// Whether the directory stands where it did; a fault answers no.
    IsInPlace,
}

/// An operation that will fail.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) operation: Operation,
    /// On files whose name ends so.
    pub(crate) name: &'static str,
    /// After so many that do not fail.
    pub(crate) after: usize,
    /// How often it fails.
    pub(crate) times: usize,
    pub(crate) error: io::ErrorKind,
    /// Of a write, how many bytes still reach the file.
    pub(crate) written: usize,
    /// Of a sync, whether the data that it did not make durable is taken for clean: as Linux does it, a
    /// second sync then succeeds and makes nothing of it durable.
    pub(crate) drops: bool,
}

impl Fault {
    /// On any file, the next time and from then on, with an error that no one can do anything about.
    pub(crate) const fn always(operation: Operation) -> Self {
        let error = io::ErrorKind::Other;
        Self { operation, name: "", after: 0, times: usize::MAX, error, written: 0, drops: true }
    }

    /// The next time, and then not again.
    pub(crate) const fn once(operation: Operation) -> Self {
        Self { times: 1, ..Self::always(operation) }
    }
}

/// What a crash takes.
#[derive(Clone, Debug)]
pub(crate) enum Crash {
    /// The process dies; the page cache lives.
    Process,
    /// Nothing unsynced survives.
    Power,
    /// Any part of what is unsynced survives, sectors in any order, some of them torn.
    PowerAnyOrder(Rng),
}

/// On which side of an operation a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}
