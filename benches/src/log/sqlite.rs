//! SQLite as an event store: one table of events with an index over streams, one of tags, WAL with
//! `synchronous=FULL`, prepared statements, and one connection that the threads take in turn. A connection for
//! each thread was slower: a writer that meets another one sleeps before it tries again.
//!
//! It verifies no checksum of what it reads, and has no API that waits without a thread.

use super::{
    engine::{Conditional, Engine},
    events::{Account, Digest, EVENT_TYPE, Event},
    work::Durability,
};
use crate::Failure;
use rusqlite::{CachedStatement, Connection, Params, Transaction, TransactionBehavior, params};
use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Positions without gaps: rows are never deleted, so the next one is the largest plus one.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS events (
        position INTEGER PRIMARY KEY,
        stream TEXT NOT NULL,
        type TEXT NOT NULL,
        tags TEXT NOT NULL,
        payload BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS events_by_stream ON events (stream);
    CREATE TABLE IF NOT EXISTS tags (
        tag TEXT NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (tag, position)
    ) STRICT, WITHOUT ROWID;
";
/// 64 MiB of pages in its own cache, and maps of up to 2 GiB, which is the most it takes.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
    PRAGMA mmap_size = 2147418112;
    PRAGMA temp_store = MEMORY;
";

#[derive(Debug)]
pub(crate) struct Sqlite(Mutex<Connection>);

impl Sqlite {
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn store(transaction: &Transaction<'_>, events: &[Event<'_>]) -> Result<u64, Failure> {
    let mut event_row = transaction
        .prepare_cached("INSERT INTO events (stream, type, tags, payload) VALUES (?1, ?2, ?3, ?4)")?;
    let mut tag_row = transaction.prepare_cached("INSERT INTO tags (tag, position) VALUES (?1, ?2)")?;
    let mut position = 0;
    for Event { account, payload } in events {
        position = event_row.insert(params![account.stream, EVENT_TYPE, account.tag, payload])?;
        tag_row.execute(params![account.tag, position])?;
    }
    Ok(u64::try_from(position)?)
}

/// Takes in the payload of each row, which is the fourth column.
fn take(mut rows: CachedStatement<'_>, of: impl Params, read: &mut Digest) -> Result<(), Failure> {
    let mut rows = rows.query(of)?;
    while let Some(row) = rows.next()? {
        read.take(row.get_ref(3)?.as_blob()?);
    }
    Ok(())
}

impl Engine for Sqlite {
    /// Built without `HAVE_FDATASYNC`, as `libsqlite3-sys` builds it, its `full_fsync` calls `fsync`.
    const DURABILITY: Durability = Durability::Fsync;

    fn open(dir: &Path) -> Result<Self, Failure> {
        let connection = Connection::open(dir.join("events.sqlite"))?;
        connection.execute_batch(SETTINGS)?;
        connection.execute_batch(TABLES)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn append(&self, events: Vec<Event<'_>>) -> Result<(), Failure> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        store(&transaction, &events)?;
        Ok(transaction.commit()?)
    }

    fn replay(&self, read: &mut Digest) -> Result<(), Failure> {
        let connection = self.connection();
        let rows = connection
            .prepare_cached("SELECT stream, type, tags, payload, position FROM events ORDER BY position")?;
        take(rows, [], read)
    }

    fn close(self) -> Result<(), Failure> {
        let connection = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        connection.close().map_err(|(_, error)| error.into())
    }
}

impl Conditional for Sqlite {
    fn append_next(&self, event: Event<'_>, after: u64) -> Result<u64, Failure> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let conflict: bool = transaction
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM tags WHERE tag = ?1 AND position > ?2)")?
            .query_row(params![event.account.tag, i64::try_from(after)?], |row| row.get(0))?;
        if conflict {
            return Err(format!("{} has events after {after}", event.account.tag).into());
        }
        let position = store(&transaction, &[event])?;
        transaction.commit()?;
        Ok(position)
    }

    fn stream(&self, account: &Account, read: &mut Digest) -> Result<(), Failure> {
        let connection = self.connection();
        let rows = connection.prepare_cached(
            "SELECT stream, type, tags, payload, position FROM events WHERE stream = ?1 ORDER BY position",
        )?;
        take(rows, [&account.stream], read)
    }
}
