//! What is kept in SQLite beside a log: snapshots of models. All of it follows from the log and may be deleted
//! between two starts.
//!
//! Never a truth, and nothing of SQLite shows outside: a caller sees the ports of [`factum_store`].

mod database;
mod snapshots;

pub use snapshots::SqliteSnapshots;
