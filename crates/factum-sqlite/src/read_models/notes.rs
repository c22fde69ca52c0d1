//! What is noted of projections: one file for all of them, each note on stable storage before it is done.

use super::connection::Synchronous;
use crate::database::{self, BUSY};
use factum_store::{ErrorKind, StoreError};
use rusqlite::{Connection, Error, OpenFlags, OptionalExtension};
use std::path::{Path, PathBuf};

/// The name of the file.
const FILE: &str = "projections.sqlite";
const LAYOUT: i64 = 1;
const SCHEMA: &str =
    "create table projections (name text primary key not null, notes blob not null) strict, without rowid";

/// The file of notes, opened for each of them: they are few, and the file may be another by the next one.
#[derive(Debug)]
pub(super) struct Notes {
    file: PathBuf,
    synchronous: Synchronous,
}

impl Notes {
    pub(super) fn in_dir(dir: &Path, synchronous: Synchronous) -> Self {
        Self { file: dir.join(FILE), synchronous }
    }

    pub(super) fn get(&self, projection: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.file.exists() {
            return Ok(None);
        }
        self.with(projection, |connection| {
            let mut get = connection.prepare("select notes from projections where name = ?1")?;
            get.query_row([projection], |row| row.get(0)).optional()
        })
    }

    /// Of every projection, by its name.
    pub(super) fn all(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        if !self.file.exists() {
            return Ok(Vec::new());
        }
        self.with("any projection", |connection| {
            let mut all = connection.prepare("select name, notes from projections order by name")?;
            all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    pub(super) fn put(&self, projection: &str, notes: &[u8]) -> Result<(), StoreError> {
        self.with(projection, |connection| {
            let mut put = connection.prepare("insert or replace into projections values (?1, ?2)")?;
            put.execute((projection, notes)).map(drop)
        })
    }

    fn with<T>(
        &self,
        projection: &str,
        work: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let file = self.file.display();
        let failed = |cause: Error| {
            let told = super::failure::told(&cause);
            match super::failure::outside(&cause).unwrap_or(ErrorKind::RepairData) {
                ErrorKind::RepairData => {
                    let what = format!(
                        "read or keep notes of `{projection}`: {file} is damaged ({told}): take it away and \
                         build the projections again, all of it follows from the log"
                    );
                    StoreError::new(ErrorKind::RepairData, what)
                }
                kind => {
                    StoreError::new(kind, format!("read or keep notes of `{projection}`, in {file}: {told}"))
                }
            }
        };
        let (connection, layout) = open(&self.file, self.synchronous).map_err(failed)?;
        if layout != LAYOUT {
            let what = format!(
                "read or keep notes of `{projection}`: {file} has layout {layout}, this is for layout {LAYOUT}: \
                 take it away and rebuild the projections"
            );
            return Err(StoreError::new(ErrorKind::FixInput, what));
        }
        work(&connection).map_err(failed)
    }
}

fn open(file: &Path, synchronous: Synchronous) -> Result<(Connection, i64), Error> {
    let mut connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", synchronous.name())?;
    let layout = |connection: &Connection| database::number_of(connection).map(i64::from);
    let mut found = layout(&connection)?;
    if found == 0 {
        let making = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        found = layout(&making)?;
        let tables: i64 = making.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
        if found == 0 && tables == 0 {
            making.execute_batch(SCHEMA)?;
            making.pragma_update(None, "user_version", LAYOUT)?;
            found = LAYOUT;
        }
        making.commit()?;
    }
    Ok((connection, found))
}
