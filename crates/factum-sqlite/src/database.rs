//! Opens database files. A file that is no database, or one of another layout, is thrown away and begun anew:
//! what is in it follows from the log.

use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::{fs, io, path::Path, path::PathBuf, time::Duration};

/// How long another connection may hold the file before an operation is given up.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// A file's tables, and the number that says which layout they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// From 1. A file with another number is begun anew.
    pub(crate) number: i32,
    /// Makes the tables.
    pub(crate) schema: &'static str,
}

/// Why a file could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    Sqlite(rusqlite::Error),
    /// It had to be removed and could not be.
    Remove(io::Error),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(cause) => write!(f, "{cause}"),
            Self::Remove(cause) => write!(f, "it is of no use and cannot be removed: {cause}"),
        }
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

/// Opens the file for writing; makes it, with its tables, where there is none that is of use.
pub(crate) fn open(path: &Path, layout: Layout) -> Result<Connection, OpenError> {
    match try_open(path, layout) {
        Ok(Some(connection)) => Ok(connection),
        Ok(None) => begin_anew(path, layout, "it has another layout"),
        Err(cause) if is_damage(&cause) => begin_anew(path, layout, &cause.to_string()),
        Err(cause) => Err(cause.into()),
    }
}

/// Opens the file for reading; none if there is no such file, or none of this layout.
pub(crate) fn open_existing(path: &Path, layout: Layout) -> Result<Option<Connection>, rusqlite::Error> {
    if !path.exists() {
        return Ok(None);
    }
    // A reader of a file in WAL mode writes to the shared memory beside it.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let number = number_of(&connection)?;
    Ok((number == layout.number).then_some(connection))
}

/// Whether the file itself is at fault.
pub(crate) fn is_damage(cause: &rusqlite::Error) -> bool {
    matches!(cause.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn begin_anew(path: &Path, layout: Layout, cause: &str) -> Result<Connection, OpenError> {
    tracing::warn!(path = %path.display(), cause, "the file is of no use: it is begun anew, from the log");
    for file in files(path) {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(OpenError::Remove(error)),
            _ => {}
        }
    }
    try_open(path, layout)?.ok_or_else(|| rusqlite::Error::InvalidQuery.into())
}

/// The file, and those that SQLite keeps beside it.
pub(crate) fn files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        name.into()
    })
}

/// None if the file has another layout.
fn try_open(path: &Path, layout: Layout) -> Result<Option<Connection>, rusqlite::Error> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    let number = number_of(&connection)?;
    let tables: i64 = connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if number == 0 && tables == 0 {
        let making = connection.transaction()?;
        making.execute_batch(layout.schema)?;
        making.pragma_update(None, "user_version", layout.number)?;
        making.commit()?;
    } else if number != layout.number {
        return Ok(None);
    }
    Ok(Some(connection))
}

pub(crate) fn number_of(connection: &Connection) -> Result<i32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
