//! What is measured, of whom, and which of the two go together. Names here are those of the rows.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Work {
    /// One writer, one event in a commit.
    #[value(name = "append-1")]
    #[serde(rename = "append-1")]
    Append1,
    /// One writer, 100 events in a commit.
    #[value(name = "append-100")]
    #[serde(rename = "append-100")]
    Append100,
    /// One writer, 1000 events in a commit.
    #[value(name = "append-1000")]
    #[serde(rename = "append-1000")]
    Append1000,
    /// 64 tasks of an async runtime, each appending one event at a time under a condition.
    #[value(name = "writers-64")]
    #[serde(rename = "writers-64")]
    Writers64,
    /// The same with 256.
    #[value(name = "writers-256")]
    #[serde(rename = "writers-256")]
    Writers256,
    /// 64 threads, each appending one event at a time under a condition.
    #[value(name = "threads-64")]
    #[serde(rename = "threads-64")]
    Threads64,
    /// The same with 256.
    #[value(name = "threads-256")]
    #[serde(rename = "threads-256")]
    Threads256,
    /// All events in order, from files that are in the page cache.
    #[value(name = "replay")]
    #[serde(rename = "replay")]
    Replay,
    /// One stream after the other, scattered over the log, from files that are in the page cache.
    #[value(name = "streams")]
    #[serde(rename = "streams")]
    Streams,
    /// The same with few streams and an empty page cache.
    #[value(name = "cold-select")]
    #[serde(rename = "cold-select")]
    ColdSelect,
}

/// How a work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One writer; so many events in a commit.
    Append(usize),
    /// So many tasks.
    Writers(usize),
    /// So many threads.
    Threads(usize),
    Replay,
    Streams,
    ColdSelect,
}

impl Work {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Append1 => Kind::Append(1),
            Self::Append100 => Kind::Append(100),
            Self::Append1000 => Kind::Append(1000),
            Self::Writers64 => Kind::Writers(64),
            Self::Writers256 => Kind::Writers(256),
            Self::Threads64 => Kind::Threads(64),
            Self::Threads256 => Kind::Threads(256),
            Self::Replay => Kind::Replay,
            Self::Streams => Kind::Streams,
            Self::ColdSelect => Kind::ColdSelect,
        }
    }

    /// Whether it reads a log that was filled before.
    pub(crate) fn reads(self) -> bool {
        matches!(self.kind(), Kind::Replay | Kind::Streams | Kind::ColdSelect)
    }

    /// Whether there is such a row. A file without an index has neither conditions nor streams, and SQLite has
    /// no async API.
    pub(crate) fn is_done_by(self, system: System) -> bool {
        match (self.kind(), system) {
            (Kind::Append(_) | Kind::Replay, _) => true,
            (_, System::Raw) | (Kind::Writers(_), System::Sqlite) => false,
            _ => true,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum System {
    /// A file that grows: what any log has to do at least.
    Raw,
    Factum,
    Tephra,
    Umadb,
    Sqlite,
}

impl System {
    /// Whether it is one of those that Factum is held against.
    pub(crate) fn is_peer(self) -> bool {
        !matches!(self, Self::Raw | Self::Factum)
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// The call that makes an append durable before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    Fdatasync,
    Fsync,
}
