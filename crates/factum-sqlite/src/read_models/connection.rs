//! A connection to the file of a build: how it is opened, and who it works for.

use super::authority::{Authority, Borrowed, Who};
use crate::database::BUSY;
use rusqlite::{CachedStatement, Connection, Error, InterruptHandle, OpenFlags, config::DbConfig};
use std::{fmt, path::Path, time::Duration};

/// What all cached statements of ours begin with, so that no statement of a projection is taken for one: who may
/// do what is asked when a statement is prepared, not when a cached one is found again.
pub(super) const OURS: &str = "/*factum*/";

/// So many prepared statements are kept on one connection.
const STATEMENTS_MAX: usize = 128;
/// So much of a file a writing connection keeps in memory, in KiB.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// The file of changes is cut back to this, in bytes, once nobody reads in it.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// So many pages of changes are moved into the file at a time: a page that changes often is moved once.
const WAL_PAGES: i64 = 4096;

/// How much is done for what is written to outlast a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Synchronous {
    /// A commit is whole or not there.
    Normal,
    /// A commit is there.
    Full,
    /// Nothing.
    Off,
}

impl Synchronous {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Full => "full",
            Self::Off => "off",
        }
    }
}

/// A connection.
pub(super) struct Conn {
    connection: Connection,
    authority: Authority,
}

impl fmt::Debug for Conn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Conn")
    }
}

impl Conn {
    /// To write. The file is made if `make` says so.
    pub(super) fn writer(path: &Path, synchronous: Synchronous, make: bool) -> Result<Self, Error> {
        let make = if make { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | make;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", synchronous.name())?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        connection.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Self::over(connection)
    }

    /// To read, in a file that is there.
    pub(super) fn reader(path: &Path) -> Result<Self, Error> {
        // A reader of a file in WAL mode writes to the shared memory beside it.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "query_only", true)?;
        Self::over(connection)
    }

    fn over(mut connection: Connection) -> Result<Self, Error> {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // A name in quotes is a name: that of no column is not taken for a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        let authority = Authority::over(&mut connection)?;
        Ok(Self { connection, authority })
    }

    /// Works for `who` until what is given back is dropped.
    pub(super) fn works_for(&self, who: Who) -> Borrowed<'_> {
        self.authority.of(who)
    }

    /// A statement of ours.
    pub(super) fn ours(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        debug_assert!(sql.starts_with(OURS), "`{sql}` is a statement of ours");
        self.connection.prepare_cached(sql)
    }

    /// A statement of a projection or a query.
    pub(super) fn prepare_cached(&self, sql: &str) -> Result<CachedStatement<'_>, Error> {
        self.connection.prepare_cached(sql)
    }

    /// Carries out statements that are not kept for another time.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Error> {
        self.connection.execute_batch(sql)
    }

    /// Begins to write. Waits so long at the most while another process does.
    pub(super) fn begin(&self, wait: Duration) -> Result<(), Error> {
        self.connection.busy_timeout(wait)?;
        let begun = self.ours("/*factum*/ begin immediate").and_then(|mut begin| begin.execute([]));
        self.connection.busy_timeout(BUSY)?;
        begun.map(drop)
    }

    pub(super) fn commit(&self) -> Result<(), Error> {
        self.ours("/*factum*/ commit")?.execute([]).map(drop)
    }

    /// Nothing of what was begun is kept. Nothing happens if nothing was.
    pub(super) fn roll_back(&self) -> Result<(), Error> {
        if self.is_writing() { self.ours("/*factum*/ rollback")?.execute([]).map(drop) } else { Ok(()) }
    }

    /// Whether a transaction is under way. Some failures end one.
    pub(super) fn is_writing(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// What ends a statement from another thread.
    pub(super) fn interrupt_handle(&self) -> InterruptHandle {
        self.connection.get_interrupt_handle()
    }

    pub(super) fn total_changes(&self) -> u64 {
        self.connection.total_changes()
    }

    /// Reads of one moment.
    pub(super) fn at_one_moment<T>(&self, read: impl FnOnce(&Self) -> T) -> Result<T, Error> {
        self.ours("/*factum*/ begin")?.execute([])?;
        let read = read(self);
        self.roll_back()?;
        Ok(read)
    }
}
