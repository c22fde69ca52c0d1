//! Snapshots of models in one file. Reading is done at once, in the thread that asks; writing by a thread of
//! its own, which is started by the first snapshot, as the file is made by it.

mod table;
mod writer;

use crate::database;
use factum_store::{BoxFuture, ErrorKind, SnapshotKey, SnapshotStore, StoreError, StoredSnapshot};
use rusqlite::Connection;
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use writer::{Task, Writer};

/// Snapshots in a SQLite file. Deleting the file between two starts costs time and nothing else.
///
/// ```
/// use factum_sqlite::SqliteSnapshots;
/// use factum_store::snapshots::checks;
/// use std::sync::Arc;
///
/// let dir = tempfile::tempdir().unwrap();
/// let file = dir.path().join("snapshots.sqlite");
/// let snapshots = SqliteSnapshots::at(&file);
/// assert!(!file.exists(), "it is made by the first snapshot");
/// ```
pub struct SqliteSnapshots {
    path: PathBuf,
    /// Opened by the first read that finds a file.
    reader: Mutex<Option<Connection>>,
    /// Started by the first write.
    writer: Mutex<Option<Writer>>,
}

impl SqliteSnapshots {
    /// In the file at `path`, whose directory exists once the first snapshot is kept. Opens nothing yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), reader: Mutex::default(), writer: Mutex::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn read(&self, key: &SnapshotKey) -> Result<Option<StoredSnapshot>, rusqlite::Error> {
        let mut reader = lock(&self.reader);
        if reader.is_none() {
            *reader = database::open_existing(&self.path, table::LAYOUT)?;
        }
        let Some(connection) = &*reader else { return Ok(None) };
        let found = table::get(connection, key);
        if found.is_err() {
            // Opened again by the next one: the writer may have begun the file anew.
            *reader = None;
        }
        found
    }

    /// Hands a task to the writer. Where it does not come to it, the task is dropped.
    fn write(&self, task: Task) {
        let mut writer = lock(&self.writer);
        if writer.is_none() {
            *writer = Writer::start(self.path.clone());
        }
        if let Some(writer) = &*writer {
            writer.hand(task);
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for SqliteSnapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteSnapshots").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SnapshotStore for SqliteSnapshots {
    fn get<'a>(&'a self, key: &'a SnapshotKey) -> BoxFuture<'a, Result<Option<StoredSnapshot>, StoreError>> {
        Box::pin(async move {
            self.read(key).map_err(|cause| {
                let kind = if database::is_damage(&cause) { ErrorKind::RepairData } else { ErrorKind::Retry };
                let file = self.path.display();
                StoreError::new(kind, format!("read a snapshot of {}, from {file}: {cause}", key.model))
            })
        })
    }

    fn put(&self, key: SnapshotKey, snapshot: StoredSnapshot, every: u64) {
        self.write(Task::Put { key, snapshot, every });
    }

    fn forget(&self, key: SnapshotKey) {
        self.write(Task::Forget(key));
    }

    fn settled(&self) -> BoxFuture<'_, ()> {
        let settled = lock(&self.writer).as_ref().map(Writer::settled);
        Box::pin(async move {
            if let Some(settled) = settled {
                settled.await;
            }
        })
    }
}
